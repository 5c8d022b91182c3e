package history

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/landwaiter/landwaiter/checks/duties"
)

// base is where the commits of a release may begin.
type base struct {
	duties.Start
	first comparison // the first page of what came after it
	more  bool       // there are further pages
}

// commits returns the commits of rel that no release before had, and notes in f where they
// begin. The nearest start counts: a release before, or the one that the policy names. Without
// one it is the first commit of the repository.
func (r *Reader) commits(ctx context.Context, f *duties.Facts, rel Release) ([]commit, error) {
	found, err := r.start(ctx, rel)
	if err != nil {
		return nil, err
	}
	if found == nil {
		list, over, err := all[commit](ctx, r, "commits?sha="+rel.Commit, maxCommits/perPage)
		if over {
			f.Problem = fmt.Sprintf("there is no release before, and the history has more than %d commits; set releases.duties.since to a commit up to which you looked yourself", maxCommits)
		}
		return list, err
	}
	f.Since = found.Start
	if found.first.Total > maxCommits {
		f.Problem = fmt.Sprintf("there are %d, at most %d are looked at; set releases.duties.since to a commit up to which you looked yourself", found.first.Total, maxCommits)
		return nil, nil
	}
	list := found.first.Commits
	for page := 2; found.more && len(list) < found.first.Total; page++ {
		next := comparison{}
		if found.more, err = r.compare(ctx, found.Commit, rel.Commit, page, &next); err != nil {
			return nil, err
		}
		list = append(list, next.Commits...)
	}
	if len(list) != found.first.Total {
		f.Problem = fmt.Sprintf("GitHub listed %d of %d", len(list), found.first.Total)
	}
	return list, nil
}

// compare asks for one page of what head has and base has not.
func (r *Reader) compare(ctx context.Context, base, head string, page int, found *comparison) (more bool, err error) {
	more, err = r.Get(ctx, fmt.Sprintf("compare/%s...%s?per_page=%d&page=%d", base, head, perPage, page), found)
	if err != nil {
		return false, fmt.Errorf("comparing %s with %s: %w", base, head, err)
	}
	return more, nil
}

// start finds where the commits begin, nil for the first commit.
//
// What matters is that everything before was looked at, so any earlier release that was looked
// at, and in which nothing was open, would do; the nearest makes the least work. A release of a
// backport branch is no hindrance: git tells what this one has beyond it.
//
// Only where neither the policy nor a release on record gives a start, one that was never judged
// counts, as before Landwaiter came: its tag may have been moved by anybody who may write.
func (r *Reader) start(ctx context.Context, rel Release) (*base, error) {
	n := nearest{r: r, head: rel.Commit}
	for _, since := range r.Rules.Since {
		_, err := n.consider(ctx, duties.Start{Commit: since})
		if errors.Is(err, ErrMissing) {
			return nil, &Refused{"releases.duties.since names " + since + ", with which the release has no history in common"}
		}
		if err != nil {
			return nil, err
		}
	}
	before, err := r.before(ctx, rel)
	if err != nil {
		return nil, err
	}
	var unknown []release
	var judged []duties.Start
	for _, x := range before {
		past, err := r.Judged(ctx, x.ID)
		switch {
		case err != nil:
			return nil, err
		case past == Past{}:
			unknown = append(unknown, x)
		case !past.Open && past.Commit != "":
			judged = append(judged, duties.Start{Ref: x.Tag, Commit: past.Commit})
		}
	}
	if err := n.first(ctx, judged); err != nil || n.best != nil {
		return n.best, err
	}
	old, err := r.old(ctx, unknown)
	if err != nil {
		return nil, err
	}
	err = n.first(ctx, old)
	return n.best, err
}

// old returns where releases without a record were, as far as they are old enough to be no ones
// that just wait for their verdict.
func (r *Reader) old(ctx context.Context, unknown []release) (starts []duties.Start, err error) {
	for _, x := range unknown {
		if len(starts) == maxBases {
			break
		}
		if r.Now.Sub(x.Published) < longAgo {
			continue
		}
		commit, err := r.TagCommit(ctx, x.Tag)
		if err != nil {
			return nil, err
		}
		if commit != "" {
			starts = append(starts, duties.Start{Ref: x.Tag, Commit: commit})
		}
	}
	return starts, nil
}

// nearest looks for the start beyond which a release has the fewest commits.
type nearest struct {
	r    *Reader
	head string
	best *base
}

// first considers starts until one leads straight to the release, maxBases at most.
func (n *nearest) first(ctx context.Context, starts []duties.Start) error {
	for _, s := range starts[:min(len(starts), maxBases)] {
		near, err := n.consider(ctx, s)
		switch {
		case errors.Is(err, ErrMissing): // its history has nothing in common with this one's
		case err != nil:
			return err
		case near:
			return nil
		}
	}
	return nil
}

// consider compares one start with the release, and reports whether it leads straight to it. A
// release that holds this one came after it and is none.
func (n *nearest) consider(ctx context.Context, s duties.Start) (near bool, err error) {
	b := base{Start: s}
	if b.more, err = n.r.compare(ctx, s.Commit, n.head, 1, &b.first); err != nil {
		return false, err
	}
	if s.Ref != "" && b.first.Status == "behind" {
		return false, nil
	}
	if n.best == nil || b.first.Total < n.best.first.Total {
		n.best = &b
	}
	return b.first.Status == "ahead" || b.first.Status == "identical", nil
}

// before lists the releases that may have come before rel, the likeliest first: those of its
// own family of tags with a lower version, the highest first, then the others by time. Only
// those published earlier can be: two releases never start from each other. The newest hundred
// are looked at.
func (r *Reader) before(ctx context.Context, rel Release) ([]release, error) {
	var list []release
	if _, err := r.Get(ctx, fmt.Sprintf("releases?per_page=%d", perPage), &list); err != nil {
		return nil, fmt.Errorf("listing releases: %w", err)
	}
	now := rel.Published
	if now.IsZero() {
		now = r.Now
	}
	list = slices.DeleteFunc(list, func(x release) bool {
		return x.Draft || x.ID == rel.ID || x.Tag == rel.Tag || !x.Published.Before(now)
	})
	family, version := versionOf(rel.Tag)
	likely := func(x release) bool {
		f, v := versionOf(x.Tag)
		return f == family && slices.Compare(v, version) <= 0
	}
	slices.SortStableFunc(list, func(a, b release) int {
		first, second := likely(a), likely(b)
		switch {
		case first && second:
			_, va := versionOf(a.Tag)
			_, vb := versionOf(b.Tag)
			return cmp.Or(slices.Compare(vb, va), b.Published.Compare(a.Published))
		case first:
			return -1
		case second:
			return 1
		}
		return b.Published.Compare(a.Published)
	})
	return list, nil
}

// versionOf takes a tag such as "v1.2.0-rc.1" or "api/v2.0" apart: what stands before the first
// digit, and the numbers. It only decides which release is tried first.
func versionOf(tag string) (family string, version []int) {
	i := strings.IndexAny(tag, "0123456789")
	if i < 0 {
		return tag, nil
	}
	for _, part := range strings.FieldsFunc(tag[i:], func(c rune) bool { return c < '0' || c > '9' }) {
		n, err := strconv.Atoi(part)
		if err != nil {
			break
		}
		version = append(version, n)
	}
	return tag[:i], version
}
