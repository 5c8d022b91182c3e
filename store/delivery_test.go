package store_test

import (
	"bytes"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/store"
)

func TestG01_RepeatedGUIDChangesNothing(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		first := delivery(1)
		fresh, err := receive(t.Context(), f.DB, first)
		must(t, err)
		if !fresh {
			t.Fatal("first arrival is not fresh")
		}
		again := first
		again.Event, again.Body = "push", []byte(`{"other":true}`)
		fresh, err = receive(t.Context(), f.DB, again)
		must(t, err)
		if fresh {
			t.Error("second arrival of a GUID is fresh")
		}
		first.Received = f.clock.Now()
		got, err := f.Delivery(t.Context(), first.GUID)
		must(t, err)
		if diff := cmp.Diff(first, got); diff != "" {
			t.Errorf("stored delivery (-want +got):\n%s", diff)
		}
		want := store.Job{Step: store.StepRoute, Key: store.DeliveryKey(first.GUID), Generation: 1, Cause: "pull_request",
			Priority: 30, InstallationID: 2, Due: f.clock.Now(), Created: f.clock.Now(), Attempts: 1, LeaseUntil: f.clock.Now().Add(time.Minute)}
		job := f.claimOne(t)
		must(t, f.Finish(t.Context(), job))
		job.ID, job.Token = 0, ""
		if diff := cmp.Diff(want, job); diff != "" {
			t.Errorf("route job (-want +got):\n%s", diff)
		}
		fresh, err = receive(t.Context(), f.DB, first)
		must(t, err)
		if jobs := f.claim(t, 1); fresh || len(jobs) != 0 {
			t.Errorf("redelivery after the job has ended: fresh %v, jobs %v", fresh, jobs)
		}
	})
}

func TestG01_SameGUIDFromManySides(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		dbs := []*store.DB{f.DB, f.open(t)}
		var fresh atomic.Int32
		var group sync.WaitGroup
		for i := range 64 {
			group.Go(func() {
				isFresh, err := receive(t.Context(), dbs[i%2], delivery(i/16))
				if err != nil {
					t.Error(err)
				}
				if isFresh {
					fresh.Add(1)
				}
			})
		}
		group.Wait()
		if fresh.Load() != 4 {
			t.Errorf("%d arrivals are fresh, want one per GUID: 4", fresh.Load())
		}
		if jobs := f.claim(t, 64); len(jobs) != 4 {
			t.Errorf("%d route jobs, want 4", len(jobs))
		}
	})
}

func TestReceiveLimits(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		d := delivery(1)
		d.Body = bytes.Repeat([]byte("a"), store.MaxBody+1)
		_, err := receive(t.Context(), f.DB, d)
		wantError(t, err, store.ErrTooLarge)
		d.Body = d.Body[1:]
		fresh, err := receive(t.Context(), f.DB, d)
		must(t, err)
		got, err := f.Delivery(t.Context(), d.GUID)
		must(t, err)
		if !fresh || !bytes.Equal(got.Body, d.Body) {
			t.Errorf("body of 25 MiB: fresh %v, %d bytes", fresh, len(got.Body))
		}
		_, err = f.Delivery(t.Context(), "no such GUID")
		wantError(t, err, store.ErrNotFound)
	})
}

func TestReceiveHostileText(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		d := delivery(1)
		d.GUID, d.Event, d.Action, d.Body = "a\x00'; DROP TABLE job;--", "\xff\xfe", "\x00", []byte("\x00\xff")
		for _, want := range []bool{true, false} {
			fresh, err := receive(t.Context(), f.DB, d)
			must(t, err)
			if fresh != want {
				t.Errorf("fresh is %v, want %v", fresh, want)
			}
		}
		got, err := f.Delivery(t.Context(), d.GUID)
		must(t, err)
		if !bytes.Equal(got.Body, d.Body) {
			t.Errorf("body is %q, want it byte for byte", got.Body)
		}
	})
}

func TestI01_DeliveriesSayHowFarTheyCame(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		for i := range 3 {
			_, err := receive(t.Context(), f.DB, delivery(i))
			must(t, err)
			f.clock.advance(time.Second)
		}
		byKey := make(map[string]store.Job)
		for _, j := range f.claim(t, 3) {
			byKey[j.Key] = j
		}
		must(t, f.Finish(t.Context(), byKey[store.DeliveryKey(delivery(0).GUID)]))
		must(t, f.Bury(t.Context(), byKey[store.DeliveryKey(delivery(1).GUID)], "payload is no JSON"))
		list, err := f.Deliveries(t.Context(), 0, 10)
		must(t, err)
		var states []string
		for _, d := range list {
			states = append(states, fmt.Sprintf("%s %s %s", d.GUID[len(d.GUID)-1:], d.State, d.LastError))
		}
		if diff := cmp.Diff([]string{"2 waiting ", "1 buried payload is no JSON", "0 routed "}, states); diff != "" {
			t.Errorf("deliveries (-want +got):\n%s", diff)
		}
		older, err := f.Deliveries(t.Context(), list[1].ID, 10)
		must(t, err)
		unprocessed, err := f.Unprocessed(t.Context(), 10)
		must(t, err)
		if diff := cmp.Diff([][]store.DeliverySummary{list[2:], list[1:2]}, [][]store.DeliverySummary{older, unprocessed}); diff != "" {
			t.Errorf("second page and unprocessed (-want +got):\n%s", diff)
		}

		pruned, err := f.PruneDeliveries(t.Context(), f.clock.Now())
		must(t, err)
		left, err := f.Deliveries(t.Context(), 0, 10)
		must(t, err)
		if pruned != 1 || len(left) != 2 {
			t.Errorf("pruned %d and kept %d, want the routed one of 3 removed", pruned, len(left))
		}
	})
}
