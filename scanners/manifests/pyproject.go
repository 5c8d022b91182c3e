package manifests

import (
	"regexp"
	"strings"
	"sync"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// wantsPyproject reads the dependencies of a pyproject.toml: of the project table, of
// dependency groups, and of Poetry and PDM, which have tables of their own.
//
// Sources: https://packaging.python.org/en/latest/specifications/pyproject-toml/,
// https://packaging.python.org/en/latest/specifications/dependency-groups/,
// https://python-poetry.org/docs/pyproject/.
func wantsPyproject(text string) ([]want, error) {
	root, err := syntax.TOML(text)
	if err != nil {
		return nil, invalid("TOML", err)
	}
	var w pyprojectWants
	project, tool := root.Get("project"), root.Get("tool")
	w.list(project.Get("dependencies"), inventory.ScopeRuntime)
	for extra := range project.Get("optional-dependencies").All() {
		w.list(extra, inventory.ScopeOptional)
	}
	for group := range root.Get("dependency-groups").All() {
		w.list(group, inventory.ScopeDevelopment)
	}
	for group := range tool.Get("pdm").Get("dev-dependencies").All() {
		w.list(group, inventory.ScopeDevelopment)
	}
	w.list(tool.Get("uv").Get("dev-dependencies"), inventory.ScopeDevelopment)
	poetry := tool.Get("poetry")
	w.table(poetry.Get("dependencies"), inventory.ScopeRuntime)
	w.table(poetry.Get("dev-dependencies"), inventory.ScopeDevelopment)
	for group := range poetry.Get("group").All() {
		w.table(group.Get("dependencies"), inventory.ScopeDevelopment)
	}
	return w, nil
}

type pyprojectWants []want

// list adds requirements as pip writes them. Folders of the repository are left out.
func (w *pyprojectWants) list(n syntax.Node, scope inventory.Scope) {
	for d := range n.All() {
		name, spec, ok := splitRequirement(d.Text())
		if d.Kind() != syntax.Text || !ok || strings.HasPrefix(spec, "file:") {
			continue
		}
		name = pypiName(name)
		*w = append(*w, want{key: name, name: name, constraint: spec, exact: pinOf(spec), scope: scope, line: d.Line()})
	}
}

// exactPoetry is a requirement of Poetry that only one version satisfies: without a mark, it
// means that version.
var exactPoetry = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?:={2,3})?\s*([0-9][0-9A-Za-z.+!-]*)$`) })

// table adds dependencies as Poetry writes them: a requirement, a table with one, or a list of
// such for several platforms.
func (w *pyprojectWants) table(n syntax.Node, scope inventory.Scope) {
	for d := range n.All() {
		if d.Key() == "python" {
			continue
		}
		entries := []syntax.Node{d}
		if d.Kind() == syntax.List {
			entries = entries[:0]
			for e := range d.All() {
				entries = append(entries, e)
			}
		}
		for _, e := range entries {
			if e.Kind() == syntax.Table && e.Get("path").Kind() != syntax.Absent {
				continue
			}
			*w = append(*w, poetryWant(d.Key(), e, d.Line(), scope))
		}
	}
}

func poetryWant(key string, e syntax.Node, line int, scope inventory.Scope) want {
	spec := e.Text()
	if e.Kind() == syntax.Table {
		if spec = e.String("version"); spec == "" {
			spec = e.String("git") + e.String("url")
		}
		if e.Get("optional").True() && scope == inventory.ScopeRuntime {
			scope = inventory.ScopeOptional
		}
	}
	name := pypiName(key)
	found := want{key: name, name: name, constraint: spec, scope: scope, line: line}
	if m := match(exactPoetry, spec); m != nil {
		found.exact = m[1]
	}
	return found
}

// wantsPipfile reads the packages of a Pipfile. Source: https://github.com/pypa/pipfile.
func wantsPipfile(text string) ([]want, error) {
	root, err := syntax.TOML(text)
	if err != nil {
		return nil, invalid("TOML", err)
	}
	var wants []want
	for _, group := range []struct {
		key   string
		scope inventory.Scope
	}{{"packages", inventory.ScopeRuntime}, {"dev-packages", inventory.ScopeDevelopment}} {
		for d := range root.Get(group.key).All() {
			if d.Get("path").Kind() != syntax.Absent {
				continue
			}
			w := poetryWant(d.Key(), d, d.Line(), group.scope)
			w.exact = pinOf(w.constraint)
			wants = append(wants, w)
		}
	}
	return wants, nil
}
