package checks_test

import (
	"strings"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/checks"
)

func TestGlobMatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, pattern, s string
		want             bool
	}{
		{"itself", "abc", "abc", true},
		{"anchored before", "bc", "abc", false},
		{"anchored after", "ab", "abc", false},
		{"star at the end", "ab*", "abc", true},
		{"star of nothing", "abc*", "abc", true},
		{"star in the middle", "a*c", "abbc", true},
		{"stars", "*b*d*", "abcde", true},
		{"order", "*d*b*", "abcde", false},
		{"overlap", "ab*ba", "aba", false},
		{"empty pattern", "", "", false},
		{"star of empty", "*", "", true},
		{"double star", "services/pay/**", "services/pay/a/b.json", true},
		{"no other wildcard", "a?c", "abc", false},
		{"V20 dot is a dot", "o/r/.github/workflows/release.yml", "o/r/.github/workflows/releaseXyml", false},
		{"V22 issuer is anchored", "https://token.actions.githubusercontent.com", "https://token.actions.githubusercontent.com.evil.example", false},
		{"line end", "a*", "a\nb", false},
		{"invalid UTF-8", "a*", "a\xff", false},
		{"long pattern", strings.Repeat("a", 600), strings.Repeat("a", 600), false},
	} {
		if got := checks.GlobMatch(c.pattern, c.s); got != c.want {
			t.Errorf("%s: GlobMatch(%q, %q) = %v", c.name, c.pattern, c.s, got)
		}
	}
}

func TestG22GlobMatchIsBounded(t *testing.T) {
	t.Parallel()
	best := time.Hour // of several runs, because the machine may be busy
	for range 10 {
		start := time.Now()
		checks.GlobMatch(strings.Repeat("a*", 250)+"b", strings.Repeat("a", 4000))
		checks.GlobMatch("*", strings.Repeat("a", 1<<20))
		best = min(best, time.Since(start))
	}
	if best > 100*time.Millisecond {
		t.Errorf("took %v", best)
	}
}
