// Package store keeps what must survive a crash: deliveries, jobs, reports, inventories,
// publications, settings, a bounded cache, and the ledger of everything that was judged.
//
// It is one concrete type over database/sql. SQLite is the default; PostgreSQL serves
// several processes at once. One SQL text with $1 parameters serves both; only the schema
// files under sqlite/ and postgres/ differ. Times are microseconds UTC, JSON is text.
//
// What every method promises unless it says otherwise:
//
//   - A write is durable when the method returns nil: it survives kill -9 and power loss
//     (SQLite: WAL with synchronous=FULL; PostgreSQL: synchronous_commit=on).
//   - A write is one transaction. After any error but an ended context nothing of it is
//     visible. After an ended context, or a lost connection to PostgreSQL, its outcome is
//     unknown; every write may be repeated safely.
//   - Methods may be called from any number of goroutines, and on PostgreSQL from any
//     number of processes.
//   - Errors that callers decide on are ErrNotFound, ErrConflict, ErrLeaseLost, ErrStale,
//     ErrTooLarge and TamperedError; compare with errors.Is and errors.As. All others are
//     faults of the database or of the caller and end the work at hand.
//
// The store never interprets a payload and never decides a verdict. How the two engines are
// written to is in store/engine, how the ledger is kept in store/entries. Start reading at Open,
// then delivery.go, job.go, claim.go and record.go in the order a delivery takes.
package store

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/landwaiter/landwaiter/store/engine"
	"github.com/landwaiter/landwaiter/store/entries"
	"github.com/landwaiter/landwaiter/store/ledger"
)

var (
	// ErrNotFound says that there is no such row.
	ErrNotFound = engine.ErrNotFound
	// ErrConflict says that somebody else changed the row first: read it again and decide anew.
	ErrConflict = errors.New("changed by somebody else")
	// ErrLeaseLost says that the job is no longer the caller's: its lease ran out and another
	// worker took it, or it has already ended. Nothing was changed. The caller drops the work.
	ErrLeaseLost = errors.New("lease lost")
	// ErrStale says that something of a newer generation is already stored for the key.
	// Nothing was changed. The caller drops the work.
	ErrStale = errors.New("a newer generation is stored")
	// ErrTooLarge says that a value is over its documented limit. Nothing was changed.
	ErrTooLarge = errors.New("too large to store")
	// ErrKeyRotated says that the ledger was passed on to a key that this process does not have.
	// Nothing was changed. The process must be started again with the new key.
	ErrKeyRotated = entries.ErrKeyRotated
	// ErrClosed says that the store was closed before the write began.
	ErrClosed = engine.ErrClosed
	// ErrInUse says that another process, most likely the service, has the database open.
	ErrInUse = engine.ErrInUse
)

// TamperedError says that the ledger is not what was signed: rows were changed, removed or
// added outside of this package, or an older copy of the database was restored. Open refuses
// to start on it and Record refuses to sign. Its Index names the first wrong entry.
type TamperedError = entries.TamperedError

// Config says what to open. Only URL is needed for SQLite; PostgreSQL needs LedgerKey as well.
type Config struct {
	// URL is a file path or "sqlite:" and a path, or a "postgres://" or "postgresql://" URL.
	URL string
	// Now gives the time for leases, due times and rows; nil means time.Now. On PostgreSQL
	// the clocks of all processes should agree to within seconds: a clock that is ahead
	// takes leases over early, which costs work but never correctness.
	Now func() time.Time
	// Log gets faults that no caller can be told of; nil means slog.Default().
	Log *slog.Logger
	// LedgerKey signs checkpoints; LedgerKey(path, origin) reads or makes one. nil means the
	// file URL+".ledger.key" beside a SQLite file, made at first start.
	LedgerKey *ledger.Key
	// LedgerVerifiers are public keys of earlier ledger keys (note.NewVerifier's text), whose
	// checkpoints are still accepted.
	LedgerVerifiers []string
	// LedgerRotations led to LedgerKey (or, for reading, to the first of LedgerVerifiers), as
	// RotateLedgerKey wrote them. A key counts up to the size at which it was replaced.
	LedgerRotations []ledger.Rotation
	nextKey         *ledger.Key // RotateLedgerKey passes the ledger on to it
	// CheckpointFile is where the newest checkpoint is kept outside the database. "" means
	// URL+".checkpoint" beside a SQLite file, and nowhere on PostgreSQL.
	CheckpointFile string
	// CacheBytes bounds the bytes kept by SaveCached and SaveInventory; 0 means 256 MiB.
	CacheBytes int64
	// ReadOnly opens an existing database for reading: no schema change, no ledger check, no
	// writer. Every write then returns ErrClosed. It is how a ledger that Open refuses is looked at.
	ReadOnly bool
	// Commit, when not nil, is called before each write with its context; what it returns is
	// called with the outcome. It is how a trace shows writes.
	Commit func(ctx context.Context) (done func(err error))
	bare   bool // the ledger is neither begun nor checked; see Import
	alone  bool // nobody else may have the database open
}
