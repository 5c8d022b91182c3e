package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// ErrInUse says that another process, most likely the service, has the database open, or that
// one is restoring it.
var ErrInUse = errors.New("another process has the database open; stop the service first")

// lockName is what the path of a SQLite file gets to name its lock file. Everybody who has the
// database open holds a shared lock on that file; who replaces the database holds it alone.
// SQLite's own locks are on the database itself, which a replacement takes away.
const lockName = ".lock"

// share takes the shared lock of the SQLite file at path until the file returned is closed. For
// reading only, a lock file that is not there is not made: the folder may be read-only.
func share(path string, readOnly bool) (*os.File, error) {
	flag := os.O_RDWR | os.O_CREATE
	if readOnly {
		flag = os.O_RDONLY
	}
	f, err := os.OpenFile(path+lockName, flag, 0o600)
	if readOnly && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening the lock file: %w", err)
	}
	if err := lockFile(f, false); err != nil {
		return nil, errors.Join(fmt.Errorf("locking %s: %w", path, err), f.Close())
	}
	return f, nil
}

// alone takes the lock of the SQLite file at path for this process alone, or returns ErrInUse.
func alone(path string) (*os.File, error) {
	f, err := os.OpenFile(path+lockName, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock file: %w", err)
	}
	if err := lockFile(f, true); err != nil {
		return nil, errors.Join(fmt.Errorf("locking %s: %w", path, err), f.Close())
	}
	return f, nil
}

// checkAlone returns ErrInUse when another Landwaiter is connected to the same PostgreSQL
// database. One that connects later is not kept out.
func (db *DB) checkAlone(ctx context.Context) error {
	var others int64
	err := db.Reader(ctx).One(`SELECT count(*) FROM pg_stat_activity
		WHERE datname = current_database() AND application_name = $1`, []any{applicationName}, &others)
	if err != nil {
		return fmt.Errorf("looking for other connections: %w", err)
	}
	if others > 0 {
		return fmt.Errorf("%d connections of it: %w", others, ErrInUse)
	}
	return nil
}
