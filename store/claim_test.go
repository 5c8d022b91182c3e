package store_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/store"
	"github.com/landwaiter/landwaiter/store/storetest"
)

func TestClaimOrder(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		job := func(key string, priority int, installation int64, due time.Duration) store.Job {
			return store.Job{Step: "judge", Key: key, Priority: priority, InstallationID: installation, Due: f.clock.Now().Add(due)}
		}
		f.enqueue(t,
			job("backfill", 60, 1, -time.Hour),
			job("a3", 30, 1, -time.Minute), job("a1", 30, 1, -3*time.Minute), job("a2", 30, 1, -2*time.Minute),
			job("b1", 30, 2, -time.Second), job("c1", 30, 3, 0), job("gate", 10, 3, 0),
			job("late gate", 10, 3, time.Second))
		var order []string
		for range 7 {
			order = append(order, f.claim(t, 1)[0].Key)
		}
		want := []string{"gate", "a1", "b1", "c1", "a2", "a3", "backfill"}
		if diff := cmp.Diff(want, order); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
		f.clock.advance(time.Second)
		if got := f.claimOne(t).Key; got != "late gate" {
			t.Errorf("got %s, want the gate that became due", got)
		}
	})
}

func TestI12_FloodDoesNotDelayOthers(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		var flood []store.Job
		for i := range 2000 {
			flood = append(flood, judge(fmt.Sprintf("a:%04d", i)))
		}
		f.enqueue(t, flood...)
		for _, j := range f.claim(t, 8) {
			must(t, f.Finish(t.Context(), j))
		}
		for i := range 8 {
			other := judge(fmt.Sprintf("b:%d", i))
			other.InstallationID = 2
			f.enqueue(t, other)
		}
		got := names(f.claim(t, 16))
		mine := slices.DeleteFunc(slices.Clone(got), func(s string) bool { return !strings.HasPrefix(s, "judge b") })
		if len(mine) != 8 {
			t.Errorf("the quiet installation got %d of 16 places, want all its 8: %v", len(mine), got)
		}
	})
}

func TestClaimServesManyLanesInTurn(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		var jobs []store.Job
		for i := range 40 {
			j := judge(fmt.Sprintf("pr:%02d", i))
			j.InstallationID = int64(i % 10)
			jobs = append(jobs, j)
		}
		f.enqueue(t, jobs...)
		served := make(map[int64]int)
		for range 8 { // 5 at a time, so that a round ends in the middle
			for _, j := range f.claim(t, 5) {
				served[j.InstallationID]++
			}
			least, most := 40, 0
			for i := range int64(10) {
				least, most = min(least, served[i]), max(most, served[i])
			}
			if most-least > 1 {
				t.Fatalf("lanes were served unevenly: %v", served)
			}
		}
	})
}

func TestClaimPassesOverRunningKeys(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		for i := range 20 { // each key three times: only one may run
			key := fmt.Sprintf("pr:%02d", i)
			for _, step := range []string{"judge", "publish:check", "publish:issue"} {
				f.enqueue(t, store.Job{Step: step, Key: key, Generation: 1, InstallationID: 1})
			}
		}
		first := f.claim(t, 32)
		if len(first) != 20 {
			t.Fatalf("claimed %d jobs of 20 keys", len(first))
		}
		f.enqueue(t, judge("pr:99"))
		if got := f.claimOne(t); got.Key != "pr:99" {
			t.Errorf("got %s, want the job behind those that must wait", got.Key)
		}
		for _, j := range first {
			must(t, f.Finish(t.Context(), j))
		}
		if again := f.claim(t, 32); len(again) != 20 {
			t.Errorf("claimed %d jobs after the keys were free, want 20", len(again))
		}
	})
}

// TestClaimByManyWorkers lets workers of two processes drain a queue with shared keys: no key
// runs twice at once, each job is claimed once, nothing is left.
func TestClaimByManyWorkers(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		const keys, steps = 60, 3
		for i := range keys {
			for s := range steps {
				j := judge(fmt.Sprintf("pr:%d", i))
				j.Step, j.InstallationID = fmt.Sprintf("step%d", s), int64(i%5)
				f.enqueue(t, j)
			}
		}
		var mu sync.Mutex
		running, done := make(map[string]bool), make(map[string]int)
		var group sync.WaitGroup
		work := func(db *store.DB) {
			for {
				jobs, err := db.Claim(t.Context(), "worker", 7, time.Minute)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for _, j := range jobs {
					if running[j.Key] {
						t.Errorf("%s runs twice", j.Key)
					}
					running[j.Key] = true
				}
				all := len(done) == keys*steps
				mu.Unlock()
				if all {
					return
				}
				for _, j := range jobs {
					mu.Lock()
					delete(running, j.Key)
					done[j.Step+j.Key]++
					mu.Unlock()
					if err := db.Finish(t.Context(), j); err != nil {
						t.Error(err)
					}
				}
			}
		}
		dbs := []*store.DB{f.DB, f.open(t)}
		for i := range 8 {
			group.Go(func() { work(dbs[i%2]) })
		}
		group.Wait()
		for name, n := range done {
			if n != 1 {
				t.Errorf("%s was done %d times", name, n)
			}
		}
	})
}

func TestWake(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		f.enqueue(t, judge("pr:1"))
		<-f.Wake()
		running := f.claimOne(t)
		f.enqueue(t, judge("pr:1"))
		<-f.Wake()
		must(t, f.Finish(t.Context(), running)) // frees the key
		<-f.Wake()
		_, err := receive(t.Context(), f.DB, delivery(1))
		must(t, err)
		<-f.Wake()
	})
}

// TestWakeAcrossProcesses cuts the connection that listens: a wake-up then comes by polling.
func TestWakeAcrossProcesses(t *testing.T) {
	t.Parallel()
	f := newFixture(t, storetest.Postgres(t))
	other := f.open(t)
	for i := range 2 {
		f.enqueue(t, judge(fmt.Sprintf("pr:%d", i)))
		for claimed := 0; claimed == 0; {
			<-other.Wake() // it also wakes when it has begun to listen
			jobs, err := other.Claim(t.Context(), "other", 1, time.Minute)
			must(t, err)
			claimed = len(jobs)
		}
		f.behindTheBack(t, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE query LIKE 'LISTEN%' AND datname = current_database()`)
	}
}
