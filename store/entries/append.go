package entries

import (
	"database/sql"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/landwaiter/landwaiter/store/crash"
	"github.com/landwaiter/landwaiter/store/engine"
	"github.com/landwaiter/landwaiter/store/ledger"
)

// writerLock makes one writer of the ledger out of many processes: "LEDG" in ASCII. It is held
// from the look at the head until the commit.
const writerLock = 0x4C454447

// head is the state of the ledger inside a transaction.
type head struct {
	checkpoint ledger.Checkpoint
	frontier   *ledger.Frontier
}

// Append adds leaf with its hashes and a signed checkpoint, and returns its index and the
// checkpoint. It returns ledger.ErrTooLarge when leaf is over ledger.MaxLeaf.
//
// It never signs a tree that does not continue the newest checkpoint of the database and the
// newest one this process knows; it returns a TamperedError instead. On PostgreSQL all that
// append wait for each other from here to the commit, so it comes late in a transaction.
func (k *Keeper) Append(t *engine.Tx, leaf []byte) (index int64, signed string, err error) {
	h, err := k.headFor(t)
	if err != nil {
		return 0, "", err
	}
	index = h.frontier.Size()
	hashes, err := h.frontier.Append(leaf)
	if err != nil {
		return 0, "", fmt.Errorf("appending entry %d: %w", index, err)
	}
	crash.Before(crash.LedgerLeaf)
	if err := k.insertEntry(t, index, leaf, hashes); err != nil {
		return 0, "", fmt.Errorf("appending entry %d: %w", index, err)
	}
	crash.After(crash.LedgerLeaf)
	root, err := h.frontier.Root()
	if err != nil {
		return 0, "", fmt.Errorf("appending entry %d: %w", index, err)
	}
	h.checkpoint = ledger.Checkpoint{Origin: k.origin, Size: index + 1, Root: root}
	signed, err = k.insertCheckpoint(t, h.checkpoint)
	return index, signed, err
}

func (k *Keeper) insertEntry(t *engine.Tx, index int64, leaf []byte, hashes []ledger.Hash) error {
	if _, err := t.Exec(`INSERT INTO ledger_entry (n, leaf) VALUES ($1, $2)`, index, k.bodies.Pack(leaf)); err != nil {
		return err
	}
	for i, h := range hashes {
		_, err := t.Exec(`INSERT INTO ledger_hash (id, hash) VALUES ($1, $2)`, ledger.LeafIndex(index)+int64(i), h[:])
		if err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) insertCheckpoint(t *engine.Tx, c ledger.Checkpoint) (string, error) {
	crash.Before(crash.CheckpointSigned)
	signed, err := k.key.Sign(c)
	if err != nil {
		return "", err
	}
	crash.After(crash.CheckpointSigned)
	_, err = t.Exec(`INSERT INTO ledger_checkpoint (size, note, created) VALUES ($1, $2, $3)`, c.Size, signed, engine.Micros(k.now()))
	if err != nil {
		return "", fmt.Errorf("keeping the checkpoint of size %d: %w", c.Size, err)
	}
	return signed, nil
}

// headFor returns the head for appending, checked, and keeps it for the next entry of the same
// transaction.
func (k *Keeper) headFor(t *engine.Tx) (*head, error) {
	if h, ok := t.Memo.(*head); ok {
		return h, nil
	}
	if err := t.Lock(writerLock); err != nil {
		return nil, fmt.Errorf("locking the ledger: %w", err)
	}
	c, signed, err := k.look(t)
	if err != nil {
		return nil, err
	}
	if heir := ledger.NextKey(signed); heir != "" && heir != k.key.Verifier() {
		return nil, ErrKeyRotated
	}
	frontier, err := k.frontierOf(t, c)
	if err != nil {
		return nil, err
	}
	h := &head{checkpoint: c, frontier: frontier}
	t.Memo = h
	return h, nil
}

// look reads the newest checkpoint before something is signed, and checks that it continues what
// this process knows and is not passed on to another key.
func (k *Keeper) look(t *engine.Tx) (ledger.Checkpoint, string, error) {
	c, signed, err := k.newestCheckpoint(t)
	if err != nil {
		return c, "", err
	}
	if err := k.checkSuccession(signed); err != nil {
		return c, "", err
	}
	return c, signed, k.continues(t, k.newestSeen(), c)
}

// newestCheckpoint reads the newest checkpoint and checks its signature.
func (k *Keeper) newestCheckpoint(t *engine.Tx) (ledger.Checkpoint, string, error) {
	var size int64
	var signed string
	err := t.One(`SELECT size, note FROM ledger_checkpoint ORDER BY size DESC LIMIT 1`, nil, &size, &signed)
	if errors.Is(err, engine.ErrNotFound) {
		return ledger.Checkpoint{}, "", &TamperedError{Index: 0, Detail: "the ledger has no checkpoint"}
	}
	if err != nil {
		return ledger.Checkpoint{}, "", fmt.Errorf("reading the newest checkpoint: %w", err)
	}
	c, err := k.openCheckpoint(size, signed)
	return c, signed, err
}

// openCheckpoint checks the checkpoint stored under size.
func (k *Keeper) openCheckpoint(size int64, signed string) (ledger.Checkpoint, error) {
	c, err := ledger.OpenCheckpoint(signed, k.origin, k.verifiersFor(size)...)
	if err != nil {
		return c, &TamperedError{Index: size - 1, Detail: fmt.Sprintf(
			"the checkpoint of size %d is not one of ours: %v (if the ledger's key was rotated, start again with the new key)", size, err)}
	}
	if c.Size != size {
		return c, &TamperedError{Index: size - 1, Detail: fmt.Sprintf("the checkpoint kept for size %d is of size %d", size, c.Size)}
	}
	return c, nil
}

// continues returns a TamperedError unless the stored hashes prove that the tree of newer
// begins with that of older.
func (k *Keeper) continues(t *engine.Tx, older, newer ledger.Checkpoint) error {
	if older.Origin == "" || older == newer {
		return nil
	}
	if newer.Size < older.Size {
		return &TamperedError{Index: newer.Size, Detail: fmt.Sprintf(
			"the ledger ends here, but a checkpoint of size %d is known: entries were removed, or an older copy was restored", older.Size)}
	}
	proof, err := ledger.ProveConsistency(older.Size, newer.Size, k.hashes(t))
	if err != nil {
		return err
	}
	if err := ledger.VerifyConsistency(older, newer, proof); err != nil {
		return &TamperedError{Index: -1, Detail: fmt.Sprintf("the tree of size %d is not the one known from before: %v", newer.Size, err)}
	}
	return nil
}

// frontierOf reads the frontier of the tree that c names and checks that it gives c's root.
func (k *Keeper) frontierOf(t *engine.Tx, c ledger.Checkpoint) (*ledger.Frontier, error) {
	frontier, err := ledger.LoadFrontier(c.Size, k.hashes(t))
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
func (k *Keeper) hashes(t *engine.Tx) tlog.HashReaderFunc {
	return func(indexes []int64) ([]ledger.Hash, error) {
		found := make(map[int64]ledger.Hash, len(indexes))
		err := t.Batches(len(indexes), 1, func(from, to int) error {
			args := make([]any, 0, to-from)
			for _, index := range indexes[from:to] {
				args = append(args, index)
			}
			return t.Each(`SELECT id, hash FROM ledger_hash WHERE id IN `+engine.List(to-from, 1), args,
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

// Committed remembers the newest checkpoint once the transaction t is committed.
func (k *Keeper) Committed(t *engine.Tx) {
	if h, ok := t.Memo.(*head); ok {
		k.remember(h.checkpoint)
	}
}

func (k *Keeper) remember(c ledger.Checkpoint) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if c.Size >= k.seen.Size {
		k.seen = c
	}
}

func (k *Keeper) newestSeen() ledger.Checkpoint {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.seen
}
