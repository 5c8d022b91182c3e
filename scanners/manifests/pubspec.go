package manifests

import (
	"errors"
	"regexp"
	"strings"
	"sync"

	"github.com/landwaiter/landwaiter/checks/inventory"
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
			s.direct(i, inventory.ScopeRuntime)
		case "direct dev":
			s.direct(i, inventory.ScopeDevelopment)
		case "transitive":
			pkg.Relation = inventory.Transitive
		}
	}
	return nil
}

// exactPub is a constraint that only one version satisfies.
var exactPub = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+(?:[-+][0-9A-Za-z.+-]+)?$`) })

// wantsPubspec reads the dependencies of a pubspec.yaml, without the SDK's own packages and
// folders of the repository. Source: https://dart.dev/tools/pub/dependencies.
func wantsPubspec(text string) ([]want, error) {
	root, err := oneDocument(text)
	if err != nil {
		return nil, err
	}
	var wants []want
	for _, group := range [...]struct {
		key   string
		scope inventory.Scope
	}{{"dependencies", inventory.ScopeRuntime}, {"dev_dependencies", inventory.ScopeDevelopment}, {"dependency_overrides", inventory.ScopeRuntime}} {
		for d := range root.Get(group.key).All() {
			if d.Get("sdk").Kind() != syntax.Absent || d.Get("path").Kind() != syntax.Absent {
				continue
			}
			w := want{key: d.Key(), name: d.Key(), constraint: d.Text(), scope: group.scope, line: d.Line()}
			if d.Kind() == syntax.Table {
				w.constraint = d.Get("version").Text()
			}
			if match(exactPub, w.constraint) != nil {
				w.exact = w.constraint
			}
			wants = append(wants, w)
		}
	}
	return wants, nil
}
