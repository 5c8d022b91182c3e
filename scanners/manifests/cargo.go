package manifests

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// readCargoLock reads Cargo.lock, version 1 to 4. Packages without a source are those of the
// workspace itself: they are left out, and what they need is direct.
//
// Source: https://doc.rust-lang.org/cargo/guide/cargo-toml-vs-cargo-lock.html and
// rust-lang/cargo:src/cargo/core/resolver/encode.rs.
func readCargoLock(s *source) error {
	root, err := syntax.TOML(s.text)
	if err != nil {
		return invalid("TOML", err)
	}
	version := root.Get("version")
	if version.Kind() != syntax.Absent && !slices.Contains([]string{"1", "2", "3", "4"}, version.Text()) {
		return fmt.Errorf("has a version (line %d) that is not known; known are 1 to 4", version.Line())
	}
	list := root.Get("package")
	if list.Kind() != syntax.List && version.Kind() == syntax.Absent {
		return errors.New("names neither a version nor packages")
	}
	l := &cargoLock{s: s, byID: map[string]int{}, members: map[string]bool{}}
	packages := slices.Collect(list.All())
	if old := root.Get("root"); old.Kind() == syntax.Table { // the project, before 2018
		packages = append(packages, old)
	}
	for _, p := range packages {
		if err := l.add(p); err != nil {
			return err
		}
	}
	scopes := l.scopes()
	l.graph(scopes).apply(s.packages)
	if scopes == nil { // without a Cargo.toml nothing says what a dependency is for
		for i := range s.packages {
			s.packages[i].Scope = ""
		}
	}
	return nil
}

// graph links the packages. What a member of the workspace needs is direct.
func (l *cargoLock) graph(scopes map[string]inventory.Scope) *graph {
	var g graph
	for i, p := range l.nodes {
		for d := range p.Get("dependencies").All() {
			to, ok := l.find(d.Text())
			switch {
			case !ok:
			case l.s.packages[i].Name != "":
				g.need(i, to, false)
			default:
				scope, named := scopes[l.nodes[to].String("name")]
				if !named {
					scope = inventory.ScopeRuntime
				}
				g.direct(to, scope)
			}
		}
	}
	return &g
}

// cargoLock is a Cargo.lock while it is read. Members of the workspace are packages without a
// name until unique drops them.
type cargoLock struct {
	s       *source
	nodes   []syntax.Node   // by position in s.packages
	byID    map[string]int  // "name", "name version" and "name version (source)"; -1 when ambiguous
	members map[string]bool // names of the packages of the workspace
}

func (l *cargoLock) add(p syntax.Node) error {
	name, version, source := p.String("name"), p.String("version"), p.String("source")
	if name == "" || version == "" {
		return fmt.Errorf("is not valid as Cargo.lock: line %d: the package has no name or no version", p.Line())
	}
	var i int
	if source == "" {
		i = l.s.add("", "", 0)
		l.members[name] = true
	} else {
		i = l.s.add(name, version, p.Get("name").Line())
	}
	if i < len(l.nodes) {
		return nil // more than maxPackages
	}
	l.nodes = append(l.nodes, p)
	if git, commit, ok := strings.Cut(source, "#"); ok && strings.HasPrefix(git, "git+") {
		l.s.packages[i].Commit = strings.Clone(commit)
	}
	for _, id := range []string{name, name + " " + version} {
		if other, taken := l.byID[id]; taken && other != i {
			l.byID[id] = -1
		} else {
			l.byID[id] = i
		}
	}
	source, _, _ = strings.Cut(source, "#")
	l.byID[name+" "+version+" ("+source+")"] = i
	return nil
}

// find returns the package that an element of dependencies names as briefly as it can.
func (l *cargoLock) find(id string) (int, bool) {
	if bare, _, ok := strings.Cut(id, "#"); ok {
		id = bare + ")"
	}
	i, ok := l.byID[id]
	return i, ok && i >= 0
}

// scopes returns for what the Cargo.toml files of the workspace want their dependencies; nil
// when none was given.
func (l *cargoLock) scopes() map[string]inventory.Scope {
	var scopes map[string]inventory.Scope
	dirs := []string{"."}
	for file := range l.s.tree.files {
		dir, below := relative(l.s.dir(), path.Dir(file))
		if !below || path.Base(file) != "Cargo.toml" {
			continue
		}
		c := l.s.tree.crate(file)
		if !c.valid || dir != "." && !l.members[c.name] {
			continue
		}
		if dirs = append(dirs, dir); scopes == nil {
			scopes = map[string]inventory.Scope{}
		}
		for _, w := range c.wants {
			if old, ok := scopes[w.name]; !ok || strength(w.scope) > strength(old) {
				scopes[w.name] = w.scope
			}
		}
	}
	l.s.resolves(dirs...)
	return scopes
}

// crate is what a lock file needs to know of a Cargo.toml.
type crate struct {
	valid bool
	name  string
	wants []want
}

func (t *tree) crate(file string) crate {
	c, ok := t.crates[file]
	if !ok {
		if root, err := syntax.TOML(t.text(file)); err == nil {
			c = crate{true, root.Get("package").String("name"), cargoWants(root)}
		}
		t.crates[file] = c
	}
	return c
}

// wantsCargo reads the dependencies of a Cargo.toml.
func wantsCargo(text string) ([]want, error) {
	root, err := syntax.TOML(text)
	if err != nil {
		return nil, invalid("TOML", err)
	}
	return cargoWants(root), nil
}

var cargoGroups = []struct {
	key   string
	scope inventory.Scope
}{
	{"dependencies", inventory.ScopeRuntime},
	{"build-dependencies", inventory.ScopeRuntime}, // they run where the program is built
	{"dev-dependencies", inventory.ScopeDevelopment},
	{"dev_dependencies", inventory.ScopeDevelopment},
	{"build_dependencies", inventory.ScopeRuntime},
}

// cargoWants collects the dependencies of a package, of its targets, and those that a
// workspace keeps for its members.
func cargoWants(root syntax.Node) []want {
	var wants []want
	tables := []syntax.Node{root, root.Get("workspace")}
	for target := range root.Get("target").All() {
		tables = append(tables, target)
	}
	for _, t := range tables {
		for _, group := range cargoGroups {
			for d := range t.Get(group.key).All() {
				if w, ok := cargoWant(d, group.scope); ok {
					wants = append(wants, w)
				}
			}
		}
	}
	return wants
}

// exactCargo is a requirement that only one version satisfies.
var exactCargo = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^=\s*([0-9]+\.[0-9]+\.[0-9]+(?:[-+][0-9A-Za-z.+-]+)?)$`)
})

// cargoWant reads one dependency: a requirement, or a table with it. Folders of the repository
// and what the workspace says for its members are left out. An optional one counts as
// runtime: whether a feature that is on by default needs it takes more to find out.
func cargoWant(d syntax.Node, scope inventory.Scope) (want, bool) {
	w := want{key: d.Key(), name: d.Key(), constraint: d.Text(), scope: scope, line: d.Line()}
	if d.Kind() == syntax.Table {
		if d.Get("path").Kind() != syntax.Absent || d.Get("workspace").True() {
			return want{}, false
		}
		if real := d.String("package"); real != "" {
			w.name = real
		}
		w.constraint = d.String("version")
		if git := d.String("git"); git != "" {
			w.constraint = git
		}
	}
	if m := match(exactCargo, w.constraint); m != nil {
		w.exact = m[1]
	}
	return w, true
}
