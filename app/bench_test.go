package app

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/app/githubtest"
)

// call is one call to the stand-in, as the product saw it.
type call struct{ start, end time.Time }

// recorder notes when each call began and ended, and tells when a check run was written to.
type recorder struct {
	mu      sync.Mutex
	calls   []call
	written chan struct{}
	next    http.RoundTripper
}

func newRecorder() *recorder {
	return &recorder{written: make(chan struct{}, 1), next: usualTransport()}
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	c := call{start: time.Now()}
	resp, err := r.next.RoundTrip(req)
	c.end = time.Now()
	r.mu.Lock()
	r.calls = append(r.calls, c)
	r.mu.Unlock()
	if strings.Contains(req.URL.Path, "/check-runs") {
		select {
		case r.written <- struct{}{}:
		default:
		}
	}
	return resp, err
}

// take returns the number of calls since the last take, and how many of them came one after
// the other: the longest row of calls of which none began before the one ahead had ended.
func (r *recorder) take() (calls, sequential int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	slices.SortFunc(r.calls, func(x, y call) int { return cmp.Compare(x.end.UnixNano(), y.end.UnixNano()) })
	var last time.Time
	for _, c := range r.calls {
		if !c.start.Before(last) {
			sequential++
			last = c.end
		}
	}
	calls = len(r.calls)
	r.calls = nil
	return calls, sequential
}

// BenchmarkPullRequest measures a whole pull request, from the signed webhook to the
// concluded check run, on a stand-in that takes 50 ms a call (PERFORMANCE.md section 7, goal
// 16: at most 6 round trips in sequence, 10 calls, 30 ms of our own). "first" is the first
// pull request of an installation, "next" one that finds token and base known.
func BenchmarkPullRequest(b *testing.B) {
	const latency = 50 * time.Millisecond
	for _, name := range []string{"first", "next"} {
		b.Run(name, func(b *testing.B) {
			var total time.Duration
			var calls, sequential, n int
			var w *world
			var r *githubtest.Repo
			var rec *recorder
			for b.Loop() {
				b.StopTimer()
				if w == nil || name == "first" {
					rec = newRecorder()
					w = newWorld(b, githubtest.Options{Contract: githubtest.Off, Latency: latency}, func(c *Config) { c.Transport, c.Now = rec, time.Now })
					r = w.github.Repo("acme", fmt.Sprintf("shop%d", n), githubtest.RepoOptions{Private: true})
					r.Commit("main", "first", githubtest.Files{policyPath: enforcing, "package-lock.json": lock("left-pad@1.3.0")})
					w.settle()
					w.running(b)
				}
				if name == "next" && n == 0 {
					w.timed(r, rec, "warm")
				}
				b.StartTimer()
				total += w.timed(r, rec, fmt.Sprintf("change-%d", n))
				b.StopTimer()
				c, s := rec.take()
				calls, sequential, n = calls+c, sequential+s, n+1
				b.StartTimer()
			}
			b.ReportMetric(float64(calls)/float64(n), "calls/op")
			b.ReportMetric(float64(sequential)/float64(n), "roundtrips/op")
			own := total - time.Duration(sequential)*latency
			b.ReportMetric(float64(own.Microseconds())/1000/float64(n), "own-ms/op")
		})
	}
}

// running starts the workers until the benchmark ends.
func (w *world) running(b *testing.B) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := w.app.workUntil(ctx); err != nil {
			b.Error(err)
		}
	}()
	b.Cleanup(func() { cancel(); <-done })
}

// timed opens a pull request and returns how long it took until its check was concluded.
func (w *world) timed(r *githubtest.Repo, rec *recorder, branch string) time.Duration {
	rec.take()
	p := r.OpenPull(githubtest.PullOptions{Head: branch, Files: githubtest.Files{"package-lock.json": lock("left-pad@1.3.0", "lodash@4.17.20", branch+"@1.0.0")}})
	start := time.Now()
	w.await(rec, r, 1, p.HeadSHA())
	took := time.Since(start)
	if run := w.run(r, p.HeadSHA()); run.Conclusion != "failure" {
		w.t.Fatalf("conclusion %q, want failure\n%s", run.Conclusion, w.log)
	}
	return took
}

// await waits until n check runs on sha, or on all commits when sha is empty, are concluded.
func (w *world) await(rec *recorder, r *githubtest.Repo, n int, sha string) {
	w.t.Helper()
	late := time.After(40 * time.Second)
	for {
		done := 0
		for _, run := range r.CheckRuns(sha) {
			if run.Status == "completed" {
				done++
			}
		}
		if done >= n {
			return
		}
		select {
		case <-rec.written:
		case <-late:
			w.t.Fatalf("%d of %d verdicts in time; buried: %s\n%s", done, n, w.buried(), w.log)
		}
	}
}
