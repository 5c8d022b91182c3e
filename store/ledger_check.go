package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/landwaiter/landwaiter/store/ledger"
)

const (
	// checkedAtOpen is how many of the last entries Open reads: a guess at what is written
	// between two starts, read in some ten milliseconds.
	checkedAtOpen = 1000
	// ledgerPage is how many entries are read at once.
	ledgerPage = 512
)

// openLedger checks the ledger, or begins it in an empty database.
func (db *DB) openLedger(ctx context.Context) error {
	if err := db.beginLedger(ctx); err != nil {
		return err
	}
	var head ledger.Checkpoint
	var signed string
	err := db.snapshot(ctx, func(t *tx) error {
		var err error
		if head, signed, err = t.newestCheckpoint(); err != nil {
			return err
		}
		if err := t.checkEnd(head); err != nil {
			return err
		}
		return t.checkOutside(head)
	})
	if err != nil {
		return db.locate(ctx, err)
	}
	db.remember(head)
	return db.outside.save(head.Size, signed)
}

// beginLedger signs the checkpoint of size 0 when there is none. If rows are there
// nevertheless, or a checkpoint outside, the checks that follow tell.
func (db *DB) beginLedger(ctx context.Context) error {
	err := db.change(ctx, func(t *tx) error {
		var rows int64
		err := t.one(`SELECT (SELECT count(*) FROM (SELECT 1 FROM ledger_checkpoint LIMIT 1) AS c)
			+ (SELECT count(*) FROM (SELECT 1 FROM ledger_entry LIMIT 1) AS e)`, nil, &rows)
		if err != nil || rows > 0 {
			return err
		}
		root, err := ledger.NewVerifier(nil).Root()
		if err != nil {
			return err
		}
		_, err = t.insertCheckpoint(ledger.Checkpoint{Origin: db.key.Origin(), Root: root})
		return err
	})
	if err != nil {
		return fmt.Errorf("beginning the ledger: %w", err)
	}
	return nil
}

// snapshot runs fn on one state of the database, whatever others commit meanwhile.
func (db *DB) snapshot(ctx context.Context, fn func(*tx) error) error {
	options := &sql.TxOptions{ReadOnly: true}
	if db.engine == onPostgres {
		options.Isolation = sql.LevelRepeatableRead
	}
	native, err := db.read.BeginTx(ctx, options)
	if err != nil {
		return fmt.Errorf("beginning to read: %w", err)
	}
	err = fn(&tx{db: db, ctx: ctx, on: native})
	// Nothing was written: a rollback that fails loses nothing.
	_ = native.Rollback()
	return err
}

// checkEnd checks the frontier and the last entries against the newest checkpoint, and that
// nothing lies beyond it.
func (t *tx) checkEnd(head ledger.Checkpoint) error {
	if _, err := t.frontierOf(head); err != nil {
		return err
	}
	if err := t.checkBeyond(head.Size); err != nil {
		return err
	}
	frontier, err := ledger.LoadFrontier(max(0, head.Size-checkedAtOpen), t.hashes())
	if err != nil {
		return err
	}
	return t.checkEntries(ledger.NewVerifier(frontier), head, false, nil)
}

func (t *tx) checkBeyond(size int64) error {
	var entries, hashes int64
	err := t.one(`SELECT (SELECT count(*) FROM ledger_entry WHERE n >= $1 OR n < 0),
		(SELECT count(*) FROM ledger_hash WHERE id >= $2 OR id < 0)`, []any{size, ledger.HashCount(size)}, &entries, &hashes)
	if err != nil {
		return fmt.Errorf("looking beyond the ledger: %w", err)
	}
	if entries+hashes > 0 {
		return &TamperedError{Index: size, Detail: fmt.Sprintf("%d entries and %d hashes are beyond the newest checkpoint", entries, hashes)}
	}
	return nil
}

// checkOutside compares the checkpoint file with the tree of head.
func (t *tx) checkOutside(head ledger.Checkpoint) error {
	signed, err := t.db.outside.read()
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	outside, err := ledger.OpenCheckpoint(signed, t.db.key.Origin(), t.db.verifiers...)
	if err != nil {
		return &TamperedError{Index: -1, Detail: fmt.Sprintf("the checkpoint file %s is not one of ours: %v", t.db.outside.path, err)}
	}
	return t.continues(outside, head)
}

// locate finds the first wrong entry for a TamperedError that does not name one.
func (db *DB) locate(ctx context.Context, err error) error {
	var tampered *TamperedError
	if !errors.As(err, &tampered) || tampered.Index >= 0 {
		return err
	}
	var located *TamperedError
	if again := db.VerifyLedger(ctx, nil); errors.As(again, &located) && located.Index >= 0 {
		return located
	}
	return err
}

// VerifyLedger reads the whole ledger and checks every leaf, hash, checkpoint and stored
// report against the others. It returns a TamperedError that names the first entry that is
// wrong. progress, which may be nil, is called now and then with entries done and in all.
func (db *DB) VerifyLedger(ctx context.Context, progress func(done, total int64)) error {
	return db.snapshot(ctx, func(t *tx) error {
		head, _, err := t.newestCheckpoint()
		if err != nil {
			return err
		}
		if err := t.checkEntries(ledger.NewVerifier(nil), head, true, progress); err != nil {
			return err
		}
		if err := t.checkBeyond(head.Size); err != nil {
			return err
		}
		return t.checkOutside(head)
	})
}

// checkEntries reads on from where v stands up to head, page by page, with the stored reports
// if asked.
func (t *tx) checkEntries(v *ledger.Verifier, head ledger.Checkpoint, withReports bool, progress func(done, total int64)) error {
	for v.Size() < head.Size {
		if err := t.checkPage(v, min(v.Size()+ledgerPage, head.Size), withReports); err != nil {
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
