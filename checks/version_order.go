package checks

import (
	"cmp"
	"strings"

	"golang.org/x/mod/semver"
)

// versionOrder compares two versions where every ecosystem agrees on the order: semantic
// versions, and dotted numbers of any length. known is false for all others, such as commits,
// ranges and epochs. It only tells an upgrade from a downgrade for people; which versions an
// advisory affects is for the scanner, by the rules of the ecosystem.
func versionOrder(a, b string) (order int, known bool) {
	a, b = "v"+strings.TrimPrefix(a, "v"), "v"+strings.TrimPrefix(b, "v")
	if semver.IsValid(a) && semver.IsValid(b) {
		return semver.Compare(a, b), true
	}
	x, okX := numbers(a[1:])
	y, okY := numbers(b[1:])
	if !okX || !okY {
		return 0, false
	}
	for i := range max(len(x), len(y)) {
		if o := compareNumbers(at(x, i), at(y, i)); o != 0 {
			return o, true
		}
	}
	return 0, true
}

// numbers splits a version into its dotted numbers, without leading zeros.
func numbers(s string) ([]string, bool) {
	parts := strings.Split(s, ".")
	for i, p := range parts {
		if p == "" || strings.Trim(p, "0123456789") != "" {
			return nil, false
		}
		parts[i] = strings.TrimLeft(p, "0")
	}
	return parts, true
}

func at(parts []string, i int) string {
	if i < len(parts) {
		return parts[i]
	}
	return ""
}

// compareNumbers compares decimal numbers of any length without leading zeros.
func compareNumbers(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}
