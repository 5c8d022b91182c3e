package syntax

import "strings"

// flow reads a list or table in brackets that ends in its line.
func (r *yamlReader) flow(at int32) {
	if r.depth++; r.depth > MaxDepth {
		r.fail("lists and tables are nested deeper than %d levels", MaxDepth)
		return
	}
	closing, kind := byte('}'), Table
	if r.s[r.pos] == '[' {
		closing, kind = ']', List
	}
	r.set(at, kind, "")
	mine := len(r.keys)
	r.pos++
	for first := true; r.err == nil; first = false {
		c := r.flowNext()
		if c == closing {
			r.pos++
			break
		}
		if !first {
			if c != ',' {
				r.general()
				return
			}
			r.pos++
			if c = r.flowNext(); c == closing {
				r.pos++
				break
			}
		}
		key := ""
		if kind == Table {
			key = r.flowKey()
			r.keys = append(r.keys, key)
		}
		r.flowValue(r.add(at, key))
	}
	if key, twice := repeated(r.keys[mine:]); twice && r.err == nil {
		r.fail("the key %q is there twice", key)
	}
	r.keys = r.keys[:mine]
	r.depth--
}

// flowNext moves over spaces and returns the byte there; a line end is for the library.
func (r *yamlReader) flowNext() byte {
	for r.pos < len(r.s) && r.s[r.pos] == ' ' {
		r.pos++
	}
	if r.pos >= len(r.s) || strings.IndexByte("\n\r\t", r.s[r.pos]) >= 0 {
		r.general()
		return 0
	}
	return r.s[r.pos]
}

// flowKey reads a key in braces with its colon and the space behind it.
func (r *yamlReader) flowKey() string {
	c, key := r.flowNext(), ""
	switch {
	case r.err != nil:
		return ""
	case c == '"' || c == '\'':
		key = r.quoted()
	default:
		key = r.flowPlain()
	}
	if r.err == nil && !strings.HasPrefix(r.s[r.pos:], ": ") {
		r.general()
		return ""
	}
	r.pos += min(1, len(r.s)-r.pos)
	return key
}

func (r *yamlReader) flowValue(at int32) {
	switch c := r.flowNext(); {
	case r.err != nil:
	case c == '{' || c == '[':
		r.flow(at)
	case c == '"' || c == '\'':
		r.set(at, Text, r.quoted())
	default:
		kind, text := scalar(r.flowPlain())
		r.set(at, kind, text)
	}
}

// flowPlain reads a value without quotes in brackets, up to a mark that ends it.
func (r *yamlReader) flowPlain() string {
	rest := r.s[r.pos:]
	if !plainStart(rest) {
		r.general()
		return ""
	}
	end := 0
	for ; end < len(rest); end++ {
		switch c := rest[end]; {
		case c == ':' && end+1 < len(rest) && strings.IndexByte(" ,[]{}", rest[end+1]) >= 0, strings.IndexByte(",}]", c) >= 0:
			held := strings.TrimRight(rest[:end], " ")
			r.pos += len(held)
			return held
		case c == '#', c == '?', c == '[', c == '{', c < ' ':
			r.general()
			return ""
		}
	}
	r.general()
	return ""
}
