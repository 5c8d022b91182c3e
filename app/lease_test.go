package app

import (
	"context"
	"testing"
	"time"
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
			w, r, p, j := claimedAt(t, "publish:check")
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
