package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"go.opentelemetry.io/otel/attribute"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store"
)

// gather is one row of the table of gatherers: how Material of one kind is found, and what
// the token for it may do. checks: write is among it so that the job that shows the Report
// uses the same token, which saves a call.
type gather struct {
	kind  checks.Kind
	needs permissions
	find  func(a *App, ctx context.Context, c *installation, s subjectArgs) (gathered, error)
}

// gathers is the table of gatherers. To add a kind: its file, a row here, its check in
// checks/all.go.
func gathers() []gather {
	return []gather{
		{checks.KindPullRequest, permissions{"contents": "read", "pull_requests": "read", "checks": "write"}, (*App).gatherPullRequest},
		{checks.KindMergeGroup, permissions{"contents": "read", "pull_requests": "read", "checks": "write"}, (*App).gatherMergeGroup},
		{checks.KindRelease, toJudgeReleases, (*App).gatherRelease},
		{checks.KindCommit, permissions{"contents": "read", "pull_requests": "read", "checks": "write"}, (*App).gatherCommit},
		{checks.KindDeployment, toGateDeployments, (*App).gatherDeployment},
	}
}

// gatherFor returns the row of a kind.
func gatherFor(kind checks.Kind) (gather, error) {
	for _, g := range gathers() {
		if g.kind == kind {
			return g, nil
		}
	}
	return gather{}, fmt.Errorf("there is no way to gather a subject of kind %q", kind)
}

// judge is the step that turns a Subject into a recorded Report.
func (a *App) judge(ctx context.Context, j store.Job) error {
	s, err := decode[subjectArgs](j)
	if err != nil {
		return &permanent{err}
	}
	row, err := gatherFor(s.Kind)
	if err != nil {
		return &permanent{err}
	}
	c := a.installation(s.Repo, row.needs)
	within, span := a.cfg.Tracer.Start(ctx, "gather", attribute.String("landwaiter.repo", s.Repo.String()), attribute.String("landwaiter.sha", s.Commit))
	g, err := row.find(a, within, c, s)
	span.End(err)
	if err != nil {
		return err
	}
	s.Commit = cmp.Or(g.Commit, s.Commit)
	if g.Wait != nil {
		return a.wait(ctx, j, s, g.Wait)
	}
	if err := a.remember(ctx, modeSetting(s.Repo), g.Policy.Mode); err != nil {
		return err
	}
	report, err := a.form(ctx, g)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("judging %s: %w", j.Key, err)
	}
	if g.Unsettled != nil && report.Verdict == checks.Unknown {
		return a.wait(ctx, j, s, g.Unsettled)
	}
	return a.record(ctx, j, s, g, report)
}

// form asks the scanners and judges. A policy that could not be read never lets a Subject
// pass, whatever the default in its place says.
func (a *App) form(ctx context.Context, g gathered) (checks.Report, error) {
	scanners := a.traced(a.cfg.Scanners)
	if g.Quiet {
		scanners = nil
	}
	evidence := checks.Ask(ctx, g.Material, scanners)
	if g.Then != nil {
		if err := g.Then(ctx, evidence); err != nil {
			return checks.Report{}, err
		}
	}
	report := checks.Judge(g.Material, g.Policy, evidence, a.now())
	switch {
	case g.PolicyProblem == nil:
	case g.PolicyKept:
		report.Notices = append(report.Notices, g.problem())
	default:
		report.Reasons = append([]checks.Reason{g.problem()}, report.Reasons...)
		report.Policy.Mode = string(checks.ModeEnforce)
		if report.Verdict == checks.Pass {
			report.Verdict = checks.Unknown
		}
	}
	return report, nil
}

// record stores the Report with everything that follows from it. A generation that is not
// the newest any more has nothing to say.
func (a *App) record(ctx context.Context, j store.Job, s subjectArgs, g gathered, report checks.Report) error {
	text, err := json.Marshal(report)
	if err != nil {
		return fmt.Errorf("writing the report on %s: %w", j.Key, err)
	}
	r := store.Record{
		Job: j, Key: j.Key, Generation: j.Generation, Report: report, ReportJSON: text,
		Base: g.Material.Base.Inventory, Head: g.Material.Head.Inventory, Parser: a.cfg.ParserVersion,
		Outstanding: outstanding(s, report, g.Policy),
	}
	for _, surface := range surfaces() {
		if surface.wants(report, g.Policy) && (surface.name != surfaceSummary || a.cfg.Summarise != nil) {
			job := a.publishJob(surface.name, publishArgs{Subject: s}, j.Cause)
			job.Priority = cmp.Or(surface.priority, job.Priority)
			r.Publish = append(r.Publish, job)
		}
	}
	again, err := a.showTwins(ctx, s, "the verdict on "+j.Key)
	if err != nil {
		return err
	}
	r.Publish = append(r.Publish, again...)
	within, span := a.cfg.Tracer.Start(ctx, "record", attribute.String("landwaiter.verdict", report.Verdict.String()), attribute.String("landwaiter.policy", report.Policy.Digest))
	recorded, err := a.store.Record(within, r)
	span.End(err)
	if errors.Is(err, store.ErrStale) {
		return a.store.Finish(ctx, j)
	}
	if err != nil {
		return fmt.Errorf("recording the report on %s: %w", j.Key, err)
	}
	a.log.InfoContext(ctx, "recorded", "repo", s.Repo.String(), "sha", s.Commit, "run", j.Key, "verdict", report.Verdict.String(),
		"policy", report.Policy.Digest, "ledger_index", recorded.LedgerIndex)
	return nil
}

// wait ends the job without a verdict, shows why, and comes back when told to.
func (a *App) wait(ctx context.Context, j store.Job, s subjectArgs, w *waiting) error {
	var then []store.Job
	if shown := w.Shown; shown.Name != "" { // a release that nobody asked about shows nothing
		then = append(then, a.publishJob(surfaceCheck, publishArgs{Subject: s, Shown: &shown, Mark: w.Mark}, j.Cause))
		then[0].Generation = j.Generation
	}
	if !w.Until.IsZero() {
		again := j
		again.Due = w.Until
		then = append(then, again)
	}
	if w.Instead != nil {
		_, err := a.store.Newest(ctx, w.Instead.key())
		if errors.Is(err, store.ErrNotFound) {
			then = append(then, a.open(*w.Instead, j.Cause)...)
		} else if err != nil {
			return fmt.Errorf("looking for %s: %w", w.Instead.key(), err)
		}
	}
	return a.store.Finish(ctx, j, then...)
}

func modeSetting(r repo) string { return fmt.Sprintf("mode:%d", r.ID) }

// mode returns the mode of the policy last in force in a repository, for what must be shown
// when no policy could be read. It enforces when none ever was.
func (a *App) mode(ctx context.Context, r repo) checks.Mode {
	m, ok, err := recall[checks.Mode](ctx, a, modeSetting(r))
	if err != nil || !ok {
		return checks.ModeEnforce
	}
	return m
}
