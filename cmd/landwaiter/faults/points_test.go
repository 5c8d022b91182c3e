package faults

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/store/crash"
)

// TestUndisturbed is the baseline: without a fault everything comes and every invariant holds.
func TestUndisturbed(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, engine string) {
		w := newWorld(t, engine, 1)
		for _, a := range acts() {
			w.play(a)
			w.rest()
		}
	})
}

func onBoth(t *testing.T, test func(t *testing.T, engine string)) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			test(t, engine)
		})
	}
}

// reached are the points of the running service, each with what leads through it. Migration and
// AdvisorySwap have tests of their own.
var reached = map[crash.Point]struct {
	do       func(w *world)
	starting bool // it is reached when the service starts
	ending   bool // it is reached when the service is told to stop
}{
	crash.BodyRead:         {do: violation},
	crash.DeliveryCommit:   {do: violation},
	crash.Answer:           {do: violation},
	crash.Claim:            {do: violation},
	crash.LeaseRenewal:     {do: slow},
	crash.ChildStart:       {do: violation, starting: true},
	crash.ChildEnd:         {do: violation},
	crash.RecordCommit:     {do: violation},
	crash.LedgerLeaf:       {do: violation},
	crash.CheckpointSigned: {do: violation},
	crash.CheckpointFile:   {do: violation},
	crash.JobEnd:           {do: violation},
	crash.JobRetry:         {do: stumbling},
	crash.JobBurial:        {do: hopeless},
	crash.Publication:      {do: tooMany},
	crash.SummaryCommit:    {do: passing},
	crash.Shutdown:         {do: slow, ending: true},
}

func violation(w *world) { w.openPull("failure", "bad-0@1.0.0") }

// TestCrashPoints kills the service before and after each effect: what was accepted is done once,
// by the next process.
func TestCrashPoints(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, engine string) {
		w := newWorld(t, engine, 1)
		for _, p := range crash.Points() {
			row, ok := reached[p]
			if !ok {
				continue
			}
			for _, when := range []string{"before ", "after "} {
				t.Run(when+string(p), func(t *testing.T) {
					defer w.within(t)()
					w.arm(1, when+string(p))
					if row.starting {
						w.bounce()
					}
					row.do(w)
					if row.ending {
						w.stopped()
					}
					w.dies()
					w.restart()
					w.rest()
					w.github.Heal()
				})
			}
		}
	})
}

// TestCrashCalls kills the service before and after each call to GitHub that it makes: those of
// reading, and those of writing, such as a check run that was created and whose answer is lost.
func TestCrashCalls(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sqlite", 1)
	first := firstCalls(w)
	for _, route := range slices.Sorted(maps.Keys(first)) {
		for _, when := range []string{"before ", "after "} {
			t.Run(when+route, func(t *testing.T) {
				defer w.within(t)()
				w.crashCall(1, when+string(crash.CallName(route)), first[route])
			})
		}
	}
	// The second page of annotations, whose loss would show twice or not at all.
	for _, when := range []string{"before ", "after "} {
		t.Run(when+"the second page of annotations", func(t *testing.T) {
			defer w.within(t)()
			w.crashCall(2, when+string(crash.CallName("PATCH /repos/{}/{}/check-runs/{}")), act{name: "many", do: tooMany})
		})
	}
	tellRoutes(t, first)
}

// firstCalls lets everything happen undisturbed, and returns the routes that are called, each with
// what leads to it.
func firstCalls(w *world) map[string]act {
	w.t.Helper()
	first := map[string]act{}
	for i, a := range append([]act{{name: "the start of the service", do: func(*world) {}}}, acts()...) {
		w.prepare(a)
		w.bounce() // metrics begin anew
		a.do(w)
		if i == 0 {
			w.until("a sweep has begun", func() bool { return w.calls()["GET /installation/repositories"] })
		}
		w.rest()
		w.github.Heal()
		for route := range w.calls() {
			if _, known := first[route]; !known {
				first[route] = a
			}
		}
	}
	return first
}

// crashCall lets a happen with a call armed. What the service knows already it does not ask
// again: then a new process may, or another act leads to the call.
func (w *world) crashCall(times int, point string, a act) {
	w.t.Helper()
	w.prepare(a)
	w.arm(times, point)
	a.do(w)
	w.rest()
	for _, other := range append([]act{a}, acts()...) {
		if !w.isArmed() {
			break
		}
		w.prepare(other)
		w.bounce()
		other.do(w)
		w.rest()
	}
	w.dies()
	w.restart()
	w.rest()
	w.github.Heal()
}

// TestCrashMigration kills the service before and after it makes the schema of a new database.
func TestCrashMigration(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"sqlite", "postgres"} {
		for _, when := range []string{"before ", "after "} {
			t.Run(engine+" "+when+string(crash.Migration), func(t *testing.T) {
				t.Parallel()
				w := bareWorld(t, engine, 1)
				w.arm(1, when+string(crash.Migration))
				w.restart()
				w.dies()
				w.begin()
				violation(w)
				w.rest()
			})
		}
	}
}

// TestCrashAdvisorySwap kills what compiles the advisories before and after the new file takes
// the place of the old one: the old ones count, or the new ones, and the next attempt goes well.
func TestCrashAdvisorySwap(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sqlite", 1)
	version := 2
	for _, when := range []string{"before ", "after "} {
		t.Run(when+string(crash.AdvisorySwap), func(t *testing.T) {
			defer w.within(t)()
			w.openPull("success", fmt.Sprintf("bad-7@%d.0.0", version))
			w.rest()
			w.arm(1, when+string(crash.AdvisorySwap))
			command := w.advisories(version + 1)
			if out, err := command.CombinedOutput(); err == nil || command.ProcessState.Exited() {
				t.Fatalf("the import was not killed: %v\n%s", err, out)
			}
			w.bounce() // it opens what lies there
			w.fault = "killed " + when + string(crash.AdvisorySwap)
			w.openPull("failure", "bad-7@1.0.0")
			w.rest()
			version++
			w.importAdvisories(version)
			w.bounce()
			w.openPull("failure", fmt.Sprintf("bad-7@%d.0.0", version-1))
			w.rest()
		})
	}
}

// TestEveryPointIsPlayed fails when a point has no test.
func TestEveryPointIsPlayed(t *testing.T) {
	t.Parallel()
	own := []crash.Point{crash.Migration, crash.AdvisorySwap}
	for _, p := range crash.Points() {
		if _, ok := reached[p]; ok == slices.Contains(own, p) {
			t.Errorf("point %q is played %v by the table and must be by exactly one test", p, ok)
		}
	}
}

// quota is that of a small installation (docs/lifecycle.md, "The quota").
const quota = 5000

// arm makes the service kill itself when it reaches point for the nth time from now on. The hour of
// GitHub's limit begins anew: here clocks run a hundred times faster and GitHub's does not, so the
// sweeps of a slow machine would use it up, and issues wait then.
func (w *world) arm(n int, point string) {
	w.t.Helper()
	w.github.SetRate(githubtest.Rate{Limit: quota, Remaining: quota, Reset: time.Now().Add(time.Hour)})
	w.fault = "killed " + point
	if n > 1 {
		w.fault += fmt.Sprintf(", time %d", n)
	}
	beside := w.armed + ".new"
	if err := os.WriteFile(beside, fmt.Appendf(nil, "%d %s\n", n, point), 0o600); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Rename(beside, w.armed); err != nil {
		w.t.Fatal(err)
	}
}

// dies waits until the service has killed itself at the armed point.
func (w *world) dies() {
	w.t.Helper()
	w.until("the armed point is reached", func() bool { return !w.isArmed() })
	r := w.replicas[0]
	if !r.alive() {
		return // rest looks how it ended
	}
	select {
	case <-r.ended: // it has disarmed the point and is about to end
	case <-time.After(300 * time.Millisecond): // it was started again meanwhile
	}
}

func (w *world) isArmed() bool {
	_, err := os.Stat(w.armed)
	return err == nil
}

// bounce stops every replica in good order, and starts it again.
func (w *world) bounce() {
	w.t.Helper()
	for _, r := range w.replicas {
		r.stop()
	}
	w.restart()
}

// stopped asks every replica to end, once the slow call is under way.
func (w *world) stopped() {
	w.t.Helper()
	const route = "GET /repos/{owner}/{repo}/compare/{basehead}"
	before := len(w.github.CallsTo("POST /repos/{owner}/{repo}/check-runs"))
	w.until(route+" is under way", func() bool { return len(w.github.CallsTo("POST /repos/{owner}/{repo}/check-runs")) > before })
	for _, r := range w.replicas {
		go r.stop()
	}
}

// until waits for something that must come.
func (w *world) until(what string, ok func() bool) {
	w.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-late:
			before := w.log.tail(60)
			for _, r := range w.replicas {
				r.signal(syscall.SIGQUIT) // it says where each of its goroutines is
			}
			w.pass(2 * time.Second)
			w.t.Fatalf("after %v: not so: %s; the last lines of the log by then:\n%s\nwhere it was:\n%s", patience, what, before, w.log.tail(600))
		}
	}
}

// within lets the world report to a part of its test, until the returned function is called.
func (w *world) within(t *testing.T) func() {
	outer := w.t
	w.t = t
	return func() { w.t = outer }
}
