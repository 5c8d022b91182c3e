package workflows

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

var (
	// usedAction is owner/name, maybe a folder, and a ref.
	usedAction = regexp.MustCompile(`^([A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+(?:/[^@\s]*)?)@(\S+)$`)
	// commit is a full name of a commit, by SHA-1 or SHA-256.
	commit = regexp.MustCompile(`^(?:[0-9a-fA-F]{40}|[0-9a-fA-F]{64})$`)
	// shortCommit is a ref that a person may take for a commit.
	shortCommit = regexp.MustCompile(`^(?:[0-9]+[a-fA-F]|[a-fA-F]+[0-9])[0-9a-fA-F]+$`)
	// versionTag is a ref that looks like a version: v4, 1.2.3, codeql-bundle-v2.1.0, cli/v1.2.3.
	versionTag = regexp.MustCompile(`^(?:v?[0-9]+(?:\.[0-9]+)*|\S*?[/@-]v?[0-9]+(?:\.[0-9]+)+)(?:[-+._][0-9A-Za-z.+_-]+)?$`)
)

// maxUses is how long a `uses:` may be that is looked at, in bytes. GitHub's names are shorter.
const maxUses = 500

// unpinned tells of a `uses:` that names a tag or branch of another repository, or an image by
// its tag. Whether the owner is trusted is for the policy.
func (a *analysis) unpinned(n syntax.Node) {
	uses := strings.TrimSpace(n.Text())
	if n.Kind() != syntax.Text || len(uses) > maxUses || strings.HasPrefix(uses, "./") || strings.HasPrefix(uses, "../") {
		return
	}
	o := inventory.Observation{Rule: inventory.RuleUnpinned, Line: n.Line(), Subject: uses}
	if image, ok := strings.CutPrefix(uses, "docker://"); ok {
		if strings.Contains(image, "@sha256:") || image == "" {
			return
		}
		o.Severity, o.Message, o.Remedy = unpinnedImage(image)
	} else {
		m := usedAction.FindStringSubmatch(uses)
		if m == nil || commit.MatchString(m[2]) {
			return // GitHub runs no action without a ref
		}
		o.Severity, o.Message, o.Remedy = unpinnedAction(m[1], m[2])
	}
	if a.once(o.Rule, o.Subject) {
		a.add(o)
	}
}

func unpinnedAction(name, ref string) (inventory.Severity, string, string) {
	parts := strings.SplitN(name, "/", 3)
	shown := cut(parts[0]+"/"+parts[1], maxShown)
	remedy := fmt.Sprintf("uses: %s@<full commit of %s> # %[2]s", name, cut(ref, maxShown))
	switch {
	case len(ref) >= 7 && len(ref) < 64 && shortCommit.MatchString(ref):
		return inventory.SeverityMedium, fmt.Sprintf("%s is used at %s, which is no full commit: GitHub takes it for a tag or branch, and whoever controls %[1]s can create that and run code in this workflow", shown, cut(ref, maxShown)), remedy
	case versionTag.MatchString(ref):
		return inventory.SeverityLow, fmt.Sprintf("whoever controls %s can move the tag %s to other code, which this workflow then runs with its token and secrets", shown, cut(ref, maxShown)), remedy
	}
	return inventory.SeverityMedium, fmt.Sprintf("%s is used at %s, which looks like a branch: whoever can push there changes what this workflow runs with its token and secrets", shown, cut(ref, maxShown)), remedy
}

func unpinnedImage(image string) (inventory.Severity, string, string) {
	name, tag := image, ""
	if at := strings.LastIndexByte(image, ':'); at > strings.LastIndexByte(image, '/') {
		name, tag = image[:at], image[at+1:]
	}
	severity, note := inventory.SeverityMedium, ""
	if versionTag.MatchString(tag) {
		severity = inventory.SeverityLow
	}
	if tag != "" {
		note = " # " + cut(tag, maxShown)
	}
	return severity, fmt.Sprintf("whoever controls the image %s can replace what it holds, which this workflow then runs with its token and secrets", cut(image, maxShown)),
		fmt.Sprintf("uses: docker://%s@sha256:<digest>%s", name, note)
}
