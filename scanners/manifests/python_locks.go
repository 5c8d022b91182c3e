package manifests

import (
	"strings"

	"github.com/landwaiter/landwaiter/checks"
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
			pkg.Scope = checks.ScopeOptional
		case category == "main":
			pkg.Scope = checks.ScopeRuntime
		case category == "dev":
			pkg.Scope = checks.ScopeDevelopment
		default:
			pkg.Scope = groupScope(p.Get("groups"))
		}
	}
	for i, p := range l.nodes {
		for d := range p.Get("dependencies").All() {
			l.need(i, d.Key(), "", d.Get("optional").True())
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
		if groupScope(p.Get("groups")) == checks.ScopeRuntime {
			s.packages[i].Scope = checks.ScopeRuntime
		}
		s.packages[i].Commit = strings.Clone(p.String("revision"))
	}
	for i, p := range l.nodes {
		for d := range p.Get("dependencies").All() {
			if name, _, ok := splitRequirement(d.Text()); ok {
				l.need(i, name, "", false)
			}
		}
	}
	l.projectWants("pyproject.toml", wantsPyproject)
	l.g.apply(s.packages)
	for i, p := range l.nodes {
		// Whether a group is an extra or for development, the lock file does not tell.
		if s.packages[i].Scope == "" && !p.Get("groups").Empty() {
			s.packages[i].Scope = checks.ScopeOptional
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
		for d := range p.Get("dependencies").All() {
			l.uvNeed(i, d, checks.ScopeRuntime)
		}
		for _, group := range []struct {
			key   string
			scope checks.Scope
		}{{"optional-dependencies", checks.ScopeOptional}, {"dev-dependencies", checks.ScopeDevelopment}} {
			for extra := range p.Get(group.key).All() {
				for d := range extra.All() {
					l.uvNeed(i, d, group.scope)
				}
			}
		}
	}
	s.resolves(dirs...)
	l.g.apply(s.packages)
	return nil
}

// uvNeed notes one dependency of package i: direct when i is the project.
func (l *pythonLock) uvNeed(i int, d syntax.Node, scope checks.Scope) {
	if l.s.packages[i].Name == "" {
		l.direct(d.String("name"), d.String("version"), scope)
	} else {
		// The extras of a package stand in the lock only where something asks for them.
		l.need(i, d.String("name"), d.String("version"), false)
	}
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
