package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store"
)

// The pause between two looks at a deployment that waits for something is a quarter of the
// time that it has waited, within these bounds.
const (
	shortestWait = 10 * time.Second
	longestWait  = time.Minute
	// unseen is for how long a deployment is looked for that GitHub does not list as waiting: a
	// delivery can be faster than the list. A guess; the sweep finds it after that.
	unseen = time.Minute
)

// gatherDeployment reads the run that waits and everything that the policy asks of it.
func (a *App) gatherDeployment(ctx context.Context, c *installation, s subjectArgs) (gathered, error) {
	t, err := a.trunk(ctx, c)
	if err != nil {
		return gathered{}, err
	}
	run, err := c.deployRun(ctx, s)
	if errors.Is(err, errRunOver) {
		return gathered{Wait: &waiting{}}, nil
	}
	if err != nil {
		return gathered{}, err
	}
	known, err := a.answerKnown(ctx, s.key())
	if err != nil || known.Attempt == run.Attempt && known.ended() {
		return gathered{Wait: &waiting{}}, err // answered: GitHub is told once (THREATS G36)
	}
	since, err := a.awaited(ctx, s, run.Attempt)
	if err != nil {
		return gathered{}, err
	}
	now := a.now()
	switch here, err := c.waits(ctx, s.RunID, s.Environment); {
	case err != nil:
		return gathered{}, err
	case !here && now.Sub(since) < unseen:
		return gathered{Wait: &waiting{Until: now.Add(shortestWait)}}, nil
	case !here:
		return gathered{Wait: &waiting{}}, nil
	}
	rule := t.Policy.Environments[s.Environment]
	m := &checks.Material{
		Subject: checks.Subject{
			Kind: checks.KindDeployment, Repository: t.GetFullName(), Commit: run.HeadSHA, RepositoryID: t.GetID(),
			RunID: s.RunID, RunAttempt: run.Attempt, Environment: s.Environment,
		},
		Deployment: &checks.Deployment{Commit: run.HeadSHA, Waited: now.Sub(since), Over: now.Sub(since) >= rule.MaxWait},
	}
	g := gathered{Material: m, Policy: t.Policy, PolicyProblem: t.Problem, PolicyKept: t.Kept, Commit: s.Commit, Quiet: rule.NoOpen == checks.SeverityUnknown}
	if m.Deployment.Asked, err = c.askedCommit(ctx, s); err != nil {
		return gathered{}, err
	}
	standing, err := a.releasesAt(ctx, c, run.HeadSHA)
	if err != nil {
		return gathered{}, err
	}
	g.Unsettled = a.unsettled(rule, m, standing, since)
	if g.Quiet {
		return g, nil
	}
	g.Then = func(ctx context.Context, evidence []checks.Evidence) error {
		return a.addImports(ctx, c, m, run.HeadSHA, evidence)
	}
	m.Head, err = a.wholeTree(ctx, c, run.HeadSHA)
	return g, err
}

// askedCommit returns the commit that the deployment of s is of, as GitHub has it now, and what
// the delivery said where GitHub has no such deployment. "" means that nobody said.
func (c *installation) askedCommit(ctx context.Context, s subjectArgs) (string, error) {
	if s.DeploymentID <= 0 {
		return s.Commit, nil
	}
	var found payloadDeployment
	_, err := c.ask(ctx, http.MethodGet, fmt.Sprintf("%s/deployments/%d", c.path(), s.DeploymentID), nil, &found)
	if notFound(err) {
		return s.Commit, nil
	}
	if err != nil {
		return "", fmt.Errorf("reading deployment %d of %s: %w", s.DeploymentID, c.Repo, err)
	}
	return commit(found.SHA)
}

// unsettled notes the releases in m and returns what to wait for when the verdict is Unknown,
// nil when it is final.
func (a *App) unsettled(rule checks.EnvironmentRule, m *checks.Material, standing []releaseAt, since time.Time) *waiting {
	comes := len(standing) == 0
	for _, r := range standing {
		m.Deployment.Releases = append(m.Deployment.Releases, r.ReleaseStanding)
		comes = comes || r.Pending
	}
	comes = comes && len(rule.Require) > 0 || rule.OnIncomplete == checks.OnIncompleteWait
	if m.Deployment.Over || !comes {
		return nil
	}
	now := a.now()
	until := now.Add(min(max(now.Sub(since)/4, shortestWait), longestWait))
	if end := since.Add(rule.MaxWait); end.Before(until) {
		until = end
	}
	return &waiting{Until: until}
}

// awaiting is what is remembered of something that is waited for.
type awaiting struct {
	Attempt int       `json:"attempt"`
	Since   time.Time `json:"since"`
}

// awaited returns since when something is awaited for s. attempt is that at the run of a
// deployment; another one begins anew.
func (a *App) awaited(ctx context.Context, s subjectArgs, attempt int) (time.Time, error) {
	name := "await:" + s.key()
	was, _, err := recall[awaiting](ctx, a, name)
	if err != nil || was.Attempt == attempt && !was.Since.IsZero() {
		return was.Since, err
	}
	is := awaiting{Attempt: attempt, Since: a.now()}
	return is.Since, a.remember(ctx, name, is)
}

// releaseAt is a release at a commit with its newest Report.
type releaseAt struct {
	checks.ReleaseStanding
	report store.StoredReport
}

// maxReleasesAt bounds the reports on releases of one commit that are looked at.
const maxReleasesAt = 500

// releasesAt returns the releases at a commit that were judged and still are on GitHub.
func (a *App) releasesAt(ctx context.Context, c *installation, sha string) ([]releaseAt, error) {
	found, err := a.store.Reports(ctx, store.ReportFilter{RepositoryID: c.Repo.ID, Kind: checks.KindRelease, Commit: sha, Limit: maxReleasesAt})
	if err != nil {
		return nil, fmt.Errorf("looking for releases at %s: %w", sha, err)
	}
	var all []releaseAt
	seen := map[string]bool{}
	for _, f := range found {
		if seen[f.Key] {
			continue
		}
		seen[f.Key] = true
		newest, err := a.store.ReportByKey(ctx, f.Key)
		if err != nil {
			return nil, fmt.Errorf("reading the report on %s: %w", f.Key, err)
		}
		if newest.Report.Subject.Commit != sha {
			continue // its tag moved away
		}
		if gone, err := a.releaseIsGone(ctx, c, newest.Report.Subject.ReleaseID); err != nil || gone {
			if err != nil {
				return nil, err
			}
			continue
		}
		generation, err := a.store.Newest(ctx, f.Key)
		if err != nil {
			return nil, fmt.Errorf("looking for %s: %w", f.Key, err)
		}
		all = append(all, releaseAt{report: newest, ReleaseStanding: checks.ReleaseStanding{
			ID: newest.Report.Subject.ReleaseID, Tag: strings.TrimPrefix(newest.Report.Subject.Ref, "refs/tags/"),
			Verdict: newest.Report.Verdict, Pending: generation > newest.Generation,
		}})
	}
	return all, nil
}

// releaseIsGone reports whether a release was deleted. One that may be a draft which the App is
// not let see counts as being there.
func (a *App) releaseIsGone(ctx context.Context, c *installation, id int64) (bool, error) {
	_, err := c.release(ctx, id)
	if notFound(err) {
		_, err = a.installation(c.Repo, toReadDrafts).release(ctx, id)
	}
	var lacking *errPermission
	if err == nil || errors.As(err, &lacking) {
		return false, nil
	}
	if notFound(err) {
		return true, nil
	}
	return false, err
}

// wholeTree reads all manifests of a commit.
func (a *App) wholeTree(ctx context.Context, c *installation, sha string) (checks.Tree, error) {
	var t checks.Tree
	listed, cut, err := c.tree(ctx, sha)
	if err != nil {
		return t, err
	}
	if cut {
		t.Gaps = []checks.Gap{{Reason: "tree is truncated: GitHub does not list all of its files"}}
		return t, nil
	}
	var files []reading
	for name, e := range listed {
		if name != policyPath {
			files = append(files, reading{name, e})
		}
	}
	_, t.Inventory, err = a.inventories(ctx, c, nil, files)
	return t, err
}
