package output

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/landwaiter/landwaiter/checks"
)

// maxTitle is the most characters of a title; GitHub shows little more in its lists.
const maxTitle = 60

// notEnforced ends the titles of what would fail if the policy enforced.
const notEnforced = " (not enforced)"

// ForCheck returns the check run that shows r: conclusion and texts as GITHUB.md sections 5
// and 7 fix them. It decides nothing; the Report is the decision.
func ForCheck(r checks.Report, o Options) CheckRun {
	p := page{r: r, o: o, count: count(r), observe: r.Policy.Mode == string(checks.ModeObserve)}
	run := CheckRun{Name: CheckPullRequest, Status: "completed"}
	if r.Subject.Kind == checks.KindCommit {
		run.Name = CheckRelease
		run.Title, run.Summary = p.commitTitle(), p.commitSummary()
	} else if p.isRelease() {
		run.Name = CheckRelease
		run.Title, run.Summary, run.Text = p.releaseTitle(), p.releaseSummary(), p.releaseText()
	} else {
		run.Title, run.Summary, run.Text = p.title(), p.summary(), p.text(MaxBody)
		run.Annotations = p.annotations()
	}
	run.Conclusion = p.conclusion()
	run.Summary = Truncate(run.Summary, MaxBody, p.notice())
	ledger := p.ledger()
	run.Text = Truncate(run.Text, MaxBody-len(ledger), p.notice()) + ledger
	return run
}

// page is one Report on its way to people.
type page struct {
	r       checks.Report
	o       Options
	count   counts
	observe bool
}

// counts are the numbers of findings by what the policy makes of them.
type counts struct {
	block, warn, accepted, older int
	until                        string // first end of an exception, YYYY-MM-DD
}

func count(r checks.Report) counts {
	var c counts
	for _, f := range r.Findings {
		switch {
		case !f.Introduced:
			c.older++
		case f.Level == checks.LevelBlock:
			c.block++
		case f.Level == checks.LevelAccepted:
			c.accepted++
			if c.until == "" || f.Until < c.until {
				c.until = f.Until
			}
		default:
			c.warn++
		}
	}
	return c
}

func (p page) isRelease() bool {
	return p.r.Subject.Kind == checks.KindRelease || p.r.Subject.Kind == checks.KindArtifact
}

// conclusion maps the verdict. Unknown is neutral only where the policy says so, because a
// neutral check satisfies a required one (THREATS G11).
func (p page) conclusion() string {
	switch {
	case p.r.Verdict == checks.Pass && (p.isRelease() || p.count.warn == 0):
		return "success"
	case p.r.Verdict == checks.Pass, p.observe:
		return "neutral"
	case p.r.Verdict == checks.Unknown && p.r.Policy.OnIncomplete == "neutral":
		return "neutral"
	default:
		return "failure"
	}
}

// enforced ends a title: as it is when the policy enforces, else with the remark that it does not.
func (p page) enforced(title string) string {
	if p.observe && p.r.Verdict != checks.Pass {
		return cut(title, maxTitle-len(notEnforced)) + notEnforced
	}
	return cut(title, maxTitle)
}

// title is the title of landwaiter/pr.
func (p page) title() string {
	c := p.count
	switch {
	case p.observe && p.r.Verdict == checks.Fail && c.block+c.warn > 0:
		return plural(c.block+c.warn, "finding") + notEnforced
	case c.block > 0 && c.warn > 0:
		return plural(c.block, "violation") + ", " + plural(c.warn, "warning")
	case c.block > 0:
		return plural(c.block, "violation")
	case p.r.Verdict == checks.Fail:
		return p.enforced(p.failTitle())
	case p.r.Verdict == checks.Unknown:
		return p.enforced(p.unknownTitle())
	case c.warn > 0:
		return plural(c.warn, "finding") + notEnforced
	case c.accepted > 0:
		return fmt.Sprintf("Passed with %s, expires %s", plural(c.accepted, "accepted risk"), c.until)
	case len(p.r.Changes) > 0:
		return plural(len(p.r.Changes), "change") + ", no violations"
	case p.r.Subject.Kind == checks.KindTree && p.r.Coverage.Packages > 0:
		return plural(p.r.Coverage.Packages, "package") + ", no violations"
	default:
		return "No dependency changes"
	}
}

// failTitle is the title of a failure without findings: a broken policy file.
func (p page) failTitle() string {
	for _, reason := range p.r.Reasons {
		if reason.Code == checks.CodePolicyInvalid {
			what, _, _ := strings.Cut(reason.Message, " `")
			return Plain(what, maxTitle)
		}
	}
	return "Failed"
}

func (p page) unknownTitle() string {
	v := p.r.Coverage
	switch {
	case v.Unchecked > 0:
		return fmt.Sprintf("Could not check %d of %s", v.Unchecked, plural(v.Packages, "package"))
	case v.Unread > 0:
		return fmt.Sprintf("Could not check %d of %s", v.Unread, plural(v.Manifests, "manifest"))
	case v.Packages > 0:
		return fmt.Sprintf("Could not check all of %s", plural(v.Packages, "package"))
	default:
		return "Could not check the dependencies"
	}
}

// head is the first line of a summary.
func (p page) head(what string) string {
	parts := []string{"policy " + Escape(policyName(p.r.Policy.Source))}
	for _, e := range p.r.Evidence {
		if e.DataTime != nil {
			parts = append(parts, "data "+dataTime(*e.DataTime, p.r.Time))
		}
	}
	return fmt.Sprintf("**%s** (%s)\n", what, strings.Join(parts, ", "))
}

// policyName shortens the commit of a policy's source.
func policyName(source string) string {
	file, commit, ok := strings.Cut(source, "@")
	if ok && len(commit) >= 40 {
		return file + "@" + commit[:7]
	}
	return cmp.Or(source, "unknown")
}

// dataTime writes the time of day, with the date when it is another day than that of the report.
func dataTime(t, report time.Time) string {
	t = t.UTC()
	if t.Format(time.DateOnly) == report.UTC().Format(time.DateOnly) {
		return t.Format("15:04 UTC")
	}
	return t.Format("2006-01-02 15:04 UTC")
}

// foot is the last line of a summary, "" when it would say nothing.
func (p page) foot() string {
	var parts []string
	if url := safeURL(p.o.DetailsURL); url != "" {
		parts = append(parts, "[Explain this result]("+url+")")
	}
	if p.count.older > 0 {
		parts = append(parts, plural(p.count.older, "older finding")+" not caused by this change")
	}
	if p.o.Checkpoint != "" {
		parts = append(parts, fmt.Sprintf("ledger entry %d", p.o.LedgerIndex))
	}
	if len(parts) == 0 {
		return ""
	}
	return "\n" + strings.Join(parts, " · ") + "\n"
}

// safeURL returns url when it can stand in a Markdown link, else "".
func safeURL(url string) string {
	if !strings.HasPrefix(url, "https://") && !strings.HasPrefix(url, "http://") || strings.ContainsAny(url, " ()<>[]`|\"'\\\n\r\t") {
		return ""
	}
	return url
}

// notice is the last line of a text that was cut.
func (p page) notice() string {
	if url := safeURL(p.o.DetailsURL); url != "" {
		return "**Cut here, because GitHub shows no more.** [Read all of it](" + url + ")"
	}
	return "**Cut here, because GitHub shows no more.**"
}

// ledger is the section that leaves the ledger's Checkpoint with the readers.
func (p page) ledger() string {
	if p.o.Checkpoint == "" || len(p.o.Checkpoint) > 4096 || strings.Contains(p.o.Checkpoint, "```") {
		return ""
	}
	return fmt.Sprintf("\n<details><summary>Ledger entry %d</summary>\n\n```text\n%s\n```\n\n</details>\n",
		p.o.LedgerIndex, strings.TrimRight(p.o.Checkpoint, "\n"))
}

// plural writes a number with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
