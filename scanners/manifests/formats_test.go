package manifests

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/package-url/packageurl-go"

	"github.com/landwaiter/landwaiter/checks/inventory"
)

func TestWanted(t *testing.T) {
	t.Parallel()
	for path, format := range map[string]string{
		"go.mod":                                  "go.mod",
		"a/b/go.mod":                              "go.mod",
		"go.work":                                 "go.work",
		"web/package-lock.json":                   "package-lock.json",
		"npm-shrinkwrap.json":                     "package-lock.json",
		"node_modules/a/package-lock.json":        "",
		"web/node_modules/a/package.json":         "",
		"my_node_modules/package.json":            "package.json",
		"requirements.txt":                        "requirements.txt",
		"requirements-dev.txt":                    "requirements.txt",
		"dev-requirements.txt":                    "requirements.txt",
		"deploy/requirements/prod.txt":            "requirements.txt",
		"constraints-3.12.txt":                    "constraints.txt",
		"requirements.in":                         "",
		"notes.txt":                               "",
		"pylock.toml":                             "pylock.toml",
		"pylock.dev.toml":                         "pylock.toml",
		"gradle/verification-metadata.xml":        "verification-metadata.xml",
		"app/gradle/verification-metadata.xml":    "verification-metadata.xml",
		"verification-metadata.xml":               "",
		"settings/buildscript-gradle.lockfile":    "gradle.lockfile",
		".github/workflows/ci.yml":                "GitHub Actions",
		".github/workflows/ci.yaml":               "GitHub Actions",
		".github/workflows/nested/ci.yml":         "",
		"other/.github/workflows/ci.yml":          "",
		"action.yml":                              "GitHub Actions",
		".github/actions/build/action.yaml":       "GitHub Actions",
		".github/dependabot.yml":                  "",
		"Gems.locked":                             "",
		"gems.locked":                             "Gemfile.lock",
		"src/Directory.Packages.props":            "Directory.Packages.props",
		"README.md":                               "",
		".gitmodules":                             ".gitmodules",
		"vendor/x/.gitmodules":                    "",
		"build/Dockerfile":                        "Dockerfile",
		"Dockerfile.prod":                         "Dockerfile",
		"app.dockerfile":                          "Dockerfile",
		"docker-compose.override.yml":             "compose.yaml",
		"compose.prod.yaml":                       "compose.yaml",
		"composer.yaml":                           "",
		"App.deps.json":                           "*.deps.json",
		"lib/apk/db/installed":                    "lib/apk/db/installed",
		"a/lib/apk/db/installed":                  "",
		"var/lib/dpkg/status.d/python3.11":        "var/lib/dpkg/status",
		"vendor/modules.txt":                      "vendor/modules.txt",
		"gradle/libs.versions.toml":               "libs.versions.toml",
		"app/build.gradle.kts":                    "build.gradle",
		"bom.json":                                "SBOM",
		"dist/app.cdx.xml":                        "SBOM",
		"app.spdx":                                "SBOM",
		".spdx.app.json":                          "SBOM",
		"app.spdx.rdf":                            "SBOM",
		"src/App.csproj":                          "*.csproj",
		"tool.cabal":                              "*.cabal",
		"":                                        "",
		"pom.xml.bak":                             "",
		"a very long name/with spaces/Cargo.lock": "Cargo.lock",
	} {
		f := formatOf(path)
		got := ""
		if f != nil {
			got = f.Name
		}
		if got != format || Wanted(path) != (format != "") {
			t.Errorf("%s: format %q, want %q", path, got, format)
		}
	}
}

// TestFormatsAreDocumented holds docs/formats.md to the table.
func TestFormatsAreDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "formats.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for line := range strings.Lines(string(page)) {
		if cells := strings.Split(line, "|"); len(cells) > 3 {
			rows[strings.Trim(cells[1], " `")] = line
		}
	}
	for _, f := range Formats() {
		row, ok := rows[f.Name]
		switch {
		case !ok:
			t.Errorf("docs/formats.md has no row for %s", f.Name)
		case !strings.Contains(row, f.Ecosystem) || !strings.Contains(row, f.Parser):
			t.Errorf("docs/formats.md, %s: want %s and %s in %s", f.Name, f.Ecosystem, f.Parser, row)
		}
		if f.Manager == "" || f.remedy == "" || f.Tier < 1 || f.Tier > 2 || (f.read == nil) == (f.wants == nil) || f.Companion != (f.wants != nil) {
			t.Errorf("the row of %s is not complete", f.Name)
		}
		if _, ok := purlTypes[f.Ecosystem]; !ok && f.Ecosystem != "" { // "" where each package says its own
			t.Errorf("%s: no package URL type for %s", f.Name, f.Ecosystem)
		}
		if g := formatOf(pathOf(f)); g == nil || g.Name != f.Name {
			t.Errorf("%s is not recognised as %s", pathOf(f), f.Name)
		}
	}
}

// FuzzPURL holds the short way of writing package URLs to the library's.
func FuzzPURL(f *testing.F) {
	for _, s := range []struct{ ecosystem, name, version string }{
		{"npm", "lodash", "4.17.21"}, {"npm", "@babel/core", "7.0.0"}, {"Go", "golang.org/x/net", "0.30.0"}, {"Go", "github.com/A/b", "1.0.0+incompatible"},
		{"Maven", "org.a:b-c", "1.0"}, {"PyPI", "some-thing", "1!2.0"}, {"Packagist", "a/b", "v1.0"}, {"GitHub Actions", "actions/checkout", "v4"}, {"NuGet", "A.B", "1"},
		{"npm", "a/../b", "1"}, {"npm", "@", ""}, {"crates.io", "a//b", "."}, {"Go", "/a", ""}, {"npm", "a", "1/2"}, {"PyPI", "a/b", "1"}, {"Hackage", "a/b", ""},
	} {
		f.Add(s.ecosystem, s.name, s.version)
	}
	f.Fuzz(func(t *testing.T, ecosystem, name, version string) {
		kind, ok := purlTypes[ecosystem]
		if !ok || name == "" {
			return
		}
		got := purlOf(ecosystem, name, version)
		if ecosystem == "Go" && version != "" {
			version = "v" + version
		}
		namespace := ""
		if i := strings.LastIndex(name, kind.split); kind.split != "" && i >= 0 {
			namespace, name = name[:i], name[i+len(kind.split):]
		}
		if want := packageurl.NewPackageURL(kind.name, namespace, name, version, nil, "").ToString(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

// TestCorpusScopes compares the scopes that the graph gives with the flags that npm itself
// computed, over all recorded lock files. Ours may only be stricter, and so far never is.
func TestCorpusScopes(t *testing.T) {
	t.Parallel()
	compared := 0
	for _, p := range pairs(t) {
		if p.Format != "npm-v2" && p.Format != "npm-v3" {
			continue
		}
		files, all := load(t, filepath.Join(corpus(t), "lockfiles", "pairs", p.ID, "head"))
		var lock struct {
			Packages map[string]struct {
				Version                    string
				Dev, Optional, DevOptional bool
			}
		}
		if err := json.Unmarshal(all[p.Path], &lock); err != nil {
			t.Fatal(err)
		}
		want := map[string]inventory.Scope{}
		for place, e := range lock.Packages {
			_, name, ok := splitModules(place)
			id, scope := name+"@"+e.Version, flagged(e.Dev, e.Optional || e.DevOptional)
			if old, twice := want[id]; ok && (!twice || strength(scope) > strength(old)) {
				want[id] = scope
			}
		}
		for _, q := range manifestAt(t, Read(t.Context(), files), p.Path).Packages {
			if w, ok := want[q.Name+"@"+q.Version]; ok && w != q.Scope {
				t.Errorf("%s: %s is %s, npm says %s", p.ID, q.PURL, q.Scope, w)
			}
			compared++
		}
	}
	if compared < 10_000 {
		t.Errorf("%d packages compared", compared)
	}
}
