package cure

import (
	"fmt"
	"strings"
)

// Step says how far two versions are apart. The zero Step is unknown: the ecosystem gives its
// numbers no meaning.
type Step string

// The steps.
const (
	Compatible Step = "compatible" // the same major version, or the same 0.y
	Breaking   Step = "breaking"
)

// The ecosystems whose first number says what is compatible, and whether a second number
// behind a zero does, as their usual constraints read it. Sources: the caret of npm, Cargo,
// Composer, Poetry and pub excludes 0.(y+1); "~>", and the floors of Go, NuGet and Maven do not.
var zeroCounts = map[string]bool{
	"npm": true, "crates.io": true, "Packagist": true, "PyPI": true, "Pub": true, "Hex": true,
	"Go": false, "NuGet": false, "Maven": false, "RubyGems": false, "GitHub Actions": false, "SwiftURL": false,
}

// StepOf tells whether to is compatible with from by the numbers of their ecosystem.
func StepOf(ecosystem, from, to string) Step {
	zero, known := zeroCounts[ecosystem]
	a, okA := numbers(from)
	b, okB := numbers(to)
	if !known || !okA || !okB {
		return ""
	}
	for i := range a {
		switch {
		case a[i] != b[i]:
			return Breaking
		case a[i] != "" || !zero:
			return Compatible
		}
	}
	return Compatible // 0.0.0 and one before or after it
}

// numbers returns the first three numbers of a version without leading zeros, "" for zero. An
// epoch stands before the first one.
func numbers(version string) ([3]string, bool) {
	var parts [3]string
	version = strings.TrimPrefix(version, "v")
	epoch := ""
	if e, rest, ok := strings.Cut(version, "!"); ok {
		epoch, version = e+"!", rest
	}
	if version == "" || version[0] < '0' || version[0] > '9' || len(version) > 256 {
		return parts, false
	}
	for i := range parts {
		end := 0
		for end < len(version) && version[end] >= '0' && version[end] <= '9' {
			end++
		}
		parts[i] = strings.TrimLeft(version[:end], "0")
		if end >= len(version) || version[end] != '.' {
			break
		}
		version = version[end+1:]
	}
	parts[0] = epoch + parts[0]
	return parts, true
}

// stepText warns of a version that may break what works, "" otherwise.
func (p Problem) stepText() string {
	if StepOf(p.Ecosystem, p.Version, p.Clean) != Breaking {
		return ""
	}
	from, _ := numbers(p.Version)
	to, _ := numbers(p.Clean)
	if from[0] == to[0] {
		return fmt.Sprintf("%s may break what worked before, as 0.x versions do: read its changelog", p.Clean)
	}
	return fmt.Sprintf("%s is a new major version: read its changelog", p.Clean)
}
