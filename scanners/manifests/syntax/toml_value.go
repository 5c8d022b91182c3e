package syntax

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// value reads one value and hangs it on parent.
func (r *tomlReader) value(parent int32, key string) {
	if r.err != nil {
		return
	}
	if r.pos >= len(r.s) {
		r.fail("expected a value, but the file ends")
		return
	}
	v, how := value{key: key, kind: Text}, uint8(closed)
	switch c := r.s[r.pos]; c {
	case '[':
		v.kind = List
		r.nest(r.add(parent, v, how), r.array)
		return
	case '{':
		v.kind = Table
		r.nest(r.add(parent, v, how), r.inline)
		return
	}
	line := r.line
	switch r.s[r.pos] {
	case '"':
		v.text = r.basic()
	case '\'':
		v.text = r.literal()
	default:
		v.kind, v.text = r.scalar()
	}
	end := r.line
	r.line = line // a value is where it begins
	r.add(parent, v, how)
	r.line = end
}

// nest reads a list or table one level deeper.
func (r *tomlReader) nest(at int32, read func(int32)) {
	if r.err != nil {
		return
	}
	if r.depth++; r.depth > MaxDepth {
		r.fail("lists and tables are nested deeper than %d levels", MaxDepth)
		return
	}
	r.pos++
	read(at)
	r.depth--
}

func (r *tomlReader) array(at int32) {
	for r.blank() != ']' && r.err == nil {
		r.value(at, "")
		if c := r.blank(); c == ',' {
			r.pos++
		} else if c != ']' {
			r.fail("expected \",\" or \"]\" in a list")
		}
	}
	r.pos = min(r.pos+1, len(r.s))
}

// inline reads an inline table. Line ends and a comma at the end are allowed in it, as in
// TOML 1.1, which tools begin to write.
func (r *tomlReader) inline(at int32) {
	for r.blank() != '}' && r.err == nil {
		r.pair(at)
		if c := r.blank(); c == ',' {
			r.pos++
		} else if c != '}' {
			r.fail("expected \",\" or \"}\" in a table")
		}
	}
	r.pos = min(r.pos+1, len(r.s))
}

// scalar reads true, false, a number or a date.
func (r *tomlReader) scalar() (Kind, string) {
	start := r.pos
	word := func() string {
		for r.pos < len(r.s) && (isBare(r.s[r.pos]) || strings.IndexByte("+.:", r.s[r.pos]) >= 0) {
			r.pos++
		}
		return r.s[start:r.pos]
	}
	w := word()
	if w == "true" || w == "false" {
		return Bool, w
	}
	if isDate(w) && strings.HasPrefix(r.s[r.pos:], " ") && r.pos+1 < len(r.s) && r.s[r.pos+1]-'0' <= 9 {
		r.pos++
		w = word()
	}
	trimmed := strings.TrimLeft(w, "+-")
	if trimmed == "" || trimmed[0]-'0' > 9 && trimmed != "inf" && trimmed != "nan" {
		r.pos = start
		r.fail("expected a value")
		return Null, ""
	}
	return Number, w
}

// isDate reports whether w looks like 1979-05-27.
func isDate(w string) bool { return len(w) == 10 && w[4] == '-' && w[7] == '-' }

// literal reads a string in single quotes, of one line or of several.
func (r *tomlReader) literal() string {
	if strings.HasPrefix(r.s[r.pos:], "'''") {
		return r.long("'''", false)
	}
	rest := r.s[r.pos+1:]
	end := strings.IndexAny(rest, "'\n")
	if end < 0 || rest[end] == '\n' {
		r.fail("a string does not end")
		return ""
	}
	r.pos += end + 2
	return rest[:end]
}

// basic reads a string in double quotes, of one line or of several.
func (r *tomlReader) basic() string {
	if strings.HasPrefix(r.s[r.pos:], `"""`) {
		return r.long(`"""`, true)
	}
	rest := r.s[r.pos+1:]
	end := strings.IndexAny(rest, "\"\\\n")
	if end >= 0 && rest[end] == '"' {
		r.pos += end + 2
		return rest[:end]
	}
	for end >= 0 && rest[end] == '\\' {
		next := strings.IndexAny(rest[min(end+2, len(rest)):], "\"\\\n")
		if next < 0 {
			break
		}
		end += 2 + next
		if rest[end] == '"' {
			r.pos += end + 2
			return r.unescape(rest[:end])
		}
	}
	r.fail("a string does not end")
	return ""
}

// long reads a string of several lines between two marks. The last mark of a run is the end.
func (r *tomlReader) long(mark string, escapes bool) string {
	rest := r.s[r.pos+len(mark):]
	end := 0
	for {
		next := strings.IndexAny(rest[end:], mark[:1]+`\`)
		if next < 0 {
			r.fail("a string does not end")
			return ""
		}
		end += next
		if rest[end] == '\\' {
			if end++; escapes {
				end++
			}
			end = min(end, len(rest))
			continue
		}
		if strings.HasPrefix(rest[end:], mark) {
			break
		}
		end++
	}
	for extra := 0; extra < 2 && strings.HasPrefix(rest[end+len(mark):], mark[:1]); extra++ {
		end++
	}
	r.pos += end + 2*len(mark)
	held := strings.TrimPrefix(strings.TrimPrefix(rest[:end], "\r"), "\n")
	if escapes && strings.Contains(held, `\`) {
		held = r.unescape(held)
	}
	r.line += strings.Count(rest[:end], "\n")
	return held
}

// unescape resolves the escapes of a string in double quotes.
func (r *tomlReader) unescape(s string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '\\')
		if i < 0 || i+1 >= len(s) {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:i])
		c := s[i+1]
		s = s[i+2:]
		switch j := strings.IndexByte(`"\/bfnrte`, c); {
		case j >= 0:
			b.WriteByte("\"\\/\b\f\n\r\t\x1b"[j])
		case c == 'u' || c == 'U' || c == 'x':
			s = r.point(&b, s, map[byte]int{'x': 2, 'u': 4, 'U': 8}[c])
		case strings.IndexByte(" \t\r\n", c) >= 0:
			s = strings.TrimLeft(s, " \t\r\n")
		default:
			r.fail(`a string holds the unknown escape \%c`, c)
			return ""
		}
	}
}

// point reads the code point in the first digits of s and returns the rest.
func (r *tomlReader) point(b *strings.Builder, s string, digits int) string {
	if len(s) >= digits {
		n, err := strconv.ParseUint(s[:digits], 16, 32)
		if err == nil && utf8.ValidRune(rune(n)) {
			b.WriteRune(rune(n))
			return s[digits:]
		}
	}
	r.fail("a string holds a wrong code point")
	return ""
}
