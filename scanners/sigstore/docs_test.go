package sigstore

import (
	"regexp"
	"strings"
	"testing"
)

// TestReasonsAreDocumented holds that docs/reasons.md names every reason code once, and none
// that does not exist. Rules about packages and files give their own name as the code.
func TestReasonsAreDocumented(t *testing.T) {
	t.Parallel()
	documented := map[string]int{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\|").FindAllStringSubmatch(string(load(t, "../../docs/reasons.md")), -1) {
		documented[m[1]]++
	}
	source := string(load(t, "../../checks/reason.go"))
	codes := regexp.MustCompile(`(?m)^\tCode\w+\s+= "([a-z-]+)"`).FindAllStringSubmatch(source, -1)
	if len(codes) != strings.Count(source, `= "`) {
		t.Errorf("found %d codes in checks/reason.go, which assigns %d texts", len(codes), strings.Count(source, `= "`))
	}
	for _, m := range codes {
		if documented[m[1]] != 1 {
			t.Errorf("docs/reasons.md names %s %d times, want once", m[1], documented[m[1]])
		}
		delete(documented, m[1])
	}
	rules := string(load(t, "../../checks/judge.go")) + string(load(t, "../../checks/inventory/observation.go"))
	for _, m := range regexp.MustCompile(`(?m)^\tRule\w+\s+= "([a-z-]+)"`).FindAllStringSubmatch(rules, -1) {
		if documented[m[1]] == 1 {
			delete(documented, m[1])
		}
	}
	for code := range documented {
		t.Errorf("docs/reasons.md names %s, which is no reason code", code)
	}
}
