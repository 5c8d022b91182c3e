package manifests

import (
	"testing"

	"github.com/landwaiter/landwaiter/checks/inventory"
)

// TestManifestWithoutLock reads a manifest of each ecosystem alone: what it wants without an
// exact version must come out as a package without one, which is never clean. Beside a lock file
// it must bring in nothing.
func TestManifestWithoutLock(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ path, text, name, lock, locked string }{
		{"package.json", `{"dependencies": {"a": "^1.0.0"}}`, "a", "yarn.lock", "# yarn lockfile v1\n"},
		{"package.json", `{"dependencies": {"a": "^1.0.0"}}`, "a", "deno.lock", `{"version": "5"}`},
		{"deno.json", `{"imports": {"a": "npm:a@^1.0.0"}}`, "a", "deno.lock", `{"version": "5"}`},
		{"pyproject.toml", "[project]\ndependencies = [\"a>=1\"]\n", "a", "uv.lock", "version = 1\n"},
		{"setup.cfg", "[options]\ninstall_requires = a>=1\n", "a", "poetry.lock", "package = []\n"},
		{"setup.py", "setup(install_requires=['a>=1'])\n", "a", "poetry.lock", "package = []\n"},
		{"Pipfile", "[packages]\na = \"*\"\n", "a", "Pipfile.lock", `{"default": {}}`},
		{"Cargo.toml", "[dependencies]\na = \"1\"\n", "a", "Cargo.lock", "version = 4\n"},
		{"Gemfile", "gem 'a', '~> 1.0'\n", "a", "Gemfile.lock", "GEM\n"},
		{"composer.json", `{"require": {"v/a": "^1.0"}}`, "v/a", "composer.lock", `{"packages": []}`},
		{"app.csproj", `<Project><ItemGroup><PackageReference Include="A" Version="1.*"/></ItemGroup></Project>`, "A", "packages.lock.json", `{"version": 1}`},
		{"app.fsproj", `<Project><ItemGroup><PackageReference Include="A"/></ItemGroup></Project>`, "A", "packages.app.lock.json", `{"version": 1}`},
		{"gradle/libs.versions.toml", "[libraries]\na = \"g:a:1.+\"\n", "g:a", "gradle.lockfile", "empty=\n"},
		{"build.gradle", "dependencies {\n  implementation 'g:a:1.+'\n}\n", "g:a", "gradle.lockfile", "empty=\n"},
		{"build.gradle.kts", "dependencies {\n  api(\"g:a\")\n}\n", "g:a", "gradle.lockfile", "empty=\n"},
		{"pubspec.yaml", "dependencies:\n  a: ^1.0.0\n", "a", "pubspec.lock", "packages: {}\n"},
		{"mix.exs", "defp deps do\n  [{:a, \"~> 1.0\"}]\nend\n", "a", "mix.lock", "%{}\n"},
		{"a.cabal", "name: x\nlibrary\n  build-depends: a >=1\n", "a", "cabal.project.freeze", "constraints: any.b ==1\n"},
		{"package.yaml", "dependencies:\n- a >= 1\n", "a", "stack.yaml.lock", "packages: []\n"},
		{"conanfile.txt", "[requires]\na/[>=1.0]\n", "a", "conan.lock", `{"version": "0.5", "requires": []}`},
		{"conanfile.py", "    requires = \"a/[>=1.0]\"\n", "a", "conan.lock", `{"version": "0.5", "requires": []}`},
		{"Package.swift", ".package(url: \"https://h.example/a\", from: \"1.0.0\")\n", "h.example/a", "Package.resolved", `{"version": 2, "pins": []}`},
		{"Podfile", "pod 'a', '~> 1.0'\n", "a", "Podfile.lock", "PODS:\n  - a (1.0)\n"},
	} {
		t.Run(c.path+" and "+c.lock, func(t *testing.T) {
			t.Parallel()
			manifest := inventory.File{Path: c.path, Data: []byte(c.text)}
			m := readFile(t, manifest)
			if m.Gap != "" || len(m.Packages) != 1 || m.Packages[0].Name != c.name || m.Packages[0].Version != "" || m.Packages[0].Commit != "" || m.Packages[0].Line == 0 {
				t.Errorf("alone: gap %q, packages %+v, want %s without a version", m.Gap, m.Packages, c.name)
			}
			inv := Read(t.Context(), []inventory.File{manifest, {Path: c.lock, Data: []byte(c.locked)}})
			for _, m := range inv.Manifests {
				if m.Path == c.path && (m.Gap != "" || len(m.Packages) > 0) {
					t.Errorf("beside %s: gap %q, packages %+v, want neither", c.lock, m.Gap, m.Packages)
				}
			}
		})
	}
}
