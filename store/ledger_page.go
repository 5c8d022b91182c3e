package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/landwaiter/landwaiter/store/ledger"
)

// checkPage checks the entries from v.Size() up to end with what is kept beside them.
func (t *tx) checkPage(v *ledger.Verifier, end int64, withReports bool) error {
	first := v.Size()
	p, err := t.readPage(first, end, withReports)
	if err != nil {
		return fmt.Errorf("reading ledger entries %d to %d: %w", first, end-1, err)
	}
	for index := first; index < end; index++ {
		if err := p.check(t.db, v, index); err != nil {
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
	checkpoints map[int64]string    // by index of the last entry
	reports     map[int64]reportRow // nil: not asked for
}

// reportRow is what a row of report must agree on with its leaf.
type reportRow struct {
	key        string
	generation int64
	verdict    string
	subject    string
	body       []byte // packed; nil when the leaf holds the report
}

func (t *tx) readPage(first, end int64, withReports bool) (page, error) {
	p := page{leaves: make(map[int64][]byte), hashes: make(map[int64]ledger.Hash), checkpoints: make(map[int64]string)}
	err := t.each(`SELECT n, leaf FROM ledger_entry WHERE n >= $1 AND n < $2`, []any{first, end}, func(rows *sql.Rows) error {
		var n int64
		var leaf []byte
		err := rows.Scan(&n, &leaf)
		p.leaves[n] = leaf
		return err
	})
	if err != nil {
		return p, err
	}
	err = t.each(`SELECT id, hash FROM ledger_hash WHERE id >= $1 AND id < $2`, []any{ledger.LeafIndex(first), ledger.LeafIndex(end)},
		func(rows *sql.Rows) error { return scanHash(rows, p.hashes) })
	if err != nil {
		return p, err
	}
	err = t.each(`SELECT size, note FROM ledger_checkpoint WHERE size > $1 AND size <= $2`, []any{first, end}, func(rows *sql.Rows) error {
		var size int64
		var signed string
		err := rows.Scan(&size, &signed)
		p.checkpoints[size-1] = signed
		return err
	})
	if err != nil {
		return p, err
	}
	if withReports {
		p.reports, err = t.readReportRows(first, end)
	}
	return p, err
}

func (t *tx) readReportRows(first, end int64) (map[int64]reportRow, error) {
	reports := make(map[int64]reportRow)
	err := t.each(`SELECT ledger_index, key, generation, verdict, subject, body FROM report
		WHERE ledger_index >= $1 AND ledger_index < $2`, []any{first, end}, func(rows *sql.Rows) error {
		var index int64
		var r reportRow
		err := rows.Scan(&index, &r.key, &r.generation, &r.verdict, &r.subject, &r.body)
		reports[index] = r
		return err
	})
	return reports, err
}

// check checks one entry. Its error says what is wrong with it.
func (p page) check(db *DB, v *ledger.Verifier, index int64) error {
	frame, ok := p.leaves[index]
	if !ok {
		return errors.New("it is missing")
	}
	leaf, err := db.bodies.unpack(frame)
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
	if err := p.checkCheckpoint(db, v, index); err != nil {
		return err
	}
	return p.checkReport(db, index, leaf)
}

// checkCheckpoint checks the checkpoint that was signed with the entry just read.
func (p page) checkCheckpoint(db *DB, v *ledger.Verifier, index int64) error {
	signed, ok := p.checkpoints[index]
	if !ok {
		return errors.New("its checkpoint is missing")
	}
	c, err := db.openCheckpoint(index+1, signed)
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

// checkReport checks that the report stored beside the entry is the one that the leaf binds.
func (p page) checkReport(db *DB, index int64, bytes []byte) error {
	if p.reports == nil {
		return nil
	}
	leaf, err := ParseLeaf(bytes)
	if err != nil {
		return err
	}
	row, ok := p.reports[index]
	if !ok {
		return errors.New("its report is missing")
	}
	if row.key != text(leaf.Key) || row.generation != leaf.Generation {
		return fmt.Errorf("its report is stored as generation %d of %s", row.generation, row.key)
	}
	body, err := reportOf(db, leaf, row.body)
	if err != nil {
		return err
	}
	var report struct {
		Verdict string          `json:"verdict"`
		Subject json.RawMessage `json:"subject"`
	}
	if err := json.Unmarshal(body, &report); err != nil {
		return fmt.Errorf("its report is not JSON: %w", err)
	}
	if row.verdict != report.Verdict || row.subject != text(string(report.Subject)) {
		return fmt.Errorf("its report is stored as verdict %s of %.200s", row.verdict, row.subject)
	}
	return nil
}

// reportOf returns the report's JSON from its leaf, or from body when it was too large for one,
// and checks that it is what the leaf binds.
func reportOf(db *DB, leaf Leaf, body []byte) ([]byte, error) {
	report := []byte(leaf.Report)
	if len(report) == 0 {
		var err error
		if report, err = db.bodies.unpack(body); err != nil {
			return nil, err
		}
	}
	if digestOf(report) != leaf.Digest {
		return nil, errors.New("its report does not give the digest in the entry")
	}
	return report, nil
}
