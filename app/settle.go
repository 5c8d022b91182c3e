package app

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/output"
	"github.com/landwaiter/landwaiter/store"
	"github.com/landwaiter/landwaiter/store/crash"
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

// errDeadline says that a step used up its time.
var errDeadline = errors.New("the deadline passed")

// settle decides what becomes of a job whose step returned err, and returns the outcome for metrics.
func (a *App) settle(ctx context.Context, j store.Job, err error, stopping bool) string {
	log := a.log.With("step", j.Step, "run", j.Key, "installation", j.InstallationID, "attempt", j.Attempts)
	outcome, then := a.verdictOn(j, err, stopping)
	var failed error
	switch outcome {
	case "lost":
	case "gone":
		log.InfoContext(ctx, "job dropped: its installation or repository is out of reach", "error", err)
		failed = a.store.Finish(ctx, j, a.whyGone(j)...)
	case "stopped", "parked":
		failed = a.store.Finish(ctx, j, putBack(j, then))
	case "retried":
		log.WarnContext(ctx, "job put back", "error", err, "due", then)
		if errors.Is(err, errDeadline) {
			a.showFailure(ctx, j, output.StateTimedOut, err, "")
		}
		failed = a.store.Retry(ctx, j, then, text(err))
	case "buried":
		ref := reference(j)
		log.ErrorContext(ctx, "job buried", "error", err, "reference", ref)
		a.showBuried(ctx, j, err, ref)
		cause := "ref " + ref + ": " + text(err)
		if mayPass(err) {
			cause = passing + cause
		}
		if failed = a.store.Bury(ctx, j, cause); failed == nil {
			failed = a.doubt(ctx, j, err)
		}
	}
	if failed != nil && !errors.Is(failed, store.ErrLeaseLost) {
		log.ErrorContext(ctx, "job not given back: it returns when its lease ends", "error", failed)
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
		return "retried", a.now().Add(min(pause(j), catchUpEvery))
	case errors.Is(err, errGone):
		return "gone", time.Time{}
	case errors.As(err, &final), errors.As(err, &lacking):
		return "buried", time.Time{}
	case errors.Is(err, errDeadline) && j.Attempts >= maxTimeouts,
		refusal(err) && j.Attempts >= maxRefused,
		j.Attempts >= maxTries:
		return "buried", time.Time{}
	}
	return "retried", a.now().Add(pause(j))
}

// whyGone returns the job that looks at the installation of j, when j has one: it drops what else
// waits for it, and says so.
func (a *App) whyGone(j store.Job) []store.Job {
	if j.InstallationID == 0 {
		return nil
	}
	return []store.Job{a.installationJob(j.InstallationID, j.Step+" "+j.Key+" found it gone")}
}

// doubt asks for a look at the repository of j when GitHub refused j in a way that an archived or
// unreachable repository explains: then what was buried for it is dropped, since nobody can cure it.
func (a *App) doubt(ctx context.Context, j store.Job, err error) error {
	code := status(err)
	r, ok := repoOf(j)
	if !ok || code != http.StatusNotFound && code != http.StatusForbidden || j.Step == stepRepository {
		return nil
	}
	look := a.repositoryJob(r, j.Step+" "+j.Key+" was refused")
	look.Args = encode(repositoryArgs{Repo: r, Doubt: true})
	return a.store.Enqueue(ctx, look)
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
	return crash.Hurry(time.Duration(float64(d) * (0.75 + share/2)))
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
	surface := surfaceCheck
	if s.Kind == checks.KindDeployment {
		if d.Retry {
			return // it waits a little longer, which is no answer
		}
		surface = surfaceDeployment
	}
	job := a.publishJob(surface, publishArgs{Subject: s, Shown: &shown, Mark: markFailed}, cause.Error())
	job.Generation, job.Cause = j.Generation, string(state)
	if err := a.store.Enqueue(ctx, job); err != nil {
		a.log.ErrorContext(ctx, "failure not shown", "run", j.Key, "error", err)
	}
}
