package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/landwaiter/landwaiter/store/engine"
	"github.com/landwaiter/landwaiter/store/ledger"
)

// ErrOwnTools says that the database is a PostgreSQL one, which is backed up and restored with
// PostgreSQL's own tools.
var ErrOwnTools = errors.New("PostgreSQL is backed up with its own tools, pg_dump and pg_restore: docs/backup.md")

// Inspected is what was found in a whole copy of a database: its structure and its ledger are
// right.
type Inspected struct {
	Schema  int64             // number of its newest schema file
	Head    ledger.Checkpoint // the newest in it
	Outside ledger.Checkpoint // the newest in the checkpoint file; zero without a file
	Bytes   int64             // of the copy
}

// Lacks is how many entries the copy lacks that the checkpoint file tells of.
func (i Inspected) Lacks() int64 { return max(0, i.Outside.Size-i.Head.Size) }

// Progress is told what is being done, and how much of it is done: pages, or entries. It may be nil.
type Progress func(doing string, done, total int64)

// of returns the function that reports one kind of work.
func (p Progress) of(doing string) func(done, total int64) {
	if p == nil {
		return nil
	}
	return func(done, total int64) { p(doing, done, total) }
}

// Backup writes a copy of c's SQLite database to file, while others use it, and verifies the copy:
// its structure, its whole ledger, and that this continues the checkpoint file as it was before.
// Nothing has the name file until then, and then it is durable, with mode 0600.
//
// The copy holds neither the ledger's key nor the checkpoint file. Backup returns fs.ErrExist when
// file is there already, ErrOwnTools for PostgreSQL, and a TamperedError when the ledger is not
// what was signed.
func Backup(ctx context.Context, c Config, file string, p Progress) (Inspected, error) {
	if engine.IsPostgres(c.URL) {
		return Inspected{}, ErrOwnTools
	}
	path, err := engine.SQLitePath(c.URL)
	if err != nil {
		return Inspected{}, err
	}
	if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
		return Inspected{}, errors.Join(fmt.Errorf("%s: %w", file, fs.ErrExist), err)
	}
	work, err := os.MkdirTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		return Inspected{}, fmt.Errorf("making room for the backup: %w", err)
	}
	// What is left in it is of no use to anybody.
	defer func() { _ = os.RemoveAll(work) }()
	// The checkpoint must be taken before the database: then the copy continues it.
	c.CheckpointFile, err = keepCheckpoint(c.CheckpointFile, path, work)
	if err != nil {
		return Inspected{}, err
	}
	part := filepath.Join(work, "landwaiter.db")
	if err := engine.CopySQLite(ctx, path, part, p.of("copying pages")); err != nil {
		return Inspected{}, err
	}
	c.URL = part
	found, err := inspect(ctx, c, p)
	if err != nil {
		return found, fmt.Errorf("verifying the copy: %w", err)
	}
	if n := found.Lacks(); n > 0 {
		return found, fmt.Errorf("verifying the copy: %w", &TamperedError{Index: found.Head.Size, Detail: fmt.Sprintf(
			"the ledger ends here, but the checkpoint file tells of %d entries more", n)})
	}
	return found, engine.PutNew(part, file)
}

// keepCheckpoint copies the checkpoint file, by default the one beside the database at path, into
// folder and returns the copy's name.
func keepCheckpoint(file, path, folder string) (string, error) {
	if file == "" {
		file = path + ".checkpoint"
	}
	kept := filepath.Join(folder, "checkpoint")
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return kept, nil
	}
	if err == nil {
		err = os.WriteFile(kept, text, 0o600)
	}
	if err != nil {
		return "", fmt.Errorf("reading the checkpoint file: %w", err)
	}
	return kept, nil
}

// inspect checks the whole SQLite database that c names, and compares it with the checkpoint file.
// Nobody else uses it.
func inspect(ctx context.Context, c Config, p Progress) (found Inspected, err error) {
	c.ReadOnly, c.bare, c.alone = true, true, false
	stat, err := os.Stat(c.URL)
	if err != nil {
		return found, err
	}
	found.Bytes = stat.Size()
	db, err := Open(ctx, c)
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var known int64
	if found.Schema, known, err = db.engine.Schema(ctx); err != nil {
		return found, err
	}
	if found.Schema == 0 {
		return found, errors.New("it is not a database of Landwaiter")
	}
	if found.Schema > known {
		return found, fmt.Errorf("it has schema %d and this Landwaiter knows %d: use the newer version", found.Schema, known)
	}
	if err := db.engine.Intact(ctx); err != nil {
		return found, err
	}
	err = db.engine.Snapshot(ctx, func(t *engine.Tx) error {
		if found.Head, err = db.ledger.VerifyInside(t, p.of("verifying ledger entries")); err != nil {
			return err
		}
		found.Outside, err = db.ledger.Outside(t, found.Head)
		return err
	})
	return found, err
}
