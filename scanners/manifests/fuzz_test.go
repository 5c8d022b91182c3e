package manifests

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks/inventory"
)

// fuzzed reads text as one of the formats, without the net that turns a panic into a Gap, and
// checks what must hold of any Inventory.
func fuzzed(t *testing.T, path, text string) {
	if len(text) > 1<<16 {
		return
	}
	format := formatOf(path)
	f := inventory.File{Path: path, Data: []byte(text)}
	checked, err := checkedText(&f)
	if err != nil {
		return
	}
	run := func() ([]inventory.Package, error) {
		s := &source{ctx: t.Context(), path: path, text: checked, format: format, tree: newTree([]inventory.File{f})}
		err := s.read()
		return unique(s.packages), err
	}
	packages, err := run()
	lines := strings.Count(checked, "\n") + 1
	for _, p := range packages {
		if p.Name == "" || p.PURL == "" {
			t.Errorf("a package without a name: %+v", p)
		}
		if p.Line < 0 || p.Line > lines {
			t.Errorf("%s is in line %d of %d", p.Name, p.Line, lines)
		}
		if n := len(p.Via); n > maxVia || n > 0 && p.Via[n-1] != p.Name {
			t.Errorf("the path of %s is %v", p.Name, p.Via)
		}
	}
	again, err2 := run()
	if diff := cmp.Diff(packages, again); diff != "" || (err == nil) != (err2 == nil) {
		t.Errorf("two readings differ (%v, %v):\n%s", err, err2, diff)
	}
}

// fixtures adds those files of testdata/read with the given name.
func fixtures(f *testing.F, name string) {
	f.Helper()
	err := filepath.WalkDir(filepath.Join("testdata", "read"), func(file string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() != name {
			return err
		}
		data, err := os.ReadFile(file)
		if len(data) < 8<<10 {
			f.Add(string(data))
		}
		return err
	})
	if err != nil {
		f.Fatal(err)
	}
}

func fuzz(f *testing.F, path string, more ...string) {
	fixtures(f, filepath.Base(path))
	for _, text := range more {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { fuzzed(t, path, text) })
}

func FuzzPackageLock(f *testing.F) {
	fuzz(f, "package-lock.json", `{"lockfileVersion":3,"packages":{"node_modules/@a/b/node_modules/c":{"optionalDependencies":{"c":"1"}}}}`)
}
func FuzzYarn(f *testing.F)            { fuzz(f, "yarn.lock") }
func FuzzPnpm(f *testing.F)            { fuzz(f, "pnpm-lock.yaml") }
func FuzzBun(f *testing.F)             { fuzz(f, "bun.lock") }
func FuzzRequirements(f *testing.F)    { fuzz(f, "requirements.txt") }
func FuzzUV(f *testing.F)              { fuzz(f, "uv.lock") }
func FuzzPoetry(f *testing.F)          { fuzz(f, "poetry.lock") }
func FuzzPyproject(f *testing.F)       { fuzz(f, "pyproject.toml") }
func FuzzCargoLock(f *testing.F)       { fuzz(f, "Cargo.lock") }
func FuzzCargoToml(f *testing.F)       { fuzz(f, "Cargo.toml") }
func FuzzGemfileLock(f *testing.F)     { fuzz(f, "Gemfile.lock") }
func FuzzComposerLock(f *testing.F)    { fuzz(f, "composer.lock") }
func FuzzGradleLock(f *testing.F)      { fuzz(f, "gradle.lockfile") }
func FuzzPom(f *testing.F)             { fuzz(f, "pom.xml") }
func FuzzPackagesLock(f *testing.F)    { fuzz(f, "packages.lock.json") }
func FuzzCentralPackages(f *testing.F) { fuzz(f, "Directory.Packages.props") }
func FuzzGoMod(f *testing.F)           { fuzz(f, "go.mod") }
func FuzzMix(f *testing.F)             { fuzz(f, "mix.lock") }
func FuzzMixManifest(f *testing.F)     { fuzz(f, "mix.exs") }
func FuzzCabalFreeze(f *testing.F)     { fuzz(f, "cabal.project.freeze") }
func FuzzCabal(f *testing.F)           { fuzz(f, "tool.cabal") }
func FuzzStack(f *testing.F)           { fuzz(f, "stack.yaml.lock") }
func FuzzRenv(f *testing.F)            { fuzz(f, "renv.lock") }
func FuzzConan(f *testing.F)           { fuzz(f, "conan.lock") }
func FuzzConanRecipe(f *testing.F)     { fuzz(f, "conanfile.py") }
func FuzzSwift(f *testing.F)           { fuzz(f, "Package.resolved") }
func FuzzSwiftManifest(f *testing.F)   { fuzz(f, "Package.swift") }
func FuzzPods(f *testing.F)            { fuzz(f, "Podfile.lock") }
func FuzzProject(f *testing.F)         { fuzz(f, "App.csproj") }
func FuzzDepsJSON(f *testing.F)        { fuzz(f, "TestLibrary.deps.json") }
func FuzzDockerfile(f *testing.F)      { fuzz(f, "Dockerfile") }
func FuzzCompose(f *testing.F)         { fuzz(f, "docker-compose.yml") }
func FuzzCycloneDX(f *testing.F)       { fuzz(f, "app.cdx.json") }
func FuzzCycloneDXXML(f *testing.F)    { fuzz(f, "app.cdx.xml") }
func FuzzSPDX(f *testing.F)            { fuzz(f, "app.spdx.json") }
func FuzzSPDXTags(f *testing.F)        { fuzz(f, "app.spdx") }
func FuzzSPDX3(f *testing.F)           { fuzz(f, "app.spdx3.json") }
func FuzzVendorModules(f *testing.F)   { fuzz(f, "vendor/modules.txt") }
func FuzzCatalog(f *testing.F)         { fuzz(f, "gradle/libs.versions.toml") }
func FuzzGradle(f *testing.F)          { fuzz(f, "build.gradle.kts") }
func FuzzDeno(f *testing.F)            { fuzz(f, "deno.lock") }
func FuzzDenoManifest(f *testing.F)    { fuzz(f, "deno.jsonc") }
func FuzzPubspecManifest(f *testing.F) { fuzz(f, "pubspec.yaml") }
func FuzzSetupCfg(f *testing.F)        { fuzz(f, "setup.cfg") }
func FuzzSetup(f *testing.F)           { fuzz(f, "setup.py") }
func FuzzAPK(f *testing.F)             { fuzz(f, "lib/apk/db/installed") }
func FuzzDpkg(f *testing.F)            { fuzz(f, "var/lib/dpkg/status") }
func FuzzScannerReport(f *testing.F)   { fuzz(f, "osv-scanner-custom.json") }
func FuzzSPDXRDF(f *testing.F)         { fuzz(f, "app.spdx.rdf") }
func FuzzActions(f *testing.F) {
	fuzz(f, ".github/workflows/ci.yml", "jobs:\n  a:\n    steps:\n    - uses: o/r@v1 # x\n")
}
