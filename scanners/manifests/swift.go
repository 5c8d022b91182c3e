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

// readSwift reads Package.resolved, version 1 to 3. A package is named by the address of its
// repository, as advisories do, or by its identity where it comes from a registry. What is
// direct, Package.swift says, a program; Xcode keeps that in its project file.
//
// Source: swiftlang/swift-package-manager:Sources/PackageGraph/ResolvedPackagesStore.swift.
func readSwift(s *source) error {
	root, err := syntax.JSON(s.text)
	if err != nil {
		return invalid("JSON", err)
	}
	version, pins := root.Get("version"), root.Get("pins")
	address, identity := "location", "identity"
	switch {
	case version.Kind() == syntax.Absent:
		return errors.New("names no version, so it says nothing about packages")
	case version.Text() == "1":
		pins, address, identity = root.Get("object").Get("pins"), "repositoryURL", "package"
	case version.Text() != "2" && version.Text() != "3":
		return fmt.Errorf("has a version (line %d) that is not known; known are 1 to 3", version.Line())
	}
	if pins.Kind() != syntax.List {
		return errors.New("has no list of pins")
	}
	direct := map[string]bool{}
	for _, w := range s.wantsBeside("Package.swift", wantsSwift) {
		direct[w.key] = true
	}
	for p := range pins.All() {
		if p.String("kind") == "localSourceControl" || p.String("kind") == "fileSystem" {
			continue // a folder of the machine
		}
		name := swiftName(p.String(address))
		if name == "" {
			name = p.String(identity)
		}
		if name == "" {
			return fmt.Errorf("is not valid as Package.resolved: line %d: the package has no name", p.Line())
		}
		line := p.Get(identity).Line()
		if line == 0 {
			line = p.Line()
		}
		state := p.Get("state")
		i := s.add(name, state.String("version"), line)
		pkg := &s.packages[i]
		pkg.Commit = strings.Clone(state.String("revision"))
		if pkg.Version == "" {
			pkg.Constraint = strings.Clone(state.String("branch"))
		}
		if direct[strings.ToLower(name)] {
			s.direct(i, inventory.ScopeRuntime)
		}
	}
	return nil
}

// swiftName is the address of a repository as advisories name it: "github.com/apple/swift-nio"
// for "https://github.com/apple/swift-nio.git" and "git@github.com:apple/swift-nio.git".
func swiftName(address string) string {
	if rest, ok := strings.CutPrefix(address, "git@"); ok {
		address = strings.Replace(rest, ":", "/", 1)
	}
	for _, scheme := range [...]string{"https://", "http://", "ssh://", "git://"} {
		if rest, ok := strings.CutPrefix(address, scheme); ok {
			address = strings.TrimPrefix(rest, "git@")
		}
	}
	return strings.TrimSuffix(strings.TrimSuffix(address, "/"), ".git")
}

var (
	swiftAddress = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\burl\s*:\s*"([^"\\]+)"\s*,?\s*([^)]*)`) })
	exactSwift   = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^(?:exact\s*:\s*|\.exact\s*\(\s*)"([0-9][0-9A-Za-z.+-]*)"`)
	})
)

// wantsSwift finds the dependencies of a Package.swift that are written in the plain way,
// `.package(url: "https://host.example/o/r", from: "1.0.0")`, also over several lines.
func wantsSwift(text string) ([]want, error) {
	const call = ".package("
	var wants []want
	line, start, at := 1, 0, 0 // start is where the line begins
	for {
		next := strings.Index(text[at:], call)
		if next < 0 {
			return wants, nil
		}
		passed := text[at : at+next]
		line += strings.Count(passed, "\n")
		if end := strings.LastIndexByte(passed, '\n'); end >= 0 {
			start = at + end + 1
		}
		at += next + len(call)
		if strings.HasPrefix(strings.TrimLeft(text[start:min(at, start+maxMatched)], " \t"), "//") {
			continue
		}
		rest := text[at:min(len(text), at+maxMatched)]
		if end := strings.Index(rest, call); end >= 0 {
			rest = rest[:end]
		}
		m := swiftAddress().FindStringSubmatch(rest)
		if m == nil {
			continue
		}
		name := swiftName(m[1])
		w := want{key: strings.ToLower(name), name: name, constraint: strings.Join(strings.Fields(m[2]), " "), scope: inventory.ScopeRuntime, line: line}
		if e := match(exactSwift, m[2]); e != nil {
			w.exact = e[1]
		}
		wants = append(wants, w)
	}
}
