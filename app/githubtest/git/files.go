package git

import (
	"fmt"
	"strings"
)

// Files returns every file below a tree, by path from that tree, or ErrNotFound. The
// Name of each Entry is its whole path.
func (s *Store) Files(tree string) (map[string]Entry, error) {
	files := map[string]Entry{}
	err := s.Walk(tree, func(e Entry) {
		if e.Mode != ModeTree {
			files[e.Name] = e
		}
	})
	return files, err
}

// Walk calls visit for every entry below tree, directories before what is in them, in
// Git's order. The Name of each Entry is its whole path.
func (s *Store) Walk(tree string, visit func(Entry)) error {
	return s.walk(tree, "", visit)
}

func (s *Store) walk(tree, prefix string, visit func(Entry)) error {
	entries, err := s.Tree(tree)
	if err != nil {
		return err
	}
	for _, e := range entries {
		e.Name = prefix + e.Name
		visit(e)
		if e.Mode != ModeTree {
			continue
		}
		if err := s.walk(e.SHA, e.Name+"/", visit); err != nil {
			return err
		}
	}
	return nil
}

// Lookup returns the entry at a slash-separated path below tree, or ErrNotFound. An
// empty path is the tree itself.
func (s *Store) Lookup(tree, path string) (Entry, error) {
	at := Entry{Mode: ModeTree, SHA: tree}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "" {
			continue
		}
		entries, err := s.Tree(at.SHA)
		if err != nil {
			return Entry{}, fmt.Errorf("looking up %s: %w", path, err)
		}
		found := false
		for _, e := range entries {
			if e.Name == segment {
				at, found = e, true
				break
			}
		}
		if !found {
			return Entry{}, fmt.Errorf("looking up %s: %w", path, ErrNotFound)
		}
	}
	at.Name = path
	return at, nil
}

// PutFiles stores the directories that hold files, by path, and returns the name of
// the root. The Name field of the entries is not read.
func (s *Store) PutFiles(files map[string]Entry) string {
	here := make([]Entry, 0, len(files))
	below := map[string]map[string]Entry{}
	for path, e := range files {
		dir, rest, nested := strings.Cut(path, "/")
		if !nested {
			here = append(here, Entry{Mode: e.Mode, Name: path, SHA: e.SHA})
			continue
		}
		if below[dir] == nil {
			below[dir] = map[string]Entry{}
		}
		below[dir][rest] = e
	}
	for dir, files := range below {
		here = append(here, Entry{Mode: ModeTree, Name: dir, SHA: s.PutFiles(files)})
	}
	return s.PutTree(here)
}
