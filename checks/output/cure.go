package output

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/landwaiter/landwaiter/checks"
)

// steps writes what cures a release, one paragraph for each kind of failure that occurs.
func (p page) steps(b *strings.Builder, failing []checks.AssetReport) {
	if len(failing) == 0 {
		return
	}
	by := map[checks.AssetState][]checks.AssetReport{}
	for _, a := range failing {
		by[a.State] = append(by[a.State], a)
	}
	b.WriteString("\n### How to fix\n")
	if list := by[checks.AssetInvalid]; len(list) > 0 {
		b.WriteString("- Do not use " + assetNames(list) + ". The evidence is there and contradicts the file. If a file was replaced on purpose, build and attest it again; if nobody knows why, treat the release as tampered with.\n")
	}
	if list := by[checks.AssetWrongSigner]; len(list) > 0 {
		p.wrongSigner(b, list)
	}
	if list := by[checks.AssetUnsigned]; len(list) > 0 {
		b.WriteString("- Attest " + assetNames(list) + " in the job that builds, and upload the same bytes:\n\n")
		b.WriteString(snippet(list))
	}
	if list := by[checks.AssetUnknown]; len(list) > 0 {
		b.WriteString("- Press Re-check when the evidence for " + assetNames(list) + " can be read again. Nothing wrong was found in it, and nothing right either.\n")
	}
}

func assetNames(list []checks.AssetReport) string {
	var names []string
	for _, a := range list[:min(len(list), 5)] {
		names = append(names, Escape(a.Name))
	}
	if more := len(list) - 5; more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}

// plainYAML is what may stand in a snippet to paste.
var plainYAML = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/@:+-]{0,250}$`) })

// wrongSigner gives both ways out: build with the expected signer, or accept the one found.
func (p page) wrongSigner(b *strings.Builder, list []checks.AssetReport) {
	b.WriteString("- If you did not expect the signer of " + assetNames(list) + ", do not use it. Build it again with the workflow that the policy expects.\n")
	a := list[0]
	path, _, ok := strings.Cut(strings.TrimPrefix(a.Signer.Identity, "https://github.com/"), "@")
	if !ok || !strings.HasPrefix(a.Signer.Identity, "https://github.com/") || !strings.Contains(path, "/.github/workflows/") ||
		!plainYAML().MatchString(path) || !plainYAML().MatchString(a.Signer.Issuer) {
		return
	}
	fmt.Fprintf(b, "- If that signer is meant, its owners add it to the policy on the base branch:\n\n```yaml\nreleases:\n  trust:\n    signers:\n      - issuer: %s\n        workflow: %s\n```\n",
		a.Signer.Issuer, path)
}

// snippet is a ready-to-paste part of a workflow that attests the assets.
func snippet(list []checks.AssetReport) string {
	var b strings.Builder
	b.WriteString("```yaml\n# in the job that builds the release\npermissions:\n  contents: read\n  id-token: write\n  attestations: write\nsteps:\n" +
		"  # ... the steps that build into dist/ ...\n  - uses: actions/attest-build-provenance@v3\n    with:\n      subject-path: |\n")
	named := 0
	for _, a := range list {
		if plainYAML().MatchString(a.Name) && named < maxRows {
			named++
			b.WriteString("        dist/" + a.Name + "\n")
		}
	}
	if named == 0 || named < len(list) {
		b.WriteString("        dist/*\n")
	}
	b.WriteString("```\n")
	if slices.ContainsFunc(list, func(a checks.AssetReport) bool {
		return slices.Contains(a.Required, checks.RequireReleaseAttestation)
	}) {
		b.WriteString("\nThe policy also asks for GitHub's release attestation: turn on immutable releases in the settings of the repository, and publish the release again from a draft.\n")
	}
	return b.String()
}
