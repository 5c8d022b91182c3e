package app

import (
	"fmt"

	"github.com/landwaiter/landwaiter/store"
)

// onInstallation backfills the repositories of a new installation, and of one that was
// suspended or lacked permissions until now.
func (a *App) onInstallation(d store.Delivery) ([]store.Job, error) {
	p, err := readPayload(d)
	if err != nil {
		return nil, err
	}
	if p.Installation.ID <= 0 {
		return nil, fmt.Errorf("%s %s names no installation", d.Event, d.GUID)
	}
	if p.Action != "created" {
		return []store.Job{a.sweepJob(p.Installation.ID, d.Event+"."+p.Action)}, nil
	}
	return a.backfill(p.Installation.ID, p.Repositories, d)
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
