package engine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Place is where a SQLite database lies, held by this process alone, to put another database
// there. Close it.
type Place struct {
	path string
	lock *os.File
}

// HoldPlace holds the place path, an absolute path. It returns ErrInUse when the service, or
// anybody else, has the database there open.
func HoldPlace(path string) (*Place, error) {
	lock, err := alone(path)
	if err != nil {
		return nil, err
	}
	return &Place{path, lock}, nil
}

// Close lets others in.
func (p *Place) Close() error { return p.lock.Close() }

// Occupied reports whether a database is there.
func (p *Place) Occupied() (bool, error) {
	stat, err := os.Stat(p.path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for a database: %w", err)
	}
	return stat.Size() > 0, nil
}

// Put moves the database file, which is closed and on the same file system, to the place. What is
// there is moved to aside before. Both moves are durable when it returns nil.
func (p *Place) Put(ctx context.Context, file, aside string) error {
	occupied, err := p.Occupied()
	if err == nil && occupied {
		err = p.clear(ctx, aside)
	}
	if err == nil {
		err = os.Rename(file, p.path)
	}
	if err == nil {
		err = SyncFolder(filepath.Dir(p.path))
	}
	if err != nil {
		return fmt.Errorf("putting a database to %s: %w", p.path, err)
	}
	return nil
}

// clear moves the database away. Its WAL is folded into it first, so that it is one file. One that
// is too damaged for that keeps its WAL, which moves with it and before it: a WAL must never lie
// beside a database that it is not of.
func (p *Place) clear(ctx context.Context, aside string) error {
	p.fold(ctx)
	for _, suffix := range []string{"-wal", "-shm", ""} {
		if err := os.Rename(p.path+suffix, aside+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return SyncFolder(filepath.Dir(p.path))
}

// fold opens and closes the database, which folds its WAL. That this fails loses nothing.
func (p *Place) fold(ctx context.Context) {
	db := sql.OpenDB(&patient{dsn: sqliteDSN(p.path, "_txlock=immediate")})
	_ = db.PingContext(ctx)
	_ = db.Close()
}

// PutNew gives the file from the name to in the same folder, durably. It returns fs.ErrExist when
// there is such a name already, and replaces nothing.
func PutNew(from, to string) error {
	err := os.Link(from, to)
	switch {
	case err == nil:
		err = os.Remove(from)
	case errors.Is(err, fs.ErrExist):
		return err
	default:
		// A file system without links: the name is taken first, and then replaced.
		var f *os.File
		if f, err = os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err == nil {
			if err = f.Close(); err == nil {
				err = os.Rename(from, to)
			}
		}
	}
	if err != nil {
		return err
	}
	return SyncFolder(filepath.Dir(to))
}

// SyncFolder makes the names in a folder durable.
func SyncFolder(folder string) error {
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
