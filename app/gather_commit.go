package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store"
)

// gatherCommit reads how a commit of the default branch came in, so that landwaiter/release
// stands on it before it is tagged and a ruleset for tags can require it (GITHUB.md section 7).
// Where the policy is known not to ask for that, a push costs no call: one that changes the
// policy file starts a sweep of the repository, which sees that it does now.
func (a *App) gatherCommit(ctx context.Context, c *installation, s subjectArgs) (gathered, error) {
	asked, known, err := recall[bool](ctx, a, tagSetting(c.Repo))
	if err != nil || known && !asked && !s.Rerun {
		return gathered{Wait: &waiting{}}, err
	}
	t, err := a.trunk(ctx, c)
	if err == nil {
		err = a.remember(ctx, tagSetting(c.Repo), t.Policy.Releases.TagRuleset)
	}
	if err != nil {
		return gathered{}, err
	}
	if !t.Policy.Releases.TagRuleset {
		return gathered{Wait: &waiting{}}, nil
	}
	broken, err := a.policyProblem(ctx, c, s.Commit)
	if err != nil {
		return gathered{}, err
	}
	m := &checks.Material{Commit: &checks.Commit{PolicyError: broken}, Subject: checks.Subject{
		Kind: checks.KindCommit, Repository: t.GetFullName(), Ref: "refs/heads/" + t.GetDefaultBranch(), Commit: s.Commit, RepositoryID: t.GetID(),
	}}
	g := gathered{Material: m, Policy: t.Policy, PolicyProblem: t.Problem, PolicyKept: t.Kept, Quiet: true}
	if m.Commit.Reached, err = c.reaches(ctx, t.head, s.Commit); err != nil {
		return gathered{}, err
	}
	if m.Commit.Changes, err = a.broughtIn(ctx, c, s.Commit, t.GetDefaultBranch()); err != nil {
		return gathered{}, err
	}
	if len(m.Commit.Changes) == 0 && m.Commit.Reached {
		if g.Wait, err = a.awaitPull(ctx, s); err != nil || g.Wait != nil {
			return g, err
		}
	}
	standing, err := a.releasesAt(ctx, c, s.Commit)
	for _, r := range standing {
		m.Commit.Releases = append(m.Commit.Releases, r.ReleaseStanding)
	}
	return g, err
}

// tagSetting is the setting that keeps whether the policy of a repository asks for commits to be
// judged, as it was last seen.
func tagSetting(r repo) string { return fmt.Sprintf("tag-ruleset:%d", r.ID) }

// policyProblem returns what is wrong with the policy file of a commit, nil when nothing is or
// there is none.
func (a *App) policyProblem(ctx context.Context, c *installation, sha string) (*checks.PolicyError, error) {
	text, err := c.file(ctx, policyPath, sha)
	if errors.Is(err, errNoFile) {
		return nil, nil
	}
	if err == nil {
		_, err = checks.ParsePolicy(text, policyPath+"@"+sha)
	}
	var broken *checks.PolicyError
	err = asPolicyError(err, &broken)
	return broken, err
}

// reaches reports whether head has the commit among its ancestors, or is it.
func (c *installation) reaches(ctx context.Context, head, sha string) (bool, error) {
	if head == sha {
		return true, nil
	}
	found, err := c.compare(ctx, sha, head)
	if notFound(err) {
		return false, nil // no common history
	}
	return found.MergeBase == sha, err
}

// pullLag is how long GitHub may take to say which pull request brought a commit in. A guess.
const pullLag = time.Minute

// awaitPull returns what to wait for when no pull request is known to have brought in the
// commit of s yet, nil when that was long enough.
func (a *App) awaitPull(ctx context.Context, s subjectArgs) (*waiting, error) {
	since, err := a.awaited(ctx, s, 1)
	if err != nil || a.now().Sub(since) >= pullLag {
		return nil, err
	}
	return &waiting{Until: since.Add(pullLag)}, nil
}

// broughtIn returns the changes that brought a commit to branch: the merge group that became
// it, or the pull requests that were merged into it.
func (a *App) broughtIn(ctx context.Context, c *installation, sha, branch string) ([]checks.ChangeStanding, error) {
	group := subjectArgs{Repo: c.Repo, Kind: checks.KindMergeGroup, Commit: sha}
	if standing, err := a.changeStanding(ctx, group); err != nil || standing.Judged {
		return []checks.ChangeStanding{standing}, err
	}
	pulls, err := each(ctx, func(page int) ([]*github.PullRequest, *github.Response, error) {
		return c.PullRequests.ListPullRequestsWithCommit(ctx, c.Repo.Owner, c.Repo.Name, sha, &github.ListOptions{Page: page, PerPage: 100})
	})
	if err != nil {
		return nil, fmt.Errorf("listing the pull requests of %s: %w", sha, err)
	}
	var all []checks.ChangeStanding
	for _, pull := range pulls {
		if pull.MergedAt == nil || pull.GetBase().GetRef() != branch || pull.GetBase().GetRepo().GetID() != c.Repo.ID {
			continue
		}
		standing, err := a.changeStanding(ctx, pullSubject(c.Repo, pull.GetNumber(), pull.GetHead().GetSHA()))
		if err != nil {
			return nil, err
		}
		all = append(all, standing)
	}
	return all, nil
}

// changeStanding returns what is on record of a change.
func (a *App) changeStanding(ctx context.Context, s subjectArgs) (checks.ChangeStanding, error) {
	r, err := a.store.ReportByKey(ctx, s.key())
	if errors.Is(err, store.ErrNotFound) {
		return checks.ChangeStanding{Number: s.Number}, nil
	}
	if err != nil {
		return checks.ChangeStanding{}, fmt.Errorf("reading the report on %s: %w", s.key(), err)
	}
	return checks.ChangeStanding{Number: s.Number, Judged: true, Verdict: r.Report.Verdict}, nil
}

// missedCommit returns the job for the head of the default branch when it was never judged and
// the policy asks for that.
func (a *App) missedCommit(ctx context.Context, r repo, t trunk, cause string) ([]store.Job, error) {
	if err := a.remember(ctx, tagSetting(r), t.Policy.Releases.TagRuleset); err != nil {
		return nil, err
	}
	if !t.Policy.Releases.TagRuleset {
		return nil, nil
	}
	s := subjectArgs{Repo: r, Kind: checks.KindCommit, Commit: t.head, Ref: "refs/heads/" + t.GetDefaultBranch()}
	_, err := a.store.ReportByKey(ctx, s.key())
	if err == nil {
		return nil, nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("looking for %s: %w", s.key(), err)
	}
	a.metrics.healed.WithLabelValues(string(s.Kind)).Inc()
	return []store.Job{a.judgeJob(s, cause)}, nil
}
