package manifests

import (
	"path"
	"slices"
	"strings"
)

// Format is one row of docs/formats.md.
type Format struct {
	Name      string   // "package-lock.json"
	Files     []string // patterns of paths, see matches
	Ecosystem string   // the OSV name: "npm"
	Manager   string   // the tool that edits the file, for the command that cures: "npm"
	Tier      int      // 1: ecosystems promised in full; 2: what the library reads besides
	Parser    string   // who reads it: ParserOwn
	// Companion is a file that says what a project wants; a lock file says what it gets.
	Companion bool

	read   func(*source) error
	wants  func(text string) ([]want, error) // of a companion
	locks  []string                          // names of the lock files that resolve a companion
	blank  bool                              // an empty file is a complete one
	remedy string                            // what a person does when it cannot be read
}

// ParserOwn is the parser of every format so far: our own.
const ParserOwn = "own"

// The lock files of JavaScript, Python and Haskell, any of which resolves a companion.
var (
	npmLocks    = []string{"package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "deno.lock"}
	pythonLocks = []string{"poetry.lock", "uv.lock", "pdm.lock", "pylock.toml", "Pipfile.lock"}

	haskellLocks = []string{"cabal.project.freeze", "stack.yaml.lock"}
)

// formats is the table. To add a format: write a file with a function that reads a source,
// add a row, a line in docs/formats.md, and a fixture in testdata; raise ParserVersion.
//
// Left out on purpose: files in node_modules, which the lock file above them describes.
var formats = []Format{
	{Name: "go.mod", Files: []string{"go.mod"}, Ecosystem: "Go", Manager: "go", Tier: 1, Parser: ParserOwn, read: readGoMod, remedy: "run `go mod tidy`"},
	{Name: "go.work", Files: []string{"go.work"}, Ecosystem: "Go", Manager: "go", Tier: 1, Parser: ParserOwn, read: readGoWork, remedy: "run `go work sync`"},
	{Name: "go.sum", Files: []string{"go.sum"}, Ecosystem: "Go", Manager: "go", Tier: 1, Parser: ParserOwn, Companion: true, wants: wantsGoSum, blank: true, remedy: "run `go mod tidy`"},
	{Name: "vendor/modules.txt", Files: []string{"vendor/modules.txt"}, Ecosystem: "Go", Manager: "go", Tier: 1, Parser: ParserOwn, read: readVendorModules, blank: true, remedy: "run `go mod vendor`"},

	{Name: "package-lock.json", Files: []string{"package-lock.json", "npm-shrinkwrap.json"}, Ecosystem: "npm", Manager: "npm", Tier: 1, Parser: ParserOwn, read: readPackageLock, remedy: "run `npm install` to write it again"},
	{Name: "yarn.lock", Files: []string{"yarn.lock"}, Ecosystem: "npm", Manager: "yarn", Tier: 1, Parser: ParserOwn, read: readYarn, remedy: "run `yarn install` to write it again"},
	{Name: "pnpm-lock.yaml", Files: []string{"pnpm-lock.yaml"}, Ecosystem: "npm", Manager: "pnpm", Tier: 1, Parser: ParserOwn, read: readPnpm, remedy: "run `pnpm install` to write it again"},
	{Name: "bun.lock", Files: []string{"bun.lock"}, Ecosystem: "npm", Manager: "bun", Tier: 1, Parser: ParserOwn, read: readBun, remedy: "run `bun install` to write it again"},
	{Name: "deno.lock", Files: []string{"deno.lock"}, Ecosystem: "npm", Manager: "deno", Tier: 1, Parser: ParserOwn, read: readDeno, remedy: "run `deno install` to write it again"},
	{Name: "deno.json", Files: []string{"deno.json", "deno.jsonc"}, Ecosystem: "npm", Manager: "deno", Tier: 1, Parser: ParserOwn, Companion: true, wants: wantsDeno, locks: []string{"deno.lock"}, remedy: "correct it by hand"},
	{Name: "package.json", Files: []string{"package.json"}, Ecosystem: "npm", Manager: "npm", Tier: 1, Parser: ParserOwn, Companion: true, wants: wantsPackageJSON, locks: npmLocks, remedy: "correct it by hand"},

	{Name: "requirements.txt", Files: []string{"*requirements*.txt", "requirements/*.txt"}, Ecosystem: "PyPI", Manager: "pip", Tier: 1, Parser: ParserOwn, read: readRequirements, blank: true, remedy: "correct it by hand"},
	{Name: "constraints.txt", Files: []string{"*constraints*.txt", "constraints/*.txt"}, Ecosystem: "PyPI", Manager: "pip", Tier: 1, Parser: ParserOwn, Companion: true, wants: wantsConstraints, blank: true, remedy: "correct it by hand"},
	{Name: "poetry.lock", Files: []string{"poetry.lock"}, Ecosystem: "PyPI", Manager: "poetry", Tier: 1, Parser: ParserOwn, read: readPoetry, remedy: "run `poetry lock` to write it again"},
	{Name: "Pipfile.lock", Files: []string{"Pipfile.lock"}, Ecosystem: "PyPI", Manager: "pipenv", Tier: 1, Parser: ParserOwn, read: readPipfileLock, remedy: "run `pipenv lock` to write it again"},
	{Name: "uv.lock", Files: []string{"uv.lock"}, Ecosystem: "PyPI", Manager: "uv", Tier: 1, Parser: ParserOwn, read: readUV, remedy: "run `uv lock` to write it again"},
	{Name: "pdm.lock", Files: []string{"pdm.lock"}, Ecosystem: "PyPI", Manager: "pdm", Tier: 1, Parser: ParserOwn, read: readPDM, remedy: "run `pdm lock` to write it again"},
	{Name: "pylock.toml", Files: []string{"pylock.toml", "pylock.*.toml"}, Ecosystem: "PyPI", Manager: "pip", Tier: 1, Parser: ParserOwn, read: readPylock, remedy: "run `pip lock` to write it again"},
	{Name: "pyproject.toml", Files: []string{"pyproject.toml"}, Ecosystem: "PyPI", Manager: "pip", Tier: 1, Parser: ParserOwn, Companion: true, wants: wantsPyproject, locks: pythonLocks, remedy: "correct it by hand"},
	{Name: "Pipfile", Files: []string{"Pipfile"}, Ecosystem: "PyPI", Manager: "pipenv", Tier: 1, Parser: ParserOwn, Companion: true, wants: wantsPipfile, locks: []string{"Pipfile.lock"}, remedy: "correct it by hand"},
	{Name: "setup.cfg", Files: []string{"setup.cfg"}, Ecosystem: "PyPI", Manager: "pip", Tier: 1, Parser: ParserOwn, Companion: true, wants: wantsSetupCfg, locks: pythonLocks, blank: true, remedy: "correct it by hand"},
	{Name: "setup.py", Files: []string{"setup.py"}, Ecosystem: "PyPI", Manager: "pip", Tier: 1, Parser: ParserOwn, Companion: true, wants: wantsSetup, locks: pythonLocks, blank: true, remedy: "correct it by hand"},

	{Name: "Cargo.lock", Files: []string{"Cargo.lock"}, Ecosystem: "crates.io", Manager: "cargo", Tier: 1, Parser: ParserOwn, read: readCargoLock, remedy: "run `cargo generate-lockfile` to write it again"},
	{Name: "Cargo.toml", Files: []string{"Cargo.toml"}, Ecosystem: "crates.io", Manager: "cargo", Tier: 1, Parser: ParserOwn, Companion: true, wants: wantsCargo, locks: []string{"Cargo.lock"}, remedy: "correct it by hand"},

	{Name: "Gemfile.lock", Files: []string{"Gemfile.lock", "gems.locked"}, Ecosystem: "RubyGems", Manager: "bundler", Tier: 1, Parser: ParserOwn, read: readGemfileLock, remedy: "run `bundle lock` to write it again"},
	{Name: "Gemfile", Files: []string{"Gemfile", "gems.rb"}, Ecosystem: "RubyGems", Manager: "bundler", Tier: 1, Parser: ParserOwn, Companion: true, wants: wantsGemfile, locks: []string{"Gemfile.lock", "gems.locked"}, remedy: "correct it by hand"},

	{Name: "composer.lock", Files: []string{"composer.lock"}, Ecosystem: "Packagist", Manager: "composer", Tier: 1, Parser: ParserOwn, read: readComposerLock, remedy: "run `composer update --lock` to write it again"},
	{Name: "composer.json", Files: []string{"composer.json"}, Ecosystem: "Packagist", Manager: "composer", Tier: 1, Parser: ParserOwn, Companion: true, wants: wantsComposer, locks: []string{"composer.lock"}, remedy: "correct it by hand"},

	{Name: "gradle.lockfile", Files: []string{"gradle.lockfile", "buildscript-gradle.lockfile"}, Ecosystem: "Maven", Manager: "gradle", Tier: 1, Parser: ParserOwn, read: readGradleLock, remedy: "run `gradle dependencies --write-locks` to write it again"},
	{Name: "verification-metadata.xml", Files: []string{"gradle/verification-metadata.xml"}, Ecosystem: "Maven", Manager: "gradle", Tier: 1, Parser: ParserOwn, read: readVerificationMetadata, remedy: "run `gradle --write-verification-metadata sha256` to write it again"},
	{Name: "libs.versions.toml", Files: []string{"*.versions.toml"}, Ecosystem: "Maven", Manager: "gradle", Tier: 1, Parser: ParserOwn, read: readCatalog, remedy: "correct it by hand"},
	{Name: "build.gradle", Files: []string{"build.gradle", "build.gradle.kts", "*.gradle", "*.gradle.kts"}, Ecosystem: "Maven", Manager: "gradle", Tier: 1, Parser: ParserOwn, Companion: true, wants: wantsGradle, locks: []string{"gradle.lockfile"}, blank: true, remedy: "correct it by hand"},
	{Name: "pom.xml", Files: []string{"pom.xml"}, Ecosystem: "Maven", Manager: "maven", Tier: 1, Parser: ParserOwn, read: readPom, remedy: "correct it by hand"},

	{Name: "packages.lock.json", Files: []string{"packages.lock.json", "packages.*.lock.json"}, Ecosystem: "NuGet", Manager: "dotnet", Tier: 1, Parser: ParserOwn, read: readPackagesLock, remedy: "run `dotnet restore --force-evaluate` to write it again"},
	{Name: "packages.config", Files: []string{"packages.config"}, Ecosystem: "NuGet", Manager: "nuget", Tier: 1, Parser: ParserOwn, read: readPackagesConfig, remedy: "correct it by hand"},
	{Name: "Directory.Packages.props", Files: []string{centralPackages}, Ecosystem: "NuGet", Manager: "dotnet", Tier: 1, Parser: ParserOwn, read: readCentralPackages, remedy: "correct it by hand"},
	{Name: "Directory.Build.props", Files: []string{buildProps, buildTargets}, Ecosystem: "NuGet", Manager: "dotnet", Tier: 1, Parser: ParserOwn, read: readBuildFile, remedy: "correct it by hand"},
	{Name: "*.csproj", Files: []string{"*.csproj", "*.vbproj", "*.fsproj"}, Ecosystem: "NuGet", Manager: "dotnet", Tier: 1, Parser: ParserOwn, read: readProject, remedy: "correct it by hand"},
	{Name: "*.deps.json", Files: []string{"*.deps.json"}, Ecosystem: "NuGet", Manager: "dotnet", Tier: 1, Parser: ParserOwn, read: readDepsJSON, remedy: "build the program again, or remove the file from the repository"},

	{Name: "GitHub Actions", Files: []string{"/.github/workflows/*.yml", "/.github/workflows/*.yaml", "action.yml", "action.yaml"}, Ecosystem: "GitHub Actions", Manager: "github-actions", Tier: 1, Parser: ParserOwn, read: readActions, remedy: "correct it by hand"},

	{Name: ".gitmodules", Files: []string{"/" + submodulesFile}, Ecosystem: "GIT", Manager: "git", Tier: 1, Parser: ParserOwn, read: readSubmodules, blank: true, remedy: "correct it by hand"},

	{Name: "Dockerfile", Files: []string{"Dockerfile", "dockerfile", "Containerfile", "Dockerfile.*", "Containerfile.*", "*.Dockerfile", "*.dockerfile", "*.Containerfile"}, Ecosystem: "Docker", Manager: "docker", Tier: 1, Parser: ParserOwn, read: readDockerfile, remedy: "correct it by hand"},
	{Name: "compose.yaml", Files: []string{"compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml", "compose[.\\-]*.yaml", "compose[.\\-]*.yml", "docker-compose[._\\-]*.yaml", "docker-compose[._\\-]*.yml"}, Ecosystem: "Docker", Manager: "docker", Tier: 1, Parser: ParserOwn, read: readCompose, remedy: "correct it by hand"},

	{Name: "SBOM", Files: []string{
		"*.cdx.json", "*.cdx.xml", "*.cyclonedx.json", "*.cyclonedx.xml", "bom.json", "bom.xml", "*.bom.json", "*.bom.xml", "sbom.json", "*.sbom.json", "sbom.xml",
		"*.spdx", "*.spdx.json", ".spdx.*.json", "*.spdx.yaml", "*.spdx.yml", "*.spdx3.json", "*.spdx.rdf", "*.spdx.rdf.xml",
	}, Manager: "sbom", Tier: 1, Parser: ParserOwn, read: readSBOM, remedy: "write it again, or remove it from the repository"},

	{Name: "lib/apk/db/installed", Files: []string{"/lib/apk/db/installed", "/usr/lib/apk/db/installed", "/var/lib/apk/db/installed"}, Ecosystem: "Alpine", Manager: "apk", Tier: 2, Parser: ParserOwn, read: readAPK, remedy: "remove it from the repository"},
	{Name: "var/lib/dpkg/status", Files: []string{"/var/lib/dpkg/status", "/var/lib/dpkg/status.d/*"}, Ecosystem: "Debian", Manager: "apt", Tier: 2, Parser: ParserOwn, read: readDpkg, remedy: "remove it from the repository"},
	{Name: "osv-scanner-custom.json", Files: []string{"osv-scanner-custom.json"}, Manager: "osv-scanner", Tier: 2, Parser: ParserOwn, read: readScannerReport, remedy: "correct it by hand"},
	{Name: "pubspec.lock", Files: []string{"pubspec.lock"}, Ecosystem: "Pub", Manager: "pub", Tier: 2, Parser: ParserOwn, read: readPubspec, remedy: "run `dart pub get` to write it again"},
	{Name: "pubspec.yaml", Files: []string{"pubspec.yaml"}, Ecosystem: "Pub", Manager: "pub", Tier: 2, Parser: ParserOwn, Companion: true, wants: wantsPubspec, locks: []string{"pubspec.lock"}, remedy: "correct it by hand"},
	{Name: "mix.lock", Files: []string{"mix.lock"}, Ecosystem: "Hex", Manager: "mix", Tier: 2, Parser: ParserOwn, read: readMix, remedy: "run `mix deps.get` to write it again"},
	{Name: "mix.exs", Files: []string{"mix.exs"}, Ecosystem: "Hex", Manager: "mix", Tier: 2, Parser: ParserOwn, Companion: true, wants: wantsMix, locks: []string{"mix.lock"}, remedy: "correct it by hand"},
	{Name: "cabal.project.freeze", Files: []string{"cabal.project.freeze"}, Ecosystem: "Hackage", Manager: "cabal", Tier: 2, Parser: ParserOwn, read: readCabal, remedy: "run `cabal freeze` to write it again"},
	{Name: "stack.yaml.lock", Files: []string{"stack.yaml.lock"}, Ecosystem: "Hackage", Manager: "stack", Tier: 2, Parser: ParserOwn, read: readStack, remedy: "run `stack build` to write it again"},
	{Name: "*.cabal", Files: []string{"*.cabal"}, Ecosystem: "Hackage", Manager: "cabal", Tier: 2, Parser: ParserOwn, Companion: true, wants: wantsCabal, locks: haskellLocks, remedy: "correct it by hand"},
	{Name: "package.yaml", Files: []string{"package.yaml"}, Ecosystem: "Hackage", Manager: "stack", Tier: 2, Parser: ParserOwn, Companion: true, wants: wantsHpack, locks: haskellLocks, remedy: "correct it by hand"},
	{Name: "renv.lock", Files: []string{"renv.lock"}, Ecosystem: "CRAN", Manager: "renv", Tier: 2, Parser: ParserOwn, read: readRenv, remedy: "run `renv::snapshot()` to write it again"},
	{Name: "conan.lock", Files: []string{"conan.lock"}, Ecosystem: "ConanCenter", Manager: "conan", Tier: 2, Parser: ParserOwn, read: readConan, remedy: "run `conan lock create` to write it again"},
	{Name: "conanfile.txt", Files: []string{"conanfile.txt"}, Ecosystem: "ConanCenter", Manager: "conan", Tier: 2, Parser: ParserOwn, Companion: true, wants: wantsConan, locks: []string{"conan.lock"}, remedy: "correct it by hand"},
	{Name: "conanfile.py", Files: []string{"conanfile.py"}, Ecosystem: "ConanCenter", Manager: "conan", Tier: 2, Parser: ParserOwn, Companion: true, wants: wantsConanRecipe, locks: []string{"conan.lock"}, remedy: "correct it by hand"},
	{Name: "Package.resolved", Files: []string{"Package.resolved"}, Ecosystem: "SwiftURL", Manager: "swift", Tier: 2, Parser: ParserOwn, read: readSwift, remedy: "run `swift package resolve` to write it again"},
	{Name: "Package.swift", Files: []string{"Package.swift"}, Ecosystem: "SwiftURL", Manager: "swift", Tier: 2, Parser: ParserOwn, Companion: true, wants: wantsSwift, locks: []string{"Package.resolved"}, remedy: "correct it by hand"},
	{Name: "Podfile.lock", Files: []string{"Podfile.lock"}, Ecosystem: "CocoaPods", Manager: "cocoapods", Tier: 2, Parser: ParserOwn, read: readPods, remedy: "run `pod install` to write it again"},
	{Name: "Podfile", Files: []string{"Podfile"}, Ecosystem: "CocoaPods", Manager: "cocoapods", Tier: 2, Parser: ParserOwn, Companion: true, wants: wantsPodfile, locks: []string{"Podfile.lock"}, remedy: "correct it by hand"},
}

// Formats returns the table of formats, in the order of docs/formats.md.
func Formats() []Format { return slices.Clone(formats) }

// named finds the formats whose patterns are plain names: nearly all, and the trees asked
// about are large. patterned are the other patterns by the extension of the files they cover,
// "*" where that may be any.
var named, patterned = func() (map[string]int, map[string][]pattern) {
	names, others := map[string]int{}, map[string][]pattern{}
	for i, f := range formats {
		for _, p := range f.Files {
			if !strings.ContainsAny(p, "/*") {
				names[p] = i
				continue
			}
			ext := path.Ext(p)
			if strings.Contains(ext, "*") || ext == "" && strings.HasSuffix(p, "*") {
				ext = "*"
			}
			others[ext] = append(others[ext], pattern{p, i})
		}
	}
	return names, others
}()

// pattern is one pattern of a format, which it names by its row.
type pattern struct {
	text   string
	format int
}

// formatOf returns the format of a path, nil when it has none. The first row that covers it
// counts.
func formatOf(p string) *Format {
	dir, base := path.Split(p)
	if strings.HasPrefix(dir, "node_modules/") || strings.Contains(dir, "/node_modules/") {
		return nil
	}
	if i, ok := named[base]; ok {
		return &formats[i]
	}
	for _, ext := range [...]string{path.Ext(base), "*"} {
		for _, o := range patterned[ext] {
			if matches(o.text, p) {
				return &formats[o.format]
			}
		}
	}
	return nil
}

// matches reports whether pattern covers p: one that begins with a slash from the root, any
// other the last elements of p, as many as it has.
func matches(pattern, p string) bool {
	rooted, ok := strings.CutPrefix(pattern, "/")
	if !ok {
		elements := strings.Split(p, "/")
		n := strings.Count(pattern, "/") + 1
		if len(elements) < n {
			return false
		}
		p = strings.Join(elements[len(elements)-n:], "/")
	}
	covered, err := path.Match(rooted, p)
	return covered && err == nil
}
