package manifests

import (
	"errors"
	"fmt"
	"strings"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// readBun reads bun.lock, lockfileVersion 0 and 1.
//
// "packages" maps a place ("a", or "b/a" for the a that only b gets) to a list that begins
// with "name@version" and holds a table with what the package needs.
// Source: https://bun.com/docs/pm/lockfile.
func readBun(s *source) error {
	root, err := syntax.JSONC(s.text)
	if err != nil {
		return invalid("JSON", err)
	}
	switch v := root.Get("lockfileVersion"); {
	case v.Kind() == syntax.Absent:
		return errors.New("names no lockfileVersion, so it says nothing about packages")
	case v.Text() != "0" && v.Text() != "1":
		return fmt.Errorf("has a lockfileVersion (line %d) that is not known; known are 0 and 1", v.Line())
	}
	l := &bunLock{s: s, places: newPlaces(len(s.text) / 200)}
	for p := range root.Get("packages").All() {
		if err := l.entry(p); err != nil {
			return err
		}
	}
	var dirs []string
	for w := range root.Get("workspaces").All() {
		dirs = append(dirs, w.Key())
		place := int32(0)
		if name := w.String("name"); w.Key() != "" && name != "" {
			place = l.places.at(bunPath(name))
		}
		for _, group := range bunGroups {
			for d := range w.Get(group.key).All() {
				if to, ok := l.places.find(place, l.places.name(d.Key())); ok {
					l.g.directRange(to, group.scope, d.Text())
				}
			}
		}
	}
	if l.places.tooDeep {
		return errors.New("nests packages deeper than is read")
	}
	s.resolves(dirs...)
	for _, n := range l.needs {
		if to, ok := l.places.find(n.place, n.name); ok {
			l.g.needRange(int(n.from), to, kinds[n.kind] == inventory.ScopeOptional, n.accepts)
		}
	}
	l.g.apply(s.packages)
	return nil
}

var bunGroups = []struct {
	key   string
	scope inventory.Scope
}{
	{"dependencies", inventory.ScopeRuntime},
	{"peerDependencies", inventory.ScopeRuntime},
	{"optionalDependencies", inventory.ScopeOptional},
	{"devDependencies", inventory.ScopeDevelopment},
}

type bunLock struct {
	s      *source
	places *places
	needs  []npmNeed
	g      graph
}

// bunPath turns a place of bun, "b/@s/a", into folders as npm has them.
func bunPath(place string) string {
	var b strings.Builder
	for rest := place; rest != ""; {
		name, after, _ := strings.Cut(rest, "/")
		if strings.HasPrefix(name, "@") {
			second, more, _ := strings.Cut(after, "/")
			name, after = name+"/"+second, more
		}
		if b.Len() > 0 {
			b.WriteByte('/')
		}
		b.WriteString("node_modules/" + name)
		rest = after
	}
	return b.String()
}

// entry adds the package of one member of "packages".
func (l *bunLock) entry(p syntax.Node) error {
	var id, facts syntax.Node
	for e := range p.All() {
		if id.Kind() == syntax.Absent {
			id = e
		} else if e.Kind() == syntax.Table {
			facts = e
			break
		}
	}
	name, version := splitAt(id.Text())
	if id.Kind() != syntax.Text || version == "" {
		return fmt.Errorf("is not valid as bun.lock: line %d: the package has no name and version", p.Line())
	}
	if isFolder(version) || strings.HasPrefix(version, "root:") {
		return nil
	}
	constraint := ""
	if strings.ContainsAny(version, ":/#") {
		constraint, version = version, ""
	}
	i := l.s.add(name, version, p.Line())
	l.s.packages[i].Constraint = strings.Clone(constraint)
	l.s.packages[i].Commit = gitCommit(constraint)
	place := l.places.at(bunPath(p.Key()))
	l.places.fill(place, i)
	optionalPeers := map[string]bool{}
	for o := range facts.Get("optionalPeers").All() {
		optionalPeers[o.Text()] = true
	}
	for _, group := range bunGroups {
		for d := range facts.Get(group.key).All() {
			if group.scope != inventory.ScopeDevelopment && !optionalPeers[d.Key()] {
				l.needs = append(l.needs, npmNeed{place, int32(i), l.places.name(d.Key()), needKind(group.scope), d.Text()})
			}
		}
	}
	return nil
}
