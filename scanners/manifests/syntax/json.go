package syntax

import (
	"fmt"
	"math/bits"
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

// Next is the kind of the value that comes next, Absent when none does.
func (r *Reader) Next() Kind {
	switch c := r.next(); {
	case c == '{':
		return Table
	case c == '[':
		return List
	case c == '"':
		return Text
	case c == 't' || c == 'f':
		return Bool
	case c == 'n':
		return Null
	case c == '-' || c >= '0' && c <= '9':
		return Number
	}
	return Absent
}

// Skip reads one value of any kind and checks it like any other.
func (r *Reader) Skip() {
	switch r.Next() {
	case Table:
		r.Object(func(string) { r.Skip() })
	case List:
		r.Array(r.Skip)
	case Text:
		r.Text()
	case Bool, Null:
		r.word()
	case Number:
		r.number()
	default:
		r.unexpected("a value")
	}
}

// TextOr reads one value: a string as itself, anything else as "".
func (r *Reader) TextOr() string {
	if r.Next() == Text {
		return r.Text()
	}
	r.Skip()
	return ""
}

// True reads one value and reports whether it is true.
func (r *Reader) True() bool {
	if r.Next() == Bool {
		return r.word() == "true"
	}
	r.Skip()
	return false
}

// word reads true, false or null.
func (r *Reader) word() string {
	for _, w := range [...]string{"true", "false", "null"} {
		if strings.HasPrefix(r.s[r.pos:], w) {
			r.pos += len(w)
			return w
		}
	}
	r.unexpected("true, false or null")
	return ""
}

// NumberOr reads one value: a number as it stands, anything else as "".
func (r *Reader) NumberOr() string {
	if r.Next() == Number {
		return r.number()
	}
	r.Skip()
	return ""
}

// number reads a number and returns it as it stands.
func (r *Reader) number() string {
	start := r.pos
	digits := func() int {
		from := r.pos
		for r.pos < len(r.s) && r.s[r.pos]-'0' <= 9 {
			r.pos++
		}
		return r.pos - from
	}
	at := func(set string) bool {
		if r.pos < len(r.s) && strings.IndexByte(set, r.s[r.pos]) >= 0 {
			r.pos++
			return true
		}
		return false
	}
	at("-")
	whole := r.pos
	if n := digits(); n == 0 {
		r.unexpected("a number")
		return ""
	} else if n > 1 && r.s[whole] == '0' {
		r.fail("a number begins with 0")
		return ""
	}
	if at(".") && digits() == 0 {
		r.unexpected("a digit")
	}
	if at("eE") {
		at("+-")
		if digits() == 0 {
			r.unexpected("a digit")
		}
	}
	if r.err != nil {
		return ""
	}
	return r.s[start:r.pos]
}

// Text reads a string. Without escapes it is a part of the text and costs no memory.
func (r *Reader) Text() string {
	if r.next() != '"' {
		r.unexpected("a string")
		return ""
	}
	start := r.pos + 1
	i := start + ordinary(r.s[start:])
	if i >= len(r.s) {
		r.pos = len(r.s)
		r.fail("a string does not end")
		return ""
	}
	r.pos = i
	switch c := r.s[i]; c {
	case '"':
		r.pos++
		return r.s[start:i]
	case '\\':
		return r.escaped(start)
	default:
		r.fail("a string holds the control character %q", rune(c))
		return ""
	}
}

// ordinary is how many bytes at the start of s stand for themselves in a string: up to a
// quote, a backslash or a control character. It looks at eight bytes at once; the expressions
// set the high bit of bytes that are zero, or less than n, and maybe of some behind the first.
func ordinary(s string) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(s); i += 8 {
		x := uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
			uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
		quote, slash := x^(ones*'"'), x^(ones*'\\')
		found := ((quote-ones)&^quote | (slash-ones)&^slash | (x-ones*' ')&^x) & highs
		if found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(s); i++ {
		if c := s[i]; c == '"' || c == '\\' || c < ' ' {
			break
		}
	}
	return i
}
