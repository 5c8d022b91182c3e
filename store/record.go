package store

import (
	"context"
	"time"

	"github.com/landwaiter/landwaiter/checks"
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
}

// Recorded says where a record is found again.
type Recorded struct {
	ReportID    int64
	LedgerIndex int64  // zero-based
	Checkpoint  string // the signed checkpoint of the ledger with this entry as its last
}

// Record stores the report, its inventories, its ledger entry with a signed checkpoint, and
// the publish jobs, and ends r.Job: all in one transaction.
//
// Recording a (Key, Generation) again returns what the first call stored, whatever the second
// one holds, and ends r.Job if it is still leased. ErrLeaseLost means that r.Job is not the
// caller's any more, ErrStale that a report of a newer generation is recorded for Key,
// ErrTooLarge that the report is over MaxReport, TamperedError that the ledger does not fit
// its last checkpoint; nothing is stored then.
func (db *DB) Record(ctx context.Context, r Record) (Recorded, error) {
	return Recorded{}, errUnbuilt
}

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

// Report returns the report with that id, or ErrNotFound. It returns a TamperedError when the
// stored bytes are not those that the ledger entry binds.
func (db *DB) Report(ctx context.Context, id int64) (StoredReport, error) {
	return StoredReport{}, errUnbuilt
}

// ReportByKey returns the report of the newest recorded generation of key, or ErrNotFound.
func (db *DB) ReportByKey(ctx context.Context, key string) (StoredReport, error) {
	return StoredReport{}, errUnbuilt
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
	return nil, errUnbuilt
}
