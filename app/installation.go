package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/landwaiter/landwaiter/store"
)

// onInstallation looks at what an installation is now, whatever the event says of it: deliveries
// come late and out of order. The repositories of a new one are backfilled at once.
func (a *App) onInstallation(d store.Delivery) ([]store.Job, error) {
	p, err := readPayload(d)
	if err != nil {
		return nil, err
	}
	if p.Installation.ID <= 0 {
		return nil, fmt.Errorf("%s %s names no installation", d.Event, d.GUID)
	}
	look := a.installationJob(p.Installation.ID, d.Event+"."+p.Action)
	switch p.Action {
	case "deleted", "suspend":
		return []store.Job{look}, nil
	case "created":
		return a.backfill(p.Installation.ID, p.Repositories, d)
	}
	look.Args = encode(installationArgs{Installation: p.Installation.ID, Sweep: true})
	return []store.Job{look}, nil
}

// installationArgs are the Args of a job that looks at an installation.
type installationArgs struct {
	Installation int64 `json:"installation"`
	// Sweep asks for a sweep of all its repositories when it is active.
	Sweep bool `json:"sweep,omitempty"`
}

// installationJob returns the job that looks at an installation. It is of no installation itself,
// so that it is neither dropped nor parked with it.
func (a *App) installationJob(id int64, cause string) store.Job {
	return store.Job{
		Step: stepInstallation, Key: fmt.Sprintf("installation:%d", id), Cause: cause,
		Priority: priorityGate, Due: a.now(), Args: encode(installationArgs{Installation: id}),
	}
}

// The states of an installation.
const (
	installed   = "active"
	suspended   = "suspended"
	uninstalled = "removed"
)

// presence is what is remembered of an installation that was once away.
type presence struct {
	State string    `json:"state"`
	Since time.Time `json:"since"` // when it was first seen so
}

func presenceSetting(id int64) string { return fmt.Sprintf("installation:%d", id) }

// lookAtInstallation is the step that ends all work for an installation that is removed or
// suspended, and takes it up again for one that is back (THREATS G30).
func (a *App) lookAtInstallation(ctx context.Context, j store.Job) error {
	args, err := decode[installationArgs](j)
	if err != nil {
		return &permanent{err}
	}
	state, err := a.installationState(ctx, args.Installation)
	if err != nil {
		return err
	}
	was, known, err := recall[presence](ctx, a, presenceSetting(args.Installation))
	if err != nil {
		return err
	}
	away := known && was.State != installed
	if state != installed {
		return a.stopInstallation(ctx, j, args.Installation, presence{state, a.now()}, was)
	}
	var then []store.Job
	if args.Sweep || away {
		then = append(then, a.sweepJob(args.Installation, j.Cause))
	}
	if away {
		if err := a.remember(ctx, presenceSetting(args.Installation), presence{installed, a.now()}); err != nil {
			return err
		}
		a.log.InfoContext(ctx, "installation is back, work goes on", "installation", args.Installation, "was", was.State, "since", was.Since)
	}
	return a.store.Finish(ctx, j, then...)
}

// installationState asks GitHub what an installation is now.
func (a *App) installationState(ctx context.Context, id int64) (string, error) {
	found, _, err := a.github.apps.Apps.GetInstallation(ctx, id)
	switch {
	case notFound(err):
		return uninstalled, nil
	case err != nil:
		return "", fmt.Errorf("reading installation %d: %w", id, err)
	case found.SuspendedAt != nil:
		return suspended, nil
	}
	return installed, nil
}

// stopInstallation forgets the jobs of an installation and says so, once for each time.
func (a *App) stopInstallation(ctx context.Context, j store.Job, id int64, is, was presence) error {
	n, err := a.store.DropJobs(ctx, id)
	if err != nil {
		return err
	}
	if is.State != was.State {
		if err := a.store.WithdrawInstallation(ctx, id); err != nil {
			return err
		}
		if err := a.remember(ctx, presenceSetting(id), is); err != nil {
			return err
		}
		a.log.WarnContext(ctx, "installation is "+is.State+", work for it stopped", "installation", id, "dropped", n)
	}
	return a.store.Finish(ctx, j)
}

// onInstallationRepositories looks at repositories that an installation gained or lost.
func (a *App) onInstallationRepositories(d store.Delivery) ([]store.Job, error) {
	p, err := readPayload(d)
	if err != nil {
		return nil, err
	}
	jobs, err := a.backfill(p.Installation.ID, p.RepositoriesAdded, d)
	for _, named := range p.RepositoriesRemoved {
		r, bad := newRepo(p.Installation.ID, named)
		if err = errors.Join(err, bad); bad == nil {
			jobs = append(jobs, a.repositoryJob(r, d.Event+"."+p.Action))
		}
	}
	return jobs, err
}

// backfill returns one job per repository that looks for open pull requests without a verdict.
func (a *App) backfill(installation int64, repositories []payloadRepository, d store.Delivery) ([]store.Job, error) {
	jobs := make([]store.Job, 0, len(repositories))
	for _, named := range repositories {
		r, err := newRepo(installation, named)
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, a.backfillJob(r, d.Event))
	}
	return jobs, nil
}
