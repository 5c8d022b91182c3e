package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/landwaiter/landwaiter/store/engine"
	"github.com/landwaiter/landwaiter/store/entries"
	"github.com/landwaiter/landwaiter/store/ledger"
)

// LedgerKey reads the ledger's signing key from the file path, or makes one with the name
// origin and writes it there, durably and with mode 0600, when there is no file. It refuses a
// file that others may read. origin is the ledger's name, such as "landwaiter.example.org/ledger".
func LedgerKey(path, origin string) (*ledger.Key, error) { return entries.Key(path, origin) }

// ReadLedgerKey is LedgerKey for a key that exists: fs.ErrNotExist says that it does not.
func ReadLedgerKey(path string) (*ledger.Key, error) { return entries.ReadKey(path) }

// LedgerHead returns the newest checkpoint: its fields and its signed text. A ledger without
// entries has size 0 and a signed text too.
func (db *DB) LedgerHead(ctx context.Context) (ledger.Checkpoint, string, error) {
	return db.ledger.Head(ctx)
}

// LedgerCheckpoint returns the signed checkpoint of that size, or ErrNotFound.
func (db *DB) LedgerCheckpoint(ctx context.Context, size int64) (string, error) {
	return db.ledger.Checkpoint(ctx, size)
}

// LedgerEntries returns up to limit leaves from index on, as they were hashed: ParseLeaf reads one.
func (db *DB) LedgerEntries(ctx context.Context, index int64, limit int) ([][]byte, error) {
	return db.ledger.Leaves(ctx, index, limit)
}

// LedgerHashes reads stored hashes by their tlog index, for proofs and tiles. It is valid
// until ctx ends. A hash that is missing is a TamperedError.
func (db *DB) LedgerHashes(ctx context.Context) ledger.HashReader { return db.ledger.Hashes(ctx) }

// LedgerVerifiers returns the public keys whose checkpoints are accepted, the newest first.
func (db *DB) LedgerVerifiers() []string { return db.ledger.Verifiers() }

// LedgerRotations returns the rotations that led to the ledger's key, the oldest first.
func (db *DB) LedgerRotations() []ledger.Rotation { return db.ledger.Rotations() }

// LedgerSignedBy returns which of LedgerVerifiers signed a checkpoint, or "".
func (db *DB) LedgerSignedBy(signed string) string { return db.ledger.SignedBy(signed) }

// LedgerTile returns the bytes of a tile as C2SP tlog-tiles publishes it, or ErrNotFound when
// the ledger is not that large. A tile of entries shows reports, one of hashes does not.
func (db *DB) LedgerTile(ctx context.Context, t ledger.Tile) ([]byte, error) {
	return db.ledger.Tile(ctx, t)
}

// ProveInclusion returns the proof that the entry with that index is in the tree of that size.
func (db *DB) ProveInclusion(ctx context.Context, index, size int64) ([]ledger.Hash, error) {
	return ledger.ProveInclusion(index, size, db.LedgerHashes(ctx))
}

// ProveConsistency returns the proof that the tree of size newer begins with that of size older.
func (db *DB) ProveConsistency(ctx context.Context, older, newer int64) ([]ledger.Hash, error) {
	return ledger.ProveConsistency(older, newer, db.LedgerHashes(ctx))
}

// VerifyLedger reads the whole ledger and checks every leaf, hash, checkpoint and stored
// report against the others. It returns a TamperedError that names the first entry that is
// wrong. progress, which may be nil, is called now and then with entries done and in all.
func (db *DB) VerifyLedger(ctx context.Context, progress func(done, total int64)) error {
	return db.ledger.Verify(ctx, progress)
}

// boundReport is what a row of report must agree on with its leaf.
type boundReport struct {
	key        string
	generation int64
	verdict    string
	subject    string
	body       []byte // packed; nil when the leaf holds the report
}

// boundReports reads the reports and summaries of the entries from first to before end and
// returns the check that each is the one that its leaf binds.
func (db *DB) boundReports(t *engine.Tx, first, end int64) (func(index int64, leaf []byte) error, error) {
	reports := make(map[int64]boundReport)
	err := t.Each(`SELECT ledger_index, key, generation, verdict, subject, body FROM report
		WHERE ledger_index >= $1 AND ledger_index < $2`, []any{first, end}, func(rows *sql.Rows) error {
		var index int64
		var r boundReport
		err := rows.Scan(&index, &r.key, &r.generation, &r.verdict, &r.subject, &r.body)
		reports[index] = r
		return err
	})
	if err != nil {
		return nil, err
	}
	summaries, err := boundSummaries(t, first, end)
	check := func(index int64, leaf []byte) error {
		if s, ok := summaries[index]; ok {
			_, err := db.boundSummary(s, leaf)
			return err
		}
		r, ok := reports[index]
		if !ok {
			return errors.New("its report is missing")
		}
		return db.checkBound(r, leaf)
	}
	return check, err
}

func (db *DB) checkBound(r boundReport, bytes []byte) error {
	leaf, err := ParseLeaf(bytes)
	if err != nil {
		return err
	}
	if r.key != engine.Text(leaf.Key) || r.generation != leaf.Generation {
		return fmt.Errorf("its report is stored as generation %d of %s", r.generation, r.key)
	}
	body, err := db.reportOf(leaf, r.body)
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
	if r.verdict != report.Verdict || r.subject != engine.Text(string(report.Subject)) {
		return fmt.Errorf("its report is stored as verdict %s of %.200s", r.verdict, r.subject)
	}
	return nil
}

// reportOf returns the report's JSON from its leaf, or from body when it was too large for one,
// and checks that it is what the leaf binds.
func (db *DB) reportOf(leaf Leaf, body []byte) ([]byte, error) {
	report := []byte(leaf.Report)
	if len(report) == 0 {
		var err error
		if report, err = db.bodies.Unpack(body); err != nil {
			return nil, err
		}
	}
	if digestOf(report) != leaf.Digest {
		return nil, errors.New("its report does not give the digest in the entry")
	}
	return report, nil
}
