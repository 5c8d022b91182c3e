package app

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/store"
)

// tick starts the clock and runs it until nothing more is due within a minute.
func (w *world) tick() {
	w.t.Helper()
	if err := w.app.startClock(context.Background()); err != nil {
		w.t.Fatal(err)
	}
	w.settle()
}

// TestCatchUp loses deliveries while nobody listens: they are asked for once, and the pull
// request gets its verdict.
func TestCatchUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, nil)
	r := w.shop()
	w.github.SetWebhookURL("")
	p := r.OpenPull(githubtest.PullOptions{Head: "change", Files: githubtest.Files{"package-lock.json": lock("lodash@4.17.20")}})
	if err := w.github.Settle(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.github.SetWebhookURL(w.hooks.URL)
	w.clock.Add(time.Minute)
	w.tick()
	w.concluded(r, p.HeadSHA(), "failure", "1 violation")
	asked := func() int {
		n := 0
		for _, d := range w.github.Deliveries() {
			if d.Redelivery {
				n++
			}
		}
		return n
	}
	once := asked()
	if once == 0 {
		t.Error("no delivery was asked for again")
	}
	for range 3 {
		w.clock.Add(catchUpEvery)
		w.settle()
	}
	if n := asked(); n != once {
		t.Errorf("%d redeliveries after more rounds, %d after the first: each is asked for once", n, once)
	}
}

// TestSweep loses deliveries for good: the sweep finds the pull request, once.
func TestSweep(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, nil)
	r := w.shop()
	w.github.SetAutoDeliver(false)
	p := r.OpenPull(githubtest.PullOptions{Head: "change", Fork: "eve", Files: githubtest.Files{"package-lock.json": lock("lodash@4.17.20")}})
	w.tick()
	w.concluded(r, p.HeadSHA(), "failure", "1 violation")
	w.clock.Add(sweepEvery)
	w.settle()
	if runs, reports := len(r.CheckRuns("")), len(w.reports()); runs != 1 || reports != 1 {
		t.Errorf("%d runs and %d reports after another sweep, want one each", runs, reports)
	}
}

// TestBackfill installs the App where pull requests are open already.
func TestBackfill(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, nil)
	r := w.github.Repo("late", "shop", githubtest.RepoOptions{})
	r.Commit("main", "first", githubtest.Files{policyPath: enforcing, "package-lock.json": lock()})
	p := r.OpenPull(githubtest.PullOptions{Head: "change", Files: githubtest.Files{"package-lock.json": lock("lodash@4.17.20")}})
	w.settle()
	w.github.Install("late")
	w.settle()
	w.concluded(r, p.HeadSHA(), "failure", "1 violation")
}

// TestOutage lets GitHub be dead for an hour: what was buried meanwhile is tried again by
// the sweep, without help.
func TestOutage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{Contract: githubtest.Off}, nil)
	r := w.shop()
	w.tick()
	w.github.Fail(githubtest.Fault{Status: 503, Times: -1})
	p := r.OpenPull(githubtest.PullOptions{Head: "change", Files: githubtest.Files{"package-lock.json": lock("lodash@4.17.20")}})
	end := w.clock.Now().Add(time.Hour)
	for w.clock.Now().Before(end) {
		w.settle()
		w.clock.Add(time.Minute)
	}
	w.github.Heal()
	healed := w.clock.Now().Add(25 * time.Minute)
	for w.clock.Now().Before(healed) {
		w.settle()
		w.clock.Add(time.Minute)
	}
	w.concluded(r, p.HeadSHA(), "failure", "1 violation")
	if got := w.buried(); len(got) > 0 {
		t.Errorf("still buried: %q", got)
	}
}

// TestClockOutlivesFaults keeps the clock going when GitHub refuses the App itself.
func TestClockOutlivesFaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{Contract: githubtest.Off}, nil)
	w.github.Fail(githubtest.Fault{Status: 401, Body: `{"message":"A JSON web token could not be decoded"}`, Times: -1})
	w.tick()
	for range 200 {
		w.clock.Add(time.Minute)
		w.settle()
	}
	if _, err := w.db.NextDue(context.Background()); errors.Is(err, store.ErrNotFound) {
		t.Error("nothing is due any more: the clock stopped")
	}
	if got := w.buried(); len(got) > 0 {
		t.Errorf("buried: %q", got)
	}
}

// TestG30Uninstalled removes the App while work is waiting: the work is dropped.
func TestG30Uninstalled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, nil)
	i := w.github.Install("leaving")
	r := w.github.Repo("leaving", "shop", githubtest.RepoOptions{})
	r.Commit("main", "first", githubtest.Files{policyPath: enforcing, "package-lock.json": lock()})
	w.settle()
	for n := range 5 {
		r.OpenPull(githubtest.PullOptions{Head: "change" + string(rune('0'+n)), Files: githubtest.Files{"package-lock.json": lock("lodash@4.17.20")}})
	}
	i.Uninstall()
	if err := w.github.Settle(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.github.ForgetCalls()
	w.rest()
	if n := len(w.github.Calls()); n > 10 {
		t.Errorf("%d calls for an installation that is gone", n)
	}
	if _, err := w.db.NextDue(context.Background()); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("work is still waiting: %v", err)
	}
}
