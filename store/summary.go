package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/landwaiter/landwaiter/store/crash"
	"github.com/landwaiter/landwaiter/store/engine"
)

// MaxSummary is the limit of a file of verification summaries in bytes.
const MaxSummary = 8 << 20

// Summary is the signed verification summaries of one Report: a line for each asset.
type Summary struct {
	// Key, Generation and ReportIndex name the Report; ReportIndex is its ledger index.
	Key         string
	Generation  int64
	ReportIndex int64
	Policy      string // Report.Policy.Digest
	// File is the lines, each with a line feed, at most MaxSummary bytes.
	File []byte
	// Digests are the hexadecimal SHA-256 of the assets, in the order of the lines.
	Digests []string
}

// StoredSummary is a Summary as recorded.
type StoredSummary struct {
	Summary           // without Digests
	LedgerIndex int64 // of the summary's own entry
	Recorded    time.Time
}

// RecordSummary stores the summaries of a Report with a ledger entry of their own, in one
// transaction: no summary is given out that the ledger does not hold.
//
// The Report must be the newest on its Key, and pass; otherwise nothing is stored and the error
// is ErrStale. Recording the summaries of a Report again returns what the first call stored,
// whatever the second one holds. ErrTooLarge means that the file is over MaxSummary.
func (db *DB) RecordSummary(ctx context.Context, s Summary) (StoredSummary, error) {
	if len(s.File) > MaxSummary {
		return StoredSummary{}, fmt.Errorf("recording summaries of %d bytes: %w", len(s.File), ErrTooLarge)
	}
	if n := bytes.Count(s.File, []byte("\n")); n == 0 || n != len(s.Digests) {
		return StoredSummary{}, fmt.Errorf("recording summaries of %s: %d lines for %d assets", s.Key, n, len(s.Digests))
	}
	var index int64
	var signed string
	crash.Before(crash.SummaryCommit)
	err := db.change(ctx, func(t *tx) error {
		var err error
		index, signed, err = t.recordSummary(s)
		return err
	})
	if err != nil {
		return StoredSummary{}, fmt.Errorf("recording the summaries of generation %d of %s: %w", s.Generation, s.Key, err)
	}
	crash.After(crash.SummaryCommit)
	if signed != "" {
		if err := db.ledger.KeepOutside(index+1, signed); err != nil {
			// As with Record: the entry is durable, and the next one writes the file again.
			db.log.Error("checkpoint file is behind the ledger", "error", err)
		}
	}
	return db.summary(ctx, summaryQuery+`WHERE s.ledger_index = $1`, index)
}

// recordSummary returns the index of the entry, and its checkpoint unless it was there before.
func (t *tx) recordSummary(s Summary) (index int64, signed string, err error) {
	err = t.One(`SELECT ledger_index FROM summary WHERE key = $1 AND generation = $2`, []any{engine.Text(s.Key), s.Generation}, &index)
	if !errors.Is(err, ErrNotFound) {
		return index, "", err
	}
	leaf, err := encode(Leaf{
		Digest: digestOf(s.File), Generation: s.Generation, Key: s.Key, Policy: s.Policy, Salt: newSalt(), Summarises: &s.ReportIndex,
	})
	if err != nil {
		return 0, "", err
	}
	// Appending waits for all other writers of the ledger, so the look behind it is at the
	// newest Report there is.
	if index, signed, err = t.db.ledger.Append(t.Tx, leaf); err != nil {
		return 0, "", err
	}
	if err := t.newestPasses(s); err != nil {
		return 0, "", err
	}
	_, err = t.Exec(`INSERT INTO summary (ledger_index, report_index, key, generation, recorded, body) VALUES ($1, $2, $3, $4, $5, $6)`,
		index, s.ReportIndex, engine.Text(s.Key), s.Generation, engine.Micros(t.db.now()), t.db.bodies.Pack(s.File))
	if err != nil {
		return 0, "", fmt.Errorf("inserting the summaries: %w", err)
	}
	for i, digest := range s.Digests {
		_, err := t.Exec(`INSERT INTO summary_asset (digest, ledger_index, line) VALUES ($1, $2, $3)`, strings.ToLower(digest), index, i)
		if err != nil {
			return 0, "", fmt.Errorf("inserting the summary of an asset: %w", err)
		}
	}
	return index, signed, nil
}

// newestPasses returns ErrStale unless the Report that s summarises is the newest and passes.
func (t *tx) newestPasses(s Summary) error {
	var generation, index int64
	var verdict string
	err := t.One(`SELECT generation, ledger_index, verdict FROM report WHERE key = $1 ORDER BY generation DESC LIMIT 1`,
		[]any{engine.Text(s.Key)}, &generation, &index, &verdict)
	if err != nil {
		return err
	}
	if generation != s.Generation || index != s.ReportIndex || verdict != passes {
		return ErrStale
	}
	return nil
}

// passes is how checks.Pass is stored.
const passes = "pass"

// summaryQuery finds summaries; what follows it says which.
const summaryQuery = `SELECT s.ledger_index, s.report_index, s.key, s.generation, s.recorded, s.body, r.policy, e.leaf
	FROM summary s JOIN report r ON r.ledger_index = s.report_index JOIN ledger_entry e ON e.n = s.ledger_index `

// inForce narrows summaries to those that are given out: the newest of a key, as long as the
// newest Report on it passes.
const inForce = ` AND s.ledger_index = (SELECT MAX(x.ledger_index) FROM summary x WHERE x.key = s.key)
	AND (SELECT n.verdict FROM report n WHERE n.key = s.key ORDER BY n.generation DESC LIMIT 1) = '` + passes + `'`

// SummaryByKey returns the summaries in force of the Subject with that key. It returns
// ErrNotFound when there are none, and when the newest Report does not pass: summaries of an
// older one are not given out any more. It returns a TamperedError when the stored bytes are
// not those that the ledger entry binds.
func (db *DB) SummaryByKey(ctx context.Context, key string) (StoredSummary, error) {
	return db.summary(ctx, summaryQuery+`WHERE s.key = $1`+inForce, engine.Text(key))
}

// SummaryByDigest returns the line of the summary in force about the asset with that SHA-256,
// hexadecimal, of a release of the repository. Errors are those of SummaryByKey.
func (db *DB) SummaryByDigest(ctx context.Context, repositoryID int64, digest string) (line []byte, s StoredSummary, err error) {
	var index, at int64
	err = db.reader(ctx).One(`SELECT s.ledger_index, a.line FROM summary_asset a
		JOIN summary s ON s.ledger_index = a.ledger_index JOIN report r ON r.ledger_index = s.report_index
		WHERE a.digest = $1 AND r.repository_id = $2`+inForce+` ORDER BY s.ledger_index DESC, a.line LIMIT 1`,
		[]any{engine.Text(strings.ToLower(digest)), repositoryID}, &index, &at)
	if err != nil {
		return nil, StoredSummary{}, fmt.Errorf("reading the summary of sha256:%s: %w", digest, err)
	}
	if s, err = db.summary(ctx, summaryQuery+`WHERE s.ledger_index = $1`, index); err != nil {
		return nil, StoredSummary{}, err
	}
	lines := bytes.SplitAfter(s.File, []byte("\n"))
	if at < 0 || at >= int64(len(lines)) {
		return nil, StoredSummary{}, &TamperedError{Index: index, Detail: fmt.Sprintf("its summaries have no line %d", at)}
	}
	return lines[at], s, nil
}

// summary reads one file of summaries and checks it against its leaf.
func (db *DB) summary(ctx context.Context, query string, arg any) (StoredSummary, error) {
	var s StoredSummary
	var recorded int64
	var body, frame []byte
	err := db.reader(ctx).One(query, []any{arg}, &s.LedgerIndex, &s.ReportIndex, &s.Key, &s.Generation, &recorded, &body, &s.Policy, &frame)
	if err != nil {
		return StoredSummary{}, fmt.Errorf("reading summaries: %w", err)
	}
	s.Recorded = engine.FromMicros(recorded)
	leaf, err := db.bodies.Unpack(frame)
	if err == nil {
		s.File, err = db.boundSummary(boundSummary{s.Key, s.Generation, s.ReportIndex, body}, leaf)
	}
	if err != nil {
		return StoredSummary{}, &TamperedError{Index: s.LedgerIndex, Detail: err.Error()}
	}
	return s, nil
}

// boundSummary is what a row of summary must agree on with its leaf.
type boundSummary struct {
	key         string
	generation  int64
	reportIndex int64
	body        []byte // packed
}

// boundSummary returns the file of summaries after checking that it is the one the leaf binds.
func (db *DB) boundSummary(s boundSummary, bytes []byte) ([]byte, error) {
	leaf, err := ParseLeaf(bytes)
	if err != nil {
		return nil, err
	}
	if leaf.Summarises == nil || *leaf.Summarises != s.reportIndex || engine.Text(leaf.Key) != s.key || leaf.Generation != s.generation {
		return nil, fmt.Errorf("its summaries are stored as those of entry %d, generation %d of %s", s.reportIndex, s.generation, s.key)
	}
	file, err := db.bodies.Unpack(s.body)
	if err != nil {
		return nil, err
	}
	if digestOf(file) != leaf.Digest {
		return nil, errors.New("its summaries do not give the digest in the entry")
	}
	return file, nil
}

// boundSummaries reads the summaries of the entries from first to before end.
func boundSummaries(t *engine.Tx, first, end int64) (map[int64]boundSummary, error) {
	found := map[int64]boundSummary{}
	err := t.Each(`SELECT ledger_index, key, generation, report_index, body FROM summary
		WHERE ledger_index >= $1 AND ledger_index < $2`, []any{first, end}, func(rows *sql.Rows) error {
		var index int64
		var s boundSummary
		err := rows.Scan(&index, &s.key, &s.generation, &s.reportIndex, &s.body)
		found[index] = s
		return err
	})
	return found, err
}
