package store_test

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/store"
	"github.com/landwaiter/landwaiter/store/storetest"
)

// tool runs one of PostgreSQL's own tools as docs/backup.md says.
func tool(t *testing.T, name string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("needs %s: apt-get install postgresql-client", name)
	}
	if out, err := exec.Command(path, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// TestS07PostgresOwnTools backs up with pg_dump while the store is open, and restores with pg_restore
// into an empty database: all is there, the store goes on, and a dump that is too old is refused
// until the ledger is started again.
func TestS07PostgresOwnTools(t *testing.T) {
	t.Parallel()
	f := newFixture(t, storetest.Postgres(t))
	f.storeRecord(t, record("pr:1", 1))
	dump := func(name string) string {
		file := filepath.Join(t.TempDir(), name)
		tool(t, "pg_dump", "--format=custom", "--file="+file, f.config.URL)
		return file
	}
	older := dump("older.dump")
	f.storeRecord(t, record("pr:1", 2))
	newest := dump("newest.dump")
	want := rowsOf(t, f.config.URL)
	must(t, f.Close())

	restored := &fixture{clock: f.clock, config: f.config}
	restored.config.URL = storetest.Postgres(t)
	tool(t, "pg_restore", "--no-owner", "--exit-on-error", "--single-transaction", "--dbname="+restored.config.URL, newest)
	if d := cmp.Diff(want, rowsOf(t, restored.config.URL)); d != "" {
		t.Errorf("rows (-before +restored):\n%s", d)
	}
	restored.DB = restored.open(t)
	must(t, restored.VerifyLedger(t.Context(), nil))
	restored.storeRecord(t, record("pr:1", 3))
	must(t, restored.Close())

	late := &fixture{clock: f.clock, config: f.config}
	late.config.URL = storetest.Postgres(t)
	tool(t, "pg_restore", "--no-owner", "--exit-on-error", "--single-transaction", "--dbname="+late.config.URL, older)
	_, err := store.Open(t.Context(), late.config)
	wantTampered(t, "an older dump", err, 1)
	files := late.ledgerFiles()
	_, err = store.RestartLedger(t.Context(), store.Config{URL: late.config.URL}, files, 2, nil)
	must(t, err)
	late.config.LedgerKey, err = store.ReadLedgerKey(files.Key)
	must(t, err)
	late.DB = late.open(t)
	late.storeRecord(t, record("pr:1", 2))
	must(t, late.VerifyLedger(t.Context(), nil))
}
