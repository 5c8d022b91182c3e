package app

import (
	"context"
	"fmt"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/output"
	"github.com/landwaiter/landwaiter/store"
)

// Twins are pull requests of one repository with the same head. GitHub keeps checks by commit:
// of several runs named landwaiter/pr the newest satisfies a required check, for whichever pull
// request it was made. So a pull request into a branch with a laxer policy could open the way
// into a stricter one (THREATS G07). Therefore each has a Report of its own, and none of their
// runs is shown better than the worst of those that are still open.

// maxTwins bounds the reports of one commit that are looked at.
const maxTwins = 500

// twins returns the other pull requests with the head of s that were ever judged.
func (a *App) twins(ctx context.Context, s subjectArgs) ([]subjectArgs, error) {
	if s.Kind != checks.KindPullRequest || s.Commit == "" {
		return nil, nil
	}
	found, err := a.store.Reports(ctx, store.ReportFilter{RepositoryID: s.Repo.ID, Kind: s.Kind, Commit: s.Commit, Limit: maxTwins})
	if err != nil {
		return nil, fmt.Errorf("looking for pull requests with the head %s: %w", s.Commit, err)
	}
	seen := map[int]bool{s.Number: true, 0: true}
	var others []subjectArgs
	for _, r := range found {
		if n := r.Subject.Number; !seen[n] {
			seen[n] = true
			others = append(others, pullSubject(s.Repo, n, s.Commit))
		}
	}
	return others, nil
}

// showTwins returns the jobs that show the Reports of the twins of s again.
func (a *App) showTwins(ctx context.Context, s subjectArgs, cause string) ([]store.Job, error) {
	others, err := a.twins(ctx, s)
	var jobs []store.Job
	for _, o := range others {
		jobs = append(jobs, a.publishJob(surfaceCheck, publishArgs{Subject: o}, cause))
	}
	return jobs, err
}

// twinsJob returns the job that shows the twins of s again, which is no longer among them.
func (a *App) twinsJob(s subjectArgs, cause string) store.Job {
	return store.Job{
		Step: stepTwins, Key: "twins:" + s.key(), Cause: cause, Priority: s.priority(),
		InstallationID: s.Repo.InstallationID, Due: a.now(), Args: encode(s),
	}
}

// releaseTwins is the step of twinsJob.
func (a *App) releaseTwins(ctx context.Context, j store.Job) error {
	s, err := decode[subjectArgs](j)
	if err != nil {
		return &permanent{err}
	}
	jobs, err := a.showTwins(ctx, s, j.Cause)
	if err != nil {
		return err
	}
	return a.store.Finish(ctx, j, jobs...)
}

// withTwins returns run as it may be shown: failed when it would not, but the verdict on a
// twin of s does that is still open. Without twins it costs no call.
func (a *App) withTwins(ctx context.Context, c *installation, s subjectArgs, run output.CheckRun) (output.CheckRun, error) {
	if run.Conclusion == "failure" {
		return run, nil
	}
	others, err := a.twins(ctx, s)
	if err != nil {
		return run, err
	}
	for _, o := range others {
		r, err := a.store.ReportByKey(ctx, o.key())
		if err != nil {
			return run, fmt.Errorf("reading the report on %s: %w", o.key(), err)
		}
		theirs := output.ForCheck(r.Report, output.Options{})
		if theirs.Conclusion != "failure" {
			continue
		}
		open, err := c.stillHead(ctx, o)
		if err != nil {
			return run, err
		}
		if open {
			return output.HeldByTwin(run, o.Number, theirs.Title), nil
		}
	}
	return run, nil
}

// stillHead reports whether the pull request s is open and has the commit of s as its head.
func (c *installation) stillHead(ctx context.Context, s subjectArgs) (bool, error) {
	pull, _, err := c.PullRequests.Get(ctx, c.Repo.Owner, c.Repo.Name, s.Number)
	if notFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading pull request %d: %w", s.Number, err)
	}
	return pull.GetState() == "open" && pull.GetHead().GetSHA() == s.Commit, nil
}
