package differential_test

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// stoodFor says which file name the fixtures of each folder of the corpus' formats stand
// for; "" keeps the name that a fixture has.
var stoodFor = map[string]string{
	"cpp/conanlock": "conan.lock", "dart/pubspec": "pubspec.lock",
	"dotnet/csproj": "app.csproj", "dotnet/depsjson": "app.deps.json", "dotnet/nugetcpm": "Directory.Packages.props",
	"dotnet/packagesconfig": "packages.config", "dotnet/packageslockjson": "packages.lock.json",
	"dotnet/paketdependencies": "paket.dependencies", "dotnet/paketlock": "paket.lock", "dotnet/projectassetsjson": "project.assets.json",
	"elixir/mixlock": "mix.lock", "erlang/mixlock": "mix.lock", "gleam/gleamtoml": "gleam.toml",
	"golang/gomod": "go.mod", "golang/vendormodules": "vendor/modules.txt",
	"haskell/cabal": "cabal.project.freeze", "haskell/stacklock": "stack.yaml.lock",
	"java/gradlelockfile": "gradle.lockfile", "java/gradleverificationmetadataxml": "gradle/verification-metadata.xml",
	"java/gradleversioncatalog": "gradle/libs.versions.toml", "java/pomxml": "pom.xml",
	"javascript/bunlock": "bun.lock", "javascript/denojson": "deno.json", "javascript/denotssource": "main.ts",
	"javascript/packagejson": "package.json", "javascript/packagelockjson": "package-lock.json",
	"javascript/pnpmlock": "pnpm-lock.yaml", "javascript/yarnlock": "yarn.lock", "php/composerlock": "composer.lock",
	"python/pdmlock": "pdm.lock", "python/pipfilelock": "Pipfile.lock", "python/poetrylock": "poetry.lock",
	"python/pylock": "pylock.toml", "python/pyprojecttoml": "pyproject.toml", "python/requirements": "requirements.txt",
	"python/uvlock": "uv.lock", "r/renvlock": "renv.lock", "ruby/gemfilelock": "Gemfile.lock",
	"rust/cargolock": "Cargo.lock", "rust/cargotoml": "Cargo.toml", "sbom/cdx": "", "sbom/spdx": "",
	"swift/packageresolved": "Package.resolved", "swift/podfilelock": "Podfile.lock",
}

// staged copies every fixture into a folder of its own below the returned one, under the
// name that it stands for.
func staged(t *testing.T, formats string) (dir string, count int) {
	t.Helper()
	dir = t.TempDir()
	for i, f := range filesBelow(t, formats) {
		if raceDetector && i%8 != 0 {
			continue // ten times slower, and no more than a sample to see
		}
		folder, rest, ok := strings.Cut(f.Path, "/testdata/")
		name, known := stoodFor[folder]
		if !ok || !known {
			t.Errorf("%s: no file name is known that it stands for", f.Path)
			continue
		}
		if name == "" {
			name = filepath.Base(rest)
		}
		to := filepath.Join(dir, filepath.FromSlash(folder), strings.ReplaceAll(rest, "/", "_")+".d", filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
		count++
	}
	return dir, count
}

// TestDifferentialFormatsCorpus: on every fixture of every format OSV-Scanner and we find
// the same, in what it extracted and in what each extracted by itself.
func TestDifferentialFormatsCorpus(t *testing.T) {
	t.Parallel()
	o := newOracle(t, corpus(t, "osv"), corpus(t, "osv-converted"))
	dir, count := staged(t, corpus(t, "lockfiles", "formats"))
	least := 400
	if raceDetector {
		least = 50
	}
	if count < least {
		t.Fatalf("%d fixtures", count)
	}
	packages := o.offline(t, dir)
	for n := range packages {
		ecosystem, _, _ := strings.Cut(cmp.Or(n.ecosystem, "GIT"), ":") // as it takes what has none
		if _, err := os.Stat(filepath.Join(o.local, "osv-scalibr", ecosystem, "all.zip")); err != nil {
			t.Errorf("without a database of %q OSV-Scanner stops in the middle", ecosystem)
		}
	}
	o.compare(t, packages)
	same := o.sameFindings(t, dir, packages)
	t.Logf("%d fixtures, %d packages, %d findings in common", count, len(packages), same)
	if len(packages) < count || same == 0 || !raceDetector && same < 200 {
		t.Errorf("%d packages and %d findings in common are too few to say anything", len(packages), same)
	}
}
