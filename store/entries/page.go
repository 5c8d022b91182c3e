package entries

import (
	"database/sql"
	"errors"
	"fmt"

	"github.com/landwaiter/landwaiter/store/engine"
	"github.com/landwaiter/landwaiter/store/ledger"
)

// checkPage checks the entries from v.Size() up to end with what is kept beside them.
func (k *Keeper) checkPage(t *engine.Tx, v *ledger.Verifier, end int64, beside bool) error {
	first := v.Size()
	p, err := k.readPage(t, first, end, beside)
	if err != nil {
		return fmt.Errorf("reading ledger entries %d to %d: %w", first, end-1, err)
	}
	for index := first; index < end; index++ {
		if err := p.check(k, v, index); err != nil {
			var tampered *TamperedError
			if errors.As(err, &tampered) {
				return tampered
			}
			return &TamperedError{Index: index, Detail: err.Error()}
		}
	}
	return nil
}

// page is a part of the ledger as stored. What is missing is absent.
type page struct {
	leaves      map[int64][]byte // packed
	hashes      map[int64]ledger.Hash
	checkpoints map[int64]string                     // by index of the last entry
	beside      func(index int64, leaf []byte) error // nil: not asked for
}

func (k *Keeper) readPage(t *engine.Tx, first, end int64, beside bool) (page, error) {
	p := page{leaves: make(map[int64][]byte), hashes: make(map[int64]ledger.Hash), checkpoints: make(map[int64]string)}
	err := t.Each(`SELECT n, leaf FROM ledger_entry WHERE n >= $1 AND n < $2`, []any{first, end}, func(rows *sql.Rows) error {
		var n int64
		var leaf []byte
		err := rows.Scan(&n, &leaf)
		p.leaves[n] = leaf
		return err
	})
	if err != nil {
		return p, err
	}
	err = t.Each(`SELECT id, hash FROM ledger_hash WHERE id >= $1 AND id < $2`, []any{ledger.LeafIndex(first), ledger.LeafIndex(end)},
		func(rows *sql.Rows) error { return scanHash(rows, p.hashes) })
	if err != nil {
		return p, err
	}
	err = t.Each(`SELECT size, note FROM ledger_checkpoint WHERE size > $1 AND size <= $2`, []any{first, end}, func(rows *sql.Rows) error {
		var size int64
		var signed string
		err := rows.Scan(&size, &signed)
		p.checkpoints[size-1] = signed
		return err
	})
	if err != nil {
		return p, err
	}
	if beside {
		p.beside, err = k.beside(t, first, end)
	}
	return p, err
}

// check checks one entry. Its error says what is wrong with it.
func (p page) check(k *Keeper, v *ledger.Verifier, index int64) error {
	frame, ok := p.leaves[index]
	if !ok {
		return errors.New("it is missing")
	}
	leaf, err := k.bodies.Unpack(frame)
	if err != nil {
		return err
	}
	var stored []ledger.Hash
	for id := ledger.LeafIndex(index); id < ledger.LeafIndex(index+1); id++ {
		h, ok := p.hashes[id]
		if !ok {
			return missingHash(id)
		}
		stored = append(stored, h)
	}
	if err := v.Next(leaf, stored); err != nil {
		return err
	}
	if err := p.checkCheckpoint(k, v, index); err != nil {
		return err
	}
	if p.beside == nil {
		return nil
	}
	return p.beside(index, leaf)
}

// checkCheckpoint checks the checkpoint that was signed with the entry just read.
func (p page) checkCheckpoint(k *Keeper, v *ledger.Verifier, index int64) error {
	signed, ok := p.checkpoints[index]
	if !ok {
		return errors.New("its checkpoint is missing")
	}
	c, err := k.openCheckpoint(index+1, signed)
	if err != nil {
		return err
	}
	root, err := v.Root()
	if err != nil {
		return err
	}
	if c.Root != root {
		return errors.New("its checkpoint has another root")
	}
	return nil
}
