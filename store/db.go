package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/landwaiter/landwaiter/store/ledger"
)

// defaultCacheBytes bounds the cache when Config does not: a guess that holds the blobs and
// answers of a few thousand repositories.
const defaultCacheBytes = 256 << 20

// DB is an open store. Make one with Open.
type DB struct {
	engine engine
	now    func() time.Time
	log    *slog.Logger

	write  *sql.DB // one connection on SQLite, held by writer; the pool on PostgreSQL
	read   *sql.DB // the same pool as write on PostgreSQL
	writer *writer // nil when opened for reading only
	bodies *bodies

	wake     chan struct{}
	stop     context.CancelFunc // ends the listener
	finished sync.WaitGroup     // the listener
	closing  sync.Once

	key       *ledger.Key // nil when opened for reading only without a key
	verifiers []string    // public keys whose checkpoints are accepted, LedgerKey's first
	outside   *checkpointFile

	cacheBytes int64

	mu         sync.Mutex        // guards what follows
	turn       map[int]int64     // priority -> the lane that got the last job
	seen       ledger.Checkpoint // the newest checkpoint committed or read by this process
	cacheAdded int64             // bytes saved in the cache since it was last measured
	cacheKnown bool              // it was measured by this process
}

// Open connects to the database, brings its schema up to date (forward only; several
// processes may start at once), checks the ledger, and starts the writer.
//
// It checks the newest checkpoint's signature, that the stored hashes give its root, that the
// last 1,000 leaves give their hashes, and that the checkpoint file is of the same tree; it
// returns a TamperedError otherwise. VerifyLedger checks the rest.
func Open(ctx context.Context, c Config) (*DB, error) {
	db, path, err := connect(c)
	if err != nil {
		return nil, err
	}
	if err := db.start(ctx, c, path); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// connect opens the pools without using them. path is the SQLite file, "" on PostgreSQL.
func connect(c Config) (*DB, string, error) {
	bodies, err := newBodies()
	if err != nil {
		return nil, "", err
	}
	db := &DB{
		now:        c.Now,
		log:        c.Log,
		bodies:     bodies,
		wake:       make(chan struct{}, 1),
		stop:       func() {},
		cacheBytes: cmp.Or(c.CacheBytes, defaultCacheBytes),
		turn:       make(map[int]int64),
	}
	if db.now == nil {
		db.now = time.Now
	}
	if db.log == nil {
		db.log = slog.Default()
	}
	if strings.HasPrefix(c.URL, "postgres://") || strings.HasPrefix(c.URL, "postgresql://") {
		return db, "", db.connectPostgres(c.URL)
	}
	path := strings.TrimPrefix(strings.TrimPrefix(c.URL, "sqlite:"), "//")
	return db, path, db.connectSQLite(path, c.ReadOnly)
}

// start does everything in Open that needs the database.
func (db *DB) start(ctx context.Context, c Config, path string) error {
	if err := db.Ping(ctx); err != nil {
		return err
	}
	if err := db.useKey(c, path); err != nil {
		return err
	}
	if c.ReadOnly {
		return nil
	}
	if err := db.migrate(ctx); err != nil {
		return err
	}
	if err := db.startWriter(ctx); err != nil {
		return err
	}
	if err := db.openLedger(ctx); err != nil {
		return err
	}
	return db.listen(c.URL)
}

// useKey settles which key signs, which keys are accepted, and where the checkpoint is kept.
func (db *DB) useKey(c Config, path string) error {
	db.key = c.LedgerKey
	file := c.CheckpointFile
	if path != "" {
		file = cmp.Or(file, path+".checkpoint")
	}
	if db.key == nil && !c.ReadOnly {
		if path == "" {
			return errors.New("opening the store: PostgreSQL needs a ledger key that all processes share; make one with LedgerKey")
		}
		key, err := LedgerKey(path+".ledger.key", "landwaiter/ledger")
		if err != nil {
			return err
		}
		db.key = key
	}
	if db.key != nil {
		db.verifiers = append(db.verifiers, db.key.Verifier())
	}
	db.verifiers = append(db.verifiers, c.LedgerVerifiers...)
	db.outside = &checkpointFile{path: file, size: -1, wanted: -1}
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
	db.bodies.close()
	return errors.Join(errs...)
}

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	if err := db.read.PingContext(ctx); err != nil {
		return fmt.Errorf("reaching the database: %w", err)
	}
	return nil
}

// micros is how times are stored: microseconds UTC since 1970, 0 for the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(v int64) time.Time {
	if v == 0 {
		return time.Time{}
	}
	return time.UnixMicro(v).UTC()
}

// text makes s storable on both engines: PostgreSQL refuses NUL and invalid UTF-8, which
// hostile names and messages may hold. Both become U+FFFD.
func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
