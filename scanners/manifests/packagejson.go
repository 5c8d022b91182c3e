package manifests

import (
	"errors"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// exactNPM is a range that only one version satisfies.
var exactNPM = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^=?v?([0-9]+\.[0-9]+\.[0-9]+(?:[-+][0-9A-Za-z.+-]+)?)$`)
})

// wantsPackageJSON reads the dependencies of a package.json. Folders of the repository are
// left out.
//
// Source: https://docs.npmjs.com/cli/configuring-npm/package-json.
func wantsPackageJSON(text string) ([]want, error) {
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
	}{
		{"dependencies", inventory.ScopeRuntime},
		{"optionalDependencies", inventory.ScopeOptional},
		{"peerDependencies", inventory.ScopeRuntime},
		{"devDependencies", inventory.ScopeDevelopment},
	} {
		for d := range root.Get(group.key).All() {
			if spec := d.Text(); !isFolder(spec) {
				wants = append(wants, npmWant(d.Key(), spec, group.scope, d.Line()))
			}
		}
	}
	return wants, nil
}

// npmWant is a dependency called name with a range, which may be an alias.
func npmWant(name, spec string, scope inventory.Scope, line int) want {
	w := want{key: name, spec: spec, scope: scope, line: line}
	if real, alias := strings.CutPrefix(spec, "npm:"); alias {
		name, spec = splitAt(real)
	}
	w.name, w.constraint = name, spec
	if m := match(exactNPM, spec); m != nil {
		w.exact = m[1]
	}
	return w
}

// splitAt cuts "name@range" or "@scope/name@range" at the mark between name and range.
func splitAt(s string) (name, spec string) {
	if s == "" {
		return "", ""
	}
	if at := strings.IndexByte(s[1:], '@'); at >= 0 {
		return s[:at+1], s[at+2:]
	}
	return s, ""
}

// maxPatterns is how many patterns of workspaces are followed: each is compared with each file.
const maxPatterns = 50

// workspaces returns the folders, relative to that of s, whose package.json was given and is
// a workspace of the package.json text, the folder "." itself included.
func (s *source) workspaces(text string) []string {
	dirs := []string{"."}
	root, err := syntax.JSON(text)
	if err != nil {
		return dirs
	}
	list := root.Get("workspaces")
	if list.Kind() == syntax.Table {
		list = list.Get("packages")
	}
	var patterns []string
	for p := range list.All() {
		patterns = append(patterns, path.Clean(p.Text()))
	}
	if len(patterns) == 0 || len(patterns) > maxPatterns {
		return dirs
	}
	for file := range s.tree.files {
		if path.Base(file) != "package.json" {
			continue
		}
		dir, below := relative(s.dir(), path.Dir(file))
		if below && dir != "." && covers(patterns, dir) {
			dirs = append(dirs, dir)
		}
	}
	slices.Sort(dirs)
	return dirs
}

// relative returns the path of dir seen from base, and whether it lies in base.
func relative(base, dir string) (string, bool) {
	if base == "." || base == dir {
		if base == dir {
			return ".", true
		}
		return dir, true
	}
	return strings.CutPrefix(dir, base+"/")
}

// covers reports whether one of the workspace patterns covers dir. "**" covers any number of
// folders.
func covers(patterns []string, dir string) bool {
	for _, p := range patterns {
		if head, _, deep := strings.Cut(p, "**"); deep {
			if strings.HasPrefix(dir+"/", head) {
				return true
			}
		} else if ok, err := path.Match(p, dir); ok && err == nil {
			return true
		}
	}
	return false
}
