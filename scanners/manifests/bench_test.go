package manifests

import (
	"fmt"
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/checks"
)

// sizes are numbers of packages: what a usual project has, four times that, and a huge one.
var sizes = []int{1_500, 6_000, 20_000}

// lockOf writes a package-lock.json of version 3 with n packages, each about as large as real
// ones are.
func lockOf(n int) []byte {
	var b strings.Builder
	b.WriteString("{\n  \"name\": \"app\",\n  \"version\": \"1.0.0\",\n  \"lockfileVersion\": 3,\n  \"requires\": true,\n  \"packages\": {\n    \"\": {\n      \"name\": \"app\",\n      \"dependencies\": {\n")
	for i := range 20 {
		fmt.Fprintf(&b, "        \"package-%d\": \"^1.0.0\"%s\n", i, comma(i < 19))
	}
	b.WriteString("      }\n    },\n")
	for i := range n {
		path := fmt.Sprintf("node_modules/package-%d", i)
		if i%7 == 6 {
			path = fmt.Sprintf("node_modules/package-%d/node_modules/@scope/inner-%d", i-1, i)
		}
		fmt.Fprintf(&b, "    \"%s\": {\n      \"version\": \"%d.%d.%d\",\n      \"resolved\": \"https://registry.npmjs.example/package-%d/-/package-%d-%d.%d.%d.tgz\",\n", path, i%9, i%50, i%30, i, i, i%9, i%50, i%30)
		b.WriteString("      \"integrity\": \"sha512-v2kDEe57lecTulaDIuNTPy3Ry4gLGJ6Z1O3vE1krgXZNrsQ+LFTGHVxVjcXPs17LhbZVGedAJv8XZ1tvj5FvSg==\",\n      \"dev\": true,\n      \"license\": \"MIT\",\n      \"engines\": {\n        \"node\": \">=6.9.0\"\n      },\n      \"funding\": {\n        \"type\": \"opencollective\",\n        \"url\": \"https://opencollective.example/package\"\n      },\n      \"dependencies\": {\n")
		for k := 1; k <= 4; k++ {
			fmt.Fprintf(&b, "        \"package-%d\": \"^%d.0.0\"%s\n", (i*3+k)%n, k, comma(k < 4))
		}
		fmt.Fprintf(&b, "      }\n    }%s\n", comma(i < n-1))
	}
	b.WriteString("  }\n}\n")
	return []byte(b.String())
}

func comma(yes bool) string {
	if yes {
		return ","
	}
	return ""
}

func BenchmarkPackageLock(b *testing.B) {
	for _, n := range sizes {
		data := lockOf(n)
		b.Run(fmt.Sprintf("ours-%d", n), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				inv := Read(b.Context(), []checks.File{{Path: "package-lock.json", Data: data}})
				if m := inv.Manifests[0]; m.Gap != "" || len(m.Packages) != n {
					b.Fatal(m.Gap, len(m.Packages))
				}
			}
		})
	}
}
