package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/landwaiter/landwaiter/app/githubtest"
)

// stepLimit is how long one step may take before it counts as gone wrong.
const stepLimit = 60 * time.Second

// Names of the two checks; they are contracts with rulesets.
const (
	pullCheck    = "landwaiter/pr"
	releaseCheck = "landwaiter/release"
)

// step is one step of the story: what happens on GitHub, and what should be seen after it.
type step struct {
	name  string
	event string
	repo  *githubtest.Repo
	// act changes the stand-in, which sends the signed webhooks.
	act func(ctx context.Context) error
	// sha returns the commit whose check is looked at, and check its name.
	sha   func() string
	check string
	want  want
	// release is looked at for steps about releases.
	release func() *githubtest.Release
	// full prints the whole text of the check.
	full bool
}

// want is what should be seen.
type want struct {
	conclusion string
	title      string // part of the title
	text       string // part of the summary or text
	annotation string // part of an annotation; "" for none wanted
	runs       int    // check runs of that name on the commit; 0 means 1, or anyRuns
	issues     int    // open issues in the repository
	draft      bool
}

// anyRuns is for commits that carry the runs of several releases.
const anyRuns = -1

// seen is what a person sees on GitHub after a step.
type seen struct {
	run     githubtest.CheckRun
	runs    int
	issues  []githubtest.Issue
	release *githubtest.ReleaseView
}

// story plays all steps and reports whether each went as expected.
func (d *demo) story(ctx context.Context, p *storyPrinter) ([]stepReport, bool) {
	var reports []stepReport
	all := true
	for i, s := range d.steps() {
		p.begin(i+1, s)
		if err := s.act(ctx); err != nil {
			p.broken(err)
			reports = append(reports, stepReport{Name: s.name, Event: s.event, Repository: s.repo.FullName()})
			all = false
			continue
		}
		v, ok := s.await(ctx)
		if ctx.Err() != nil {
			return reports, false
		}
		p.show(s, v, ok)
		reports = append(reports, newStepReport(s, v, ok))
		all = all && ok
	}
	return reports, all
}

// await looks until what is wanted is seen, or until the limit.
func (s step) await(ctx context.Context) (seen, bool) {
	ctx, cancel := context.WithTimeout(ctx, stepLimit)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		v := s.look()
		if s.want.holds(v) {
			return v, true
		}
		select {
		case <-ctx.Done():
			return v, false
		case <-tick.C:
		}
	}
}

// look reads what a person would see now.
func (s step) look() seen {
	sha := s.sha()
	var v seen
	for _, run := range s.repo.CheckRuns(sha) {
		if run.Name == s.check {
			v.runs++
			v.run = run
		}
	}
	for _, i := range s.repo.Issues() {
		if i.State == "open" {
			v.issues = append(v.issues, i)
		}
	}
	if s.release != nil {
		if rel := s.release(); rel != nil {
			view := rel.View()
			v.release = &view
		}
	}
	return v
}

// holds reports whether v is what is wanted.
func (w want) holds(v seen) bool {
	runs := w.runs
	if runs == 0 {
		runs = 1
	}
	if (v.runs != runs && runs != anyRuns) || v.run.Status != "completed" || v.run.Conclusion != w.conclusion {
		return false
	}
	if !strings.Contains(v.run.Output.Title, w.title) || !strings.Contains(v.run.Output.Summary+v.run.Output.Text, w.text) {
		return false
	}
	if w.annotation != "" && !annotated(v.run, w.annotation) {
		return false
	}
	if w.annotation == "" && w.conclusion == "success" && len(v.run.Annotations) > 0 {
		return false
	}
	if v.release != nil && v.release.Draft != w.draft {
		return false
	}
	return len(v.issues) == w.issues
}

func annotated(run githubtest.CheckRun, text string) bool {
	for _, a := range run.Annotations {
		if strings.Contains(a.Title+" "+a.Message+" "+a.RawDetails, text) {
			return true
		}
	}
	return false
}

// answered waits until GitHub has an answer to every webhook it sent.
func (d *demo) answered(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stepLimit)
	defer cancel()
	return d.github.Settle(ctx)
}

// redeliver sends a delivery of event again, with the same GUID, and waits until it would
// have had an effect.
func (d *demo) redeliver(ctx context.Context, repo *githubtest.Repo, event string) error {
	list := d.github.Deliveries()
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].Event == event && list[i].RepositoryID == repo.ID() {
			again, err := d.github.Redeliver(ctx, list[i].GUID)
			if err != nil {
				return err
			}
			if again.StatusCode != http.StatusAccepted {
				return fmt.Errorf("the redelivery was answered %d, not 202", again.StatusCode)
			}
			return d.quiet(ctx)
		}
	}
	return errors.New("no delivery to send again")
}

// quiet waits until no job is waiting or running that is due.
func (d *demo) quiet(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stepLimit)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		stats, err := d.service.store.Stats(ctx)
		if err != nil {
			return err
		}
		busy := int64(0)
		for _, q := range stats.Queue {
			busy += q.Ready + q.Running
		}
		if busy == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.New("jobs are still running")
		case <-tick.C:
		}
	}
}
