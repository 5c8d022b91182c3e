package output

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/landwaiter/landwaiter/checks"
)

// maxIssueTitle keeps the titles of issues readable in lists; GitHub allows 256 characters.
const maxIssueTitle = 120

// IssueOptions say what an issue needs to know beside the Report.
type IssueOptions struct {
	DetailsURL string
	Key        string // identity of the finding, for the hidden marker
	State      string // digest of what is shown, for the hidden marker
	Owners     []checks.Owner
	OwnerWhy   string    // "from CODEOWNERS `/services/pay/`"
	Due        time.Time // zero when there is no deadline
	DueWhy     string    // "critical, 2 days"; "" leaves it out
	Reverted   bool      // the release went back to draft
	Held       string    // what else was done about the release, or why nothing could be; one sentence, "" leaves it out
	Workflow   string    // the repository's release workflow, for the suggested step; "" when unknown
	// LedgerIndex and Checkpoint are shown when Checkpoint is not empty.
	LedgerIndex int64
	Checkpoint  string
}

// Issue returns title and body of the issue on a failed release: what is wrong, expected and
// found, the steps that cure it, due and owner, and a hidden marker for finding it again. Users
// and teams among the owners are mentioned once; e-mail addresses are not shown.
func Issue(r checks.Report, o IssueOptions) (title, body string) {
	p := page{r: r, count: count(r), o: Options{DetailsURL: o.DetailsURL, LedgerIndex: o.LedgerIndex, Checkpoint: o.Checkpoint}}
	name := cmp.Or(p.tag(), "without a tag")
	title = "Release " + cut(name, 40) + ": " + p.blockedBy(maxIssueTitle-60)
	var b strings.Builder
	what := "fails"
	if r.WaitsForApproval() {
		what = "waits for release approvers in"
	}
	fmt.Fprintf(&b, "**Release %s** of %s %s %s.\n", Escape(p.tag()), Escape(r.Subject.Repository), what, Escape(CheckRelease))
	if o.Reverted {
		b.WriteString("It was published and is a draft again. Nothing was deleted.\n")
	}
	if o.Held != "" {
		b.WriteString(Prose(o.Held) + "\n")
	}
	p.assetTable(&b)
	failing := p.failing()
	p.releaseWhy(&b, failing)
	p.steps(&b, failing)
	p.drift(&b)
	p.approvals(&b)
	if workflow := Plain(o.Workflow, maxPiece); workflow != "" {
		fmt.Fprintf(&b, "\nThe workflow to change is %s.\n", Escape(workflow))
	}
	if r.WaitsForApproval() {
		b.WriteString("\nThe check starts again by itself at each approval, and this issue closes when it passes.\n")
	} else {
		b.WriteString("\nThen publish the release again: the check starts by itself, and this issue closes when it passes.\n")
	}
	marker := Marker{Version: 1, Key: o.Key, State: o.State}.String()
	end := "\n" + dueAndOwner(o) + "\n" + history(p) + marker + "\n"
	return title, Truncate(b.String(), MaxBody-len(end), p.notice()) + end
}

// dueAndOwner writes "**Due** 25 Nov 2026 (critical, 2 days) · **Owner** @ann, from CODEOWNERS `/`".
func dueAndOwner(o IssueOptions) string {
	var parts []string
	if !o.Due.IsZero() {
		due := "**Due** " + o.Due.UTC().Format("2 Jan 2006")
		if o.DueWhy != "" {
			due += " (" + Prose(o.DueWhy) + ")"
		}
		parts = append(parts, due)
	}
	if names := mentions(o.Owners); len(names) > 0 {
		owner := "**Owner** " + strings.Join(names, ", ")
		if o.OwnerWhy != "" {
			owner += ", " + Prose(o.OwnerWhy)
		}
		parts = append(parts, owner)
	}
	return strings.Join(parts, " · ")
}

// maxMentions bounds how many people an issue calls, GitHub's limit of assignees.
const maxMentions = 10

var mentionForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,38}(/[A-Za-z0-9_.-]{1,100})?$`)
})

func mentions(owners []checks.Owner) []string {
	var names []string
	for _, o := range owners {
		if name := cmp.Or(o.User, o.Team); mentionForm().MatchString(name) && len(names) < maxMentions {
			names = append(names, "@"+name)
		}
	}
	return names
}

func history(p page) string {
	if url := safeURL(p.o.DetailsURL); url != "" {
		return "[History and evidence](" + url + ")\n"
	}
	return ""
}

// Marker is what the hidden mark in an issue carries: which finding the issue is about, and
// the digest of what it shows. It is used only to find issues again after a lost database.
type Marker struct {
	Version    int
	Key, State string
}

// String returns the mark as an HTML comment. Key and State keep only letters, digits and
// ":._/-", so that they can never end the comment.
func (m Marker) String() string {
	return fmt.Sprintf("<!-- landwaiter:finding v=%d key=%s state=%s -->", m.Version, markerText(m.Key), markerText(m.State))
}

func markerText(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(":._/-", r) {
			return r
		}
		return '_'
	}, s)
	return cutBytes(strings.ReplaceAll(s, "--", "__"), 200)
}

var markerForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^<!-- landwaiter:finding v=([0-9]{1,4}) key=([A-Za-z0-9:._/-]*) state=([A-Za-z0-9:._/-]*) -->\r?$`)
})

// ParseMarker finds the mark of an issue in body: the last one that stands on a line of its
// own. Anybody can write such a line, so the caller trusts it only in issues of its own.
func ParseMarker(body string) (Marker, bool) {
	all := markerForm().FindAllStringSubmatch(body, -1)
	if len(all) == 0 {
		return Marker{}, false
	}
	last := all[len(all)-1]
	version, err := strconv.Atoi(last[1])
	return Marker{Version: version, Key: last[2], State: last[3]}, err == nil
}
