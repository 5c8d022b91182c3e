package syntax

import (
	"math/bits"
	"strings"
)

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
