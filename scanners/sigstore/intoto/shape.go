package intoto

import "fmt"

// Limits of one JSON text (THREATS.md V10 and V60). Above maxSubjects and maxDigests the
// library that verifies refuses too.
const (
	maxBytes    = 8 << 20 // bytes of one file of evidence
	maxDepth    = 64      // nesting of one JSON text
	maxNodes    = 100_000 // values of one JSON text
	maxSubjects = 1_024   // subjects of one statement
	maxDigests  = 32      // digests of one subject
)

// CheckShape looks at the shape of one or several JSON texts before anything parses them, in
// one pass and without memory. Its error is ErrTooLarge. It returns nil also for what is not
// JSON: the parser says so.
func CheckShape(data []byte) error {
	if len(data) > maxBytes {
		return fmt.Errorf("%w: it is larger than 8 MiB", ErrTooLarge)
	}
	depth, nodes, quoted := 0, 0, false
	for i := 0; i < len(data); i++ {
		c := data[i]
		if quoted {
			switch c {
			case '\\':
				i++
			case '"':
				quoted = false
			}
			continue
		}
		switch c {
		case '"':
			quoted = true
		case '{', '[':
			depth++
			nodes++
		case ',':
			nodes++
		case '}', ']':
			if depth--; depth <= 0 {
				depth, nodes = 0, 0
			}
		}
		if depth > maxDepth {
			return fmt.Errorf("%w: it is nested more than 64 levels deep", ErrTooLarge)
		}
		if nodes > maxNodes {
			return fmt.Errorf("%w: it holds more than 100,000 values", ErrTooLarge)
		}
	}
	return nil
}

// loneSurrogate reports whether a string of the JSON text escapes half of a character.
// Parsers disagree about those: some replace them, some refuse.
func loneSurrogate(data []byte) bool {
	for i := 0; i+1 < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		i++
		if data[i] != 'u' {
			continue
		}
		switch half := surrogate(data[i+1:]); half {
		case noSurrogate:
		case highSurrogate:
			rest := data[min(i+5, len(data)):]
			if len(rest) < 6 || rest[0] != '\\' || rest[1] != 'u' || surrogate(rest[2:]) != lowSurrogate {
				return true
			}
			i += 10
		default:
			return true
		}
	}
	return false
}

// The halves of a character that is written as two escapes.
const (
	noSurrogate = iota
	highSurrogate
	lowSurrogate
)

// surrogate classifies the four hexadecimal digits that hex begins with.
func surrogate(hex []byte) int {
	if len(hex) < 4 || hex[0]|0x20 != 'd' {
		return noSurrogate
	}
	switch c := hex[1] | 0x20; {
	case hex[1] == '8', hex[1] == '9', c == 'a', c == 'b':
		return highSurrogate
	case c >= 'c' && c <= 'f':
		return lowSurrogate
	}
	return noSurrogate
}
