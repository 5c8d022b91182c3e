package checks_test

import (
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
