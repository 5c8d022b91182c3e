package manifests

import (
	"strings"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// readPoetry reads poetry.lock, lock-version 1 and 2. What is direct stands in pyproject.toml.
// Source: python-poetry/poetry:src/poetry/packages/locker.py.
func readPoetry(s *source) error {
	l, err := newPythonLock(s, "package", func(root syntax.Node) syntax.Node { return root.Get("metadata").Get("lock-version") }, "1", "2")
	if err != nil {
		return err
	}
	for p := range l.root.Get("package").All() {
		i, err := l.add(p)
		if err != nil {
			return err
		}
		pkg := &s.packages[i]
		if c := p.Get("source").String("resolved_reference"); isCommit(c) {
			pkg.Commit = strings.Clone(c)
		}
		switch category := p.String("category"); {
		case p.Get("optional").True():
			pkg.Scope = inventory.ScopeOptional
		case category == "main":
			pkg.Scope = inventory.ScopeRuntime
		case category == "dev":
			pkg.Scope = inventory.ScopeDevelopment
		default:
			pkg.Scope = groupScope(p.Get("groups"))
		}
	}
	for i, p := range l.nodes {
		for d := range p.Get("dependencies").All() {
			accepts := d.Text()
			if d.Kind() == syntax.Table {
				accepts = d.String("version")
			}
			l.needRange(i, d.Key(), "", d.Get("optional").True(), accepts)
		}
	}
	l.projectWants("pyproject.toml", wantsPyproject)
	l.g.apply(s.packages)
	return nil
}

// readPDM reads pdm.lock, lock_version 2 to 4. Source: pdm-project/pdm:src/pdm/project/lockfile.
func readPDM(s *source) error {
	l, err := newPythonLock(s, "package", func(root syntax.Node) syntax.Node { return root.Get("metadata").Get("lock_version") }, "2", "3", "4")
	if err != nil {
		return err
	}
	for p := range l.root.Get("package").All() {
		if p.Get("path").Kind() != syntax.Absent {
			l.project(p)
			continue
		}
		i, err := l.add(p)
		if err != nil {
			return err
		}
		if groupScope(p.Get("groups")) == inventory.ScopeRuntime {
			s.packages[i].Scope = inventory.ScopeRuntime
		}
		s.packages[i].Commit = strings.Clone(p.String("revision"))
	}
	for i, p := range l.nodes {
		for d := range p.Get("dependencies").All() {
			if name, accepts, ok := splitRequirement(d.Text()); ok {
				l.needRange(i, name, "", false, accepts)
			}
		}
	}
	l.projectWants("pyproject.toml", wantsPyproject)
	l.g.apply(s.packages)
	for i, p := range l.nodes {
		// Whether a group is an extra or for development, the lock file does not tell.
		if s.packages[i].Scope == "" && !p.Get("groups").Empty() {
			s.packages[i].Scope = inventory.ScopeOptional
		}
	}
	return nil
}

// readUV reads uv.lock, version 1. The project and its workspace are packages whose source is
// a folder; what they need is direct. Source: astral-sh/uv:crates/uv-resolver/src/lock.
func readUV(s *source) error {
	l, err := newPythonLock(s, "package", func(root syntax.Node) syntax.Node { return root.Get("version") }, "1")
	if err != nil {
		return err
	}
	dirs := []string{"."}
	for p := range l.root.Get("package").All() {
		src := p.Get("source")
		dir := src.String("virtual") + src.String("editable") + src.String("directory")
		if dir != "" {
			l.project(p)
			dirs = append(dirs, dir)
			continue
		}
		i, err := l.add(p)
		if err != nil {
			return err
		}
		s.packages[i].Commit = pythonCommit(src.String("git"))
	}
	for i, p := range l.nodes {
		var ranges map[string]string
		if s.packages[i].Name == "" {
			ranges = uvRanges(p)
		}
		for d := range p.Get("dependencies").All() {
			l.uvNeed(i, d, inventory.ScopeRuntime, ranges)
		}
		for _, group := range []struct {
			key   string
			scope inventory.Scope
		}{{"optional-dependencies", inventory.ScopeOptional}, {"dev-dependencies", inventory.ScopeDevelopment}} {
			for extra := range p.Get(group.key).All() {
				for d := range extra.All() {
					l.uvNeed(i, d, group.scope, ranges)
				}
			}
		}
	}
	s.resolves(dirs...)
	l.g.apply(s.packages)
	return nil
}

// uvNeed notes one dependency of package i: direct when i is the project, which accepts ranges.
func (l *pythonLock) uvNeed(i int, d syntax.Node, scope inventory.Scope, ranges map[string]string) {
	if l.s.packages[i].Name == "" {
		l.direct(d.String("name"), d.String("version"), scope, ranges[d.String("name")])
	} else {
		// The extras of a package stand in the lock only where something asks for them.
		l.need(i, d.String("name"), d.String("version"), false)
	}
}

// uvRanges are the versions that a project of the workspace accepts: the lock file repeats what
// its pyproject.toml says. A name that is there twice, under markers, tells none.
func uvRanges(project syntax.Node) map[string]string {
	ranges := map[string]string{}
	for r := range project.Get("metadata").Get("requires-dist").All() {
		name := r.String("name")
		if _, twice := ranges[name]; twice {
			ranges[name] = ""
		} else {
			ranges[name] = r.String("specifier")
		}
	}
	return ranges
}

// readPylock reads pylock.toml, lock-version 1. It does not say what is direct.
// Source: https://packaging.python.org/en/latest/specifications/pylock-toml/.
func readPylock(s *source) error {
	l, err := newPythonLock(s, "packages", func(root syntax.Node) syntax.Node { return root.Get("lock-version") }, "1")
	if err != nil {
		return err
	}
	for p := range l.root.Get("packages").All() {
		if p.Get("directory").Kind() != syntax.Absent {
			l.project(p)
			continue
		}
		i, err := l.add(p)
		if err != nil {
			return err
		}
		if c := p.Get("vcs").String("commit-id"); c != "" {
			s.packages[i].Commit = strings.Clone(c)
		}
		if a := p.Get("archive").String("url"); a != "" && s.packages[i].Version == "" {
			s.packages[i].Constraint = strings.Clone(a)
		}
	}
	for i, p := range l.nodes {
		for d := range p.Get("dependencies").All() {
			l.need(i, d.String("name"), d.String("version"), false)
		}
	}
	l.projectWants("pyproject.toml", wantsPyproject)
	l.g.apply(s.packages)
	return nil
}
