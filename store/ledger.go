package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/landwaiter/landwaiter/store/ledger"
)

// ledgerLock is the PostgreSQL advisory lock that makes one writer of the ledger out of many
// processes: "LEDG" in ASCII. It is held from the look at the head until the commit.
const ledgerLock = 0x4C454447

// ledgerHead is the state of the ledger inside a transaction.
type ledgerHead struct {
	checkpoint ledger.Checkpoint
	frontier   *ledger.Frontier
}

// appendEntry adds leaf with its hashes and a signed checkpoint, and returns its index and the
// checkpoint. It never signs a tree that does not continue the newest checkpoint of the
// database and the newest one this process knows; it returns a TamperedError instead.
func (t *tx) appendEntry(leaf []byte) (index int64, signed string, err error) {
	head, err := t.ledgerHead()
	if err != nil {
		return 0, "", err
	}
	index = head.frontier.Size()
	hashes, err := head.frontier.Append(leaf)
	if err != nil {
		return 0, "", fmt.Errorf("appending entry %d: %w", index, err)
	}
	if err := t.insertEntry(index, leaf, hashes); err != nil {
		return 0, "", fmt.Errorf("appending entry %d: %w", index, err)
	}
	root, err := head.frontier.Root()
	if err != nil {
		return 0, "", fmt.Errorf("appending entry %d: %w", index, err)
	}
	head.checkpoint = ledger.Checkpoint{Origin: t.db.key.Origin(), Size: index + 1, Root: root}
	signed, err = t.insertCheckpoint(head.checkpoint)
	return index, signed, err
}

func (t *tx) insertEntry(index int64, leaf []byte, hashes []ledger.Hash) error {
	if _, err := t.exec(`INSERT INTO ledger_entry (n, leaf) VALUES ($1, $2)`, index, t.db.bodies.pack(leaf)); err != nil {
		return err
	}
	for i, h := range hashes {
		_, err := t.exec(`INSERT INTO ledger_hash (id, hash) VALUES ($1, $2)`, ledger.LeafIndex(index)+int64(i), h[:])
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) insertCheckpoint(c ledger.Checkpoint) (string, error) {
	signed, err := t.db.key.Sign(c)
	if err != nil {
		return "", err
	}
	_, err = t.exec(`INSERT INTO ledger_checkpoint (size, note, created) VALUES ($1, $2, $3)`, c.Size, signed, micros(t.db.now()))
	if err != nil {
		return "", fmt.Errorf("keeping the checkpoint of size %d: %w", c.Size, err)
	}
	return signed, nil
}

// ledgerHead returns the head for appending, checked, and keeps it for the next entry of the
// same transaction.
func (t *tx) ledgerHead() (*ledgerHead, error) {
	if t.head != nil {
		return t.head, nil
	}
	if t.db.engine == onPostgres {
		if _, err := t.exec(`SELECT pg_advisory_xact_lock($1)`, ledgerLock); err != nil {
			return nil, fmt.Errorf("locking the ledger: %w", err)
		}
	}
	c, _, err := t.newestCheckpoint()
	if err != nil {
		return nil, err
	}
	if err := t.continues(t.db.newestSeen(), c); err != nil {
		return nil, err
	}
	frontier, err := t.frontierOf(c)
	if err != nil {
		return nil, err
	}
	t.head = &ledgerHead{checkpoint: c, frontier: frontier}
	return t.head, nil
}

// newestCheckpoint reads the newest checkpoint and checks its signature.
func (t *tx) newestCheckpoint() (ledger.Checkpoint, string, error) {
	var size int64
	var signed string
	err := t.one(`SELECT size, note FROM ledger_checkpoint ORDER BY size DESC LIMIT 1`, nil, &size, &signed)
	if errors.Is(err, ErrNotFound) {
		return ledger.Checkpoint{}, "", &TamperedError{Index: 0, Detail: "the ledger has no checkpoint"}
	}
	if err != nil {
		return ledger.Checkpoint{}, "", fmt.Errorf("reading the newest checkpoint: %w", err)
	}
	c, err := t.db.openCheckpoint(size, signed)
	return c, signed, err
}

// openCheckpoint checks the checkpoint stored under size.
func (db *DB) openCheckpoint(size int64, signed string) (ledger.Checkpoint, error) {
	origin := ""
	if db.key != nil {
		origin = db.key.Origin()
	}
	c, err := ledger.OpenCheckpoint(signed, origin, db.verifiers...)
	if err != nil {
		return c, &TamperedError{Index: size - 1, Detail: fmt.Sprintf("the checkpoint of size %d is not one of ours: %v", size, err)}
	}
	if c.Size != size {
		return c, &TamperedError{Index: size - 1, Detail: fmt.Sprintf("the checkpoint kept for size %d is of size %d", size, c.Size)}
	}
	return c, nil
}

// continues returns a TamperedError unless the stored hashes prove that the tree of newer
// begins with that of older.
func (t *tx) continues(older, newer ledger.Checkpoint) error {
	if older.Origin == "" || older == newer {
		return nil
	}
	if newer.Size < older.Size {
		return &TamperedError{Index: newer.Size, Detail: fmt.Sprintf(
			"the ledger ends here, but a checkpoint of size %d is known: entries were removed, or an older copy was restored", older.Size)}
	}
	proof, err := ledger.ProveConsistency(older.Size, newer.Size, t.hashes())
	if err != nil {
		return err
	}
	if err := ledger.VerifyConsistency(older, newer, proof); err != nil {
		return &TamperedError{Index: -1, Detail: fmt.Sprintf("the tree of size %d is not the one known from before: %v", newer.Size, err)}
	}
	return nil
}

// frontierOf reads the frontier of the tree that c names and checks that it gives c's root.
func (t *tx) frontierOf(c ledger.Checkpoint) (*ledger.Frontier, error) {
	frontier, err := ledger.LoadFrontier(c.Size, t.hashes())
	if err != nil {
		return nil, err
	}
	root, err := frontier.Root()
	if err != nil {
		return nil, fmt.Errorf("computing the root of size %d: %w", c.Size, err)
	}
	if root != c.Root {
		return nil, &TamperedError{Index: -1, Detail: fmt.Sprintf("the hashes kept do not give the root signed for size %d", c.Size)}
	}
	return frontier, nil
}

// hashes reads stored hashes inside t. A missing one is a TamperedError.
func (t *tx) hashes() tlog.HashReaderFunc {
	return func(indexes []int64) ([]ledger.Hash, error) {
		found := make(map[int64]ledger.Hash, len(indexes))
		err := t.batches(len(indexes), 1, func(from, to int) error {
			args := make([]any, 0, to-from)
			for _, index := range indexes[from:to] {
				args = append(args, index)
			}
			return t.each(`SELECT id, hash FROM ledger_hash WHERE id IN `+listOf(to-from, 1), args,
				func(rows *sql.Rows) error { return scanHash(rows, found) })
		})
		if err != nil {
			return nil, fmt.Errorf("reading hashes of the ledger: %w", err)
		}
		hashes := make([]ledger.Hash, len(indexes))
		for i, index := range indexes {
			h, ok := found[index]
			if !ok {
				return nil, missingHash(index)
			}
			hashes[i] = h
		}
		return hashes, nil
	}
}

func scanHash(rows *sql.Rows, into map[int64]ledger.Hash) error {
	var id int64
	var h []byte
	if err := rows.Scan(&id, &h); err != nil {
		return err
	}
	if len(h) == len(ledger.Hash{}) {
		into[id] = ledger.Hash(h)
	}
	return nil
}

// missingHash names the entry with which the hash at a tlog index was stored.
func missingHash(index int64) error {
	level, n := tlog.SplitStoredHashIndex(index)
	return &TamperedError{Index: (n+1)<<level - 1, Detail: fmt.Sprintf("hash %d is missing or cut", index)}
}

// remember keeps the newest checkpoint that is committed.
func (db *DB) remember(c ledger.Checkpoint) {
	db.mu.Lock()
	defer db.mu.Unlock()
	if c.Size >= db.seen.Size {
		db.seen = c
	}
}

func (db *DB) newestSeen() ledger.Checkpoint {
	db.mu.Lock()
	defer db.mu.Unlock()
	return db.seen
}

// LedgerHead returns the newest checkpoint: its fields and its signed text. A ledger without
// entries has size 0 and a signed text too.
func (db *DB) LedgerHead(ctx context.Context) (ledger.Checkpoint, string, error) {
	return db.reader(ctx).newestCheckpoint()
}

// LedgerCheckpoint returns the signed checkpoint of that size, or ErrNotFound.
func (db *DB) LedgerCheckpoint(ctx context.Context, size int64) (string, error) {
	var signed string
	err := db.reader(ctx).one(`SELECT note FROM ledger_checkpoint WHERE size = $1`, []any{size}, &signed)
	if err != nil {
		return "", fmt.Errorf("reading the checkpoint of size %d: %w", size, err)
	}
	return signed, nil
}

// LedgerEntries returns up to limit leaves from index on, as they were hashed.
func (db *DB) LedgerEntries(ctx context.Context, index int64, limit int) ([][]byte, error) {
	var leaves [][]byte
	err := db.reader(ctx).each(`SELECT leaf FROM ledger_entry WHERE n >= $1 ORDER BY n LIMIT $2`, []any{index, limit},
		func(rows *sql.Rows) error {
			var frame []byte
			if err := rows.Scan(&frame); err != nil {
				return err
			}
			leaf, err := db.bodies.unpack(frame)
			leaves = append(leaves, leaf)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("reading ledger entries from %d on: %w", index, err)
	}
	return leaves, nil
}

// LedgerHashes reads stored hashes by their tlog index, for proofs and tiles. It is valid
// until ctx ends. A hash that is missing is a TamperedError.
func (db *DB) LedgerHashes(ctx context.Context) ledger.HashReader {
	return db.reader(ctx).hashes()
}

// ProveInclusion returns the proof that the entry with that index is in the tree of that size.
func (db *DB) ProveInclusion(ctx context.Context, index, size int64) ([]ledger.Hash, error) {
	return ledger.ProveInclusion(index, size, db.LedgerHashes(ctx))
}

// ProveConsistency returns the proof that the tree of size newer begins with that of size older.
func (db *DB) ProveConsistency(ctx context.Context, older, newer int64) ([]ledger.Hash, error) {
	return ledger.ProveConsistency(older, newer, db.LedgerHashes(ctx))
}
