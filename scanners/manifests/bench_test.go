package manifests

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/checks/inventory"
)

// sizes are numbers of packages: what a usual project has, four times that, and a huge one.
// The time must grow as they do.
var sizes = []int{1_500, 6_000, 20_000}

// written are writers of lock files with n packages, each as large as real ones are. Package i
// needs four others; 20 are direct.
var written = []struct {
	path string
	text func(n int) string
}{
	{"package-lock.json", packageLockOf},
	{"yarn.lock", func(n int) string {
		return "# yarn lockfile v1\n\n" + each(n, func(i int) string {
			return fmt.Sprintf("\npackage-%d@^1.0.0:\n  version \"1.2.%d\"\n  resolved \"https://registry.yarnpkg.example/package-%d/-/package-%d-1.2.%d.tgz#v2kDEe57lecTulaDIuNTPy3Ry4gLGJ6Z1O3vE1kr\"\n  integrity sha512-v2kDEe57lecTulaDIuNTPy3Ry4gLGJ6Z1O3vE1krgXZNrsQ+LFTGHVxVjcXPs17LhbZVGedAJv8XZ1tvj5FvSg==\n  dependencies:\n", i, i, i, i, i) +
				needsOf(i, n, func(k int) string { return fmt.Sprintf("    package-%d \"^1.0.0\"\n", k) })
		})
	}},
	{"pnpm-lock.yaml", func(n int) string {
		return "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      package-0:\n        specifier: ^1.0.0\n        version: 1.0.0\n\npackages:\n" + each(n, func(i int) string {
			return fmt.Sprintf("\n  package-%d@1.0.0:\n    resolution: {integrity: sha512-v2kDEe57lecTulaDIuNTPy3Ry4gLGJ6Z1O3vE1krgXZNrsQ+LFTGHVxVjcXPs17LhbZVGedAJv8XZ1tvj5FvSg==}\n    engines: {node: '>=6.9.0'}\n", i)
		}) + "\nsnapshots:\n" + each(n, func(i int) string {
			return fmt.Sprintf("\n  package-%d@1.0.0:\n    dependencies:\n", i) + needsOf(i, n, func(k int) string { return fmt.Sprintf("      package-%d: 1.0.0\n", k) })
		})
	}},
	{"Cargo.lock", func(n int) string {
		return "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n \"package-0\",\n]\n" + each(n, func(i int) string {
			return fmt.Sprintf("\n[[package]]\nname = \"package-%d\"\nversion = \"1.2.%d\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"3c1d76a28b5a1f3dca4f2d6f8d5c1f0a5e8a8f3d7a1f2c3b4d5e6f7a8b9c0d1e\"\ndependencies = [\n", i, i) +
				needsOf(i, n, func(k int) string { return fmt.Sprintf(" \"package-%d\",\n", k) }) + "]\n"
		})
	}},
	{"poetry.lock", func(n int) string {
		return each(n, func(i int) string {
			return fmt.Sprintf("[[package]]\nname = \"package-%d\"\nversion = \"1.2.%d\"\ndescription = \"A package\"\noptional = false\npython-versions = \">=3.8\"\ngroups = [\"main\"]\nfiles = [\n    {file = \"package_%d-1.2.%d-py3-none-any.whl\", hash = \"sha256:3c1d76a28b5a1f3dca4f2d6f8d5c1f0a5e8a8f3d7a1f2c3b4d5e6f7a8b9c0d1e\"},\n]\n\n[package.dependencies]\n", i, i, i, i) +
				needsOf(i, n, func(k int) string { return fmt.Sprintf("package-%d = \">=1.0\"\n", k) }) + "\n"
		}) + "[metadata]\nlock-version = \"2.1\"\n"
	}},
	{"composer.lock", func(n int) string {
		return `{"packages": [` + each(n, func(i int) string {
			return fmt.Sprintf("%s\n    {\n        \"name\": \"vendor/package-%d\",\n        \"version\": \"v1.2.%d\",\n        \"source\": {\"type\": \"git\", \"url\": \"https://git.example/package-%d.git\", \"reference\": \"3c1d76a28b5a1f3dca4f2d6f8d5c1f0a5e8a8f3d\"},\n        \"license\": [\"MIT\"],\n        \"require\": {\n", comma(i > 0), i, i, i) +
				strings.TrimSuffix(needsOf(i, n, func(k int) string { return fmt.Sprintf("            \"vendor/package-%d\": \"^1.0\",\n", k) }), ",\n") + "\n        }\n    }"
		}) + "\n], \"packages-dev\": []}\n"
	}},
	{"Gemfile.lock", func(n int) string {
		return "GEM\n  remote: https://gems.example/\n  specs:\n" + each(n, func(i int) string {
			return fmt.Sprintf("    package-%d (1.2.%d)\n", i, i) + needsOf(i, n, func(k int) string { return fmt.Sprintf("      package-%d (>= 1.0)\n", k) })
		}) + "\nDEPENDENCIES\n  package-0\n"
	}},
	{"requirements.txt", func(n int) string {
		return each(n, func(i int) string {
			return fmt.Sprintf("package-%d==1.2.%d \\\n    --hash=sha256:3c1d76a28b5a1f3dca4f2d6f8d5c1f0a5e8a8f3d7a1f2c3b4d5e6f7a8b9c0d1e\n    # via\n", i, i) +
				needsOf(i, n, func(k int) string { return fmt.Sprintf("    #   package-%d\n", k) })
		})
	}},
	{"mix.lock", func(n int) string {
		return "%{\n" + each(n, func(i int) string {
			return fmt.Sprintf("  \"package_%d\": {:hex, :package_%d, \"1.2.%d\", \"3c1d76a28b5a1f3dca4f2d6f8d5c1f0a5e8a8f3d7a1f2c3b4d5e6f7a8b9c0d1e\", [:mix], [", i, i, i) +
				strings.TrimSuffix(needsOf(i, n, func(k int) string {
					return fmt.Sprintf("{:package_%d, \"~> 1.0\", [hex: :package_%d, repo: \"hexpm\", optional: false]}, ", k, k)
				}), ", ") + "], \"hexpm\", \"3c1d76a28b5a1f3dca4f2d6f8d5c1f0a5e8a8f3d7a1f2c3b4d5e6f7a8b9c0d1e\"},\n"
		}) + "}\n"
	}},
	{"Podfile.lock", func(n int) string {
		return "PODS:\n" + each(n, func(i int) string {
			return fmt.Sprintf("  - Package%d (1.2.%d):\n", i, i) + needsOf(i, n, func(k int) string { return fmt.Sprintf("    - Package%d (~> 1.0)\n", k) })
		}) + "\nDEPENDENCIES:\n  - Package0\n\nPODFILE CHECKSUM: 07aa\n\nCOCOAPODS: 1.11.2\n"
	}},
	{"Package.resolved", func(n int) string {
		return "{\"pins\": [" + each(n, func(i int) string {
			return fmt.Sprintf("%s\n    {\n      \"identity\": \"package-%d\",\n      \"kind\": \"remoteSourceControl\",\n      \"location\": \"https://git.example/o/package-%d.git\",\n      \"state\": {\"revision\": \"8b0f61a32e7d0f1e6de46cbdef59e71c74eb74e3\", \"version\": \"1.2.%d\"}\n    }", comma(i > 0), i, i, i)
		}) + "], \"version\": 2}\n"
	}},
	{"conan.lock", func(n int) string {
		return "{\"version\": \"0.5\", \"requires\": [" + each(n, func(i int) string {
			return fmt.Sprintf("%s\n    \"package-%d/1.2.%d#13c96f538b52e1600c40b88994de240f%%1667396813.733\"", comma(i > 0), i, i)
		}) + "]}\n"
	}},
	{"cabal.project.freeze", func(n int) string {
		return "constraints: any.base ==4.18,\n" + each(n-1, func(i int) string { return fmt.Sprintf("             any.package-%d ==1.2.%d,\n", i, i) })
	}},
	{"renv.lock", func(n int) string {
		return "{\"Packages\": {" + each(n, func(i int) string {
			return fmt.Sprintf("%s\n    \"package%d\": {\"Package\": \"package%d\", \"Version\": \"1.2.%d\", \"Source\": \"Repository\", \"Repository\": \"CRAN\", \"Hash\": \"4584a57f565dd7987d59dda3a02cfb41\"}", comma(i > 0), i, i, i)
		}) + "}}\n"
	}},
	{"go.mod", func(n int) string {
		return "module example.com/app\n\ngo 1.24\n\nrequire (\n" + each(n, func(i int) string { return fmt.Sprintf("\texample.com/package-%d v1.2.%d // indirect\n", i, i) }) + ")\n"
	}},
}

func each(n int, write func(i int) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(write(i))
	}
	return b.String()
}

// needsOf writes what package i of n needs.
func needsOf(i, n int, write func(k int) string) string {
	return each(4, func(k int) string { return write((i*3 + k + 1) % n) })
}

func comma(yes bool) string {
	if yes {
		return ","
	}
	return ""
}

func packageLockOf(n int) string {
	return "{\n  \"name\": \"app\",\n  \"version\": \"1.0.0\",\n  \"lockfileVersion\": 3,\n  \"requires\": true,\n  \"packages\": {\n    \"\": {\n      \"name\": \"app\",\n      \"dependencies\": {\n" +
		each(20, func(i int) string { return fmt.Sprintf("        \"package-%d\": \"^1.0.0\"%s\n", i, comma(i < 19)) }) + "      }\n    }" +
		each(n, func(i int) string {
			path := fmt.Sprintf("node_modules/package-%d", i)
			if i%7 == 6 {
				path = fmt.Sprintf("node_modules/package-%d/node_modules/@scope/inner-%d", i-1, i)
			}
			return fmt.Sprintf(",\n    \"%s\": {\n      \"version\": \"1.2.%d\",\n      \"resolved\": \"https://registry.npmjs.example/package-%d/-/package-%d-1.2.%d.tgz\",\n", path, i, i, i, i) +
				"      \"integrity\": \"sha512-v2kDEe57lecTulaDIuNTPy3Ry4gLGJ6Z1O3vE1krgXZNrsQ+LFTGHVxVjcXPs17LhbZVGedAJv8XZ1tvj5FvSg==\",\n      \"dev\": true,\n      \"license\": \"MIT\",\n      \"engines\": {\n        \"node\": \">=6.9.0\"\n      },\n      \"funding\": {\n        \"type\": \"opencollective\",\n        \"url\": \"https://opencollective.example/package\"\n      },\n      \"dependencies\": {\n" +
				strings.TrimSuffix(needsOf(i, n, func(k int) string { return fmt.Sprintf("        \"package-%d\": \"^1.0.0\",\n", k) }), ",\n") + "\n      }\n    }"
		}) + "\n  }\n}\n"
}

// BenchmarkRead reads lock files of growing size.
func BenchmarkRead(b *testing.B) {
	for _, w := range written {
		for _, n := range sizes {
			b.Run(fmt.Sprintf("%s/%d", w.path, n), func(b *testing.B) {
				data := []byte(w.text(n))
				b.SetBytes(int64(len(data)))
				b.ReportAllocs()
				for b.Loop() {
					m := Read(b.Context(), []inventory.File{{Path: w.path, Data: data}}).Manifests[0]
					if m.Gap != "" || len(m.Packages) != n {
						b.Fatalf("gap %q, %d packages", m.Gap, len(m.Packages))
					}
				}
			})
		}
	}
}

// BenchmarkLibrary reads the smallest of the same files with the library's readers, to compare
// with in one run. They give fewer facts.
func BenchmarkLibrary(b *testing.B) {
	for _, w := range written {
		b.Run(fmt.Sprintf("%s/%d", w.path, sizes[0]), func(b *testing.B) {
			data := []byte(w.text(sizes[0]))
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, err := oracle(b, w.path, w.path, memory{w.path: data}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkEncodingJSON decodes the same package-lock.json with the standard library into the
// fields that a scan needs, without lines: a yardstick for the machine.
func BenchmarkEncodingJSON(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			data := []byte(packageLockOf(n))
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				var lock struct {
					Packages map[string]struct {
						Version, Resolved, License string
						Dev, Optional              bool
						Dependencies               map[string]string
					}
				}
				if err := json.Unmarshal(data, &lock); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestLinear reads each format at n and 8n and fails when the time grows by far more than the
// size, as it does with the square. Times of a busy machine jump, so the bound is wide and the
// best of several runs counts.
func TestLinear(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a run without -short: it measures")
	}
	const small, factor = 1_000, 8
	for _, w := range written {
		once := func(n int) float64 {
			data := []byte(w.text(n))
			best := 0.0
			for range 4 {
				r := seconds(func() { Read(t.Context(), []inventory.File{{Path: w.path, Data: data}}) })
				if best == 0 || r < best {
					best = r
				}
			}
			return best
		}
		// What is quadratic takes factor² times as long at every attempt; a busy machine does not.
		ratio := 0.0
		for range 5 {
			if ratio = once(small*factor) / once(small); ratio <= 4*factor {
				break
			}
		}
		if ratio > 4*factor {
			t.Errorf("%s: %d times the packages take %.0f times as long", w.path, factor, ratio)
		}
	}
}
