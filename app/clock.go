package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/landwaiter/landwaiter/store"
	"github.com/landwaiter/landwaiter/store/crash"
)

const (
	// catchUpEvery and sweepEvery are the rhythm of the clock (GITHUB.md section 4).
	catchUpEvery = 5 * time.Minute
	sweepEvery   = 10 * time.Minute
	// catchUpWindow is how far back GitHub redelivers (GITHUB.md section 2: 3 days).
	catchUpWindow = 72 * time.Hour
	// catchUpOverlap is looked at again each time: deliveries are listed late and out of order.
	catchUpOverlap = 30 * time.Minute
	// maxRevived bounds the buried jobs that one sweep tries again.
	maxRevived = 500
	// passing begins the cause of a buried job that failed for a reason that may pass: an
	// outage. The sweep tries it again.
	passing = "may pass: "
)

// startClock enqueues the clock's jobs. They carry themselves on: each ends by enqueueing its
// next round, so that one runs at a time however many processes there are.
func (a *App) startClock(ctx context.Context) error {
	err := a.store.Enqueue(ctx,
		store.Job{Step: stepCatchUp, Key: "clock:" + stepCatchUp, Cause: "start", Priority: priorityBackfill, Due: a.now()},
		store.Job{Step: stepSweep, Key: "clock:" + stepSweep, Cause: "start", Priority: priorityBackfill, Due: a.now()},
	)
	if err != nil {
		return fmt.Errorf("starting the clock: %w", err)
	}
	return nil
}

// isClock reports whether j is a round of the clock, which goes on whatever happens.
func isClock(j store.Job) bool { return strings.HasPrefix(j.Key, "clock:") }

// nextRound returns the round after j.
func (a *App) nextRound(j store.Job, after time.Duration) store.Job {
	return store.Job{Step: j.Step, Key: j.Key, Cause: "clock", Priority: j.Priority, Due: a.now().Add(crash.Hurry(after)), Trace: store.NoTrace}
}

// catchUpSetting keeps when the last complete look at the list of deliveries began.
const catchUpSetting = "catch-up"

// catchUp is the step that asks GitHub once for every delivery that failed: GitHub does not
// send them again by itself.
func (a *App) catchUp(ctx context.Context, j store.Job) error {
	began := a.now()
	since := began.Add(-catchUpWindow)
	last, ok, err := recall[time.Time](ctx, a, catchUpSetting)
	if err != nil {
		return err
	}
	// The first round of a process covers the whole window: it may have been down for long.
	if ok && j.Cause != "start" {
		since = last.Add(-catchUpOverlap)
	}
	failed, err := a.failedDeliveries(ctx, since)
	if err != nil {
		return err
	}
	for _, d := range failed {
		if _, err := a.store.Delivery(ctx, d.GetGUID()); err == nil {
			continue // it arrived, only our answer was lost
		} else if !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("looking for delivery %s: %w", d.GetGUID(), err)
		}
		_, _, err := a.github.apps.Apps.RedeliverHookDelivery(ctx, d.GetID())
		var accepted *github.AcceptedError
		if err != nil && !errors.As(err, &accepted) {
			return fmt.Errorf("asking for delivery %s again: %w", d.GetGUID(), err)
		}
		a.metrics.redeliveries.Inc()
		a.log.InfoContext(ctx, "delivery asked for again", "delivery", d.GetGUID(), "event", d.GetEvent(), "action", d.GetAction())
	}
	if err := a.remember(ctx, catchUpSetting, began); err != nil {
		return err
	}
	return a.store.Finish(ctx, j, a.nextRound(j, catchUpEvery))
}

// failedDeliveries lists what failed since then and was not asked for again yet, newest first.
func (a *App) failedDeliveries(ctx context.Context, since time.Time) ([]*github.HookDelivery, error) {
	cursor := ""
	all, err := each(ctx, func(page int) ([]*github.HookDelivery, *github.Response, error) {
		found, answer, err := a.github.apps.Apps.ListHookDeliveries(ctx, &github.ListCursorOptions{Cursor: cursor, PerPage: 100})
		if err != nil {
			return nil, answer, err
		}
		// The list is paged by cursor; each counts pages.
		answer.NextPage = 0
		old := len(found) > 0 && found[len(found)-1].GetDeliveredAt().Before(since)
		if cursor = answer.Cursor; cursor != "" && !old {
			answer.NextPage = page + 1
		}
		return found, answer, nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing deliveries: %w", err)
	}
	settled := map[string]bool{} // GUIDs that arrived, or were asked for again
	for _, d := range all {
		if d.GetRedelivery() || d.GetStatusCode() >= 200 && d.GetStatusCode() < 300 {
			settled[d.GetGUID()] = true
		}
	}
	var failed []*github.HookDelivery
	for _, d := range all {
		row, known := eventNamed(d.GetEvent())
		if known && row.has(d.GetAction()) && !settled[d.GetGUID()] && !d.GetDeliveredAt().Before(since) {
			settled[d.GetGUID()] = true
			failed = append(failed, d)
		}
	}
	return failed, nil
}

// sweepArgs are the Args of a sweep over one installation.
type sweepArgs struct {
	Installation int64 `json:"installation"`
}

// sweepJob returns the job that sweeps one installation.
func (a *App) sweepJob(installation int64, cause string) store.Job {
	return store.Job{
		Step: stepSweep, Key: fmt.Sprintf("sweep:%d", installation), Cause: cause, Priority: priorityBackfill,
		InstallationID: installation, Due: a.now(), Args: encode(sweepArgs{installation}),
	}
}

// sweep is the step that looks for what no delivery told us: over all installations, or over
// the repositories of one.
func (a *App) sweep(ctx context.Context, j store.Job) error {
	if isClock(j) {
		return a.sweepAll(ctx, j)
	}
	args, err := decode[sweepArgs](j)
	if err != nil {
		return &permanent{err}
	}
	c := a.installation(repo{InstallationID: args.Installation}, permissions{"metadata": "read"})
	repositories, err := each(ctx, func(page int) ([]*github.Repository, *github.Response, error) {
		found, answer, err := c.Apps.ListRepos(ctx, &github.ListOptions{Page: page, PerPage: 100})
		if err != nil {
			return nil, answer, err
		}
		return found.Repositories, answer, nil
	})
	if err != nil {
		return fmt.Errorf("listing the repositories of installation %d: %w", args.Installation, err)
	}
	var then []store.Job
	for _, found := range repositories {
		r, err := newRepo(args.Installation, payloadRepository{ID: found.GetID(), FullName: found.GetFullName()})
		if err == nil && !found.GetArchived() && !found.GetDisabled() {
			then = append(then, a.backfillJob(r, j.Cause))
		}
	}
	return a.store.Finish(ctx, j, then...)
}

// sweepAll starts a sweep of every installation, and tries again what an outage buried.
func (a *App) sweepAll(ctx context.Context, j store.Job) error {
	if err := a.revive(ctx); err != nil {
		return err
	}
	installations, err := each(ctx, func(page int) ([]*github.Installation, *github.Response, error) {
		return a.github.apps.Apps.ListInstallations(ctx, &github.ListOptions{Page: page, PerPage: 100})
	})
	if err != nil {
		return fmt.Errorf("listing installations: %w", err)
	}
	then := []store.Job{a.nextRound(j, sweepEvery)}
	for _, i := range installations {
		if i.SuspendedAt == nil {
			then = append(then, a.sweepJob(i.GetID(), "sweep"))
		}
	}
	return a.store.Finish(ctx, j, then...)
}

// revive lets jobs wait again that were buried for a reason that may have passed.
func (a *App) revive(ctx context.Context) error {
	buried, err := a.store.Buried(ctx, maxRevived)
	if err != nil {
		return fmt.Errorf("listing buried jobs: %w", err)
	}
	for _, b := range buried {
		if !strings.HasPrefix(b.LastError, passing) {
			continue
		}
		if err := a.store.Revive(ctx, b.ID); err != nil && !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("reviving job %d: %w", b.ID, err)
		}
	}
	return nil
}

// mayPass reports whether err is of the kind that ends without us: GitHub or the way there is
// out of order.
func mayPass(err error) bool {
	var final *permanent
	var lacking *errPermission
	if errors.As(err, &final) || errors.As(err, &lacking) || errors.Is(err, errGone) {
		return false
	}
	code := status(err)
	return code == 0 || code >= 500 || code == http.StatusUnauthorized
}

// backfillJob returns the job that judges what was missed in r.
func (a *App) backfillJob(r repo, cause string) store.Job {
	return store.Job{
		Step: stepBackfill, Key: fmt.Sprintf("backfill:%d", r.ID), Cause: cause, Priority: priorityBackfill,
		InstallationID: r.InstallationID, Due: a.now(), Args: encode(r),
	}
}

// backfillRepository is the step that finds open pull requests that have no verdict by the policy
// in force, and recent releases that were not judged as they are.
func (a *App) backfillRepository(ctx context.Context, j store.Job) error {
	r, err := decode[repo](j)
	if err != nil {
		return &permanent{err}
	}
	c := a.installation(r, permissions{"contents": "read", "pull_requests": "read", "checks": "write"})
	then, err := a.missedPulls(ctx, c, j.Cause)
	if err != nil {
		return err
	}
	missed, err := a.missedBesides(ctx, c, j.Cause)
	if err != nil {
		return err
	}
	return a.store.Finish(ctx, j, append(then, missed...)...)
}

// missedBesides returns the jobs for what the policy at the head of the default branch looks
// at beside pull requests.
func (a *App) missedBesides(ctx context.Context, c *installation, cause string) ([]store.Job, error) {
	t, err := a.trunk(ctx, c)
	if errors.Is(err, errNoTarget) || status(err) == http.StatusConflict {
		return nil, nil // an empty repository
	}
	if err != nil {
		return nil, err
	}
	if err := a.noticeVisibility(ctx, c.Repo.ID, t.GetPrivate(), false); err != nil {
		return nil, err
	}
	jobs, err := a.missedReleases(ctx, c, t.Policy, cause)
	if err != nil {
		return nil, err
	}
	commits, err := a.missedCommit(ctx, c.Repo, t, cause)
	if err != nil {
		return nil, err
	}
	heard, err := a.missedCommands(ctx, c.Repo, cause)
	if err != nil {
		return nil, err
	}
	waiting, err := a.missedDeployments(ctx, c.Repo, t.Policy, cause)
	return slices.Concat(jobs, commits, heard, waiting), err
}
