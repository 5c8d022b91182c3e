package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/landwaiter/landwaiter/store"
	"github.com/landwaiter/landwaiter/store/crash"
)

// The steps. A publish step has the name of its surface behind it.
const (
	stepRoute        = "route"
	stepJudge        = "judge"
	stepPublish      = "publish:"
	stepSuite        = "suite"
	stepRecheck      = "recheck"
	stepTwins        = "twins"
	stepLook         = "look"
	stepTag          = "tag"
	stepInstallation = "installation"
	stepRepository   = "repository"
	stepIssues       = "issues"
	stepCommand      = "command"
	stepMember       = "member"
	stepBackfill     = "backfill"
	stepSweep        = "sweep"
	stepCatchUp      = "catch-up"
)

// run runs the step of j. A step ends its job itself, together with what follows from it.
func (a *App) run(ctx context.Context, j store.Job) error {
	switch j.Step {
	case stepRoute:
		return a.route(ctx, j)
	case stepJudge:
		return a.judge(ctx, j)
	case stepSuite:
		return a.rerunSuite(ctx, j)
	case stepRecheck:
		return a.recheck(ctx, j)
	case stepClosed:
		return a.closed(ctx, j)
	case stepLook:
		return a.look(ctx, j)
	case stepTag:
		return a.tagMoved(ctx, j)
	case stepTwins:
		return a.releaseTwins(ctx, j)
	case stepInstallation:
		return a.lookAtInstallation(ctx, j)
	case stepRepository:
		return a.lookAtRepository(ctx, j)
	case stepIssues:
		return a.issues(ctx, j)
	case stepCommand:
		return a.command(ctx, j)
	case stepMember:
		return a.memberRemoved(ctx, j)
	case stepBackfill:
		return a.backfillRepository(ctx, j)
	case stepSweep:
		return a.sweep(ctx, j)
	case stepCatchUp:
		return a.catchUp(ctx, j)
	}
	for _, s := range surfaces() {
		if j.Step == stepPublish+s.name {
			return a.publish(ctx, j, s)
		}
	}
	return &permanent{fmt.Errorf("there is no step %q", j.Step)}
}

// deadline is how long one attempt at j may take.
func (a *App) deadline(j store.Job) time.Duration {
	switch {
	case j.Step == stepJudge && strings.HasPrefix(j.Key, "release:"):
		return a.limits.release
	case j.Step == stepJudge:
		return a.limits.judge
	}
	return a.limits.step
}

// routeJob returns the first job of a delivery.
func (a *App) routeJob(d store.Delivery, row event) store.Job {
	return store.Job{
		Step: stepRoute, Key: store.DeliveryKey(d.GUID), Cause: d.Event + "." + d.Action,
		Priority: row.priority - 2, InstallationID: d.InstallationID, Due: a.now(),
	}
}

// route is the step that turns a delivery into jobs by the table of events.
func (a *App) route(ctx context.Context, j store.Job) error {
	guid := strings.TrimPrefix(j.Key, store.DeliveryKey(""))
	d, err := a.store.Delivery(ctx, guid)
	if err != nil {
		return fmt.Errorf("reading delivery %s: %w", guid, err)
	}
	row, ok := eventNamed(d.Event)
	if !ok {
		return &permanent{fmt.Errorf("event %q is not in the table", d.Event)}
	}
	jobs, err := row.handle(a, d)
	if err != nil {
		return &permanent{err}
	}
	return a.store.Finish(ctx, j, jobs...)
}

// workUntil claims and runs jobs until ctx ends, and returns when the last one is given back.
func (a *App) workUntil(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	slots := make(chan struct{}, a.cfg.Workers)
	name := workerName()
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			crash.Before(crash.Shutdown)
			return nil
		}
		free := 1
		for free < cap(slots) && len(slots) < cap(slots) {
			slots <- struct{}{}
			free++
		}
		asked := time.Now()
		jobs, err := a.store.Claim(ctx, name, free, a.limits.lease)
		if err != nil && ctx.Err() == nil {
			a.log.ErrorContext(ctx, "claiming jobs", "error", err)
		}
		for range free - len(jobs) {
			<-slots
		}
		for _, j := range jobs {
			running.Go(func() {
				defer func() { <-slots }()
				ctx := withLease(ctx, asked.Add(a.limits.lease))
				a.traceClaim(ctx, j, asked)
				a.work(ctx, j)
			})
		}
		if len(jobs) < free {
			a.idle(ctx)
		}
	}
}

// idle waits until a job may be ready.
func (a *App) idle(ctx context.Context) {
	timer := time.NewTimer(a.limits.idle)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-a.store.Wake():
	case <-timer.C:
	}
}

// workerName tells people which process holds a job.
func workerName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s/%d", host, os.Getpid())
}

// work runs one claimed job to one of its ends: done, put back, or buried.
func (a *App) work(ctx context.Context, j store.Job) {
	start := time.Now()
	ctx, span := a.traceJob(ctx, j)
	err := a.attempt(ctx, j)
	// What follows must happen even when the process is being stopped.
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.limits.drain)
	defer cancel()
	outcome := "done"
	if err != nil {
		outcome = a.settle(after, j, err, ctx.Err() != nil)
	}
	a.metrics.worked(j.Step, outcome, time.Since(start))
	a.github.cache.flush(after)
	span.Set(attribute.String("landwaiter.outcome", outcome))
	span.End(err)
}

// attempt runs the step of j under its deadline while a heartbeat keeps the lease.
func (a *App) attempt(ctx context.Context, j store.Job) error {
	if j.Attempts > maxTries && !isClock(j) {
		// The attempts before ended without a word: this job may be what ends the process.
		return &permanent{fmt.Errorf("%d attempts ended without an outcome", j.Attempts-1)}
	}
	if until, ok := a.github.lane(j.InstallationID).allows(j.Priority, a.now()); !ok {
		return &RateLimited{Until: until}
	}
	ctx, cancel := context.WithTimeout(ctx, a.deadline(j))
	defer cancel()
	ctx, lost := context.WithCancelCause(ctx)
	defer lost(nil)
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		a.beat(ctx, j, lost)
	}()
	err := a.runSafely(ctx, j)
	switch cause := context.Cause(ctx); {
	case err == nil: // it has ended its job; that a heartbeat found none since then means nothing
	case errors.Is(cause, store.ErrLeaseLost):
		err = cause
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		err = fmt.Errorf("%w: %w", errDeadline, err)
	}
	lost(nil)
	<-beating
	return err
}

// runSafely runs the step of j and turns a panic into an error: one job must not take the
// others down with it.
func (a *App) runSafely(ctx context.Context, j store.Job) (err error) {
	defer func() {
		if r := recover(); r != nil {
			a.log.ErrorContext(ctx, "step stopped by an internal fault", "step", j.Step, "run", j.Key, "fault", fmt.Sprint(r), "stack", string(debug.Stack()))
			err = &permanent{fmt.Errorf("stopped by an internal fault: %v", r)}
		}
	}()
	return a.run(ctx, j)
}

// beat renews the lease of j until ctx ends, and ends the work when the lease is lost.
func (a *App) beat(ctx context.Context, j store.Job, lost context.CancelCauseFunc) {
	tick := time.NewTicker(a.limits.beat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			asked := time.Now()
			switch err := a.store.Renew(ctx, j, a.limits.lease); {
			case errors.Is(err, store.ErrLeaseLost):
				lost(store.ErrLeaseLost)
				return
			case err == nil:
				renewLease(ctx, asked.Add(a.limits.lease))
			}
		}
	}
}
