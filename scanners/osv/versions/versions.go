// Package versions orders the versions of a package as its ecosystem does: by osv-scalibr's
// semantic, and by packed integers where that is the same and faster.
package versions

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/osv-scalibr/semantic"
)

// ErrUnordered says that a version has no place in its ecosystem's order.
var ErrUnordered = errors.New("version cannot be compared")

// packing says which versions of an ecosystem may be compared as packed integers instead
// of by osv-scalibr's semantic. A property test compares both ways on each ecosystem.
type packing int

const (
	packNothing packing = iota
	packThree           // exactly x.y.z: the ecosystem tells 1.0 from 1.0.0, or may
	packUpTo            // x, x.y and x.y.z: what is missing is zero
)

// Order is how the versions of one ecosystem are compared.
type Order struct {
	ecosystem string // as semantic knows it
	packing   packing
	leadingV  bool // "v1.2.3" is 1.2.3
	floats    bool // "v4" is a tag that moves: the newest 4.x.y
}

// Of returns the Order of an ecosystem's versions. GitHub Actions have none of
// their own: their tags follow semantic versions.
func Of(ecosystem string) Order {
	o := Order{ecosystem: ecosystem}
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
		o = Order{ecosystem: "npm", packing: packUpTo, leadingV: true, floats: true}
	}
	return o
}

// Fixed is o for versions that advisories name: those do not move.
func (o Order) Fixed() Order {
	o.floats = false
	return o
}

// componentBits is the width of one packed component: three fit into a uint64.
const componentBits = 21

const maxComponent = 1<<componentBits - 1

// pack turns a plain version into an integer of the same order, where o allows it.
func (o Order) pack(s string) (uint64, bool) {
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

// Version is a package's version, ready to be compared with the versions of advisories.
type Version struct {
	raw    string
	order  Order
	packed uint64
	plain  bool // packed holds it
	parsed semantic.Version
	// unclear is why it cannot be compared: it is a branch, a placeholder, a range, a
	// commit. Then it only equals the same text.
	unclear error
}

// Parse makes a package's version ready to be compared.
func (o Order) Parse(s string) Version {
	v := Version{raw: s, order: o}
	if o.floats {
		s = floating(s)
	}
	if v.packed, v.plain = o.pack(s); v.plain && s == v.raw {
		return v
	}
	if !o.looksLikeVersion(s) {
		v.unclear = fmt.Errorf("%w: %q", ErrUnordered, v.raw)
		return v
	}
	var err error
	if v.parsed, err = semantic.Parse(s, o.ecosystem); err != nil {
		v.unclear = fmt.Errorf("%w: %q: %w", ErrUnordered, v.raw, err)
	}
	return v
}

// Raw is the text that v was made from.
func (v *Version) Raw() string { return v.raw }

// Unclear is why v has no place in the order (ErrUnordered), nil when it has one.
func (v *Version) Unclear() error { return v.unclear }

// Compare returns the order of v and other: negative when v comes before it. It gives
// ErrUnordered when one of them has no place in the order.
func (v *Version) Compare(other string) (int, error) {
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
			return 0, fmt.Errorf("%w: %q: %w", ErrUnordered, v.raw, err)
		}
	}
	n, err := v.parsed.CompareStr(other)
	if err != nil {
		return 0, fmt.Errorf("%w: %q with %q: %w", ErrUnordered, v.raw, strings.Clone(other), err)
	}
	return n, nil
}

// Same says whether a version listed by an advisory is v: the same text, with or without
// a leading v, or the same plain numbers.
func (v *Version) Same(listed string) bool {
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
	if _, ok := (Order{packing: packUpTo}).pack(numbers); !ok || dots == 2 {
		return tag
	}
	return numbers + strings.Repeat(fmt.Sprintf(".%d", maxComponent), 2-dots)
}

// looksLikeVersion refuses what the lenient parsers of semantic would put somewhere.
func (o Order) looksLikeVersion(s string) bool {
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

// Prerelease says whether s is marked as not yet a release. Cures avoid such versions.
func (o Order) Prerelease(s string) bool {
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

// Sort sorts versions in place and drops what is double. Those that cannot be compared
// go last, as text.
func (o Order) Sort(versions []string) []string {
	if len(versions) < 2 {
		return versions
	}
	slices.Sort(versions)
	if versions = slices.Compact(versions); len(versions) == 1 || o.sortPlain(versions) {
		return versions
	}
	o = o.Fixed()
	parsed := make([]Version, len(versions))
	for i, s := range versions {
		parsed[i] = o.Parse(s)
	}
	slices.SortStableFunc(parsed, func(a, b Version) int {
		if a.unclear != nil || b.unclear != nil {
			return unclearLast(&a, &b)
		}
		n, _ := a.Compare(b.raw) // both are comparable, so there is no error
		return n
	})
	for i := range parsed {
		versions[i] = parsed[i].raw
	}
	return versions
}

// sortPlain sorts versions that can all be packed, and reports whether they can.
func (o Order) sortPlain(versions []string) bool {
	for _, s := range versions {
		if _, ok := o.pack(s); !ok {
			return false
		}
	}
	slices.SortStableFunc(versions, func(a, b string) int {
		p, _ := o.pack(a) // seen to be plain above
		q, _ := o.pack(b)
		return cmp.Compare(p, q)
	})
	return true
}

// unclearLast sorts what cannot be compared behind what can.
func unclearLast(a, b *Version) int {
	switch {
	case (a.unclear != nil) == (b.unclear != nil):
		return 0
	case b.unclear != nil:
		return -1
	}
	return 1
}
