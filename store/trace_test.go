package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/store"
)

// parent is a traceparent of trace n.
func parent(n int) string { return fmt.Sprintf("00-%032x-%016x-01", n, n) }

// TestTrace enqueues a job in several ways and looks at the trace that its claim shows.
func TestTrace(t *testing.T) {
	t.Parallel()
	job := func(generation int64, trace string) store.Job {
		return store.Job{Step: "judge", Key: "k", Generation: generation, Trace: trace}
	}
	many := func(from, to int) string {
		var list []string
		for n := from; n >= to; n-- {
			list = append(list, parent(n))
		}
		return strings.Join(list, " ")
	}
	tests := []struct {
		name   string
		within string // trace of the context
		jobs   []store.Job
		want   string
	}{
		{"none", "", []store.Job{job(1, "")}, ""},
		{"of the context", parent(1), []store.Job{job(1, "")}, parent(1)},
		{"its own", parent(1), []store.Job{job(1, parent(2))}, parent(2)},
		{"begins anew", parent(1), []store.Job{job(1, store.NoTrace)}, ""},
		{"not a traceparent", "", []store.Job{job(1, "00-ABC")}, ""},
		{"coalesced, newer last", "", []store.Job{job(1, parent(1)), job(2, parent(2))}, parent(2) + " " + parent(1)},
		{"coalesced, newer first", "", []store.Job{job(2, parent(2)), job(1, parent(1))}, parent(2) + " " + parent(1)},
		{"coalesced with the same", "", []store.Job{job(1, parent(1)), job(1, parent(1))}, parent(1)},
		{"coalesced with none", "", []store.Job{job(1, parent(1)), job(2, "")}, parent(1)},
		{"none with one", "", []store.Job{job(1, ""), job(1, parent(1))}, parent(1)},
		{"ten coalesced", "", []store.Job{
			job(1, parent(1)), job(1, parent(2)), job(1, parent(3)), job(1, parent(4)), job(1, parent(5)),
			job(1, parent(6)), job(1, parent(7)), job(1, parent(8)), job(1, parent(9)), job(1, parent(10)),
		}, many(10, 3)},
	}
	onBoth(t, func(t *testing.T, f *fixture) {
		for _, test := range tests {
			for _, j := range test.jobs {
				if err := f.Enqueue(store.WithTrace(t.Context(), test.within), j); err != nil {
					t.Fatal(err)
				}
			}
			got := f.claimOne(t)
			if diff := cmp.Diff(test.want, got.Trace); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.name, diff)
			}
			if err := f.Finish(t.Context(), got); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestTraceKept puts a job back in each way that there is: it keeps its trace.
func TestTraceKept(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		fresh, err := f.Receive(store.WithTrace(t.Context(), parent(7)), store.Delivery{GUID: "g", Event: "e", Body: []byte("{}")}, store.Job{})
		if err != nil || !fresh {
			t.Fatal(fresh, err)
		}
		look := func(when string) store.Job {
			t.Helper()
			j := f.claimOne(t)
			if j.Trace != parent(7) {
				t.Errorf("%s: trace %q", when, j.Trace)
			}
			return j
		}
		if err := f.Retry(t.Context(), look("received"), f.clock.Now(), "once more"); err != nil {
			t.Fatal(err)
		}
		look("retried")
		f.clock.advance(2 * time.Minute) // its lease runs out
		j := look("taken back")
		if err := f.Bury(t.Context(), j, "no use"); err != nil {
			t.Fatal(err)
		}
		if err := f.Revive(t.Context(), j.ID); err != nil {
			t.Fatal(err)
		}
		if err := f.Finish(t.Context(), look("revived"), store.Job{Step: "judge", Key: "k", Trace: j.Trace}); err != nil {
			t.Fatal(err)
		}
		look("followed")
	})
}
