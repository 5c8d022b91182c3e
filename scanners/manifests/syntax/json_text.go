package syntax

import (
	"strconv"
	"strings"
	"unicode/utf16"
)

// escaped reads the rest of a string whose first escape is at pos; it began at start.
func (r *Reader) escaped(start int) string {
	var b strings.Builder
	b.WriteString(r.s[start:r.pos])
	for r.pos < len(r.s) {
		switch c := r.s[r.pos]; {
		case c == '"':
			r.pos++
			return b.String()
		case c == '\\':
			r.escape(&b)
		case c < ' ':
			r.fail("a string holds the control character %q", rune(c))
		default:
			end := r.pos + 1
			for end < len(r.s) && r.s[end] != '"' && r.s[end] != '\\' && r.s[end] >= ' ' {
				end++
			}
			b.WriteString(r.s[r.pos:end])
			r.pos = end
		}
	}
	r.fail("a string does not end")
	return ""
}

// escape reads one escape at pos into b.
func (r *Reader) escape(b *strings.Builder) {
	const short, meaning = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	if r.pos+1 >= len(r.s) {
		r.fail("a string does not end")
		return
	}
	c := r.s[r.pos+1]
	if i := strings.IndexByte(short, c); i >= 0 {
		b.WriteByte(meaning[i])
		r.pos += 2
		return
	}
	first, ok := r.unit(r.pos)
	if !ok {
		r.fail(`a string holds the unknown escape \%c`, c)
		return
	}
	r.pos += 6
	if !utf16.IsSurrogate(first) {
		b.WriteRune(first)
		return
	}
	second, ok := r.unit(r.pos)
	both := utf16.DecodeRune(first, second)
	if !ok || both == '\uFFFD' {
		r.fail("a string holds half of a surrogate pair")
		return
	}
	r.pos += 6
	b.WriteRune(both)
}

// unit reads the \uXXXX that begins at pos without moving.
func (r *Reader) unit(pos int) (rune, bool) {
	if pos+6 > len(r.s) || r.s[pos] != '\\' || r.s[pos+1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(r.s[pos+2:pos+6], 16, 16)
	return rune(n), err == nil
}

// JSON reads text, which must be valid UTF-8, as one JSON value.
func JSON(text string) (Node, error) { return readJSON(text, false) }

// JSONC reads JSON that may hold comments and a comma after the last member.
func JSONC(text string) (Node, error) { return readJSON(text, true) }

func readJSON(text string, comments bool) (Node, error) {
	r := NewReader(text)
	r.comments = comments
	t := newTree(len(text), r.Next())
	t.values[0].line = int32(r.lineAt(min(r.pos, len(text))))
	r.build(t, 0)
	if err := r.Err(); err != nil {
		return Node{}, err
	}
	return Node{t: t}, nil
}

// build reads one value into the value at, whose kind is set already.
func (r *Reader) build(t *tree, at int32) {
	child := func(key string) {
		line := r.lineAt(r.keyAt)
		c := t.add(at, value{key: key, kind: r.Next(), line: int32(line)})
		if t.full {
			r.fail("more than %d values", MaxValues)
			return
		}
		r.build(t, c)
	}
	switch r.Next() {
	case Table:
		r.Object(child)
	case List:
		r.Array(func() { child("") })
	case Text:
		t.values[at].text = r.Text()
	case Bool, Null:
		t.values[at].text = r.word()
	case Number:
		t.values[at].text = r.number()
	default:
		r.unexpected("a value")
	}
}
