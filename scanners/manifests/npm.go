package manifests

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// readPackageLock reads package-lock.json and npm-shrinkwrap.json, lockfileVersion 1 to 3.
//
// It reads the text once and builds nothing that it does not need, because these are by far
// the largest lock files: 1,500 packages are a megabyte. A version 2 file says everything
// twice; like npm 7 and later, only "packages" is believed.
// Source: https://docs.npmjs.com/cli/configuring-npm/package-lock-json.
func readPackageLock(s *source) error {
	n := min(len(s.text)/700, 1<<16) // packages to expect; a guess saves half of the copying
	s.packages = make([]inventory.Package, 0, n)
	l := &npmLock{s: s, r: syntax.NewReader(s.text), places: newPlaces(n), needs: make([]npmNeed, 0, 4*n)}
	l.readField, l.readNeed = l.field, l.need
	l.r.Object(l.top)
	if err := l.r.Err(); err != nil {
		return invalid("JSON", err)
	}
	if err := l.check(); err != nil {
		return err
	}
	if l.version == 1 {
		for _, w := range s.wantsBeside("package.json", wantsPackageJSON) {
			l.needs = append(l.needs, npmNeed{from: -1, name: l.places.name(w.key), kind: needKind(w.scope), accepts: w.spec})
		}
	} else {
		s.resolves(append(l.members, ".")...)
	}
	l.graph().apply(s.packages)
	return nil
}

// npmLock is a package-lock.json while it is read.
type npmLock struct {
	s           *source
	r           *syntax.Reader
	version     int
	line        int // of lockfileVersion; 0: there is none
	hasPackages bool
	places      *places
	needs       []npmNeed
	members     []string // folders of the project and its workspaces
	nameless    int      // line of an entry without a name

	// The member of "packages" that is being read, and the methods that read it: as values,
	// because a closure for each entry would be the greater part of all allocations.
	entry     npmEntry
	readField func(string)
	readNeed  func(string)
}

// npmNeed is one dependency of one place, to be resolved when all places are known.
type npmNeed struct {
	place int32 // whose node_modules are searched first
	from  int32 // position in source.packages; -1 for the project itself
	name  int32
	kind  uint8 // of kinds
	// accepts is the range, a part of the file's text.
	accepts string
}

// kinds are what dependencies can be needed for, by npmNeed.kind. noNeed is none.
var kinds = [...]inventory.Scope{inventory.ScopeRuntime, inventory.ScopeOptional, inventory.ScopeDevelopment}

const noNeed = uint8(len(kinds))

func needKind(s inventory.Scope) uint8 {
	for k, scope := range kinds {
		if scope == s {
			return uint8(k)
		}
	}
	return 0
}

// npmEntry is what one member of "packages" says.
type npmEntry struct {
	path, name, version, resolved, licence string
	deprecated                             string
	dev, optional, either, link            bool
	place                                  int32
	kind                                   uint8 // of the dependencies being read
	optionalPeers                          []int32
}

// top reads one member of the file.
func (l *npmLock) top(key string) {
	switch {
	case key == "lockfileVersion":
		l.line = l.r.Line()
		l.version, _ = strconv.Atoi(l.r.NumberOr()) // 0 when it is no number: not known
	case key == "packages":
		// What was read of "dependencies" before does not count.
		l.hasPackages, l.s.packages, l.needs, l.places = true, l.s.packages[:0], l.needs[:0], newPlaces(cap(l.s.packages))
		l.r.Object(l.installed)
	case key == "dependencies" && !l.hasPackages && l.version <= 1:
		l.tree(0)
	default:
		l.r.Skip()
	}
}

// check finds what is wrong with a file that is valid JSON.
func (l *npmLock) check() error {
	switch {
	case l.line == 0:
		return errors.New("names no lockfileVersion, so it says nothing about packages")
	case l.version < 1 || l.version > 3:
		return fmt.Errorf("has a lockfileVersion (line %d) that is not known; known are 1, 2 and 3", l.line)
	case l.version > 1 && !l.hasPackages:
		return fmt.Errorf("has lockfileVersion %d but no \"packages\"", l.version)
	case l.version == 1 && l.hasPackages:
		return errors.New("has lockfileVersion 1 but \"packages\", which only later versions have")
	case l.nameless > 0:
		return fmt.Errorf("is not valid as package-lock.json: line %d: the package has no name", l.nameless)
	case l.places.tooDeep:
		return errors.New("nests node_modules deeper than is read")
	}
	return nil
}

// installed reads one member of "packages". path is "" for the project,
// "node_modules/a/node_modules/b" for a package, "packages/x" for a workspace.
func (l *npmLock) installed(path string) {
	line, first := l.r.Line(), len(l.needs)
	l.entry = npmEntry{path: path, place: l.places.at(path)}
	l.r.Object(l.readField)
	e := &l.entry
	_, name, installed := splitModules(path)
	if e.name != "" {
		name = e.name // an alias lies under another name than its own
	}
	switch {
	case e.link: // the folder that it links to has an entry of its own
		l.needs = l.needs[:first]
		return
	case !installed:
		l.members = append(l.members, path)
		return
	case name == "":
		l.nameless = line
		return
	}
	i := l.s.add("", "", line)
	l.nameByVersion(i, name, e.version, e.resolved)
	l.s.packages[i].Scope = flagged(e.dev, e.optional || e.either)
	l.s.packages[i].Licence = strings.Clone(e.licence)
	l.s.packages[i].Deprecated = e.deprecated
	l.places.fill(e.place, i)
	l.own(l.needs[first:], int32(i))
}

// flagged is the scope that the flags of an entry claim. The graph may find a stronger need;
// then a flag that hides it is not believed.
func flagged(dev, optional bool) inventory.Scope {
	switch {
	case dev:
		return inventory.ScopeDevelopment
	case optional:
		return inventory.ScopeOptional
	}
	return inventory.ScopeRuntime
}

// own makes needs those of package i, without what npm does not install for a package: its
// development dependencies, and peers that it works without.
func (l *npmLock) own(needs []npmNeed, i int32) {
	optional := map[int32]bool{}
	for _, name := range l.entry.optionalPeers {
		optional[name] = true
	}
	for k := range needs {
		needs[k].from = i
		if kinds[needs[k].kind] == inventory.ScopeDevelopment || len(optional) > 0 && optional[needs[k].name] {
			needs[k].kind = noNeed
		}
	}
}

// field reads one field of the entry.
func (l *npmLock) field(key string) {
	e := &l.entry
	switch key {
	case "version":
		e.version = l.r.TextOr()
	case "resolved":
		e.resolved = l.r.TextOr()
	case "name":
		e.name = l.r.TextOr()
	case "license":
		e.licence = l.r.TextOr()
	case "deprecated":
		e.deprecated = l.deprecated()
	case "dev":
		e.dev = l.r.True()
	case "optional":
		e.optional = l.r.True()
	case "devOptional":
		e.either = l.r.True()
	case "link":
		e.link = l.r.True()
	case "dependencies", "peerDependencies":
		l.readNeeds(inventory.ScopeRuntime)
	case "optionalDependencies":
		l.readNeeds(inventory.ScopeOptional)
	case "devDependencies":
		l.readNeeds(inventory.ScopeDevelopment)
	case "peerDependenciesMeta":
		l.peers()
	default:
		l.r.Skip()
	}
}

// deprecated reads a maintainer's words, or whether there are any.
func (l *npmLock) deprecated() string {
	if l.r.Next() == syntax.Text {
		return deprecationText(l.r.Text(), true)
	}
	if l.r.True() {
		return deprecationText("", false)
	}
	return ""
}

// readNeeds reads a table of names and ranges. Some tools write a list where nothing is needed.
func (l *npmLock) readNeeds(scope inventory.Scope) {
	if l.r.Next() != syntax.Table {
		l.r.Skip()
		return
	}
	l.entry.kind = needKind(scope)
	l.r.Object(l.readNeed)
}

func (l *npmLock) need(name string) {
	number := l.places.name(name)
	l.needs = append(l.needs, npmNeed{l.entry.place, -1, number, l.entry.kind, l.r.TextOr()})
}

// peers notes the names of peers that the package works without.
func (l *npmLock) peers() {
	if l.r.Next() != syntax.Table {
		l.r.Skip()
		return
	}
	l.r.Object(func(name string) {
		if l.r.Next() != syntax.Table {
			l.r.Skip()
			return
		}
		l.r.Object(func(key string) {
			if key != "optional" {
				l.r.Skip()
			} else if l.r.True() {
				l.entry.optionalPeers = append(l.entry.optionalPeers, l.places.name(name))
			}
		})
	})
}

// graph resolves the needs.
func (l *npmLock) graph() *graph {
	g := &graph{edges: make([]edge, 0, len(l.needs))}
	for _, n := range l.needs {
		if n.kind == noNeed {
			continue
		}
		if to, ok := l.places.find(n.place, n.name); !ok {
			continue
		} else if n.from < 0 {
			g.directRange(to, kinds[n.kind], n.accepts)
		} else {
			g.needRange(int(n.from), to, kinds[n.kind] == inventory.ScopeOptional, n.accepts)
		}
	}
	return g
}
