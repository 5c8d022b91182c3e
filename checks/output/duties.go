package output

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/landwaiter/landwaiter/checks/duties"
)

// duties writes what came into a release and through whose hands, nothing when the policy does
// not ask.
func (p page) duties(b *strings.Builder) {
	d := p.r.Duties
	if d == nil {
		return
	}
	b.WriteString("\n### What came into it\n")
	b.WriteString(origins(d) + "\n")
	if len(d.Pulls) == 0 {
		return
	}
	b.WriteString("\n| Pull request | Author | Approved by | landwaiter/pr | Problem |\n|---|---|---|---|---|\n")
	for _, x := range d.Pulls[:min(len(d.Pulls), maxRows)] {
		fmt.Fprintf(b, "| %d | %s | %s | %s | %s |\n", x.Number, orDash(Escape(x.Author)), orDash(spanList(x.Approvers)),
			orDash(Escape(x.Check)), orDash(spanList(x.Codes)))
	}
	if more := len(d.Pulls) + d.MorePulls - maxRows; more > 0 {
		fmt.Fprintf(b, "\nand %d more\n", more)
	}
}

// origins says in a sentence how many commits came since when, on which branch, and who built
// and released.
func origins(d *duties.Summary) string {
	since := "the first commit"
	switch {
	case d.Since != "":
		since = Escape(d.Since)
	case d.SinceCommit != "":
		since = Escape(short(d.SinceCommit))
	}
	parts := []string{plural(d.Commits, "commit") + " since " + since}
	if d.Direct > 0 {
		parts = append(parts, strconv.Itoa(d.Direct)+" without a pull request")
	}
	if d.Unverified > 0 {
		parts = append(parts, strconv.Itoa(d.Unverified)+" without a verified signature")
	}
	if d.Branch != "" {
		parts = append(parts, "on the protected branch "+Escape(d.Branch))
	}
	if len(d.Builders) > 0 {
		parts = append(parts, "built by "+spanList(d.Builders))
	}
	if d.Releaser != "" {
		parts = append(parts, "released by "+Escape(d.Releaser))
	}
	return strings.Join(parts, ", ") + "."
}

// spanList writes foreign words one after another, the first ones.
func spanList(list []string) string {
	var spans []string
	for _, s := range list[:min(len(list), maxIDs)] {
		spans = append(spans, Escape(s))
	}
	if more := len(list) - maxIDs; more > 0 {
		spans = append(spans, fmt.Sprintf("%d more", more))
	}
	return strings.Join(spans, ", ")
}
