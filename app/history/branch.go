package history

import (
	"context"
	"fmt"
	"slices"

	"github.com/landwaiter/landwaiter/checks/duties"
)

// branch finds the protected branch that holds the release's commit, the default branch first,
// and returns the branches into which a merged pull request counts: the protected ones and the
// default one.
func (r *Reader) branch(ctx context.Context, f *duties.Facts) (counts map[string]bool, err error) {
	counts = map[string]bool{r.DefaultBranch: true}
	list, over, err := all[branch](ctx, r, "branches?protected=true", 3)
	if why := missing(err); why != "" {
		f.Branch.Problem = why
		return counts, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing protected branches: %w", err)
	}
	slices.SortStableFunc(list, func(a, b branch) int {
		switch {
		case a.Name == r.DefaultBranch:
			return -1
		case b.Name == r.DefaultBranch:
			return 1
		}
		return 0
	})
	for _, b := range list {
		counts[b.Name] = true
	}
	if r.Rules.Branch == duties.Off && !r.Rules.AsksPulls() {
		return counts, nil
	}
	for i, b := range list {
		if i == maxLooked {
			over = true
			break
		}
		f.Branch.Looked = append(f.Branch.Looked, b.Name)
		holds, err := r.holds(ctx, b, f.Head)
		if why := missing(err); why != "" {
			f.Branch.Problem = why
			continue
		}
		if err != nil {
			return nil, err
		}
		if holds {
			f.Branch.Name, f.Branch.Problem = b.Name, ""
			return counts, nil
		}
	}
	if over && f.Branch.Problem == "" {
		f.Branch.Problem = fmt.Sprintf("it is on none of the first %d, and there are more", len(f.Branch.Looked))
	}
	return counts, nil
}

// holds reports whether head is on b. What head has beyond b is empty then, so the answer is
// small.
func (r *Reader) holds(ctx context.Context, b branch, head string) (bool, error) {
	if b.Commit.SHA == head {
		return true, nil
	}
	if !isName(b.Commit.SHA) {
		return false, &Refused{"what GitHub says is at the head of branch " + b.Name + " is no commit"}
	}
	var found comparison
	if _, err := r.Get(ctx, fmt.Sprintf("compare/%s...%s?per_page=1&page=1", b.Commit.SHA, head), &found); err != nil {
		return false, fmt.Errorf("comparing branch %s: %w", b.Name, err)
	}
	return found.Status == "behind" || found.Status == "identical", nil
}
