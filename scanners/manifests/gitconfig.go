package manifests

import (
	"fmt"
	"strings"
)

// setting is one line of a file in the format of git's configuration.
type setting struct {
	section    string // lower case
	subsection string // as written, "" for none
	key, value string // key in lower case; value without quotes
	line       int    // one-based, of the key
}

// gitConfig reads a file in the format of git's configuration.
//
// Source: https://git-scm.com/docs/git-config#_syntax. A file that git would refuse gives an
// error with the line.
func gitConfig(text string) ([]setting, error) {
	r := &configReader{text: text, line: 1}
	var found []setting
	section, subsection, ok := "", "", false
	for {
		r.blank()
		switch {
		case r.at == len(r.text):
			return found, nil
		case r.text[r.at] == '[':
			if section, subsection, ok = r.header(); !ok {
				return nil, fmt.Errorf("line %d: is no section of a git configuration", r.line)
			}
		case section == "":
			return nil, fmt.Errorf("line %d: stands before the first section", r.line)
		default:
			s := setting{section: section, subsection: subsection, line: r.line}
			if s.key, s.value, ok = r.pair(); !ok {
				return nil, fmt.Errorf("line %d: is no line of a git configuration", s.line)
			}
			found = append(found, s)
		}
	}
}

// configReader reads once from the start to the end.
type configReader struct {
	text string
	at   int
	line int
}

// blank skips white space, line ends and comments.
func (r *configReader) blank() {
	for ; r.at < len(r.text); r.at++ {
		switch r.text[r.at] {
		case '\n':
			r.line++
		case ' ', '\t', '\r':
		case '#', ';':
			end := strings.IndexByte(r.text[r.at:], '\n')
			if end < 0 {
				r.at = len(r.text)
				return
			}
			r.at += end - 1
		default:
			return
		}
	}
}

// header reads [section] or [section "subsection"]; it stands at the bracket.
func (r *configReader) header() (section, subsection string, ok bool) {
	r.at++
	section = strings.ToLower(r.word("-."))
	r.spaces()
	if r.at < len(r.text) && r.text[r.at] == '"' {
		if subsection, ok = r.quoted(); !ok {
			return "", "", false
		}
	}
	if section == "" || r.at == len(r.text) || r.text[r.at] != ']' {
		return "", "", false
	}
	r.at++
	return section, subsection, true
}

// quoted reads the name of a subsection, in which a backslash takes the next byte as it is.
func (r *configReader) quoted() (string, bool) {
	var b strings.Builder
	for r.at++; r.at < len(r.text); r.at++ {
		switch c := r.text[r.at]; c {
		case '"':
			r.at++
			return b.String(), true
		case '\n':
			return "", false
		case '\\':
			if r.at++; r.at == len(r.text) || r.text[r.at] == '\n' {
				return "", false
			}
			b.WriteByte(r.text[r.at])
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}

// pair reads "key = value", or "key" alone, to the end of its line.
func (r *configReader) pair() (key, value string, ok bool) {
	if key = strings.ToLower(r.word("-")); key == "" {
		return "", "", false
	}
	r.spaces()
	switch {
	case r.at == len(r.text), r.text[r.at] == '\n', r.text[r.at] == '\r', r.text[r.at] == '#', r.text[r.at] == ';':
		return key, "true", true
	case r.text[r.at] != '=':
		return "", "", false
	}
	r.at++
	r.spaces()
	value, ok = r.value()
	return key, value, ok
}

// value reads a value to the end of its line: quotes group, a comment ends it, white space at
// its end is dropped, and a backslash before the line end continues it.
func (r *configReader) value() (string, bool) {
	var b strings.Builder
	kept, inQuotes := 0, false // kept is the length without unquoted white space at the end
	for ; r.at < len(r.text); r.at++ {
		c := r.text[r.at]
		switch {
		case c == '\n':
			return b.String()[:kept], !inQuotes
		case c == '\\':
			taken, ok := r.escape()
			if !ok {
				return "", false
			}
			b.WriteString(taken)
			kept = b.Len()
		case c == '"':
			inQuotes = !inQuotes
			kept = b.Len()
		case !inQuotes && (c == '#' || c == ';'):
			return b.String()[:kept], true
		default:
			b.WriteByte(c)
			if inQuotes || c != ' ' && c != '\t' && c != '\r' {
				kept = b.Len()
			}
		}
	}
	return b.String()[:kept], !inQuotes
}

// escape reads what stands behind a backslash in a value, and stays on its last byte.
func (r *configReader) escape() (string, bool) {
	r.at++
	if strings.HasPrefix(r.text[r.at:], "\r\n") {
		r.at++
	}
	if r.at == len(r.text) {
		return "", false
	}
	switch r.text[r.at] {
	case '\n':
		r.line++
		return "", true
	case 'n':
		return "\n", true
	case 't':
		return "\t", true
	case 'b':
		return "\b", true
	case '\\', '"':
		return r.text[r.at : r.at+1], true
	}
	return "", false
}

// word reads letters, digits and the marks given.
func (r *configReader) word(marks string) string {
	start := r.at
	for ; r.at < len(r.text); r.at++ {
		c := r.text[r.at]
		if (c|0x20)-'a' > 'z'-'a' && c-'0' > 9 && strings.IndexByte(marks, c) < 0 {
			break
		}
	}
	return r.text[start:r.at]
}

func (r *configReader) spaces() {
	for r.at < len(r.text) && (r.text[r.at] == ' ' || r.text[r.at] == '\t') {
		r.at++
	}
}
