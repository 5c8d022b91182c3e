package checks

import (
	"strings"
	"unicode"
)

// Limits of GlobMatch, in bytes. Longer input never matches, so that the work is bounded by
// their product (THREATS G22).
const (
	maxGlobPattern = 512
	maxGlobText    = 4096
)

// GlobMatch reports whether the whole of s has the form of pattern, in which "*" stands for any
// characters, none included, and everything else for itself. It is the one function that
// compares anything with a pattern that a person wrote.
//
// The empty pattern matches nothing: an expectation that was left out accepts nobody. Text with
// control characters or invalid UTF-8 matches nothing either, and neither does input beyond
// 512 bytes of pattern or 4,096 bytes of text.
func GlobMatch(pattern, s string) bool {
	if pattern == "" || len(pattern) > maxGlobPattern || len(s) > maxGlobText || hasControl(s) {
		return false
	}
	head, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == s
	}
	if !strings.HasPrefix(s, head) {
		return false
	}
	s = s[len(head):]
	for {
		part, next, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(s, part)
		}
		// The leftmost place is as good as any other, because a "*" follows.
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s, rest = s[i+len(part):], next
	}
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r == unicode.ReplacementChar || unicode.IsControl(r) })
}
