package manifests

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"
	"sync"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// readMix reads mix.lock, a map of Elixir:
//
//	%{
//	  "plug": {:hex, :plug, "1.11.1", "<sum>", [:mix], [{:mime, "~> 1.0", [hex: :mime, optional: false]}], "hexpm", "<sum>"},
//	  "foo": {:git, "https://host.example/foo.git", "<commit>", []},
//	}
//
// What is direct, mix.exs says, which is a program; in an umbrella each of its applications
// has one.
// Sources: hexpm/hex:lib/hex/utils.ex, elixir-lang/elixir:lib/mix/lib/mix/scm/git.ex.
func readMix(s *source) error {
	root, err := elixirTerm(s.text)
	if err != nil {
		return fmt.Errorf("is not valid as mix.lock: %w", err)
	}
	if root.kind != elixirMap {
		return errors.New("is no mix.lock: it is no map")
	}
	byKey := make(map[string]int, len(root.children))
	first := len(s.packages)
	for _, e := range root.children {
		i, err := addMix(s, e)
		if err != nil {
			return err
		}
		if _, twice := byKey[e.key]; twice {
			return fmt.Errorf("is not valid as mix.lock: line %d: %s is there twice", e.line, cut(e.key, maxShown))
		}
		byKey[e.key] = i
	}
	var g graph
	for k, e := range root.children {
		for _, d := range e.at(5).children {
			if to, ok := byKey[d.at(0).text]; ok && first+k < len(s.packages) {
				g.needRange(first+k, to, d.at(2).field("optional").text == "true", d.at(1).text)
			}
		}
	}
	applications := s.mixApplications()
	for _, dir := range applications {
		for _, w := range s.wantsBeside(path.Join(dir, "mix.exs"), wantsMix) {
			if to, ok := byKey[w.key]; ok {
				g.directRange(to, w.scope, w.constraint)
			}
		}
	}
	s.resolves(applications...)
	g.apply(s.packages)
	return nil
}

// addMix adds one entry. Its key is the name of the application, which may differ from that of
// the package.
func addMix(s *source, e elixirValue) (int, error) {
	switch kind := e.at(0).text; {
	case e.kind == elixirTuple && (kind == "hex" || kind == "package") && e.at(2).kind == elixirText:
		return s.add(e.at(1).text, e.at(2).text, e.line), nil
	case e.kind == elixirTuple && kind == "git" && e.at(2).kind == elixirText:
		i := s.add(e.key, "", e.line)
		if p := &s.packages[i]; isCommit(e.at(2).text) {
			p.Commit = strings.Clone(e.at(2).text)
		} else {
			p.Constraint = strings.Clone(e.at(2).text)
		}
		return i, nil
	}
	return 0, fmt.Errorf("is not valid as mix.lock: line %d: the package %s is of a form that is not known", e.line, cut(e.key, maxShown))
}

// mixApplications returns the folders, relative to that of the lock file, whose mix.exs it
// resolves: its own and, in an umbrella, those below "apps".
func (s *source) mixApplications() []string {
	dirs := []string{"."}
	if strings.Contains(s.beside("mix.exs"), "apps_path:") {
		for _, dir := range s.tree.holders("mix.exs") {
			if rel, below := relative(s.dir(), dir); below && path.Dir(rel) == "apps" {
				dirs = append(dirs, rel)
			}
		}
	}
	return dirs
}

var (
	mixDependency = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^\s*\[?\s*\{:([a-z][a-z0-9_]*),\s*(?:"([^"]*)"\s*(,.*)?|([a-z_]+:.*))$`)
	})
	mixLocal = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\b(?:path|in_umbrella):`) })
	mixOnly  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\bonly:\s*(\[[^\]]*\]|:\w+)`) })
	exactMix = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^(?:==)?\s*([0-9]+\.[0-9]+\.[0-9]+(?:[-+][0-9A-Za-z.+-]+)?)$`)
	})
	mixRange  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\s*(?:[~><=!]|[0-9])`) })
	mixOrigin = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\b(?:git|github|hex):`) })
)

// wantsMix finds the lines of a mix.exs that name a dependency in the plain way,
//
//	{:plug, "~> 1.0", only: [:dev, :test]},
//
// and are no other pair of an atom and a text.
func wantsMix(text string) ([]want, error) {
	var wants []want
	number := 0
	for line := range strings.Lines(text) {
		number++
		m := match(mixDependency, strings.TrimRight(line, "\r\n}] ,"))
		if m == nil || m[2] != "" && match(mixRange, m[2]) == nil || m[2] == "" && match(mixOrigin, m[4]) == nil {
			continue
		}
		options := m[3] + m[4]
		if match(mixLocal, options) != nil {
			continue
		}
		w := want{key: m[1], name: m[1], constraint: m[2], scope: inventory.ScopeRuntime, line: number}
		if only := match(mixOnly, options); only != nil && !strings.Contains(only[1], ":prod") {
			w.scope = inventory.ScopeDevelopment
		}
		if e := match(exactMix, m[2]); e != nil {
			w.exact = e[1]
		}
		wants = append(wants, w)
	}
	return wants, nil
}

// The kinds of Elixir values that a mix.lock is made of.
const (
	elixirWord = iota // an atom, without its colon, or a number
	elixirText
	elixirTuple
	elixirList
	elixirMap
)

// elixirValue is one value, with its key where it stands in a map or a keyword list.
type elixirValue struct {
	kind      int
	key, text string
	children  []elixirValue
	line      int // of its key when it has one
}

// at returns the n-th value of a tuple or list, the zero value when there is none.
func (v elixirValue) at(n int) elixirValue {
	if n >= len(v.children) {
		return elixirValue{}
	}
	return v.children[n]
}

// field returns the value with that key.
func (v elixirValue) field(key string) elixirValue {
	for _, c := range v.children {
		if c.key == key {
			return c
		}
	}
	return elixirValue{}
}

// elixirReader reads the values of Elixir that tools write into lock files, front to back.
type elixirReader struct {
	s      string
	pos    int
	line   int
	depth  int
	values int
	err    error
}

// elixirTerm reads a text that must be one value.
func elixirTerm(text string) (elixirValue, error) {
	r := &elixirReader{s: text, line: 1}
	v := r.value()
	if r.next() != 0 {
		r.fail("something follows the end of the map")
	}
	return v, r.err
}

func (r *elixirReader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = &syntax.Error{Line: r.line, What: fmt.Sprintf(format, args...)}
	}
	r.pos = len(r.s)
}

// next moves to the byte that the next value or mark begins with and returns it, 0 at the end.
func (r *elixirReader) next() byte {
	for r.pos < len(r.s) {
		switch c := r.s[r.pos]; c {
		case '\n':
			r.line++
			r.pos++
		case ' ', '\t', '\r':
			r.pos++
		case '#':
			end := strings.IndexByte(r.s[r.pos:], '\n')
			if end < 0 {
				end = len(r.s) - r.pos
			}
			r.pos += end
		default:
			return c
		}
	}
	return 0
}

// value reads one value, which in a map or list may begin with a key.
func (r *elixirReader) value() (v elixirValue) {
	if r.values++; r.values > syntax.MaxValues {
		r.fail("more than %d values", syntax.MaxValues)
		return v
	}
	c := r.next()
	v.line = r.line
	switch {
	case c == '%' && strings.HasPrefix(r.s[r.pos:], "%{"):
		r.pos += 2
		v.kind, v.children = elixirMap, r.list('}')
	case c == '{':
		r.pos++
		v.kind, v.children = elixirTuple, r.list('}')
	case c == '[':
		r.pos++
		v.kind, v.children = elixirList, r.list(']')
	case c == '"':
		v.kind, v.text = elixirText, r.text()
	case c == ':' && strings.HasPrefix(r.s[r.pos:], `:"`):
		r.pos++
		v.text = r.text()
	case c == ':':
		r.pos++
		v.text = r.word()
	default:
		v.text = r.word()
	}
	return v
}

// list reads values, some with keys, up to the closing mark.
func (r *elixirReader) list(closing byte) []elixirValue {
	if r.depth++; r.depth > syntax.MaxDepth {
		r.fail("values are nested deeper than %d levels", syntax.MaxDepth)
		return nil
	}
	var all []elixirValue
	for r.next() != closing {
		v := r.value()
		if key := v.text; r.isKey() {
			line := v.line
			v = r.value()
			v.key, v.line = key, line
		}
		if r.err != nil {
			return nil
		}
		all = append(all, v)
		if c := r.next(); c == ',' {
			r.pos++
		} else if c != closing {
			r.fail("expected %q or %q", ',', closing)
			return nil
		}
	}
	r.pos++
	r.depth--
	return all
}

// isKey reads the mark behind a key, if there is one.
func (r *elixirReader) isKey() bool {
	r.next()
	for _, mark := range [...]string{"=>", ":"} {
		if strings.HasPrefix(r.s[r.pos:], mark) {
			r.pos += len(mark)
			return true
		}
	}
	return false
}

func (r *elixirReader) word() string {
	start := r.pos
	for r.pos < len(r.s) && isElixirWord(r.s[r.pos]) {
		r.pos++
	}
	if start == r.pos {
		r.fail("expected a value")
	}
	return r.s[start:r.pos]
}

func isElixirWord(c byte) bool {
	return isLetter(c) || c-'0' <= 9 || strings.IndexByte("_.!?@-", c) >= 0
}

func isLetter(c byte) bool { return c|0x20-'a' <= 'z'-'a' }

// text reads a text in quotes. Only a backslash before a quote or a backslash is known.
func (r *elixirReader) text() string {
	r.pos++
	start := r.pos
	var b strings.Builder
	for r.pos < len(r.s) {
		switch c := r.s[r.pos]; c {
		case '"':
			r.pos++
			if b.Len() == 0 {
				return r.s[start : r.pos-1]
			}
			b.WriteString(r.s[start : r.pos-1])
			return b.String()
		case '\\':
			if r.pos+1 >= len(r.s) || r.s[r.pos+1] != '"' && r.s[r.pos+1] != '\\' {
				r.fail("a text holds an escape that is not known")
				return ""
			}
			b.WriteString(r.s[start:r.pos])
			start = r.pos + 1
			r.pos += 2
		case '\n':
			r.fail("a text does not end in its line")
			return ""
		default:
			r.pos++
		}
	}
	r.fail("a text does not end")
	return ""
}
