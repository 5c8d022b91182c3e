package manifests

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// readComposerLock reads composer.lock.
//
// Source: https://getcomposer.org/doc/01-basic-usage.md and composer/composer:src/Composer/Package/Locker.php.
func readComposerLock(s *source) error {
	root, err := syntax.JSON(s.text)
	if err != nil {
		return invalid("JSON", err)
	}
	if root.Get("packages").Kind() != syntax.List {
		return errors.New("has no list of packages")
	}
	byName := map[string]int{}
	var nodes []syntax.Node
	for _, group := range []struct {
		key   string
		scope inventory.Scope
	}{{"packages", inventory.ScopeRuntime}, {"packages-dev", inventory.ScopeDevelopment}} {
		for p := range root.Get(group.key).All() {
			if p.String("name") == "" {
				return fmt.Errorf("is not valid as composer.lock: line %d: the package has no name", p.Line())
			}
			i := addComposer(s, p, group.scope)
			byName[strings.ToLower(p.String("name"))] = i
			if len(nodes) <= i {
				nodes = append(nodes, p)
			}
		}
	}
	var g graph
	for i, p := range nodes {
		for d := range p.Get("require").All() {
			if to, ok := byName[strings.ToLower(d.Key())]; ok {
				g.needRange(i, to, false, d.Text())
			}
		}
	}
	for _, w := range s.wantsBeside("composer.json", wantsComposer) {
		if to, ok := byName[strings.ToLower(w.key)]; ok {
			g.directRange(to, w.scope, w.constraint)
		}
	}
	g.apply(s.packages)
	s.resolves(".")
	return nil
}

// addComposer adds one package. The version of a branch is no version.
func addComposer(s *source, p syntax.Node, scope inventory.Scope) int {
	version, constraint := p.String("version"), ""
	if strings.HasPrefix(version, "dev-") || strings.HasSuffix(version, "-dev") {
		version, constraint = "", version
	}
	i := s.add(p.String("name"), version, p.Get("name").Line())
	pkg := &s.packages[i]
	pkg.Scope, pkg.Constraint = scope, strings.Clone(constraint)
	if instead := p.Get("abandoned"); instead.Kind() == syntax.Text && instead.Text() != "" {
		pkg.Deprecated = "abandoned; use " + deprecationText(instead.Text(), true)
	} else if pkg.Deprecated = deprecation(instead); pkg.Deprecated != "" {
		pkg.Deprecated = "abandoned"
	}
	if reference := p.Get("source").String("reference"); constraint != "" && isCommit(reference) {
		pkg.Commit = strings.Clone(reference)
	}
	var licences []string
	for l := range p.Get("license").All() {
		licences = append(licences, l.Text())
	}
	// Several licences are a choice: https://getcomposer.org/doc/04-schema.md#license.
	if pkg.Licence = strings.Join(licences, " OR "); len(licences) > 1 {
		pkg.Licence = "(" + pkg.Licence + ")"
	}
	pkg.Licence = strings.Clone(pkg.Licence)
	return i
}

var (
	exactComposer = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^=?v?([0-9]+(?:\.[0-9]+){2,3}(?:-[0-9A-Za-z.]+)?)$`) })
)

// wantsComposer reads the dependencies of a composer.json, without PHP itself and its
// extensions, which are no packages.
func wantsComposer(text string) ([]want, error) {
	root, err := syntax.JSON(text)
	if err != nil {
		return nil, invalid("JSON", err)
	}
	if root.Kind() != syntax.Table {
		return nil, errors.New("is no JSON object")
	}
	var wants []want
	for _, group := range []struct {
		key   string
		scope inventory.Scope
	}{{"require", inventory.ScopeRuntime}, {"require-dev", inventory.ScopeDevelopment}} {
		for d := range root.Get(group.key).All() {
			if !strings.Contains(d.Key(), "/") {
				continue
			}
			w := want{key: d.Key(), name: strings.ToLower(d.Key()), spec: d.Text(), constraint: d.Text(), scope: group.scope, line: d.Line()}
			if m := match(exactComposer, d.Text()); m != nil {
				w.exact = m[1]
			}
			wants = append(wants, w)
		}
	}
	return wants, nil
}
