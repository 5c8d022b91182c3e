package app

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// ManifestURL stands for the public address in app.yml, which must be replaced by one's own.
const ManifestURL = "https://landwaiter.example.com"

// reasons says why a permission is asked for. A test fails when one has no reason.
var reasons = map[string]string{
	"metadata":        "names and ids of repositories; every App has it",
	"contents":        "manifests and the policy file at a commit; write: to see drafts, to publish those that pass, and to put a failed release back to draft",
	"pull_requests":   "which commits a pull request consists of",
	"checks":          "to show verdicts as check runs",
	"merge_queues":    "to judge what a merge queue is about to merge",
	"statuses":        "lets administrators require the check from this App only; never used to post",
	"attestations":    "provenance that GitHub keeps for release assets",
	"issues":          "to file what must be fixed with its owner",
	"members":         "who belongs to the teams that approve releases",
	"deployments":     "to answer for an environment whether something may go out",
	"security_events": "to upload findings to code scanning where a policy says code_scanning: true",
	"actions":         "how the run that built a release ended",
}

// Manifest returns the GitHub App manifest in YAML, with the webhook at publicURL/hooks. It
// asks for exactly what the tables of events, gatherers and surfaces need, and subscribes to
// exactly the events in the table (docs.github.com, "Registering a GitHub App from a manifest").
func Manifest(publicURL string) []byte {
	publicURL = strings.TrimSuffix(publicURL, "/")
	needs, names := manifestNeeds()
	var b bytes.Buffer
	b.WriteString("# GitHub App manifest of Landwaiter, written by `landwaiter manifest` from app/events.go.\n")
	b.WriteString("name: Landwaiter\n")
	fmt.Fprintf(&b, "url: %s\n", strconv.Quote(publicURL))
	b.WriteString("description: Judges dependencies of pull requests and signatures of releases.\n")
	b.WriteString("public: false\n")
	fmt.Fprintf(&b, "hook_attributes:\n  url: %s\n  active: true\n", strconv.Quote(publicURL+"/hooks"))
	b.WriteString("default_permissions:\n")
	for _, name := range slices.Sorted(maps.Keys(needs)) {
		fmt.Fprintf(&b, "  %s: %s # %s\n", name, needs[name], reasons[name])
	}
	for _, s := range surfaces() {
		for _, name := range slices.Sorted(maps.Keys(s.needs)) {
			if _, asked := needs[name]; s.optional && !asked {
				fmt.Fprintf(&b, "  # optional: %s: %s # %s\n", name, s.needs[name], reasons[name])
			}
		}
	}
	b.WriteString("default_events:\n")
	for _, name := range names {
		fmt.Fprintf(&b, "  - %s\n", name)
	}
	return b.Bytes()
}

// manifestNeeds is the union of what the tables need, and the events to subscribe to.
func manifestNeeds() (permissions, []string) {
	needs := permissions{"metadata": "read", "statuses": "write"}
	add := func(more permissions) { maps.Copy(needs, more.missing(needs)) }
	var names []string
	for _, e := range events {
		add(e.needs)
		if !e.unasked {
			names = append(names, e.name)
		}
	}
	for _, g := range gathers() {
		add(g.needs)
	}
	for _, s := range surfaces() {
		if !s.optional {
			add(s.needs)
		}
	}
	slices.Sort(names)
	return needs, names
}
