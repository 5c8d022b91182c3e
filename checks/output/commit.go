package output

import (
	"strings"

	"github.com/landwaiter/landwaiter/checks"
)

// commitTitle is the title of landwaiter/release on a commit that is not released yet.
func (p page) commitTitle() string {
	commit := short(p.r.Subject.Commit)
	switch p.r.Verdict {
	case checks.Pass:
		return "Commit " + commit + " may be tagged"
	case checks.Fail:
		return p.enforced("Blocked: commit " + commit + " may not be tagged")
	default:
		return p.enforced("Could not tell whether " + commit + " may be tagged")
	}
}

// commitSummary says why, and what the check does not say.
func (p page) commitSummary() string {
	var b strings.Builder
	b.WriteString(p.head(map[bool]string{true: "The commit may be tagged", false: "The commit may not be tagged"}[p.r.Verdict == checks.Pass]))
	b.WriteString("\nIt is on the default branch, its policy file is valid, and `landwaiter/pr` passed on what brought it in: that is all this asks. " +
		"It says nothing about assets, which do not exist yet.\n")
	if len(p.r.Reasons) > 0 {
		b.WriteString("\n### Why not\n")
		list(&b, p.r.Reasons, func(r checks.Reason) string { return Escape(r.Rule) + ": " + Prose(r.Message) })
	}
	for _, n := range p.r.Notices {
		b.WriteString("\n> " + Prose(n.Message) + "\n")
	}
	b.WriteString(p.foot())
	return b.String()
}
