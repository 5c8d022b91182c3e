package manifests

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/landwaiter/landwaiter/checks/inventory"
)

// readGemfileLock reads Gemfile.lock and gems.locked:
//
//	GEM
//	  remote: https://host.example/
//	  specs:
//	    rails (7.0.4)
//	      actionpack (= 7.0.4)
//	DEPENDENCIES
//	  rails (~> 7.0)
//
// Gems of a PATH section are folders of the repository and left out. Groups stand only in the
// Gemfile, which is a program; so no scope is told.
// Source: rubygems/rubygems:bundler/lib/bundler/lockfile_parser.rb.
func readGemfileLock(s *source) error {
	l := &gemLock{s: s, byName: map[string][]int{}}
	number := 0
	for line := range strings.Lines(s.text) {
		number++
		if err := l.line(strings.TrimRight(line, " \r\n"), number); err != nil {
			return fmt.Errorf("is not valid as Gemfile.lock: line %d: %w", number, err)
		}
	}
	if !l.sections {
		return errors.New("has none of the sections of a Gemfile.lock")
	}
	g := graph{edges: make([]edge, 0, len(l.needs)), roots: make([]root, 0, len(l.direct))}
	for _, n := range l.needs {
		for _, to := range l.byName[n.name] {
			if s.packages[n.from].Name == "" { // a folder of the repository
				g.directRange(to, inventory.ScopeRuntime, n.accepts)
			} else {
				g.needRange(n.from, to, false, n.accepts)
			}
		}
	}
	for _, n := range l.direct {
		for _, to := range l.byName[n.name] {
			g.directRange(to, inventory.ScopeRuntime, n.accepts)
		}
	}
	g.apply(s.packages)
	for i := range s.packages {
		s.packages[i].Scope = ""
	}
	return nil
}

// gemLock is a Gemfile.lock while it is read.
type gemLock struct {
	s        *source
	section  string
	sections bool // a known section was met
	revision string
	current  int              // the gem whose needs are read, -1 for none
	byName   map[string][]int // several where platforms differ
	needs    []gemNeed
	direct   []gemNeed // by the project
}

type gemNeed struct {
	from          int
	name, accepts string
}

// gemSpec takes apart "name (1.2.3)", "name (1.2.3-x86_64-linux)", "name (~> 1.0)", "name!".
func gemSpec(s string) (name, version string, ok bool) {
	s = strings.TrimSuffix(s, "!")
	name, rest, has := strings.Cut(s, " (")
	if has {
		version, ok = strings.CutSuffix(rest, ")")
	}
	return name, version, name != "" && ok == has && !strings.ContainsAny(name, " \t()!") && !strings.ContainsAny(version, "()")
}

func (l *gemLock) line(line string, number int) error {
	held := strings.TrimLeft(line, " ")
	if held == "" {
		return nil
	}
	indent := len(line) - len(held)
	if indent == 0 {
		return l.begin(line)
	}
	switch l.section {
	case "":
		return errors.New("something comes before the first section")
	case "GEM", "GIT", "PATH", "PLUGIN SOURCE":
		return l.source(indent, held, number)
	case "DEPENDENCIES":
		name, accepts, ok := gemSpec(held)
		if !ok || indent != 2 {
			return errors.New("expected a dependency")
		}
		l.direct = append(l.direct, gemNeed{-1, name, accepts})
	}
	return nil // platforms, versions of Ruby and Bundler, checksums
}

func (l *gemLock) begin(line string) error {
	if strings.TrimLeft(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ ") != "" {
		return errors.New("expected the name of a section")
	}
	l.section, l.revision, l.current = line, "", -1
	switch line {
	case "GEM", "GIT", "PATH", "PLUGIN SOURCE", "PLATFORMS", "DEPENDENCIES", "BUNDLED WITH":
		l.sections = true
	}
	return nil
}

// source reads a line of a section that gems come from.
func (l *gemLock) source(indent int, held string, number int) error {
	if indent == 2 {
		if revision, ok := strings.CutPrefix(held, "revision: "); ok {
			l.revision = revision
		}
		return nil
	}
	name, version, ok := gemSpec(held)
	switch {
	case !ok || indent != 4 && indent != 6:
		return errors.New("expected a gem")
	case indent == 6 && l.current < 0:
		return errors.New("a dependency comes before the first gem")
	case indent == 6:
		l.needs = append(l.needs, gemNeed{l.current, name, version})
		return nil
	case version == "":
		return errors.New("a gem has no version")
	}
	kept := name
	if l.section == "PATH" {
		kept = "" // dropped, but what it needs is needed by the project
	}
	version, _, _ = strings.Cut(version, "-") // the platform
	l.current = l.s.add(kept, version, number)
	l.s.packages[l.current].Commit = strings.Clone(l.revision)
	if len(l.byName[name]) < maxVariants {
		l.byName[name] = append(l.byName[name], l.current)
	}
	return nil
}

var (
	gemLine  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\s*gem[ (]\s*["']([^"']+)["']\s*(.*)$`) })
	gemRange = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^,\s*["']([^"']*)["']`) })
	exactGem = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^=?\s*([0-9]+(?:\.[0-9A-Za-z]+)+)$`) })
)

// wantsGemfile finds the lines of a Gemfile that name a gem in the plain way. A Gemfile is a
// program: gems that it names in another way are seen only in its lock file.
func wantsGemfile(text string) ([]want, error) { return plainLines(text, gemLine, exactGem), nil }

// plainLines finds the lines of a program in Ruby that name a package and perhaps a range: by
// line, with the name and what follows it, and by exact, with a version that a range consists of.
func plainLines(text string, line, exact func() *regexp.Regexp) []want {
	var wants []want
	number := 0
	for row := range strings.Lines(text) {
		number++
		m := match(line, strings.TrimRight(row, "\r\n"))
		if m == nil || strings.Contains(m[2], "path:") || strings.Contains(m[2], ":path") {
			continue
		}
		w := want{key: m[1], name: m[1], line: number}
		if r := match(gemRange, m[2]); r != nil {
			w.constraint = r[1]
			if e := match(exact, r[1]); e != nil {
				w.exact = e[1]
			}
		}
		wants = append(wants, w)
	}
	return wants
}
