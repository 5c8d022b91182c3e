package manifests

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// readPackageLock reads package-lock.json and npm-shrinkwrap.json, lockfileVersion 1 to 3.
//
// Source: https://docs.npmjs.com/cli/configuring-npm/package-lock-json. It reads the text once
// and keeps nothing but what it needs, because these are by far the largest lock files.
// A version 2 file says everything twice; like npm 7 and later, only "packages" is believed.
func readPackageLock(s *source) error {
	l := &npmLock{s: s, r: syntax.NewReader(s.text), places: newPlaces()}
	l.r.Object(func(key string) {
		switch {
		case key == "lockfileVersion":
			l.line = l.r.Line()
			l.version, _ = strconv.Atoi(l.r.NumberOr()) // 0 when it is no number: not known
		case key == "packages":
			l.hasPackages = true
			l.forget()
			l.r.Object(l.entry)
		case key == "dependencies" && !l.hasPackages && l.version <= 1:
			l.tree(0)
		default:
			l.r.Skip()
		}
	})
	if err := l.r.Err(); err != nil {
		return invalid("JSON", err)
	}
	if err := l.checkVersion(); err != nil {
		return err
	}
	if l.places.tooDeep {
		return errors.New("nests node_modules deeper than is read")
	}
	if l.version == 1 {
		for _, w := range s.wantsBeside("package.json", wantsPackageJSON) {
			l.needs = append(l.needs, npmNeed{from: -1, name: w.key, scope: w.scope})
		}
	} else {
		s.resolves(append(l.members, ".")...)
	}
	l.finish()
	return nil
}

// npmLock is a package-lock.json while it is read.
type npmLock struct {
	s           *source
	r           *syntax.Reader
	version     int
	line        int
	hasPackages bool
	places      *places
	needs       []npmNeed
	dev, opt    []bool // what the file says of s.packages
	members     []string
	nameless    int // line of an entry without a name
}

// npmNeed is one dependency of one place, to be resolved when all places are known.
type npmNeed struct {
	place    int32 // whose node_modules are searched first
	from     int32 // position in s.packages; -1 for the project itself
	name     string
	scope    checks.Scope // of a dependency of the project
	optional bool
}

// forget drops what was read of "dependencies" before "packages" was met.
func (l *npmLock) forget() {
	l.s.packages, l.dev, l.opt, l.needs, l.places = nil, nil, nil, nil, newPlaces()
}

func (l *npmLock) checkVersion() error {
	switch {
	case l.line == 0:
		return errors.New("names no lockfileVersion, so it says nothing about packages")
	case l.version < 1 || l.version > 3:
		return fmt.Errorf("has a lockfileVersion (line %d) that is not known; known are 1, 2 and 3", l.line)
	case l.version > 1 && !l.hasPackages:
		return fmt.Errorf("has lockfileVersion %d but no \"packages\"", l.version)
	case l.nameless > 0:
		return fmt.Errorf("is not valid as package-lock.json: line %d: the package has no name", l.nameless)
	case l.version == 1 && l.hasPackages:
		return errors.New("has lockfileVersion 1 but \"packages\", which only later versions have")
	}
	return nil
}

// npmEntry is what one member of "packages" says.
type npmEntry struct {
	name, version, resolved, licence string
	dev, optional, either, link      bool
	optionalPeers                    map[string]bool
}

// entry reads one member of "packages" (version 2 and 3). path is "" for the project,
// "node_modules/a/node_modules/b" for a package, "packages/x" for a workspace.
func (l *npmLock) entry(path string) {
	line := l.r.Line()
	if l.r.Next() != syntax.Table {
		l.r.Object(nil) // says what was expected
		return
	}
	place := l.places.at(path)
	first := len(l.needs)
	var e npmEntry
	l.r.Object(func(key string) {
		switch key {
		case "version":
			e.version = l.r.TextOr()
		case "resolved":
			e.resolved = l.r.TextOr()
		case "name":
			e.name = l.r.TextOr()
		case "license":
			e.licence = l.r.TextOr()
		case "dev":
			e.dev = l.r.True()
		case "optional":
			e.optional = l.r.True()
		case "devOptional":
			e.either = l.r.True()
		case "link":
			e.link = l.r.True()
		case "dependencies", "peerDependencies":
			l.need(place, -1, checks.ScopeRuntime, false)
		case "optionalDependencies":
			l.need(place, -1, checks.ScopeOptional, true)
		case "devDependencies":
			l.need(place, -1, checks.ScopeDevelopment, false)
		case "peerDependenciesMeta":
			e.optionalPeers = l.optionalPeers()
		default:
			l.r.Skip()
		}
	})
	l.keep(path, place, line, e, l.needs[first:])
}

// need notes the names of a table of dependencies. from may be -1 for a package that is not
// known yet; keep sets it.
func (l *npmLock) need(place, from int32, scope checks.Scope, optional bool) {
	if l.r.Next() != syntax.Table {
		l.r.Skip()
		return
	}
	l.r.Object(func(name string) {
		l.needs = append(l.needs, npmNeed{place, from, name, scope, optional})
		l.r.Skip()
	})
}

// optionalPeers reads the names of peers that a package works without. npm does not install
// them, so they are not what brings a package in.
func (l *npmLock) optionalPeers() map[string]bool {
	peers := map[string]bool{}
	if l.r.Next() != syntax.Table {
		l.r.Skip()
		return peers
	}
	l.r.Object(func(name string) {
		if l.r.Next() != syntax.Table {
			l.r.Skip()
			return
		}
		l.r.Object(func(key string) {
			if key == "optional" && l.r.True() {
				peers[name] = true
			} else if key != "optional" {
				l.r.Skip()
			}
		})
	})
	return peers
}

// keep adds the package of an entry, unless it is the project, a workspace or a link.
func (l *npmLock) keep(path string, place int32, line int, e npmEntry, needs []npmNeed) {
	_, name, installed := splitModules(path)
	if e.link {
		return // the folder that it links to has an entry of its own
	}
	if !installed {
		l.members = append(l.members, path)
		return
	}
	if e.name != "" {
		name = e.name // an alias lies under another name than its own
	}
	if name == "" {
		l.nameless = line
		return
	}
	i := l.add(name, e.version, line, e.dev, e.optional || e.either)
	p := &l.s.packages[i]
	p.Licence = strings.Clone(e.licence)
	p.Commit = gitCommit(e.resolved)
	if p.Version == "" {
		p.Constraint = strings.Clone(e.resolved)
	}
	l.places.fill(place, i)
	for k := range needs {
		needs[k].from = int32(i)
		if e.optionalPeers[needs[k].name] {
			needs[k].name = ""
		}
	}
}

func (l *npmLock) add(name, version string, line int, dev, optional bool) int {
	i := l.s.add(name, version, line)
	if i == len(l.dev) {
		l.dev, l.opt = append(l.dev, dev), append(l.opt, optional)
	}
	return i
}

// finish resolves the dependencies and tells the packages their relation, scope and path.
func (l *npmLock) finish() {
	var g graph
	for _, n := range l.needs {
		to, ok := l.places.find(n.place, n.name)
		switch {
		case !ok:
		case n.from < 0:
			g.direct(to, n.scope)
		case n.scope != checks.ScopeDevelopment: // those of a package are not installed
			g.need(int(n.from), to, n.optional)
		}
	}
	// What the file flags is the weakest that it can be: the graph may find a stronger need,
	// and then a flag that hides it is not believed.
	for i := range l.dev {
		p := &l.s.packages[i]
		switch {
		case l.dev[i]:
			p.Scope = checks.ScopeDevelopment
		case l.opt[i]:
			p.Scope = checks.ScopeOptional
		default:
			p.Scope = checks.ScopeRuntime
		}
	}
	g.apply(l.s.packages)
}
