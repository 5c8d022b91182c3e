package cure

import (
	"regexp"
	"strings"
	"sync"

	"deps.dev/util/semver"
)

// The bounds of what is compared: real constraints have tens of bytes.
const (
	maxConstraint = 256
	maxVersion    = 128
)

// systems are the rules by which constraints are read. Composer's are npm's after rewriting;
// the library's own fault on them.
var systems = map[string]semver.System{
	"npm": semver.NPM, "crates.io": semver.Cargo, "PyPI": semver.PyPI, "RubyGems": semver.RubyGems,
	"Packagist": semver.NPM, "NuGet": semver.NuGet, "Maven": semver.Maven,
}

// Ranges remembers the constraints that it was asked about: a lock file has the same few over
// and over. A nil *Ranges remembers nothing. It is not for use by several at once.
type Ranges struct {
	read map[rangeKey]*semver.Constraint
}

type rangeKey struct{ ecosystem, constraint string }

// Admits reports whether a constraint accepts a version by the rules of the ecosystem. known is
// false when it is empty, too long, or not understood; then it is not admitted.
func (r *Ranges) Admits(ecosystem, constraint, version string) (admitted, known bool) {
	// A fault of the library on a hostile constraint must cost a comparison, not a Verdict.
	defer func() {
		if recover() != nil {
			admitted, known = false, false
		}
	}()
	constraint = strings.TrimSpace(constraint)
	if constraint == "" || len(constraint) > maxConstraint || len(version) > maxVersion {
		return false, false
	}
	system, _ := dialect(ecosystem, constraint)
	c := r.constraint(ecosystem, constraint)
	if c == nil {
		return false, false
	}
	v, err := system.Parse(version)
	if err != nil {
		return false, false
	}
	return c.MatchVersion(v), true
}

// constraint reads a constraint, nil when it is not understood.
func (r *Ranges) constraint(ecosystem, constraint string) *semver.Constraint {
	key := rangeKey{ecosystem, constraint}
	if r != nil {
		if c, ok := r.read[key]; ok {
			return c
		}
	}
	var c *semver.Constraint
	if system, text := dialect(ecosystem, constraint); system != semver.DefaultSystem {
		if read, err := system.ParseConstraint(text); err == nil {
			c = read
		}
	}
	if r != nil {
		if r.read == nil {
			r.read = make(map[rangeKey]*semver.Constraint)
		}
		r.read[key] = c
	}
	return c
}

// Admits is Ranges.Admits for one question.
func Admits(ecosystem, constraint, version string) (admitted, known bool) {
	return (*Ranges)(nil).Admits(ecosystem, constraint, version)
}

// dialect returns the rules that a constraint is written by, and how it is written there;
// semver.DefaultSystem when there are none.
func dialect(ecosystem, constraint string) (semver.System, string) {
	system := systems[ecosystem]
	switch ecosystem {
	case "npm":
		constraint = strings.TrimPrefix(constraint, "npm:") // as later yarns write it
		if strings.ContainsAny(constraint, ":/@") {
			return semver.DefaultSystem, "" // another source, or an alias
		}
	case "PyPI":
		switch constraint = strings.Trim(constraint, "()"); {
		case constraint == "*":
			constraint = ">=0"
		case strings.HasPrefix(constraint, "^"), strings.HasPrefix(constraint, "~") && !strings.HasPrefix(constraint, "~="):
			system = semver.Cargo // as Poetry reads them
		}
	case "Packagist":
		if strings.Contains(constraint, "@") || strings.Contains(constraint, "~0") {
			return semver.DefaultSystem, "" // a stability, or a range that npm has no sign for
		}
		constraint = composerTilde().ReplaceAllString(strings.ReplaceAll(constraint, ",", " "), "^$1$2")
		constraint = composerOr().ReplaceAllString(constraint, " || ")
	}
	return system, constraint
}

// Composer's "~1.2" admits all of 1.x from 1.2 on, as "^1.2" does; "~1.2.3" is npm's.
// Source: https://getcomposer.org/doc/articles/versions.md.
var (
	composerTilde = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`~([1-9][0-9]*(?:\.[0-9]+)?)($|[ |])`) })
	composerOr    = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\s*\|\|?\s*`) })
)
