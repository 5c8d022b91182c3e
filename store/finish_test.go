package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/store"
)

// TestEndingsThatShareACommit ends jobs at the same time: each by the worker that lost its lease and
// twice by the one that has it now.
func TestEndingsThatShareACommit(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		const n = 100
		key := func(i int) string { return fmt.Sprintf("pr:%d", i) }
		for i := range n {
			f.enqueue(t, judge(key(i)))
		}
		// Half of the jobs have a buried twin.
		for _, j := range f.claim(t, n/2) {
			must(t, f.Bury(t.Context(), j, "broken"))
			f.enqueue(t, judge(j.Key))
		}
		frozen := f.claim(t, n)
		f.clock.advance(61 * time.Second)
		taken := make(map[int64]store.Job)
		for len(taken) < n {
			for _, j := range f.claim(t, n) {
				taken[j.ID] = j
			}
		}
		var group sync.WaitGroup
		ends := func(j store.Job, then string) chan error {
			done := make(chan error, 1)
			group.Go(func() { done <- f.Finish(t.Context(), j, judge(then)) })
			return done
		}
		var lost, right, twice []chan error
		for i, j := range frozen {
			lost = append(lost, ends(j, fmt.Sprintf("wrong:%d", i)))
			right = append(right, ends(taken[j.ID], fmt.Sprintf("next:%d", i/2)))
			twice = append(twice, ends(taken[j.ID], fmt.Sprintf("next:%d", i/2)))
		}
		group.Wait()
		for i := range frozen {
			wantError(t, <-lost[i], store.ErrLeaseLost)
			first, second := <-right[i], <-twice[i]
			if first != nil {
				first, second = second, first
			}
			must(t, first)
			wantError(t, second, store.ErrLeaseLost)
		}
		buried, err := f.Buried(t.Context(), n)
		must(t, err)
		if len(buried) > 0 {
			t.Errorf("%d jobs are buried still, such as %s", len(buried), buried[0].Key)
		}
		next := f.claim(t, 2*n)
		if len(next) != n/2 {
			t.Fatalf("%d jobs follow, want %d: those with one key coalesce", len(next), n/2)
		}
		for _, j := range next {
			if j.Key[:5] != "next:" || j.Generation != 2 {
				t.Errorf("job %s of generation %d follows, want next: and 2", j.Key, j.Generation)
			}
		}
	})
}

// held keeps everybody else from writing to job until the returned function is called.
func (f *fixture) held(t *testing.T) (release func()) {
	t.Helper()
	begin := "BEGIN IMMEDIATE"
	if f.driver() == "pgx" {
		begin = "BEGIN; LOCK TABLE job IN SHARE MODE"
	}
	db, err := sql.Open(f.driver(), f.config.URL)
	must(t, err)
	db.SetMaxOpenConns(1)
	_, err = db.Exec(begin)
	must(t, err)
	return func() {
		_, err := db.Exec("ROLLBACK")
		must(t, err)
		must(t, db.Close())
	}
}

// TestEndOfAJobIsWaitedFor: a heartbeat that waits for the commit which ends its own job finds no job
// and ends the work. Whoever waits for that commit must hear of it all the same.
func TestEndOfAJobIsWaitedFor(t *testing.T) {
	t.Parallel()
	ends := []struct {
		name string
		end  func(ctx context.Context, f *fixture, j store.Job) error
	}{
		{"finish", func(ctx context.Context, f *fixture, j store.Job) error { return f.Finish(ctx, j) }},
		{"finish with a job that follows", func(ctx context.Context, f *fixture, j store.Job) error {
			return f.Finish(ctx, j, store.Job{Step: "publish:check", Key: "other"})
		}},
		{"record", func(ctx context.Context, f *fixture, j store.Job) error {
			r := record("pr:9", 1)
			r.Job = j
			_, err := f.Record(ctx, r)
			return err
		}},
	}
	onBoth(t, func(t *testing.T, f *fixture) {
		for _, tt := range ends {
			f.enqueue(t, judge("pr:1"))
			j := f.claimOne(t)
			ctx, cancel := context.WithCancel(t.Context())
			release := f.held(t)
			done := make(chan error, 1)
			go func() { done <- tt.end(ctx, f, j) }()
			select {
			case err := <-done:
				t.Errorf("%s did not wait: %v", tt.name, err)
				done <- err
			case <-time.After(200 * time.Millisecond): // it is under way
			}
			cancel()
			release()
			if err := <-done; err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			wantError(t, f.Renew(t.Context(), j, time.Minute), store.ErrLeaseLost)
			for _, j := range f.claim(t, 10) { // that followed
				must(t, f.Finish(t.Context(), j))
			}
			// One that has not begun does not begin.
			f.enqueue(t, judge("pr:1"))
			j = f.claimOne(t)
			wantError(t, tt.end(ctx, f, j), context.Canceled)
			must(t, f.Renew(t.Context(), j, time.Minute))
			must(t, f.Finish(t.Context(), j))
		}
	})
}
