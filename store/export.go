package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/landwaiter/landwaiter/store/dump"
	"github.com/landwaiter/landwaiter/store/engine"
	"github.com/landwaiter/landwaiter/store/ledger"
)

// NotEmptyError says that a database that Import should fill has rows already. Nothing was changed.
type NotEmptyError = dump.NotEmptyError

// Counted is how much of a table was carried: its rows, and a digest of them that does not depend
// on the engine.
type Counted = dump.Counted

// Carried is what Export wrote or Import read.
type Carried struct {
	Tables []Counted
	Head   ledger.Checkpoint // the newest in it
}

// Export writes every row of c's database to w, which Import reads into a database of the other
// engine, or of the same. The ledger is verified first. Memory does not grow with the database.
//
// It returns ErrInUse while the service has the database open: what arrived after an export would
// be lost, and two services would go on with one ledger.
func Export(ctx context.Context, c Config, w io.Writer, p Progress) (done Carried, err error) {
	c.ReadOnly, c.bare, c.alone = true, true, true
	db, err := Open(ctx, c)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	have, known, err := db.engine.Schema(ctx)
	if err != nil {
		return done, err
	}
	if have != known {
		return done, fmt.Errorf("the database has schema %d and this Landwaiter %d: run landwaiter migrate first, or use the newer version", have, known)
	}
	now := time.Now
	if c.Now != nil {
		now = c.Now
	}
	err = db.engine.Snapshot(ctx, func(t *engine.Tx) error {
		if done.Head, err = db.verifyAll(t, p); err != nil {
			return err
		}
		done.Tables, err = dump.Write(t, w, have, now(), p.of("exporting rows"))
		return err
	})
	return done, err
}

// Import fills c's database, which must be empty, with what Export wrote, in one transaction: it
// returns nil when every row of the export is there, was read back, and the ledger is whole and
// not behind the checkpoint file. After any error the database is as empty as before.
//
// c needs the keys of the ledger, to verify it; nothing is signed. Import returns a NotEmptyError
// for a database that has rows, ErrInUse when somebody has it open, and a TamperedError when the
// ledger in the export is not what was signed or lacks entries that the checkpoint file tells of.
func Import(ctx context.Context, c Config, r io.Reader, p Progress) (done Carried, err error) {
	c.ReadOnly, c.bare, c.alone = false, true, true
	db, err := Open(ctx, c)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	have, _, err := db.engine.Schema(ctx)
	if err != nil {
		return done, err
	}
	began := false
	err = db.engine.Change(ctx, func(t *engine.Tx) error {
		if began { // the stream is used up
			return errors.New("the database broke off the import; try again")
		}
		began = true
		done, err = db.fill(t, have, r, p)
		return err
	})
	if err != nil {
		return Carried{}, err
	}
	return done, nil
}

// fill is Import inside its transaction.
func (db *DB) fill(t *engine.Tx, schema int64, r io.Reader, p Progress) (done Carried, err error) {
	var rows func(int64)
	if p != nil {
		rows = func(n int64) { p("importing rows", n, 0) }
	}
	if done.Tables, err = dump.Read(t, r, schema, rows); err != nil {
		return done, err
	}
	done.Head, err = db.verifyAll(t, p)
	return done, err
}

// verifyAll verifies the whole ledger that t sees, and that it is not behind the checkpoint file.
func (db *DB) verifyAll(t *engine.Tx, p Progress) (ledger.Checkpoint, error) {
	head, err := db.ledger.VerifyInside(t, p.of("verifying ledger entries"))
	if err != nil {
		return head, err
	}
	outside, err := db.ledger.Outside(t, head)
	if err == nil && outside.Size > head.Size {
		err = &TamperedError{Index: head.Size, Detail: fmt.Sprintf(
			"the ledger ends here, but the checkpoint file tells of %d entries more", outside.Size-head.Size)}
	}
	return head, err
}
