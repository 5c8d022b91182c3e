package output

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/landwaiter/landwaiter/checks"
)

// maxRollupRows bounds the table of a rollup issue; people read the first rows, the worst.
const maxRollupRows = 200

// RollupEntry is a failed release that has no issue of its own.
type RollupEntry struct {
	Tag, Why   string // as ReleaseFault gives them; hostile
	Severity   checks.Severity
	DetailsURL string // the page that explains it; "" leaves the link out
}

// RollupOptions say what a rollup issue needs to know beside its entries.
type RollupOptions struct {
	Repository string // "owner/name"
	MaxOpen    int    // how many issues of our own the policy lets be open
	Key        string // identity of the issue, for the hidden marker
	State      string // digest of what is shown, for the hidden marker
	Owners     []checks.Owner
	OwnerWhy   string // "from CODEOWNERS `/services/pay/`"
}

// ReleaseFault names a failed release and says what is wrong with it, each on one line of
// plain text that may hold hostile words.
func ReleaseFault(r checks.Report) (tag, why string) {
	p := page{r: r}
	return cmp.Or(p.tag(), "without a tag"), p.blockedBy(maxIssueTitle)
}

// Rollup returns title and body of the one issue on all failed releases of a repository that
// have none of their own, in the order of entries: beyond 200 only their number is told.
// Owners are mentioned once, and the body ends with the hidden marker, as in Issue.
func Rollup(entries []RollupEntry, o RollupOptions) (title, body string) {
	n := len(entries)
	title = plural(n, "failed release") + " without an issue of their own"
	if n == 1 {
		title = "1 failed release without an issue of its own"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "**%s** of %s fail %s and have no issue of their own: the policy allows %s at a time (`issues.max_open`).\n",
		plural(n, "release"), Escape(o.Repository), Escape(CheckRelease), plural(o.MaxOpen, "open issue"))
	b.WriteString("\n| Release | Severity | Problem |\n|---|---|---|\n")
	for _, e := range entries[:min(n, maxRollupRows)] {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", Escape(e.Tag), e.Severity, problemOf(e))
	}
	if more := n - maxRollupRows; more > 0 {
		fmt.Fprintf(&b, "\nand %d more\n", more)
	}
	b.WriteString("\nThe check on the commit of each release says what cures it. A release leaves this list when it passes, " +
		"is deleted or gets an issue of its own; this issue closes when the list is empty.\n")
	marker := Marker{Version: 1, Key: o.Key, State: o.State}.String()
	end := "\n" + dueAndOwner(IssueOptions{Owners: o.Owners, OwnerWhy: o.OwnerWhy}) + "\n" + marker + "\n"
	return title, Truncate(b.String(), MaxBody-len(end), page{}.notice()) + end
}

func problemOf(e RollupEntry) string {
	if url := safeURL(e.DetailsURL); url != "" {
		return Escape(e.Why) + " · [evidence](" + url + ")"
	}
	return Escape(e.Why)
}
