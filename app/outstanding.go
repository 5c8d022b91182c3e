package app

import (
	"context"
	"fmt"
	"time"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store"
)

// stepClosed is the step that forgets what was open on a pull request that was closed.
const stepClosed = "closed"

// place names a pull request or release whatever its commit, "" for other subjects.
func (s subjectArgs) place() string {
	switch s.Kind {
	case checks.KindPullRequest:
		return fmt.Sprintf("pr:%d:%d", s.Repo.ID, s.Number)
	case checks.KindRelease:
		return fmt.Sprintf("release:%d:%d", s.Repo.ID, s.ReleaseID)
	}
	return ""
}

// outstanding is what r leaves open, for metrics: the findings that a pull request brings in and
// nobody accepted, or one for a release that failed.
func outstanding(s subjectArgs, r checks.Report, p *checks.Policy) store.Outstanding {
	o := store.Outstanding{
		Subject: s.place(), RepositoryID: s.Repo.ID, InstallationID: s.Repo.InstallationID,
		Findings: map[checks.Severity]int{}, Within: p.SLA, Exceptions: map[string]time.Time{},
	}
	if s.Kind == checks.KindRelease && r.Verdict == checks.Fail {
		o.Findings[releaseSeverity(r)]++
	}
	for _, f := range r.Findings {
		last, err := time.Parse(time.DateOnly, f.Until)
		switch {
		case !f.Introduced:
		case f.Level != checks.LevelAccepted:
			if s.Kind == checks.KindPullRequest {
				o.Findings[f.Severity]++
			}
		case err == nil && f.Exception != "":
			o.Exceptions[f.Exception] = last.AddDate(0, 0, 1) // Until is its last day
		}
	}
	return o
}

// closedJob returns the job that forgets what is open on s. It shares the key of the judgment, so
// that it never runs beside it, and is less urgent, so that it runs after it.
func (a *App) closedJob(s subjectArgs, cause string) store.Job {
	return store.Job{
		Step: stepClosed, Key: s.key(), Generation: store.Follow, Cause: cause, Priority: priorityBackfill,
		InstallationID: s.Repo.InstallationID, Due: a.now(), Args: encode(s),
	}
}

// closed is the step stepClosed.
func (a *App) closed(ctx context.Context, j store.Job) error {
	s, err := decode[subjectArgs](j)
	if err != nil {
		return &permanent{err}
	}
	if err := a.store.Withdraw(ctx, s.place()); err != nil {
		return err
	}
	return a.store.Finish(ctx, j)
}
