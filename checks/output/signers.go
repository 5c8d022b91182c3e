package output

import (
	"fmt"
	"strings"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/signers"
)

const (
	maxDrifts = 5  // deviations that a page shows in full
	maxKnown  = 20 // known signers that the details list
)

// drifts are the deviations of who signed from what the releases before taught.
func (p page) drifts() []signers.Drift {
	if p.r.Memory == nil {
		return nil
	}
	return p.r.Memory.Drift
}

// drift shows each signer that the releases before do not know, then and now side by side,
// and what to write when it is meant.
func (p page) drift(b *strings.Builder) {
	all := p.drifts()
	if len(all) == 0 {
		return
	}
	b.WriteString("\n### Signed in another way than before\n")
	for _, d := range all[:min(len(all), maxDrifts)] {
		fmt.Fprintf(b, "\n| %s | Then: %s | Now |\n|---|---|---|\n", Escape(assetList(d)), orDash(Escape(thenText(d))))
		for _, row := range d.Rows() {
			fmt.Fprintf(b, "| %s | %s | %s |\n", row.Label, orDash(Escape(row.Then)), orDash(Escape(row.Now)))
		}
		switch {
		case d.Level == checks.LevelAccepted && d.Exception == "":
			b.WriteString("\nRelease approvers accepted it. When this release passes, it is remembered.\n")
		case d.Level == checks.LevelAccepted:
			fmt.Fprintf(b, "\nException %s accepts it until %s. When this release passes, it is remembered.\n", Escape(d.Exception), Escape(d.Until))
		case p.r.Approvals == nil:
			b.WriteString("\n" + acceptText(d))
		}
	}
	if more := len(all) - maxDrifts; more > 0 {
		fmt.Fprintf(b, "\nand %d more\n", more)
	}
}

// acceptText says what to do about a deviation that nobody accepted.
func acceptText(d signers.Drift) string {
	if !plainYAML().MatchString(d.Subject) {
		return ""
	}
	return fmt.Sprintf("If nobody meant this, do not use the release, and find out who signed it. If it is meant, accept it in the policy file of the default branch; the next release that passes teaches it:\n\n"+
		"```yaml\nexceptions:\n  - id: signer-1\n    rule: %s\n    subject: %s\n    until: YYYY-MM-DD\n    reason: why it changed\n```\n", checks.RuleSignerDrift, d.Subject)
}

func assetList(d signers.Drift) string { return strings.Join(d.Assets, ", ") }

// thenText names the first release that was signed as the nearest known signer.
func thenText(d signers.Drift) string {
	text := d.Then.Release
	if !d.Then.Since.IsZero() {
		text += ", " + d.Then.Since.UTC().Format("2 Jan 2006")
	}
	if d.Then.Withdrawn {
		text += ", which has failed since"
	}
	return text
}

// memory lists what the release was compared with, in a collapsed section.
func (p page) memory(b *strings.Builder) {
	m := p.r.Memory
	if m == nil {
		return
	}
	fmt.Fprintf(b, "<details><summary>Memory of signers: %s, %s</summary>\n\n", plural(m.Releases, "verified release"), plural(len(m.Known), "signer"))
	for _, k := range m.Known[:min(len(m.Known), maxKnown)] {
		fmt.Fprintf(b, "- %s\n", Escape(knownText(k)))
	}
	if more := len(m.Known) - maxKnown; more > 0 {
		fmt.Fprintf(b, "- and %d more\n", more)
	}
	switch {
	case m.Teaches != nil && !m.Taught():
		b.WriteString("- This is the first verified release: it teaches.\n")
	case m.Teaches == nil:
		b.WriteString("- This release teaches nothing.\n")
	}
	b.WriteString("\n</details>\n\n")
}

// knownText writes "SIGNER, tag, github-hosted, since v1.0.0 (2 Jan 2026)".
func knownText(k signers.Known) string {
	parts := []string{k.Profile.String()}
	for _, part := range []string{k.Ref, k.Runner} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	text := strings.Join(parts, ", ") + ", since " + k.Release + " (" + k.Since.UTC().Format("2 Jan 2006") + ")"
	if k.Withdrawn {
		text += ", withdrawn: every release that taught it has failed since"
	}
	return text
}

// drift writes the deviations for a terminal.
func (t *terminal) drift() {
	for _, d := range t.drifts() {
		fmt.Fprintf(&t.out, "\n%s\n  then: %s\n", Plain("Signed in another way than before: "+assetList(d), 2*maxPiece), orDash(Plain(thenText(d), maxPiece)))
		for _, row := range d.Rows() {
			if row.Differs {
				fmt.Fprintf(&t.out, "  %-17s  then  %s\n  %-17s  now   %s\n", row.Label, orDash(Plain(row.Then, maxPiece)), "", orDash(Plain(row.Now, maxPiece)))
			}
		}
	}
}
