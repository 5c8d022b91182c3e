package registry

import (
	"slices"
	"strings"

	"github.com/landwaiter/landwaiter/checks"
)

// systems are the ecosystems that deps.dev serves, by their OSV names
// (https://docs.deps.dev/api/v3/, "System").
var systems = map[string]string{
	"npm": "NPM", "Go": "GO", "Maven": "MAVEN", "PyPI": "PYPI", "crates.io": "CARGO", "NuGet": "NUGET", "RubyGems": "RUBYGEMS",
}

// maxName bounds a name and a version that is sent, in bytes. The longest names in use have
// about 200.
const maxName = 500

// version is one version of one package, as checks.Package has it; a package without version
// stands for all of them.
type version struct{ ecosystem, name, version string }

func (v version) pkg() version { return version{v.ecosystem, v.name, ""} }

// wanted are the versions to ask about.
type wanted struct {
	head    []version // that the change brings in
	base    []version // that they replace
	dropped int       // over maxVersions

	withheld []version // of the head and the base, whose names are private
}

func (w wanted) all() []version { return slices.Concat(w.head, w.base) }

// wanted chooses the versions to ask about: those of a manifest of the head that the same
// manifest does not have in the base, and the other versions that the base has of the same
// packages, wherever they stand. That is a little more than a judgment needs, never less.
func (s *Scanner) wanted(m *checks.Material) wanted {
	var w wanted
	before := map[string]map[version]bool{}
	for i := range m.Base.Inventory.Manifests {
		f := &m.Base.Inventory.Manifests[i]
		before[f.Path] = map[version]bool{}
		for j := range f.Packages {
			before[f.Path][versionOf(&f.Packages[j])] = true
		}
	}
	seen, packages := map[version]bool{}, map[version]bool{}
	for i := range m.Head.Inventory.Manifests {
		f := &m.Head.Inventory.Manifests[i]
		for j := range f.Packages {
			v := versionOf(&f.Packages[j])
			if seen[v] || before[f.Path][v] || !servable(v) {
				continue
			}
			seen[v], packages[v.pkg()] = true, true
			if s.private.covers(v.ecosystem, v.name) {
				w.withheld = append(w.withheld, v)
			} else {
				w.head = append(w.head, v)
			}
		}
	}
	for i := range m.Base.Inventory.Manifests {
		f := &m.Base.Inventory.Manifests[i]
		for j := range f.Packages {
			v := versionOf(&f.Packages[j])
			if seen[v] || !packages[v.pkg()] || !servable(v) {
				continue
			}
			seen[v] = true
			if s.private.covers(v.ecosystem, v.name) {
				w.withheld = append(w.withheld, v)
			} else {
				w.base = append(w.base, v)
			}
		}
	}
	return w.bound()
}

// bound leaves out what is over maxVersions. The base is only of interest beside the head.
func (w wanted) bound() wanted {
	if over := len(w.head) - maxVersions; over > 0 {
		w.head, w.dropped = w.head[:maxVersions], over
	}
	if room := maxVersions - len(w.head); len(w.base) > room {
		w.dropped += len(w.base) - room
		w.base = w.base[:room]
	}
	return w
}

func versionOf(p *checks.Package) version { return version{p.Ecosystem, p.Name, p.Version} }

// servable reports whether deps.dev can know of v: its registry is one of those that it reads,
// and its name is one that a public registry can hold.
func servable(v version) bool {
	switch {
	case systems[v.ecosystem] == "" || !plain(v.name) || !plain(v.version):
		return false
	case v.ecosystem == "Go":
		// Others are the standard library, or paths that no module proxy can serve.
		return strings.Contains(strings.SplitN(v.name, "/", 2)[0], ".")
	case v.ecosystem == "Maven":
		return strings.Count(v.name, ":") == 1
	}
	return true
}

// plain reports whether s is not empty, not long, and printable ASCII without spaces, as names
// and versions are in all those registries.
func plain(s string) bool {
	odd := func(r rune) bool { return r <= ' ' || r > '~' }
	return s != "" && len(s) <= maxName && !strings.ContainsFunc(s, odd)
}
