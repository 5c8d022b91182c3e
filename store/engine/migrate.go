package engine

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// migrate applies the schema files that the database lacks. It never goes back: a database
// written by a newer Landwaiter is refused.
//
// Several processes may start at once. On PostgreSQL one holds a session lock (asked for each
// second, two minutes long). On SQLite each file is one transaction; who comes second fails
// on its first statement and finds the work done when it looks again.
func (db *DB) migrate(ctx context.Context) error {
	err := db.migrateOnce(ctx)
	for range 2 {
		if err == nil || db.postgres || ctx.Err() != nil {
			break
		}
		err = db.migrateOnce(ctx)
	}
	return err
}

func (db *DB) migrateOnce(ctx context.Context) error {
	provider, err := db.schemaProvider()
	if err != nil {
		return fmt.Errorf("reading the schema: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("updating the schema: %w", err)
	}
	version, err := provider.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("reading the version of the schema: %w", err)
	}
	sources := provider.ListSources()
	if known := sources[len(sources)-1].Version; version > known {
		return fmt.Errorf("the database has schema %d and this Landwaiter knows %d: start the newer version", version, known)
	}
	return nil
}

func (db *DB) schemaProvider() (*goose.Provider, error) {
	folder, dialect := "sqlite", goose.DialectSQLite3
	var options []goose.ProviderOption
	if db.postgres {
		folder, dialect = "postgres", goose.DialectPostgres
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 120))
		if err != nil {
			return nil, err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	files, err := fs.Sub(db.config.Schema, folder)
	if err != nil {
		return nil, fmt.Errorf("folder %s: %w", folder, err)
	}
	return goose.NewProvider(dialect, db.write, files, options...)
}
