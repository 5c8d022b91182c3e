package checks_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/checks"
)

// TestUnadvised adds a package of an ecosystem that no database of advisories covers: it does
// not make the verdict unknown, whatever its version, but is not counted as checked either.
func TestUnadvised(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, ecosystem, version string
		want                     checks.Verdict
		unchecked                int
	}{
		{"a package of npm", "npm", "1.0.0", checks.Pass, 0},
		{"a package of npm without a version", "npm", "", checks.Unknown, 1},
		{"an image", "Docker", "bookworm", checks.Pass, 1},
		{"an image without a version", "Docker", "", checks.Pass, 1},
		{"a pod", "CocoaPods", "1.0.0", checks.Pass, 1},
		{"a package of JSR", "JSR", "1.0.0", checks.Pass, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			pr := upgrade(t)
			pr.material.Head.Inventory.Manifests = append(pr.material.Head.Inventory.Manifests,
				manifest("z", "z1", checks.Package{Ecosystem: c.ecosystem, Name: "a", Version: c.version, Constraint: "x", Line: 1}))
			r := pr.judge()
			if r.Verdict != c.want || r.Coverage.Packages != 2 || r.Coverage.Unchecked != c.unchecked {
				t.Errorf("%s with %+v, want %s with %d of 2 packages not compared", r.Verdict, r.Coverage, c.want, c.unchecked)
			}
		})
	}
	pr := upgrade(t)
	pr.material.Compared, pr.material.Base = false, checks.Tree{}
	pr.material.Head.Inventory.Manifests[0].Packages = append(pr.material.Head.Inventory.Manifests[0].Packages, checks.Package{Ecosystem: "Docker", Name: "a", Version: "1"})
	if r := pr.judge(); r.Verdict != checks.Pass || r.Coverage.Unchecked != 1 {
		t.Errorf("a tree: %s with %+v, want pass with one package not compared", r.Verdict, r.Coverage)
	}
}

// TestUnheld: packages of an ecosystem that the operator need not keep advisories of, and does
// not, are counted and told of, and make nothing unknown.
func TestUnheld(t *testing.T) {
	t.Parallel()
	submodule := checks.Package{Ecosystem: "GIT", Name: "https://git.example/a", Commit: "c1", Line: 3}
	for _, c := range []struct {
		name      string
		unheld    []string
		unchecked int
	}{
		{"advisories are kept", nil, 0},
		{"advisories are not kept", []string{"GIT"}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			pr := upgrade(t)
			pr.material.Head.Inventory.Manifests = append(pr.material.Head.Inventory.Manifests, manifest("z", "z1", submodule))
			pr.evidence[0].Unheld = c.unheld
			r := pr.judge()
			told := slices.ContainsFunc(r.Notices, func(n checks.Reason) bool {
				return n.Code == checks.CodeUnheld && strings.Contains(n.Message, "update --ecosystem GIT")
			})
			if r.Verdict != checks.Pass || r.Coverage.Packages != 2 || r.Coverage.Unchecked != c.unchecked || told != (c.unchecked > 0) {
				t.Errorf("%s with %+v and %v, want pass with %d of 2 packages not compared, and told", r.Verdict, r.Coverage, r.Notices, c.unchecked)
			}
		})
	}
	pr := upgrade(t)
	pr.evidence[0].Unheld = []string{"GIT"}
	if r := pr.judge(); len(r.Notices) != 0 {
		t.Errorf("a change without such packages: %v", r.Notices)
	}
}

// TestSubmoduleOfSameFile: .gitmodules may stay as it is while the tree moves a submodule; then the
// manifest is touched, and what the new commit brings in is the change's.
func TestSubmoduleOfSameFile(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, format, from, to string
		gap                    string
		want                   checks.Verdict
	}{
		{"the same commit", ".gitmodules", "c2", "c2", "", checks.Pass},
		{"another commit", ".gitmodules", "c1", "c2", "", checks.Fail},
		{"a new gap", ".gitmodules", "c1", "c1", "does not tell the address of one", checks.Unknown},
		{"another format", "other", "c1", "c2", "", checks.Pass},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			pr := upgrade(t)
			at := func(commit string) checks.Manifest {
				m := manifest(".gitmodules", "same", checks.Package{Ecosystem: "GIT", Name: "https://git.example/a", Commit: commit, Line: 3, Relation: checks.Direct})
				m.Format = c.format
				return m
			}
			base, head := at(c.from), at(c.to)
			head.Gap = c.gap
			pr.material.Base.Inventory.Manifests = append(pr.material.Base.Inventory.Manifests, base)
			pr.material.Head.Inventory.Manifests = append(pr.material.Head.Inventory.Manifests, head)
			if c.to == "c2" {
				pr.evidence[0].Matches = append(pr.evidence[0].Matches, checks.Match{Side: checks.Head, Path: ".gitmodules", Package: head.Packages[0],
					Advisory: checks.Advisory{ID: "CVE-2022-0001", Severity: checks.SeverityCritical}})
			}
			if r := pr.judge(); r.Verdict != c.want {
				t.Errorf("%s %v, want %s", r.Verdict, r.Reasons, c.want)
			}
		})
	}
}
