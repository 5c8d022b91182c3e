// Package engine is one database, SQLite or PostgreSQL, behind one way to write and one way to
// read: it connects, brings the schema up to date, lets writes share commits, and passes on
// wake-ups between processes.
//
// It knows no table. SQL is text with $1 parameters that both engines understand; the few
// places where they differ ask Postgres or use SkipLocked. Only package store and its parts
// use it.
//
// Start reading at DB.Change, which every write goes through, then at writer.go.
package engine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
)

var (
	// ErrNotFound says that a query has no row.
	ErrNotFound = errors.New("not found")
	// ErrClosed says that the database was closed before the write began, or is open for
	// reading only.
	ErrClosed = errors.New("store is closed")
)

// Config says what to open. All fields but ReadOnly and Alone must be set.
type Config struct {
	// URL is a file path or "sqlite:" and a path, or a "postgres://" or "postgresql://" URL.
	URL string
	// ReadOnly opens an existing database without changing its schema and without a writer.
	ReadOnly bool
	// Alone opens the database for this process alone: Open returns ErrInUse when another one has
	// it open. On SQLite others are kept out until Close; PostgreSQL is only looked at once.
	Alone bool
	// Schema holds the numbered schema files in the folders sqlite and postgres.
	Schema fs.FS
	// Together writes the items that were given to Add and share a commit. It may run more
	// than once for an item. On PostgreSQL it has no transaction around it, which would be three
	// more round trips: it makes do with one statement, and Notify in it.
	Together func(t *Tx, items []any) error
	// Committed is called after each commit, before its callers are answered.
	Committed func(t *Tx)
	Log       *slog.Logger
}

// DB is an open database.
type DB struct {
	config   Config
	path     string // of the SQLite file; "" on PostgreSQL
	postgres bool
	lock     *os.File // on SQLite, see lockName; nil: none is held

	write  *sql.DB // one connection on SQLite, held by writer; the pool on PostgreSQL
	read   *sql.DB // the same pool as write on PostgreSQL
	writer *writer // nil when open for reading only

	wake     chan struct{}
	stop     context.CancelFunc // ends the listener
	finished sync.WaitGroup     // the listener
	closing  sync.Once
}

// Open connects, applies the schema files that the database lacks, and starts the writer.
func Open(ctx context.Context, c Config) (*DB, error) {
	db := &DB{config: c, wake: make(chan struct{}, 1), stop: func() {}}
	if err := db.start(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func (db *DB) start(ctx context.Context) error {
	if err := db.connect(); err != nil {
		return err
	}
	if err := db.Ping(ctx); err != nil {
		return err
	}
	if db.config.Alone && db.postgres {
		if err := db.checkAlone(ctx); err != nil {
			return err
		}
	}
	if db.config.ReadOnly {
		return nil
	}
	if err := db.migrate(ctx); err != nil {
		return err
	}
	if err := db.startWriter(ctx); err != nil {
		return err
	}
	return db.listen()
}

// connect opens the pools without using them.
func (db *DB) connect() error {
	if IsPostgres(db.config.URL) {
		return db.connectPostgres(db.config.URL)
	}
	return db.connectSQLite(db.config.URL)
}

// Path returns the absolute path of the SQLite file, "" on PostgreSQL.
func (db *DB) Path() string { return db.path }

// Postgres says which engine it is.
func (db *DB) Postgres() bool { return db.postgres }

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	if err := db.read.PingContext(ctx); err != nil {
		return fmt.Errorf("reaching the database: %w", err)
	}
	return nil
}

// Close waits for writes that have begun and closes the connections. Later writes return
// ErrClosed. Closing again does nothing.
func (db *DB) Close() error {
	var err error
	db.closing.Do(func() { err = db.close() })
	return err
}

func (db *DB) close() error {
	db.stop()
	db.finished.Wait()
	var errs []error
	if db.writer != nil {
		errs = append(errs, db.writer.close())
	}
	if db.write != nil {
		errs = append(errs, db.write.Close())
	}
	if db.read != nil && db.read != db.write {
		errs = append(errs, db.read.Close())
	}
	if db.lock != nil {
		errs = append(errs, db.lock.Close())
	}
	return errors.Join(errs...)
}
