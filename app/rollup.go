package app

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/google/go-github/v62/github"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/output"
	"github.com/landwaiter/landwaiter/store"
)

// rollupKey is the key of the repository's rollup issue, and of the job that writes issues.
func rollupKey(r repo) string { return fmt.Sprintf("rollup:%d", r.ID) }

// showRollup brings the rollup issue in line with left. The intention to open it is stored
// before, so that one whose answer was lost is looked for even when nothing is left to list.
func (a *App) showRollup(ctx context.Context, c *installation, t trunk, known store.Publication, ours []*github.Issue, left []wished) error {
	issue, err := c.issueOf(ctx, known, ours)
	if err != nil {
		return err
	}
	if len(left) == 0 {
		return a.closeRollup(ctx, c, known, issue)
	}
	if issue == nil && !t.Policy.Issues.Enabled {
		return nil
	}
	prior, next := stateOf(known), issueState{}
	for _, w := range left {
		next.Listed = append(next.Listed, w.Key)
	}
	closed := issue.GetState() == "closed"
	if closed && !closedByUs(known, issue) && !slices.ContainsFunc(next.Listed, func(key string) bool { return !slices.Contains(prior.Listed, key) }) {
		return nil // a person closed it, and nothing is new
	}
	due, err := a.rollupOn(ctx, c, t, left)
	if err != nil {
		return err
	}
	if issue == nil {
		if err := a.saveIssue(ctx, known, issueState{}); err != nil {
			return err
		}
		issue, err = c.createIssue(ctx, due)
	} else {
		issue, err = c.renewIssue(ctx, issue, due)
	}
	if err != nil {
		return err
	}
	known.RemoteID = int64(issue.GetNumber())
	return a.saveIssue(ctx, known, next)
}

// closeRollup closes the rollup issue, if there is one, because nothing is left to list.
func (a *App) closeRollup(ctx context.Context, c *installation, known store.Publication, issue *github.Issue) error {
	if known.State == "" && issue == nil {
		return nil
	}
	if issue == nil || issue.GetState() == "closed" {
		return a.saveIssue(ctx, known, issueState{Closed: "completed"})
	}
	known.RemoteID = int64(issue.GetNumber())
	// The time tells this end from one before, whose comment is on the issue already.
	why := fmt.Sprintf("Nothing is left of the list of %s UTC: each release passed, was deleted or has an issue of its own.",
		known.Updated.UTC().Format("2 Jan 2006 15:04:05"))
	return a.closeIssue(ctx, c, known, "completed", why)
}

// rollupOn writes the rollup issue on left, the worst first.
func (a *App) rollupOn(ctx context.Context, c *installation, t trunk, left []wished) (draftIssue, error) {
	owners, why, err := a.releaseOwners(ctx, c, t)
	if err != nil {
		return draftIssue{}, err
	}
	slices.SortStableFunc(left, func(x, y wished) int { return cmp.Compare(y.Severity, x.Severity) })
	var entries []output.RollupEntry
	for _, w := range left {
		s := subjectArgs{Repo: c.Repo, Kind: checks.KindRelease, ReleaseID: w.Release}
		entries = append(entries, output.RollupEntry{Tag: w.Tag, Why: w.Why, Severity: w.Severity, DetailsURL: a.detailsURL(s)})
	}
	o := output.RollupOptions{
		Repository: t.GetFullName(), MaxOpen: t.Policy.Issues.MaxOpen, Key: rollupKey(c.Repo), Owners: owners, OwnerWhy: why,
	}
	title, body := output.Rollup(entries, o)
	sum := sha256.Sum256([]byte(title + "\n" + body))
	o.State = hex.EncodeToString(sum[:8])
	title, body = output.Rollup(entries, o)
	due := draftIssue{title: title, body: body, state: o.State, labels: []string{issueLabel, issueLabel + ":" + left[0].Severity.String()}}
	due.assignees, err = c.assignable(ctx, owners)
	return due, err
}
