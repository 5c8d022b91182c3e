package syntax

import (
	"strconv"
	"strings"
)

// keyAhead reports whether the line at pos begins with a key.
func (r *yamlReader) keyAhead() bool {
	rest := r.s[r.pos:]
	if end := strings.IndexByte(rest, '\n'); end >= 0 {
		rest = rest[:end]
	}
	if rest == "" || r.err != nil {
		return false
	}
	if rest[0] == '"' || rest[0] == '\'' {
		end := quoteEnd(rest)
		return end > 0 && strings.HasPrefix(rest[end:], ":") && endsKey(rest[end:])
	}
	if strings.HasPrefix(rest, "? ") {
		return true
	}
	if rest[0] == '?' {
		r.general()
		return false
	}
	return keyEnd(rest) > 0 && plainStart(rest)
}

// endsKey reports whether s, which begins with a colon, ends a key.
func endsKey(s string) bool { return len(s) == 1 || s[1] == ' ' || s[1] == '\r' || s[1] == '\n' }

// keyEnd is the position of the colon that ends the plain key at the start of line, or -1.
func keyEnd(line string) int {
	for i := 0; ; i++ {
		next := strings.IndexAny(line[i:], ":#")
		if next < 0 {
			return -1
		}
		i += next
		if line[i] == ':' && endsKey(line[i:]) {
			return i
		}
		if line[i] == '#' && i > 0 && line[i-1] == ' ' {
			return -1
		}
	}
}

// plainStart reports whether a plain value may begin with the first character of s.
func plainStart(s string) bool {
	switch s[0] {
	case '-':
		return len(s) > 1 && strings.IndexByte(" \r\n,[]{}", s[1]) < 0
	}
	return strings.IndexByte("?:,[]{}#&*!|>'\"%@`", s[0]) < 0
}

// quoteEnd is the position behind the quoted text at the start of s, or -1 when it does not
// end in its line.
func quoteEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\n':
			return -1
		case s[i] == '\\' && s[0] == '"':
			i++
		case s[i] != s[0]:
		case s[0] == '\'' && i+1 < len(s) && s[i+1] == '\'':
			i++
		default:
			return i + 1
		}
	}
	return -1
}

// maxKey is how many bytes a key before its colon may have; YAML 1.2.2, section 7.4.2 says 1024
// characters. Tools write longer ones behind a question mark.
const maxKey = 1000

// key reads a key and its colon.
func (r *yamlReader) key() string {
	rest := r.s[r.pos:]
	if rest[0] == '"' || rest[0] == '\'' {
		start := r.pos
		key := r.quoted()
		if r.pos-start > maxKey {
			r.general()
			return ""
		}
		r.pos++
		return key
	}
	end := keyEnd(rest)
	if end > maxKey {
		r.general()
		return ""
	}
	r.pos += end + 1
	key := strings.TrimRight(rest[:end], " ")
	if key == "<<" || strings.Contains(key, "\t") {
		r.general()
	}
	return key
}

// longKey reads "? key" up to the colon that stands under the question mark.
func (r *yamlReader) longKey(indent int) string {
	r.pos += 2
	rest := r.s[r.pos:]
	key := ""
	switch {
	case rest == "" || rest[0] == ' ' || rest[0] == '\n':
		r.general()
	case rest[0] == '"' || rest[0] == '\'':
		key = r.quoted()
	case plainStart(rest):
		key = r.plainText()
	default:
		r.general()
	}
	if r.err != nil || !r.restIsBlank() || !r.settle() || r.indent() != indent || !strings.HasPrefix(r.s[r.pos:], ": ") {
		r.general()
		return ""
	}
	r.pos++
	return key
}

// quoted reads a text in quotes that ends in its line.
func (r *yamlReader) quoted() string {
	rest := r.s[r.pos:]
	end := quoteEnd(rest)
	if end < 0 {
		r.general()
		return ""
	}
	r.pos += end
	held := rest[1 : end-1]
	if rest[0] == '\'' {
		return strings.ReplaceAll(held, "''", "'")
	}
	if !strings.Contains(held, `\`) {
		return held
	}
	// The escapes that JSON has too mean the same; the rest is for the library.
	j := NewReader(rest[:end])
	text := j.Text()
	if j.Err() != nil || strings.Contains(held, `\/`) || strings.Contains(held, `\ud`) || strings.Contains(held, `\uD`) {
		r.general()
	}
	return text
}

// inline reads a value that begins in the line of its key or dash into at. indent is the
// column of the block around it.
func (r *yamlReader) inline(at int32, indent int) {
	for r.pos < len(r.s) && r.s[r.pos] == ' ' {
		r.pos++
	}
	if r.pos >= len(r.s) {
		return
	}
	rest := r.s[r.pos:]
	switch c := rest[0]; {
	case c == '|' || c == '>':
		r.text(at, indent)
		return
	case c == '{' || c == '[':
		r.flow(at)
	case c == '"' || c == '\'':
		r.set(at, Text, r.quoted())
	case plainStart(rest):
		r.plain(at)
	default:
		r.general()
	}
	if r.err == nil && !r.restIsBlank() {
		r.general()
	}
	// A line that is further in than the block continues the value.
	here, line := r.pos, r.line
	if r.settle() && r.indent() > indent {
		r.general()
	}
	if r.err == nil {
		r.pos, r.line = here, line
	}
}

func (r *yamlReader) set(at int32, kind Kind, text string) {
	v := &r.t.values[at]
	v.kind, v.text = kind, text
}

// plain reads a value without quotes.
func (r *yamlReader) plain(at int32) {
	kind, text := scalar(r.plainText())
	r.set(at, kind, text)
}

// plainText reads text without quotes up to a comment or the end of the line.
func (r *yamlReader) plainText() string {
	rest := r.s[r.pos:]
	if end := strings.IndexByte(rest, '\n'); end >= 0 {
		rest = rest[:end]
	}
	if end := strings.Index(rest, " #"); end >= 0 {
		rest = rest[:end]
	}
	rest = strings.TrimRight(rest, " \r")
	if strings.ContainsAny(rest, "\t\r") || strings.Contains(rest, ": ") || strings.HasSuffix(rest, ":") {
		r.general()
		return ""
	}
	r.pos += len(rest)
	return rest
}

// scalar tells what a plain value is by the core schema of YAML 1.2.
func scalar(s string) (Kind, string) {
	switch s {
	case "", "~", "null", "Null", "NULL":
		return Null, ""
	case "true", "True", "TRUE":
		return Bool, "true"
	case "false", "False", "FALSE":
		return Bool, "false"
	}
	if c := s[0]; c == '-' || c == '+' || c == '.' || c-'0' <= 9 {
		if _, err := strconv.ParseFloat(s, 64); err == nil && !strings.ContainsAny(s, "_xXpPiInN") {
			return Number, s
		}
	}
	return Text, s
}

// text reads a literal block text (|), whose lines are further in than indent. Folded ones and
// ones that say their own indentation are rare: the library reads them.
func (r *yamlReader) text(at int32, indent int) {
	keepEnd := true
	rest, literal := strings.CutPrefix(r.s[r.pos:], "|")
	if strings.HasPrefix(rest, "-") {
		keepEnd = false
		r.pos++
	}
	if r.pos++; !literal || !r.restIsBlank() {
		r.general()
		return
	}
	in := -1 // columns to take off each line
	var lines []string
	for r.pos < len(r.s) {
		line := r.s[r.pos+1:]
		if end := strings.IndexByte(line, '\n'); end >= 0 {
			line = line[:end]
		}
		held := strings.TrimLeft(line, " ")
		lead := len(line) - len(held)
		if held != "" && lead <= indent {
			break
		}
		if held != "" && in < 0 {
			in = lead
		}
		if held != "" && lead < in || held == "" && in < 0 && lead > indent || strings.ContainsAny(line, "\r\t") {
			r.general()
			return
		}
		lines = append(lines, line[min(max(in, 0), lead):])
		r.pos += 1 + len(line)
		r.line++
	}
	if r.pos >= len(r.s) && !strings.HasSuffix(r.s, "\n") {
		r.general() // then the text ends without a line end too
		return
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	text := strings.Join(lines, "\n")
	if keepEnd && text != "" {
		text += "\n"
	}
	r.set(at, Text, text)
}
