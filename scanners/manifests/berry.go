package manifests

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// oneDocument reads a text that must be one YAML document holding a table.
func oneDocument(text string) (syntax.Node, error) {
	return oneTable(syntax.YAML(text))
}

// oneTable is oneDocument for what a reader of YAML returned.
func oneTable(docs []syntax.Node, err error) (syntax.Node, error) {
	if err != nil {
		return syntax.Node{}, invalid("YAML", err)
	}
	if len(docs) != 1 || docs[0].Kind() != syntax.Table {
		return syntax.Node{}, errors.New("is no YAML table")
	}
	return docs[0], nil
}

// The versions of yarn.lock that have __metadata: yarn 2 writes 4, yarn 4 writes 8.
const firstBerry, lastBerry = 4, 8

// readBerry reads the yarn.lock of yarn 2 and later:
//
//	"a@npm:^1.0.0, a@npm:^1.1.0":
//	  version: 1.2.3
//	  resolution: "a@npm:1.2.3"
//	  dependencies:
//	    b: "npm:^2.0.0"
//
// Workspaces are entries too; the project's own dependencies stand in them.
func readBerry(s *source) error {
	root, err := oneDocument(s.text)
	if err != nil {
		return err
	}
	version, err := strconv.Atoi(root.Get("__metadata").Get("version").Text())
	if err != nil || version < firstBerry || version > lastBerry {
		return fmt.Errorf("has a version that is not known; known are %d to %d", firstBerry, lastBerry)
	}
	l := newYarnLock(s)
	var own []string
	for e := range root.All() {
		if e.Key() == "__metadata" {
			continue
		}
		name, spec := splitAt(e.String("resolution"))
		if dir, workspace := strings.CutPrefix(spec, "workspace:"); workspace {
			own = append(own, dir)
			continue
		}
		if name == "" {
			return fmt.Errorf("is not valid as yarn.lock: line %d: the entry has no resolution", e.Line())
		}
		if isFolder(spec) {
			continue
		}
		l.entry(e, name, spec)
	}
	s.resolves(own...)
	l.finish(own)
	return nil
}

// entry adds the package of one entry and notes what it needs.
func (l *yarnLock) entry(e syntax.Node, name, spec string) {
	i := l.add(name, e.Get("version").Text(), e.Line(), strings.Split(e.Key(), ", "))
	l.s.packages[i].Commit, l.s.packages[i].Manager = gitCommit(spec), "yarn-berry" // other commands cure it
	optional := map[string]bool{}
	for d := range e.Get("dependenciesMeta").All() {
		optional[d.Key()] = d.Get("optional").True()
	}
	for d := range e.Get("dependencies").All() {
		l.needs = append(l.needs, yarnNeed{i, d.Key(), d.Text(), optional[d.Key()]})
	}
}
