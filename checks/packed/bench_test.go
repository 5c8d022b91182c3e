package packed

import (
	"fmt"
	"testing"

	"github.com/landwaiter/landwaiter/checks/inventory"
)

// BenchmarkDecode reads what was kept of a lock file of 1,500 packages.
func BenchmarkDecode(b *testing.B) {
	m := inventory.Manifest{Path: "package-lock.json", Digest: "b1", Format: "package-lock.json"}
	for p := range 1500 {
		name := fmt.Sprintf("package-%d", p)
		m.Packages = append(m.Packages, inventory.Package{PURL: "pkg:npm/" + name + "@1.2.3", Ecosystem: "npm", Name: name, Version: "1.2.3",
			Line: 10 * p, Scope: inventory.ScopeRuntime, Relation: inventory.Transitive, Via: []string{"package-0", name}, Licence: "MIT", Manager: "npm"})
	}
	kept := Encode(&m)
	b.SetBytes(int64(len(kept)))
	b.ReportAllocs()
	for b.Loop() {
		if got, err := Decode(kept); err != nil || len(got.Packages) != len(m.Packages) {
			b.Fatal(len(got.Packages), err)
		}
	}
}
