package cure

import (
	"regexp"
	"testing"

	"pgregory.net/rapid"
)

// TestForms compares the forms with the patterns that say the same.
func TestForms(t *testing.T) {
	t.Parallel()
	for _, f := range []struct {
		name    string
		is      func(string) bool
		pattern *regexp.Regexp
	}{
		{"name", plainName, PlainName()},
		{"version", plainVersion, regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$`)},
		{"folder", plainFolder, regexp.MustCompile(`^[A-Za-z0-9_.][A-Za-z0-9._/-]{0,199}$`)},
	} {
		t.Run(f.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				s := rapid.OneOf(rapid.String(), rapid.StringMatching(`[@A-Za-z0-9_.][A-Za-z0-9@._/:+\n -]{0,230}`),
					rapid.StringMatching(`@?[A-Za-z0-9_][A-Za-z0-9._+-]{0,220}`)).Draw(t, "s")
				if got, want := f.is(s), f.pattern.MatchString(s); got != want {
					t.Errorf("%q: got %v, want %v", s, got, want)
				}
			})
		})
	}
}
