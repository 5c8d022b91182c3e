package manifests

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks/inventory"
)

// who lists the requirers of each package: "a 1.0.0 < project ^1.0.0, b 2.0.0 ~1.0".
func who(m inventory.Manifest) []string {
	var lines []string
	for _, p := range m.Packages {
		var by []string
		for _, r := range p.Requirers {
			name := r.Name
			if name == "" {
				name = "project"
			}
			by = append(by, strings.TrimRight(strings.Join(strings.Fields(name+" "+r.Version), " ")+" "+r.Constraint, " "))
		}
		lines = append(lines, strings.TrimRight(p.Name+" "+p.Version+" < "+strings.Join(by, ", "), " "))
	}
	return lines
}

// TestRequirers: each format that knows tells who needs a package, and which versions of it.
func TestRequirers(t *testing.T) {
	t.Parallel()
	const packageJSON = `{"dependencies": {"a": "^1.0.0"}, "devDependencies": {"c": "~2.0.0"}}`
	want := []string{"a 1.0.0 < project ^1.0.0", "b 1.2.0 < a 1.0.0 ^1.1.0, c 2.0.0 1.x || 2.x", "c 2.0.0 < project ~2.0.0"}
	names := []string{"a 1.0.0 < project", "b 1.2.0 < a 1.0.0, c 2.0.0", "c 2.0.0 < project"}
	for _, x := range []struct {
		name       string
		path, text string
		beside     map[string]string
		want       []string
	}{
		{"npm 3", "package-lock.json", `{"lockfileVersion": 3, "packages": {
			"": {"dependencies": {"a": "^1.0.0"}, "devDependencies": {"c": "~2.0.0"}},
			"node_modules/a": {"version": "1.0.0", "dependencies": {"b": "^1.1.0"}},
			"node_modules/b": {"version": "1.2.0"},
			"node_modules/c": {"version": "2.0.0", "dev": true, "dependencies": {"b": "1.x || 2.x"}}}}`, nil, want},
		{"npm 3, one version in two folders", "package-lock.json", `{"lockfileVersion": 3, "packages": {
			"": {"dependencies": {"a": "^1.0.0", "b": "2.0.0"}},
			"node_modules/a": {"version": "1.0.0", "dependencies": {"b": "^1.1.0"}},
			"node_modules/a/node_modules/b": {"version": "1.2.0"},
			"node_modules/b": {"version": "2.0.0", "dependencies": {"c": "*"}},
			"node_modules/b/node_modules/b": {"version": "1.2.0"},
			"node_modules/c": {"version": "2.0.0"}}}`, nil, []string{"a 1.0.0 < project ^1.0.0", "b 1.2.0 < a 1.0.0 ^1.1.0", "b 2.0.0 < project 2.0.0", "c 2.0.0 < b 2.0.0 *"}},
		{"npm 1", "package-lock.json", `{"lockfileVersion": 1, "dependencies": {
			"a": {"version": "1.0.0", "requires": {"b": "^1.1.0"}},
			"b": {"version": "1.2.0"},
			"c": {"version": "2.0.0", "dev": true, "requires": {"b": "1.x || 2.x"}}}}`, map[string]string{"package.json": packageJSON}, want},
		{"yarn 1", "yarn.lock", "# yarn lockfile v1\n\na@^1.0.0:\n  version \"1.0.0\"\n  dependencies:\n    b \"^1.1.0\"\n\nb@^1.1.0, \"b@1.x || 2.x\":\n  version \"1.2.0\"\n\nc@~2.0.0:\n  version \"2.0.0\"\n  dependencies:\n    b \"1.x || 2.x\"\n",
			map[string]string{"package.json": packageJSON}, want},
		{"yarn 4", "yarn.lock", "__metadata:\n  version: 8\n\n\"a@npm:^1.0.0\":\n  version: 1.0.0\n  resolution: \"a@npm:1.0.0\"\n  dependencies:\n    b: \"npm:^1.1.0\"\n\n\"b@npm:^1.1.0\":\n  version: 1.2.0\n  resolution: \"b@npm:1.2.0\"\n\n\"t@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"t@workspace:.\"\n  dependencies:\n    a: ^1.0.0\n",
			map[string]string{"package.json": packageJSON}, []string{"a 1.0.0 < project ^1.0.0", "b 1.2.0 < a 1.0.0 npm:^1.1.0"}},
		{"pnpm", "pnpm-lock.yaml", "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      a:\n        specifier: ^1.0.0\n        version: 1.0.0\n\npackages:\n\n  a@1.0.0:\n    resolution: {integrity: sha512-x}\n\n  b@1.2.0:\n    resolution: {integrity: sha512-x}\n\nsnapshots:\n\n  a@1.0.0:\n    dependencies:\n      b: 1.2.0\n\n  b@1.2.0: {}\n",
			nil, []string{"a 1.0.0 < project ^1.0.0", "b 1.2.0 < a 1.0.0"}},
		{"bun", "bun.lock", `{"lockfileVersion": 1, "workspaces": {"": {"dependencies": {"a": "^1.0.0"}, "devDependencies": {"c": "~2.0.0"}}}, "packages": {
			"a": ["a@1.0.0", "", {"dependencies": {"b": "^1.1.0"}}, "x"],
			"b": ["b@1.2.0", "", {}, "x"],
			"c": ["c@2.0.0", "", {"dependencies": {"b": "1.x || 2.x"}}, "x"]}}`, nil, want},
		{"Cargo", "Cargo.lock", "version = 4\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"registry+x\"\ndependencies = [\"b\"]\n[[package]]\nname = \"b\"\nversion = \"1.2.0\"\nsource = \"registry+x\"\n[[package]]\nname = \"c\"\nversion = \"2.0.0\"\nsource = \"registry+x\"\ndependencies = [\"b\"]\n[[package]]\nname = \"t\"\nversion = \"0.1.0\"\ndependencies = [\"a\", \"c\"]\n",
			nil, names},
		{"Poetry", "poetry.lock", "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n[package.dependencies]\nb = \">=1.1,<2\"\n[[package]]\nname = \"b\"\nversion = \"1.2.0\"\n[[package]]\nname = \"c\"\nversion = \"2.0.0\"\n[package.dependencies]\nb = {version = \">=1\", optional = true}\n[metadata]\nlock-version = \"2.1\"\n",
			map[string]string{"pyproject.toml": "[tool.poetry.dependencies]\na = \"^1.0\"\n"}, []string{"a 1.0.0 < project ^1.0", "b 1.2.0 < a 1.0.0 >=1.1,<2, c 2.0.0 >=1", "c 2.0.0 <"}},
		{"uv", "uv.lock", "version = 1\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = { registry = \"x\" }\ndependencies = [{ name = \"b\" }]\n[[package]]\nname = \"b\"\nversion = \"1.2.0\"\nsource = { registry = \"x\" }\n[[package]]\nname = \"t\"\nversion = \"0.1.0\"\nsource = { virtual = \".\" }\ndependencies = [{ name = \"a\" }]\n[package.metadata]\nrequires-dist = [{ name = \"a\", specifier = \">=1.0,<2\" }]\n",
			nil, []string{"a 1.0.0 < project >=1.0,<2", "b 1.2.0 < a 1.0.0"}},
		{"PDM", "pdm.lock", "[metadata]\nlock_version = \"4.5.0\"\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\ndependencies = [\"b>=1.1; python_version > '3'\"]\n[[package]]\nname = \"b\"\nversion = \"1.2.0\"\n",
			nil, []string{"a 1.0.0 <", "b 1.2.0 < a 1.0.0 >=1.1"}},
		{"Composer", "composer.lock", `{"packages": [{"name": "v/a", "version": "1.0.0", "require": {"php": ">=8", "v/b": "^1.1"}}, {"name": "v/b", "version": "1.2.0"}], "packages-dev": []}`,
			map[string]string{"composer.json": `{"require": {"v/a": "~1.0"}}`}, []string{"v/a 1.0.0 < project ~1.0", "v/b 1.2.0 < v/a 1.0.0 ^1.1"}},
		{"Bundler", "Gemfile.lock", "GEM\n  remote: https://gems.example/\n  specs:\n    a (1.0.0)\n      b (~> 1.1, >= 1.1.3)\n    b (1.2.0)\n\nDEPENDENCIES\n  a (~> 1.0)\n",
			nil, []string{"a 1.0.0 < project ~> 1.0", "b 1.2.0 < a 1.0.0 ~> 1.1, >= 1.1.3"}},
		{"NuGet", "packages.lock.json", `{"version": 1, "dependencies": {"net8.0": {"A": {"type": "Direct", "requested": "[1.0.0, )", "resolved": "1.0.0", "dependencies": {"B": "1.1.0"}}, "B": {"type": "Transitive", "resolved": "1.2.0"}}}}`,
			nil, []string{"A 1.0.0 < project [1.0.0, )", "B 1.2.0 < A 1.0.0 1.1.0"}},
		{"Mix", "mix.lock", "%{\n  \"a\": {:hex, :a, \"1.0.0\", \"x\", [:mix], [{:b, \"~> 1.1\", [hex: :b, repo: \"hexpm\", optional: false]}], \"hexpm\", \"x\"},\n  \"b\": {:hex, :b, \"1.2.0\", \"x\", [:mix], [], \"hexpm\", \"x\"},\n}\n",
			nil, []string{"a 1.0.0 <", "b 1.2.0 < a 1.0.0 ~> 1.1"}},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			files := []inventory.File{{Path: x.path, Data: []byte(x.text)}}
			for name, text := range x.beside {
				files = append(files, inventory.File{Path: name, Data: []byte(text)})
			}
			for _, m := range Read(t.Context(), files).Manifests {
				if m.Path != x.path {
					continue
				}
				if m.Gap != "" {
					t.Fatal(m.Gap)
				}
				if diff := cmp.Diff(x.want, who(m)); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			}
		})
	}
}

// TestG20RequirersAreFew: whatever a file holds, few requirers with short constraints are told.
func TestG20RequirersAreFew(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(`{"lockfileVersion": 3, "packages": {"": {"dependencies": {"x": "^9"}}, "node_modules/x": {"version": "9.0.0"}`)
	for i := range 100 {
		fmt.Fprintf(&b, `, "node_modules/p%d": {"version": "1.0.0", "dependencies": {"x": ">=%d"}}`, i, i)
	}
	fmt.Fprintf(&b, `, "node_modules/long": {"version": "1.0.0", "dependencies": {"p0": "%s"}}}}`, strings.Repeat("1 || ", 100)+"2")
	packages := Read(t.Context(), []inventory.File{{Path: "package-lock.json", Data: []byte(b.String())}}).Manifests[0].Packages
	want := []inventory.Requirer{{Constraint: "^9"}}
	for i := range 7 {
		want = append(want, inventory.Requirer{Name: fmt.Sprintf("p%d", i), Version: "1.0.0", Constraint: fmt.Sprintf(">=%d", i)})
	}
	if diff := cmp.Diff(want, packages[0].Requirers); diff != "" {
		t.Errorf("the project first, then the file's order (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]inventory.Requirer{{Name: "long", Version: "1.0.0"}}, packages[1].Requirers); diff != "" {
		t.Errorf("a constraint that is too long (-want +got):\n%s", diff)
	}
}
