package engine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	"modernc.org/sqlite"
)

// copyPages is how many pages, of 4 KiB each, are copied between two looks at the context.
const copyPages = 2048

// CopySQLite copies the SQLite database at from, as it is at one moment, into the file to, which
// must not exist and gets mode 0600. Others may read and write meanwhile: the copy reads from one
// snapshot and holds up nobody, but the WAL of a busy database grows until it is done. The copy is
// durable, its name is not until its folder is synced. progress, which may be nil, is told pages.
//
// After an error the file to is gone.
func CopySQLite(ctx context.Context, from, to string, progress func(done, total int64)) error {
	if _, err := os.Stat(from); err != nil {
		return fmt.Errorf("copying the database: %w", err)
	}
	f, err := os.OpenFile(to, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("copying the database: %w", err)
	}
	err = copySQLite(ctx, from, to, progress)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("copying the database: %w", err), os.Remove(to))
	}
	return nil
}

func copySQLite(ctx context.Context, from, to string, progress func(done, total int64)) error {
	db := sql.OpenDB(&patient{dsn: sqliteDSN(from, "_pragma=query_only(1)")})
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	// In a transaction that has read, the pages stay those of one snapshot, and a commit by
	// somebody else does not make the copy start again.
	var tables int64
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return err
	}
	if err := conn.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
		return err
	}
	return conn.Raw(func(native any) error { return copyAll(ctx, native, to, progress) })
}

// copyAll copies all pages of the connection native in its open transaction.
func copyAll(ctx context.Context, native any, to string, progress func(done, total int64)) error {
	source, ok := native.(interface {
		NewBackup(to string) (*sqlite.Backup, error)
	})
	if !ok {
		return fmt.Errorf("the driver %T cannot copy", native)
	}
	target, err := source.NewBackup(to)
	if err != nil {
		return err
	}
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return errors.Join(err, target.Finish())
		}
		if more, err = target.Step(copyPages); err != nil {
			return errors.Join(err, target.Finish())
		}
		if total := target.PageCount(); progress != nil {
			progress(int64(total-target.Remaining()), int64(total))
		}
	}
	return target.Finish()
}

// Intact checks the structure of a SQLite database: every page, row, index and reference. On
// PostgreSQL, which has tools of its own for that, it does nothing.
func (db *DB) Intact(ctx context.Context) error {
	if db.postgres {
		return nil
	}
	t := db.Reader(ctx)
	var faults []error
	err := t.Each("PRAGMA integrity_check(10)", nil, func(rows *sql.Rows) error {
		var text string
		err := rows.Scan(&text)
		if text != "ok" {
			faults = append(faults, errors.New(text))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("checking the database: %w", err)
	}
	err = t.Each("PRAGMA foreign_key_check", nil, func(rows *sql.Rows) error {
		var table, parent string
		var row, key any
		err := rows.Scan(&table, &row, &parent, &key)
		if len(faults) < 10 {
			faults = append(faults, fmt.Errorf("row %v of %s names a row of %s that is not there", row, table, parent))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("checking the references of the database: %w", err)
	}
	if len(faults) > 0 {
		return fmt.Errorf("the database is damaged: %w", errors.Join(faults...))
	}
	return nil
}
