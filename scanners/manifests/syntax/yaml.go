package syntax

import (
	"errors"
	"fmt"
	"strings"
)

// maxDocuments is how many YAML documents one text may hold.
const maxDocuments = 16

// errPlain says that a text uses more of YAML than plainYAML reads.
var errPlain = errors.New("more than plain YAML")

// YAML reads text, which must be valid UTF-8, as YAML documents.
//
// Machine-written files keep to a plain part of YAML: block tables and lists, values on one
// line, block texts. That part is read here, in one pass. Anything else (anchors, tags, values
// over several lines) goes to the general library, which is far slower and therefore gets no
// text above MaxGeneralYAML.
func YAML(text string) ([]Node, error) { return readYAML(text, false) }

// YAMLWithMerges is YAML for files of people whose programs know the merge key: "<<" is a
// member like any other, which the caller looks into.
func YAMLWithMerges(text string) ([]Node, error) { return readYAML(text, true) }

func readYAML(text string, merges bool) ([]Node, error) {
	docs, err := plainYAML(text)
	if errors.Is(err, errPlain) {
		return generalYAML(text, merges)
	}
	return docs, err
}

// yamlReader reads plain YAML. It stops at a line whose indentation ends the block at hand.
type yamlReader struct {
	s     string
	pos   int // in the current line, behind its indentation
	line  int
	depth int
	t     *tree
	keys  []string // keys of the tables that are open, to find duplicates
	err   error
}

func plainYAML(text string) ([]Node, error) {
	if !plainCharacters(text) {
		return nil, errPlain
	}
	r := &yamlReader{s: text, line: 1}
	var docs []Node
	for r.settle() {
		if r.marker("---") {
			r.pos += 3
			if !r.restIsBlank() {
				return nil, errPlain
			}
			if !r.settle() || r.marker("---") {
				continue // an empty document
			}
		}
		if len(docs) >= maxDocuments {
			return nil, &Error{Line: r.line, What: fmt.Sprintf("more than %d documents", maxDocuments)}
		}
		r.t = newTree(len(text)-r.pos, Null)
		r.block(0, r.indent())
		if r.err != nil {
			return nil, r.err
		}
		docs = append(docs, Node{t: r.t})
		if r.settle() && !r.marker("---") {
			return nil, errPlain // something that is less indented than its block, or "..."
		}
	}
	return docs, r.err
}

// plainCharacters reports whether text is free of control characters and of the line ends that
// only YAML knows (a lone carriage return, U+0085, U+2028, U+2029).
func plainCharacters(text string) bool {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\r':
			if i+1 >= len(text) || text[i+1] != '\n' {
				return false
			}
		case c < ' ' && c != '\n' && c != '\t', c == 0x7F:
			return false
		case c == 0xC2 && text[i+1] < 0xA0, c == 0xEF && text[i+1] >= 0xBB:
			return false
		case c == 0xE2 && text[i+1] == 0x80 && (text[i+2] == 0xA8 || text[i+2] == 0xA9):
			return false
		}
	}
	return true
}

// general gives the text up to the library.
func (r *yamlReader) general() {
	if r.err == nil {
		r.err = errPlain
	}
	r.pos = len(r.s)
}

func (r *yamlReader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = &Error{Line: r.line, What: fmt.Sprintf(format, args...)}
	}
	r.pos = len(r.s)
}

// settle moves to the first character of the next line that holds any. It must be called at
// the start or the end of a line, or behind its last value.
func (r *yamlReader) settle() bool {
	for r.pos < len(r.s) {
		switch r.s[r.pos] {
		case '\n':
			r.line++
			r.pos++
		case ' ', '\r':
			r.pos++
		case '\t':
			r.general()
		case '#':
			r.toLineEnd()
		default:
			return r.err == nil
		}
	}
	return false
}

func (r *yamlReader) toLineEnd() {
	if end := strings.IndexByte(r.s[r.pos:], '\n'); end >= 0 {
		r.pos += end
	} else {
		r.pos = len(r.s)
	}
}

// indent is how many characters stand before pos in its line.
func (r *yamlReader) indent() int { return r.pos - 1 - strings.LastIndexByte(r.s[:r.pos], '\n') }

// marker reports whether the current line begins with a document marker.
func (r *yamlReader) marker(m string) bool {
	rest := r.s[r.pos:]
	return strings.HasPrefix(rest, m) && r.indent() == 0 && (len(rest) == len(m) || strings.IndexByte(" \r\n", rest[len(m)]) >= 0)
}

// restIsBlank moves over spaces and a comment and reports whether the line ends there.
func (r *yamlReader) restIsBlank() bool {
	start := r.pos
	for r.pos < len(r.s) && (r.s[r.pos] == ' ' || r.s[r.pos] == '\r') {
		r.pos++
	}
	if r.pos < len(r.s) && r.s[r.pos] == '#' && r.pos > start {
		r.toLineEnd()
	}
	return r.pos >= len(r.s) || r.s[r.pos] == '\n'
}

// dash reports whether an element of a list begins at pos.
func (r *yamlReader) dash() bool {
	rest := r.s[r.pos:]
	return rest != "" && rest[0] == '-' && (len(rest) == 1 || strings.IndexByte(" \r\n", rest[1]) >= 0)
}

// block reads the table, list or lone value that begins at pos, in column indent, into at.
func (r *yamlReader) block(at int32, indent int) {
	if r.depth++; r.depth > MaxDepth {
		r.fail("lists and tables are nested deeper than %d levels", MaxDepth)
		return
	}
	switch {
	case r.marker("..."), r.s[r.pos] == '|': // without a key, a text may be less far in than here
		r.general()
	case r.dash():
		r.list(at, indent)
	case r.keyAhead():
		r.table(at, indent)
	default:
		r.inline(at, indent)
	}
	r.depth--
}

// list reads elements that begin in column indent.
func (r *yamlReader) list(at int32, indent int) {
	r.t.values[at].kind = List
	for r.err == nil && r.dash() {
		element := r.add(at, "")
		r.pos++
		if r.restIsBlank() {
			r.under(element, indent, false)
		} else {
			r.block(element, r.indent())
		}
		if !r.settle() || r.indent() < indent || r.marker("---") {
			return
		}
		if r.indent() > indent {
			r.general()
		}
		if !r.dash() {
			return
		}
	}
}

// table reads members whose keys begin in column indent.
func (r *yamlReader) table(at int32, indent int) {
	r.t.values[at].kind = Table
	mine := len(r.keys)
	for r.err == nil {
		r.member(at, indent)
		if !r.settle() || r.indent() < indent || r.marker("---") {
			break
		}
		if r.indent() > indent || !r.keyAhead() {
			r.general()
		}
	}
	if key, twice := repeated(r.keys[mine:]); twice && r.err == nil {
		r.fail("the key %q is there twice in the table that ends here", key)
	}
	r.keys = r.keys[:mine]
}

// member reads one key with its value.
func (r *yamlReader) member(at int32, indent int) {
	line, long := r.line, strings.HasPrefix(r.s[r.pos:], "? ")
	var key string
	if long {
		key = r.longKey(indent)
	} else {
		key = r.key()
	}
	if r.err != nil {
		return
	}
	r.keys = append(r.keys, key)
	child := r.add(at, key)
	r.t.values[child].line = int32(line)
	switch {
	case r.restIsBlank():
		r.under(child, indent, true)
	case long: // the value may be a table that begins here
		for r.s[r.pos] == ' ' {
			r.pos++
		}
		r.block(child, r.indent())
	default:
		r.inline(child, indent)
	}
}

// under reads the value of a key or dash that ends its line: a block that is further in, for
// a key also a list in the same column, else null.
func (r *yamlReader) under(at int32, indent int, keyed bool) {
	if !r.settle() {
		return
	}
	in := r.indent()
	if in > indent || keyed && in == indent && r.dash() {
		r.block(at, in)
	}
}

// add hangs a Null on parent, whose kind the value sets later.
func (r *yamlReader) add(parent int32, key string) int32 {
	at := r.t.add(parent, value{key: key, kind: Null, line: int32(r.line)})
	if r.t.full {
		r.fail("more than %d values", MaxValues)
	}
	return at
}
