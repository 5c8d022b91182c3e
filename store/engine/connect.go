package engine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// applicationName is what PostgreSQL lists our connections under, unless the URL says otherwise.
const applicationName = "landwaiter"

// postgresConns is the size of the pool of one process. PostgreSQL allows 100 by default.
const postgresConns = 16

// writerSettings are of SQLite's one writing connection. It keeps up to 16 MiB of pages, which the
// indexes of a long queue fill, and folds the WAL into the file once it has 8,000 pages (32 MiB)
// instead of 1,000: each time costs two fsyncs, and pages that many commits change are written once.
// Twice as many would make the slowest answers to webhooks half as slow again.
const writerSettings = "_txlock=immediate&_pragma=cache_size(-16384)&_pragma=wal_autocheckpoint(8000)"

// IsPostgres reports whether url names a PostgreSQL database.
func IsPostgres(url string) bool {
	return strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://")
}

// SQLitePath returns the absolute path of the SQLite file that url names.
func SQLitePath(url string) (string, error) {
	path := strings.TrimPrefix(strings.TrimPrefix(url, "sqlite:"), "//")
	if path == "" || path == ":memory:" || IsPostgres(url) {
		return "", fmt.Errorf("opening SQLite: %q is not a file", path)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("opening SQLite: %w", err)
	}
	return path, nil
}

// connectSQLite opens the file that url names twice: for the writer, which is one connection whose
// transactions take the write lock when they begin, and for readers, which cannot write.
func (db *DB) connectSQLite(url string) error {
	path, err := SQLitePath(url)
	if err != nil {
		return err
	}
	if db.config.Alone {
		db.lock, err = alone(path)
	} else {
		db.lock, err = share(path, db.config.ReadOnly)
	}
	if err != nil {
		return fmt.Errorf("opening SQLite: %w", err)
	}
	if err := createPrivate(path, db.config.ReadOnly); err != nil {
		return err
	}
	db.path = path
	db.write = sql.OpenDB(&patient{dsn: sqliteDSN(path, writerSettings)})
	db.write.SetMaxOpenConns(1)
	db.read = sql.OpenDB(&patient{dsn: sqliteDSN(path, "_pragma=query_only(1)")})
	db.read.SetMaxOpenConns(max(4, runtime.GOMAXPROCS(0)))
	db.read.SetMaxIdleConns(max(4, runtime.GOMAXPROCS(0)))
	return nil
}

// createPrivate makes the database file readable by its owner only, since payloads of private
// repositories are in it. SQLite gives its WAL the same mode.
func createPrivate(path string, readOnly bool) error {
	flag := os.O_RDWR | os.O_CREATE
	if readOnly {
		flag = os.O_RDONLY
	}
	f, err := os.OpenFile(path, flag, 0o600)
	if err != nil {
		return fmt.Errorf("opening SQLite: %w", err)
	}
	return f.Close()
}

// sqliteDSN names the file at path with the settings that durability rests on. The busy timeout
// comes first, so that it holds for the others.
func sqliteDSN(path, more string) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?_pragma=busy_timeout(" + strconv.FormatInt(busyTimeout.Milliseconds(), 10) + ")&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)" +
		"&_pragma=foreign_keys(1)&" + more
}

func (db *DB) connectPostgres(dsn string) error {
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		// The text of pgx's error holds the URL with its password left out.
		return fmt.Errorf("reading the PostgreSQL URL: %w", err)
	}
	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = applicationName
	}
	if db.config.Alone {
		c.RuntimeParams["application_name"] = applicationName + " alone"
	}
	db.postgres = true
	db.write = stdlib.OpenDB(*c, stdlib.OptionAfterConnect(prepareSession))
	db.write.SetMaxOpenConns(postgresConns)
	db.write.SetMaxIdleConns(postgresConns)
	db.read = db.write
	return nil
}

// prepareSession makes commits durable whatever the server's default is, and plans each statement once
// for a connection: planning costs more than the plans, which are steps in an index whatever
// the parameters are.
func prepareSession(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, "SET synchronous_commit = on; SET plan_cache_mode = force_generic_plan")
	return err
}

// raced says that a transaction lost against another one and may simply run again: PostgreSQL's
// serialization failure, deadlock, and a row that somebody else inserted between our look and
// our write. A unique violation that is no race comes back on the last attempt.
func raced(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	return pg.Code == "40001" || pg.Code == "40P01" || pg.Code == "23505"
}
