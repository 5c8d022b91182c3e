package cage

import (
	"fmt"
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/scanners/manifests"
)

// lockOf is a package-lock.json of n packages.
func lockOf(n int) []byte {
	var b strings.Builder
	b.WriteString("{\n  \"name\": \"app\",\n  \"lockfileVersion\": 3,\n  \"packages\": {\n    \"\": {\n      \"dependencies\": {\n        \"package-0\": \"^1.0.0\"\n      }\n    }")
	for i := range n {
		fmt.Fprintf(&b, ",\n    \"node_modules/package-%d\": {\n      \"version\": \"1.2.%d\",\n      \"resolved\": \"https://npm.example/package-%d/-/package-%d-1.2.%d.tgz\",\n"+
			"      \"integrity\": \"sha512-v2kDEe57lecTulaDIuNTPy3Ry4gLGJ6Z1O3vE1krgXZNrsQ+LFTGHVxVjcXPs17LhbZVGedAJv8XZ1tvj5FvSg==\",\n      \"license\": \"MIT\",\n      \"engines\": {\n        \"node\": \">=6.9.0\"\n      },\n"+
			"      \"dependencies\": {\n        \"package-%d\": \"^1.0.0\",\n        \"package-%d\": \"^1.0.0\"\n      }\n    }", i, i%40, i, i, i%40, (i*3+1)%n, (i*3+2)%n)
	}
	b.WriteString("\n  }\n}\n")
	return []byte(b.String())
}

// BenchmarkCage reads the same files in this process and in a child (docs/performance.md).
func BenchmarkCage(b *testing.B) {
	for _, c := range []struct {
		name string
		file inventory.File
	}{
		{"a requirements.txt of one", file("a")},
		{"a package-lock.json of 1500", inventory.File{Path: "package-lock.json", Data: lockOf(1500)}},
		{"a package-lock.json of 20000", inventory.File{Path: "package-lock.json", Data: lockOf(20000)}},
	} {
		files := []inventory.File{c.file}
		b.Run("in process/"+c.name, func(b *testing.B) {
			for b.Loop() {
				if m := manifests.Read(b.Context(), files).Manifests[0]; m.Gap != "" {
					b.Fatal(m.Gap)
				}
			}
		})
		b.Run("caged/"+c.name, func(b *testing.B) {
			p := open(b, Config{})
			p.Warm()
			for b.Loop() {
				if m := p.Read(b.Context(), files).Manifests[0]; m.Gap != "" {
					b.Fatal(m.Gap)
				}
			}
		})
	}
}

// BenchmarkStart starts a child, lets it read a small file, and ends it.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		p := open(b, Config{})
		if m := readOne(b, p, file("a")); m.Gap != "" {
			b.Fatal(m.Gap)
		}
		p.Close()
	}
}
