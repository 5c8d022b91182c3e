package app

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/landwaiter/landwaiter/checks/output"
	"github.com/landwaiter/landwaiter/store"
)

// The steps. A publish step has the name of its surface behind it.
const (
	stepRoute    = "route"
	stepJudge    = "judge"
	stepPublish  = "publish:"
	stepSuite    = "suite"
	stepBackfill = "backfill"
	stepSweep    = "sweep"
	stepCatchUp  = "catch-up"
)

const (
	// maxTries is after how many attempts a job is buried (GITHUB.md section 4).
	maxTries = 8
	// maxRefused is the same for a refusal that rarely passes: 401, 404, 422 and their like.
	maxRefused = 3
	// maxTimeouts is the first attempt and two automatic retries (GITHUB.md section 5).
	maxTimeouts = 3
	// firstPause and longestPause bound the exponential pause between attempts.
	firstPause, longestPause = 2 * time.Second, 15 * time.Minute
)

// permanent marks an error that trying again cannot cure.
type permanent struct{ err error }

func (e *permanent) Error() string { return e.err.Error() }
func (e *permanent) Unwrap() error { return e.err }

// run runs the step of j. A step ends its job itself, together with what follows from it.
func (a *App) run(ctx context.Context, j store.Job) error {
	switch j.Step {
	case stepRoute:
		return a.route(ctx, j)
	case stepJudge:
		return a.judge(ctx, j)
	case stepSuite:
		return a.rerunSuite(ctx, j)
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
			return nil
		}
		free := 1
		for free < cap(slots) && len(slots) < cap(slots) {
			slots <- struct{}{}
			free++
		}
		jobs, err := a.store.Claim(ctx, name, free, a.limits.lease)
		if err != nil && ctx.Err() == nil {
			a.log.Error("claiming jobs", "error", err)
		}
		for range free - len(jobs) {
			<-slots
		}
		for _, j := range jobs {
			running.Go(func() {
				defer func() { <-slots }()
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
	err := a.attempt(ctx, j)
	outcome := "done"
	if err != nil {
		// The job must be given back even when the process is being stopped.
		after, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.limits.drain)
		defer cancel()
		outcome = a.settle(after, j, err, ctx.Err() != nil)
	}
	a.metrics.worked(j.Step, outcome, time.Since(start))
}

// attempt runs the step of j under its deadline while a heartbeat keeps the lease.
func (a *App) attempt(ctx context.Context, j store.Job) error {
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
	err := a.run(ctx, j)
	if cause := context.Cause(ctx); errors.Is(cause, store.ErrLeaseLost) {
		err = cause
	} else if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = fmt.Errorf("%w: %w", errDeadline, err)
	}
	lost(nil)
	<-beating
	return err
}

// errDeadline says that a step used up its time.
var errDeadline = errors.New("the deadline passed")

// beat renews the lease of j until ctx ends, and ends the work when the lease is lost.
func (a *App) beat(ctx context.Context, j store.Job, lost context.CancelCauseFunc) {
	tick := time.NewTicker(a.limits.beat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := a.store.Renew(ctx, j, a.limits.lease); errors.Is(err, store.ErrLeaseLost) {
				lost(store.ErrLeaseLost)
				return
			}
		}
	}
}

// settle decides what becomes of a job whose step returned err, and returns the outcome for metrics.
func (a *App) settle(ctx context.Context, j store.Job, err error, stopping bool) string {
	log := a.log.With("step", j.Step, "run", j.Key, "installation", j.InstallationID, "attempt", j.Attempts)
	outcome, then := a.verdictOn(j, err, stopping)
	var failed error
	switch outcome {
	case "lost":
	case "stopped", "parked":
		failed = a.store.Finish(ctx, j, putBack(j, then))
	case "retried":
		log.Warn("job put back", "error", err, "due", then)
		if errors.Is(err, errDeadline) {
			a.showFailure(ctx, j, output.StateTimedOut, err, "")
		}
		failed = a.store.Retry(ctx, j, then, text(err))
	case "buried":
		ref := reference(j)
		log.Error("job buried", "error", err, "reference", ref)
		a.showBuried(ctx, j, err, ref)
		cause := "ref " + ref + ": " + text(err)
		if mayPass(err) {
			cause = passing + cause
		}
		failed = a.store.Bury(ctx, j, cause)
	}
	if failed != nil && !errors.Is(failed, store.ErrLeaseLost) {
		log.Error("job not given back: it returns when its lease ends", "error", failed)
	}
	return outcome
}

// verdictOn says what becomes of j after err, and when it is due again.
func (a *App) verdictOn(j store.Job, err error, stopping bool) (outcome string, due time.Time) {
	var limited *RateLimited
	var lacking *errPermission
	var final *permanent
	switch {
	case errors.Is(err, store.ErrLeaseLost):
		return "lost", time.Time{}
	case errors.As(err, &limited):
		return "parked", limited.Until
	case stopping:
		return "stopped", a.now()
	case isClock(j):
		return "retried", a.now().Add(pause(j))
	case errors.As(err, &final), errors.As(err, &lacking), errors.Is(err, errGone):
		return "buried", time.Time{}
	case errors.Is(err, errDeadline) && j.Attempts >= maxTimeouts,
		refusal(err) && j.Attempts >= maxRefused,
		j.Attempts >= maxTries:
		return "buried", time.Time{}
	}
	return "retried", a.now().Add(pause(j))
}

// refusal reports whether GitHub answered that it does not want the request.
func refusal(err error) bool {
	code := status(err)
	return code >= 400 && code < 500 && code != http.StatusRequestTimeout && code != http.StatusConflict
}

// putBack returns j as a new job, due then, whose attempts start anew: a limit, or our own
// stop, says nothing about the job.
func putBack(j store.Job, due time.Time) store.Job {
	j.Due, j.Attempts, j.Token = due, 0, ""
	return j
}

// pause is how long j waits after its last attempt: doubling, with a jitter of a quarter that
// depends on the job, so that what failed together does not return together.
func pause(j store.Job) time.Duration {
	d := firstPause << min(max(j.Attempts-1, 0), 20)
	d = min(d, longestPause)
	sum := sha256.Sum256(fmt.Appendf(nil, "%d/%d", j.ID, j.Attempts))
	share := float64(binary.BigEndian.Uint32(sum[:4])) / (1 << 32)
	return time.Duration(float64(d) * (0.75 + share/2))
}

// reference is what people quote to find a buried job in log and dashboard.
func reference(j store.Job) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d/%s/%s", j.ID, j.Step, j.Key))
	return strings.ToUpper(hex.EncodeToString(sum[:3]))
}

// text is err as it is stored, bounded.
func text(err error) string { return output.Truncate(err.Error(), 2000, "cut") }

// showBuried concludes the check run of a Subject that cannot be judged. Jobs of other steps
// have nothing to conclude: they stay visible among the buried jobs.
func (a *App) showBuried(ctx context.Context, j store.Job, err error, ref string) {
	var lacking *errPermission
	switch {
	case errors.Is(err, errGone):
	case errors.As(err, &lacking):
		a.showFailure(ctx, j, output.StatePermission, err, lacking.Missing.words())
	case errors.Is(err, errDeadline):
		a.showFailure(ctx, j, output.StateTimedOut, err, "")
	default:
		a.showFailure(ctx, j, output.StateFailed, err, ref)
	}
}

// showFailure enqueues the job that shows why a judgment did not come about. It goes before
// the end of j, so that a crash between the two shows it twice rather than never.
func (a *App) showFailure(ctx context.Context, j store.Job, state output.State, cause error, word string) {
	if j.Step != stepJudge {
		return
	}
	s, err := decode[subjectArgs](j)
	if err != nil {
		return // reported as the cause itself
	}
	d := a.detail(s, a.mode(ctx, s.Repo))
	switch state {
	case output.StatePermission:
		d.Permission = word
	case output.StateTimedOut:
		d.Retry = j.Attempts < maxTimeouts
	default:
		d.Reference = word
	}
	shown := output.ForState(state, d)
	job := a.publishJob(surfaceCheck, publishArgs{Subject: s, Shown: &shown, Mark: markFailed}, cause.Error())
	job.Generation, job.Cause = j.Generation, string(state)
	if err := a.store.Enqueue(ctx, job); err != nil {
		a.log.Error("failure not shown", "run", j.Key, "error", err)
	}
}
