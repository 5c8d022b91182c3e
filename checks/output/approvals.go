package output

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/landwaiter/landwaiter/checks"
)

// maxVotes bounds the approvals that a page lists; the rest is counted.
const maxVotes = 20

// tagForm are the tags that a command can name and a page can show as they are.
var tagForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/+@-]{0,199}$`) })

// approvals says who is asked to let the release through, what to write, and who did.
func (p page) approvals(b *strings.Builder) {
	s := p.r.Approvals
	if s == nil {
		return
	}
	revision := strings.TrimPrefix(s.Revision, "sha256:")
	fmt.Fprintf(b, "\n### Approval\n\n%d of %d approvals by %s, for the files and the commit that are there now (revision %s).\n",
		s.Counted, s.Needed, Escape(strings.Join(s.Asked, ", ")), Escape(revision[:min(12, len(revision))]))
	if s.Problem != "" {
		fmt.Fprintf(b, "\nNo approval counts now: %s.\n", Prose(s.Problem))
	}
	if len(s.Votes) > 0 {
		b.WriteString("\n")
	}
	for _, v := range s.Votes[:min(len(s.Votes), maxVotes)] {
		state := "counts"
		if v.Void != "" {
			state = "does not count: " + v.Void
		}
		fmt.Fprintf(b, "- %s, %s UTC: %s (%s)\n", Escape(v.Login), v.Time.UTC().Format("2 Jan 2006 15:04"), Escape(v.Reason), Prose(state))
	}
	if more := len(s.Votes) - maxVotes; more > 0 {
		fmt.Fprintf(b, "- and %d more\n", more)
	}
	if !s.Met() {
		p.askApprovers(b)
	}
}

// askApprovers says what an approver has to write.
func (p page) askApprovers(b *strings.Builder) {
	if len(p.drifts()) > 0 {
		b.WriteString("\nIf nobody meant this, do not use the release, and find out who signed it. If it is meant, ")
	} else {
		b.WriteString("\nTo let it out, ")
	}
	if tag := p.tag(); tagForm().MatchString(tag) {
		fmt.Fprintf(b, "an approver who neither made nor built the release writes a new comment in its issue:\n\n```\n%s\n```\n", checks.ApproveCommand(tag))
	} else {
		b.WriteString("first give the release a tag of letters, digits and the characters ._/+@-, because no command can name this one.\n")
	}
}

// approvers names those whose approval counts: "@ann and @bo".
func (p page) approvers() string {
	var names []string
	for _, login := range p.r.Approvals.Approvers() {
		names = append(names, "@"+Plain(login, maxPiece))
	}
	return and(names)
}

// and writes "a, b and c".
func and(names []string) string {
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "")
}

// ApprovedBy writes ", approved by ann and bo" for r, "" when it needed no approval. The logins
// call nobody.
func ApprovedBy(r checks.Report) string {
	if !r.Approvals.Met() {
		return ""
	}
	var names []string
	for _, login := range r.Approvals.Approvers() {
		names = append(names, Escape(login))
	}
	return ", approved by " + and(names)
}
