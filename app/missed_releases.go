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

// listedRelease is a release as the list has it.
type listedRelease struct {
	release
	CreatedAt   time.Time      `json:"created_at"`
	PublishedAt *time.Time     `json:"published_at"` // null for a draft that never was published
	Assets      []releaseAsset `json:"assets"`
}

// recent reports whether the release came about, or went out, since then.
func (r listedRelease) recent(then time.Time) bool {
	if r.Draft {
		return r.CreatedAt.After(then)
	}
	return r.PublishedAt != nil && r.PublishedAt.After(then)
}

// missedReleases returns the jobs for recent releases of r that were never judged, and for
// those whose assets or tag are not what was judged: uploads and deletions send no event.
//
// Drafts are looked at where the policy publishes them; GitHub shows them only to a token that
// may write. An old draft that was never judged is left alone: somebody forgot it, and turning
// the gate on must not publish it.
func (a *App) missedReleases(ctx context.Context, c *installation, p *checks.Policy, cause string) ([]store.Job, error) {
	reader := c
	if p.Releases.Gate == checks.GateDraft {
		reader = a.installation(c.Repo, toReadDrafts)
	}
	listed, err := reader.listReleases(ctx)
	var lacking *errPermission
	if errors.As(err, &lacking) {
		listed, err = c.listReleases(ctx)
	}
	if err != nil {
		return nil, err
	}
	var jobs []store.Job
	for _, found := range listed {
		if found.Draft && p.Releases.Gate != checks.GateDraft {
			continue
		}
		s := subjectArgs{Repo: c.Repo, Kind: checks.KindRelease, ReleaseID: found.ID}
		missed, err := a.missed(ctx, c, s, found)
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

// listReleases returns the newest releases of the repository.
func (c *installation) listReleases(ctx context.Context) ([]listedRelease, error) {
	var listed []listedRelease
	if _, err := c.ask(ctx, http.MethodGet, fmt.Sprintf("%s/releases?per_page=%d", c.path(), maxMissed), nil, &listed); err != nil {
		return nil, fmt.Errorf("listing the releases of %s: %w", c.Repo, err)
	}
	return listed, nil
}

// missed reports whether a release was never looked at, or is not what was judged.
func (a *App) missed(ctx context.Context, c *installation, s subjectArgs, found listedRelease) (bool, error) {
	recent := found.recent(a.now().Add(-missedWindow))
	_, err := a.store.Newest(ctx, s.key())
	switch {
	case errors.Is(err, store.ErrNotFound):
		return recent, nil
	case err != nil:
		return false, fmt.Errorf("looking for %s: %w", s.key(), err)
	case found.Immutable, !recent && !found.Draft, len(found.Assets) >= wholeListing:
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
	sortAssets(found.Assets)
	attached, err := a.attached(ctx, s.key())
	if err != nil {
		return false, err
	}
	seen := releaseSeen{release: found.release}
	seen.assets, seen.own = attached.setApart(found.Assets)
	if judged.AssetSet == seen.set() {
		return false, nil // it had no tag
	}
	if seen.tagged, err = c.tagCommit(ctx, found.TagName); err != nil {
		return false, err
	}
	return judged.AssetSet != seen.set(), nil
}
