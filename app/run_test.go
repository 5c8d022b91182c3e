package app

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/app/githubtest"
)

// live starts the product as it runs in production: workers, heartbeats, real clock. stop
// ends it and waits.
func (w *world) live() (stop func()) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.app.Run(ctx) }()
	return func() {
		w.t.Helper()
		cancel()
		select {
		case err := <-done:
			if err != nil {
				w.t.Errorf("Run: %v", err)
			}
		case <-time.After(20 * time.Second):
			w.t.Fatal("Run does not end")
		}
	}
}

// TestRun works on many pull requests at once with workers, heartbeats and the clock.
func TestRun(t *testing.T) {
	t.Parallel()
	const pulls = 12
	rec := newRecorder()
	w := newWorld(t, githubtest.Options{}, func(c *Config) { c.Transport, c.Now = rec, time.Now })
	w.app.limits.beat = 5 * time.Millisecond
	r := w.shop()
	defer w.live()()
	var opened []*githubtest.Pull
	for i := range pulls {
		packages := []string{fmt.Sprintf("pkg-%d@1.0.0", i)}
		if i%2 == 1 {
			packages = append(packages, "lodash@4.17.20")
		}
		opened = append(opened, r.OpenPull(githubtest.PullOptions{Head: fmt.Sprintf("change-%d", i), Files: githubtest.Files{"package-lock.json": lock(packages...)}}))
	}
	w.await(rec, r, pulls, "")
	for i, p := range opened {
		want := []string{"success", "failure"}[i%2]
		if run := w.run(r, p.HeadSHA()); run.Conclusion != want {
			t.Errorf("pull request %d: %q %q, want %q", p.Number, run.Conclusion, run.Output.Title, want)
		}
	}
	if n := len(r.CheckRuns("")); n != pulls {
		t.Errorf("%d check runs, want %d", n, pulls)
	}
}

// TestStopped ends the process in the middle of a judgment: the job is given back at once
// and counts as not tried.
func TestStopped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, func(c *Config) { c.Now = time.Now })
	reached := make(chan struct{})
	w.scanner.fail = func(ctx context.Context) error {
		close(reached)
		<-ctx.Done()
		return ctx.Err()
	}
	r := w.shop()
	stop := w.live()
	p := r.OpenPull(githubtest.PullOptions{Head: "change", Files: githubtest.Files{"package-lock.json": lock("lodash@4.17.20")}})
	<-reached
	stop()
	w.scanner.fail = nil
	if n := len(w.reports()); n != 0 {
		t.Errorf("%d reports of a judgment that was stopped", n)
	}
	w.settle()
	w.concluded(r, p.HeadSHA(), "failure", "1 violation")
}

// TestMetrics scrapes after one pull request: the names of GITHUB.md section 11 are there.
func TestMetrics(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, nil)
	r := w.shop()
	p := w.pull(r, "change", githubtest.Files{"package-lock.json": lock("lodash@4.17.20")})
	w.concluded(r, p.HeadSHA(), "failure", "1 violation")
	if status, _ := w.send(request{method: http.MethodPost, event: "made-up-by-a-stranger"}); status == http.StatusAccepted {
		t.Fatal("an unsigned request was accepted")
	}
	families, err := w.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	series := map[string]int{}
	for _, f := range families {
		series[f.GetName()] = len(f.GetMetric())
	}
	for name, least := range map[string]int{
		"landwaiter_webhook_deliveries_total": 2, "landwaiter_webhook_lag_seconds": 1, "landwaiter_queue_depth": 1,
		"landwaiter_job_duration_seconds": 3, "landwaiter_check_latency_seconds": 2, "landwaiter_checks_total": 1,
		"landwaiter_github_requests_total": 6, "landwaiter_github_rate_remaining": 1, "landwaiter_github_throttled_total": 1,
		"landwaiter_redeliveries_total": 1, "landwaiter_ledger_entries_total": 1, "landwaiter_build_info": 1,
	} {
		if series[name] < least {
			t.Errorf("%s: %d series, want at least %d", name, series[name], least)
		}
	}
	for _, f := range families {
		if text := f.String(); strings.Contains(text, "stranger") || strings.Contains(text, "shop") {
			t.Errorf("%s has a label out of a request: %s", f.GetName(), text)
		}
	}
}
