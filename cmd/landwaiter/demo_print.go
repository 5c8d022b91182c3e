package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/landwaiter/landwaiter/app/githubtest"
)

// stepReport is one step in the JSON of the demo. The shape is a contract; docs/demo.md.
type stepReport struct {
	Name        string         `json:"name"`
	Event       string         `json:"event"`
	Repository  string         `json:"repository"`
	Check       checkReport    `json:"check"`
	Annotations int            `json:"annotations"`
	Issues      []issueReport  `json:"issues"`
	Release     *releaseReport `json:"release"` // null for steps without a release
	Expected    bool           `json:"expected"`
}

type checkReport struct {
	Name       string `json:"name"`
	Status     string `json:"status"`
	Conclusion string `json:"conclusion"`
	Title      string `json:"title"`
}

type issueReport struct {
	Number    int      `json:"number"`
	Title     string   `json:"title"`
	Assignees []string `json:"assignees"`
	State     string   `json:"state"`
}

type releaseReport struct {
	Draft bool `json:"draft"`
}

func newStepReport(s step, v seen, ok bool) stepReport {
	r := stepReport{
		Name: s.name, Event: s.event, Repository: s.repo.FullName(), Expected: ok,
		Check:       checkReport{Name: v.run.Name, Status: v.run.Status, Conclusion: v.run.Conclusion, Title: v.run.Output.Title},
		Annotations: len(v.run.Annotations), Issues: []issueReport{},
	}
	for _, i := range v.issues {
		r.Issues = append(r.Issues, issueReport{i.Number, i.Title, append([]string{}, i.Assignees...), i.State})
	}
	if v.release != nil {
		r.Release = &releaseReport{v.release.Draft}
	}
	return r
}

// writeStory writes the demo's JSON.
func writeStory(w io.Writer, steps []stepReport, seconds float64) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(struct {
		Steps   []stepReport `json:"steps"`
		Seconds float64      `json:"seconds"`
	}{steps, seconds})
}

// storyPrinter prints the story for a person.
type storyPrinter struct {
	w      io.Writer
	colour bool
}

func (p *storyPrinter) paint(code, text string) string {
	if !p.colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (p *storyPrinter) opening(d *demo) {
	fmt.Fprintf(p.w, "Landwaiter runs at http://%s, on SQLite. GitHub is played by a stand-in at\n%s that is held to GitHub's own API description.\n"+
		"Everything below is real: lock files, advisories, signatures, webhooks, checks.\n", d.listen.Addr(), d.github.APIURL())
}

func (p *storyPrinter) begin(n int, s step) {
	fmt.Fprintf(p.w, "\n%s\n   %s · %s\n", p.paint("1", fmt.Sprintf("%d. %s", n, s.name)), s.repo.FullName(), s.event)
}

func (p *storyPrinter) broken(err error) {
	fmt.Fprintf(p.w, "   %s %v\n", p.paint("31", "This step could not be played:"), err)
}

// conclusionMark shows a conclusion as GitHub's pages do.
func (p *storyPrinter) conclusionMark(conclusion string) string {
	switch conclusion {
	case "success":
		return p.paint("32", "✓")
	case "neutral", "skipped", "cancelled":
		return p.paint("90", "■")
	case "":
		return p.paint("33", "●")
	default:
		return p.paint("31", "✗")
	}
}

// show prints what a person sees on GitHub after a step.
func (p *storyPrinter) show(s step, v seen, ok bool) {
	run := v.run
	state := run.Conclusion
	if state == "" {
		state = run.Status
	}
	if state == "" {
		state = "no check run"
	}
	fmt.Fprintf(p.w, "   %s %s — %s (%s)\n", p.conclusionMark(run.Conclusion), s.check, p.paint("1", run.Output.Title), state)
	if v.runs > 1 {
		fmt.Fprintf(p.w, "     check run %d of this commit\n", v.runs)
	}
	for i, a := range run.Annotations {
		if i == 3 {
			fmt.Fprintf(p.w, "     … and %d more annotations\n", len(run.Annotations)-i)
			break
		}
		fmt.Fprintf(p.w, "     %s:%d  %s\n", a.Path, a.StartLine, a.Title)
	}
	if s.full {
		p.quote(run.Output.Summary)
	}
	for _, i := range v.issues {
		fmt.Fprintf(p.w, "     issue #%d: %s (assigned to %s)\n", i.Number, i.Title, orNobody(i.Assignees))
		if s.full {
			p.quote(i.Body)
		}
	}
	if v.release != nil {
		fmt.Fprintf(p.w, "     release %s: %s\n", v.release.Tag, releaseState(v.release))
	}
	if !ok {
		fmt.Fprintf(p.w, "   %s conclusion %s, title with %q, text with %q, annotation with %q, %d issues, draft %v\n",
			p.paint("31", "Not as expected; expected:"), s.want.conclusion, s.want.title, s.want.text, s.want.annotation, s.want.issues, s.want.draft)
	}
}

// quote prints Markdown as it was posted.
func (p *storyPrinter) quote(text string) {
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		fmt.Fprintf(p.w, "     %s %s\n", p.paint("90", "│"), line)
	}
}

func orNobody(logins []string) string {
	if len(logins) == 0 {
		return "nobody"
	}
	return strings.Join(logins, ", ")
}

func releaseState(v *githubtest.ReleaseView) string {
	switch {
	case v.Draft:
		return "back to draft, nobody can download it"
	case v.Immutable:
		return "published, immutable"
	default:
		return "published"
	}
}

// closing sums up. checked says that the traffic was held to GitHub's description.
func (p *storyPrinter) closing(steps []stepReport, checked bool, breaches []string, seconds float64) {
	good := 0
	for _, s := range steps {
		if s.Expected {
			good++
		}
	}
	fmt.Fprintf(p.w, "\n%d of %d steps as expected, in %.1f s.", good, len(steps), seconds)
	if checked {
		fmt.Fprintf(p.w, " Every request and answer was checked against GitHub's API description: %d breaches.", len(breaches))
	}
	fmt.Fprintln(p.w)
	for _, b := range breaches {
		fmt.Fprintf(p.w, "  %s\n", b)
	}
}

func (p *storyPrinter) serving(d *demo) {
	fmt.Fprintf(p.w, "\nStill serving until Ctrl-C:\n  http://%s/          Landwaiter\n  http://%s/metrics   its metrics\n  %s   the stand-in's API\n",
		d.listen.Addr(), d.listen.Addr(), d.github.APIURL())
}
