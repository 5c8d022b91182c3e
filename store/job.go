package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/landwaiter/landwaiter/store/engine"
)

// Limits of a Job, in bytes.
const (
	MaxArgs  = 4 << 10
	MaxKey   = 512
	maxCause = 4 << 10 // causes and errors beyond are cut: they are for people
)

// Follow is a Job.Generation that takes the newest generation of the key without raising it:
// a job that shows something about the work that another job with this key does.
const Follow int64 = -1

// Job is one durable unit of work. It carries identity, never payload.
type Job struct {
	ID int64
	// Step is what to do: "route", "judge", "publish:check". Jobs coalesce by (Step, Key), so
	// each surface needs a Step of its own.
	Step string
	// Key is what it is done to. Two jobs with one Key never run at once, whatever their Step.
	Key string
	// Generation tells newer work on a Key from older. For Enqueue: 0 raises the key's
	// generation by one and takes it, Follow takes the newest as it is, and any other value is
	// taken as given and does not touch the key's newest.
	Generation int64
	Cause      string // why it exists, for people: "pull_request.synchronize", "advisory GHSA-..."
	// Priority orders jobs that are due: a smaller number goes first. GITHUB.md section 4.
	Priority int
	// InstallationID is the lane for fairness: within a priority the lanes take turns.
	InstallationID int64
	Due            time.Time       // not before; zero means at once
	Attempts       int             // claims so far, this one included; a crash counts
	Args           json.RawMessage // identity only, at most MaxArgs bytes; nil means none
	Created        time.Time       // when this Step and Key began to wait
	LastError      string          // why the last attempt did not end it
	// Trace is the W3C traceparent that the work goes on with; behind it, with spaces between
	// them, those of jobs that coalesced with it, maxTraces in all. For Enqueue: "" takes that of
	// WithTrace, NoTrace none.
	Trace string

	Token      string    // proves the lease; set by Claim
	LeaseUntil time.Time // set by Claim
}

// jobState is the column job.state. The partial indexes of the schema name the numbers.
type jobState int

const (
	jobReady   jobState = 0
	jobLater   jobState = 1
	jobRunning jobState = 2
	jobBuried  jobState = 3
)

// jobRow is a checked Job as it is inserted.
type jobRow struct {
	Job
	state jobState
	now   time.Time
}

func newJobRow(ctx context.Context, j Job, now time.Time) (jobRow, error) {
	j.Trace = traceFor(ctx, j.Trace)
	switch {
	case j.Step == "" || j.Key == "":
		return jobRow{}, fmt.Errorf("job %q of key %q: step and key must be set", j.Step, j.Key)
	case len(j.Key) > MaxKey || len(j.Args) > MaxArgs:
		return jobRow{}, fmt.Errorf("job %s of key %.80q with %d bytes of arguments: %w", j.Step, j.Key, len(j.Args), ErrTooLarge)
	case len(j.Args) > 0 && !json.Valid(j.Args):
		return jobRow{}, fmt.Errorf("job %s of key %s: arguments are not JSON", j.Step, j.Key)
	}
	row := jobRow{Job: j, state: jobReady, now: now}
	row.Step, row.Key, row.Cause = engine.Text(j.Step), engine.Text(j.Key), cut(j.Cause)
	if j.Due.After(now) {
		row.state = jobLater
	} else if j.Due.IsZero() {
		row.Due = now
	}
	return row, nil
}

// cut makes a text for people storable and bounds it.
func cut(s string) string {
	if len(s) > maxCause {
		s = s[:maxCause]
	}
	return engine.Text(s)
}

// Enqueue adds jobs in one transaction.
//
// A job whose Step and Key already wait does not become a second one: the waiting job gets
// the earlier Due and the better Priority of both, and Generation, Args and Cause of the
// newer generation (of the later call when they are equal), with its InstallationID, and the Trace
// of both; a raised generation starts its attempts anew. While a job with the Step and Key runs, the new one waits and starts after
// it. A buried one does not matter.
//
// Jobs with one Key are added in the given order, so a Follow after a raise follows it. ID,
// Attempts, Created, LastError, Token and LeaseUntil are ignored. It returns ErrTooLarge when
// Args or Key are over their limit.
func (db *DB) Enqueue(ctx context.Context, jobs ...Job) error {
	rows, err := newJobRows(ctx, jobs, db.now())
	if err != nil || len(rows) == 0 {
		return err
	}
	return db.change(ctx, func(t *tx) error { return t.enqueue(rows) })
}

func newJobRows(ctx context.Context, jobs []Job, now time.Time) ([]jobRow, error) {
	rows := make([]jobRow, 0, len(jobs))
	for _, j := range jobs {
		row, err := newJobRow(ctx, j, now)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	// In order of keys, so that two transactions on PostgreSQL lock rows in the same order.
	slices.SortStableFunc(rows, func(a, b jobRow) int { return strings.Compare(a.Key, b.Key) })
	return rows, nil
}

// enqueue adds rows, or merges them into jobs that wait.
func (t *tx) enqueue(rows []jobRow) error {
	for _, round := range rounds(rows) {
		if err := t.settle(round); err != nil {
			return fmt.Errorf("raising the generation of %s: %w", round[0].Key, err)
		}
		err := t.Batches(len(round), jobInsertColumns, func(from, to int) error { return t.insertJobs(round[from:to]) })
		if err != nil {
			return err
		}
	}
	return nil
}

// rounds splits rows, sorted by key, so that no round has a key twice and each key keeps its
// order: one statement cannot merge two rows into one job.
func rounds(rows []jobRow) [][]jobRow {
	var list [][]jobRow
	n := 0
	for i, row := range rows {
		n++
		if i == 0 || rows[i-1].Key != row.Key {
			n = 0
		}
		if n == len(list) {
			list = append(list, nil)
		}
		list[n] = append(list[n], row)
	}
	return list
}

// settle replaces the generations 0 and Follow in rows, no two of which share a key.
func (t *tx) settle(rows []jobRow) error {
	var raised []*jobRow
	for i := range rows {
		row := &rows[i]
		if row.Generation == Follow {
			err := t.One(`SELECT generation FROM job_key WHERE key = $1`, []any{row.Key}, &row.Generation)
			if errors.Is(err, ErrNotFound) {
				row.Generation, err = 0, nil // nothing to follow: it is the first
			}
			if err != nil {
				return err
			}
		}
		if row.Generation == 0 {
			raised = append(raised, row)
		}
	}
	return t.Batches(len(raised), 2, func(from, to int) error {
		args := make([]any, 0, 2*(to-from))
		for _, row := range raised[from:to] {
			args = append(args, row.Key, 1)
		}
		generations := make(map[string]int64, to-from)
		err := t.Each(`INSERT INTO job_key (key, generation) VALUES `+engine.Rows(to-from, 2)+`
			ON CONFLICT (key) DO UPDATE SET generation = job_key.generation + 1 RETURNING key, generation`, args,
			func(rows *sql.Rows) error {
				var key string
				var generation int64
				err := rows.Scan(&key, &generation)
				generations[key] = generation
				return err
			})
		for _, row := range raised[from:to] {
			row.Generation = generations[row.Key]
		}
		return err
	})
}

const jobInsertColumns = 11

// insertJobs inserts rows whose generation is settled; no two of them share step and key.
func (t *tx) insertJobs(rows []jobRow) error {
	args := make([]any, 0, len(rows)*jobInsertColumns)
	for _, r := range rows {
		args = append(args, r.state, r.Step, r.Key, r.Generation, r.Cause, r.Priority, r.InstallationID,
			engine.Micros(r.Due), string(r.Args), engine.Micros(r.now), r.Trace)
		if r.state == jobReady {
			t.Wake()
		}
	}
	_, err := t.Exec(`INSERT INTO job (state, step, key, generation, cause, priority, installation_id, due, args, created, trace)
		VALUES `+engine.Rows(len(rows), jobInsertColumns)+mergeJob, args...)
	if err != nil {
		return fmt.Errorf("adding job %s of %s: %w", rows[0].Step, rows[0].Key, err)
	}
	return nil
}

// mergeJob is what becomes of a waiting job when another one with its step and key arrives.
const mergeJob = ` ON CONFLICT (step, key) WHERE state < 2 DO UPDATE SET
	args       = CASE WHEN excluded.generation >= job.generation THEN excluded.args ELSE job.args END,
	cause      = CASE WHEN excluded.generation >= job.generation THEN excluded.cause ELSE job.cause END,
	attempts   = CASE WHEN excluded.generation > job.generation THEN 0 ELSE job.attempts END,
	generation = CASE WHEN excluded.generation > job.generation THEN excluded.generation ELSE job.generation END,
	installation_id = CASE WHEN excluded.generation >= job.generation THEN excluded.installation_id ELSE job.installation_id END,
	priority   = CASE WHEN excluded.priority < job.priority THEN excluded.priority ELSE job.priority END,
	due        = CASE WHEN excluded.due < job.due THEN excluded.due ELSE job.due END,
	state      = CASE WHEN excluded.state < job.state THEN excluded.state ELSE job.state END,
	trace      = CASE WHEN excluded.trace = '' OR substr(job.trace, 1, 55) = excluded.trace THEN job.trace
		WHEN job.trace = '' THEN excluded.trace
		WHEN excluded.generation >= job.generation THEN substr(excluded.trace || ' ' || job.trace, 1, 447)
		ELSE substr(job.trace || ' ' || excluded.trace, 1, 447) END`

const jobColumns = `id, step, key, generation, cause, priority, installation_id, due, attempts, args, created, last_error, token, lease_until, trace`

func scanJob(rows *sql.Rows) (Job, error) {
	var j Job
	var due, created, lease int64
	var args string
	err := rows.Scan(&j.ID, &j.Step, &j.Key, &j.Generation, &j.Cause, &j.Priority, &j.InstallationID,
		&due, &j.Attempts, &args, &created, &j.LastError, &j.Token, &lease, &j.Trace)
	j.Due, j.Created, j.LeaseUntil = engine.FromMicros(due), engine.FromMicros(created), engine.FromMicros(lease)
	if args != "" {
		j.Args = []byte(args)
	}
	return j, err
}

// Newest returns the newest generation of key, or ErrNotFound when none was ever raised. It
// outlives the jobs.
func (db *DB) Newest(ctx context.Context, key string) (int64, error) {
	var generation int64
	err := db.reader(ctx).One(`SELECT generation FROM job_key WHERE key = $1`, []any{engine.Text(key)}, &generation)
	if err != nil {
		return 0, fmt.Errorf("newest generation of %s: %w", key, err)
	}
	return generation, nil
}
