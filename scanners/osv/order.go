package osv

import (
	"fmt"
	"strings"

	"github.com/google/osv-scalibr/semantic"
)

// packing says which versions of an ecosystem may be compared as packed integers instead
// of by osv-scalibr's semantic. A property test compares both ways on each ecosystem.
type packing int

const (
	packNothing packing = iota
	packThree           // exactly x.y.z: the ecosystem tells 1.0 from 1.0.0, or may
	packUpTo            // x, x.y and x.y.z: what is missing is zero
)

// ordering is how the versions of one ecosystem are compared.
type ordering struct {
	ecosystem string // as semantic knows it
	packing   packing
	leadingV  bool // "v1.2.3" is 1.2.3
	floats    bool // "v4" is a tag that moves: the newest 4.x.y
}

// orderingOf returns the ordering of an ecosystem's versions. GitHub Actions have none of
// their own: their tags follow semantic versions.
func orderingOf(ecosystem string) ordering {
	o := ordering{ecosystem: ecosystem}
	switch ecosystem {
	case "npm", "Go", "crates.io", "Hex", "SwiftURL", "Bitnami", "NuGet", "Pub":
		o.packing, o.leadingV = packUpTo, true
	case "PyPI":
		o.packing, o.leadingV = packUpTo, true
	case "Maven", "RubyGems":
		o.packing = packUpTo
	case "Packagist":
		o.packing, o.leadingV = packThree, true
	case "Hackage", "CRAN":
		o.packing = packThree
	case "GitHub Actions":
		o = ordering{ecosystem: "npm", packing: packUpTo, leadingV: true, floats: true}
	}
	return o
}

// componentBits is the width of one packed component: three fit into a uint64.
const componentBits = 21

const maxComponent = 1<<componentBits - 1

// pack turns a plain version into an integer of the same order, where o allows it.
func (o ordering) pack(s string) (uint64, bool) {
	if o.packing == packNothing {
		return 0, false
	}
	if o.leadingV && len(s) > 0 && s[0] == 'v' {
		s = s[1:]
	}
	var packed, n uint64
	digits, parts := 0, 1
	for i := range len(s) {
		c := s[i]
		if c >= '0' && c <= '9' {
			if digits > 0 && n == 0 {
				return 0, false // leading zero
			}
			if n = n*10 + uint64(c-'0'); n > maxComponent {
				return 0, false
			}
			digits++
			continue
		}
		if c != '.' || digits == 0 || parts == 3 {
			return 0, false
		}
		packed, n, digits = packed<<componentBits|n, 0, 0
		parts++
	}
	if digits == 0 || (o.packing == packThree && parts != 3) {
		return 0, false
	}
	return (packed<<componentBits | n) << (componentBits * (3 - parts)), true
}

// version is a package's version, ready to be compared with the versions of advisories.
type version struct {
	raw    string
	order  ordering
	packed uint64
	plain  bool // packed holds it
	parsed semantic.Version
	// unclear is why it cannot be compared: it is a branch, a placeholder, a range, a
	// commit. Then it only equals the same text.
	unclear error
}

// parse makes a package's version ready to be compared.
func (o ordering) parse(s string) version {
	v := version{raw: s, order: o}
	if o.floats {
		s = floating(s)
	}
	if v.packed, v.plain = o.pack(s); v.plain && s == v.raw {
		return v
	}
	if !o.looksLikeVersion(s) {
		v.unclear = fmt.Errorf("%w: %q", ErrVersion, v.raw)
		return v
	}
	var err error
	if v.parsed, err = semantic.Parse(s, o.ecosystem); err != nil {
		v.unclear = fmt.Errorf("%w: %q: %w", ErrVersion, v.raw, err)
	}
	return v
}

// compare returns the order of v and other: negative when v comes before it. It gives
// ErrVersion when one of them has no place in the order.
func (v *version) compare(other string) (int, error) {
	if v.unclear != nil {
		return 0, v.unclear
	}
	if v.plain {
		if p, ok := v.order.pack(other); ok {
			switch {
			case v.packed < p:
				return -1, nil
			case v.packed > p:
				return +1, nil
			}
			return 0, nil
		}
	}
	if v.parsed == nil {
		var err error
		if v.parsed, err = semantic.Parse(v.raw, v.order.ecosystem); err != nil {
			return 0, fmt.Errorf("%w: %q: %w", ErrVersion, v.raw, err)
		}
	}
	n, err := v.parsed.CompareStr(other)
	if err != nil {
		return 0, fmt.Errorf("%w: %q with %q: %w", ErrVersion, v.raw, strings.Clone(other), err)
	}
	return n, nil
}

// same says whether a version listed by an advisory is v: the same text, with or without
// a leading v, or the same plain numbers.
func (v *version) same(listed string) bool {
	if strings.TrimPrefix(listed, "v") == strings.TrimPrefix(v.raw, "v") {
		return true
	}
	if !v.plain || v.order.floats {
		return false
	}
	p, ok := v.order.pack(listed)
	return ok && p == v.packed
}

// floating returns the version that a tag such as "v4" or "v4.1" stands for: maintainers
// move it to their newest release, so it sorts above all of 4.x.y, or of 4.1.x.
func floating(tag string) string {
	numbers := strings.TrimPrefix(tag, "v")
	dots := strings.Count(numbers, ".")
	if _, ok := (ordering{packing: packUpTo}).pack(numbers); !ok || dots == 2 {
		return tag
	}
	return numbers + strings.Repeat(fmt.Sprintf(".%d", maxComponent), 2-dots)
}

// looksLikeVersion refuses what the lenient parsers of semantic would put somewhere.
func (o ordering) looksLikeVersion(s string) bool {
	if len(s) == 0 || len(s) > 256 || strings.ContainsAny(s, "${}[](),<>*/ \t\n") {
		return false
	}
	switch o.ecosystem {
	case "Maven":
		return true // any word is a version there
	case "Debian", "Ubuntu", "Alpine":
		return s[0] >= '0' && s[0] <= '9'
	}
	if o.floats && len(s) == 40 && isHex(s) {
		return false
	}
	s = strings.TrimPrefix(strings.TrimPrefix(s, "v"), "V")
	return len(s) > 0 && s[0] >= '0' && s[0] <= '9'
}

func isHex(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// prerelease says whether s is marked as not yet a release. Cures avoid such versions.
func (o ordering) prerelease(s string) bool {
	s = strings.ToLower(s)
	switch o.ecosystem {
	case "npm", "Go", "crates.io", "Hex", "SwiftURL", "NuGet", "Pub":
		s, _, _ = strings.Cut(s, "+")
		return strings.Contains(s, "-")
	case "RubyGems":
		return strings.ContainsAny(s, "abcdefghijklmnopqrstuvwxyz")
	}
	for _, word := range [...]string{"alpha", "beta", "rc", "dev", "pre", "snapshot", "milestone", "-m"} {
		if strings.Contains(s, word) {
			return true
		}
	}
	return o.ecosystem == "PyPI" && strings.ContainsAny(strings.TrimPrefix(s, "v"), "abc")
}
