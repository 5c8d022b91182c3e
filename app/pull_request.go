package app

import (
	"cmp"
	"context"
	"fmt"

	"github.com/google/go-github/v62/github"
	"golang.org/x/sync/errgroup"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/output"
	"github.com/landwaiter/landwaiter/store"
)

// onPullRequest judges the head of a pull request. A push also concludes what is still
// open on the head before it. One that closes is not judged, but its twins are shown anew.
func (a *App) onPullRequest(d store.Delivery) ([]store.Job, error) {
	p, err := readPayload(d)
	if err != nil {
		return nil, err
	}
	s, err := p.pull()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", d.Event, d.GUID, err)
	}
	if p.Action == "closed" {
		return []store.Job{a.twinsJob(s, d.Event+"."+p.Action), a.closedJob(s, d.Event+"."+p.Action)}, nil
	}
	if p.Action == "edited" {
		if len(p.Changes.Base) == 0 {
			return nil, nil // title or text: nothing that is judged
		}
		// Another base has another policy and another comparison. The verdict that stands on
		// this head must not count until it is renewed, so a new run opens (THREATS G07).
		s.Rerun, s.Cause = true, d.GUID
	}
	jobs := a.open(s, d.Event+"."+p.Action)
	if before, err := commit(p.Before); p.Action == "synchronize" && err == nil && before != s.Commit {
		old := s
		old.Commit, old.Base = before, ""
		jobs = append(jobs, a.supersede(old, s.Commit), a.twinsJob(old, d.Event+"."+p.Action))
	}
	return jobs, nil
}

// pull returns the pull request that the payload is about, at its head.
func (p payload) pull() (subjectArgs, error) {
	r, err := p.repo()
	if err != nil {
		return subjectArgs{}, err
	}
	if p.PullRequest == nil || p.PullRequest.Number <= 0 {
		return subjectArgs{}, fmt.Errorf("the payload has no pull_request")
	}
	head, err := commit(p.PullRequest.Head.SHA)
	if err != nil {
		return subjectArgs{}, err
	}
	base, err := commit(p.PullRequest.Base.SHA)
	if err != nil {
		return subjectArgs{}, err
	}
	s := pullSubject(r, p.PullRequest.Number, head)
	s.Base, s.BaseRef = base, p.PullRequest.Base.Ref
	return s, nil
}

// pullSubject names pull request number of r at head.
func pullSubject(r repo, number int, head string) subjectArgs {
	return subjectArgs{
		Repo: r, Kind: checks.KindPullRequest, Number: number,
		Ref: fmt.Sprintf("refs/pull/%d/head", number), Commit: head,
	}
}

// gatherPullRequest reads a pull request as it is now: the payload that led here may be old.
func (a *App) gatherPullRequest(ctx context.Context, c *installation, s subjectArgs) (gathered, error) {
	now, err := a.readPull(ctx, c, s)
	if err != nil {
		return gathered{}, err
	}
	if head := now.pull.GetHead().GetSHA(); head != s.Commit {
		return gathered{Wait: a.superseded(s, now.pull, head)}, nil
	}
	p := now.rules.Policy
	if now.pull.GetDraft() && p.PullRequest.Drafts == "skip" {
		shown := output.ForState(output.StateDraft, a.detail(s, p.Mode))
		return gathered{Wait: &waiting{Shown: shown, Mark: markDraft}}, nil
	}
	g, err := a.gatherChange(ctx, c, now.found, s.Commit, now.rules)
	if err != nil {
		return gathered{}, err
	}
	g.Material.Subject = checks.Subject{
		Kind: checks.KindPullRequest, Repository: now.pull.GetBase().GetRepo().GetFullName(), Ref: s.Ref,
		Commit: s.Commit, RepositoryID: s.Repo.ID, Number: s.Number, Base: now.found.MergeBase,
	}
	return g, nil
}

// pullNow is a pull request as it is now, compared with its base, and the rules it obeys.
type pullNow struct {
	pull  *github.PullRequest
	found comparison
	rules inForce
}

// readPull asks for all of pullNow at once, trusting the hints in s, and asks again for what
// the pull request itself then contradicts.
func (a *App) readPull(ctx context.Context, c *installation, s subjectArgs) (pullNow, error) {
	var now pullNow
	group, shared := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		now.pull, _, err = c.PullRequests.Get(shared, c.Repo.Owner, c.Repo.Name, s.Number)
		if err != nil {
			return fmt.Errorf("reading pull request %d: %w", s.Number, err)
		}
		return nil
	})
	if s.Base != "" && !s.Rerun {
		group.Go(func() (err error) {
			now.found, now.rules, err = a.againstBase(shared, c, s.Base, s.BaseRef, s.Base, s.Commit)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return pullNow{}, err
	}
	// Another repository may have taken the name since (THREATS G31).
	if id := now.pull.GetBase().GetRepo().GetID(); id != s.Repo.ID {
		return pullNow{}, &permanent{fmt.Errorf("pull request %d is of repository %d, not %d", s.Number, id, s.Repo.ID)}
	}
	base, ref := now.pull.GetBase().GetSHA(), now.pull.GetBase().GetRef()
	if _, err := commit(base); err != nil {
		return pullNow{}, fmt.Errorf("reading pull request %d: its base: %w", s.Number, err)
	}
	if !s.Rerun && base == s.Base && ref == s.BaseRef || now.pull.GetHead().GetSHA() != s.Commit {
		return now, nil
	}
	policyAt := base
	if s.Rerun {
		tip, err := c.branchTip(ctx, ref)
		if err != nil {
			return pullNow{}, err
		}
		policyAt = cmp.Or(tip, base)
	}
	var err error
	now.found, now.rules, err = a.againstBase(ctx, c, base, ref, policyAt, s.Commit)
	return now, err
}

// againstBase compares head with base and reads the policy in force on the branch ref at the commit
// policyAt, at once.
//
// The inputs of a verdict are frozen for its head (GITHUB.md section 1, rule 6). When the head
// moves, GitHub sets the base anew, and the policy is read there. A rerun is somebody's wish to
// judge by what is in force now: then policyAt is the newest commit of the branch.
func (a *App) againstBase(ctx context.Context, c *installation, base, ref, policyAt, head string) (found comparison, rules inForce, err error) {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) { found, err = c.compare(ctx, base, head); return err })
	group.Go(func() (err error) { rules, err = a.policy(ctx, c, ref, policyAt); return err })
	return found, rules, group.Wait()
}

// superseded says that the pull request moved on to head, which is then judged even when
// the delivery that told of it was lost.
func (a *App) superseded(s subjectArgs, pull *github.PullRequest, head string) *waiting {
	d := a.detail(s, "")
	d.Commit = head
	w := &waiting{Shown: output.ForState(output.StateSuperseded, d), Mark: markSuperseded}
	if _, err := commit(head); err == nil {
		next := pullSubject(s.Repo, s.Number, head)
		next.Base, next.BaseRef = pull.GetBase().GetSHA(), pull.GetBase().GetRef()
		w.Instead = &next
	}
	return w
}
