package syntax

import (
	"fmt"
	"strings"
)

// member names a child of a table, to find it and its duplicates in constant time.
type member struct {
	table int32
	key   string
}

// How a TOML table or list came to be, which says what may still be added to it.
const (
	implied = iota // by a header of a table below it
	headed         // by its own header
	dotted         // by a dotted key
	closed         // by an inline value: nothing may be added
	listed         // a list of tables, made by [[headers]]
)

// tomlReader reads TOML 1.0.
type tomlReader struct {
	s     string
	pos   int
	line  int
	depth int
	t     *tree
	made  []uint8 // for each value of t, how it came to be
	index map[member]int32
	err   *Error
}

// TOML reads text, which must be valid UTF-8, as a TOML 1.0 document. Numbers and dates are
// kept as they stand; of their form only the characters are checked.
func TOML(text string) (Node, error) {
	r := &tomlReader{s: text, line: 1, t: newTree(len(text), Table), made: []uint8{headed}, index: make(map[member]int32, len(text)/32)}
	table := int32(0)
	for r.blank(); r.pos < len(r.s); r.blank() {
		if r.s[r.pos] == '[' {
			table = r.header()
		} else {
			r.pair(table)
		}
		r.endOfLine()
	}
	if r.err != nil {
		return Node{}, r.err
	}
	return Node{t: r.t}, nil
}

func (r *tomlReader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = &Error{Line: r.line, What: fmt.Sprintf(format, args...)}
	}
	r.pos = len(r.s)
}

// space moves over spaces and tabs and returns the byte there, 0 at the end.
func (r *tomlReader) space() byte {
	for r.pos < len(r.s) && (r.s[r.pos] == ' ' || r.s[r.pos] == '\t') {
		r.pos++
	}
	if r.pos >= len(r.s) {
		return 0
	}
	return r.s[r.pos]
}

// blank moves over white space, line ends and comments and returns the byte there.
func (r *tomlReader) blank() byte {
	for {
		switch c := r.space(); c {
		case '\n':
			r.line++
			r.pos++
		case '\r':
			r.pos++
		case '#':
			r.comment()
		default:
			return c
		}
	}
}

// comment moves to the end of the line.
func (r *tomlReader) comment() {
	end := strings.IndexByte(r.s[r.pos:], '\n')
	if end < 0 {
		end = len(r.s) - r.pos
	}
	r.pos += end
}

// endOfLine reads what may stand behind a header or a value.
func (r *tomlReader) endOfLine() {
	c := r.space()
	if c == '#' {
		r.comment()
		c = '\n'
	}
	if c != '\n' && c != '\r' && r.pos < len(r.s) {
		r.fail("expected the end of the line, found %q", c)
	}
}

// add hangs a value on table under key and remembers how it came to be.
func (r *tomlReader) add(parent int32, v value, how uint8) int32 {
	v.line = int32(r.line)
	at := r.t.add(parent, v)
	if r.t.full {
		r.fail("more than %d values", MaxValues)
		return 0
	}
	r.made = append(r.made, how)
	if r.t.values[parent].kind == Table {
		r.index[member{parent, v.key}] = at
	}
	return at
}

// header reads [a.b] or [[a.b]] and returns the table that the lines below it fill.
func (r *tomlReader) header() int32 {
	many := strings.HasPrefix(r.s[r.pos:], "[[")
	closing := "]"
	if many {
		closing = "]]"
	}
	r.pos += len(closing)
	path := r.key()
	if r.space(); !strings.HasPrefix(r.s[r.pos:], closing) {
		r.fail("expected %q after the name of a table", closing)
	}
	if r.err != nil {
		return 0
	}
	r.pos += len(closing)
	at := int32(0)
	for _, k := range path[:len(path)-1] {
		at = r.enter(at, k, implied)
	}
	last := path[len(path)-1]
	if many {
		return r.element(at, last)
	}
	return r.define(at, last)
}

// enter returns the table named key in table at, made now if it is not there.
func (r *tomlReader) enter(at int32, key string, how uint8) int32 {
	c, ok := r.index[member{at, key}]
	if !ok {
		return r.add(at, value{key: key, kind: Table}, how)
	}
	v := &r.t.values[c]
	switch {
	case r.made[c] == listed && how == implied:
		return v.last
	case v.kind == Table && r.made[c] != closed && (how == implied || r.made[c] == dotted):
		return c
	}
	r.fail("%q is there already and cannot be extended", key)
	return 0
}

// define makes the table of a [header].
func (r *tomlReader) define(at int32, key string) int32 {
	c, ok := r.index[member{at, key}]
	if !ok {
		return r.add(at, value{key: key, kind: Table}, headed)
	}
	if r.t.values[c].kind != Table || r.made[c] != implied {
		r.fail("the table %q is there twice", key)
		return 0
	}
	r.made[c] = headed
	return c
}

// element adds a table to the list of a [[header]].
func (r *tomlReader) element(at int32, key string) int32 {
	c, ok := r.index[member{at, key}]
	if !ok {
		c = r.add(at, value{key: key, kind: List}, listed)
	}
	if r.err != nil {
		return 0
	}
	if r.made[c] != listed {
		r.fail("%q is there already and is no list of tables", key)
		return 0
	}
	return r.add(c, value{kind: Table}, headed)
}

// key reads a name of one or more parts.
func (r *tomlReader) key() []string {
	var path []string
	for {
		c := r.space()
		switch {
		case c == '"':
			path = append(path, r.basic())
		case c == '\'':
			path = append(path, r.literal())
		default:
			path = append(path, r.bare())
		}
		if r.err != nil || r.space() != '.' {
			return path
		}
		r.pos++
		if len(path) >= MaxDepth {
			r.fail("a key has more than %d parts", MaxDepth)
		}
	}
}

func (r *tomlReader) bare() string {
	start := r.pos
	for r.pos < len(r.s) && isBare(r.s[r.pos]) {
		r.pos++
	}
	if start == r.pos {
		r.fail("expected a key")
		return ""
	}
	return r.s[start:r.pos]
}

func isBare(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}

// pair reads key = value into table.
func (r *tomlReader) pair(table int32) {
	path := r.key()
	if r.space() != '=' {
		r.fail("expected \"=\" after a key")
	}
	if r.err != nil {
		return
	}
	r.pos++
	for _, k := range path[:len(path)-1] {
		table = r.enter(table, k, dotted)
	}
	last := path[len(path)-1]
	if _, ok := r.index[member{table, last}]; ok {
		r.fail("the key %q is there twice", last)
		return
	}
	r.space()
	r.value(table, last)
}
