package store_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/store"
)

func judge(key string) store.Job {
	return store.Job{Step: "judge", Key: key, Priority: 30, InstallationID: 1}
}

func TestEnqueueCoalesces(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		start := f.clock.Now()
		first := judge("pr:1")
		first.Due, first.Priority, first.Args, first.Cause = start.Add(time.Hour), 60, json.RawMessage(`{"n":1}`), "backfill"
		f.enqueue(t, first)
		second := judge("pr:1")
		second.Args, second.Cause = json.RawMessage(`{"n":2}`), "pull_request.synchronize"
		f.clock.advance(time.Second)
		f.enqueue(t, second)
		got := f.claimOne(t)
		want := store.Job{Step: "judge", Key: "pr:1", Generation: 2, Cause: "pull_request.synchronize", Priority: 30, InstallationID: 1,
			Due: start.Add(time.Second), Attempts: 1, Args: json.RawMessage(`{"n":2}`), Created: start, LeaseUntil: start.Add(time.Second + time.Minute)}
		got.ID, got.Token = 0, ""
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("merged job (-want +got):\n%s", diff)
		}
	})
}

func TestEnqueueOlderGenerationKeepsNewerArgs(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		newer, older := judge("pr:1"), judge("pr:1")
		newer.Step, newer.Generation, newer.Args = "publish:check", 7, json.RawMessage(`7`)
		older.Step, older.Generation, older.Args = "publish:check", 6, json.RawMessage(`6`)
		f.enqueue(t, newer)
		f.enqueue(t, older)
		got := f.claimOne(t)
		if got.Generation != 7 || string(got.Args) != "7" {
			t.Errorf("generation %d with %s, want 7 with 7", got.Generation, got.Args)
		}
		_, err := f.Newest(t.Context(), "pr:1")
		wantError(t, err, store.ErrNotFound) // given generations do not raise
	})
}

func TestI04_GenerationsOutliveJobs(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		for want := int64(1); want <= 3; want++ {
			show := store.Job{Step: "publish:check", Key: "pr:1", Generation: store.Follow, InstallationID: 1}
			f.enqueue(t, judge("pr:1"), judge("pr:0"), show)
			newest, err := f.Newest(t.Context(), "pr:1")
			must(t, err)
			if newest != want {
				t.Errorf("newest generation %d, want %d", newest, want)
			}
			jobs := f.claim(t, 2)
			jobs = append(jobs, f.claim(t, 2)...)
			for _, j := range jobs {
				if j.Generation != want {
					t.Errorf("%s has generation %d, want %d", j.Step, j.Generation, want)
				}
				must(t, f.Finish(t.Context(), j))
			}
			must(t, f.Finish(t.Context(), f.claimOne(t)))
		}
		_, err := f.Newest(t.Context(), "pr:2")
		wantError(t, err, store.ErrNotFound)
	})
}

func TestOneKeyRunsOnce(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		other := f.open(t)
		show := judge("pr:1")
		show.Step = "publish:check"
		f.enqueue(t, judge("pr:1"), show, judge("pr:2"))
		jobs := f.claim(t, 10)
		if diff := cmp.Diff([]string{"judge pr:1", "judge pr:2"}, names(jobs)); diff != "" {
			t.Fatalf("first claim (-want +got):\n%s", diff)
		}
		f.enqueue(t, judge("pr:1")) // waits beside the running one
		if more, err := other.Claim(t.Context(), "other", 10, time.Minute); err != nil || len(more) != 0 {
			t.Fatalf("a second worker got %v, %v while the keys run", names(more), err)
		}
		must(t, f.Finish(t.Context(), jobs[0]))
		next := f.claimOne(t)
		must(t, f.Finish(t.Context(), next))
		last := f.claimOne(t)
		if diff := cmp.Diff([]string{"publish:check pr:1", "judge pr:1"}, names([]store.Job{next, last})); diff != "" {
			t.Errorf("order after the key is free (-want +got):\n%s", diff)
		}
		if last.Generation != 3 {
			t.Errorf("generation %d, want 3: two raises by the first call, one by the second", last.Generation)
		}
	})
}

func TestI14_LostLeaseChangesNothing(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		end  func(f *fixture, t *testing.T, j store.Job) error
	}{
		{"finish", func(f *fixture, t *testing.T, j store.Job) error { return f.Finish(t.Context(), j, judge("pr:9")) }},
		{"retry", func(f *fixture, t *testing.T, j store.Job) error { return f.Retry(t.Context(), j, f.clock.Now(), "x") }},
		{"bury", func(f *fixture, t *testing.T, j store.Job) error { return f.Bury(t.Context(), j, "x") }},
		{"renew", func(f *fixture, t *testing.T, j store.Job) error { return f.Renew(t.Context(), j, time.Hour) }},
		{"record", func(f *fixture, t *testing.T, j store.Job) error {
			r := record("pr:1", 1)
			r.Job, r.Publish = j, []store.Job{{Step: "publish:check"}}
			_, err := f.Record(t.Context(), r)
			return err
		}},
	}
	onBoth(t, func(t *testing.T, f *fixture) {
		for _, tt := range tests {
			f.enqueue(t, judge("pr:1"))
			frozen := f.claimOne(t)
			f.clock.advance(61 * time.Second)
			taken := f.claimOne(t)
			if taken.ID != frozen.ID || taken.Attempts != 2 || !strings.Contains(taken.LastError, "lease") {
				t.Fatalf("%s: taken over as %+v", tt.name, taken)
			}
			before, err := f.Stats(t.Context())
			must(t, err)
			wantError(t, tt.end(f, t, frozen), store.ErrLeaseLost)
			after, err := f.Stats(t.Context())
			must(t, err)
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("%s with a lost lease changed (-before +after):\n%s", tt.name, diff)
			}
			must(t, f.Renew(t.Context(), taken, time.Minute))
			must(t, f.Finish(t.Context(), taken))
			wantError(t, tt.end(f, t, taken), store.ErrLeaseLost)
		}
	})
}

func TestG25_FrozenWorkerGivesWayToNewerWork(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		f.enqueue(t, judge("pr:1"))
		frozen := f.claimOne(t)
		f.enqueue(t, judge("pr:1"))
		f.clock.advance(90 * time.Second)
		newer := f.claimOne(t)
		if newer.Generation != 2 || newer.Attempts != 1 {
			t.Fatalf("got generation %d, attempt %d, want the newer job alone", newer.Generation, newer.Attempts)
		}
		show := store.Publication{Surface: "check", Key: "pr:1", Generation: newer.Generation, RemoteID: 5, State: "green"}
		must(t, f.SavePublication(t.Context(), show))
		show.Generation, show.State = frozen.Generation, "red"
		wantError(t, f.SavePublication(t.Context(), show), store.ErrStale)
		wantError(t, f.Finish(t.Context(), frozen), store.ErrLeaseLost)
		got, err := f.Publication(t.Context(), "check", "pr:1")
		must(t, err)
		if got.Generation != 2 || got.State != "green" {
			t.Errorf("shown is %+v, want generation 2, green", got)
		}
	})
}

func TestRenewKeepsTheLease(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		f.enqueue(t, judge("pr:1"))
		j := f.claimOne(t)
		for range 5 {
			f.clock.advance(45 * time.Second)
			must(t, f.Renew(t.Context(), j, time.Minute))
			if taken := f.claim(t, 1); len(taken) != 0 {
				t.Fatal("a renewed lease was taken over")
			}
		}
		due, err := f.NextDue(t.Context())
		must(t, err)
		if want := f.clock.Now().Add(time.Minute); !due.Equal(want) {
			t.Errorf("next due %v, want the end of the lease %v", due, want)
		}
	})
}

func TestI16_RetryBuryAndRevive(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		f.enqueue(t, judge("pr:1"))
		must(t, f.Retry(t.Context(), f.claimOne(t), f.clock.Now().Add(time.Minute), "GitHub answered 502"))
		if early := f.claim(t, 1); len(early) != 0 {
			t.Fatal("claimed before it was due")
		}
		due, err := f.NextDue(t.Context())
		must(t, err)
		if !due.Equal(f.clock.Now().Add(time.Minute)) {
			t.Errorf("next due %v, want in a minute", due)
		}
		f.clock.advance(time.Minute)
		second := f.claimOne(t)
		if second.Attempts != 2 || second.LastError != "GitHub answered 502" || second.Generation != 1 {
			t.Errorf("second attempt is %+v", second)
		}
		must(t, f.Bury(t.Context(), second, "no such repository"))
		buried, err := f.Buried(t.Context(), 10)
		must(t, err)
		if len(buried) != 1 || buried[0].LastError != "no such repository" || !buried[0].Due.Equal(f.clock.Now()) {
			t.Fatalf("buried are %+v", buried)
		}
		must(t, f.Revive(t.Context(), buried[0].ID))
		wantError(t, f.Revive(t.Context(), buried[0].ID), store.ErrNotFound)
		third := f.claimOne(t)
		if third.Attempts != 1 || third.Generation != 1 {
			t.Errorf("revived job is %+v, want its first attempt at generation 1", third)
		}
		must(t, f.Finish(t.Context(), third))
		_, err = f.NextDue(t.Context())
		wantError(t, err, store.ErrNotFound)
	})
}

func TestRetryGivesWayToAWaitingTwin(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		f.enqueue(t, judge("pr:1"))
		running := f.claimOne(t)
		f.enqueue(t, judge("pr:1"))
		must(t, f.Retry(t.Context(), running, f.clock.Now().Add(time.Hour), "cut body"))
		twin := f.claimOne(t)
		if twin.Generation != 2 || twin.Attempts != 1 {
			t.Errorf("got %+v, want the waiting twin, due at once", twin)
		}

		// A twin of an older generation, which only a given generation makes, inherits.
		newer, older := judge("pr:2"), judge("pr:2")
		newer.Generation, newer.Args, older.Generation, older.Args = 9, json.RawMessage(`9`), 8, json.RawMessage(`8`)
		f.enqueue(t, newer)
		running = f.claimOne(t)
		f.enqueue(t, older)
		must(t, f.Retry(t.Context(), running, f.clock.Now(), "cut body"))
		if twin := f.claimOne(t); twin.Generation != 9 || string(twin.Args) != "9" {
			t.Errorf("got generation %d with %s, want 9 with 9", twin.Generation, twin.Args)
		}
	})
}

func TestBuriedIsReplacedAndMadeGood(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		for range 2 {
			f.enqueue(t, judge("pr:1"))
			must(t, f.Bury(t.Context(), f.claimOne(t), "gone"))
		}
		buried, err := f.Buried(t.Context(), 10)
		must(t, err)
		if len(buried) != 1 || buried[0].Generation != 2 {
			t.Fatalf("buried are %+v, want generation 2 alone", buried)
		}
		f.enqueue(t, judge("pr:1"))
		must(t, f.Revive(t.Context(), buried[0].ID)) // the waiting one is enough
		must(t, f.Bury(t.Context(), f.claimOne(t), "gone again"))
		f.enqueue(t, judge("pr:1"))
		must(t, f.Finish(t.Context(), f.claimOne(t)))
		if buried, err = f.Buried(t.Context(), 10); err != nil || len(buried) != 0 {
			t.Errorf("buried are %+v, %v after the same work succeeded", buried, err)
		}
	})
}

func TestFinishEnqueuesWithTheEnd(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		_, err := receive(t.Context(), f.DB, delivery(1))
		must(t, err)
		route := f.claimOne(t)
		show := judge("pr:1")
		show.Step, show.Generation = "publish:check", store.Follow
		must(t, f.Finish(t.Context(), route, judge("pr:1"), show))
		first := f.claimOne(t)
		must(t, f.Finish(t.Context(), first))
		second := f.claimOne(t)
		if first.Step != "judge" || second.Step != "publish:check" || second.Generation != 1 {
			t.Errorf("got %s, then %s of generation %d", first.Step, second.Step, second.Generation)
		}
	})
}

func TestEnqueueRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		edit func(*store.Job)
		want error // nil: any
	}{
		{"arguments over 4 KiB", func(j *store.Job) { j.Args = json.RawMessage(`"` + strings.Repeat("a", store.MaxArgs) + `"`) }, store.ErrTooLarge},
		{"key over 512 bytes", func(j *store.Job) { j.Key = strings.Repeat("k", store.MaxKey+1) }, store.ErrTooLarge},
		{"arguments that are no JSON", func(j *store.Job) { j.Args = json.RawMessage(`{`) }, nil},
		{"no step", func(j *store.Job) { j.Step = "" }, nil},
		{"no key", func(j *store.Job) { j.Key = "" }, nil},
	}
	onBoth(t, func(t *testing.T, f *fixture) {
		f.enqueue(t, judge("pr:1"))
		must(t, f.Finish(t.Context(), f.claimOne(t)))
		for _, tt := range tests {
			bad := judge("pr:2")
			tt.edit(&bad)
			err := f.Enqueue(t.Context(), judge("pr:1"), bad)
			if err == nil || tt.want != nil && !strings.Contains(err.Error(), tt.want.Error()) {
				t.Errorf("%s: got error %v, want %v", tt.name, err, tt.want)
			}
			if jobs := f.claim(t, 10); len(jobs) != 0 {
				t.Errorf("%s: the other job of the call was added: %v", tt.name, names(jobs))
			}
		}
	})
}

func TestG30_DropJobsOfAnInstallation(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		_, err := receive(t.Context(), f.DB, store.Delivery{GUID: "unsuspend", Event: "installation", InstallationID: 1})
		must(t, err)
		later, other := judge("pr:2"), judge("pr:3")
		later.Due, other.InstallationID = f.clock.Now().Add(time.Hour), 2
		f.enqueue(t, judge("pr:1"), later, other)
		dropped, err := f.DropJobs(t.Context(), 1)
		must(t, err)
		if dropped != 2 {
			t.Errorf("dropped %d jobs, want the 2 of installation 1 that are not route jobs", dropped)
		}
		if diff := cmp.Diff([]string{"route delivery:unsuspend", "judge pr:3"}, names(f.claim(t, 10))); diff != "" {
			t.Errorf("left (-want +got):\n%s", diff)
		}
	})
}

// TestG31DropJobsOfARepository drops what is of one repository by what keys hold, and nothing of a
// repository whose number only looks alike, or of another installation.
func TestG31DropJobsOfARepository(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		of := func(installation int64, key string) store.Job {
			return store.Job{Step: "judge", Key: key, InstallationID: installation}
		}
		f.enqueue(t, of(1, "pr:42:7:x"), of(1, "twins:pr:42:7:x"), of(1, "backfill:42"),
			of(1, "pr:421:42:x"), of(1, "pr:7:42:x"), of(1, "backfill:421"), of(2, "pr:42:8:x"),
			store.Job{Step: store.StepRoute, Key: "pr:42:9:x", InstallationID: 1})
		if n, err := f.DropJobsWith(t.Context(), 1, "pr:42:", "backfill:42"); n != 3 || err != nil {
			t.Errorf("dropped %d (%v), want 3", n, err)
		}
		var left []string
		for _, j := range f.claim(t, 10) {
			left = append(left, j.Key)
		}
		slices.Sort(left)
		if d := cmp.Diff([]string{"backfill:421", "pr:421:42:x", "pr:42:8:x", "pr:42:9:x", "pr:7:42:x"}, left); d != "" {
			t.Errorf("left (-want +got):\n%s", d)
		}
		if _, err := f.DropJobsWith(t.Context(), 1); err == nil {
			t.Error("no part was taken for all")
		}
	})
}

func TestHasJob(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		has := func(step, key string) bool {
			t.Helper()
			found, err := f.HasJob(t.Context(), step, key)
			must(t, err)
			return found
		}
		f.enqueue(t, store.Job{Step: "judge", Key: "waiting"}, store.Job{Step: "judge", Key: "later", Due: f.clock.Now().Add(time.Hour)})
		if !has("judge", "waiting") || !has("judge", "later") || has("publish", "waiting") || has("judge", "none") {
			t.Error("waiting jobs are not told by step and key")
		}
		j := f.claimOne(t)
		if !has("judge", "waiting") || !has("publish", "waiting") {
			t.Error("a running job holds its key for every step")
		}
		must(t, f.Bury(t.Context(), j, "because"))
		if !has("judge", "waiting") || has("publish", "waiting") {
			t.Error("a buried job counts for its step")
		}
	})
}
