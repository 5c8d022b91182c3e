package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store"
)

const (
	// missedWindow is how far back the sweep looks at releases, as far as GitHub redelivers.
	missedWindow = catchUpWindow
	// maxMissed is how many releases of a repository the sweep looks at: the newest.
	maxMissed = 30
	// wholeListing is below how many assets the list of releases is taken to hold them all.
	// GitHub documents no bound; a page holds 100 elsewhere.
	wholeListing = 100
)

// missedReleases returns the jobs for recent releases of r that were never judged, and for
// those whose assets are not what was judged: uploads and deletions send no event.
func (a *App) missedReleases(ctx context.Context, c *installation, cause string) ([]store.Job, error) {
	var listed []struct {
		release
		PublishedAt *time.Time     `json:"published_at"` // null for a draft
		Assets      []releaseAsset `json:"assets"`
	}
	if _, err := c.ask(ctx, http.MethodGet, fmt.Sprintf("%s/releases?per_page=%d", c.path(), maxMissed), nil, &listed); err != nil {
		return nil, fmt.Errorf("listing the releases of %s: %w", c.Repo, err)
	}
	var jobs []store.Job
	for _, found := range listed {
		if found.Draft || found.PublishedAt == nil || found.PublishedAt.Before(a.now().Add(-missedWindow)) {
			continue
		}
		s := subjectArgs{Repo: c.Repo, Kind: checks.KindRelease, ReleaseID: found.ID}
		missed, err := a.missed(ctx, s, found.release, found.Assets)
		if err != nil {
			return nil, err
		}
		if missed {
			a.metrics.healed.WithLabelValues(string(s.Kind)).Inc()
			job := a.judgeJob(s, cause)
			job.Priority = max(job.Priority, priorityBackfill-1)
			jobs = append(jobs, job)
		}
	}
	return jobs, nil
}

// missed reports whether a release was never looked at, or judged when it had other assets.
func (a *App) missed(ctx context.Context, s subjectArgs, found release, assets []releaseAsset) (bool, error) {
	_, err := a.store.Newest(ctx, s.key())
	if errors.Is(err, store.ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for %s: %w", s.key(), err)
	}
	if found.Immutable || len(assets) >= wholeListing {
		return false, nil
	}
	r, err := a.store.ReportByKey(ctx, s.key())
	if errors.Is(err, store.ErrNotFound) {
		return false, nil // it is waited for, or releases are not checked
	}
	if err != nil {
		return false, fmt.Errorf("reading the report on %s: %w", s.key(), err)
	}
	judged := r.Report.Subject
	sortAssets(assets)
	// The commit is taken as it was: whether the tag moved is seen when the release is judged.
	tagged, untagged := releaseSeen{release: found, assets: assets, tagged: judged.Commit}, releaseSeen{release: found, assets: assets}
	return judged.AssetSet != tagged.set() && judged.AssetSet != untagged.set(), nil
}
