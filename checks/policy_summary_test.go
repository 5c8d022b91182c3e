package checks_test

import (
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/checks"
)

// TestPolicySummary: the key is read, its usual value changes nothing, and no other is taken.
func TestPolicySummary(t *testing.T) {
	t.Parallel()
	read := func(releases string) (*checks.Policy, error) {
		return checks.ParsePolicy([]byte("version: 1\nreleases: {"+releases+"}\n"), "p.yml")
	}
	usual, err := read("")
	if err != nil {
		t.Fatal(err)
	}
	for value, same := range map[string]bool{"offer": true, "off": false, "attach": false} {
		p, err := read("summary: " + value)
		if err != nil || (p.Digest == usual.Digest) != same || !same && p.Releases.Summary != value {
			t.Errorf("%s: %v, %+v", value, err, p)
		}
	}
	if _, err := read("summary: yes"); err == nil || !strings.Contains(err.Error(), "attach") {
		t.Errorf("got %v", err)
	}
}
