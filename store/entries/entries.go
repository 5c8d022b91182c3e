// Package entries keeps the ledger in the database: its leaves, hashes and checkpoints in the
// tables ledger_entry, ledger_hash and ledger_checkpoint, the newest checkpoint in a file
// outside, and the key that signs.
//
// It decides when the ledger may go on: it never signs a tree that does not continue what was
// signed before, and finds the first entry that is wrong. What the bytes of a leaf mean is not
// its business; package store puts reports into them.
//
// Start reading at Keeper.Append, then at Keeper.Open.
package entries

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/landwaiter/landwaiter/store/engine"
	"github.com/landwaiter/landwaiter/store/ledger"
)

// TamperedError says that the ledger is not what was signed: rows were changed, removed or
// added behind our back, or an older copy of the database was restored.
type TamperedError struct {
	Index  int64  // zero-based index of the first entry that is wrong; -1 when it cannot be told
	Detail string // what does not fit, for a person
}

// Error returns the sentence for a person.
func (e *TamperedError) Error() string {
	if e.Index < 0 {
		return "ledger: " + e.Detail
	}
	return fmt.Sprintf("ledger entry %d: %s", e.Index, e.Detail)
}

// Config says how to keep the ledger. Only Verifiers and File may be empty.
type Config struct {
	DB        *engine.DB
	Bodies    *engine.Bodies
	Now       func() time.Time
	Key       *ledger.Key // nil: for reading only
	Next      *ledger.Key // the key that Rotate passes the ledger on to; usually nil
	Verifiers []string    // public keys of earlier keys, whose checkpoints are accepted
	// Rotations led to Key, or to the first of Verifiers. The old keys count up to the size at
	// which each was replaced.
	Rotations []ledger.Rotation
	File      string // keeps the newest checkpoint outside the database; "": none does
	// Beside returns a check of what the database keeps beside the entries from first to before
	// end. The error of the check says what does not fit the leaf.
	Beside func(t *engine.Tx, first, end int64) (check func(index int64, leaf []byte) error, err error)
}

// Keeper keeps one ledger. It is safe for concurrent use.
type Keeper struct {
	db        *engine.DB
	bodies    *engine.Bodies
	now       func() time.Time
	key       *ledger.Key
	next      *ledger.Key
	origin    string   // the ledger's name
	verifiers []string // Key's first
	rotations []ledger.Rotation
	retired   []retired
	outside   *checkpointFile
	beside    func(t *engine.Tx, first, end int64) (func(index int64, leaf []byte) error, error)

	mu   sync.Mutex        // guards seen
	seen ledger.Checkpoint // the newest checkpoint committed or read by this process
}

// New returns a Keeper. Call Open before the first Append. It returns ErrKeyRotated when the
// rotations do not lead to the key.
func New(c Config) (*Keeper, error) {
	k := &Keeper{
		db: c.DB, bodies: c.Bodies, now: c.Now, key: c.Key, next: c.Next, rotations: c.Rotations, beside: c.Beside,
		outside: &checkpointFile{path: c.File, size: -1, wanted: -1},
	}
	if c.Key != nil {
		k.verifiers = append(k.verifiers, c.Key.Verifier())
	}
	k.verifiers = append(k.verifiers, c.Verifiers...)
	if len(k.verifiers) > 0 {
		// A public key begins with the name of its ledger and a plus sign.
		k.origin, _, _ = strings.Cut(k.verifiers[0], "+")
	}
	k.outside.sizeOf = func(signed string) int64 {
		c, err := k.openAny(signed)
		if err != nil {
			return -1
		}
		return c.Size
	}
	var err error
	k.retired, err = retire(c.Rotations, k.verifiers, c.Next)
	return k, err
}

// Head returns the newest checkpoint: its fields and its signed text.
func (k *Keeper) Head(ctx context.Context) (ledger.Checkpoint, string, error) {
	return k.newestCheckpoint(k.db.Reader(ctx))
}

// Checkpoint returns the signed checkpoint of that size, or engine.ErrNotFound.
func (k *Keeper) Checkpoint(ctx context.Context, size int64) (string, error) {
	var signed string
	err := k.db.Reader(ctx).One(`SELECT note FROM ledger_checkpoint WHERE size = $1`, []any{size}, &signed)
	if err != nil {
		return "", fmt.Errorf("reading the checkpoint of size %d: %w", size, err)
	}
	return signed, nil
}

// Leaves returns up to limit leaves from index on, as they were hashed. A gap is a TamperedError.
func (k *Keeper) Leaves(ctx context.Context, index int64, limit int) ([][]byte, error) {
	var leaves [][]byte
	err := k.db.Reader(ctx).Each(`SELECT n, leaf FROM ledger_entry WHERE n >= $1 ORDER BY n LIMIT $2`, []any{index, limit},
		func(rows *sql.Rows) error {
			var n int64
			var frame []byte
			if err := rows.Scan(&n, &frame); err != nil {
				return err
			}
			if want := index + int64(len(leaves)); n != want {
				return &TamperedError{Index: want, Detail: "it is missing"}
			}
			leaf, err := k.bodies.Unpack(frame)
			leaves = append(leaves, leaf)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("reading ledger entries from %d on: %w", index, err)
	}
	return leaves, nil
}

// Hashes reads stored hashes until ctx ends. A hash that is missing is a TamperedError.
func (k *Keeper) Hashes(ctx context.Context) ledger.HashReader { return k.hashes(k.db.Reader(ctx)) }

// Tile returns the bytes of a tile as C2SP tlog-tiles publishes it, or engine.ErrNotFound when
// the ledger is not that large.
func (k *Keeper) Tile(ctx context.Context, t ledger.Tile) ([]byte, error) {
	head, _, err := k.Head(ctx)
	if err != nil {
		return nil, err
	}
	if !t.In(head.Size) {
		return nil, fmt.Errorf("%s of a ledger of %d entries: %w", t.Path(), head.Size, engine.ErrNotFound)
	}
	if t.Entries() {
		first := t.N * ledger.TileWidth
		leaves, err := k.Leaves(ctx, first, t.Width)
		if err != nil {
			return nil, err
		}
		if len(leaves) != t.Width {
			return nil, &TamperedError{Index: first + int64(len(leaves)), Detail: "it is missing"}
		}
		return ledger.Bundle(leaves)
	}
	hashes, err := k.Hashes(ctx).ReadHashes(t.Indexes())
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, len(hashes)*len(ledger.Hash{}))
	for _, h := range hashes {
		b = append(b, h[:]...)
	}
	return b, nil
}

// SignedBy returns which of the known public keys signed a checkpoint, or "".
func (k *Keeper) SignedBy(signed string) string {
	for _, v := range k.verifiersFor(0) {
		if _, err := ledger.OpenCheckpoint(signed, k.origin, v); err == nil {
			return v
		}
	}
	return ""
}

// Verifiers returns the public keys whose checkpoints are accepted, the newest first.
func (k *Keeper) Verifiers() []string { return k.verifiersFor(0) }

// Rotations returns the rotations that led to the key.
func (k *Keeper) Rotations() []ledger.Rotation { return slices.Clone(k.rotations) }
