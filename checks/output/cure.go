package output

import (
	"fmt"
	"strings"

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
		p.contradicted(b, list)
	}
	if list := by[checks.AssetWrongSigner]; len(list) > 0 {
		p.wrongSigner(b, list)
	}
	if list := by[checks.AssetUnsigned]; len(list) > 0 {
		b.WriteString("- Attest " + assetNames(list) + " in the job that builds, and upload the same bytes:\n\n")
		b.WriteString(p.evidenceWorkflow(list))
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
