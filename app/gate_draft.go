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

// mayGoOut reports whether a release judged by r is public, or may become so: it passed under
// a gate draft, and where people publish, release approvers said so. A draft that waits for a
// person who publishes it on GitHub is none of our business.
func mayGoOut(r checks.Report) bool {
	return r.Verdict == checks.Pass && r.Policy.Gate == checks.GateDraft &&
		(!r.Subject.Draft || r.Policy.Publish == checks.PublishAuto || r.Approvals.Met())
}

// letOut publishes the draft that r lets pass, and keeps that a release that is public already
// passed. A release that was public before and is a draft now was taken back by a person, who
// knows better: only a person publishes it again.
func (a *App) letOut(ctx context.Context, c *installation, s subjectArgs, r store.StoredReport) error {
	known, err := a.gateKnown(ctx, r.Key)
	if err != nil {
		return err
	}
	if r.Report.Subject.Draft {
		// A ruleset for tags may require the check on the commit, and publishing makes the tag.
		if err := a.publishCheck(ctx, a.installation(c.Repo, toJudgeReleases), s, r); err != nil {
			return err
		}
	}
	seen, err := c.seeNow(ctx, s.ReleaseID)
	var lacking *errPermission
	switch {
	case errors.As(err, &lacking) && !r.Report.Subject.Draft:
		return nil // public, and nothing is to be done to it
	case errors.As(err, &lacking):
		return a.refused(ctx, s, r, gateUnpublished)
	case errors.Is(err, errReleaseGone):
		return nil // deleted meanwhile
	case err != nil:
		return err
	case !seen.Draft && known.State == gatePublished:
		return nil
	case !seen.Draft:
		return a.noteGate(ctx, r, gatePublished)
	case a.justPublished(known):
		return errOldReading
	case !r.Report.Subject.Draft, known.State == gatePublished, known.State == gateWithdrawn:
		return a.refused(ctx, s, r, gateWithdrawn)
	case !seen.is(r.Report.Subject): // changed since the job began (THREATS G24)
		return a.judgeAgain(ctx, s, "the release changed")
	}
	return a.publishDraft(ctx, c, s, r)
}

// readingLag is how long after a write GitHub may answer a reading with what was there before: a guess.
const readingLag = 30 * time.Second

var errOldReading = errors.New("GitHub shows a release as a draft that was published moments ago: an old reading, or a person was quick")

// justPublished reports whether a reading that shows a draft may be older than its publication, known.
func (a *App) justPublished(known store.Publication) bool {
	return known.State == gatePublished && a.now().Sub(known.Updated).Abs() < readingLag
}

// seeNow reads a release with its assets and its commit.
func (c *installation) seeNow(ctx context.Context, id int64) (releaseSeen, error) {
	facts, err := c.facts(ctx)
	if err != nil {
		return releaseSeen{}, err
	}
	_, seen, err := c.see(ctx, id, facts.GetDefaultBranch())
	return seen, err
}

// publishDraft publishes a draft. Its tag is made at the commit that was judged, not at
// the head that the branch in its place has by now; a tag that exists stays where it is.
//
// What is public then is judged again: between the last look and GitHub's act somebody may
// have changed the draft, and the Report on a public release is what environments ask for.
func (a *App) publishDraft(ctx context.Context, c *installation, s subjectArgs, r store.StoredReport) error {
	if err := a.attachFirst(ctx, c, s, r); err != nil {
		return err
	}
	// The last look, right before the act: an upload lies between this one and the one before.
	seen, err := c.seeNow(ctx, s.ReleaseID)
	if err != nil {
		return err
	}
	if !seen.Draft || !seen.is(r.Report.Subject) {
		return a.judgeAgain(ctx, s, "the release changed")
	}
	body := heldRelease{
		TagName: seen.TagName, TargetCommitish: r.Report.Subject.Commit, Name: seen.Name, Body: seen.Body, Prerelease: seen.Prerelease,
	}
	if !seen.Prerelease {
		// By version and date: a release of an older branch must not become the latest.
		body.MakeLatest = "legacy"
	}
	if err := a.noteGate(ctx, r, gatePublishing); err != nil {
		return err
	}
	var now release
	_, err = c.ask(ctx, http.MethodPatch, fmt.Sprintf("%s/releases/%d", c.path(), seen.ID), body, &now)
	switch {
	case denied(err):
		a.log.WarnContext(ctx, "draft not published", "repo", c.Repo.String(), "release", seen.ID, "error", err)
		return a.refused(ctx, s, r, gateUnpublished)
	case err != nil:
		return fmt.Errorf("publishing release %d of %s: %w", seen.ID, c.Repo, err)
	case now.Draft:
		return fmt.Errorf("publishing release %d of %s: GitHub answers that it is a draft as before", seen.ID, c.Repo)
	}
	if err := a.judgeAgain(ctx, s, "published"); err != nil {
		return err
	}
	return a.noteGate(ctx, r, gatePublished)
}

// judgeAgain asks for another judgment of s.
func (a *App) judgeAgain(ctx context.Context, s subjectArgs, cause string) error {
	if err := a.store.Enqueue(ctx, a.judgeJob(s, cause)); err != nil {
		return fmt.Errorf("asking to judge %s again: %w", s.key(), err)
	}
	return nil
}
