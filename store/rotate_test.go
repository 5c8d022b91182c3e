package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/store"
	"github.com/landwaiter/landwaiter/store/ledger"
)

// keyFiles returns the fixture's key file and where its rotations go.
func (f *fixture) keyFiles() (key, rotations string) {
	folder := filepath.Dir(f.config.CheckpointFile)
	return filepath.Join(folder, "ledger.key"), filepath.Join(folder, "ledger.rotations")
}

// useNewKey makes the fixture's configuration that of a process started after a rotation.
func (f *fixture) useNewKey(t testing.TB) {
	t.Helper()
	key, rotations := f.keyFiles()
	var err error
	f.config.LedgerKey, err = store.ReadLedgerKey(key)
	must(t, err)
	f.config.LedgerRotations, err = store.ReadRotations(rotations)
	must(t, err)
}

func TestRotateLedgerKey(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		keyFile, rotationsFile := f.keyFiles()
		f.storeRecord(t, record("pr:1", 1))
		f.storeRecord(t, record("pr:1", 2))
		old := f.config
		r, err := store.RotateLedgerKey(t.Context(), store.Config{URL: old.URL, Now: old.Now, CheckpointFile: old.CheckpointFile}, keyFile, rotationsFile)
		must(t, err)
		if c, err := r.Check(); err != nil || c.Size != 2 || r.Old != old.LedgerKey.Verifier() {
			t.Errorf("rotation %+v: %+v, %v", r, c, err)
		}
		for _, path := range []string{keyFile, rotationsFile} {
			if stat, err := os.Stat(path); err != nil || stat.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v, want mode 600", path, stat.Mode(), err)
			}
		}
		if _, err := os.Stat(keyFile + ".next"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the next key's file is still there: %v", err)
		}

		// Who still has the old key appends nothing: running, started again, with half the files.
		_, err = f.Record(t.Context(), record("pr:1", 3))
		wantError(t, err, store.ErrKeyRotated)
		_, err = store.Open(t.Context(), old)
		wantError(t, err, store.ErrKeyRotated)
		old.LedgerRotations = []ledger.Rotation{r}
		_, err = store.Open(t.Context(), old)
		wantError(t, err, store.ErrKeyRotated)

		// Who has the new one goes on, and the whole ledger still holds.
		f.useNewKey(t)
		db := f.open(t)
		out, err := db.Record(t.Context(), record("pr:1", 3))
		must(t, err)
		if _, err := ledger.OpenCheckpoint(out.Checkpoint, f.config.LedgerKey.Origin(), r.New); err != nil {
			t.Errorf("the next checkpoint is not of the new key: %v", err)
		}
		must(t, db.VerifyLedger(t.Context(), nil))
		if _, err = f.Record(t.Context(), record("pr:1", 4)); err == nil || !strings.Contains(err.Error(), "rotated") {
			t.Errorf("the old process appends after the new one: %v", err)
		}
		p, err := db.Prove(t.Context(), 1)
		must(t, err)
		if _, err := p.Verify(r.New); err != nil {
			t.Errorf("an old report is not proven under the new key: %v", err)
		}

		// A stolen old key is worth nothing beyond the size at which it was replaced.
		c, err := ledger.OpenCheckpoint(out.Checkpoint, f.config.LedgerKey.Origin(), r.New)
		must(t, err)
		forged, err := old.LedgerKey.Sign(c)
		must(t, err)
		f.behindTheBack(t, `UPDATE ledger_checkpoint SET note = '`+forged+`' WHERE size = 3`)
		wantTampered(t, "signed by the replaced key", db.VerifyLedger(t.Context(), nil), 2)
	})
}

// TestRotateLedgerKeyAgain: wherever it was interrupted, doing it again finishes the same one.
func TestRotateLedgerKeyAgain(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		keyFile, rotationsFile := f.keyFiles()
		f.storeRecord(t, record("pr:1", 1))
		must(t, f.Close())
		before, err := os.ReadFile(keyFile)
		must(t, err)
		config := store.Config{URL: f.config.URL, Now: f.config.Now, CheckpointFile: f.config.CheckpointFile}
		next, err := store.LedgerKey(keyFile+".next", f.config.LedgerKey.Origin()) // interrupted after the first step
		must(t, err)
		first, err := store.RotateLedgerKey(t.Context(), config, keyFile, rotationsFile)
		must(t, err)
		if first.New != next.Verifier() {
			t.Errorf("rotated to %s, not to the key that was ready, %s", first.New, next)
		}
		for _, interrupted := range []string{"before the rotation was written", "before the key was replaced"} {
			must(t, os.WriteFile(keyFile, before, 0o600))
			must(t, os.WriteFile(keyFile+".next", []byte(next.Text()), 0o600))
			if strings.Contains(interrupted, "rotation was written") {
				must(t, os.Remove(rotationsFile))
			}
			again, err := store.RotateLedgerKey(t.Context(), config, keyFile, rotationsFile)
			must(t, err)
			if diff := cmp.Diff(first, again); diff != "" {
				t.Errorf("%s (-first +again):\n%s", interrupted, diff)
			}
			f.useNewKey(t)
			if len(f.config.LedgerRotations) != 1 {
				t.Errorf("%s: %d rotations", interrupted, len(f.config.LedgerRotations))
			}
		}
		// Twice more, at one size and with an entry between: every key of the past is known.
		_, err = store.RotateLedgerKey(t.Context(), config, keyFile, rotationsFile)
		must(t, err)
		f.useNewKey(t)
		f.DB = f.open(t)
		f.storeRecord(t, record("pr:1", 2))
		must(t, f.Close())
		_, err = store.RotateLedgerKey(t.Context(), config, keyFile, rotationsFile)
		must(t, err)
		f.useNewKey(t)
		f.DB = f.open(t)
		f.storeRecord(t, record("pr:1", 3))
		must(t, f.VerifyLedger(t.Context(), nil))
		if got, err := ledger.Successor(first.Old, f.config.LedgerRotations); err != nil || got != f.config.LedgerKey.Verifier() {
			t.Errorf("from the first key: %s, %v, want %s", got, err, f.config.LedgerKey)
		}
	})
}

// TestRotateLedgerKeyRefuses: a ledger that was changed is not passed on.
func TestRotateLedgerKeyRefuses(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		keyFile, rotationsFile := f.keyFiles()
		f.storeRecord(t, record("pr:1", 1))
		f.storeRecord(t, record("pr:1", 2))
		must(t, f.Close())
		config := store.Config{URL: f.config.URL, Now: f.config.Now, CheckpointFile: f.config.CheckpointFile}
		must(t, os.WriteFile(rotationsFile, []byte("{"), 0o600))
		if _, err := store.RotateLedgerKey(t.Context(), config, keyFile, rotationsFile); err == nil || !strings.Contains(err.Error(), "rotations") {
			t.Errorf("a damaged file of rotations: %v", err)
		}
		must(t, os.Remove(rotationsFile))
		f.behindTheBack(t, `UPDATE ledger_hash SET hash = (SELECT hash FROM ledger_hash WHERE id = 0) WHERE id = 2`)
		_, err := store.RotateLedgerKey(t.Context(), config, keyFile, rotationsFile)
		var tampered *store.TamperedError
		if !errors.As(err, &tampered) {
			t.Errorf("a changed ledger is passed on: %v", err)
		}
		if key, err := store.ReadLedgerKey(keyFile); err != nil || key.Verifier() != f.config.LedgerKey.Verifier() {
			t.Errorf("the key was replaced all the same: %v, %v", key, err)
		}
	})
}
