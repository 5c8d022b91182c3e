package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store/crash"
	"github.com/landwaiter/landwaiter/store/engine"
)

// MaxReport is the limit of a report's JSON in bytes.
const MaxReport = 32 << 20

// Record is what a judged job leaves behind.
type Record struct {
	// Job is the running job that ends with the record. A zero Job ends none (command line).
	Job Job
	// Key is the subject key, Generation the key's generation the report was made for.
	Key        string
	Generation int64
	Report     checks.Report
	// ReportJSON is Report in the JSON that is published, kept byte for byte after white space
	// between tokens is removed. nil means encoding/json's form of Report.
	ReportJSON []byte
	// Head and Base are the inventories judged. Manifests without a digest are not kept.
	Head, Base checks.Inventory
	// Parser is the version of what read the inventories. A manifest's packages are kept once
	// per (digest, format, Parser).
	Parser string
	// Publish are the jobs that show the report, one per surface. A zero Generation means
	// Generation above; an empty Key means Key above.
	Publish []Job
	// Outstanding is what the report leaves open.
	Outstanding Outstanding
}

// Recorded says where a record is found again.
type Recorded struct {
	ReportID    int64
	LedgerIndex int64  // zero-based
	Checkpoint  string // the signed checkpoint of the ledger with this entry as its last
}

// Record stores the report, its inventories, its ledger entry with a signed checkpoint, and
// the publish jobs, keeps what a release that passed teaches of its signers, and ends r.Job:
// all in one transaction.
//
// Recording a (Key, Generation) again returns what the first call stored, whatever the second
// one holds, and ends r.Job if it is still leased. ErrLeaseLost means that r.Job is not the
// caller's any more, ErrStale that a report of a newer generation is recorded for Key,
// ErrConflict that another release of the repository has taught something since r was judged,
// ErrTooLarge that the report is over MaxReport, TamperedError that the ledger does not fit
// its last checkpoint; nothing is stored then.
func (db *DB) Record(ctx context.Context, r Record) (Recorded, error) {
	publish, err := db.prepare(ctx, &r)
	if err != nil {
		return Recorded{}, fmt.Errorf("recording generation %d of %s: %w", r.Generation, r.Key, err)
	}
	ctx, cancel, err := ending(ctx)
	if err != nil {
		return Recorded{}, fmt.Errorf("recording generation %d of %s: %w", r.Generation, r.Key, err)
	}
	defer cancel()
	var out Recorded
	err = db.change(ctx, func(t *tx) error {
		var err error
		out, err = t.record(&r, publish)
		crash.Before(crash.RecordCommit)
		return err
	})
	if err != nil {
		return Recorded{}, fmt.Errorf("recording generation %d of %s: %w", r.Generation, r.Key, err)
	}
	crash.After(crash.RecordCommit)
	db.engine.Signal()
	if err := db.ledger.KeepOutside(out.LedgerIndex+1, out.Checkpoint); err != nil {
		// The record is durable and the next one writes the file again; Stats shows the gap.
		db.log.Error("checkpoint file is behind the ledger", "error", err)
	}
	return out, nil
}

// prepare settles everything about r that needs no transaction.
func (db *DB) prepare(ctx context.Context, r *Record) ([]jobRow, error) {
	if r.Key == "" || r.Generation <= 0 {
		return nil, errors.New("key and generation must be set")
	}
	if len(r.Key) > MaxKey || len(r.Report.Policy.Digest) > MaxKey {
		return nil, fmt.Errorf("key of %d and policy digest of %d bytes: %w", len(r.Key), len(r.Report.Policy.Digest), ErrTooLarge)
	}
	if r.ReportJSON == nil {
		b, err := encode(r.Report)
		if err != nil {
			return nil, err
		}
		r.ReportJSON = b
	}
	if len(r.ReportJSON) > MaxReport {
		return nil, fmt.Errorf("report of %d bytes: %w", len(r.ReportJSON), ErrTooLarge)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, r.ReportJSON); err != nil {
		return nil, fmt.Errorf("the report is not JSON: %w", err)
	}
	r.ReportJSON = compact.Bytes()
	publish := make([]Job, len(r.Publish))
	for i, j := range r.Publish {
		if j.Key == "" {
			j.Key = r.Key
		}
		if j.Generation == 0 {
			j.Generation = r.Generation
		}
		publish[i] = j
	}
	return newJobRows(ctx, publish, db.now())
}

// record is Record inside its transaction. The ledger comes last but for what needs its index,
// because the lock on it is held from there to the commit.
func (t *tx) record(r *Record, publish []jobRow) (Recorded, error) {
	if done, err := t.recorded(r); !errors.Is(err, ErrNotFound) {
		return done, err
	}
	if r.Job.ID != 0 {
		if err := t.end(r.Job, "recording"); err != nil {
			return Recorded{}, err
		}
	}
	blobs, err := t.keepInventories(r)
	if err != nil {
		return Recorded{}, err
	}
	if err := t.enqueue(publish); err != nil {
		return Recorded{}, err
	}
	if err := t.learn(r); err != nil {
		return Recorded{}, fmt.Errorf("remembering who signed: %w", err)
	}
	if r.Outstanding.Subject != "" && r.Report.Verdict != checks.Unknown {
		if err := t.keepOpen(r.Outstanding); err != nil {
			return Recorded{}, err
		}
	}
	leaf, whole, err := leafFor(r)
	if err != nil {
		return Recorded{}, err
	}
	var out Recorded
	if out.LedgerIndex, out.Checkpoint, err = t.db.ledger.Append(t.Tx, leaf); err != nil {
		return Recorded{}, err
	}
	if out.ReportID, err = t.insertReport(r, out.LedgerIndex, whole); err != nil {
		return Recorded{}, fmt.Errorf("inserting the report: %w", err)
	}
	return out, t.linkBlobs(out.ReportID, blobs)
}

// recorded returns what is stored for the key and generation of r, and ends its job. It
// returns ErrNotFound when nothing is, and ErrStale when something newer is.
func (t *tx) recorded(r *Record) (Recorded, error) {
	var out Recorded
	var generation int64
	err := t.One(`SELECT r.id, r.ledger_index, c.note, r.generation FROM report r
		JOIN ledger_checkpoint c ON c.size = r.ledger_index + 1
		WHERE r.key = $1 AND r.generation >= $2 ORDER BY r.generation LIMIT 1`, []any{engine.Text(r.Key), r.Generation},
		&out.ReportID, &out.LedgerIndex, &out.Checkpoint, &generation)
	if err != nil {
		return Recorded{}, err
	}
	if generation > r.Generation {
		return Recorded{}, engine.Unchanged(ErrStale)
	}
	_, err = t.Exec(`DELETE FROM job WHERE id = $1 AND token = $2 AND state = 2`, r.Job.ID, r.Job.Token)
	return out, err
}

func (t *tx) insertReport(r *Record, index int64, whole bool) (int64, error) {
	s := r.Report.Subject
	subject, err := subjectOf(r.ReportJSON)
	if err != nil {
		return 0, err
	}
	var body []byte
	if !whole {
		body = t.db.bodies.Pack(r.ReportJSON)
	}
	var id int64
	err = t.One(`INSERT INTO report (key, generation, kind, repository, repository_id, ref, commit_id, subject,
			verdict, cause, policy, time, recorded, ledger_index, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) RETURNING id`,
		[]any{engine.Text(r.Key), r.Generation, engine.Text(string(s.Kind)), engine.Text(s.Repository), s.RepositoryID, engine.Text(s.Ref), engine.Text(s.Commit), subject,
			r.Report.Verdict.String(), cut(r.Job.Cause), engine.Text(r.Report.Policy.Digest), engine.Micros(r.Report.Time), engine.Micros(t.db.now()), index, body},
		&id)
	return id, err
}

// subjectOf takes the subject out of a report's JSON as it is written there.
func subjectOf(report []byte) (string, error) {
	var r struct {
		Subject json.RawMessage `json:"subject"`
	}
	if err := json.Unmarshal(report, &r); err != nil {
		return "", fmt.Errorf("reading the subject of the report: %w", err)
	}
	return engine.Text(string(r.Subject)), nil
}
