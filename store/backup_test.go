package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/store"
	"github.com/landwaiter/landwaiter/store/storetest"
)

// public returns what backup and restore are given: the public half of the key.
func (f *fixture) public() store.Config {
	c := f.config
	c.LedgerVerifiers, c.LedgerKey = []string{f.config.LedgerKey.Verifier()}, nil
	return c
}

func (f *fixture) backup(t testing.TB) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "backup.db")
	_, err := store.Backup(t.Context(), f.public(), file, nil)
	must(t, err)
	return file
}

// only fails the test when a folder holds anything else.
func only(t testing.TB, folder string, names ...string) {
	t.Helper()
	found, err := os.ReadDir(folder)
	must(t, err)
	var list []string
	for _, f := range found {
		list = append(list, f.Name())
	}
	if d := cmp.Diff(names, list); d != "" {
		t.Errorf("%s (-want +got):\n%s", folder, d)
	}
}

// TestBackupWhileServing copies again and again while deliveries and reports are written. Each copy
// is whole, and holds all that was acknowledged before it began.
func TestBackupWhileServing(t *testing.T) {
	t.Parallel()
	f := newFixture(t, storetest.SQLite(t))
	ctx, stop := context.WithCancel(t.Context())
	var writing sync.WaitGroup
	var mu sync.Mutex
	acknowledged := 0
	writing.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			if _, err := receive(t.Context(), f.DB, delivery(i)); err != nil {
				t.Errorf("receiving during a backup: %v", err)
				return
			}
			f.storeRecord(t, record(fmt.Sprintf("pr:%d", i), 1))
			mu.Lock()
			acknowledged = i + 1
			mu.Unlock()
		}
	})
	folder := t.TempDir()
	var names []string
	for i := range 5 {
		mu.Lock()
		before := acknowledged
		mu.Unlock()
		name := fmt.Sprintf("backup-%d.db", i)
		names = append(names, name)
		file := filepath.Join(folder, name)
		found, err := store.Backup(t.Context(), f.public(), file, nil)
		must(t, err)
		if found.Head.Size < int64(before) {
			t.Errorf("the copy has %d entries, %d were recorded before", found.Head.Size, before)
		}
		stat, err := os.Stat(file)
		must(t, err)
		if stat.Mode().Perm() != 0o600 || stat.Size() != found.Bytes {
			t.Errorf("the copy has mode %o and %d bytes, want 600 and %d", stat.Mode().Perm(), stat.Size(), found.Bytes)
		}
		if n := len(rowsOf(t, file)["delivery"]) - 1; n < before {
			t.Errorf("the copy has %d deliveries, %d were acknowledged before", n, before)
		}
	}
	stop()
	writing.Wait()
	only(t, folder, names...)
}

func TestBackupRefuses(t *testing.T) {
	t.Parallel()
	f := newFixture(t, storetest.SQLite(t))
	f.storeRecord(t, record("pr:1", 1))
	file := f.backup(t)
	text, err := os.ReadFile(file)
	must(t, err)
	_, err = store.Backup(t.Context(), f.public(), file, nil)
	wantError(t, err, fs.ErrExist)
	if again, err := os.ReadFile(file); err != nil || string(again) != string(text) {
		t.Errorf("the backup there was changed (%v)", err)
	}
	folder := t.TempDir()
	ended, stop := context.WithCancel(t.Context())
	stop()
	_, err = store.Backup(ended, f.public(), filepath.Join(folder, "b"), nil)
	wantError(t, err, context.Canceled)
	_, err = store.Backup(t.Context(), store.Config{URL: "postgres://127.0.0.1/x"}, filepath.Join(folder, "b"), nil)
	wantError(t, err, store.ErrOwnTools)
	f.behindTheBack(t, `UPDATE report SET verdict = 'pass'`)
	_, err = store.Backup(t.Context(), f.public(), filepath.Join(folder, "b"), nil)
	wantTampered(t, "a changed verdict", err, 0)
	only(t, folder)
}

// TestBackupOfARolledBackDatabase finds that the database lacks what the checkpoint file tells of.
func TestBackupOfARolledBackDatabase(t *testing.T) {
	t.Parallel()
	f := newFixture(t, storetest.SQLite(t))
	f.storeRecord(t, record("pr:1", 1))
	file := f.backup(t)
	f.storeRecord(t, record("pr:1", 2))
	c := f.public()
	c.URL = file
	_, err := store.Backup(t.Context(), c, filepath.Join(t.TempDir(), "b"), nil)
	wantTampered(t, "an older database", err, 1)
}

// TestS07Restore restores a backup on a machine that has nothing but the keys: all is there, and the
// service goes on.
func TestS07Restore(t *testing.T) {
	t.Parallel()
	f := newFixture(t, storetest.SQLite(t))
	for i := range 5 {
		f.storeRecord(t, record("pr:1", int64(i+1)))
		_, err := receive(t.Context(), f.DB, delivery(i))
		must(t, err)
	}
	file := f.backup(t)
	want := rowsOf(t, f.config.URL)
	must(t, f.Close())
	other := &fixture{clock: f.clock, config: f.config}
	other.config.URL = storetest.SQLite(t)
	done, err := store.Restore(t.Context(), other.public(), file, store.RestoreOptions{}, nil)
	must(t, err)
	if done.Head.Size != 5 || done.Lacks() != 0 || done.Aside != "" {
		t.Errorf("restored %+v", done)
	}
	if d := cmp.Diff(want, rowsOf(t, other.config.URL)); d != "" {
		t.Errorf("rows (-before +restored):\n%s", d)
	}
	only(t, filepath.Dir(other.config.URL), "landwaiter.db", "landwaiter.db.lock")
	other.DB = other.open(t)
	other.storeRecord(t, record("pr:1", 6))
	must(t, other.VerifyLedger(t.Context(), nil))
}

// TestRestoreRefuses leaves the place as it was.
func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	f := newFixture(t, storetest.SQLite(t))
	f.storeRecord(t, record("pr:1", 1))
	good := f.backup(t)
	text, err := os.ReadFile(good)
	must(t, err)
	replace := store.RestoreOptions{Replace: true}

	_, err = store.Restore(t.Context(), f.public(), good, replace, nil)
	wantError(t, err, store.ErrInUse) // it runs
	must(t, f.Close())
	reader := f.config
	reader.ReadOnly = true
	open, err := store.Open(t.Context(), reader)
	must(t, err)
	_, err = store.Restore(t.Context(), f.public(), good, replace, nil)
	wantError(t, err, store.ErrInUse) // somebody reads it
	must(t, open.Close())
	_, err = store.Restore(t.Context(), f.public(), good, store.RestoreOptions{}, nil)
	wantError(t, err, store.ErrOccupied)

	file := func(name, content string) string {
		path := filepath.Join(t.TempDir(), name)
		must(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	changed := func(statement string) string {
		path := file("changed.db", string(text))
		db, err := sql.Open("sqlite", path)
		must(t, err)
		_, err = db.Exec(statement)
		must(t, errors.Join(err, db.Close()))
		return path
	}
	inUse := file("inuse.db", string(text))
	must(t, os.WriteFile(inUse+"-wal", []byte("x"), 0o600))
	flipped := slices.Clone(text)
	for i := 4096; i < len(flipped); i += 4096 {
		flipped[i+5] ^= 0xff // in the head of each page of a table or index
	}
	stranger := newFixture(t, storetest.SQLite(t))
	stranger.storeRecord(t, record("pr:1", 1))
	before := rowsOf(t, f.config.URL)
	for name, c := range map[string]struct{ file, says string }{
		"not there":            {filepath.Join(t.TempDir(), "none"), "no such file"},
		"empty":                {file("empty", ""), "not a database of Landwaiter"},
		"no database":          {file("text", strings.Repeat("no database ", 1000)), "not a database"},
		"cut":                  {file("cut", string(text[:len(text)/2])), ""},
		"damaged":              {file("damaged", string(flipped)), ""},
		"a newer schema":       {changed(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`), "use the newer version"},
		"a changed ledger":     {changed(`UPDATE report SET verdict = 'pass'`), "ledger entry 0"},
		"another key's ledger": {stranger.backup(t), "not one of ours"},
		"the database itself":  {strings.TrimPrefix(f.config.URL, "sqlite:"), "is the database itself"},
		"copied while in use":  {inUse, "no backup"},
	} {
		_, err := store.Restore(t.Context(), f.public(), c.file, replace, nil)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want an error that says %q", name, err, c.says)
		}
	}
	if d := cmp.Diff(before, rowsOf(t, f.config.URL)); d != "" {
		t.Errorf("the database was changed by refused restores:\n%s", d)
	}
	done, err := store.Restore(t.Context(), f.public(), good, replace, nil)
	must(t, err)
	only(t, filepath.Dir(f.config.URL), "landwaiter.db", "landwaiter.db.lock", filepath.Base(done.Aside))
	if d := cmp.Diff(before, rowsOf(t, done.Aside)); d != "" {
		t.Errorf("what was there is not what was moved aside:\n%s", d)
	}
}

// TestRestoreOverADamagedDatabase is what a backup is for.
func TestRestoreOverADamagedDatabase(t *testing.T) {
	t.Parallel()
	f := newFixture(t, storetest.SQLite(t))
	f.storeRecord(t, record("pr:1", 1))
	good := f.backup(t)
	must(t, f.Close())
	must(t, os.WriteFile(f.config.URL, []byte(strings.Repeat("zeros ", 5000)), 0o600))
	must(t, os.WriteFile(f.config.URL+"-wal", []byte("rest of a WAL"), 0o600))
	done, err := store.Restore(t.Context(), f.public(), good, store.RestoreOptions{Replace: true}, nil)
	must(t, err)
	if _, err := os.Stat(f.config.URL + "-wal"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a WAL of the damaged database lies beside the restored one: %v", err)
	}
	if text, err := os.ReadFile(done.Aside); err != nil || !strings.HasPrefix(string(text), "zeros") {
		t.Errorf("the damaged database was not moved aside: %v", err)
	}
	f.DB = f.open(t)
	must(t, f.VerifyLedger(t.Context(), nil))
}

// older restores a backup that lacks two entries of three, as a person may who has no newer one.
func (f *fixture) older(t *testing.T) {
	t.Helper()
	f.storeRecord(t, record("pr:1", 1))
	file := f.backup(t)
	f.storeRecord(t, record("pr:1", 2))
	f.storeRecord(t, record("pr:1", 3))
	must(t, f.Close())
	var lacking *store.OlderError
	_, err := store.Restore(t.Context(), f.public(), file, store.RestoreOptions{Replace: true}, nil)
	if !errors.As(err, &lacking) || lacking.Lacks() != 2 {
		t.Fatalf("got %v, want an OlderError about 2 entries", err)
	}
	if n := len(rowsOf(t, f.config.URL)["report"]) - 1; n != 3 {
		t.Fatalf("%d reports after a refused restore, want 3", n)
	}
	_, err = store.Restore(t.Context(), f.public(), file, store.RestoreOptions{Replace: true, Older: true}, nil)
	must(t, err)
	_, err = store.Open(t.Context(), f.config)
	wantTampered(t, "an older database", err, 1)
}

func (f *fixture) ledgerFiles() store.LedgerFiles {
	key, rotations := f.keyFiles()
	return store.LedgerFiles{Key: key, Rotations: rotations, Checkpoint: f.config.CheckpointFile, Endings: key + ".endings"}
}

// TestRestartLedger goes on after an older backup: the old key signs no other tree, the new ledger
// begins with what is left, and the end is signed by both.
func TestRestartLedger(t *testing.T) {
	t.Parallel()
	f := newFixture(t, storetest.SQLite(t))
	f.older(t)
	known, err := os.ReadFile(f.config.CheckpointFile)
	must(t, err)
	files := f.ledgerFiles()
	plain := store.Config{URL: f.config.URL, Now: f.config.Now}

	var lost *store.LostError
	if _, err := store.RestartLedger(t.Context(), plain, files, 1, nil); !errors.As(err, &lost) || lost.Known-lost.Kept != 2 {
		t.Fatalf("another number: got %v, want a LostError about 2 entries", err)
	}
	only(t, filepath.Dir(files.Key), "checkpoint", "ledger.key")
	_, err = store.Open(t.Context(), f.config)
	wantTampered(t, "after a refused restart", err, 1)

	e, err := store.RestartLedger(t.Context(), plain, files, 2, nil)
	must(t, err)
	last, err := e.Check()
	must(t, err)
	if last.Size != 3 || e.Kept != 1 || e.Old != f.config.LedgerKey.Verifier() || !strings.HasPrefix(e.New, "landwaiter.example/ledger/2+") {
		t.Errorf("the ending is %+v of %+v", e, last)
	}
	if text, _, _ := strings.Cut(string(known), "\n\n"); !strings.HasPrefix(e.Note, text+"\n") {
		t.Errorf("the old key signed another tree than it had signed:\n%s\nknown:\n%s", e.Note, known)
	}
	f.config.LedgerKey, err = store.ReadLedgerKey(files.Key)
	must(t, err)
	if f.config.LedgerKey.Verifier() != e.New {
		t.Error("the key is not the new one")
	}
	f.DB = f.open(t)
	f.storeRecord(t, record("pr:1", 4))
	must(t, f.VerifyLedger(t.Context(), nil))
	only(t, filepath.Dir(files.Key), "checkpoint", "ledger.key", "ledger.key.endings", filepath.Base(files.Rotations))
	must(t, f.Close())
	_, err = store.RestartLedger(t.Context(), plain, files, 2, nil)
	wantError(t, err, store.ErrNothingLost)
	f.DB = f.open(t)
}

// TestRestartLedgerAgain interrupts it after each of its steps: doing it again finishes the same.
func TestRestartLedgerAgain(t *testing.T) {
	t.Parallel()
	f := newFixture(t, storetest.SQLite(t))
	f.older(t)
	files := f.ledgerFiles()
	saved := func() map[string][]byte {
		kept := map[string][]byte{}
		for _, path := range []string{files.Key, files.Checkpoint, files.Endings, files.Rotations} {
			if b, err := os.ReadFile(path); err == nil {
				kept[path] = b
			}
		}
		return kept
	}
	before := saved()
	next := files.Key + ".next"
	plain := store.Config{URL: f.config.URL, Now: f.config.Now}
	e, err := store.RestartLedger(t.Context(), plain, files, 2, nil)
	must(t, err)
	after := saved()
	// As after a stop behind the step: files that came later are put back to what they were.
	for name, late := range map[string][]string{
		"checkpoints signed": {files.Endings, files.Rotations, files.Checkpoint, files.Key},
		"ending written":     {files.Rotations, files.Checkpoint, files.Key},
		"checkpoint written": {files.Key},
	} {
		for path, b := range after {
			must(t, os.WriteFile(path, b, 0o600))
		}
		must(t, os.WriteFile(next, after[files.Key], 0o600))
		for _, path := range late {
			must(t, os.RemoveAll(path))
			if b, ok := before[path]; ok {
				must(t, os.WriteFile(path, b, 0o600))
			}
		}
		again, err := store.RestartLedger(t.Context(), plain, files, 2, nil)
		must(t, err)
		if d := cmp.Diff(e, again); d != "" {
			t.Errorf("%s (-first +again):\n%s", name, d)
		}
		if d := cmp.Diff(after, saved()); d != "" {
			t.Errorf("%s: files (-first +again):\n%s", name, d)
		}
	}
	f.config.LedgerKey, err = store.ReadLedgerKey(files.Key)
	must(t, err)
	f.DB = f.open(t)
	must(t, f.VerifyLedger(t.Context(), nil))
}

// TestSchema says how far a schema is, of databases that are not there, old and current.
func TestSchema(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := store.Config{URL: url(t)}
			empty, err := store.Schema(t.Context(), c)
			must(t, err)
			if empty.Have != 0 || empty.Known < 1 {
				t.Errorf("an empty database: %+v", empty)
			}
			var starting sync.WaitGroup
			for range 3 {
				starting.Go(func() {
					if err := store.Migrate(t.Context(), c); err != nil {
						t.Errorf("migrating beside others: %v", err)
					}
				})
			}
			starting.Wait()
			full, err := store.Schema(t.Context(), c)
			must(t, err)
			if full.Have != empty.Known {
				t.Errorf("after migrating: %+v, want %d", full, empty.Known)
			}
		})
	}
}
