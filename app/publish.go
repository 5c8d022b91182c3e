package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/output"
	"github.com/landwaiter/landwaiter/store"
)

// surface is one place on GitHub that shows Reports. Each is published by its own job.
type surface struct {
	name string
	// optional says that the manifest does not ask for what the surface needs.
	optional bool
	// priority of its jobs; 0: that of the Subject's.
	priority int
	needs    permissions
	// wants says whether a Report has something to show here.
	wants func(r checks.Report, p *checks.Policy) bool
	// publish looks first, then writes. It may run again after having written.
	publish func(a *App, ctx context.Context, c *installation, s subjectArgs, r store.StoredReport) error
	// state shows what is no Report; nil: publishState, on the check run.
	state func(a *App, ctx context.Context, j store.Job, args publishArgs) error
}

// surfaceCheck is the name of the surface every Report is shown on, but those on deployments.
const surfaceCheck = "check"

// surfaces is the table of surfaces. To add one: its file and a row here.
func surfaces() []surface {
	return []surface{
		{
			name: surfaceCheck, needs: permissions{"checks": "write"},
			wants:   func(r checks.Report, _ *checks.Policy) bool { return r.Subject.Kind != checks.KindDeployment },
			publish: (*App).publishCheck,
		},
		{name: surfaceGate, priority: priorityGate, needs: toHoldReleases, wants: wantsGate, publish: (*App).publishGate},
		{
			name: surfaceDeployment, needs: toGateDeployments,
			wants:   func(r checks.Report, _ *checks.Policy) bool { return r.Subject.Kind == checks.KindDeployment },
			publish: (*App).publishDeployment, state: (*App).publishDeploymentState,
		},
		{name: surfaceSummary, priority: priorityIssue, needs: toHoldReleases, wants: wantsSummary, publish: (*App).publishSummary},
		{name: surfaceIssue, priority: priorityIssue, needs: toWriteIssues, wants: wantsIssue, publish: (*App).publishIssue},
		{name: surfaceCodeScanning, optional: true, priority: priorityIssue, needs: toScanCode, wants: wantsCodeScanning, publish: (*App).publishCodeScanning},
	}
}

// publishArgs are the Args of a publish job.
type publishArgs struct {
	Subject subjectArgs `json:"subject"`
	// Shown is a state without a Report. nil: the newest Report of the Subject.
	Shown *output.CheckRun `json:"shown,omitempty"`
	// Mark is kept with the check run; see showing.
	Mark string `json:"mark,omitempty"`
}

// publishJob returns the job that shows args on a surface. It runs before other work on the
// same priority, and never beside another job on the same Subject.
func (a *App) publishJob(surface string, args publishArgs, cause string) store.Job {
	if args.Shown != nil {
		shown := *args.Shown
		shown.Summary = output.Truncate(shown.Summary, 1000, "cut")
		shown.Text, shown.Annotations = "", nil
		args.Shown = &shown
	}
	return store.Job{
		Step: stepPublish + surface, Key: args.Subject.key(), Generation: store.Follow, Cause: cause,
		Priority: args.Subject.priority() - 1, InstallationID: args.Subject.Repo.InstallationID,
		Due: a.now(), Args: encode(args),
	}
}

// open returns the jobs that judge s and show at once that it is queued.
func (a *App) open(s subjectArgs, cause string) []store.Job {
	queued := output.ForState(output.StateQueued, a.detail(s, ""))
	return []store.Job{
		a.judgeJob(s, cause),
		a.publishJob(surfaceCheck, publishArgs{Subject: s, Shown: &queued, Mark: markQueued}, cause),
	}
}

// supersede returns the job that concludes what is still open on a head that was left for newer.
func (a *App) supersede(old subjectArgs, newer string) store.Job {
	d := a.detail(old, "")
	d.Commit = newer
	shown := output.ForState(output.StateSuperseded, d)
	return a.publishJob(surfaceCheck, publishArgs{Subject: old, Shown: &shown, Mark: markSuperseded}, "superseded by "+newer)
}

// detail is what every state needs to know.
func (a *App) detail(s subjectArgs, mode checks.Mode) output.Detail {
	return output.Detail{Name: s.check(), Observe: mode == checks.ModeObserve, DetailsURL: a.detailsURL(s)}
}

// detailsURL is the page that explains s (GITHUB.md section 9), "" without a public address
// or without Config.Sign: an address that opens for nobody helps nobody.
func (a *App) detailsURL(s subjectArgs) string {
	if a.cfg.PublicURL == "" || a.cfg.Sign == nil || s.Kind == checks.KindDeployment || s.Kind == checks.KindCommit {
		return ""
	}
	page := fmt.Sprintf("repos/%s/merge/%s", s.Repo, s.Commit)
	switch s.Kind {
	case checks.KindPullRequest:
		page = fmt.Sprintf("repos/%s/pr/%d@%s", s.Repo, s.Number, s.Commit)
	case checks.KindRelease:
		page = fmt.Sprintf("releases/%d", s.ReleaseID)
	}
	return fmt.Sprintf("%s/%s?repo=%d&proof=%s", a.cfg.PublicURL, page, s.Repo.ID, a.cfg.Sign(s.key()))
}

// publish is the step that shows something on one surface.
func (a *App) publish(ctx context.Context, j store.Job, on surface) error {
	args, err := decode[publishArgs](j)
	if err != nil {
		return &permanent{err}
	}
	switch {
	case args.Shown == nil && args.Mark == "":
		err = a.publishReport(ctx, j, args, on)
	case on.state != nil:
		err = on.state(a, ctx, j, args)
	default:
		err = a.publishState(ctx, j, args)
	}
	if err != nil && !errors.Is(err, store.ErrStale) {
		return err
	}
	return a.store.Finish(ctx, j)
}

// publishReport shows the newest Report, unless a newer generation is being judged that will
// show itself.
func (a *App) publishReport(ctx context.Context, j store.Job, args publishArgs, on surface) error {
	r, err := a.store.ReportByKey(ctx, j.Key)
	if err != nil {
		return fmt.Errorf("reading the report on %s: %w", j.Key, err)
	}
	if newest, err := a.store.Newest(ctx, j.Key); err == nil && newest > r.Generation {
		return nil
	}
	if args.Subject.Kind == checks.KindRelease {
		if same, err := a.unchanged(ctx, args.Subject, r); err != nil || !same {
			return err
		}
	}
	needs := on.needs
	if row, err := gatherFor(args.Subject.Kind); err == nil && len(needs.missing(row.needs)) == 0 {
		needs = row.needs // the token of the judgment does, and is at hand
	}
	err = on.publish(a, ctx, a.installation(args.Subject.Repo, needs), args.Subject, r)
	var lacking *errPermission
	if errors.As(err, &lacking) {
		err = on.publish(a, ctx, a.installation(args.Subject.Repo, on.needs), args.Subject, r)
	}
	return err
}

// publishState shows a state on the check run. A token for checks alone is the last resort,
// so that a missing permission can be shown at all.
func (a *App) publishState(ctx context.Context, j store.Job, args publishArgs) error {
	row, err := gatherFor(args.Subject.Kind)
	if err != nil {
		return &permanent{err}
	}
	w := showing{run: *args.Shown, mark: args.Mark, generation: j.Generation, since: j.Created}
	err = a.show(ctx, a.installation(args.Subject.Repo, row.needs), args.Subject, w)
	var lacking *errPermission
	if errors.As(err, &lacking) {
		err = a.show(ctx, a.installation(args.Subject.Repo, permissions{"checks": "write"}), args.Subject, w)
	}
	return err
}
