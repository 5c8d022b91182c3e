package engine

import (
	"context"
	"database/sql"
	"fmt"
)

// queryer is what *sql.DB, *sql.Conn and *sql.Tx have in common.
type queryer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Tx is one transaction, or a plain connection for reading. It carries its context as sql.Tx
// does, and on SQLite the prepared statements of the writer's connection.
type Tx struct {
	// Memo is the caller's own, shared by all writes of the transaction. It starts as nil.
	Memo any

	db    *DB
	ctx   context.Context
	on    queryer
	stmts map[string]*sql.Stmt // nil: the driver caches by itself (pgx), or nothing is hot
	woke  bool
}

// Reader returns a Tx over the read pool: each statement sees the newest commit.
func (db *DB) Reader(ctx context.Context) *Tx { return &Tx{db: db, ctx: ctx, on: db.read} }

// Snapshot runs fn on one state of the database, whatever others commit meanwhile. fn only reads.
func (db *DB) Snapshot(ctx context.Context, fn func(*Tx) error) error {
	options := &sql.TxOptions{ReadOnly: true}
	if db.postgres {
		options.Isolation = sql.LevelRepeatableRead
	}
	native, err := db.read.BeginTx(ctx, options)
	if err != nil {
		return fmt.Errorf("beginning to read: %w", err)
	}
	err = fn(&Tx{db: db, ctx: ctx, on: native})
	// Nothing was written: a rollback that fails loses nothing.
	_ = native.Rollback()
	return err
}

// Postgres says which engine it is.
func (t *Tx) Postgres() bool { return t.db.postgres }

// Wake makes the Wake channel of every process receive once the transaction is committed.
func (t *Tx) Wake() { t.woke = true }

// SkipLocked is appended to a SELECT of rows to take: two processes take different ones
// instead of waiting for each other. SQLite has one writer and no such clause.
func (t *Tx) SkipLocked() string {
	if t.db.postgres {
		return " FOR UPDATE SKIP LOCKED"
	}
	return ""
}

// Lock makes transactions of all processes that ask for the same lock wait for each other, from
// here to the commit. On SQLite they do so anyway.
func (t *Tx) Lock(lock int64) error {
	if !t.db.postgres {
		return nil
	}
	_, err := t.Exec(`SELECT pg_advisory_xact_lock($1)`, lock)
	return err
}

// Exec runs a statement and returns the number of rows it changed.
func (t *Tx) Exec(query string, args ...any) (int64, error) {
	stmt, err := t.prepared(query)
	if err != nil {
		return 0, err
	}
	var result sql.Result
	if stmt != nil {
		result, err = stmt.ExecContext(t.ctx, args...)
	} else {
		result, err = t.on.ExecContext(t.ctx, query, args...)
	}
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// Each runs a query and calls scan for each row.
func (t *Tx) Each(query string, args []any, scan func(*sql.Rows) error) error {
	rows, err := t.query(query, args)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// One runs a query and scans its first row into dest. It returns ErrNotFound without a row.
func (t *Tx) One(query string, args []any, dest ...any) error {
	rows, err := t.query(query, args)
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return err
		}
		return ErrNotFound
	}
	if err := rows.Scan(dest...); err != nil {
		return err
	}
	// An INSERT ... RETURNING of SQLite has done its work only when its rows are read to the end.
	for rows.Next() {
	}
	return rows.Err()
}

func (t *Tx) query(query string, args []any) (*sql.Rows, error) {
	stmt, err := t.prepared(query)
	if err != nil {
		return nil, err
	}
	if stmt != nil {
		return stmt.QueryContext(t.ctx, args...)
	}
	return t.on.QueryContext(t.ctx, query, args...)
}

// maxStmts bounds the prepared statements of the writer's connection. Texts are constants or
// vary by a power of two, so a few dozen are in use.
const maxStmts = 256

// prepared returns the statement for query from the connection's cache, or nil without a cache.
func (t *Tx) prepared(query string) (*sql.Stmt, error) {
	if t.stmts == nil {
		return nil, nil
	}
	if stmt, ok := t.stmts[query]; ok {
		return stmt, nil
	}
	if len(t.stmts) >= maxStmts {
		return nil, nil
	}
	stmt, err := t.on.(*sql.Conn).PrepareContext(t.ctx, query)
	if err != nil {
		return nil, err
	}
	t.stmts[query] = stmt
	return stmt, nil
}
