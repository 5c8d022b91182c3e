package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/output"
	"github.com/landwaiter/landwaiter/store"
)

// onMergeGroup judges what a merge queue would merge: the range from the group's base to its
// head, on its head.
func (a *App) onMergeGroup(d store.Delivery) ([]store.Job, error) {
	p, r, err := readPayloadOf(d)
	if err != nil {
		return nil, err
	}
	if p.MergeGroup == nil {
		return nil, fmt.Errorf("%s %s has no merge_group", d.Event, d.GUID)
	}
	head, err := commit(p.MergeGroup.HeadSHA)
	if err != nil {
		return nil, err
	}
	base, err := commit(p.MergeGroup.BaseSHA)
	if err != nil {
		return nil, err
	}
	s := subjectArgs{
		Repo: r, Kind: checks.KindMergeGroup, Commit: head, Base: base,
		Ref: p.MergeGroup.HeadRef, BaseRef: strings.TrimPrefix(p.MergeGroup.BaseRef, "refs/heads/"),
	}
	if p.Action == "destroyed" {
		return []store.Job{a.dissolve(s, d.Event+"."+p.Action)}, nil
	}
	return a.open(s, d.Event+"."+p.Action), nil
}

// dissolve returns the job that concludes what is still open on a merge group that is no more. A
// verdict that is reached all the same is recorded and not shown.
func (a *App) dissolve(s subjectArgs, cause string) store.Job {
	shown := output.ForState(output.StateDeleted, a.detail(s, ""))
	return a.publishJob(surfaceCheck, publishArgs{Subject: s, Shown: &shown, Mark: markSuperseded}, cause)
}

// gatherMergeGroup reads what a merge queue would merge. A rerun knows the range from the
// report of the first run.
func (a *App) gatherMergeGroup(ctx context.Context, c *installation, s subjectArgs) (gathered, error) {
	if s.Base == "" {
		earlier, err := a.store.ReportByKey(ctx, s.key())
		if err != nil {
			return gathered{}, fmt.Errorf("finding the range of merge group %s: %w", s.Commit, err)
		}
		s.Base, s.Ref = earlier.Report.Subject.Base, earlier.Report.Subject.Ref
	}
	found, rules, err := a.againstBase(ctx, c, s.Base, s.BaseRef, s.Base, s.Commit)
	if err != nil {
		return gathered{}, err
	}
	// The queue builds on the base; comparing with the merge base is the same range, and
	// right as well when it is not.
	g, err := a.gatherChange(ctx, c, found, s.Commit, rules)
	if err != nil {
		return gathered{}, err
	}
	g.Material.Subject = checks.Subject{
		Kind: checks.KindMergeGroup, Repository: s.Repo.String(), Ref: s.Ref,
		Commit: s.Commit, RepositoryID: s.Repo.ID, Base: s.Base,
	}
	return g, nil
}
