package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/landwaiter/landwaiter/store/crash"
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
	crash.Before(crash.Migration)
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("updating the schema: %w", err)
	}
	crash.After(crash.Migration)
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

// Schema returns the number of the newest schema file that the database has, 0 for an empty
// database, and of the newest that this program has. It changes nothing.
func (db *DB) Schema(ctx context.Context) (have, known int64, err error) {
	if known, err = KnownSchema(db.config.Schema, db.postgres); err != nil {
		return 0, 0, err
	}
	find := `SELECT name FROM sqlite_schema WHERE type = 'table' AND name = $1`
	if db.postgres {
		find = `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = $1`
	}
	t := db.Reader(ctx)
	var table string
	err = t.One(find, []any{goose.DefaultTablename}, &table)
	if errors.Is(err, ErrNotFound) {
		return 0, known, nil
	}
	if err == nil {
		err = t.One(`SELECT COALESCE(max(version_id), 0) FROM `+goose.DefaultTablename+` WHERE is_applied`, nil, &have)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("reading the version of the schema: %w", err)
	}
	return have, known, nil
}

// KnownSchema returns the highest number of the schema files for one of the engines.
func KnownSchema(schema fs.FS, postgres bool) (int64, error) {
	folder := "sqlite"
	if postgres {
		folder = "postgres"
	}
	files, err := fs.Glob(schema, folder+"/*.sql")
	if err != nil {
		return 0, fmt.Errorf("reading the schema: %w", err)
	}
	var known int64
	for _, file := range files {
		number, _, _ := strings.Cut(path.Base(file), "_")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("schema file %s: %w", file, err)
		}
		known = max(known, n)
	}
	return known, nil
}
