package app

import (
	"context"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/app/githubtest"
)

// TestI14_NothingIsWrittenAfterTheLease: a worker that was frozen between its claim and its first
// call to GitHub, longer than its lease, writes nothing when it wakes. Whoever has the job now does.
func TestI14_NothingIsWrittenAfterTheLease(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		left time.Duration // of the lease
		runs int
	}{
		"in time":  {time.Minute, 1},
		"too late": {-time.Millisecond, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, githubtest.Options{}, nil)
			r := w.shop()
			p := r.OpenPull(githubtest.PullOptions{Head: "change", Files: githubtest.Files{"package-lock.json": lock("lodash@4.17.20")}})
			if err := w.github.Settle(context.Background()); err != nil {
				t.Fatal(err)
			}
			j := w.claimUntil("publish:check")
			w.app.work(withLease(context.Background(), time.Now().Add(row.left)), j)
			if runs := len(r.CheckRuns("")); runs != row.runs {
				t.Errorf("%d check runs, want %d", runs, row.runs)
			}
			w.clock.Add(w.app.limits.lease + time.Second)
			w.settle()
			w.concluded(r, p.HeadSHA(), "failure", "1 violation")
			if runs := len(r.CheckRuns("")); runs != 1 {
				t.Errorf("%d check runs in the end, want 1", runs)
			}
		})
	}
}
