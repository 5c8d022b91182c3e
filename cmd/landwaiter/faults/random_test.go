package faults

import (
	"math/rand/v2"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/app/invarianttest"
	"github.com/landwaiter/landwaiter/store/storetest"
)

// The variables that replay and lengthen the random mode; CONTRIBUTING.md says how.
const (
	seedVariable   = "LANDWAITER_FAULT_SEED"
	roundsVariable = "LANDWAITER_FAULT_ROUNDS"
)

// TestRandomFaults kills and freezes replicas at random moments while things happen: 100 rounds in
// all, on SQLite, on PostgreSQL, and on PostgreSQL with two replicas. After each round the backlog
// must be empty and every invariant hold. What a seed chooses is always the same; how far the
// service has come by then is not.
func TestRandomFaults(t *testing.T) {
	t.Parallel()
	seed := storetest.Number(t, seedVariable, rand.Uint64())
	t.Logf("%s=%d", seedVariable, seed)
	for i, row := range []struct {
		name     string
		engine   string
		replicas int
		rounds   uint64 // of 100
	}{
		{"sqlite", "sqlite", 1, 34},
		{"postgres", "postgres", 1, 33},
		{"postgres, two replicas", "postgres", 2, 33},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, row.engine, row.replicas)
			chance := rand.New(rand.NewPCG(seed, uint64(i)))
			rounds := storetest.Number(t, roundsVariable, 100) * row.rounds / 100
			faults := map[string]int{}
			for n := range rounds {
				faults[w.round(chance)]++
				if t.Failed() {
					t.Fatalf("in round %d of %d; %s=%d", n+1, rounds, seedVariable, seed)
				}
			}
			t.Logf("%d rounds: %v, %d processes, %d checks wanted", rounds, faults, w.starts, len(w.want))
		})
	}
}

// round lets something happen, disturbs a replica meanwhile, and waits until all is as it should be.
func (w *world) round(chance *rand.Rand) (fault string) {
	w.t.Helper()
	mild := []func(w *world){
		violation, violation, func(w *world) { w.openPull("success") }, tooMany, pushed, rerun, refused,
		failing, passing,
		func(w *world) { failing(w); w.deploy("rejected") }, func(w *world) { passing(w); w.deploy("approved") },
	}
	for range 1 + chance.IntN(2) {
		mild[chance.IntN(len(mild))](w)
	}
	victim := w.replicas[chance.IntN(len(w.replicas))]
	w.pass(time.Duration(5+chance.IntN(496)) * time.Millisecond)
	if chance.IntN(3) == 0 {
		fault = "frozen"
		victim.signal(syscall.SIGSTOP)
		// Up to twice the lease: its jobs are taken over, and then it wakes and believes that it
		// still has them.
		w.pass(time.Duration(5+chance.IntN(1200)) * time.Millisecond)
		victim.signal(syscall.SIGCONT)
	} else {
		fault = "killed"
		victim.kill()
		w.restart()
	}
	w.fault = "at random: " + fault
	w.rest()
	return fault
}

// pass lets time pass.
func (w *world) pass(d time.Duration) { <-time.After(d) }

// arrived returns how many pull requests the service has accepted a webhook with action of.
func (w *world) arrived(action string) int {
	accepted := map[string]bool{}
	for _, d := range w.github.Deliveries() {
		if d.Event == "pull_request" && d.Action == action && d.StatusCode == http.StatusAccepted {
			accepted[d.GUID] = true
		}
	}
	return len(accepted)
}

// TestI12FloodAfterOutage: when the service comes back, one installation has sent many webhooks
// and another a few, which do not wait behind them. GitHub is slow until all of them have arrived:
// they come one by one, and which comes first is no matter of fairness.
func TestI12FloodAfterOutage(t *testing.T) {
	t.Parallel()
	const flood = 24
	onBoth(t, func(t *testing.T, engine string) {
		w := newWorld(t, engine, 1)
		w.replicas[0].kill()
		w.github.Fail(githubtest.Fault{Route: "GET /repos/{owner}/{repo}/pulls/{pull_number}", Kind: githubtest.Delay, Delay: 20 * time.Second, Times: -1})
		for n := range flood {
			w.serial = 2 * n // the next one is of the second repository
			if n%8 != 4 {
				w.serial++
			}
			w.openPull("failure", "bad-0@1.0.0")
		}
		w.restart()
		// The sweep may have queued some before, behind everything that a webhook asks for.
		w.until("all of their webhooks have arrived", func() bool { return w.arrived("opened") == flood })
		w.github.Heal()
		w.rest()
		db := w.open()
		defer db.Close()
		checked := w.checked(db)
		checked.Floods = []invarianttest.Flood{{ManyInstallation: w.shops[0].InstallationID(), FewInstallation: w.shops[1].InstallationID(), Slack: 8}}
		breaches, err := invarianttest.Check(t.Context(), checked)
		if err != nil || len(breaches) > 0 {
			t.Errorf("%v\n%s", err, invarianttest.List(breaches))
		}
	})
}
