package differential_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/manifests"
)

// found is one record that affects one package version of one manifest.
type found struct{ path, ecosystem, name, version, id string }

// difference is a finding that only one of the two has.
type difference struct {
	found
	ours   bool
	pkg    checks.Package // as we read it, where we did
	theirs *foundOf       // what they say of the package; nil when they did not extract it
	absent bool           // we did not extract any package of that name
	gap    string         // why we did not read the manifest completely
	record []byte
}

func (d difference) String() string {
	who := "only theirs"
	if d.ours {
		who = "only ours"
	}
	return fmt.Sprintf("%s: %s %s %q %s", who, d.path, d.name, d.version, d.id)
}

// causes are the differences that docs/differences.md tells, with its words. A difference
// that has none of them is a failure.
var causes = []struct {
	words string
	holds func(d difference) bool
}{
	{"| a package without a version |", func(d difference) bool { return d.ours && d.version == "" }},
	{"| a record whose git range stands before the version range |", func(d difference) bool { return d.ours && gitRangeFirst(d) }},
	{"| a version that the lock file gives beside a commit |", func(d difference) bool { return d.ours && d.pkg.Commit != "" }},
	{"| manifests that it does not read |", func(d difference) bool { return d.ours && d.theirs == nil && unread(path.Base(d.path)) }},
	{"| an npm package without an address in the lock file", func(d difference) bool { return d.ours && d.theirs != nil && d.theirs.local }},
	{"Packages with scoped peers", func(d difference) bool { return d.ours && d.theirs == nil && path.Base(d.path) == "pnpm-lock.yaml" }},
	{"A branch is no version", func(d difference) bool {
		return !d.ours && !d.absent && path.Base(d.path) == "composer.lock" && strings.HasSuffix(d.version, "-dev")
	}},
	{"Workspaces and linked folders are part of the repository", func(d difference) bool {
		return !d.ours && d.absent && path.Base(d.path) == "Cargo.lock"
	}},
	{"make our result unknown", func(d difference) bool { return !d.ours && d.gap != "" }},
}

// unread says whether OSV-Scanner reads a manifest of that name with the plugins for lock
// files. Those for bills of materials name ecosystems without a database, at which its
// matching ends.
func unread(name string) bool {
	switch name {
	case "pyproject.toml", "modules.txt", "libs.versions.toml":
		return true
	}
	return strings.HasSuffix(name, ".spdx.json") || strings.HasSuffix(name, ".cdx.json") || name == "bom.json"
}

func explained(d difference) bool {
	for _, c := range causes {
		if c.holds(d) {
			return true
		}
	}
	return false
}

func TestCausesAreDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "differences.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range causes {
		if !strings.Contains(string(page), c.words) {
			t.Errorf("docs/differences.md does not tell: %s", c.words)
		}
	}
}

// gitRangeFirst says whether the record's range of commits stands before the one of versions.
func gitRangeFirst(d difference) bool {
	var r struct {
		Affected []struct {
			Package struct{ Name string }
			Ranges  []struct{ Type string }
		}
	}
	if json.Unmarshal(d.record, &r) != nil {
		return false
	}
	for _, a := range r.Affected {
		if normalName(d.ecosystem, a.Package.Name) == d.name && len(a.Ranges) > 1 && a.Ranges[0].Type == "GIT" {
			return true
		}
	}
	return false
}

// sameFindings compares from the files on: OSV-Scanner read and matched those below dir and
// made results of them, and we do the same. It fails on each difference without a cause, and
// returns how many findings both have.
func (o *oracle) sameFindings(t *testing.T, dir string, all results) int {
	t.Helper()
	theirs, ours := findingsOf(t, dir, all), o.findings(t, dir)
	same := 0
	for f := range theirs {
		if _, ok := ours.packages[f]; ok {
			same++
		} else if d := (difference{found: f, absent: !ours.names[[2]string{f.path, f.name}], gap: ours.gaps[f.path], record: o.records[f.id]}); !explained(d) {
			t.Error(d)
		}
	}
	for f, p := range ours.packages {
		if theirs[f] {
			continue
		}
		n := named{filepath.Join(dir, filepath.FromSlash(f.path)), f.ecosystem, p.Name, f.version}
		if d := (difference{found: f, ours: true, pkg: p, theirs: all[n], gap: ours.gaps[f.path], record: o.records[f.id]}); !explained(d) {
			t.Error(d)
		}
	}
	return same
}

// findingsOf are OSV-Scanner's, by path relative to dir.
func findingsOf(t *testing.T, dir string, theirs results) map[found]bool {
	t.Helper()
	all := make(map[found]bool)
	for n, what := range theirs {
		rel, err := filepath.Rel(dir, n.path)
		if err != nil || strings.HasPrefix(rel, "..") {
			continue
		}
		for _, id := range what.ids {
			all[found{filepath.ToSlash(rel), n.ecosystem, normalName(n.ecosystem, n.name), n.version, id}] = true
		}
	}
	return all
}

// ourFindings are ours, each with its package, and the gaps of manifests.
type ourFindings struct {
	packages map[found]checks.Package
	names    map[[2]string]bool // path and name of every package, with findings or without
	gaps     map[string]string
}

// findings reads and matches what lies below dir.
func (o *oracle) findings(t *testing.T, dir string) ourFindings {
	t.Helper()
	all := ourFindings{make(map[found]checks.Package), make(map[[2]string]bool), make(map[string]string)}
	for _, m := range manifests.Read(t.Context(), filesBelow(t, dir)).Manifests {
		all.gaps[m.Path] = m.Gap
		for _, p := range m.Packages {
			all.names[[2]string{m.Path, normalName(p.Ecosystem, p.Name)}] = true
			ids, err := o.recordsOf(p)
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range ids {
				all.packages[found{m.Path, p.Ecosystem, normalName(p.Ecosystem, p.Name), p.Version, id}] = p
			}
		}
	}
	return all
}

// filesBelow are the files below dir.
func filesBelow(t *testing.T, dir string) []checks.File {
	t.Helper()
	var files []checks.File
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		files = append(files, checks.File{Path: filepath.ToSlash(rel), Data: data})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(files, func(a, b checks.File) int { return strings.Compare(a.Path, b.Path) })
	return files
}

var separators = regexp.MustCompile(`[-_.]+`)

// normalName makes one name of those that a registry takes for the same.
func normalName(ecosystem, name string) string {
	if ecosystem == "PyPI" {
		return separators.ReplaceAllString(strings.ToLower(name), "-")
	}
	return name
}
