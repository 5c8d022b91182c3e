package manifests

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/landwaiter/landwaiter/checks/inventory"
)

// want is one dependency that a project names itself, in a companion of a lock file.
type want struct {
	key  string // what the file calls it; an alias differs from name
	name string
	spec string // the file's whole text for it: a range, an alias, an address
	// constraint is the range that is asked for; "" for any version.
	constraint string
	// exact is the version when only one satisfies the constraint.
	exact string
	scope inventory.Scope
	line  int
	// ecosystem is set where it is not that of the format.
	ecosystem string
}

// readCompanion reads a file that says what a project wants. Where a lock file says what it
// gets, the companion brings in nothing itself; without one its dependencies are packages
// whose version is unknown unless pinned.
func (s *source) readCompanion() error {
	wants, err := s.format.wants(s.text)
	if err != nil || s.locked() {
		return err
	}
	slices.SortStableFunc(wants, func(a, b want) int { return cmp.Compare(a.line, b.line) })
	for _, w := range wants {
		i := s.add(w.name, w.exact, w.line)
		p := &s.packages[i]
		if w.ecosystem != "" {
			p.Ecosystem = w.ecosystem
			s.name(i, w.name, w.exact)
		}
		p.Scope, p.Relation, p.Via = w.scope, inventory.Direct, []string{p.Name}
		if w.exact == "" {
			p.Constraint = strings.Clone(w.constraint)
		}
	}
	return nil
}

// locked reports whether a lock file that was given resolves this companion: one in its own
// folder, or one in a folder above that does not say that it resolves others only.
func (s *source) locked() bool {
	home := s.dir()
	for dir := home; ; dir = path.Dir(dir) {
		for _, name := range s.format.locks {
			lock := path.Join(dir, name)
			if _, ok := s.tree.files[lock]; !ok {
				continue
			}
			if said, ok := s.tree.resolved[lock]; dir == home || !ok || said[home] {
				return true
			}
		}
		if dir == "." || dir == "/" {
			return false
		}
	}
}

// resolves notes that this lock file resolves the manifests in the given folders, relative
// to its own, and no others below it.
func (s *source) resolves(dirs ...string) {
	said, ok := s.tree.resolved[s.path]
	if !ok {
		said = make(map[string]bool, len(dirs))
		s.tree.resolved[s.path] = said
	}
	for _, d := range dirs {
		said[path.Join(s.dir(), d)] = true
	}
}

// wantsBeside reads the companion with that name in the folder of the lock file, if it was
// given and can be read; what is wrong with it is told in its own Manifest.
func (s *source) wantsBeside(name string, read func(string) ([]want, error)) []want {
	file := path.Join(s.dir(), name)
	if known, ok := s.tree.wants[file]; ok {
		return known
	}
	var wants []want
	if text := s.tree.text(file); text != "" {
		if found, err := read(text); err == nil {
			wants = found
		}
	}
	s.tree.wants[file] = wants
	return wants
}
