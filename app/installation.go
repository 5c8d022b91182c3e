package app

import (
	"context"
	"fmt"

	"github.com/landwaiter/landwaiter/store"
)

// onInstallation backfills the repositories of a new installation, and of one that was
// suspended or lacked permissions until now. It ends the work for one that is gone.
func (a *App) onInstallation(d store.Delivery) ([]store.Job, error) {
	p, err := readPayload(d)
	if err != nil {
		return nil, err
	}
	if p.Installation.ID <= 0 {
		return nil, fmt.Errorf("%s %s names no installation", d.Event, d.GUID)
	}
	switch p.Action {
	case "deleted", "suspend":
		return []store.Job{{
			Step: stepDrop, Key: fmt.Sprintf("drop:%d", p.Installation.ID), Cause: d.Event + "." + p.Action,
			Priority: priorityGate, Due: a.now(), Args: encode(dropArgs{p.Installation.ID}),
		}}, nil
	case "unsuspend", "new_permissions_accepted":
		return []store.Job{a.sweepJob(p.Installation.ID, d.Event+"."+p.Action)}, nil
	}
	return a.backfill(p.Installation.ID, p.Repositories, d)
}

// dropArgs are the Args of a job that ends all work for an installation.
type dropArgs struct {
	Installation int64 `json:"installation"`
}

// drop is the step that forgets the jobs of an installation that was removed or suspended.
// Its own job is of no installation, so that it does not drop itself.
func (a *App) drop(ctx context.Context, j store.Job) error {
	args, err := decode[dropArgs](j)
	if err != nil {
		return &permanent{err}
	}
	n, err := a.store.DropJobs(ctx, args.Installation)
	if err != nil {
		return fmt.Errorf("dropping the jobs of installation %d: %w", args.Installation, err)
	}
	a.log.Info("installation gone", "installation", args.Installation, "dropped", n)
	return a.store.Finish(ctx, j)
}

// onInstallationRepositories backfills repositories that an installation gained.
func (a *App) onInstallationRepositories(d store.Delivery) ([]store.Job, error) {
	p, err := readPayload(d)
	if err != nil {
		return nil, err
	}
	return a.backfill(p.Installation.ID, p.RepositoriesAdded, d)
}

// backfill returns one job per repository that looks for open pull requests without a run.
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
