package git

import (
	"cmp"
	"fmt"
	"slices"
)

// Log returns the commits reachable from head and not from base, newest first. An
// empty base excludes nothing. Parents that the store does not hold end the history
// there, as in a shallow clone.
func (s *Store) Log(base, head string) []Commit {
	known := map[string]bool{}
	if base != "" {
		known = s.ancestors(base)
	}
	var log []Commit
	seen := map[string]bool{}
	queue := []string{head}
	for len(queue) > 0 {
		sha := queue[0]
		queue = queue[1:]
		c, ok := s.commits[sha]
		if !ok || seen[sha] || known[sha] {
			continue
		}
		seen[sha] = true
		log = append(log, c)
		queue = append(queue, c.Parents...)
	}
	return log
}

func (s *Store) ancestors(sha string) map[string]bool {
	set := map[string]bool{}
	for _, c := range s.Log("", sha) {
		set[c.SHA] = true
	}
	return set
}

// MergeBase returns the best common ancestor of two commits, or ErrNotFound when
// their histories do not meet.
func (s *Store) MergeBase(a, b string) (string, error) {
	ofA := s.ancestors(a)
	var common []Commit
	for _, c := range s.Log("", b) {
		if ofA[c.SHA] {
			common = append(common, c)
		}
	}
	// The common ancestors are closed under "parent of", so one of them is improper
	// exactly when it is the parent of another.
	older := map[string]bool{}
	for _, c := range common {
		for _, p := range c.Parents {
			older[p] = true
		}
	}
	for _, c := range common {
		if !older[c.SHA] {
			return c.SHA, nil
		}
	}
	return "", fmt.Errorf("merge base of %s and %s: %w", a, b, ErrNotFound)
}

// Change is one file that differs between two trees. Status is "added", "removed",
// "modified" or "renamed"; only renames without a change of content are seen. Old is
// zero when added, New when removed.
type Change struct {
	Status   string
	Path     string
	Previous string
	Old, New Entry
}

// Diff returns what turns the tree base into the tree head, ordered by path.
func (s *Store) Diff(base, head string) ([]Change, error) {
	var changes []Change
	if err := s.diff(base, head, "", &changes); err != nil {
		return nil, err
	}
	slices.SortFunc(changes, func(a, b Change) int { return cmp.Compare(a.Path, b.Path) })
	return foldRenames(changes), nil
}

// diff compares two directories; an empty name is an empty directory. Equal subtrees
// are not opened, so the cost follows the change and not the size of the repository.
func (s *Store) diff(base, head, prefix string, changes *[]Change) error {
	if base == head {
		return nil
	}
	old, err := s.byName(base)
	if err != nil {
		return err
	}
	now, err := s.byName(head)
	if err != nil {
		return err
	}
	for name := range old {
		if _, ok := now[name]; !ok {
			now[name] = Entry{}
		}
	}
	for name, n := range now {
		o := old[name]
		if o == n {
			continue
		}
		if err := s.diffEntry(o, n, prefix+name, changes); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) diffEntry(o, n Entry, path string, changes *[]Change) error {
	oldDir, newDir := "", ""
	if o.Mode == ModeTree {
		oldDir, o = o.SHA, Entry{}
	}
	if n.Mode == ModeTree {
		newDir, n = n.SHA, Entry{}
	}
	switch {
	case o.SHA != "" && n.SHA != "":
		*changes = append(*changes, Change{Status: "modified", Path: path, Old: o, New: n})
	case o.SHA != "":
		*changes = append(*changes, Change{Status: "removed", Path: path, Old: o})
	case n.SHA != "":
		*changes = append(*changes, Change{Status: "added", Path: path, New: n})
	}
	return s.diff(oldDir, newDir, path+"/", changes)
}

func (s *Store) byName(tree string) (map[string]Entry, error) {
	m := map[string]Entry{}
	if tree == "" {
		return m, nil
	}
	entries, err := s.Tree(tree)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		m[e.Name] = e
	}
	return m, nil
}

// foldRenames joins a removal and an addition of the same content into one rename.
func foldRenames(changes []Change) []Change {
	removed := map[string][]int{}
	for i, c := range changes {
		if c.Status == "removed" {
			removed[c.Old.SHA] = append(removed[c.Old.SHA], i)
		}
	}
	gone := map[int]bool{}
	for i, c := range changes {
		from := removed[c.New.SHA]
		if c.Status != "added" || len(from) == 0 {
			continue
		}
		old := changes[from[0]]
		removed[c.New.SHA] = from[1:]
		gone[from[0]] = true
		changes[i] = Change{Status: "renamed", Path: c.Path, Previous: old.Path, Old: old.Old, New: c.New}
	}
	var kept []Change
	for i, c := range changes {
		if !gone[i] {
			kept = append(kept, c)
		}
	}
	return kept
}
