package manifests

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/checks/inventory"
)

// pathOf is a path that the format is recognised by.
func pathOf(f Format) string {
	return strings.ReplaceAll(strings.TrimPrefix(f.Files[0], "/"), "*", "")
}

// read reads one file.
func read(t testing.TB, path, text string) inventory.Manifest {
	t.Helper()
	return readFile(t, inventory.File{Path: path, Data: []byte(text)})
}

func readFile(t testing.TB, f inventory.File) inventory.Manifest {
	t.Helper()
	inv := Read(t.Context(), []inventory.File{f})
	if len(inv.Manifests) != 1 || inv.Manifests[0].Path != f.Path {
		t.Fatalf("%s: got %d manifests, want the one of the file", f.Path, len(inv.Manifests))
	}
	return inv.Manifests[0]
}

// wantGap fails unless m is a Manifest without packages whose Gap holds the words.
func wantGap(t testing.TB, m inventory.Manifest, words string) {
	t.Helper()
	if !strings.Contains(m.Gap, words) || m.Gap == "" {
		t.Errorf("%s: gap %q, want one about %q", m.Path, m.Gap, words)
	}
	if len(m.Packages) != 0 {
		t.Errorf("%s: %d packages beside the gap %q", m.Path, len(m.Packages), m.Gap)
	}
}

// TestG23BadFiles reads, as each format, files that hold no manifest. None may come out as a
// manifest without packages.
func TestG23BadFiles(t *testing.T) {
	t.Parallel()
	bad := map[string]inventory.File{
		"symbolic link": {Problem: "is a symbolic link"},
		"too large":     {Problem: "is larger than 32 MiB"},
		"NUL bytes":     {Data: []byte("a\x00b")},
		"invalid UTF-8": {Data: []byte("name = \"\xff\xfe\"\n")},
		"UTF-16":        {Data: []byte("\xff\xfe{\x00}\x00")},
		"conflict":      {Data: []byte("{\n<<<<<<< HEAD\n\"a\": 1\n=======\n\"a\": 2\n>>>>>>> other\n}\n")},
		"an image":      {Data: []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")},
	}
	for _, format := range Formats() {
		for name, f := range bad {
			t.Run(format.Name+"/"+name, func(t *testing.T) {
				t.Parallel()
				f.Path = pathOf(format)
				m := readFile(t, f)
				if m.Gap == "" || len(m.Packages) > 0 {
					t.Errorf("gap %q with %d packages, want a gap without packages", m.Gap, len(m.Packages))
				}
				if m.Format != format.Name {
					t.Errorf("format %q, want %q", m.Format, format.Name)
				}
			})
		}
	}
}

// TestG23HoldsNothing reads texts that hold nothing as each lock file and manifest. Only where
// an empty file is a complete one may it pass.
func TestG23HoldsNothing(t *testing.T) {
	t.Parallel()
	complete := map[string]bool{}
	for _, c := range []string{
		"requirements.txt empty", "requirements.txt comment", "constraints.txt empty", "constraints.txt comment", "go.sum empty", ".gitmodules empty", ".gitmodules comment",
		"package.json {}", "composer.json {}", // a project that wants nothing
		"mix.exs {}", "mix.exs []", "mix.exs word", "mix.exs comment", "conanfile.py {}", "conanfile.py []", "conanfile.py word", "conanfile.py comment", // programs
		"Package.swift {}", "Package.swift []", "Package.swift word", "Package.swift comment", "Podfile {}", "Podfile []", "Podfile word", "Podfile comment",
		"*.deps.json []", // of another tool
		"build.gradle {}", "build.gradle []", "build.gradle word", "build.gradle comment", "build.gradle empty", "setup.py {}", "setup.py []", "setup.py word", "setup.py comment", "setup.py empty",
		"setup.cfg {}", "setup.cfg []", "setup.cfg word", "setup.cfg comment", "setup.cfg empty", "pubspec.yaml {}", "deno.json {}", "vendor/modules.txt empty",
		"package.yaml {}", "conanfile.txt []", "conanfile.txt comment",
		"Cargo.toml comment", "pyproject.toml comment", "Pipfile comment", "Gemfile comment", "Gemfile {}", "Gemfile []", "Gemfile word", "constraints.txt {}", "constraints.txt []", "constraints.txt word",
	} {
		complete[c] = true
	}
	for name, text := range map[string]string{"empty": "", "comment": "# nothing\n", "{}": "{}", "[]": "[]", "word": "nothing"} {
		for _, format := range Formats() {
			if name == "word" && format.Name == "requirements.txt" || name == "word" && format.Name == "go.sum" {
				continue // the name of a package; a broken line
			}
			m := read(t, pathOf(format), text)
			if (m.Gap == "") != complete[format.Name+" "+name] || len(m.Packages) > 0 {
				t.Errorf("%s holding %s: gap %q, %d packages", format.Name, name, m.Gap, len(m.Packages))
			}
		}
	}
}

// TestG23LockFiles changes one thing in a lock file that is complete.
func TestG23LockFiles(t *testing.T) {
	t.Parallel()
	const npm = "{\"lockfileVersion\": 3, \"packages\": {\"\": {}, \"node_modules/a\": {\"version\": \"1.0.0\"}}}"
	for _, c := range []struct{ name, path, text, old, new, gap string }{
		{"npm version unknown", "package-lock.json", npm, ": 3", ": 4", "has a lockfileVersion (line 1) that is not known"},
		{"npm version is text", "package-lock.json", npm, ": 3", `: "3"`, "that is not known"},
		{"npm version missing", "package-lock.json", npm, `"lockfileVersion": 3, `, "", "names no lockfileVersion"},
		{"npm without packages", "package-lock.json", npm, `"packages"`, `"package"`, `no "packages"`},
		{"npm truncated", "package-lock.json", npm, `"1.0.0"}}}`, `"1.0.0"`, "but the file ends"},
		{"npm key twice", "package-lock.json", npm, `"version": "1.0.0"`, `"version": "1.0.0", "version": "2.0.0"`, `the key "version" is there twice`},
		{"npm package twice", "package-lock.json", npm, `"": {}`, `"node_modules/a": {}`, "is there twice"},
		{"npm package without a name", "package-lock.json", npm, "node_modules/a", "node_modules/", "has no name"},
		{"npm packages is a list", "package-lock.json", npm, `{"": {}, "node_modules/a": {"version": "1.0.0"}}`, "[]", "expected an object"},
		{"npm version 1 with packages", "package-lock.json", npm, ": 3", ": 1", "only later versions have"},
		{"npm nested too deep", "package-lock.json", npm, "node_modules/a", strings.Repeat("node_modules/a/", 40) + "node_modules/a", "deeper than is read"},
		{"yarn line", "yarn.lock", "# yarn lockfile v1\n\na@1:\n  version \"1.0.0\"\n", "  version", "version", "line 4"},
		{"yarn version unknown", "yarn.lock", "# yarn lockfile v1\n\na@1:\n  version \"1.0.0\"\n", "v1", "v2", "is not known"},
		{"berry version unknown", "yarn.lock", "__metadata:\n  version: 8\n", "8", "99", "is not known"},
		{"pnpm version unknown", "pnpm-lock.yaml", "lockfileVersion: '9.0'\npackages:\n  a@1.0.0:\n    resolution: {integrity: x}\n", "9.0", "10.0", "is not known"},
		{"pnpm key twice", "pnpm-lock.yaml", "lockfileVersion: '9.0'\npackages:\n  a@1.0.0:\n    dev: true\n  b@1.0.0:\n    dev: true\n", "b@", "a@", "is there twice"},
		{"bun version unknown", "bun.lock", `{"lockfileVersion": 1, "packages": {"a": ["a@1.0.0", "", {}, ""]}}`, ": 1", ": 9", "is not known"},
		{"bun package without a name", "bun.lock", `{"lockfileVersion": 1, "packages": {"a": ["a@1.0.0", "", {}, ""]}}`, `"a@1.0.0"`, "{}", "no name"},
		{"poetry version unknown", "poetry.lock", "[[package]]\nname = \"a\"\nversion = \"1\"\n[metadata]\nlock-version = \"2.0\"\n", "2.0", "3.0", "is not known"},
		{"poetry without a name", "poetry.lock", "[[package]]\nname = \"a\"\nversion = \"1\"\n[metadata]\nlock-version = \"2.0\"\n", "name", "nam", "no name"},
		{"uv version unknown", "uv.lock", "version = 1\n[[package]]\nname = \"a\"\nversion = \"1\"\n", "= 1\n", "= 2\n", "is not known"},
		{"pdm version unknown", "pdm.lock", "[metadata]\nlock_version = \"4.5\"\n[[package]]\nname = \"a\"\nversion = \"1\"\n", "4.5", "9", "is not known"},
		{"pylock version unknown", "pylock.toml", "lock-version = \"1.0\"\n[[packages]]\nname = \"a\"\nversion = \"1\"\n", "1.0", "2.0", "is not known"},
		{"Pipfile.lock specification unknown", "Pipfile.lock", `{"_meta": {"pipfile-spec": 6}, "default": {"a": {"version": "==1.0"}}}`, "6", "7", "is not known"},
		{"Cargo version unknown", "Cargo.lock", "version = 4\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"registry+x\"\n", "= 4", "= 5", "is not known"},
		{"Cargo without a version", "Cargo.lock", "version = 4\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"registry+x\"\n", "version = \"1", "versio = \"1", "no version"},
		{"Gemfile.lock gem", "Gemfile.lock", "GEM\n  specs:\n    a (1.0)\n\nDEPENDENCIES\n  a\n", "a (1.0)", "a 1.0", "expected a gem"},
		{"composer without a name", "composer.lock", `{"packages": [{"name": "a/b", "version": "1.0"}]}`, `"name"`, `"nam"`, "no name"},
		{"packages.lock.json version unknown", "packages.lock.json", `{"version": 1, "dependencies": {"net8.0": {"A": {"type": "Direct", "resolved": "1.0.0"}}}}`, ": 1", ": 3", "is not known"},
		{"mix.lock word", "mix.lock", "%{\n  \"a\": {:hex, :a, \"1.0.0\", \"x\", [:mix], [], \"hexpm\", \"y\"},\n}\n", ":hex, :a", ":hx, :a", "line 2: the package a is of a form that is not known"},
		{"mix.lock twice", "mix.lock", "%{\"a\": {:hex, :a, \"1\"}, \"b\": {:hex, :b, \"1\"}}", "\"b\"", "\"a\"", "a is there twice"},
		{"mix.lock truncated", "mix.lock", "%{\"a\": {:hex, :a, \"1\"}}", "\"1\"}}", "\"1\"}", "expected"},
		{"conan version unknown", "conan.lock", `{"version": "0.5", "requires": ["a/1"]}`, "0.5", "0.6", "is not known"},
		{"conan without a list", "conan.lock", `{"version": "0.5", "requires": ["a/1"]}`, "requires", "require", "no list"},
		{"Package.resolved version unknown", "Package.resolved", `{"version": 2, "pins": [{"identity": "a", "location": "https://h.example/a", "state": {"version": "1.0.0"}}]}`, ": 2", ": 4", "is not known"},
		{"Package.resolved without a name", "Package.resolved", `{"version": 2, "pins": [{"location": "https://h.example/a", "state": {"version": "1.0.0"}}]}`, "location", "locatio", "no name"},
		{"renv without a version", "renv.lock", `{"Packages": {"a": {"Package": "a", "Version": "1.0"}}}`, "Version", "version", "no version"},
		{"stack package", "stack.yaml.lock", "packages:\n- completed:\n    hackage: a-1.0@sha256:b,1\n", "a-1.0", "a", "expected name-version"},
		{"stack snapshot only", "stack.yaml.lock", "packages:\n- completed:\n    hackage: a-1.0@sha256:b,1\n", "packages:\n- completed:\n    hackage: a-1.0@sha256:b,1\n", "packages: []\nsnapshots:\n- original: lts-22.41\n", "not in the file"},
		{"cabal without constraints", "cabal.project.freeze", "constraints: any.a ==1.0\n", "constraints", "active-repositories", "no constraints"},
		{"pod without a version", "Podfile.lock", "PODS:\n  - A (1.0)\n", "A (1.0)", "A", "expected a pod"},
		{"project of another kind", "a.csproj", "<Project><ItemGroup><PackageReference Include=\"A\" Version=\"1.0.0\"/></ItemGroup></Project>", "Project>", "Other>", "root element"},
		{"deps.json without libraries", "a.deps.json", `{"runtimeTarget": {}, "libraries": {"A/1.0.0": {"type": "package"}}}`, "libraries", "library", "no libraries"},
		{"deps.json without a version", "a.deps.json", `{"runtimeTarget": {}, "libraries": {"A/1.0.0": {"type": "package"}}}`, "/1.0.0", "", "expected name/version"},
		{"Dockerfile without FROM", "Dockerfile", "FROM alpine:3\n", "FROM", "FORM", "no FROM"},
		{"Dockerfile with an open text", "Dockerfile", "RUN cat <<EOF\nEOF\nFROM alpine:3\n", "\nEOF", "\nEOT", "up to EOF does not end"},
		{"compose without services", "compose.yaml", "services:\n  a:\n    image: alpine:3\n", "services:\n  a:\n    image", "service:\n  a:\n    images", "no services"},
		{"CycloneDX version unknown", "a.cdx.json", `{"bomFormat": "CycloneDX", "specVersion": "1.7", "components": []}`, "1.7", "1.8", "is not known"},
		{"CycloneDX name space unknown", "a.cdx.xml", `<bom xmlns="http://cyclonedx.org/schema/bom/1.7"><components/></bom>`, "1.7", "2.0", "is not known"},
		{"SPDX version unknown", "a.spdx.json", `{"SPDXID": "SPDXRef-DOCUMENT", "spdxVersion": "SPDX-2.3", "packages": []}`, "2.3", "9.0", "is not known"},
		{"SPDX tag", "a.spdx", "SPDXVersion: SPDX-2.3\nDocumentName: a\n", "DocumentName:", "DocumentName", "line 2"},
		{"component without a package URL", "a.cdx.json", `{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [{"type": "file", "name": "a"}]}`, "file", "library", "names 1 components without a package URL"},
		{"component of an unknown type", "a.cdx.json", `{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [{"type": "file", "name": "a"}]}`, `"name"`, `"purl": "pkg:generic/a@1", "name"`, "names 1 components without a package URL"},
		{"vendored module", "vendor/modules.txt", "# example.com/a v1.0.0\nexample.com/a\n", "# e", "e", "line 1: expected a module"},
		{"deno version unknown", "deno.lock", `{"version": "5", "npm": {"a@1.0.0": {}}}`, `"5"`, `"6"`, "is not known"},
		{"deno without a version", "deno.lock", `{"version": "5", "npm": {"a@1.0.0": {}}}`, "a@1.0.0", "a", "expected name@version"},
		{"catalogue library", "gradle/libs.versions.toml", "[libraries]\na = \"g:a:1.0\"\n", "g:a:1.0", "a", "no group and name"},
		{"apk without a version", "lib/apk/db/installed", "P:a\nV:1\n", "V:1", "X:1", "no version"},
		{"dpkg without a version", "var/lib/dpkg/status", "Package: a\nVersion: 1\n", "Version", "version", "no version"},
		{"report without an ecosystem", "osv-scanner-custom.json", `{"results": [{"packages": [{"package": {"name": "a", "version": "1", "ecosystem": "npm"}}]}]}`, "ecosystem", "system", "no ecosystem"},
		{"gradle line", "gradle.lockfile", "a:b:1=c\n", "=c", "", "line 1"},
		{"pom of another kind", "pom.xml", "<project><dependencies><dependency><groupId>a</groupId><artifactId>b</artifactId></dependency></dependencies></project>", "project>", "other>", "root element"},
		{"pom property nobody defines", "pom.xml", "<project><properties><g>a</g></properties><dependencies><dependency><groupId>${g}</groupId><artifactId>b</artifactId></dependency></dependencies></project>", "${g}", "${h}", "by properties that neither it nor its parents"},
		{"workflow without jobs", ".github/workflows/a.yml", "jobs:\n  a:\n    uses: o/r/.github/workflows/b.yml@v1\n", "jobs:", "job:", "no jobs"},
		{"go.mod word", "go.mod", "module a\ngo 1.24\nrequire b.example/c v1.0.0\n", "require", "requires", "unknown directive"},
		{"requirements include", "requirements.txt", "-r other-requirements.txt\n", "-r other-requirements.txt", "-r https://a.example/b.txt", "nothing is fetched"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if before := read(t, c.path, c.text); before.Gap != "" && c.name != "requirements include" {
				t.Fatalf("the unchanged file: %s", before.Gap)
			}
			changed := strings.ReplaceAll(c.text, c.old, c.new)
			if changed == c.text {
				t.Fatal("nothing changes")
			}
			wantGap(t, read(t, c.path, changed), c.gap)
		})
	}
}

// TestG23LegitimatelyEmpty reads files that name no package and are complete.
func TestG23LegitimatelyEmpty(t *testing.T) {
	t.Parallel()
	for path, text := range map[string]string{
		"go.mod":                   "module example.com/a\n\ngo 1.24\n",
		"package-lock.json":        `{"name": "a", "lockfileVersion": 3, "requires": true, "packages": {"": {"name": "a"}}}`,
		"npm-shrinkwrap.json":      `{"name": "a", "lockfileVersion": 1}`,
		"requirements.txt":         "# none\n\n",
		"yarn.lock":                "# THIS IS AN AUTOGENERATED FILE. DO NOT EDIT THIS FILE DIRECTLY.\n# yarn lockfile v1\n\n\n",
		"pnpm-lock.yaml":           "lockfileVersion: '9.0'\n\nimporters:\n\n  .: {}\n",
		"bun.lock":                 `{"lockfileVersion": 1, "workspaces": {"": {}}, "packages": {}}`,
		"poetry.lock":              "package = []\n\n[metadata]\nlock-version = \"2.0\"\n",
		"uv.lock":                  "version = 1\nrequires-python = \">=3.12\"\n",
		"Cargo.lock":               "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"0.1.0\"\n",
		"composer.lock":            `{"packages": [], "packages-dev": []}`,
		"Pipfile.lock":             `{"_meta": {"pipfile-spec": 6}, "default": {}, "develop": {}}`,
		"Gemfile.lock":             "GEM\n  specs:\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n\nBUNDLED WITH\n   2.4.10\n",
		"packages.lock.json":       `{"version": 1, "dependencies": {"net8.0": {}}}`,
		"gradle.lockfile":          "# This is a Gradle generated file for dependency locking.\nempty=runtimeClasspath\n",
		"pom.xml":                  "<project/>",
		"packages.config":          "<packages/>",
		".github/workflows/ci.yml": "jobs:\n  a:\n    steps:\n      - run: make\n",
		"action.yml":               "name: a\nruns:\n  using: node20\n  main: index.js\n",
	} {
		if m := read(t, path, text); m.Gap != "" || len(m.Packages) != 0 {
			t.Errorf("%s: gap %q and %d packages, want neither", path, m.Gap, len(m.Packages))
		}
	}
}

func TestG23TooManyPackages(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range maxPackages + 1 {
		fmt.Fprintf(&b, "a%d==1\n", i)
	}
	text := b.String()
	wantGap(t, read(t, "requirements.txt", text), "more than 250000 packages")
	if m := read(t, "requirements.txt", text[:strings.LastIndex(text, "a")]); m.Gap != "" || len(m.Packages) != maxPackages {
		t.Errorf("one package less: gap %q and %d packages", m.Gap, len(m.Packages))
	}
}

func TestG23TooLarge(t *testing.T) {
	t.Parallel()
	data := append([]byte("# "), make([]byte, maxBytes)...)
	wantGap(t, readFile(t, inventory.File{Path: "requirements.txt", Data: data}), "larger than 32 MiB")
}

// TestG23EveryWantedFileComesOut gives all fixtures at once, each in a folder of its own.
func TestG23EveryWantedFileComesOut(t *testing.T) {
	t.Parallel()
	files, _ := load(t, "testdata/read")
	files = append(files, inventory.File{Path: "z/yarn.lock", Problem: "is a symbolic link"}, inventory.File{Path: "README.md"})
	want := map[string]bool{}
	for _, f := range files {
		if Wanted(f.Path) {
			want[f.Path] = true
		}
	}
	inv := Read(t.Context(), files)
	for i, m := range inv.Manifests {
		if !want[m.Path] {
			t.Errorf("%s comes out, but is not wanted or comes twice", m.Path)
		}
		delete(want, m.Path)
		if i > 0 && inv.Manifests[i-1].Path >= m.Path {
			t.Errorf("%s is not sorted", m.Path)
		}
	}
	for p := range want {
		t.Errorf("%s is wanted, but does not come out", p)
	}
}

func TestG23EndedContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	inv := Read(ctx, []inventory.File{{Path: "requirements.txt", Data: []byte("a==1\n")}})
	wantGap(t, inv.Manifests[0], "not read in time")
}

func TestG23PanicBecomesGap(t *testing.T) {
	t.Parallel()
	format := &Format{Name: "x", read: func(*source) error { panic("boom") }}
	files := newTree(nil)
	wantGap(t, files.read(t.Context(), &inventory.File{Path: "x", Data: []byte("x")}, format), "stops its parser: boom")
}

// TestG20HostileFiles reads what has stopped other parsers. Each must end in a Gap or be read,
// long before the cage around Read would end it.
func TestG20HostileFiles(t *testing.T) {
	t.Parallel()
	many := func(n int, line func(int) string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(line(i))
		}
		return b.String()
	}
	for _, c := range []struct{ name, path, text string }{
		{"a package-lock.json of 200,000 packages", "package-lock.json", `{"lockfileVersion":3,"packages":{` + many(200_000, func(i int) string {
			return fmt.Sprintf("%s\"node_modules/p%d\":{\"version\":\"1.0.0\",\"dependencies\":{\"p%d\":\"*\"}}", comma2(i), i, i+1)
		}) + "}}"},
		{"packages in packages in packages", "package-lock.json", `{"lockfileVersion":1,"dependencies":` + strings.Repeat(`{"a":{"version":"1","dependencies":`, 45) + "{}" + strings.Repeat("}}", 45) + "}"},
		{"a chain of 200,000 crates", "Cargo.lock", "version = 4\n[[package]]\nname=\"r\"\nversion=\"1\"\ndependencies=[\"c0\"]\n" + many(200_000, func(i int) string {
			return fmt.Sprintf("[[package]]\nname=\"c%d\"\nversion=\"1\"\nsource=\"r\"\ndependencies=[\"c%d\"]\n", i, i+1)
		})},
		{"one name 100,000 times", "uv.lock", "version = 1\n" + many(100_000, func(i int) string {
			return fmt.Sprintf("[[package]]\nname=\"a\"\nversion=\"%d\"\ndependencies=[{name=\"a\"}]\n", i)
		})},
		{"properties that double", "pom.xml", "<project><properties>" + many(60, func(i int) string { return fmt.Sprintf("<p%d>${p%d}${p%d}</p%d>", i, i+1, i+1, i) }) +
			"</properties><dependencies>" + many(2000, func(int) string {
			return "<dependency><groupId>${p0}</groupId><artifactId>${p1}</artifactId><version>${p2}</version></dependency>"
		}) + "</dependencies></project>"},
		{"aliases that double", ".github/workflows/a.yml", "a0: &a0 [x, x]\n" + many(60, func(i int) string { return fmt.Sprintf("a%d: &a%d [*a%d, *a%d]\n", i+1, i+1, i, i) })},
		{"a million keys", "composer.lock", `{"packages":[],"x":{` + many(1_000_000, func(i int) string { return fmt.Sprintf("%s\"%d\":0", comma2(i), i) }) + "}}"},
		{"a million tables", "poetry.lock", many(300_000, func(i int) string { return fmt.Sprintf("[a.b%d]\n", i) }) + "[metadata]\nlock-version = \"2.0\"\n"},
		{"a million elements", "packages.config", "<packages>" + strings.Repeat("<p/>", 1_000_000) + "</packages>"},
		{"a million requirements of one module", "go.mod", "module a\ngo 1.24\nrequire (\n" + many(100_000, func(i int) string { return fmt.Sprintf("a.example/b v1.%d.0\n", i) }) + ")\n"},
		{"open brackets", "Pipfile.lock", strings.Repeat("[", 8<<20)},
		{"open quotes", "uv.lock", "a = " + strings.Repeat(`"""`, 1<<20)},
		{"backslashes", "package.json", `{"a":"` + strings.Repeat(`\\`, 4<<20) + `"}`},
		{"dashes", "pnpm-lock.yaml", strings.Repeat("- ", 500_000)},
		{"a long line", "mix.lock", strings.Repeat(`"a": {:hex, :a, "1", `, 100_000)},
		{"a map of 200,000 packages", "mix.lock", "%{" + many(200_000, func(i int) string {
			return fmt.Sprintf("\"a%d\": {:hex, :a%d, \"1\", \"\", [:mix], [{:a%d, \"\", []}]},\n", i, i, i+1)
		}) + "}"},
		{"tuples in tuples", "mix.lock", "%{\"a\": " + strings.Repeat("{", 4<<20)},
		{"pins", "Package.resolved", `{"version":2,"pins":[` + many(100_000, func(i int) string { return fmt.Sprintf("%s{\"identity\":\"a%d\"}", comma2(i), i) }) + "]}"},
		{"calls", "Package.swift", strings.Repeat(".package(", 500_000) + `.package(url: "https://h.example/a", from: "1")`},
		{"constraints in a line", "cabal.project.freeze", "constraints: " + strings.Repeat("any.a ==1,", 500_000)},
		{"dependencies in a line", "a.cabal", "name: a\nbuild-depends: " + strings.Repeat("b >=1,", 500_000)},
		{"properties of MSBuild that double", "a.csproj", "<Project><PropertyGroup>" + many(60, func(i int) string { return fmt.Sprintf("<p%d>$(p%d)$(p%d)</p%d>", i, i+1, i+1, i) }) +
			"</PropertyGroup><ItemGroup>" + many(2000, func(i int) string { return fmt.Sprintf("<PackageReference Include=\"a%d\" Version=\"$(p0)\"/>", i) }) + "</ItemGroup></Project>"},
		{"choices in choices", "a.csproj", "<Project>" + strings.Repeat("<Choose><When>", 49) + strings.Repeat("<ItemGroup><PackageReference Include=\"a\"/></ItemGroup>", 10_000) + strings.Repeat("</When></Choose>", 49) + "</Project>"},
		{"arguments that double", "Dockerfile", "ARG A0=xx\n" + many(60, func(i int) string { return fmt.Sprintf("ARG A%d=$A%d$A%d\n", i+1, i, i) }) + "FROM a:${A60}\n"},
		{"variables in a line", "Dockerfile", "FROM a:" + strings.Repeat("${A", 1_000_000)},
		{"stages", "Dockerfile", many(100_000, func(i int) string { return fmt.Sprintf("FROM s$X AS s%d\n", i) })},
		{"components in components", "a.cdx.json", `{"bomFormat":"CycloneDX","specVersion":"1.5","components":[` + strings.Repeat(`{"components":[`, 45) + strings.Repeat("]}", 45) + `]}`},
		{"100,000 components", "a.cdx.json", `{"bomFormat":"CycloneDX","specVersion":"1.5","components":[` + many(100_000, func(i int) string { return fmt.Sprintf(`%s{"bom-ref":"%d","purl":"pkg:npm/a%d@1"}`, comma2(i), i, i) }) + `],"dependencies":[` +
			many(100_000, func(i int) string { return fmt.Sprintf(`%s{"ref":"%d","dependsOn":["%d"]}`, comma2(i), i, i+1) }) + "]}"},
		{"100,000 roots", "a.spdx", "SPDXVersion: SPDX-2.3\n" + many(100_000, func(i int) string {
			return fmt.Sprintf("PackageName: a%d\nSPDXID: SPDXRef-%d\nRelationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-%d\n", i, i, i)
		})},
		{"requirements in a line", "setup.py", "install_requires=[" + strings.Repeat("'a>=1',", 500_000) + "]\ninstall_requires=['a']"},
		{"specifiers", "deno.lock", `{"version":"4","specifiers":{` + many(100_000, func(i int) string { return fmt.Sprintf(`%s"npm:a%d@1":"1.0.0"`, comma2(i), i) }) + `},"npm":{` +
			many(100_000, func(i int) string { return fmt.Sprintf(`%s"a%d@1.0.0":{"dependencies":["a%d"]}`, comma2(i), i, i+1) }) + "}}"},
		{"stanzas", "var/lib/dpkg/status", many(200_000, func(i int) string { return fmt.Sprintf("Package: a%d\nVersion: 1\n\n", i) })},
		{"services", "compose.yaml", "services:\n" + many(50_000, func(i int) string { return fmt.Sprintf("  s%d:\n    image: a%d\n", i, i) })},
		{"long lines", "stack.yaml.lock", strings.Repeat("hackage: a-", 500_000)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			started := time.Now()
			m := read(t, c.path, c.text)
			t.Logf("%d bytes: %v, %d packages, %s", len(c.text), time.Since(started), len(m.Packages), m.Gap)
			if took := time.Since(started); took > hostileLimit {
				t.Errorf("took %v for %d bytes", took, len(c.text))
			}
			if m.Gap == "" && len(m.Packages) == 0 && !strings.HasPrefix(c.name, "a million") && len(m.Observations) == 0 && c.name != "backslashes" && c.name != "components in components" {
				t.Error("came out as a manifest without packages")
			}
		})
	}
}

func comma2(i int) string {
	if i == 0 {
		return ""
	}
	return ","
}

// TestG20ManyLocksShareCompanions: each lock file looks at the companions below it, which must
// be read once and not once per lock file. What is allocated tells how often, whatever else
// the machine does; so no other test runs beside this one.
func TestG20ManyLocksShareCompanions(t *testing.T) {
	few, many := allocated(t, 20), allocated(t, 80)
	if ratio := float64(many) / float64(few); ratio > 8 {
		t.Errorf("4 times the folders allocate %.1f times as much, %d MiB", ratio, many>>20)
	}
}

// allocated returns the bytes that reading folders within each other allocates, each with lock
// files and companions of all kinds that look at others.
func allocated(t *testing.T, folders int) uint64 {
	t.Helper()
	var files []inventory.File
	dir := ""
	wants := "x = \"1\"\n" + strings.Repeat("# filler\n", 2_000)
	for range folders {
		dir += "d/"
		files = append(files,
			inventory.File{Path: dir + "Cargo.lock", Data: []byte("version = 4\n[[package]]\nname = \"p\"\nversion = \"1.0.0\"\n")},
			inventory.File{Path: dir + "Cargo.toml", Data: []byte("[package]\nname = \"p\"\n[dependencies]\n" + wants)},
			inventory.File{Path: dir + "yarn.lock", Data: []byte("# yarn lockfile v1\n")},
			inventory.File{Path: dir + "package.json", Data: []byte(`{"workspaces": ["**"], "dependencies": {"a": "1"}, "x": "` + strings.Repeat("x", 20_000) + `"}`)},
			inventory.File{Path: dir + "a.csproj", Data: []byte("<Project><ItemGroup><PackageReference Include=\"a\"/></ItemGroup></Project>")},
			inventory.File{Path: dir + "Directory.Packages.props", Data: []byte("<Project><Import/><ItemGroup>" + strings.Repeat("<PackageVersion Include=\"b\" Version=\"1\"/>", 1_000) + "</ItemGroup></Project>")},
			inventory.File{Path: dir + "pom.xml", Data: []byte("<project><parent><artifactId>p</artifactId></parent><artifactId>p</artifactId>" + strings.Repeat("<a/>", 2_000) + "</project>")},
		)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	inv := Read(t.Context(), files)
	runtime.ReadMemStats(&after)
	if len(inv.Manifests) != len(files) {
		t.Errorf("%d of %d manifests", len(inv.Manifests), len(files))
	}
	return after.TotalAlloc - before.TotalAlloc
}

// TestG20ChainHasBoundedPaths: telling each package the whole chain above it would take the
// square of the chain's length in memory.
func TestG20ChainHasBoundedPaths(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("version = 4\n[[package]]\nname=\"r\"\nversion=\"1\"\ndependencies=[\"c0\"]\n")
	for i := range 1000 {
		fmt.Fprintf(&b, "[[package]]\nname=\"c%d\"\nversion=\"1\"\nsource=\"r\"\ndependencies=[\"c%d\"]\n", i, i+1)
	}
	m := read(t, "Cargo.lock", b.String())
	for i, p := range m.Packages {
		if want := i + 1; want <= maxVia && len(p.Via) != want || want > maxVia && p.Via != nil {
			t.Fatalf("%s: path of %d names", p.Name, len(p.Via))
		}
	}
}

// TestG22LongStrings gives each format strings of a megabyte where names and versions stand.
func TestG22LongStrings(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a-1.", 1<<18)
	for path, text := range map[string]string{
		"requirements.txt":        long + "==" + long + "\n" + long + " @ https://" + long,
		"Gemfile.lock":            "GEM\n  specs:\n    " + long + " (" + long + ")\nDEPENDENCIES\n  " + long + "\n",
		"Gemfile":                 "gem '" + long + "', '" + long + "'\n",
		".github/workflows/a.yml": "jobs:\n  a:\n    steps:\n    - uses: " + long + "/" + long + "@" + long + " # " + long + "\n",
		"package.json":            `{"dependencies": {"` + long + `": "` + long + `"}}`,
		"package-lock.json":       `{"lockfileVersion": 3, "packages": {"node_modules/` + long + `": {"version": "` + long + `", "resolved": "git+ssh://` + long + `"}}}`,
		"pyproject.toml":          "[project]\ndependencies = [\"" + long + ">=" + long + "\"]\n",
		"yarn.lock":               "# yarn lockfile v1\n\n\"" + long + "@" + long + "\":\n  version \"" + long + "\"\n",
	} {
		started := time.Now()
		read(t, path, text)
		if took := time.Since(started); took > 5*time.Second { // 0.1 s on a quiet machine
			t.Errorf("%s took %v", path, took)
		}
	}
}
