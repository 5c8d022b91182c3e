package manifests

import (
	"encoding/json"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/osv-scalibr/binary/proto/config_go_proto"
	"github.com/google/osv-scalibr/extractor/filesystem"
	"github.com/google/osv-scalibr/extractor/filesystem/language/cpp/conanlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/dart/pubspec"
	"github.com/google/osv-scalibr/extractor/filesystem/language/dotnet/csproj"
	"github.com/google/osv-scalibr/extractor/filesystem/language/dotnet/depsjson"
	"github.com/google/osv-scalibr/extractor/filesystem/language/dotnet/nugetcpm"
	"github.com/google/osv-scalibr/extractor/filesystem/language/dotnet/packagesconfig"
	"github.com/google/osv-scalibr/extractor/filesystem/language/dotnet/packageslockjson"
	"github.com/google/osv-scalibr/extractor/filesystem/language/erlang/mixlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/golang/gomod"
	"github.com/google/osv-scalibr/extractor/filesystem/language/golang/vendormodules"
	"github.com/google/osv-scalibr/extractor/filesystem/language/haskell/cabal"
	"github.com/google/osv-scalibr/extractor/filesystem/language/haskell/stacklock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/java/gradlelockfile"
	"github.com/google/osv-scalibr/extractor/filesystem/language/java/gradleverificationmetadataxml"
	"github.com/google/osv-scalibr/extractor/filesystem/language/java/pomxml"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/bunlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/packagelockjson"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/pnpmlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/yarnlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/php/composerlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/pdmlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/pipfilelock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/poetrylock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/pylock"
	pip "github.com/google/osv-scalibr/extractor/filesystem/language/python/requirements"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/uvlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/r/renvlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/ruby/gemfilelock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/rust/cargolock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/swift/packageresolved"
	"github.com/google/osv-scalibr/extractor/filesystem/language/swift/podfilelock"
	"github.com/google/osv-scalibr/extractor/filesystem/misc/githubactions"

	"github.com/landwaiter/landwaiter/checks/inventory"
)

// oracles are the library's readers of the formats that we read ourselves.
var oracles = map[string]newExtractor{
	"go.mod":                    gomod.New,
	"vendor/modules.txt":        vendormodules.New,
	"package-lock.json":         packagelockjson.New,
	"yarn.lock":                 yarnlock.New,
	"pnpm-lock.yaml":            pnpmlock.New,
	"bun.lock":                  bunlock.New,
	"requirements.txt":          pip.New,
	"poetry.lock":               poetrylock.New,
	"Pipfile.lock":              pipfilelock.New,
	"uv.lock":                   uvlock.New,
	"pdm.lock":                  pdmlock.New,
	"pylock.toml":               pylock.New,
	"Cargo.lock":                cargolock.New,
	"Gemfile.lock":              gemfilelock.New,
	"composer.lock":             composerlock.New,
	"gradle.lockfile":           gradlelockfile.New,
	"verification-metadata.xml": gradleverificationmetadataxml.New,
	"pom.xml":                   pomxml.New,
	"packages.lock.json":        packageslockjson.New,
	"packages.config":           packagesconfig.New,
	"Directory.Packages.props":  nugetcpm.New,
	"*.csproj":                  csproj.New,
	"*.deps.json":               depsjson.New,
	"GitHub Actions":            githubactions.New,
	"pubspec.lock":              pubspec.New,
	"mix.lock":                  mixlock.New,
	"cabal.project.freeze":      cabal.New,
	"stack.yaml.lock":           stacklock.New,
	"renv.lock":                 renvlock.New,
	"conan.lock":                conanlock.New,
	"Package.resolved":          packageresolved.New,
	"Podfile.lock":              podfilelock.New,
}

// oracle returns name and version of what the library finds in a file.
func oracle(t testing.TB, format, p string, files memory) (found []string, err error) {
	t.Helper()
	quietLibrary()
	open, ok := oracles[format]
	if !ok {
		t.Fatalf("no reader of the library for %s", format)
	}
	e, err := open(&config_go_proto.PluginConfig{})
	if err != nil {
		t.Fatal(err)
	}
	f := newMemoryFile(path.Base(p), files[p])
	got, err := e.Extract(t.Context(), &filesystem.ScanInput{FS: files, Path: p, Info: f, Reader: f})
	for _, q := range got.Packages {
		name := q.Name
		if q.Ecosystem().String() == "PyPI" {
			name = pypiName(name)
		}
		found = append(found, name+" "+q.Version)
	}
	slices.Sort(found)
	return slices.Compact(found), err
}

func ours(m inventory.Manifest) []string {
	var found []string
	for _, p := range m.Packages {
		found = append(found, p.Name+" "+p.Version)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// corpus is the folder of shared data. Tests that need it say so when it is not there.
func corpus(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("LANDWAITER_CORPUS")
	if dir == "" {
		t.Skip("needs LANDWAITER_CORPUS: the folder of shared data")
	}
	return dir
}

// load reads all files below dir.
func load(t testing.TB, dir string) ([]inventory.File, memory) {
	t.Helper()
	var files []inventory.File
	all := memory{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		rel = filepath.ToSlash(rel)
		files = append(files, inventory.File{Path: rel, Data: data})
		all[rel] = data
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files, all
}

type pair struct {
	ID, Path, Format string
	Base             int `json:"packages_base"`
	Head             int `json:"packages_head"`
}

func pairs(t testing.TB) []pair {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(corpus(t), "lockfiles", "pairs.json"))
	if err != nil {
		t.Fatal(err)
	}
	var list struct{ Pairs []pair }
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	return list.Pairs
}

// difference lists what only one of two sorted lists has: "-" for the library's, "+" for ours.
func difference(theirs, ours []string) []string {
	var d []string
	for _, x := range theirs {
		if _, ok := slices.BinarySearch(ours, x); !ok {
			d = append(d, "-"+x)
		}
	}
	for _, x := range ours {
		if _, ok := slices.BinarySearch(theirs, x); !ok {
			d = append(d, "+"+x)
		}
	}
	return d
}

// seconds is how long f takes.
func seconds(f func()) float64 {
	started := time.Now()
	f()
	return time.Since(started).Seconds()
}
