package syntax

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Reader reads JSON (RFC 8259) front to back without building anything. Its methods read one
// value each; after the first mistake they do nothing, and Err tells it. The text must be
// valid UTF-8.
type Reader struct {
	s        string
	pos      int
	comments bool // also // and /* */ comments and commas before a closing bracket
	depth    int
	keys     []string // keys of the objects that are open, to find duplicates
	keyAt    int      // where the key of the current member begins
	line     int      // line of counted
	counted  int
	err      *Error
}

// NewReader returns a Reader at the start of text.
func NewReader(text string) *Reader { return &Reader{s: text, line: 1} }

// Err is the first mistake, nil when there is none. After the last value it also says
// whether anything follows.
func (r *Reader) Err() error {
	if r.space(); r.err == nil && r.depth == 0 && r.pos < len(r.s) {
		r.fail("something follows the end of the value")
	}
	if r.err == nil {
		return nil
	}
	return r.err
}

// Line is the line of the key whose value comes next, one-based. Lines must be asked for in
// the order of the text.
func (r *Reader) Line() int { return r.lineAt(r.keyAt) }

func (r *Reader) lineAt(pos int) int {
	if pos < r.counted { // asked backwards: count again from the start
		r.line, r.counted = 1, 0
	}
	r.line += strings.Count(r.s[r.counted:pos], "\n")
	r.counted = pos
	return r.line
}

// fail keeps the first mistake and moves to the end, which ends every loop.
func (r *Reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = &Error{Line: r.lineAt(min(r.pos, len(r.s))), What: fmt.Sprintf(format, args...)}
	}
	r.pos = len(r.s)
}

// space moves to the next byte that is not white space.
func (r *Reader) space() {
	for r.pos < len(r.s) {
		switch r.s[r.pos] {
		case ' ', '\n', '\t', '\r':
			r.pos++
		case '/':
			if !r.comments {
				return
			}
			r.comment()
		default:
			return
		}
	}
}

func (r *Reader) comment() {
	rest, end, skip := r.s[r.pos:], 0, 0
	switch {
	case strings.HasPrefix(rest, "//"):
		if end = strings.IndexByte(rest, '\n'); end < 0 {
			end = len(rest)
		}
	case strings.HasPrefix(rest, "/*"):
		if end = strings.Index(rest[2:], "*/"); end < 0 {
			r.fail("a comment does not end")
			return
		}
		skip = 4
	default:
		r.fail("expected a value, found %q", "/")
		return
	}
	r.pos += end + skip
}

// next returns the byte that the next value or mark begins with, 0 at the end.
func (r *Reader) next() byte {
	r.space()
	if r.pos >= len(r.s) {
		return 0
	}
	return r.s[r.pos]
}

// expect reads the byte c.
func (r *Reader) expect(c byte) {
	if r.next() == c {
		r.pos++
		return
	}
	r.unexpected(strconv.QuoteRune(rune(c)))
}

func (r *Reader) unexpected(wanted string) {
	if r.pos >= len(r.s) {
		r.fail("expected %s, but the file ends", wanted)
		return
	}
	c, _ := utf8.DecodeRuneInString(r.s[r.pos:])
	r.fail("expected %s, found %q", wanted, c)
}

// open reads an opening bracket; closing and depth are for more.
func (r *Reader) open(c byte) {
	r.expect(c)
	if r.depth++; r.depth > MaxDepth {
		r.fail("lists and objects are nested deeper than %d levels", MaxDepth)
	}
}

// more reads the comma between two members or the closing bracket, and reports whether
// another member comes.
func (r *Reader) more(closing byte, first bool) bool {
	switch c := r.next(); {
	case r.err != nil:
		return false
	case c == closing:
		r.pos++
		r.depth--
		return false
	case first:
		return true
	case c != ',':
		r.unexpected(fmt.Sprintf("',' or '%c'", closing))
		return false
	}
	r.pos++
	if r.next() == closing {
		if !r.comments {
			r.unexpected("another member after ','")
			return false
		}
		r.pos++
		r.depth--
		return false
	}
	return r.err == nil
}

// Object reads an object and calls member with each key. member must read exactly one value.
func (r *Reader) Object(member func(key string)) {
	if r.next() != '{' {
		r.unexpected("an object")
		return
	}
	r.open('{')
	mine := len(r.keys)
	for first := true; r.more('}', first); first = false {
		at := r.pos
		key := r.Text()
		r.expect(':')
		if r.err != nil {
			return
		}
		r.keys = append(r.keys, key)
		r.keyAt = at
		member(key)
	}
	if r.err == nil {
		if key, twice := repeated(r.keys[mine:]); twice {
			r.fail("the key %q is there twice in the object that ends here", key)
		}
	}
	r.keys = r.keys[:mine]
}

// Array reads an array and calls element before each value. element must read exactly one.
func (r *Reader) Array(element func()) {
	if r.next() != '[' {
		r.unexpected("an array")
		return
	}
	r.open('[')
	for first := true; r.more(']', first); first = false {
		r.keyAt = r.pos
		element()
	}
}
