package manifests

import (
	"errors"
	"strings"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// readPubspec reads pubspec.lock. The SDK's own packages and folders of the repository are
// left out. Source: https://dart.dev/tools/pub/glossary#lockfile.
func readPubspec(s *source) error {
	root, err := oneDocument(s.text)
	if err != nil {
		return err
	}
	packages := root.Get("packages")
	if packages.Kind() == syntax.Absent {
		return errors.New("has no packages")
	}
	for p := range packages.All() {
		if origin := p.Get("source").Text(); origin == "sdk" || origin == "path" {
			continue
		}
		i := s.add(p.Key(), p.Get("version").Text(), p.Line())
		pkg := &s.packages[i]
		pkg.Commit = strings.Clone(p.Get("description").Get("resolved-ref").Text())
		switch p.Get("dependency").Text() {
		case "direct main", "direct overridden":
			s.direct(i, checks.ScopeRuntime)
		case "direct dev":
			s.direct(i, checks.ScopeDevelopment)
		case "transitive":
			pkg.Relation = checks.Transitive
		}
	}
	return nil
}
