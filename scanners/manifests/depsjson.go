package manifests

import (
	"errors"
	"fmt"
	"strings"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// readDepsJSON reads the *.deps.json that a build of .NET leaves beside a program: its
// libraries, and for each target what they need. Projects and references are left out, but
// what they need is direct.
//
// Other tools write files of that name which are lists.
// Source: dotnet/sdk:documentation/specs/runtime-configuration-file.md.
func readDepsJSON(s *source) error {
	root, err := syntax.JSON(s.text)
	if err != nil {
		return invalid("JSON", err)
	}
	if root.Kind() == syntax.List {
		return nil
	}
	libraries := root.Get("libraries")
	if root.Get("runtimeTarget").Kind() == syntax.Absent || libraries.Kind() != syntax.Table {
		return errors.New("has no runtime target or no libraries")
	}
	byKey := map[string]int{}
	for l := range libraries.All() {
		name, version, ok := strings.Cut(l.Key(), "/")
		kind := l.String("type")
		if !ok || name == "" || version == "" {
			return fmt.Errorf("is not valid as deps.json: line %d: expected name/version", l.Line())
		}
		name = strings.TrimPrefix(name, "runtimepack.") // the runtime itself, which is a package too
		if kind != "package" && kind != "runtimepack" {
			name = ""
		}
		byKey[strings.ToLower(l.Key())] = s.add(name, version, l.Line())
	}
	var g graph
	for target := range root.Get("targets").All() {
		for l := range target.All() {
			from, ok := byKey[strings.ToLower(l.Key())]
			for d := range l.Get("dependencies").All() {
				to, known := byKey[strings.ToLower(d.Key()+"/"+d.Text())]
				switch {
				case !ok || !known:
				case s.packages[from].Name == "":
					g.direct(to, inventory.ScopeRuntime)
				default:
					g.need(from, to, false)
				}
			}
		}
	}
	g.apply(s.packages)
	return nil
}
