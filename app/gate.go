package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store"
)

// surfaceGate is what is done to a release: one that must not stay published is taken back,
// and a draft that passed goes out (gate_draft.go).
const surfaceGate = "gate"

// toHoldReleases is what the gate may do.
var toHoldReleases = permissions{"contents": "write"}

// The states of a gate: Publication.State. One that ends in "ing" says that a request was
// about to be sent whose answer is not known.
const (
	gateReverting = "reverting"
	gateReverted  = "reverted" // the release is a draft again
	gateDemoting  = "demoting"
	gateDemoted   = "demoted" // the release is immutable: now a prerelease, and not the latest
	gateRefused   = "refused" // GitHub does not let us; the issue and the log say so

	gatePublishing  = "publishing"
	gatePublished   = "published"   // the release is public and passed, whoever published it
	gateUnpublished = "unpublished" // GitHub does not let us publish; the check and the log say so
	gateWithdrawn   = "withdrawn"   // a person took it back after it was public: only a person publishes it again
)

// ended reports whether no request is under way in a state.
func ended(state string) bool {
	return state != gateReverting && state != gateDemoting && state != gatePublishing
}

// wantsGate reports whether there is something to do to a release judged by r under p, which
// must enforce.
func wantsGate(r checks.Report, p *checks.Policy) bool {
	if r.Subject.Kind != checks.KindRelease || p.Mode == checks.ModeObserve {
		return false
	}
	switch p.Releases.Gate {
	case checks.GateReactive:
		return mustGoBack(r, p)
	case checks.GateDraft:
		return mustGoBack(r, p) || mayGoOut(r)
	}
	return false
}

// mustGoBack reports whether a release must not stay published: its Verdict is Fail. Unknown
// counts as the policy says under on_incomplete, with one exception: a release in which there
// is nothing to judge stays.
func mustGoBack(r checks.Report, p *checks.Policy) bool {
	switch {
	case r.Subject.Draft:
		return false
	case r.Verdict == checks.Unknown:
		return p.PullRequest.OnIncomplete == "failure" && len(r.Assets) > 0
	}
	return r.Verdict == checks.Fail
}

// publishGate does to a release what r calls for.
func (a *App) publishGate(ctx context.Context, c *installation, s subjectArgs, r store.StoredReport) error {
	if mayGoOut(r.Report) {
		return a.letOut(ctx, c, s, r)
	}
	return a.takeBack(ctx, c, s, r)
}

// takeBack takes a published release back: a mutable one becomes a draft again, an immutable
// one is no longer offered as the latest. Nothing is ever deleted, and a release that is a
// draft already is left alone.
func (a *App) takeBack(ctx context.Context, c *installation, s subjectArgs, r store.StoredReport) error {
	found, err := c.release(ctx, s.ReleaseID)
	var lacking *errPermission
	switch {
	case errors.As(err, &lacking):
		return a.refused(ctx, s, r, gateRefused)
	case notFound(err):
		return nil // deleted meanwhile
	case err != nil:
		return err
	case found.Draft:
		return a.confirmGate(ctx, r, gateReverting, gateReverted)
	case found.Immutable && found.Prerelease:
		return a.confirmGate(ctx, r, gateDemoting, gateDemoted)
	case found.Immutable:
		return a.hold(ctx, c, s, r, found, gateDemoting, gateDemoted)
	}
	return a.hold(ctx, c, s, r, found, gateReverting, gateReverted)
}

// heldRelease is the body of an update of a release. All fields are sent, each with its own
// value, because an update without them can rename a draft (GITHUB.md section 7).
type heldRelease struct {
	TagName         string `json:"tag_name"`
	TargetCommitish string `json:"target_commitish"`
	Name            string `json:"name"`
	Body            string `json:"body"`
	Draft           bool   `json:"draft"`
	Prerelease      bool   `json:"prerelease"`
	MakeLatest      string `json:"make_latest,omitempty"`
}

// hold sends the update and keeps what came of it. The intention is stored before: after a
// lost answer, the state of the release tells whether it was carried out.
func (a *App) hold(ctx context.Context, c *installation, s subjectArgs, r store.StoredReport, found release, before, after string) error {
	body := heldRelease{
		TagName: found.TagName, TargetCommitish: found.TargetCommitish, Name: found.Name, Body: found.Body,
		Draft: after == gateReverted, Prerelease: found.Prerelease,
	}
	if after == gateDemoted {
		body.Prerelease, body.MakeLatest = true, "false"
	}
	if err := a.noteGate(ctx, r, before); err != nil {
		return err
	}
	var now release
	_, err := c.ask(ctx, http.MethodPatch, fmt.Sprintf("%s/releases/%d", c.path(), found.ID), body, &now)
	switch {
	case denied(err):
		a.log.WarnContext(ctx, "release not taken back", "repo", c.Repo.String(), "release", found.ID, "error", err)
		return a.refused(ctx, s, r, gateRefused)
	case err != nil:
		return fmt.Errorf("taking release %d of %s back: %w", found.ID, c.Repo, err)
	case now.Draft != body.Draft || now.Prerelease != body.Prerelease:
		return fmt.Errorf("taking release %d of %s back: GitHub answers that it is as before", found.ID, c.Repo)
	}
	return a.noteGate(ctx, r, after)
}

// denied reports whether GitHub refused a change of a release for a reason that lasts.
func denied(err error) bool {
	code := status(err)
	return code == http.StatusForbidden || code == http.StatusUnprocessableEntity || code == http.StatusNotFound
}

// gateSentence tells people what the gate did where it is not seen on the release.
func gateSentence(state string) string {
	switch state {
	case gateDemoting, gateDemoted:
		return "The release is immutable and cannot be taken back: it is marked as a prerelease and is not offered as the latest."
	case gateRefused:
		return "The release could not be held, because GitHub does not let Landwaiter take it back: grant \"Contents: write\", or take it back by hand."
	case gateUnpublished:
		return "The draft could not be published, because GitHub does not let Landwaiter publish it: grant \"Contents: write\" and let the App pass the rules for tags, or publish it by hand."
	case gateWithdrawn:
		return "The release was public and a person made it a draft again. Landwaiter does not publish it a second time: it waits for a person to publish it by hand."
	}
	return ""
}

// refused keeps that what the release calls for was not done, and lets the check say why. The
// check is asked for before: it cannot run beside this job, and an attempt that ends between
// the two asks again. It is asked for once, and writes only what it does not show yet.
func (a *App) refused(ctx context.Context, s subjectArgs, r store.StoredReport, state string) error {
	known, err := a.gateKnown(ctx, r.Key)
	if err != nil || known.State == state && known.Generation == r.Generation {
		return err
	}
	job := a.publishJob(surfaceCheck, publishArgs{Subject: s}, "the gate could not act")
	job.Generation = r.Generation
	if err := a.store.Enqueue(ctx, job); err != nil {
		return fmt.Errorf("asking to show that the gate on %s is %s: %w", r.Key, state, err)
	}
	return a.noteGate(ctx, r, state)
}

// unheld says why what the release that r judged calls for was not done, "" when it was, or
// when nothing is called for.
func (a *App) unheld(ctx context.Context, r store.StoredReport) (string, error) {
	known, err := a.gateKnown(ctx, r.Key)
	if err != nil || known.Generation != r.Generation {
		return "", err
	}
	switch known.State {
	case gateRefused, gateUnpublished, gateWithdrawn:
		return gateSentence(known.State), nil
	}
	return "", nil
}

// confirmGate keeps that an update whose answer was lost was carried out after all.
func (a *App) confirmGate(ctx context.Context, r store.StoredReport, before, after string) error {
	state, err := a.gateState(ctx, r.Key)
	if err != nil || state != before {
		return err
	}
	return a.noteGate(ctx, r, after)
}

// gateState returns what the gate did to the release with that key, "" when nothing.
func (a *App) gateState(ctx context.Context, key string) (string, error) {
	known, err := a.gateKnown(ctx, key)
	return known.State, err
}

// gateKnown returns what is stored of the gate on key; zero when nothing is.
func (a *App) gateKnown(ctx context.Context, key string) (store.Publication, error) {
	p, err := a.store.Publication(ctx, surfaceGate, key)
	if errors.Is(err, store.ErrNotFound) {
		return store.Publication{}, nil
	}
	if err != nil {
		return p, fmt.Errorf("reading what the gate did to %s: %w", key, err)
	}
	return p, nil
}

func (a *App) noteGate(ctx context.Context, r store.StoredReport, state string) error {
	p := store.Publication{Surface: surfaceGate, Key: r.Key, Generation: r.Generation, RemoteID: r.Report.Subject.ReleaseID, State: state}
	if err := a.store.SavePublication(ctx, p); err != nil {
		return fmt.Errorf("keeping what the gate did to %s: %w", r.Key, err)
	}
	if ended(state) {
		a.metrics.decided("release", state, a.now().Sub(r.Report.Time))
	}
	return nil
}
