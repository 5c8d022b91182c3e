package manifests

import (
	"errors"

	"github.com/google/osv-scalibr/extractor/filesystem/language/cpp/conanlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/erlang/mixlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/haskell/cabal"
	"github.com/google/osv-scalibr/extractor/filesystem/language/haskell/stacklock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/r/renvlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/swift/packageresolved"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// The formats below are read by the library as they are. Those in JSON are checked first,
// because the library takes the last of two equal keys.

func readMix(s *source) error   { return s.extract(mixlock.New) }
func readCabal(s *source) error { return s.extract(cabal.New) }
func readStack(s *source) error { return s.extract(stacklock.New) }
func readRenv(s *source) error  { return s.extractJSON(renvlock.New) }
func readConan(s *source) error { return s.extractJSON(conanlock.New) }
func readSwift(s *source) error { return s.extractJSON(packageresolved.New) }

// extractJSON checks that the text is JSON without equal keys before the library reads it.
func (s *source) extractJSON(open newExtractor) error {
	r := syntax.NewReader(s.text)
	r.Skip()
	if err := r.Err(); err != nil {
		return invalid("JSON", err)
	}
	return s.extract(open)
}

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
		pkg.Commit = p.Get("description").Get("resolved-ref").Text()
		switch p.Get("dependency").Text() {
		case "direct main", "direct overridden":
			pkg.Relation, pkg.Scope, pkg.Via = checks.Direct, checks.ScopeRuntime, []string{pkg.Name}
		case "direct dev":
			pkg.Relation, pkg.Scope, pkg.Via = checks.Direct, checks.ScopeDevelopment, []string{pkg.Name}
		case "transitive":
			pkg.Relation = checks.Transitive
		}
	}
	return nil
}
