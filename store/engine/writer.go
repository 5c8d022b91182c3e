package engine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// maxBatch is the most writes that share one commit. Larger ones gain nothing: the fsync is
// already a small part by then (PERFORMANCE.md section 6).
const maxBatch = 256

// unchanged is what Unchanged returns.
type unchanged struct{ error }

func (u unchanged) Unwrap() error { return u.error }

// Unchanged wraps the error of a write that has changed nothing in its transaction, so that the
// writes which share the commit need not be undone. Change returns err itself.
func Unchanged(err error) error { return unchanged{err} }

// write is one request to the writer.
type write struct {
	ctx  context.Context
	fn   func(*Tx) error // may run more than once; nil when there is an item
	item any             // for Config.Together
	done chan error      // buffered: the writer never waits for a caller that left
}

// writer is the one goroutine that takes what waits, at most maxBatch writes, runs them in one
// transaction, commits, and answers them all: group commit. It sets no timer: a lone write
// goes at once, and while one commit is on its way the next batch gathers.
//
// On SQLite every write goes through it, since the engine has one writer anyway. On PostgreSQL
// only items given to Add do; the other writes use the pool, and the server groups their commits.
type writer struct {
	db       *DB
	queue    chan *write
	stop     chan struct{} // closed by close, once
	finished chan struct{}

	conn  *sql.Conn            // SQLite only; used by the goroutine alone
	stmts map[string]*sql.Stmt // of conn
}

func (db *DB) startWriter(ctx context.Context) error {
	w := &writer{db: db, queue: make(chan *write, maxBatch), stop: make(chan struct{}), finished: make(chan struct{})}
	if !db.postgres {
		conn, err := db.write.Conn(ctx)
		if err != nil {
			return fmt.Errorf("opening the writer's connection: %w", err)
		}
		w.conn, w.stmts = conn, make(map[string]*sql.Stmt)
	}
	db.writer = w
	go w.run()
	return nil
}

func (w *writer) close() error {
	close(w.stop)
	<-w.finished
	if w.conn == nil {
		return nil
	}
	// SQLite folds its WAL into the file only when the last statement of the last connection is closed.
	var errs []error
	for _, stmt := range w.stmts {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, w.conn.Close())...)
}

func (w *writer) run() {
	defer close(w.finished)
	for {
		select {
		case first := <-w.queue:
			w.commit(w.gather(first))
		case <-w.stop:
			return
		}
	}
}

// gather returns first and what else waits already, without those whose callers have left.
func (w *writer) gather(first *write) []*write {
	batch := []*write{first}
	for len(batch) < maxBatch {
		select {
		case next := <-w.queue:
			if err := next.ctx.Err(); err != nil {
				next.done <- err
				continue
			}
			batch = append(batch, next)
		default:
			return batch
		}
	}
	return batch
}

// commit runs the batch in one transaction. If one of its writes fails, all are undone and
// each runs again in a transaction of its own, so that only the guilty one gets the error.
func (w *writer) commit(batch []*write) {
	outcomes, err := w.transact(batch)
	switch {
	case err == nil:
		for i, one := range batch {
			one.done <- outcomes[i]
		}
	case len(batch) == 1:
		batch[0].done <- err
	default:
		for _, one := range batch {
			w.commit([]*write{one})
		}
	}
}

// transact runs the batch in one transaction and returns the outcome of each: nil, or an error
// that changed nothing. Any other error undoes all.
func (w *writer) transact(batch []*write) ([]error, error) {
	outcomes := make([]error, len(batch))
	// Writes of others must not end with the context of one: only the values are kept.
	ctx := context.WithoutCancel(batch[0].ctx)
	run := func(t *Tx) error { return w.runBatch(t, batch, outcomes) }
	if w.db.postgres {
		return outcomes, w.db.againIfRaced(ctx, func() error { return w.db.oneStatement(ctx, run) })
	}
	return outcomes, w.transactSQLite(ctx, run)
}

func (w *writer) runBatch(t *Tx, batch []*write, outcomes []error) error {
	var items []any
	for i, one := range batch {
		outcomes[i] = nil
		if one.item != nil {
			items = append(items, one.item)
			continue
		}
		err := one.fn(t)
		var harmless unchanged
		if errors.As(err, &harmless) {
			outcomes[i] = harmless.error
		} else if err != nil {
			return err
		}
	}
	if len(items) == 0 {
		return nil
	}
	return w.db.config.Together(t, items)
}

// transactSQLite runs fn on the writer's connection. The statements BEGIN and COMMIT are
// written out because statements prepared on the connection outlive an sql.Tx.
func (w *writer) transactSQLite(ctx context.Context, fn func(*Tx) error) error {
	t := &Tx{db: w.db, ctx: ctx, on: w.conn, stmts: w.stmts}
	if _, err := t.Exec("BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	err := fn(t)
	if err == nil {
		if _, err = t.Exec("COMMIT"); err == nil {
			w.db.committed(t)
			return nil
		}
		err = fmt.Errorf("committing: %w", err)
	}
	// SQLite has rolled back by itself after a full disk or an I/O error; then this one
	// complains that there is no transaction, which is the state wanted.
	_, _ = t.Exec("ROLLBACK")
	return err
}

// raceAttempts is how often a PostgreSQL transaction runs that lost against others.
const raceAttempts = 6

// againIfRaced tries a PostgreSQL transaction until it has not lost against others.
func (db *DB) againIfRaced(ctx context.Context, try func() error) error {
	for attempt := 1; ; attempt++ {
		err := try()
		if err == nil || !raced(err) || attempt == raceAttempts || ctx.Err() != nil {
			return err
		}
	}
}

// oneStatement runs fn, which is one statement, without a transaction around it.
func (db *DB) oneStatement(ctx context.Context, fn func(*Tx) error) error {
	t := &Tx{db: db, ctx: ctx, on: db.write}
	if err := fn(t); err != nil {
		return err
	}
	db.committed(t)
	return nil
}

func (db *DB) transactPostgres(ctx context.Context, fn func(*Tx) error) error {
	native, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	t := &Tx{db: db, ctx: ctx, on: native}
	if err := fn(t); err != nil {
		// The error of fn says what happened; a rollback that fails has lost its connection,
		// and the server rolls back then.
		_ = native.Rollback()
		return err
	}
	if t.woke {
		if _, err := t.Exec("SELECT " + Notify); err != nil {
			_ = native.Rollback()
			return fmt.Errorf("notifying: %w", err)
		}
	}
	if err := native.Commit(); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	db.committed(t)
	return nil
}

// Change runs fn in one durable transaction. fn may run more than once, so it sets every
// result anew; it returns an Unchanged error when it has written nothing. After an error fn may
// still be running: the caller must not look at what it sets. When ctx ends after fn has begun,
// the outcome is unknown.
func (db *DB) Change(ctx context.Context, fn func(*Tx) error) error {
	if db.writer == nil {
		return ErrClosed
	}
	if db.postgres {
		return db.changePostgres(ctx, func() error { return db.transactPostgres(ctx, fn) })
	}
	return db.writer.do(&write{ctx: ctx, fn: fn, done: make(chan error, 1)})
}

// ChangeAtOnce is Change for an fn of one statement. PostgreSQL is spared the transaction around it,
// which would be two more round trips; a Wake in it reaches this process only.
func (db *DB) ChangeAtOnce(ctx context.Context, fn func(*Tx) error) error {
	if db.writer != nil && db.postgres {
		return db.changePostgres(ctx, func() error { return db.oneStatement(ctx, fn) })
	}
	return db.Change(ctx, fn)
}

func (db *DB) changePostgres(ctx context.Context, try func() error) error {
	err := db.againIfRaced(ctx, try)
	var harmless unchanged
	if errors.As(err, &harmless) {
		return harmless.error
	}
	return err
}

// Add hands item to Config.Together in a durable transaction that it shares with what else
// waits, on both engines. What Change says of fn and ctx is true of item and ctx.
func (db *DB) Add(ctx context.Context, item any) error {
	if db.writer == nil {
		return ErrClosed
	}
	return db.writer.do(&write{ctx: ctx, item: item, done: make(chan error, 1)})
}

// do hands one write to the goroutine and waits for its outcome.
func (w *writer) do(one *write) error {
	select {
	case w.queue <- one:
	case <-one.ctx.Done():
		return one.ctx.Err()
	case <-w.stop:
		return ErrClosed
	}
	select {
	case err := <-one.done:
		return err
	case <-one.ctx.Done():
		return fmt.Errorf("waiting for a commit, whose outcome is unknown: %w", one.ctx.Err())
	case <-w.finished:
	}
	select {
	case err := <-one.done: // of the last batch
		return err
	default:
		return ErrClosed
	}
}

// committed does what follows a commit.
func (db *DB) committed(t *Tx) {
	db.config.Committed(t)
	if t.woke {
		db.Signal()
	}
}
