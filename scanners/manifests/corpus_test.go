package manifests

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/checks/inventory"
)

// explained are the differences between what the library's reader finds in a file ("-name
// version") and what ours does ("+name version"). Each reason stands in docs/differences.md.
var explained = []struct{ format, difference, reason string }{
	{"go.mod", `^-stdlib `, "The go line is the lowest version that will do"},
	{"go.mod", `^-\./`, "A replacement by a folder is part of the repository"},
	{"vendor/modules.txt", `^-example.com/local `, "A replacement by a folder is part of the repository"},
	{"package-lock.json", `^-(@sigstore/\S+|@types/sigstore-jest-extended|sigstore|other_package|etag) `, "Workspaces and linked folders are part of the repository"},
	{"yarn.lock", `^-(etag|filedep|other_package|sprintf-js|my-package|@ws/ansi-regex) `, "Workspaces and linked folders are part of the repository"},
	{"bun.lock", `^-etag $`, "Workspaces and linked folders are part of the repository"},
	{"pnpm-lock.yaml", `^-(\S+ file:|(jsx-entry|a-local-package|a-nested-local-package|one-up|one-up-with-peer) )`, "Workspaces and linked folders are part of the repository"},
	{"pnpm-lock.yaml", `^\+\S+ \d+\.\d+\.\d+$`, "Packages with scoped peers"},
	{"pnpm-lock.yaml", `^\+\S+ $`, "A package from an address"},
	{"Cargo.lock", `^-(globset|grep(-\w+)?|ignore|ripgrep|local-rust-pkg) `, "Workspaces and linked folders are part of the repository"},
	{"uv.lock", `^-(sigstore|spectree) `, "Workspaces and linked folders are part of the repository"},
	{"pubspec.lock", `^-(_popularity|_pub_shared|api_builder|fake_gcloud|indexed_blob|pub_dartdoc_data|pub_package_reader|maa_core|flutter_web_plugins) `, "Workspaces and linked folders are part of the repository"},
	{"composer.lock", `^-\S+ .*-dev$|^-\S+ dev-|^\+\S+ $`, "A branch is no version"},
	{"requirements.txt", `^-(sphinx(-rtd-dark-mode|-rtd-theme|-tabs)?|keyring|mopidy-dirble|newspaper3k|pkg|combination-also-valid|foo7) |^\+\S+ $`, "A range is no version"},
	{"requirements.txt", `^\+wxpython-phoenix `, "The file name of a wheel tells name and version"},
	{"Pipfile.lock", `^\+\S+ $`, "An entry without a version"},
	{"pom.xml", `^\+`, "Dependencies whose version is not in the file"},
	{"pom.xml", `^-org.mine:ranged-package `, "A range is no version"},
	{"Directory.Packages.props", `^\+`, "PackageVersion elements"},
	{"*.csproj", `^\+`, "A version may be an element, a property or in a file above"},
	{"*.deps.json", `^-TestLibrary `, "Projects are part of the repository"},
	{"stack.yaml.lock", `^\+postgresql-libpq `, "Packages from a repository or an archive"},
	{"renv.lock", `^\+(morning|mime|BSgenome) `, "The library takes packages of CRAN only"},
}

// explain returns the reason for a difference, "" when there is none.
func explain(format, difference string) string {
	for _, e := range explained {
		if e.format == format && regexp.MustCompile(e.difference).MatchString(difference) {
			return e.reason
		}
	}
	return ""
}

func TestDifferencesAreDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "differences.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range explained {
		if !strings.Contains(string(page), e.reason) {
			t.Errorf("docs/differences.md does not tell: %s", e.reason)
		}
	}
}

// incomplete are the files of the pairs that have a Gap, and why that is right.
var incomplete = map[string]string{
	"postgrest-cabal.project.freeze-a2a592a6": "it holds only the date of the package index",
}

// TestCorpusPairs reads both sides of each recorded commit and compares the packages with
// those that the library's reader finds.
func TestCorpusPairs(t *testing.T) {
	t.Parallel()
	list := pairs(t)
	if len(list) < 100 {
		t.Fatalf("%d pairs", len(list))
	}
	for _, p := range list {
		for _, side := range []string{"base", "head"} {
			t.Run(p.ID+"/"+side, func(t *testing.T) {
				t.Parallel()
				files, all := load(t, filepath.Join(corpus(t), "lockfiles", "pairs", p.ID, side))
				m := manifestAt(t, Read(t.Context(), files), p.Path)
				if (m.Gap != "") != (incomplete[p.ID] != "") {
					t.Errorf("%s: gap %q", m.Path, m.Gap)
				}
				// The library takes seconds for some; the two sides differ by a few packages.
				if _, ok := oracles[m.Format]; ok && side == "head" {
					compare(t, m, all)
				}
				checkFacts(t, m)
			})
		}
	}
}

// manifestAt returns the manifest with that path, and fails on gaps of the others.
func manifestAt(t *testing.T, inv inventory.Inventory, path string) inventory.Manifest {
	t.Helper()
	var found inventory.Manifest
	for _, m := range inv.Manifests {
		if m.Path == path {
			found = m
		} else if m.Gap != "" {
			t.Errorf("%s beside it: gap %q", m.Path, m.Gap)
		}
	}
	if found.Path == "" {
		t.Fatalf("%s does not come out", path)
	}
	return found
}

// compare fails on each difference from the library that has no reason.
func compare(t *testing.T, m inventory.Manifest, all memory) {
	t.Helper()
	theirs, err := oracle(t, m.Format, m.Path, all)
	if err != nil {
		t.Logf("the library: %v", err)
	}
	for _, d := range difference(theirs, ours(m)) {
		if explain(m.Format, d) == "" {
			t.Errorf("%s: %s", m.Path, d)
		}
	}
}

// checkFacts fails where a package lacks what each of its format has.
func checkFacts(t *testing.T, m inventory.Manifest) {
	t.Helper()
	for _, p := range m.Packages {
		if p.PURL == "" || p.Ecosystem == "" || p.Manager == "" || p.Version == "" && p.Constraint == "" && p.Commit == "" && m.Format != "pom.xml" && m.Format != "requirements.txt" {
			t.Errorf("%s: %+v lacks something", m.Path, p)
		}
		if p.Line == 0 {
			t.Errorf("%s: %s has no line", m.Path, p.PURL)
		}
		if n := len(p.Via); n > 0 && p.Via[n-1] != p.Name {
			t.Errorf("%s: the path of %s ends at %s", m.Path, p.Name, p.Via[n-1])
		}
	}
}

// fixtureFolders says which file name the fixtures of each folder stand for.
var fixtureFolders = map[string]string{
	"golang/gomod": "go.mod", "javascript/packagelockjson": "package-lock.json", "javascript/yarnlock": "yarn.lock",
	"javascript/pnpmlock": "pnpm-lock.yaml", "javascript/bunlock": "bun.lock", "python/requirements": "requirements.txt",
	"python/poetrylock": "poetry.lock", "python/pipfilelock": "Pipfile.lock", "python/uvlock": "uv.lock",
	"python/pdmlock": "pdm.lock", "python/pylock": "pylock.toml", "rust/cargolock": "Cargo.lock",
	"ruby/gemfilelock": "Gemfile.lock", "php/composerlock": "composer.lock", "java/gradlelockfile": "gradle.lockfile",
	"java/gradleverificationmetadataxml": "gradle/verification-metadata.xml", "java/pomxml": "pom.xml",
	"dotnet/packageslockjson": "packages.lock.json", "dotnet/packagesconfig": "packages.config",
	"dotnet/nugetcpm": "Directory.Packages.props", "dart/pubspec": "pubspec.lock",
	"golang/vendormodules": "vendor/modules.txt", "dotnet/csproj": "app.csproj", "dotnet/depsjson": "app.deps.json",
	"erlang/mixlock": "mix.lock", "elixir/mixlock": "mix.lock", "haskell/cabal": "cabal.project.freeze",
	"haskell/stacklock": "stack.yaml.lock", "r/renvlock": "renv.lock", "cpp/conanlock": "conan.lock",
	"swift/packageresolved": "Package.resolved", "swift/podfilelock": "Podfile.lock",
}

// TestCorpusFormats reads the library's own fixtures, many of which are broken on purpose. A
// file that is read must give what the library finds; one that is not must say why.
func TestCorpusFormats(t *testing.T) {
	t.Parallel()
	root := filepath.Join(corpus(t), "lockfiles", "formats")
	for folder, name := range fixtureFolders {
		dir := filepath.Join(root, filepath.FromSlash(folder), "testdata")
		err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(root, file)
			t.Run(filepath.ToSlash(rel), func(t *testing.T) {
				t.Parallel()
				m := readFile(t, inventory.File{Path: name, Data: data})
				if m.Gap == "" {
					compare(t, m, memory{name: data})
				}
			})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
