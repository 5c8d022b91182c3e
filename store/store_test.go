package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store"
	"github.com/landwaiter/landwaiter/store/storetest"
)

func TestOpenByTwoProcessesAtOnce(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := store.Config{URL: url(t)}
			key, err := store.LedgerKey(filepath.Join(t.TempDir(), "key"), "landwaiter.example/ledger")
			must(t, err)
			config.LedgerKey = key
			var group sync.WaitGroup
			for range 4 {
				group.Go(func() {
					db, err := store.Open(t.Context(), config)
					if err != nil {
						t.Error(err)
						return
					}
					if _, err := receive(t.Context(), db, delivery(1)); err != nil {
						t.Error(err)
					}
					if err := db.Close(); err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
		})
	}
}

func TestOpenRefusesANewerSchema(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		must(t, f.Close())
		applied := "1"
		if strings.HasPrefix(f.config.URL, "postgres") {
			applied = "true"
		}
		f.behindTheBack(t, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, `+applied+`)`)
		if _, err := store.Open(t.Context(), f.config); err == nil || !strings.Contains(err.Error(), "newer version") {
			t.Errorf("got %v, want to be told to start the newer version", err)
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, url, want string
	}{
		{"memory", ":memory:", "is not a file"},
		{"nothing", "", "is not a file"},
		{"folder that is missing", filepath.Join(t.TempDir(), "no", "such.db"), "no such file"},
		{"PostgreSQL without a key", "postgres://localhost:1/x", "connect"},
		{"PostgreSQL URL that is none", "postgres://localhost:port/x", "PostgreSQL URL"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := store.Open(t.Context(), store.Config{URL: tt.url})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
	t.Run("PostgreSQL that needs a key", func(t *testing.T) {
		t.Parallel()
		_, err := store.Open(t.Context(), store.Config{URL: storetest.Postgres(t)})
		if err == nil || !strings.Contains(err.Error(), "ledger key") {
			t.Errorf("got %v, want to be told of the ledger key", err)
		}
	})
}

func TestSQLiteFiles(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "with space & ?#%41")
	must(t, os.Mkdir(folder, 0o700))
	path := filepath.Join(folder, "landwaiter.db")
	db, err := store.Open(t.Context(), store.Config{URL: "sqlite:" + path})
	must(t, err)
	_, err = receive(t.Context(), db, delivery(1))
	must(t, err)
	for _, name := range []string{"", "-wal", ".ledger.key", ".checkpoint"} {
		stat, err := os.Stat(path + name)
		must(t, err)
		if stat.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o, want 600", stat.Name(), stat.Mode().Perm())
		}
	}
	must(t, db.Close())
	if _, err := os.Stat(path + "-wal"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the WAL is left after closing: %v", err)
	}
}

func TestWritesAfterCloseAndOnReadOnly(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		config := f.config
		config.ReadOnly = true
		readOnly, err := store.Open(t.Context(), config)
		must(t, err)
		_, err = receive(t.Context(), readOnly, delivery(1))
		wantError(t, err, store.ErrClosed)
		wantError(t, readOnly.Enqueue(t.Context(), judge("pr:1")), store.ErrClosed)
		must(t, readOnly.Ping(t.Context()))
		must(t, readOnly.Close())
		must(t, f.Close())
		_, err = receive(t.Context(), f.DB, delivery(1))
		wantError(t, err, store.ErrClosed)
	})
}

func TestEndedContextWritesNothingOrAll(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := receive(ended, f.DB, delivery(1))
		wantError(t, err, context.Canceled)
		fresh, err := receive(t.Context(), f.DB, delivery(1))
		must(t, err)
		if _, err := f.Delivery(t.Context(), delivery(1).GUID); err != nil {
			t.Errorf("after receiving again (fresh %v): %v", fresh, err)
		}
	})
}

// TestWritesThatShareACommit mixes writes that succeed with writes that are refused.
func TestWritesThatShareACommit(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		must(t, f.SetSetting(t.Context(), "cursor", "1"))
		var swapped, refused atomic.Int32
		var group sync.WaitGroup
		for i := range 100 {
			group.Go(func() {
				switch err := f.SwapSetting(t.Context(), "cursor", "1", "2"); {
				case err == nil:
					swapped.Add(1)
				case errors.Is(err, store.ErrConflict):
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
			group.Go(func() {
				if err := f.SetSetting(t.Context(), fmt.Sprintf("s%d", i), "x"); err != nil {
					t.Error(err)
				}
			})
			group.Go(func() {
				j := judge("bad")
				j.InstallationID = int64(i)
				if err := f.Finish(t.Context(), j); !errors.Is(err, store.ErrLeaseLost) {
					t.Errorf("finishing a job that is not leased: %v", err)
				}
			})
		}
		group.Wait()
		if swapped.Load() != 1 || refused.Load() != 99 {
			t.Errorf("%d swaps and %d conflicts, want 1 and 99", swapped.Load(), refused.Load())
		}
		for i := range 100 {
			if _, err := f.Setting(t.Context(), fmt.Sprintf("s%d", i)); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestSettings(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		_, err := f.Setting(t.Context(), "cursor")
		wantError(t, err, store.ErrNotFound)
		wantError(t, f.SwapSetting(t.Context(), "cursor", "0", "1"), store.ErrConflict)
		must(t, f.SwapSetting(t.Context(), "cursor", "", "1"))
		wantError(t, f.SwapSetting(t.Context(), "cursor", "", "2"), store.ErrConflict)
		must(t, f.SwapSetting(t.Context(), "cursor", "1", "2"))
		must(t, f.SetSetting(t.Context(), "cursor", "3"))
		value, err := f.Setting(t.Context(), "cursor")
		must(t, err)
		if value != "3" {
			t.Errorf("setting is %q, want 3", value)
		}
	})
}

func TestPublications(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		_, err := f.Publication(t.Context(), "check", "pr:1")
		wantError(t, err, store.ErrNotFound)
		start := f.clock.Now()
		first := store.Publication{Surface: "check", Key: "pr:1", Generation: 3, State: "queued"}
		must(t, f.SavePublication(t.Context(), first))
		f.clock.advance(time.Minute)
		must(t, f.SavePublication(t.Context(), store.Publication{Surface: "check", Key: "pr:2", Generation: 1}))
		same := first
		same.RemoteID, same.State = 99, "red"
		must(t, f.SavePublication(t.Context(), same))
		same.Updated = f.clock.Now()
		got, err := f.Publication(t.Context(), "check", "pr:1")
		must(t, err)
		if diff := cmp.Diff(same, got); diff != "" {
			t.Errorf("publication (-want +got):\n%s", diff)
		}
		first.Generation = 2
		wantError(t, f.SavePublication(t.Context(), first), store.ErrStale)
		first.Surface = "issue" // another surface has its own generations
		must(t, f.SavePublication(t.Context(), first))
		f.clock.advance(time.Minute)
		list, err := f.Publications(t.Context(), "check", f.clock.Now(), 10)
		must(t, err)
		if len(list) != 2 || list[0].Updated.Before(start.Add(time.Minute)) {
			t.Errorf("publications are %+v", list)
		}
		if list, err = f.Publications(t.Context(), "check", start.Add(time.Minute), 10); err != nil || len(list) != 0 {
			t.Errorf("publications before they were updated: %+v, %v", list, err)
		}
	})
}

func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		must(t, f.Close())
		f.config.CacheBytes = 64 << 10
		f.DB = f.open(t)
		noise := func(i, n int) []byte { // does not compress
			b := make([]byte, n)
			for j, x := 0, uint32(i+1); j < n; j++ {
				x = x*1664525 + 1013904223
				b[j] = byte(x >> 24)
			}
			return b
		}
		must(t, f.SaveCached(t.Context(), "favourite", store.Cached{ETag: `W/"1"`, Body: noise(0, 1000)}))
		for i := range 300 {
			f.clock.advance(30 * time.Minute)
			must(t, f.SaveCached(t.Context(), fmt.Sprint("blob:", i), store.Cached{Body: noise(i, 1000)}))
			got, err := f.Cached(t.Context(), "favourite")
			if err != nil || got.ETag != `W/"1"` || string(got.Body) != string(noise(0, 1000)) {
				t.Fatalf("after %d more the one that is used all the time is gone: %v", i, err)
			}
			stats, err := f.Stats(t.Context())
			must(t, err)
			if stats.CacheBytes > f.config.CacheBytes {
				t.Fatalf("cache holds %d bytes, bound is %d", stats.CacheBytes, f.config.CacheBytes)
			}
		}
		if _, err := f.Cached(t.Context(), "blob:299"); err != nil {
			t.Errorf("the newest is gone: %v", err)
		}
		_, err := f.Cached(t.Context(), "blob:0")
		wantError(t, err, store.ErrNotFound)
		must(t, f.SaveCached(t.Context(), "giant", store.Cached{Body: noise(1, 9000)}))
		_, err = f.Cached(t.Context(), "giant")
		wantError(t, err, store.ErrNotFound)
	})
}

func TestCachedInventory(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		_, err := f.CachedInventory(t.Context(), "b1", "1")
		wantError(t, err, store.ErrNotFound)
		want := checks.Manifest{Path: "a/go.mod", Digest: "b1", Format: "go.mod", Gap: "cut",
			Packages: []checks.Package{{PURL: "pkg:golang/x@v1", Ecosystem: "Go", Name: "<x>&\u2028", Version: "1", Line: 3, Via: []string{"y", "x"}}}}
		must(t, f.SaveInventory(t.Context(), "b1", "1", want))
		got, err := f.CachedInventory(t.Context(), "b1", "1")
		must(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("cached (-want +got):\n%s", diff)
		}
		_, err = f.CachedInventory(t.Context(), "b1", "2")
		wantError(t, err, store.ErrNotFound)
	})
}

func TestStats(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		start := f.clock.Now()
		later, running, buried := judge("pr:later"), judge("pr:running"), judge("pr:buried")
		later.Due = start.Add(time.Hour)
		f.enqueue(t, running)
		f.claimOne(t)
		f.enqueue(t, buried)
		must(t, f.Bury(t.Context(), f.claimOne(t), "x"))
		f.enqueue(t, later, judge("pr:1"))
		f.clock.advance(time.Second)
		f.enqueue(t, judge("pr:2"))
		_, err := receive(t.Context(), f.DB, delivery(1))
		must(t, err)
		f.storeRecord(t, record("pr:3", 1))
		got, err := f.Stats(t.Context())
		must(t, err)
		want := store.Stats{Deliveries: 1, Reports: 1, LedgerSize: 1, Queue: []store.QueueStats{
			{Step: "judge", Ready: 2, Later: 1, Running: 1, Buried: 1, OldestDue: start},
			{Step: "route", Ready: 1, OldestDue: start.Add(time.Second)},
		}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("stats (-want +got):\n%s", diff)
		}
	})
}
