package store_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/store"
	"github.com/landwaiter/landwaiter/store/ledger"
)

// driver is the one of database/sql for the fixture's database.
func (f *fixture) driver() string {
	if strings.HasPrefix(f.config.URL, "postgres") {
		return "pgx"
	}
	return "sqlite"
}

// behindTheBack runs statements on the database without the store.
func (f *fixture) behindTheBack(t testing.TB, statements ...string) {
	t.Helper()
	db, err := sql.Open(f.driver(), f.config.URL)
	must(t, err)
	defer db.Close()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// wantTampered checks that err names the entry.
func wantTampered(t testing.TB, name string, err error, index int64) {
	t.Helper()
	var tampered *store.TamperedError
	if !errors.As(err, &tampered) || tampered.Index != index {
		t.Errorf("%s: got %v, want entry %d named as wrong", name, err, index)
	}
}

func TestOpenRefusesATamperedLedger(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		sql   []string
		index int64
	}{
		{"leaf changed", []string{`UPDATE ledger_entry SET leaf = (SELECT leaf FROM ledger_entry WHERE n = 2) WHERE n = 1`}, 1},
		{"leaf and its hash changed", []string{
			`UPDATE ledger_entry SET leaf = (SELECT leaf FROM ledger_entry WHERE n = 2) WHERE n = 1`,
			`UPDATE ledger_hash SET hash = (SELECT hash FROM ledger_hash WHERE id = 3) WHERE id = 1`}, 1},
		{"hash inside the tree changed", []string{`UPDATE ledger_hash SET hash = (SELECT hash FROM ledger_hash WHERE id = 0) WHERE id = 2`}, 1},
		{"hash of the frontier changed", []string{`UPDATE ledger_hash SET hash = (SELECT hash FROM ledger_hash WHERE id = 0) WHERE id = 6`}, 3},
		{"hash cut", []string{`UPDATE ledger_hash SET hash = substr(hash, 1, 31) WHERE id = 6`}, 3},
		{"entry removed", []string{`DELETE FROM report WHERE ledger_index = 2`, `DELETE FROM ledger_entry WHERE n = 2`}, 2},
		{"last entry removed with its checkpoint", []string{`DELETE FROM report WHERE ledger_index = 4`,
			`DELETE FROM ledger_entry WHERE n = 4`, `DELETE FROM ledger_hash WHERE id >= 7`, `DELETE FROM ledger_checkpoint WHERE size = 5`}, 4},
		{"newest checkpoint removed", []string{`DELETE FROM ledger_checkpoint WHERE size = 5`}, 4},
		{"checkpoint replaced by an older one", []string{`UPDATE ledger_checkpoint SET note = (SELECT note FROM ledger_checkpoint WHERE size = 4) WHERE size = 5`}, 4},
		{"checkpoint in the middle forged", []string{`UPDATE ledger_checkpoint SET note = 'forged' WHERE size = 3`}, 2},
		{"entries swapped", []string{`UPDATE ledger_entry SET leaf = (SELECT e.leaf FROM ledger_entry e WHERE e.n = 1 - ledger_entry.n) WHERE n < 2`}, 0},
		{"entry added", []string{`INSERT INTO ledger_entry (n, leaf) SELECT 5, leaf FROM ledger_entry WHERE n = 4`}, 5},
		{"emptied", []string{`DELETE FROM report`, `DELETE FROM ledger_entry`, `DELETE FROM ledger_hash`, `DELETE FROM ledger_checkpoint`}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(t *testing.T, f *fixture) {
				for i := range int64(5) {
					f.storeRecord(t, record("release:1:2", i+1))
				}
				must(t, f.VerifyLedger(t.Context(), nil))
				must(t, f.Close())
				f.behindTheBack(t, tt.sql...)
				_, err := store.Open(t.Context(), f.config)
				wantTampered(t, "open", err, tt.index)

				// Reading still works, and says the same.
				config := f.config
				config.ReadOnly = true
				db, err := store.Open(t.Context(), config)
				must(t, err)
				defer db.Close()
				if _, err := db.Reports(t.Context(), store.ReportFilter{}); err != nil {
					t.Errorf("reading: %v", err)
				}
			})
		})
	}
}

func TestVerifyLedgerChecksReportsAsWell(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, sql string
	}{
		{"verdict of a list", `UPDATE report SET verdict = 'pass' WHERE ledger_index = 1`},
		{"subject of a list", `UPDATE report SET subject = replace(subject, 'octo-repo', 'other') WHERE ledger_index = 1`},
		{"key", `UPDATE report SET key = 'pr:2' WHERE ledger_index = 1`},
		{"removed", `DELETE FROM report WHERE ledger_index = 1`},
		{"body", `UPDATE report SET body = NULL WHERE ledger_index = 1`},
	}
	onBoth(t, func(t *testing.T, f *fixture) {
		f.storeRecord(t, record("pr:1", 1))
		large := record("pr:1", 2)
		large.Report.Policy.Source = strings.Repeat("x", ledger.MaxLeaf)
		f.storeRecord(t, large)
		for _, tt := range tests {
			before := []string{`CREATE TABLE kept AS SELECT * FROM report`, tt.sql}
			after := []string{`DELETE FROM report`, `INSERT INTO report SELECT * FROM kept`, `DROP TABLE kept`}
			if strings.HasPrefix(f.config.URL, "postgres") {
				after[1] = `INSERT INTO report OVERRIDING SYSTEM VALUE SELECT * FROM kept`
			}
			f.behindTheBack(t, before...)
			wantTampered(t, tt.name, f.VerifyLedger(t.Context(), nil), 1)
			f.behindTheBack(t, after...)
			if err := f.VerifyLedger(t.Context(), nil); err != nil {
				t.Fatalf("%s: undone, and yet %v", tt.name, err)
			}
		}
	})
}

func TestRecordSignsNoOtherTree(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		sql  []string
	}{
		{"frontier changed", []string{`UPDATE ledger_hash SET hash = (SELECT hash FROM ledger_hash WHERE id = 0) WHERE id = 3`}},
		{"end removed", []string{`DELETE FROM report WHERE ledger_index = 2`, `DELETE FROM ledger_entry WHERE n = 2`,
			`DELETE FROM ledger_hash WHERE id = 3`, `DELETE FROM ledger_checkpoint WHERE size = 3`}},
		{"checkpoints removed", []string{`DELETE FROM ledger_checkpoint`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(t *testing.T, f *fixture) {
				for i := range int64(3) {
					f.storeRecord(t, record("pr:1", i+1))
				}
				f.behindTheBack(t, tt.sql...)
				_, err := f.Record(t.Context(), record("pr:1", 4))
				var tampered *store.TamperedError
				if !errors.As(err, &tampered) {
					t.Errorf("recorded on a tampered ledger: %v", err)
				}
			})
		})
	}
}

func TestI08_CheckpointsArePairwiseConsistent(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		dbs := []*store.DB{f.DB, f.open(t)}
		var mu sync.Mutex
		var watched []ledger.Checkpoint
		var group sync.WaitGroup
		for i := range 24 {
			group.Go(func() {
				out, err := dbs[i%2].Record(t.Context(), record(fmt.Sprintf("pr:%d", i), 1))
				if err != nil {
					t.Error(err)
					return
				}
				c, err := ledger.OpenCheckpoint(out.Checkpoint, "landwaiter.example/ledger", f.config.LedgerKey.Verifier())
				if err != nil || c.Size != out.LedgerIndex+1 {
					t.Errorf("checkpoint of entry %d: %+v, %v", out.LedgerIndex, c, err)
				}
				mu.Lock()
				watched = append(watched, c)
				mu.Unlock()
			})
		}
		group.Wait()
		for _, older := range watched {
			for _, newer := range watched {
				if older.Size > newer.Size {
					continue
				}
				proof, err := f.ProveConsistency(t.Context(), older.Size, newer.Size)
				must(t, err)
				must(t, ledger.VerifyConsistency(older, newer, proof))
			}
		}
		head, signed, err := f.LedgerHead(t.Context())
		must(t, err)
		entries, err := f.LedgerEntries(t.Context(), 0, 100)
		must(t, err)
		for i, leaf := range entries {
			proof, err := f.ProveInclusion(t.Context(), int64(i), head.Size)
			must(t, err)
			must(t, ledger.VerifyInclusion(leaf, int64(i), head, proof))
		}
		same, err := f.LedgerCheckpoint(t.Context(), head.Size)
		must(t, err)
		outside, err := os.ReadFile(f.config.CheckpointFile)
		must(t, err)
		if len(entries) != 24 || same != signed || string(outside) != signed {
			t.Errorf("%d entries; head %q, stored %q, outside %q", len(entries), signed, same, outside)
		}
	})
}

func TestOpenRefusesAnOlderBackup(t *testing.T) {
	t.Parallel()
	f := newFixture(t, filepath.Join(t.TempDir(), "landwaiter.db"))
	f.storeRecord(t, record("pr:1", 1))
	must(t, f.Close())
	backup, err := os.ReadFile(f.config.URL)
	must(t, err)
	f.DB = f.open(t)
	f.storeRecord(t, record("pr:1", 2))
	f.storeRecord(t, record("pr:1", 3))
	must(t, f.Close())
	must(t, os.WriteFile(f.config.URL, backup, 0o600))
	_, err = store.Open(t.Context(), f.config)
	wantTampered(t, "older backup", err, 1)
	must(t, os.Remove(f.config.URL))
	_, err = store.Open(t.Context(), f.config)
	wantTampered(t, "database removed", err, 0)
}

func TestCheckpointFileMayBeBehind(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		f.storeRecord(t, record("pr:1", 1))
		older, err := os.ReadFile(f.config.CheckpointFile)
		must(t, err)
		// A folder in its place makes writing fail, as a full disk does.
		must(t, os.Remove(f.config.CheckpointFile))
		must(t, os.MkdirAll(filepath.Join(f.config.CheckpointFile, "x"), 0o700))
		f.storeRecord(t, record("pr:1", 2))
		f.storeRecord(t, record("pr:1", 3))
		stats, err := f.Stats(t.Context())
		must(t, err)
		if stats.CheckpointBehind != 2 || stats.LedgerSize != 3 {
			t.Errorf("stats are %+v, want the file 2 behind 3", stats)
		}
		must(t, f.Close())
		must(t, os.RemoveAll(f.config.CheckpointFile))
		must(t, os.WriteFile(f.config.CheckpointFile, older, 0o600))
		f.DB = f.open(t)
		_, signed, err := f.LedgerHead(t.Context())
		must(t, err)
		outside, err := os.ReadFile(f.config.CheckpointFile)
		must(t, err)
		if string(outside) != signed {
			t.Errorf("after opening the file holds %q, want %q", outside, signed)
		}
		must(t, f.Close())
		must(t, os.WriteFile(f.config.CheckpointFile, []byte("garbage"), 0o600))
		_, err = store.Open(t.Context(), f.config)
		wantTampered(t, "garbage outside", err, -1)
	})
}

func TestLedgerKeyFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.key")
	var mu sync.Mutex
	made := make(map[string]int)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			key, err := store.LedgerKey(path, "landwaiter.example/ledger")
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			made[key.Verifier()]++
			mu.Unlock()
		})
	}
	group.Wait()
	if len(made) != 1 {
		t.Errorf("eight starts at once made %d keys", len(made))
	}
	stat, err := os.Stat(path)
	must(t, err)
	if stat.Mode().Perm() != 0o600 {
		t.Errorf("mode is %o, want 600", stat.Mode().Perm())
	}
	must(t, os.Chmod(path, 0o640))
	if _, err := store.LedgerKey(path, "x"); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key that others may read: got %v", err)
	}
	must(t, os.WriteFile(path, []byte("PRIVATE+KEY+damaged"), 0o600))
	must(t, os.Chmod(path, 0o600))
	if _, err := store.LedgerKey(path, "x"); err == nil || strings.Contains(err.Error(), "damaged") {
		t.Errorf("a damaged key: got %v, want an error without the key", err)
	}
}

func TestLedgerKeyRotation(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		f.storeRecord(t, record("pr:1", 1))
		must(t, f.Close())
		old := f.config.LedgerKey
		next, err := ledger.NewKey(old.Origin())
		must(t, err)
		f.config.LedgerKey = next
		_, err = store.Open(t.Context(), f.config)
		wantTampered(t, "key of a stranger", err, -1)
		f.config.LedgerVerifiers = []string{old.Verifier()}
		f.DB = f.open(t)
		f.storeRecord(t, record("pr:1", 2))
		must(t, f.VerifyLedger(t.Context(), nil))
	})
}

func TestVerifyLedgerShowsProgress(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		for i := range int64(600) { // over one page
			f.storeRecord(t, record(fmt.Sprintf("pr:%d", i), 1))
		}
		var seen [][2]int64
		must(t, f.VerifyLedger(t.Context(), func(done, total int64) { seen = append(seen, [2]int64{done, total}) }))
		if diff := cmp.Diff([][2]int64{{512, 600}, {600, 600}}, seen); diff != "" {
			t.Errorf("progress (-want +got):\n%s", diff)
		}
	})
}
