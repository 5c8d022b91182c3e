package app

import (
	"context"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/landwaiter/landwaiter/app/githubtest"
)

// TestHourWithoutGitHub lets GitHub answer nothing for an hour while pull requests are opened and a
// release is published, half of them without a webhook. Ten minutes after GitHub is back all is
// concluded, by itself.
func TestHourWithoutGitHub(t *testing.T) {
	t.Parallel()
	p := newPlayer(t)
	if err := p.app.startClock(context.Background()); err != nil {
		t.Fatal(err)
	}
	p.settle()
	repos := []*githubtest.Repo{p.fresh(), p.fresh(), p.fresh(), p.fresh()}
	p.github.Fail(githubtest.Fault{Kind: githubtest.Nothing, Times: -1})
	for minute := range 60 {
		p.github.SetWebhookURL(p.hooks.URL)
		if minute%2 == 1 {
			p.github.SetWebhookURL("")
		}
		switch {
		case minute%15 < len(repos) && minute < 30:
			p.badBranch(repos[minute%15], fmt.Sprintf("change-%d", minute))
		case minute == 40:
			p.failed(repos[0])
		}
		p.settle()
		p.clock.Add(time.Minute)
	}
	p.github.SetWebhookURL(p.hooks.URL)
	p.github.Heal()
	p.github.ExpireTokens()
	for range 10 {
		p.settle()
		p.clock.Add(time.Minute)
	}
	p.calm()
	p.holds(nil)
}

// badBranch opens a pull request with a violation from a branch.
func (p *player) badBranch(r *githubtest.Repo, branch string) {
	pull := r.OpenPull(githubtest.PullOptions{Head: branch, Files: githubtest.Files{"package-lock.json": lock("bad-0@1.0.0", branch+"@1.0.0")}})
	p.expect("landwaiter/pr", pull.HeadSHA(), "failure")
}

// TestClockJumps moves the clock ten minutes ahead and back while a worker that died holds a job,
// and back over a restart: nothing is lost, nothing is done twice, and a lease ends.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	for _, jump := range []time.Duration{10 * time.Minute, -10 * time.Minute} {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v, restart %v", jump, restart), func(t *testing.T) {
				t.Parallel()
				p := newPlayer(t)
				r := p.fresh()
				for n, step := range []string{"route", "judge", "publish:check"} {
					p.badBranch(r, fmt.Sprintf("change-%d", n))
					if err := p.github.Settle(context.Background()); err != nil {
						t.Fatal(err)
					}
					p.claimUntil(step) // and the worker is gone
					p.clock.Add(jump)
					if restart {
						if err := p.db.Close(); err != nil {
							t.Fatal(err)
						}
						p.reopen()
					}
					p.settle()
					p.clock.Add(-jump)
					p.rounds(25 * time.Minute)
					p.holds(nil)
				}
			})
		}
	}
}

// reopen starts the product again, as another process.
func (p *player) reopen() {
	p.t.Helper()
	p.config.Metrics = prometheus.NewRegistry()
	p.open()
	p.hooks = httptest.NewServer(p.app.Hooks())
	p.t.Cleanup(p.hooks.Close)
	p.github.SetWebhookURL(p.hooks.URL)
}
