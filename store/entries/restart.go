package entries

import (
	"context"
	"errors"
	"fmt"

	"github.com/landwaiter/landwaiter/store/engine"
	"github.com/landwaiter/landwaiter/store/ledger"
)

// ErrNothingLost says that the ledger in the database has all entries that are known, so that it
// can simply go on.
var ErrNothingLost = errors.New("the database lacks no entry that the checkpoint file tells of: nothing needs to be started again")

// LostError says that another number of entries is lacking than a person said.
type LostError struct {
	Kept  int64 // entries in the database
	Known int64 // entries that the checkpoint file tells of
}

// Error returns the sentence for a person.
func (e *LostError) Error() string {
	return fmt.Sprintf("%d entries would be given up: %d are left, the checkpoint file tells of %d", e.Known-e.Kept, e.Kept, e.Known)
}

// Restart makes a ledger that lacks its newest entries into a new one: Next, a key of another
// name, signs the checkpoints of the entries that are left, from size 0 on, and Key signs nothing
// any more but the end of its ledger, at the last size known. lost is how many entries are given
// up; any other number than the one that is lacking is a LostError.
//
// It verifies all that is left first and returns a TamperedError when that is not what was signed,
// and ErrNothingLost when nothing is lacking. Doing it again returns an Ending with the same
// content.
func (k *Keeper) Restart(ctx context.Context, lost int64, progress func(done, total int64)) (ledger.Ending, error) {
	var e ledger.Ending
	err := k.db.Change(ctx, func(t *engine.Tx) error {
		if err := t.Lock(writerLock); err != nil {
			return fmt.Errorf("locking the ledger: %w", err)
		}
		outside, err := k.readOutside()
		if err != nil {
			return err
		}
		kept, err := k.restarted(t)
		if err != nil {
			return err
		}
		if kept < 0 {
			if kept, err = k.restart(t, outside, lost, progress); err != nil {
				return err
			}
		}
		e, err = ledger.End(outside, kept, k.key, k.next)
		return err
	})
	if err != nil {
		return ledger.Ending{}, fmt.Errorf("starting the ledger again: %w", err)
	}
	return e, nil
}

// restarted returns the size of the ledger when Next has signed it already, else -1.
func (k *Keeper) restarted(t *engine.Tx) (int64, error) {
	var signed string
	err := t.One(`SELECT note FROM ledger_checkpoint ORDER BY size DESC LIMIT 1`, nil, &signed)
	if err != nil {
		return -1, fmt.Errorf("reading the newest checkpoint: %w", err)
	}
	c, err := ledger.OpenCheckpoint(signed, k.next.Origin(), k.next.Verifier())
	if err != nil {
		return -1, nil // the old key's, which is looked at closely next
	}
	return c.Size, nil
}

// restart signs every checkpoint anew.
func (k *Keeper) restart(t *engine.Tx, outside ledger.Checkpoint, lost int64, progress func(done, total int64)) (int64, error) {
	head, err := k.VerifyInside(t, progress)
	if err != nil {
		return 0, err
	}
	switch lacking := outside.Size - head.Size; {
	case lacking <= 0:
		return 0, ErrNothingLost
	case lacking != lost:
		return 0, &LostError{Kept: head.Size, Known: outside.Size}
	}
	if _, err := t.Exec(`DELETE FROM ledger_checkpoint`); err != nil {
		return 0, fmt.Errorf("removing the old checkpoints: %w", err)
	}
	return head.Size, k.signAnew(t, head.Size)
}

// signAnew signs with Next a checkpoint of each size from 0 up to size.
func (k *Keeper) signAnew(t *engine.Tx, size int64) error {
	v := ledger.NewVerifier(nil)
	for first := int64(0); ; first = v.Size() {
		end := min(first+ledgerPage, size)
		p, err := k.readPage(t, first, end, false)
		if err != nil {
			return fmt.Errorf("reading ledger entries %d to %d: %w", first, end, err)
		}
		for v.Size() < end {
			if err := k.signSize(t, v); err != nil {
				return err
			}
			if err := p.take(k, v); err != nil {
				return err
			}
		}
		if v.Size() == size {
			return k.signSize(t, v)
		}
	}
}

// signSize signs the tree that v has read.
func (k *Keeper) signSize(t *engine.Tx, v *ledger.Verifier) error {
	root, err := v.Root()
	if err != nil {
		return fmt.Errorf("computing the root of size %d: %w", v.Size(), err)
	}
	signed, err := k.next.Sign(ledger.Checkpoint{Origin: k.next.Origin(), Size: v.Size(), Root: root})
	if err != nil {
		return err
	}
	_, err = t.Exec(`INSERT INTO ledger_checkpoint (size, note, created) VALUES ($1, $2, $3)`, v.Size(), signed, engine.Micros(k.now()))
	if err != nil {
		return fmt.Errorf("keeping the checkpoint of size %d: %w", v.Size(), err)
	}
	return nil
}

// take has v read the next entry, which was verified before.
func (p page) take(k *Keeper, v *ledger.Verifier) error {
	index := v.Size()
	leaf, err := k.bodies.Unpack(p.leaves[index])
	if err != nil {
		return err
	}
	var stored []ledger.Hash
	for id := ledger.LeafIndex(index); id < ledger.LeafIndex(index+1); id++ {
		stored = append(stored, p.hashes[id])
	}
	return v.Next(leaf, stored)
}
