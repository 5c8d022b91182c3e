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

// readConan reads conan.lock: the graph that Conan 1 writes (version 0.0 to 0.4), or the lists
// that Conan 2 writes (0.5).
//
// Sources: https://docs.conan.io/1/versioning/lockfiles/introduction.html,
// https://docs.conan.io/2/tutorial/versioning/lockfiles.html.
func readConan(s *source) error {
	root, err := syntax.JSON(s.text)
	if err != nil {
		return invalid("JSON", err)
	}
	version := root.Get("version")
	switch v := version.Text(); {
	case version.Kind() == syntax.Absent:
		return errors.New("names no version, so it says nothing about packages")
	case v == "0.5":
		return conanLists(s, root)
	case v == "0.0" || v == "0.1" || v == "0.2" || v == "0.3" || v == "0.4":
		return conanGraph(s, root.Get("graph_lock").Get("nodes"))
	}
	return fmt.Errorf("has a version (line %d) that is not known; known are 0.0 to 0.5", version.Line())
}

// conanLists reads version 0.5. It has no graph: what is direct, conanfile.txt or conanfile.py
// tells.
func conanLists(s *source, root syntax.Node) error {
	direct := map[string]want{}
	for _, w := range append(s.wantsBeside("conanfile.txt", wantsConan), s.wantsBeside("conanfile.py", wantsConanRecipe)...) {
		direct[w.key] = w
	}
	for _, group := range [...]struct {
		key   string
		scope inventory.Scope
	}{
		{"requires", inventory.ScopeRuntime}, {"build_requires", inventory.ScopeDevelopment},
		{"python_requires", inventory.ScopeDevelopment}, {"config_requires", inventory.ScopeDevelopment},
	} {
		list := root.Get(group.key)
		if list.Kind() == syntax.Absent && group.key == "requires" {
			return errors.New("has no list of what is required")
		}
		for p := range list.All() {
			name, version := conanReference(p.Text())
			i := s.add(name, version, p.Line())
			s.packages[i].Scope = group.scope
			if _, ok := direct[name]; ok {
				s.direct(i, group.scope)
			}
		}
	}
	return nil
}

// conanGraph reads the nodes of version 0.0 to 0.4. The project itself is a node with a path or
// without a name.
func conanGraph(s *source, nodes syntax.Node) error {
	if nodes.Kind() != syntax.Table {
		return errors.New("has no graph")
	}
	byID, first := map[string]int{}, len(s.packages)
	for n := range nodes.All() {
		reference := n.String("pref")
		if reference == "" {
			reference = n.String("ref")
		}
		name, version := conanReference(reference)
		if n.String("path") != "" {
			name = ""
		}
		byID[n.Key()] = s.add(name, version, n.Line())
	}
	var g graph
	from := first
	for n := range nodes.All() {
		for _, group := range [...]string{"requires", "build_requires"} {
			for d := range n.Get(group).All() {
				to, ok := byID[d.Text()]
				switch {
				case !ok || from >= len(s.packages):
				case s.packages[from].Name != "":
					g.need(from, to, false)
				case group == "requires":
					g.direct(to, inventory.ScopeRuntime)
				default:
					g.direct(to, inventory.ScopeDevelopment)
				}
			}
		}
		from++
	}
	g.apply(s.packages)
	return nil
}

// conanReference takes apart "name/version@user/channel#revision:package#revision%time". A
// reference without a name is that of a recipe of the project.
func conanReference(reference string) (name, version string) {
	name, version, ok := strings.Cut(reference, "/")
	if !ok {
		return "", ""
	}
	if end := strings.IndexAny(version, "@#:%"); end >= 0 {
		version = version[:end]
	}
	return name, version
}

// wantsConan reads a conanfile.txt.
// Source: https://docs.conan.io/2/reference/conanfile_txt.html.
func wantsConan(text string) ([]want, error) {
	var wants []want
	section, number := "", 0
	for line := range strings.Lines(text) {
		number++
		line, _, _ = strings.Cut(strings.TrimSpace(line), " #")
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			section = strings.Trim(line, "[]")
		case section == "":
			return nil, fmt.Errorf("is not valid as conanfile.txt: line %d: something comes before the first section", number)
		case section == "requires":
			wants = append(wants, conanWant(line, inventory.ScopeRuntime, number))
		case section == "tool_requires" || section == "build_requires" || section == "test_requires":
			wants = append(wants, conanWant(line, inventory.ScopeDevelopment, number))
		}
	}
	return wants, nil
}

// conanWant is a dependency on "name/version" or "name/[range]".
func conanWant(reference string, scope inventory.Scope, line int) want {
	name, version := conanReference(reference)
	if name == "" {
		name = cut(reference, maxShown)
	}
	w := want{key: name, name: name, constraint: version, scope: scope, line: line}
	if !strings.HasPrefix(version, "[") {
		w.exact = version
	}
	return w
}

// conanRecipe is a line of a recipe that requires something in the plain way:
// `self.requires("zlib/1.3")`, `requires = "zlib/1.3", "fmt/10.0"`.
var (
	conanRecipe = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^\s*(?:self\.)?(requires|tool_requires|build_requires|test_requires)\s*[=(]\s*(.*)$`)
	})
	conanQuoted = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`["']([A-Za-z0-9_.+-]+/[^"'\n]+)["']`) })
)

// wantsConanRecipe finds the lines of a conanfile.py that name what is required in the plain
// way. It is a program: what it requires in another way is seen only in its lock file.
func wantsConanRecipe(text string) ([]want, error) {
	var wants []want
	number := 0
	for line := range strings.Lines(text) {
		number++
		m := match(conanRecipe, strings.TrimRight(line, "\r\n"))
		if m == nil {
			continue
		}
		scope := inventory.ScopeDevelopment
		if m[1] == "requires" {
			scope = inventory.ScopeRuntime
		}
		for _, q := range conanQuoted().FindAllStringSubmatch(m[2], -1) {
			wants = append(wants, conanWant(q[1], scope, number))
		}
	}
	return wants, nil
}
