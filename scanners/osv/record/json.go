package record

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is the deepest nesting of a record; real ones stay under 12.
const maxDepth = 64

var errSyntax = errors.New("not valid JSON")

// decoder reads one JSON text in one pass, without reflection: a record has a few fields
// that matter and many kilobytes that do not. It accepts exactly what encoding/json's
// Valid accepts (a fuzz test compares them), up to maxDepth. Strings without escapes are
// views of the text. After the first error every call does nothing.
type decoder struct {
	s     string
	i     int
	depth int
	err   error
}

// finish checks that nothing follows the value and returns the first error.
func (d *decoder) finish() error {
	d.space()
	if d.err == nil && d.i != len(d.s) {
		d.fail()
	}
	return d.err
}

func (d *decoder) fail() {
	if d.err == nil {
		d.err = fmt.Errorf("%w at byte %d", errSyntax, d.i)
	}
	d.i = len(d.s)
}

func (d *decoder) space() {
	for d.i < len(d.s) {
		switch d.s[d.i] {
		case ' ', '\t', '\n', '\r':
			d.i++
		default:
			return
		}
	}
}

// peek returns the first byte of the next value or punctuation, 0 at the end.
func (d *decoder) peek() byte {
	d.space()
	if d.i >= len(d.s) {
		return 0
	}
	return d.s[d.i]
}

func (d *decoder) expect(c byte) {
	if d.peek() != c {
		d.fail()
		return
	}
	d.i++
}

// object calls field for each member; field must consume the value. A value that is no
// object is skipped: field is never called.
func (d *decoder) object(field func(key string)) {
	if d.peek() != '{' {
		d.skip()
		return
	}
	d.nested('}', func() {
		key := d.str()
		d.expect(':')
		if d.err == nil {
			field(key)
		}
	})
}

// array calls element for each element, which element must consume. A value that is no
// array is skipped. It reports whether the value was one.
func (d *decoder) array(element func()) bool {
	if d.peek() != '[' {
		d.skip()
		return false
	}
	d.nested(']', element)
	return true
}

func (d *decoder) nested(end byte, one func()) {
	d.i++
	if d.depth++; d.depth > maxDepth {
		d.fail()
		return
	}
	defer func() { d.depth-- }()
	if d.peek() == end {
		d.i++
		return
	}
	for d.err == nil {
		one()
		switch d.peek() {
		case ',':
			d.i++
		case end:
			d.i++
			return
		default:
			d.fail()
		}
	}
}

// text returns the next value if it is a string; any other value is skipped and gives "".
func (d *decoder) text() string {
	if d.peek() != '"' {
		d.skip()
		return ""
	}
	return d.str()
}

// str reads a string, which must be next.
func (d *decoder) str() string {
	d.expect('"')
	start := d.i
	d.plain()
	if d.i < len(d.s) {
		switch d.s[d.i] {
		case '"':
			d.i++
			return d.s[start : d.i-1]
		case '\\':
			return d.escaped(start)
		}
	}
	d.fail()
	return ""
}

// plain passes over the bytes of a string up to the next that is a quote, a backslash or a
// control character. It looks at eight at a time: most of a record is text that nobody wants.
func (d *decoder) plain() {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	i, s := d.i, d.s
	for ; len(s)-i >= 8; i += 8 {
		x := uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
			uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
		quote, slash := x^'"'*ones, x^'\\'*ones
		// The high bit of each byte that is zero, or below 0x20, maybe of some above it too.
		if ((quote-ones)&^quote|(slash-ones)&^slash|(x-0x20*ones)&^x)&highs != 0 {
			break
		}
	}
	for ; i < len(s) && s[i] != '"' && s[i] != '\\' && s[i] >= 0x20; i++ {
	}
	d.i = i
}

// escaped goes on with a string that began at start, from its first backslash.
func (d *decoder) escaped(start int) string {
	var b strings.Builder
	b.WriteString(d.s[start:d.i])
	for d.i < len(d.s) {
		c := d.s[d.i]
		d.i++
		switch {
		case c == '"':
			return b.String()
		case c == '\\':
			d.escape(&b)
		case c < 0x20:
			d.fail()
		default:
			b.WriteByte(c)
		}
	}
	d.fail()
	return ""
}

func (d *decoder) escape(b *strings.Builder) {
	if d.i >= len(d.s) {
		d.fail()
		return
	}
	c := d.s[d.i]
	d.i++
	if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 {
		b.WriteByte("\"\\/\b\f\n\r\t"[i])
		return
	}
	if c != 'u' {
		d.fail()
		return
	}
	r := d.hex4()
	if utf16.IsSurrogate(r) && strings.HasPrefix(d.s[d.i:], `\u`) {
		back := d.i
		d.i += 2
		if pair := utf16.DecodeRune(r, d.hex4()); pair != utf8.RuneError {
			b.WriteRune(pair)
			return
		}
		if d.err == nil {
			d.i = back // two lone halves: the second is read on its own
		}
	}
	b.WriteRune(r) // writes U+FFFD for a lone half
}

func (d *decoder) hex4() rune {
	if len(d.s)-d.i < 4 {
		d.fail()
		return 0
	}
	n, err := strconv.ParseUint(d.s[d.i:d.i+4], 16, 16)
	if err != nil {
		d.fail()
		return 0
	}
	d.i += 4
	return rune(n)
}

// skip passes over one value of any kind, checking it.
func (d *decoder) skip() {
	switch c := d.peek(); c {
	case '{':
		d.nested('}', func() {
			d.skipString()
			d.expect(':')
			d.skip()
		})
	case '[':
		d.nested(']', d.skip)
	case '"':
		d.skipString()
	case 't':
		d.literal("true")
	case 'f':
		d.literal("false")
	case 'n':
		d.literal("null")
	default:
		d.number()
	}
}

// skipString passes over a string without making it.
func (d *decoder) skipString() {
	d.expect('"')
	for d.err == nil {
		if d.plain(); d.i >= len(d.s) {
			break
		}
		c := d.s[d.i]
		d.i++
		switch c {
		case '"':
			return
		case '\\':
			d.skipEscape()
		default:
			d.fail()
		}
	}
	d.fail()
}

func (d *decoder) skipEscape() {
	if d.i >= len(d.s) {
		return
	}
	c := d.s[d.i]
	d.i++
	if c == 'u' {
		d.hex4()
	} else if strings.IndexByte(`"\/bfnrt`, c) < 0 {
		d.fail()
	}
}

func (d *decoder) literal(word string) {
	if !strings.HasPrefix(d.s[d.i:], word) {
		d.fail()
		return
	}
	d.i += len(word)
}

func (d *decoder) number() {
	if d.i < len(d.s) && d.s[d.i] == '-' {
		d.i++
	}
	if d.i < len(d.s) && d.s[d.i] == '0' {
		d.i++
	} else {
		d.digits()
	}
	if d.i < len(d.s) && d.s[d.i] == '.' {
		d.i++
		d.digits()
	}
	if d.i < len(d.s) && (d.s[d.i] == 'e' || d.s[d.i] == 'E') {
		d.i++
		if d.i < len(d.s) && (d.s[d.i] == '+' || d.s[d.i] == '-') {
			d.i++
		}
		d.digits()
	}
}

func (d *decoder) digits() {
	start := d.i
	for d.i < len(d.s) && d.s[d.i] >= '0' && d.s[d.i] <= '9' {
		d.i++
	}
	if d.i == start {
		d.fail()
	}
}
