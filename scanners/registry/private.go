package registry

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"golang.org/x/mod/module"
)

// prefixes are the ecosystems as package URLs call them, by the names that patterns use.
var prefixes = map[string]string{
	"npm": "npm", "go": "Go", "golang": "Go", "maven": "Maven", "pypi": "PyPI", "cargo": "crates.io", "nuget": "NuGet", "gem": "RubyGems",
}

// Private are the names of an organisation's own packages. They are never sent out.
type Private struct {
	globs string              // for Go, as GOPRIVATE has them
	names map[string][]string // by ecosystem, in small letters
}

// ParsePrivate reads patterns separated by commas or white space: an ecosystem (npm, go, maven,
// pypi, cargo, nuget, gem), a colon, and a name, in which a "*" at the end stands for anything:
// "npm:@acme/*, maven:com.acme.*, pypi:acme-tools". Case does not matter. For Go the pattern is
// one of GOPRIVATE: it covers a module path and all below it, and a "*" does not cross a slash.
func ParsePrivate(text string) (Private, error) {
	p := Private{names: map[string][]string{}}
	for _, pattern := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(", \t\r\n", r) }) {
		prefix, name, found := strings.Cut(pattern, ":")
		ecosystem := prefixes[strings.ToLower(prefix)]
		switch {
		case !found || ecosystem == "":
			return p, fmt.Errorf("%q names no ecosystem; write it as in npm:@acme/*, with one of %s", pattern, strings.Join(slices.Sorted(maps.Keys(prefixes)), ", "))
		case name == "" || ecosystem != "Go" && strings.Contains(strings.TrimSuffix(name, "*"), "*"):
			return p, fmt.Errorf("%q is no pattern; write a name, or its start with a * at the end", pattern)
		case ecosystem == "Go":
			if _, err := path.Match(name, ""); err != nil {
				return p, fmt.Errorf("%q is no pattern of module paths: %w", pattern, err)
			}
			p.globs += "," + strings.ToLower(name)
		default:
			p.names[ecosystem] = append(p.names[ecosystem], canonical(ecosystem, name))
		}
	}
	return p, nil
}

// covers reports whether a package is private.
func (p Private) covers(ecosystem, name string) bool {
	if ecosystem == "Go" {
		return module.MatchPrefixPatterns(p.globs, strings.ToLower(name))
	}
	name = canonical(ecosystem, name)
	return slices.ContainsFunc(p.names[ecosystem], func(pattern string) bool {
		start, open := strings.CutSuffix(pattern, "*")
		return name == pattern || open && strings.HasPrefix(name, start)
	})
}

// canonical makes names comparable: registries take capital letters, and PyPI "." and "_", for
// the same name or nearly so.
func canonical(ecosystem, name string) string {
	name = strings.ToLower(name)
	if ecosystem == "PyPI" {
		name = strings.NewReplacer(".", "-", "_", "-").Replace(name)
	}
	return name
}
