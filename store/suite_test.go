package store_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/store"
	"github.com/landwaiter/landwaiter/store/storetest"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(victimVariable); dir != "" {
		os.Exit(victim(dir))
	}
	os.Exit(storetest.Main(m))
}

// clock is a settable time.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// fixture is a store on one engine, with its clock and what opens it again.
type fixture struct {
	*store.DB
	clock  *clock
	config store.Config
}

// onBoth runs a test on both engines.
func onBoth(t *testing.T, test func(t *testing.T, f *fixture)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, newFixture(t, storetest.SQLite(t)))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, newFixture(t, storetest.Postgres(t)))
	})
}

func newFixture(t testing.TB, url string) *fixture {
	t.Helper()
	folder := t.TempDir()
	key, err := store.LedgerKey(filepath.Join(folder, "ledger.key"), "landwaiter.example/ledger")
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{clock: newClock()}
	f.config = store.Config{
		URL: url, Now: f.clock.Now, Log: slog.New(slog.DiscardHandler),
		LedgerKey: key, CheckpointFile: filepath.Join(folder, "checkpoint"),
	}
	f.DB = f.open(t)
	return f
}

// open opens the fixture's database once more: another process, as far as the store can tell.
func (f *fixture) open(t testing.TB) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), f.config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return db
}

func (f *fixture) enqueue(t testing.TB, jobs ...store.Job) {
	t.Helper()
	if err := f.Enqueue(t.Context(), jobs...); err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) claim(t testing.TB, n int) []store.Job {
	t.Helper()
	jobs, err := f.Claim(t.Context(), "test", n, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return jobs
}

// claimOne claims the one job that must be ready.
func (f *fixture) claimOne(t testing.TB) store.Job {
	t.Helper()
	jobs := f.claim(t, 2)
	if len(jobs) != 1 {
		t.Fatalf("claimed %d jobs, want 1: %+v", len(jobs), jobs)
	}
	return jobs[0]
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
}

// names returns "step key" of each job, in order.
func names(jobs []store.Job) []string {
	list := make([]string, 0, len(jobs))
	for _, j := range jobs {
		list = append(list, j.Step+" "+j.Key)
	}
	return list
}

func delivery(i int) store.Delivery {
	return store.Delivery{
		GUID: fmt.Sprintf("72d3162e-cc78-11e3-81ab-%012d", i), Event: "pull_request", Action: "opened",
		InstallationID: int64(i%7 + 1), RepositoryID: 35129377, Body: fmt.Appendf(nil, `{"number":%d}`, i),
	}
}

func receive(ctx context.Context, db *store.DB, d store.Delivery) (bool, error) {
	return db.Receive(ctx, d, store.Job{Cause: d.Event, Priority: 30, InstallationID: d.InstallationID})
}
