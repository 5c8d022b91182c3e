package manifests

import (
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/checks"
)

var fixtureFolders = map[string]string{
	"golang/gomod": "go.mod", "javascript/packagelockjson": "package-lock.json", "javascript/yarnlock": "yarn.lock",
	"javascript/pnpmlock": "pnpm-lock.yaml", "javascript/bunlock": "bun.lock", "python/requirements": "requirements.txt",
	"python/poetrylock": "poetry.lock", "python/pipfilelock": "Pipfile.lock", "python/uvlock": "uv.lock", "python/pdmlock": "pdm.lock",
	"python/pylock": "pylock.toml", "rust/cargolock": "Cargo.lock", "ruby/gemfilelock": "Gemfile.lock", "php/composerlock": "composer.lock",
	"java/gradlelockfile": "gradle.lockfile", "java/gradleverificationmetadataxml": "gradle/verification-metadata.xml", "java/pomxml": "pom.xml",
	"dotnet/packageslockjson": "packages.lock.json", "dotnet/packagesconfig": "packages.config", "dotnet/nugetcpm": "Directory.Packages.props",
	"dart/pubspec": "pubspec.lock", "erlang/mixlock": "mix.lock", "elixir/mixlock": "mix.lock", "haskell/cabal": "cabal.project.freeze", "haskell/stacklock": "stack.yaml.lock",
	"r/renvlock": "renv.lock", "cpp/conanlock": "conan.lock", "swift/packageresolved": "Package.resolved",
	"javascript/packagejson": "package.json", "rust/cargotoml": "Cargo.toml", "python/pyprojecttoml": "pyproject.toml",
}

func TestCorpusY(t *testing.T) {
	for folder, name := range fixtureFolders {
		root := filepath.Join(corpus(t), "lockfiles", "formats", folder, "testdata")
		filepath.WalkDir(root, func(f string, d os.DirEntry, err error) error {
			if d.IsDir() {
				return nil
			}
			data, _ := os.ReadFile(f)
			inv := Read(t.Context(), []checks.File{{Path: name, Data: data}})
			m := inv.Manifests[0]
			rel, _ := filepath.Rel(root, f)
			if _, ok := oracles[m.Format]; !ok {
				t.Logf("%s/%s: %d packages %s", folder, rel, len(m.Packages), m.Gap)
				return nil
			}
			theirs, oerr := oracle(t, m.Format, m.Path, memory{name: data})
			d2 := difference(theirs, ours(m))
			if m.Gap != "" || len(d2) > 0 || oerr != nil {
				es := ""
				if oerr != nil {
					es = oerr.Error()
					es = es[:min(len(es), 60)]
				}
				t.Logf("%s/%s: GAP %q; ORACLE %q; %s", folder, rel, m.Gap, es, strings.Join(d2[:min(len(d2), 12)], ", "))
			}
			return nil
		})
	}
}

var _ = path.Join
