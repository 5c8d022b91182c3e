package manifests

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// pypiName is a name as PyPI and its advisories write it: lower case, one dash for each run of
// dashes, dots and underscores.
// Source: https://packaging.python.org/en/latest/specifications/name-normalization/.
func pypiName(name string) string {
	name = strings.TrimSpace(name)
	if !strings.ContainsAny(name, "_.") && !strings.Contains(name, "--") {
		return strings.ToLower(name) // nearly all, and without a copy
	}
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		if mark := c == '-' || c == '_' || c == '.'; !mark {
			b.WriteByte(c)
		} else if i == 0 || strings.IndexByte("-_.", name[i-1]) < 0 {
			b.WriteByte('-')
		}
	}
	return strings.ToLower(b.String())
}

// The commit in "git+https://host/o/r@<commit>#egg=a" and "https://host/o/r?rev=main#<commit>".
var pythonCommits = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[@#]([0-9a-f]{40})(?:[#&].*)?$`) })

func pythonCommit(address string) string {
	if m := match(pythonCommits, address); m != nil {
		return strings.Clone(m[1])
	}
	return ""
}

// pythonLock is a lock file in TOML, with a list of packages, while it is read.
type pythonLock struct {
	s      *source
	root   syntax.Node
	nodes  []syntax.Node    // by position in s.packages
	byName map[string][]int // several where platforms or extras differ
	g      graph
}

// newPythonLock reads the text and checks the version in versions, a list of first parts.
// An absent version is accepted where there are packages.
func newPythonLock(s *source, list string, version func(root syntax.Node) syntax.Node, versions ...string) (*pythonLock, error) {
	root, err := syntax.TOML(s.text)
	if err != nil {
		return nil, invalid("TOML", err)
	}
	l := &pythonLock{s: s, root: root, byName: map[string][]int{}}
	v := version(root)
	major, _, _ := strings.Cut(v.Text(), ".")
	known := v.Kind() == syntax.Absent && root.Get(list).Kind() == syntax.List
	for _, k := range versions {
		known = known || k == major
	}
	switch {
	case v.Kind() == syntax.Absent && !known:
		return nil, errors.New("names neither a version nor packages")
	case !known:
		return nil, fmt.Errorf("has a version (line %d) that is not known; known are %s", v.Line(), strings.Join(versions, ", "))
	}
	return l, nil
}

// add adds one package. A package without a name or, unless it comes from a commit, folder or
// archive, without a version makes the file unreadable.
func (l *pythonLock) add(p syntax.Node) (int, error) {
	name := p.String("name")
	if name == "" {
		return 0, fmt.Errorf("is not valid as %s: line %d: the package has no name", l.s.format.Name, p.Line())
	}
	i := l.s.add(pypiName(name), p.String("version"), p.Get("name").Line())
	l.note(i, p)
	return i, nil
}

// project adds a package of the project itself, which has no name until unique drops it.
func (l *pythonLock) project(p syntax.Node) int {
	i := l.s.add("", "", 0)
	l.note(i, p)
	return i
}

func (l *pythonLock) note(i int, p syntax.Node) {
	if i < len(l.nodes) {
		return // more than maxPackages
	}
	l.nodes = append(l.nodes, p)
	n := pypiName(p.String("name"))
	if len(l.byName[n]) < maxVariants {
		l.byName[n] = append(l.byName[n], i)
	}
}

// maxVariants is how many packages of one name a dependency may mean. Locks for many platforms
// have a handful; without a bound the edges would be the square of the file.
const maxVariants = 32

// find returns the packages that a dependency may mean: those with its name and, when version
// is not empty, that version.
func (l *pythonLock) find(name, version string) []int {
	all := l.byName[pypiName(name)]
	if version == "" || len(all) < 2 {
		return all
	}
	for _, i := range all {
		if l.nodes[i].String("version") == version {
			return []int{i}
		}
	}
	return nil
}

// need notes that package i needs name.
func (l *pythonLock) need(i int, name, version string, optional bool) {
	l.needRange(i, name, version, optional, "")
}

// needRange is need with the versions that are accepted.
func (l *pythonLock) needRange(i int, name, version string, optional bool, accepts string) {
	for _, to := range l.find(name, version) {
		l.g.needRange(i, to, optional, accepts)
	}
}

// direct notes that the project needs name itself, and which versions of it.
func (l *pythonLock) direct(name, version string, scope inventory.Scope, accepts string) {
	for _, to := range l.find(name, version) {
		l.g.directRange(to, scope, accepts)
	}
}

// projectWants makes direct what the companion beside the lock file wants.
func (l *pythonLock) projectWants(name string, read func(string) ([]want, error)) {
	for _, w := range l.s.wantsBeside(name, read) {
		l.direct(w.name, "", w.scope, w.constraint)
	}
	l.s.resolves(".")
}

// groupScope is the scope of a package that a lock file puts into groups.
func groupScope(groups syntax.Node) inventory.Scope {
	scope, strongest := inventory.Scope(""), -1
	for g := range groups.All() {
		s := inventory.ScopeDevelopment
		if name := g.Text(); name == "main" || name == "default" {
			s = inventory.ScopeRuntime
		}
		if strength(s) > strongest {
			scope, strongest = s, strength(s)
		}
	}
	return scope
}

// readPipfileLock reads Pipfile.lock, specification 6.
// Source: https://github.com/pypa/pipfile.
func readPipfileLock(s *source) error {
	root, err := syntax.JSON(s.text)
	if err != nil {
		return invalid("JSON", err)
	}
	spec := root.Get("_meta").Get("pipfile-spec")
	groups := []struct {
		key   string
		scope inventory.Scope
	}{{"default", inventory.ScopeRuntime}, {"develop", inventory.ScopeDevelopment}}
	switch {
	case spec.Kind() != syntax.Absent && spec.Text() != "6":
		return fmt.Errorf("has a pipfile-spec (line %d) that is not known; known is 6", spec.Line())
	case root.Get("default").Kind() != syntax.Table && root.Get("develop").Kind() != syntax.Table:
		return errors.New("has neither default nor develop packages")
	}
	direct := map[string]bool{}
	for _, w := range s.wantsBeside("Pipfile", wantsPipfile) {
		direct[w.name] = true
	}
	for _, group := range groups {
		for p := range root.Get(group.key).All() {
			addPipfile(s, p, group.scope, direct)
		}
	}
	return nil
}

func addPipfile(s *source, p syntax.Node, scope inventory.Scope, direct map[string]bool) {
	spec := p.String("version")
	if spec == "" {
		for _, address := range [...]string{"git", "file", "path"} {
			if spec = p.String(address); spec != "" {
				break
			}
		}
		if p.Get("path").Kind() != syntax.Absent || isPythonFolder(spec) {
			return // a folder of the repository
		}
	}
	i := s.add(pypiName(p.Key()), pinOf(spec), p.Line())
	pkg := &s.packages[i]
	pkg.Scope = scope
	if pkg.Version == "" {
		pkg.Constraint = strings.Clone(spec)
	}
	if ref := p.String("ref"); isCommit(ref) {
		pkg.Commit = strings.Clone(ref)
	}
	if len(direct) > 0 {
		pkg.Relation = inventory.Transitive
		if direct[pkg.Name] {
			pkg.Relation, pkg.Via = inventory.Direct, []string{pkg.Name}
		}
	}
}
