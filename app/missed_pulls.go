package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/go-github/v62/github"

	"github.com/landwaiter/landwaiter/store"
)

// missedPulls returns the jobs for open pull requests that have no verdict on their head, and for
// those whose verdict was formed by another policy than is in force on their base branch now.
// Nothing is returned for an archived repository, where no check can be written.
func (a *App) missedPulls(ctx context.Context, c *installation, cause string) ([]store.Job, error) {
	pulls, err := each(ctx, func(page int) ([]*github.PullRequest, *github.Response, error) {
		return c.PullRequests.List(ctx, c.Repo.Owner, c.Repo.Name, &github.PullRequestListOptions{
			State: "open", ListOptions: github.ListOptions{Page: page, PerPage: 100},
		})
	})
	if err != nil {
		return nil, fmt.Errorf("listing the open pull requests of %s: %w", c.Repo, err)
	}
	policies := branchPolicies{a: a, c: c, digests: map[string]string{}}
	var then []store.Job
	for _, pull := range pulls {
		base := pull.GetBase()
		if base.GetRepo().GetArchived() || base.GetRepo().GetID() != c.Repo.ID {
			return nil, nil
		}
		head, err := commit(pull.GetHead().GetSHA())
		if err != nil {
			continue // a pull request whose head was deleted
		}
		s := pullSubject(c.Repo, pull.GetNumber(), head)
		s.Base, s.BaseRef = base.GetSHA(), base.GetRef()
		wanted, err := a.missedPull(ctx, &s, pull.GetDraft(), policies)
		if err != nil {
			return nil, err
		}
		if !wanted {
			continue
		}
		a.metrics.healed.WithLabelValues(string(s.Kind)).Inc()
		for _, job := range a.open(s, cause) {
			job.Priority = max(job.Priority, priorityBackfill-1)
			then = append(then, job)
		}
	}
	return then, nil
}

// missedPull reports whether s must be judged. A verdict that stands is only renewed in a new run,
// for which it changes s.
func (a *App) missedPull(ctx context.Context, s *subjectArgs, draft bool, policies branchPolicies) (bool, error) {
	newest, err := a.store.Newest(ctx, s.key())
	if errors.Is(err, store.ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	for _, step := range []string{stepJudge, stepPublish + surfaceCheck} {
		if busy, err := a.store.HasJob(ctx, step, s.key()); err != nil || busy {
			return false, err // it is on its way, or buried where people see it
		}
	}
	_, shown, err := a.shown(ctx, *s)
	switch {
	case err != nil:
		return false, err
	case shown.Mark == markDraft && draft:
		return false, nil
	case shown.Mark != "" || !shown.Done || shown.Begun:
		// Its jobs were dropped, when the App was suspended for example, or it was a draft, or the
		// head was left and came back.
		return true, nil
	}
	r, err := a.store.ReportByKey(ctx, s.key())
	if errors.Is(err, store.ErrNotFound) || err == nil && r.Generation < newest {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading the report on %s: %w", s.key(), err)
	}
	digest, err := policies.of(ctx, s.BaseRef)
	if err != nil || digest == "" || digest == r.Report.Policy.Digest {
		return false, err
	}
	s.Rerun, s.Cause = true, "policy "+digest
	return true, nil
}

// branchPolicies knows the digests of the policies in force on branches, each asked for once.
type branchPolicies struct {
	a       *App
	c       *installation
	digests map[string]string // by branch; "" for one that is not there
}

func (b branchPolicies) of(ctx context.Context, branch string) (string, error) {
	if digest, ok := b.digests[branch]; ok {
		return digest, nil
	}
	tip, err := b.c.branchTip(ctx, branch)
	if err != nil || tip == "" {
		return "", err
	}
	rules, err := b.a.policy(ctx, b.c, branch, tip)
	if err != nil {
		return "", err
	}
	b.digests[branch] = rules.Policy.Digest
	return rules.Policy.Digest, nil
}

// branchTip returns the newest commit of a branch, "" when there is no such branch. The base that
// GitHub tells with a pull request is not it: that stays as it was when the head last moved.
func (c *installation) branchTip(ctx context.Context, branch string) (string, error) {
	if !refForm(branch) {
		return "", nil
	}
	ref, _, err := c.Git.GetRef(ctx, c.Repo.Owner, c.Repo.Name, "heads/"+branch)
	if notFound(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading branch %s of %s: %w", branch, c.Repo, err)
	}
	return commit(ref.GetObject().GetSHA())
}
