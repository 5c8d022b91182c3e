package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/landwaiter/landwaiter/store/engine"
)

// ErrOccupied says that a database is where a backup should go.
var ErrOccupied = errors.New("there is a database already")

// OlderError says that a backup lacks entries of the ledger that the checkpoint file tells of.
// With it the service would not start: see RestartLedger.
type OlderError struct{ Inspected }

// Error says how much is lacking.
func (e *OlderError) Error() string {
	return fmt.Sprintf("the backup holds %d entries of the ledger, but the checkpoint file tells of %d: the last %d were recorded after the backup",
		e.Head.Size, e.Outside.Size, e.Lacks())
}

// RestoreOptions are what a person must say to Restore. The zero value destroys nothing.
type RestoreOptions struct {
	Replace bool // a database that is there is moved aside
	Older   bool // a backup that lacks entries of the ledger is taken nevertheless
}

// Restored is what Restore did.
type Restored struct {
	Inspected
	Aside string // where the database went that was there; "" when there was none
}

// Restore puts the backup file in the place of c's SQLite database, after the same verification
// as in Backup. Either the place is as it was, or it holds the backup. The checkpoint file stays.
//
// It returns ErrInUse while somebody has the database there open, ErrOccupied without
// options.Replace, an OlderError without options.Older, a TamperedError when the ledger in the
// backup is not what was signed or not what the checkpoint file tells of, and ErrOwnTools for
// PostgreSQL.
func Restore(ctx context.Context, c Config, file string, options RestoreOptions, p Progress) (done Restored, err error) {
	if engine.IsPostgres(c.URL) {
		return done, ErrOwnTools
	}
	path, err := engine.SQLitePath(c.URL)
	if err != nil {
		return done, err
	}
	place, err := engine.HoldPlace(path)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, place.Close()) }()
	occupied, err := place.Occupied()
	if err == nil && occupied && !options.Replace {
		err = fmt.Errorf("%s: %w", path, ErrOccupied)
	}
	if err != nil {
		return done, err
	}
	work, err := os.MkdirTemp(filepath.Dir(path), ".restore-*")
	if err != nil {
		return done, fmt.Errorf("making room for the backup: %w", err)
	}
	// After the last step it is empty, and after a fault of no use.
	defer func() { _ = os.RemoveAll(work) }()
	part := filepath.Join(work, "landwaiter.db")
	if err := copyBackup(ctx, file, path, part); err != nil {
		return done, err
	}
	if c.CheckpointFile == "" {
		c.CheckpointFile = path + ".checkpoint"
	}
	c.URL = part
	if done.Inspected, err = inspect(ctx, c, p); err != nil {
		return done, fmt.Errorf("verifying the backup: %w", err)
	}
	if done.Lacks() > 0 && !options.Older {
		return done, &OlderError{done.Inspected}
	}
	if occupied {
		now := time.Now
		if c.Now != nil {
			now = c.Now
		}
		done.Aside = path + ".replaced-" + now().UTC().Format("20060102T150405.000Z")
		if _, err := os.Lstat(done.Aside); !errors.Is(err, fs.ErrNotExist) {
			return done, errors.Join(fmt.Errorf("%s: %w", done.Aside, fs.ErrExist), err)
		}
	}
	return done, place.Put(ctx, part, done.Aside)
}

// copyBackup copies the backup file to part. It refuses what is no backup: the database at path
// itself, and one that was copied while in use.
func copyBackup(ctx context.Context, file, path, part string) (err error) {
	in, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("reading the backup: %w", err)
	}
	defer in.Close()
	stat, err := in.Stat()
	if err != nil {
		return fmt.Errorf("reading the backup: %w", err)
	}
	if there, err := os.Stat(path); err == nil && os.SameFile(there, stat) {
		return fmt.Errorf("reading the backup: %s is the database itself", file)
	}
	if wal, err := os.Stat(file + "-wal"); err == nil && wal.Size() > 0 {
		return fmt.Errorf("reading the backup: %s-wal lies beside it, so it is a database in use and no backup; make one with landwaiter backup", file)
	}
	out, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("copying the backup: %w", err)
	}
	_, err = io.Copy(out, &stoppable{ctx, in})
	if err == nil {
		err = out.Sync()
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("copying the backup: %w", err)
	}
	return nil
}

// stoppable reads until its context ends.
type stoppable struct {
	ctx context.Context
	r   io.Reader
}

// Read implements io.Reader.
func (s *stoppable) Read(b []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.r.Read(b)
}
