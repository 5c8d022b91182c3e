package output

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/landwaiter/landwaiter/checks"
)

// tagForm are the tags that a command can name and a page can show as they are.
var tagForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/+@-]{0,199}$`) })

// approvals says who is asked to let the release through, what to write, and who did.
func (p page) approvals(b *strings.Builder) {
	s := p.r.Approvals
	if s == nil {
		return
	}
	fmt.Fprintf(b, "\n### Approval\n\n%d of %d approvals by %s, for the files and the commit that are there now (revision %s).\n",
		s.Counted, s.Needed, Escape(strings.Join(s.Asked, ", ")), Escape(Plain(strings.TrimPrefix(s.Revision, "sha256:"), 12)))
	if s.Problem != "" {
		fmt.Fprintf(b, "No approval counts now: %s.\n", Prose(s.Problem))
	}
	for _, v := range s.Votes {
		state := "counts"
		if v.Void != "" {
			state = "does not count, " + v.Void
		}
		fmt.Fprintf(b, "- %s, %s UTC: %s (%s)\n", Escape(v.Login), v.Time.UTC().Format("2 Jan 2006 15:04"), Escape(v.Reason), Prose(state))
	}
	if s.Met() {
		return
	}
	b.WriteString("\nIf nobody meant this, do not use the release, and find out who signed it. If it is meant, ")
	if tag := p.tag(); tagForm().MatchString(tag) {
		fmt.Fprintf(b, "an approver who neither made nor built the release writes a new comment in its issue:\n\n```\n%s\n```\n", checks.ApproveCommand(tag))
	} else {
		b.WriteString("give the release a tag of letters, digits and the characters ._/+@- first: no command can name this one.\n")
	}
}
