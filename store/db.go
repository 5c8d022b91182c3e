package store

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/landwaiter/landwaiter/store/engine"
	"github.com/landwaiter/landwaiter/store/entries"
)

//go:embed sqlite/*.sql postgres/*.sql
var schema embed.FS

// defaultCacheBytes bounds the cache when Config does not: a guess that holds the blobs and
// answers of a few thousand repositories.
const defaultCacheBytes = 256 << 20

// DB is an open store. Make one with Open.
type DB struct {
	now        func() time.Time
	log        *slog.Logger
	engine     *engine.DB
	bodies     *engine.Bodies
	recent     *recent
	ledger     *entries.Keeper
	cacheBytes int64
	readOnly   bool
	commit     func(ctx context.Context) (done func(err error))

	mu         sync.Mutex    // guards what follows
	turn       map[int]int64 // priority -> the lane that got the last job
	cacheAdded int64         // bytes saved in the cache since it was last measured
	cacheKnown bool          // it was measured by this process
}

// Open connects to the database, brings its schema up to date (forward only; several
// processes may start at once), checks the ledger, and starts the writer.
//
// It checks the newest checkpoint's signature, that the stored hashes give its root, that the
// last 1,000 leaves give their hashes, and that the checkpoint file is of the same tree; it
// returns a TamperedError otherwise. VerifyLedger checks the rest.
func Open(ctx context.Context, c Config) (*DB, error) {
	bodies, err := engine.NewBodies()
	if err != nil {
		return nil, err
	}
	db := &DB{
		now: c.Now, log: c.Log, bodies: bodies, recent: newRecent(), turn: make(map[int]int64),
		cacheBytes: cmp.Or(c.CacheBytes, defaultCacheBytes), readOnly: c.ReadOnly, commit: c.Commit,
	}
	if db.commit == nil {
		db.commit = func(context.Context) func(error) { return func(error) {} }
	}
	if db.now == nil {
		db.now = time.Now
	}
	if db.log == nil {
		db.log = slog.Default()
	}
	if err := db.start(ctx, c); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// start opens the database and then the ledger in it.
func (db *DB) start(ctx context.Context, c Config) error {
	var err error
	db.engine, err = engine.Open(ctx, engine.Config{
		URL: c.URL, ReadOnly: c.ReadOnly, Alone: c.alone, Schema: schema, Log: db.log,
		Together:  func(t *engine.Tx, items []any) error { return db.in(t).receive(items) },
		Committed: func(t *engine.Tx) { db.ledger.Committed(t) },
	})
	if err != nil {
		return err
	}
	if err := c.settleLedger(db.engine.Path()); err != nil {
		return err
	}
	db.ledger, err = entries.New(entries.Config{
		DB: db.engine, Bodies: db.bodies, Now: db.now, Key: c.LedgerKey, Next: c.nextKey, Verifiers: c.LedgerVerifiers,
		Rotations: c.LedgerRotations, File: c.CheckpointFile, Beside: db.boundReports,
	})
	if err != nil {
		return err
	}
	if c.ReadOnly || c.bare {
		return nil
	}
	return db.ledger.Open(ctx)
}

// settleLedger fills in the files beside a SQLite database; path is "" on PostgreSQL.
func (c *Config) settleLedger(path string) error {
	if path != "" {
		c.CheckpointFile = cmp.Or(c.CheckpointFile, path+".checkpoint")
	}
	if c.LedgerKey != nil {
		return nil
	}
	file := path + ".ledger.key"
	if c.ReadOnly || c.bare {
		// Without a key nothing can be verified, but all else can be read.
		if _, err := os.Stat(file); path == "" || errors.Is(err, os.ErrNotExist) {
			return nil
		}
	}
	if path == "" {
		return errors.New("opening the store: PostgreSQL needs a ledger key that all processes share; make one with LedgerKey")
	}
	var err error
	c.LedgerKey, err = LedgerKey(file, "landwaiter/ledger")
	return err
}

// Close waits for writes that have begun and closes the connections. Later writes return
// ErrClosed. Closing again does nothing.
func (db *DB) Close() error {
	defer db.bodies.Close()
	if db.engine == nil {
		return nil
	}
	return db.engine.Close()
}

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error { return db.engine.Ping(ctx) }

// Wake returns a channel that receives when a job may have become ready: after a commit in
// this process, after one in another process on PostgreSQL, and every few seconds there in
// case a notification was lost. It holds at most one value and has one reader: read, then
// Claim until it returns fewer than asked. Use NextDue for jobs that become due by time.
func (db *DB) Wake() <-chan struct{} { return db.engine.Wake() }

// tx is a transaction, or a connection for reading, with the store it belongs to.
type tx struct {
	*engine.Tx
	db *DB
}

func (db *DB) in(t *engine.Tx) *tx { return &tx{t, db} }

// reader returns a tx that sees the newest commit with each statement.
func (db *DB) reader(ctx context.Context) *tx { return db.in(db.engine.Reader(ctx)) }

// change runs fn in one durable transaction: see engine.DB.Change.
func (db *DB) change(ctx context.Context, fn func(*tx) error) error {
	done := db.commit(ctx)
	err := db.engine.Change(ctx, func(t *engine.Tx) error { return fn(db.in(t)) })
	done(err)
	return err
}

// changeAtOnce is change for an fn of one statement on PostgreSQL: see engine.DB.ChangeAtOnce.
func (db *DB) changeAtOnce(ctx context.Context, fn func(*tx) error) error {
	done := db.commit(ctx)
	err := db.engine.ChangeAtOnce(ctx, func(t *engine.Tx) error { return fn(db.in(t)) })
	done(err)
	return err
}
