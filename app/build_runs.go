package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/duties"
	"github.com/landwaiter/landwaiter/store"
)

const (
	// maxRuns bounds the workflow runs that are asked about for one release. Most releases are
	// built by one.
	maxRuns = 50
	// firstLook and lastLook bound the pauses after which a run that has not ended is looked
	// at again; each pause is as long as the run is old, so that there are few.
	firstLook = 5 * time.Minute
	lastLook  = 6 * time.Hour
)

var toReadRuns = permissions{"actions": "read"}

// runAddress is the address of a run as certificates name it (Fulcio, extension 21).
var runAddress = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^https://github\.com/([A-Za-z0-9._-]+/[A-Za-z0-9._-]+)/actions/runs/([0-9]{1,18})(/attempts/[0-9]{1,4})?$`)
})

// buildRun is a run as GitHub's API has it.
type buildRun struct {
	HeadSHA    string    `json:"head_sha"`
	Path       string    `json:"path"`
	Attempt    int       `json:"run_attempt"`
	Status     string    `json:"status"`
	Conclusion string    `json:"conclusion"`
	Created    time.Time `json:"created_at"`
	Actor      *actor    `json:"actor"`            // who started it
	Again      *actor    `json:"triggering_actor"` // who started this attempt
	Repository struct {
		ID int64 `json:"id"`
	} `json:"repository"`
}

// readRuns asks GitHub about the runs of the repository that the attestations in evidence name,
// and notes the answers in r. Without the permission it notes that; an error means that GitHub
// cannot be asked now. again is when a run that has not ended should be looked at, or zero.
func (a *App) readRuns(ctx context.Context, c *installation, r *checks.Release, evidence []checks.Evidence) (again time.Time, err error) {
	reader := a.installation(c.Repo, toReadRuns)
	known := map[string]checks.BuildRun{}
	for _, e := range evidence {
		for _, x := range e.Attestations {
			url := x.Certificate.Run
			m := runAddress().FindStringSubmatch(url)
			if _, seen := known[url]; seen || x.Problem != nil || m == nil || !strings.EqualFold(m[1], c.Repo.String()) {
				continue
			}
			if len(known) == maxRuns {
				break
			}
			run, next, err := a.readRun(ctx, reader, m[2])
			var lacking *errPermission
			switch {
			case errors.As(err, &lacking), status(err) == http.StatusForbidden:
				r.RunsUnknown = "Landwaiter needs \"Actions: read\""
				return time.Time{}, nil
			case err != nil:
				return time.Time{}, err
			}
			known[url] = run
			if !next.IsZero() && (again.IsZero() || next.Before(again)) {
				again = next
			}
		}
	}
	r.Runs = known
	return again, nil
}

// readRun asks about one run. next is when to look again at one that has not ended.
func (a *App) readRun(ctx context.Context, c *installation, id string) (run checks.BuildRun, next time.Time, err error) {
	var b buildRun
	_, err = c.ask(ctx, http.MethodGet, c.path()+"/actions/runs/"+id, nil, &b)
	switch {
	case notFound(err):
		run.Problem = evidenceProblem(checks.CodeNotReadable, "the run that built it (number %s) is gone, so how it ended cannot be told; keep the runs of releases", id)
		return run, time.Time{}, nil
	case err != nil:
		return run, time.Time{}, fmt.Errorf("reading workflow run %s of %s: %w", id, c.Repo, err)
	}
	run = checks.BuildRun{
		RepositoryID: b.Repository.ID, Commit: b.HeadSHA, Workflow: b.Path, Attempt: b.Attempt, Status: b.Status, Conclusion: b.Conclusion,
		Actors: []duties.Person{b.Actor.person(), b.Again.person()},
	}
	if b.Status != "completed" {
		next = a.now().Add(min(max(a.now().Sub(b.Created), firstLook), lastLook))
	}
	return run, next, nil
}

// lookAgain asks for another judgment of a release at a time when a run that built it may have
// ended. It is a job of its own: another judgment with a later due time would keep the verdict
// of this one from being shown.
func (a *App) lookAgain(ctx context.Context, s subjectArgs, at time.Time) error {
	if at.IsZero() {
		return nil
	}
	j := store.Job{
		Step: stepLook, Key: "look:" + s.key(), Cause: "the build has not ended", Priority: priorityBackfill,
		InstallationID: s.Repo.InstallationID, Due: at, Args: encode(s),
	}
	if err := a.store.Enqueue(ctx, j); err != nil {
		return fmt.Errorf("asking to look at %s again: %w", s.key(), err)
	}
	return nil
}

// look is the step that has a release judged again.
func (a *App) look(ctx context.Context, j store.Job) error {
	s, err := decode[subjectArgs](j)
	if err != nil {
		return &permanent{err}
	}
	return a.store.Finish(ctx, j, a.judgeJob(s, "the build may have ended"))
}
