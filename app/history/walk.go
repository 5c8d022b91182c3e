package history

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/landwaiter/landwaiter/checks/duties"
)

// walk finds out which pull request brought each commit in.
type walk struct {
	commits map[string]*step
	order   []string // as GitHub listed them
	pulls   map[int]pull
	asked   int
}

// step is one commit on the walk.
type step struct {
	commit
	seen    bool
	pull    int
	problem string
}

func newWalk(commits []commit) *walk {
	w := &walk{commits: map[string]*step{}, pulls: map[int]pull{}}
	for _, c := range commits {
		if w.commits[c.SHA] == nil {
			w.commits[c.SHA] = &step{commit: c}
			w.order = append(w.order, c.SHA)
		}
	}
	return w
}

// attribute asks which pull requests brought the commits in. counts are the branches into which
// a merge counts, and onto is the one that the release is on.
//
// Only the line of first parents from head has to be asked about, commit by commit. What else a
// merge brings in came by its pull request, when it merged the very head of that: git proves it.
// Where it merged something else, the line behind that is asked about as well.
func (r *Reader) attribute(ctx context.Context, w *walk, head string, counts map[string]bool, onto string) error {
	lines := []string{head}
	for len(lines) > 0 {
		var asking []*step
		for _, from := range lines {
			asking = append(asking, w.line(from)...)
		}
		if err := r.ask(ctx, w, asking, counts, onto); err != nil {
			return err
		}
		lines = nil
		for _, s := range asking {
			lines = append(lines, w.behind(s)...)
		}
	}
	for _, s := range w.commits {
		if !s.seen {
			s.problem = "GitHub listed it without what leads to it"
		}
	}
	return nil
}

// line returns the commits from one on along first parents that were not seen yet.
func (w *walk) line(from string) []*step {
	var line []*step
	for s := w.commits[from]; s != nil && !s.seen; {
		s.seen = true
		line = append(line, s)
		if len(s.Parents) == 0 {
			break
		}
		s = w.commits[s.Parents[0].SHA]
	}
	return line
}

// behind attributes what s merged to its pull request, and returns the starts of the lines for
// which it cannot.
func (w *walk) behind(s *step) (lines []string) {
	for i, p := range s.Parents {
		switch at := w.commits[p.SHA]; {
		case i == 0 || at == nil || at.seen:
		case s.pull != 0 && strings.EqualFold(w.pulls[s.pull].Head.SHA, p.SHA):
			w.fill(p.SHA, s.pull)
		default:
			lines = append(lines, p.SHA)
		}
	}
	return lines
}

// fill attributes everything reachable from a commit that was not seen yet.
func (w *walk) fill(from string, number int) {
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		s := w.commits[queue[0]]
		if s == nil || s.seen {
			continue
		}
		s.seen, s.pull = true, number
		for _, p := range s.Parents {
			queue = append(queue, p.SHA)
		}
	}
}

// ask asks about commits, several at a time.
func (r *Reader) ask(ctx context.Context, w *walk, asking []*step, counts map[string]bool, onto string) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(width)
	var mu sync.Mutex
	for _, s := range asking {
		if !isName(s.SHA) {
			s.problem = "what GitHub calls it is no name of a commit"
			continue
		}
		if w.asked++; w.asked > maxAsked {
			s.problem = fmt.Sprintf("at most %d are asked about; set releases.duties.since to a commit up to which you looked yourself", maxAsked)
			continue
		}
		group.Go(func() error {
			list, over, err := all[pull](ctx, r, "commits/"+s.SHA+"/pulls", 2)
			if why := missing(err); why != "" {
				s.problem = why
				return nil
			}
			if err != nil {
				return fmt.Errorf("asking for the pull request of %s: %w", s.SHA, err)
			}
			best, ok := r.choose(list, counts, onto)
			switch {
			case ok:
				s.pull = best.Number
				mu.Lock()
				defer mu.Unlock()
				w.pulls[best.Number] = best
			case over:
				s.problem = "too many pull requests hold it"
			}
			return nil
		})
	}
	return group.Wait()
}

// choose returns the pull request that counts: merged in this repository, into the branch that
// the release is on, else into the default branch, else into another protected one; of several
// the first.
func (r *Reader) choose(list []pull, counts map[string]bool, onto string) (best pull, ok bool) {
	rank := func(p pull) int {
		switch p.Base.Ref {
		case onto:
			return 0
		case r.DefaultBranch:
			return 1
		}
		return 2
	}
	list = slices.DeleteFunc(list, func(p pull) bool {
		return p.MergedAt == nil || p.Base.Repo.ID != r.RepositoryID || !counts[p.Base.Ref] || p.Number <= 0 || !isName(p.Head.SHA)
	})
	slices.SortFunc(list, func(a, b pull) int { return cmp.Or(rank(a)-rank(b), a.Number-b.Number) })
	if len(list) == 0 {
		return pull{}, false
	}
	return list[0], true
}

// facts returns what was found, pull requests by number.
func (w *walk) facts() (commits []duties.Commit, pulls []duties.Pull) {
	for _, sha := range w.order {
		s := w.commits[sha]
		c := s.fact()
		c.Pull, c.Problem = s.pull, s.problem
		commits = append(commits, c)
	}
	for _, number := range slices.Sorted(maps.Keys(w.pulls)) {
		p := w.pulls[number]
		pulls = append(pulls, duties.Pull{Number: number, Author: p.User.person(), Head: p.Head.SHA, Base: p.Base.Ref})
	}
	return commits, pulls
}
