package manifests

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// jsr is the ecosystem of packages of JSR, which OSV has no name for.
const jsr = "JSR"

// readDeno reads deno.lock, version 2 to 5: packages of npm and JSR. Modules from addresses are
// left out: no advisories name them.
//
// Source: denoland/deno_lockfile:src/lib.rs and its transforms.
func readDeno(s *source) error {
	root, err := syntax.JSON(s.text)
	if err != nil {
		return invalid("JSON", err)
	}
	version := root.Get("version")
	l := &denoLock{s: s, byKey: map[string]int{}, specifiers: map[string]string{}}
	held, own := root, "specifiers"
	switch v := version.Text(); {
	case version.Kind() == syntax.Absent:
		return errors.New("names no version, so it says nothing about packages")
	case v == "2":
		l.packages(root.Get("npm").Get("packages"), "npm")
		l.specify(root.Get("npm").Get(own), "npm:")
	case v == "3" || v == "4" || v == "5":
		if v == "3" {
			held = root.Get("packages")
		}
		l.packages(held.Get("npm"), "npm")
		l.packages(held.Get("jsr"), jsr)
		l.specify(held.Get(own), "")
	default:
		return fmt.Errorf("has a version (line %d) that is not known; known are 2 to 5", version.Line())
	}
	if l.broken > 0 {
		return fmt.Errorf("is not valid as deno.lock: line %d: expected name@version", l.broken)
	}
	l.relate(root)
	return nil
}

// denoLock is a deno.lock while it is read.
type denoLock struct {
	s     *source
	nodes []syntax.Node
	// byKey finds a package by "npm:name@version", with peers and without, and by "npm:name"
	// where there is one version only.
	byKey      map[string]int
	specifiers map[string]string // what a project or a package asks for, and the key that it gets
	broken     int               // line of the first package without name or version
}

func denoPrefix(ecosystem string) string { return strings.ToLower(ecosystem) + ":" }

func (l *denoLock) packages(list syntax.Node, ecosystem string) {
	prefix := denoPrefix(ecosystem)
	for p := range list.All() {
		name, full := splitAt(p.Key())
		version, _, _ := strings.Cut(full, "_") // peers
		if name == "" || version == "" {
			if l.broken == 0 {
				l.broken = p.Line()
			}
			return
		}
		i := l.s.add(name, version, p.Line())
		if i < len(l.nodes) {
			return // more than maxPackages
		}
		l.nodes = append(l.nodes, p)
		l.s.packages[i].Ecosystem = ecosystem
		l.s.name(i, name, version)
		if d := p.Get("deprecated"); d.Kind() != syntax.Absent {
			l.s.packages[i].Deprecated = deprecation(d)
		}
		l.byKey[prefix+p.Key()] = i
		if _, twice := l.byKey[prefix+name]; !twice {
			l.byKey[prefix+name] = i
		}
	}
}

// specify takes in what each specifier gets: a key of version 2 and 3, or only a version.
func (l *denoLock) specify(list syntax.Node, prefix string) {
	for e := range list.All() {
		asked, got := prefix+e.Key(), e.Text()
		kind, rest, _ := strings.Cut(asked, ":")
		name, _ := splitAt(rest)
		switch {
		case strings.HasPrefix(got, kind+":"):
		case strings.HasPrefix(got, name+"@"):
			got = kind + ":" + got
		default:
			got = kind + ":" + name + "@" + got
		}
		l.specifiers[asked] = got
	}
}

// find returns the package that a dependency got. prefix is where a bare name comes from.
func (l *denoLock) find(asked, prefix string) (int, bool) {
	if !strings.HasPrefix(asked, "npm:") && !strings.HasPrefix(asked, "jsr:") {
		asked = prefix + asked
	}
	if got, ok := l.specifiers[asked]; ok {
		asked = got
	}
	i, ok := l.byKey[asked]
	return i, ok
}

// relate notes what packages need, and what the project needs itself: what its workspace says,
// or else every specifier.
func (l *denoLock) relate(root syntax.Node) {
	var g graph
	for from, p := range l.nodes {
		prefix := denoPrefix(l.s.packages[from].Ecosystem)
		for _, key := range [...]string{"dependencies", "optionalDependencies"} {
			for d := range p.Get(key).All() {
				if to, ok := l.find(d.Text(), prefix); ok {
					g.need(from, to, key == "optionalDependencies")
				}
			}
		}
	}
	asked := l.workspace(root.Get("workspace"))
	for m := range root.Get("workspace").Get("members").All() {
		asked = append(asked, l.workspace(m)...)
	}
	if len(asked) == 0 {
		for specifier := range l.specifiers {
			asked = append(asked, specifier)
		}
		slices.Sort(asked)
	}
	for _, specifier := range asked {
		if to, ok := l.find(specifier, "npm:"); ok {
			g.direct(to, inventory.ScopeRuntime)
		}
	}
	g.apply(l.s.packages)
	for i := range l.s.packages {
		l.s.packages[i].Scope = "" // the file does not tell what is for tests
	}
}

// workspace is what one project asks for.
func (l *denoLock) workspace(n syntax.Node) []string {
	var asked []string
	for _, list := range [...]syntax.Node{n.Get("dependencies"), n.Get("packageJson").Get("dependencies")} {
		for d := range list.All() {
			asked = append(asked, d.Text())
		}
	}
	return asked
}

// wantsDeno reads the imports of a deno.json or deno.jsonc.
// Source: https://docs.deno.com/runtime/fundamentals/configuration/.
func wantsDeno(text string) ([]want, error) {
	root, err := syntax.JSONC(text)
	if err != nil {
		return nil, invalid("JSON", err)
	}
	if root.Kind() != syntax.Table {
		return nil, errors.New("is no JSON object")
	}
	var wants []want
	for i := range root.Get("imports").All() {
		kind, rest, ok := strings.Cut(i.Text(), ":")
		if !ok || kind != "npm" && kind != "jsr" {
			continue
		}
		name, spec := splitAt(strings.TrimPrefix(rest, "/"))
		spec, _, _ = strings.Cut(spec, "/") // a path in the package
		w := npmWant(name, spec, inventory.ScopeRuntime, i.Line())
		if kind == "jsr" {
			w.ecosystem = jsr
		}
		wants = append(wants, w)
	}
	return wants, nil
}
