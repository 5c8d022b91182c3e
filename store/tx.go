package store

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
)

// queryer is what *sql.DB, *sql.Conn and *sql.Tx have in common.
type queryer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// tx is one transaction, or a plain connection for reading. It carries its context as sql.Tx
// does, and on SQLite the prepared statements of the writer's connection.
type tx struct {
	db    *DB
	ctx   context.Context
	on    queryer
	stmts map[string]*sql.Stmt // nil: the driver caches by itself (pgx), or nothing is hot

	head *ledgerHead // set by the first ledger entry of the transaction, for the next ones
	woke bool        // some job became ready
}

// reader returns a tx over the read pool: each statement sees the newest commit.
func (db *DB) reader(ctx context.Context) *tx { return &tx{db: db, ctx: ctx, on: db.read} }

// exec runs a statement and returns the number of rows it changed.
func (t *tx) exec(query string, args ...any) (int64, error) {
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

// each runs a query and calls scan for each row.
func (t *tx) each(query string, args []any, scan func(*sql.Rows) error) error {
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

// one runs a query and scans its first row into dest. It returns ErrNotFound without a row.
func (t *tx) one(query string, args []any, dest ...any) error {
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

func (t *tx) query(query string, args []any) (*sql.Rows, error) {
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
func (t *tx) prepared(query string) (*sql.Stmt, error) {
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

// rowsOf returns "($1,$2),($3,$4)" for n rows of width parameters.
func rowsOf(n, width int) string {
	rows := make([]string, n)
	for i := range rows {
		rows[i] = listOf(width, i*width+1)
	}
	return strings.Join(rows, ",")
}

// listOf returns "($3,$4)" for two parameters from the third on.
func listOf(n, first int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = "$" + strconv.Itoa(first+i)
	}
	return "(" + strings.Join(names, ",") + ")"
}

// batches calls fn with the bounds of consecutive parts of n rows with width parameters each.
// Parts are powers of two, so that few different statement texts arise: of at most maxBatch
// rows on PostgreSQL, where each statement is a round trip, and of about 128 parameters on
// SQLite, which looks each one up by its name in a list.
func (t *tx) batches(n, width int, fn func(from, to int) error) error {
	most := maxBatch
	if t.db.engine == onSQLite {
		most = 128 / width
	}
	for from := 0; from < n; {
		size := 1
		for size*2 <= min(most, n-from) {
			size *= 2
		}
		if err := fn(from, from+size); err != nil {
			return err
		}
		from += size
	}
	return nil
}
