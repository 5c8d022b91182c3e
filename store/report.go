package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store/engine"
)

// ReportSummary is what lists show of a stored report.
type ReportSummary struct {
	ID         int64
	Key        string
	Generation int64
	Subject    checks.Subject
	Verdict    checks.Verdict
	Cause      string    // of the job that judged it
	Policy     string    // digest of the policy
	Time       time.Time // Report.Time
	Recorded   time.Time

	LedgerIndex int64 // zero-based
}

// StoredReport is a report as recorded.
type StoredReport struct {
	ReportSummary
	Checkpoint string // as in Recorded
	JSON       []byte // byte for byte what the ledger entry binds
	Report     checks.Report
}

const reportColumns = `r.id, r.key, r.generation, r.subject, r.verdict, r.cause, r.policy, r.time, r.recorded, r.ledger_index`

const wholeReport = `SELECT ` + reportColumns + `, r.body, e.leaf, c.note FROM report r
	JOIN ledger_entry e ON e.n = r.ledger_index
	JOIN ledger_checkpoint c ON c.size = r.ledger_index + 1 `

// Report returns the report with that id, or ErrNotFound. It returns a TamperedError when the
// stored bytes are not those that the ledger entry binds.
func (db *DB) Report(ctx context.Context, id int64) (StoredReport, error) {
	r, err := db.report(ctx, wholeReport+`WHERE r.id = $1`, id)
	if err != nil {
		return StoredReport{}, fmt.Errorf("reading report %d: %w", id, err)
	}
	return r, nil
}

// ReportByKey returns the report of the newest recorded generation of key, or ErrNotFound.
func (db *DB) ReportByKey(ctx context.Context, key string) (StoredReport, error) {
	r, err := db.report(ctx, wholeReport+`WHERE r.key = $1 ORDER BY r.generation DESC LIMIT 1`, engine.Text(key))
	if err != nil {
		return StoredReport{}, fmt.Errorf("reading the newest report of %s: %w", key, err)
	}
	return r, nil
}

func (db *DB) report(ctx context.Context, query string, arg any) (StoredReport, error) {
	var r StoredReport
	var row summaryRow
	var body, frame []byte
	err := db.reader(ctx).One(query, []any{arg}, append(row.dest(), &body, &frame, &r.Checkpoint)...)
	if err != nil {
		return r, err
	}
	if r.ReportSummary, err = row.summary(); err != nil {
		return r, err
	}
	bytes, err := db.bodies.Unpack(frame)
	if err != nil {
		return r, err
	}
	leaf, err := ParseLeaf(bytes)
	if err != nil {
		return r, err
	}
	if leaf.Generation != r.Generation || engine.Text(leaf.Key) != r.Key {
		err = errors.New("it is of another report")
	} else {
		r.JSON, err = db.reportOf(leaf, body)
	}
	if err != nil {
		return r, &TamperedError{Index: r.LedgerIndex, Detail: err.Error()}
	}
	if err := json.Unmarshal(r.JSON, &r.Report); err != nil {
		return r, fmt.Errorf("reading its JSON: %w", err)
	}
	return r, nil
}

// ReportFilter narrows a list of reports. Zero fields do not narrow.
type ReportFilter struct {
	RepositoryID int64
	Kind         checks.Kind
	Commit       string // full object name
	Before       int64  // only reports with a smaller ID: the next page
	Limit        int    // 0 means 50, at most 500
}

// Reports returns the reports that f lets through, latest recorded first.
func (db *DB) Reports(ctx context.Context, f ReportFilter) ([]ReportSummary, error) {
	if f.Limit <= 0 {
		f.Limit = 50
	}
	if f.Before <= 0 {
		f.Before = math.MaxInt64
	}
	query, args := `SELECT `+reportColumns+` FROM report r WHERE r.id < $1`, []any{f.Before}
	and := func(condition string, arg any) {
		args = append(args, arg)
		query += " AND " + condition + " = $" + strconv.Itoa(len(args))
	}
	if f.RepositoryID != 0 {
		and("r.repository_id", f.RepositoryID)
	}
	if f.Kind != "" {
		and("r.kind", string(f.Kind))
	}
	if f.Commit != "" {
		and("r.commit_id", engine.Text(f.Commit))
	}
	args = append(args, min(f.Limit, maxReports))
	query += " ORDER BY r.id DESC LIMIT $" + strconv.Itoa(len(args))
	var list []ReportSummary
	err := db.reader(ctx).Each(query, args, func(rows *sql.Rows) error {
		var row summaryRow
		if err := rows.Scan(row.dest()...); err != nil {
			return err
		}
		s, err := row.summary()
		list = append(list, s)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing reports: %w", err)
	}
	return list, nil
}

// maxReports is the most reports in one list.
const maxReports = 500

// summaryRow is a row of reportColumns.
type summaryRow struct {
	ReportSummary
	subject, verdict string
	time, recorded   int64
}

func (r *summaryRow) dest() []any {
	return []any{&r.ID, &r.Key, &r.Generation, &r.subject, &r.verdict, &r.Cause, &r.Policy, &r.time, &r.recorded, &r.LedgerIndex}
}

func (r *summaryRow) summary() (ReportSummary, error) {
	s := r.ReportSummary
	s.Time, s.Recorded = engine.FromMicros(r.time), engine.FromMicros(r.recorded)
	// Any text is a verdict: what is not known is Unknown.
	_ = s.Verdict.UnmarshalText([]byte(r.verdict))
	if err := json.Unmarshal([]byte(r.subject), &s.Subject); err != nil {
		return s, fmt.Errorf("reading the subject of report %d: %w", r.ID, err)
	}
	return s, nil
}
