package entries

import (
	"context"
	"errors"
	"fmt"

	"github.com/landwaiter/landwaiter/store/engine"
	"github.com/landwaiter/landwaiter/store/ledger"
)

const (
	// checkedAtOpen is how many of the last entries Open reads: a guess at what is written
	// between two starts, read in some ten milliseconds.
	checkedAtOpen = 1000
	// ledgerPage is how many entries are read at once.
	ledgerPage = 512
)

// Open checks the ledger, or begins it in an empty database: the newest checkpoint's signature,
// that the stored hashes give its root, that the last entries give their hashes, and that the
// checkpoint file is of the same tree. It returns a TamperedError otherwise.
func (k *Keeper) Open(ctx context.Context) error {
	if err := k.begin(ctx); err != nil {
		return err
	}
	outside, err := k.readOutside()
	if err != nil {
		return err
	}
	var head ledger.Checkpoint
	var signed string
	err = k.db.Snapshot(ctx, func(t *engine.Tx) error {
		var err error
		if head, signed, err = k.newestCheckpoint(t); err != nil {
			return err
		}
		if err := k.checkSuccession(signed); err != nil {
			return err
		}
		if err := k.checkEnd(t, head); err != nil {
			return err
		}
		return k.continues(t, outside, head)
	})
	if err != nil {
		return k.locate(ctx, err)
	}
	k.remember(head)
	return k.outside.save(head.Size, signed)
}

// begin signs the checkpoint of size 0 when there is none. If rows are there nevertheless, or a
// checkpoint outside, the checks that follow tell.
func (k *Keeper) begin(ctx context.Context) error {
	err := k.db.Change(ctx, func(t *engine.Tx) error {
		var rows int64
		err := t.One(`SELECT (SELECT count(*) FROM (SELECT 1 FROM ledger_checkpoint LIMIT 1) AS c)
			+ (SELECT count(*) FROM (SELECT 1 FROM ledger_entry LIMIT 1) AS e)`, nil, &rows)
		if err != nil || rows > 0 {
			return err
		}
		root, err := ledger.NewVerifier(nil).Root()
		if err != nil {
			return err
		}
		_, err = k.insertCheckpoint(t, ledger.Checkpoint{Origin: k.origin, Root: root})
		return err
	})
	if err != nil {
		return fmt.Errorf("beginning the ledger: %w", err)
	}
	return nil
}

// checkEnd checks the frontier and the last entries against the newest checkpoint, and that
// nothing lies beyond it.
func (k *Keeper) checkEnd(t *engine.Tx, head ledger.Checkpoint) error {
	if _, err := k.frontierOf(t, head); err != nil {
		return err
	}
	if err := k.checkBeyond(t, head.Size); err != nil {
		return err
	}
	frontier, err := ledger.LoadFrontier(max(0, head.Size-checkedAtOpen), k.hashes(t))
	if err != nil {
		return err
	}
	return k.checkEntries(t, ledger.NewVerifier(frontier), head, false, nil)
}

func (k *Keeper) checkBeyond(t *engine.Tx, size int64) error {
	var entries, hashes int64
	err := t.One(`SELECT (SELECT count(*) FROM ledger_entry WHERE n >= $1 OR n < 0),
		(SELECT count(*) FROM ledger_hash WHERE id >= $2 OR id < 0)`, []any{size, ledger.HashCount(size)}, &entries, &hashes)
	if err != nil {
		return fmt.Errorf("looking beyond the ledger: %w", err)
	}
	if entries+hashes > 0 {
		return &TamperedError{Index: size, Detail: fmt.Sprintf("%d entries and %d hashes are beyond the newest checkpoint", entries, hashes)}
	}
	return nil
}

// readOutside returns the checkpoint in the file, the zero one when there is none. It must be
// called before the database is read: what is in the file is committed, so a later look at the
// database sees it, even while another process appends.
func (k *Keeper) readOutside() (ledger.Checkpoint, error) {
	signed, err := k.outside.read()
	if errors.Is(err, engine.ErrNotFound) {
		return ledger.Checkpoint{}, nil
	}
	if err != nil {
		return ledger.Checkpoint{}, err
	}
	c, err := k.openAny(signed)
	if err != nil {
		return c, &TamperedError{Index: -1, Detail: fmt.Sprintf("the checkpoint file %s is not one of ours: %v", k.outside.path, err)}
	}
	return c, nil
}

// locate finds the first wrong entry for a TamperedError that does not name one.
func (k *Keeper) locate(ctx context.Context, err error) error {
	var tampered *TamperedError
	if !errors.As(err, &tampered) || tampered.Index >= 0 {
		return err
	}
	var located *TamperedError
	if again := k.Verify(ctx, nil); errors.As(again, &located) && located.Index >= 0 {
		return located
	}
	return err
}

// Verify reads the whole ledger and checks every leaf, hash and checkpoint, and what is kept
// beside them, against the others. It returns a TamperedError that names the first entry that
// is wrong. progress, which may be nil, is called now and then with entries done and in all.
func (k *Keeper) Verify(ctx context.Context, progress func(done, total int64)) error {
	outside, err := k.readOutside()
	if err != nil {
		return err
	}
	return k.db.Snapshot(ctx, func(t *engine.Tx) error {
		head, err := k.VerifyInside(t, progress)
		if err != nil {
			return err
		}
		return k.continues(t, outside, head)
	})
}

// VerifyInside is Verify without the checkpoint file, inside a transaction that may not be
// committed yet. It returns the newest checkpoint.
func (k *Keeper) VerifyInside(t *engine.Tx, progress func(done, total int64)) (ledger.Checkpoint, error) {
	head, _, err := k.newestCheckpoint(t)
	if err != nil {
		return head, err
	}
	if err := k.checkEntries(t, ledger.NewVerifier(nil), head, true, progress); err != nil {
		return head, err
	}
	return head, k.checkBeyond(t, head.Size)
}

// Outside returns the checkpoint in the file, the zero one without a file. When it is not larger
// than head, the newest one inside t, and not of the same tree, Outside returns a TamperedError:
// only of a larger one nothing can be said.
func (k *Keeper) Outside(t *engine.Tx, head ledger.Checkpoint) (ledger.Checkpoint, error) {
	outside, err := k.readOutside()
	if err != nil || outside.Size > head.Size {
		return outside, err
	}
	return outside, k.continues(t, outside, head)
}

// checkEntries reads on from where v stands up to head, page by page, with what is kept
// beside them if asked.
func (k *Keeper) checkEntries(t *engine.Tx, v *ledger.Verifier, head ledger.Checkpoint, beside bool, progress func(done, total int64)) error {
	for v.Size() < head.Size {
		if err := k.checkPage(t, v, min(v.Size()+ledgerPage, head.Size), beside); err != nil {
			return err
		}
		if progress != nil {
			progress(v.Size(), head.Size)
		}
	}
	root, err := v.Root()
	if err != nil {
		return fmt.Errorf("computing the root of size %d: %w", head.Size, err)
	}
	if root != head.Root {
		return &TamperedError{Index: -1, Detail: fmt.Sprintf("the entries do not give the root signed for size %d", head.Size)}
	}
	return nil
}
