package manifests

import (
	"errors"
	"fmt"
	"strings"

	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// readRenv reads renv.lock. Packages of Bioconductor are an ecosystem of their own; those that
// come from a repository of source keep their commit.
//
// Source: https://rstudio.github.io/renv/reference/lockfiles.html.
func readRenv(s *source) error {
	root, err := syntax.JSON(s.text)
	if err != nil {
		return invalid("JSON", err)
	}
	packages := root.Get("Packages")
	if packages.Kind() != syntax.Table {
		return errors.New("has no Packages")
	}
	for p := range packages.All() {
		name, version := p.String("Package"), p.String("Version")
		if name == "" {
			name = p.Key()
		}
		if name == "" || version == "" {
			return fmt.Errorf("is not valid as renv.lock: line %d: the package has no name or no version", p.Line())
		}
		i := s.add(name, version, p.Line())
		pkg := &s.packages[i]
		if p.String("Source") == "Bioconductor" {
			pkg.Ecosystem = "Bioconductor"
			s.name(i, name, version)
		}
		if commit := p.String("RemoteSha"); isCommit(commit) {
			pkg.Commit = strings.Clone(commit)
		}
	}
	return nil
}
