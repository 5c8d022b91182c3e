package manifests

import (
	"errors"
	"fmt"
	"strings"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// readPackagesLock reads packages.lock.json, version 1 and 2: for each target framework the
// packages with what they need. Projects of the solution are left out.
//
// Source: NuGet/Home wiki, "Enable repeatable package restore using lock file".
func readPackagesLock(s *source) error {
	root, err := syntax.JSON(s.text)
	if err != nil {
		return invalid("JSON", err)
	}
	switch v := root.Get("version"); {
	case v.Kind() == syntax.Absent:
		return errors.New("names no version, so it says nothing about packages")
	case v.Text() != "1" && v.Text() != "2":
		return fmt.Errorf("has a version (line %d) that is not known; known are 1 and 2", v.Line())
	}
	var g graph
	for framework := range root.Get("dependencies").All() {
		addFramework(s, &g, framework)
	}
	g.apply(s.packages)
	for i := range s.packages {
		s.packages[i].Scope = "" // the file does not tell what is for tests
	}
	return nil
}

// addFramework adds the packages of one target framework and what they need. A project of
// the solution has no name, and what it needs is direct.
func addFramework(s *source, g *graph, framework syntax.Node) {
	byName := map[string]int{}
	for p := range framework.All() {
		name := p.Key()
		if p.String("type") == "Project" {
			name = ""
		}
		i := s.add(name, p.String("resolved"), p.Line())
		byName[strings.ToLower(p.Key())] = i
		if p.String("type") == "Direct" {
			g.directRange(i, inventory.ScopeRuntime, p.String("requested"))
		}
	}
	for p := range framework.All() {
		from := byName[strings.ToLower(p.Key())]
		for d := range p.Get("dependencies").All() {
			to, ok := byName[strings.ToLower(d.Key())]
			switch {
			case !ok:
			case s.packages[from].Name == "":
				g.directRange(to, inventory.ScopeRuntime, d.Text())
			default:
				g.needRange(from, to, false, d.Text())
			}
		}
	}
}

// readPackagesConfig reads packages.config, which lists all packages, also those that others
// need. Source: https://learn.microsoft.com/nuget/reference/packages-config.
func readPackagesConfig(s *source) error {
	root, err := syntax.XML(s.text)
	if err != nil {
		return invalid("XML", err)
	}
	if root.Key() != "packages" {
		return errors.New("is no packages.config: its root element is not <packages>")
	}
	for p := range root.All() {
		if p.Key() != "package" {
			continue
		}
		id, version := p.String("@id"), p.String("@version")
		if id == "" || version == "" {
			return fmt.Errorf("is not valid as packages.config: line %d: the package has no id or no version", p.Line())
		}
		i := s.add(id, version, p.Line())
		if strings.EqualFold(p.String("@developmentDependency"), "true") {
			s.packages[i].Scope = inventory.ScopeDevelopment
		}
	}
	return nil
}
