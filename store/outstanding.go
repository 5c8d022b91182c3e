package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store/engine"
)

// Outstanding is what a Report leaves open, for metrics. Record replaces what was open on the Subject,
// unless the verdict is Unknown, which says nothing of a cure.
type Outstanding struct {
	// Subject names the pull request or release, whatever its commit. "" keeps nothing.
	Subject        string
	RepositoryID   int64
	InstallationID int64
	// Findings counts the findings of a severity; none is 0 or absent.
	Findings map[checks.Severity]int
	// Within is the time to cure a severity from first sight on the Subject; absent means none.
	Within map[checks.Severity]time.Duration
	// Exceptions are the ids of those that accept a finding, with the time at which each ends.
	Exceptions map[string]time.Time
}

// maxOpenExceptions bounds what is kept of one Subject.
const maxOpenExceptions = 200

// keepOpen replaces what is open on the Subject of o. since is kept for a severity that was open.
func (t *tx) keepOpen(o Outstanding) error {
	subject := engine.Text(o.Subject)
	since := map[checks.Severity]int64{}
	err := t.Each(`SELECT severity, since FROM open_finding WHERE subject = $1`, []any{subject}, func(rows *sql.Rows) error {
		var severity checks.Severity
		var at int64
		err := rows.Scan(&severity, &at)
		since[severity] = at
		return err
	})
	if err == nil && len(since) > 0 {
		_, err = t.Exec(`DELETE FROM open_finding WHERE subject = $1`, subject)
	}
	if err == nil {
		_, err = t.Exec(`DELETE FROM open_exception WHERE subject = $1`, subject)
	}
	now := engine.Micros(t.db.now())
	for _, severity := range slices.Sorted(maps.Keys(o.Findings)) {
		if err != nil || o.Findings[severity] <= 0 {
			continue
		}
		at, seen := since[severity]
		if !seen {
			at = now
		}
		due := int64(0)
		if within, ok := o.Within[severity]; ok {
			due = at + within.Microseconds()
		}
		_, err = t.Exec(`INSERT INTO open_finding (subject, severity, installation_id, findings, since, due) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (subject, severity) DO UPDATE SET findings = excluded.findings, due = excluded.due`,
			subject, int64(severity), o.InstallationID, o.Findings[severity], at, due)
	}
	for i, id := range slices.Sorted(maps.Keys(o.Exceptions)) {
		if err != nil || i == maxOpenExceptions {
			break
		}
		_, err = t.Exec(`INSERT INTO open_exception (subject, exception, repository_id, installation_id, until) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (subject, exception) DO UPDATE SET until = excluded.until`,
			subject, cut(id), o.RepositoryID, o.InstallationID, engine.Micros(o.Exceptions[id]))
	}
	if err != nil {
		return fmt.Errorf("keeping what is open on %s: %w", o.Subject, err)
	}
	return nil
}

// Withdraw forgets what is open on a Subject that was closed or deleted.
func (db *DB) Withdraw(ctx context.Context, subject string) error {
	return db.withdraw(ctx, `subject = $1`, engine.Text(subject))
}

// WithdrawInstallation forgets what is open in an installation that is gone.
func (db *DB) WithdrawInstallation(ctx context.Context, installationID int64) error {
	return db.withdraw(ctx, `installation_id = $1`, installationID)
}

func (db *DB) withdraw(ctx context.Context, where string, arg any) error {
	err := db.change(ctx, func(t *tx) error {
		_, err := t.Exec(`DELETE FROM open_finding WHERE `+where, arg)
		if err == nil {
			_, err = t.Exec(`DELETE FROM open_exception WHERE `+where, arg)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("forgetting what is open on %v: %w", arg, err)
	}
	return nil
}

// maxFigures bounds the rows that one Figures counts of a table: a scrape must stay cheap while
// a million jobs wait.
const maxFigures = 100_000

// Figures are what a scrape of metrics shows of the store. Counts stop at maxFigures.
type Figures struct {
	Queue      []QueueStats // sorted by Step
	LedgerSize int64        // entries
	// Findings are open by severity, Overdue those of them whose time to cure has passed.
	Findings, Overdue map[checks.Severity]int64
	// Exceptions counts those that accept something open and have not ended, each once for a
	// repository.
	Exceptions int64
}

// Figures counts, at a cost that does not grow beyond maxFigures rows of each table.
func (db *DB) Figures(ctx context.Context) (Figures, error) {
	t := db.reader(ctx)
	f := Figures{Findings: map[checks.Severity]int64{}, Overdue: map[checks.Severity]int64{}}
	now := engine.Micros(db.now())
	var err error
	if f.Queue, err = t.queueStats(maxFigures); err != nil {
		return Figures{}, fmt.Errorf("counting jobs: %w", err)
	}
	err = t.Each(`SELECT severity, sum(findings), sum(CASE WHEN due > 0 AND due <= $1 THEN findings ELSE 0 END)
		FROM (SELECT severity, findings, due FROM open_finding LIMIT $2) AS part GROUP BY severity`, []any{now, maxFigures},
		func(rows *sql.Rows) error {
			var severity checks.Severity
			var open, overdue int64
			err := rows.Scan(&severity, &open, &overdue)
			f.Findings[severity], f.Overdue[severity] = open, overdue
			return err
		})
	if err != nil {
		return Figures{}, fmt.Errorf("counting what is open: %w", err)
	}
	err = t.One(`SELECT (SELECT COALESCE(max(size), 0) FROM ledger_checkpoint),
		(SELECT count(*) FROM (SELECT DISTINCT repository_id, exception FROM
			(SELECT repository_id, exception FROM open_exception WHERE until > $1 LIMIT $2) AS part) AS kinds)`,
		[]any{now, maxFigures}, &f.LedgerSize, &f.Exceptions)
	if err != nil {
		return Figures{}, fmt.Errorf("counting rows: %w", err)
	}
	return f, nil
}
