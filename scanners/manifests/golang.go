package manifests

import (
	"errors"
	"fmt"
	"strings"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// readGoMod reads go.mod: what is required, after replace and exclude.
//
// The versions that the go and toolchain lines name are the lowest that will do, not the one
// that builds: which standard library a program gets, go.mod does not say. So no package is
// made of them. Source: https://go.dev/ref/mod#go-mod-file.
func readGoMod(s *source) error {
	file, err := parseGoMod(s.path, s.text)
	if err != nil {
		return invalidGo("go.mod", err)
	}
	if !file.named {
		return errors.New("names no module, so it is no go.mod")
	}
	m := &goModule{s: s, replaced: replacements(file.replaces), excluded: map[module.Version]bool{}}
	for _, e := range file.excludes {
		m.excluded[e.Mod] = true
	}
	s.packages = make([]inventory.Package, 0, min(len(file.requires), maxPackages))
	for i := range file.requires {
		m.require(&file.requires[i])
	}
	if len(file.requires) == 0 || file.language != "" && semver.Compare("v"+languageVersion(file.language), "v1.17") >= 0 {
		return nil
	}
	return m.unlisted()
}

// languageVersion is the first two numbers of a Go version: "1.21rc2" gives "1.21".
func languageVersion(v string) string {
	parts := strings.SplitN(v, ".", 3)
	if len(parts) > 1 {
		parts[1], _, _ = strings.Cut(parts[1], "rc")
		parts[1], _, _ = strings.Cut(parts[1], "beta")
	}
	return strings.Join(parts[:min(len(parts), 2)], ".")
}

// invalidGo is an error of the library, which repeats the path, as a sentence.
func invalidGo(name string, err error) error {
	var list modfile.ErrorList
	if errors.As(err, &list) && len(list) > 0 {
		first := list[0]
		return fmt.Errorf("is not valid as %s: line %d: %w", name, first.Pos.Line, first.Err)
	}
	return fmt.Errorf("is not valid as %s: %w", name, err)
}

// goModule is a go.mod while it is read.
type goModule struct {
	s        *source
	replaced map[module.Version]*modfile.Replace
	excluded map[module.Version]bool
}

// replacements finds a replacement by module and version; one for all versions has none.
func replacements(list []*modfile.Replace) map[module.Version]*modfile.Replace {
	found := make(map[module.Version]*modfile.Replace, len(list))
	for _, r := range list {
		found[r.Old] = r
	}
	return found
}

// require adds the module that a line of go.mod requires, or what replaces it.
func (m *goModule) require(r *goRequire) {
	mod, line := r.mod, r.line
	by := m.replaced[mod]
	if by == nil {
		by = m.replaced[module.Version{Path: mod.Path}]
	}
	if by != nil {
		if by.New.Version == "" {
			return // a folder of the repository, or one beside it
		}
		mod, line = by.New, by.Syntax.Start.Line
	}
	i := m.s.add(mod.Path, strings.TrimPrefix(mod.Version, "v"), line)
	p := &m.s.packages[i]
	if m.excluded[mod] {
		// Go takes the next higher version, which only the module's list of versions tells.
		m.s.name(i, mod.Path, "")
		p.Constraint = ">" + mod.Version
	}
	p.Relation = inventory.Transitive
	if !r.indirect {
		p.Relation, p.Via = inventory.Direct, []string{p.Name}
	}
}

// unlisted adds the modules that a go.mod below go 1.17 does not list, from go.sum: those whose
// source was needed, each in its highest version. That is at most more than what is built.
func (m *goModule) unlisted() error {
	sum := m.s.beside("go.sum")
	if sum == "" {
		return gap{what: "has no go line of 1.17 or later, so it does not name all modules, and no go.sum was found beside it", todo: "run `go mod tidy -go=1.17`", partial: true}
	}
	highest := map[string]string{}
	var order []string
	for line := range strings.Lines(sum) {
		f := strings.Fields(line)
		if len(f) != 3 || strings.HasSuffix(f[1], "/go.mod") {
			continue
		}
		if old, ok := highest[f[0]]; !ok {
			order = append(order, f[0])
		} else if semver.Compare(f[1], old) <= 0 {
			continue
		}
		highest[f[0]] = f[1]
	}
	listed := map[string]bool{}
	for _, p := range m.s.packages {
		listed[p.Name] = true
	}
	for _, name := range order {
		if !listed[name] && m.replaced[module.Version{Path: name}] == nil {
			i := m.s.add(name, strings.TrimPrefix(highest[name], "v"), 0)
			m.s.packages[i].Relation = inventory.Transitive
		}
	}
	return nil
}

// readGoWork reads go.work. It names no packages but those that replace others: they count
// beside what the go.mod files say, which hold when a module is built alone.
func readGoWork(s *source) error {
	file, err := modfile.ParseWork(s.path, []byte(s.text), nil)
	if err != nil {
		return invalidGo("go.work", err)
	}
	if file.Go == nil && len(file.Use) == 0 {
		return errors.New("names neither a go version nor a module, so it is no go.work")
	}
	for _, r := range file.Replace {
		if r.New.Version == "" {
			continue
		}
		i := s.add(r.New.Path, strings.TrimPrefix(r.New.Version, "v"), r.Syntax.Start.Line)
		s.packages[i].Relation, s.packages[i].Via = inventory.Direct, []string{r.New.Path}
	}
	return nil
}

// wantsGoSum checks that go.sum can be read. It wants nothing: go.mod does.
func wantsGoSum(text string) ([]want, error) {
	number := 0
	for line := range strings.Lines(text) {
		number++
		if n := len(strings.Fields(line)); n != 0 && n != 3 {
			return nil, fmt.Errorf("is not valid as go.sum: line %d: expected three words", number)
		}
	}
	return nil, nil
}
