package cure

import (
	"cmp"
	"fmt"
	"path"
	"strings"
)

// manager is how one package manager moves a package to another version.
//
// In the texts {name}, {version}, {@from}, {file} and {via} stand for the package, the clean
// version, "@" and the version that is there, the manifest, and the direct dependency that
// brings the package in. A text that starts with a capital letter is a sentence, any other is a
// command. Which of them were run with the real tools is told in docs/remediation.md.
type manager struct {
	name string // as people call it

	// Packages that the project names itself, and those of which that is not known.
	direct string
	dev    string // the same for development; "" means direct
	within string // while the project's constraint admits the version; "" means direct

	// Packages that others bring in.
	update string // moves the package where all who need it accept that
	note   string // what to know of update; "" for nothing
	forced bool   // update works whatever they accept
	raise  string // moves the direct dependency

	// override makes those who need the package take the version; "" when the manager has no
	// way. {each} in it is each once per requirer, with {by} and {byversion}, or all for every
	// copy of the package; an empty each means that the manager cannot tell requirers apart.
	override, each, all, joined string

	remove string // takes a direct package out; "" when there is no command
}

// managers is the table. To add one: a row, a case in TestOf, and a line in docs/remediation.md.
var managers = map[string]manager{
	"npm": {name: "npm", direct: "npm install {name}@{version}", update: "npm update {name}", raise: "npm install {via}@latest",
		override: "npm pkg set {each} && npm install", each: `"overrides[{by}@{byversion}][{name}]={version}"`, all: `"overrides[{name}]={version}"`, joined: " ",
		remove: "npm uninstall {name}"},
	"pnpm": {name: "pnpm", direct: "pnpm update {name}@{version}", update: "pnpm update {name}", note: "in a workspace: pnpm update --recursive {name}", raise: "pnpm update {via}@latest",
		override: "Add {each} to `overrides` in `pnpm-workspace.yaml` (before pnpm 10: `pnpm.overrides` in `package.json`) and run `pnpm install`.",
		each:     "`\"{by}@{byversion}>{name}\": {version}`", all: "`\"{name}\": {version}`", joined: " and ",
		remove: "pnpm remove {name}"},
	"yarn": {name: "yarn", direct: "yarn upgrade {name}@{version}", raise: "yarn upgrade {via} --latest",
		update:   "Delete {entry} from {file} and run `yarn install`, which resolves it again; `yarn upgrade` leaves packages alone that others bring in.",
		override: "npm pkg set {each} && yarn install", each: `"resolutions[**/{by}/{name}]={version}"`, all: `"resolutions[{name}]={version}"`, joined: " ",
		remove: "yarn remove {name}"},
	"yarn-berry": {name: "yarn", direct: "yarn up {name}@{version}", update: "yarn up --recursive {name}", raise: "yarn up {via}",
		override: "npm pkg set {each} && yarn install", each: `"resolutions[{by}@npm:{byversion}/{name}]={version}"`, all: `"resolutions[{name}]={version}"`, joined: " ",
		remove: "yarn remove {name}"},
	"bun": {name: "bun", direct: "bun add {name}@{version}", update: "bun update {name}", raise: "bun add {via}@latest",
		override: "bun pm pkg set {each} && bun install", all: `"overrides[{name}]={version}"`,
		remove: "bun remove {name}"},
	"go": {name: "go", direct: "go get {name}@v{version} && go mod tidy", update: "go get {name}@v{version} && go mod tidy", forced: true,
		remove: "go get {name}@none && go mod tidy"},
	"cargo": {name: "cargo", within: "cargo update -p {name}{@from} --precise {version}", direct: "cargo add {name}@{version}", dev: "cargo add --dev {name}@{version}",
		update: "cargo update -p {name}{@from} --precise {version}", raise: "cargo update -p {via}",
		remove: "cargo remove {name}"},
	"poetry": {name: "poetry", within: "poetry update {name}", direct: "poetry add {name}@^{version}",
		dev:    "Set `{name}` to `^{version}` in `pyproject.toml` and run `poetry update {name}`.",
		update: "poetry update {name}", raise: "poetry update {via}",
		remove: "poetry remove {name}"},
	"uv": {name: "uv", within: "uv lock --upgrade-package {name}=={version} && uv sync", direct: `uv add "{name}>={version}"`, dev: `uv add --dev "{name}>={version}"`,
		update: "uv lock --upgrade-package {name}=={version} && uv sync", raise: "uv lock --upgrade-package {via} && uv sync",
		override: "Add `override-dependencies = [\"{name}>={version}\"]` below `[tool.uv]` in `pyproject.toml` and run `uv sync`.",
		remove:   "uv remove {name}"},
	"pdm": {name: "pdm", within: "pdm update {name}", direct: `pdm add "{name}>={version}"`,
		dev:    "Set `{name}>={version}` in `pyproject.toml` and run `pdm update {name}`.",
		update: "pdm update {name}", raise: "pdm update {via}",
		override: "Add `{name} = \">={version}\"` below `[tool.pdm.resolution.overrides]` in `pyproject.toml` and run `pdm update {name}`.",
		remove:   "pdm remove {name}"},
	"pipenv": {name: "pipenv", direct: "pipenv upgrade {name}=={version}", update: "pipenv upgrade {name}=={version}", raise: "pipenv upgrade {via}",
		remove: "pipenv uninstall {name}"},
	"pip": {name: "pip", direct: "Set `{name}=={version}` in {file}.", update: "Add `{name}=={version}` to {file}."},
	"bundler": {name: "bundler", within: "bundle update {name} --conservative", update: "bundle update {name} --conservative", raise: "bundle update {via} --conservative",
		direct: "Set `gem \"{name}\", \">= {version}\"` in the Gemfile and run `bundle update {name} --conservative`.",
		remove: "bundle remove {name}"},
	"composer": {name: "composer", within: "composer update {name} --with-all-dependencies", direct: "composer require {name}:^{version} --update-with-all-dependencies",
		dev:    "composer require --dev {name}:^{version} --update-with-all-dependencies",
		update: "composer update {name} --with-all-dependencies", raise: "composer update {via} --with-all-dependencies",
		remove: "composer remove {name}"},
	"gradle": {name: "gradle", direct: "Set `{name}` to {version} in the build script and run `gradle dependencies --write-locks`.",
		override: "Add `constraints { implementation(\"{name}:{version}\") }` to `dependencies` in the build script and run `gradle dependencies --write-locks`."},
	"maven": {name: "maven", direct: "Set the version of `{name}` to {version} in {file}.",
		override: "Add `<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version></dependency>` to `dependencyManagement` in {file}."},
	"nuget": {name: "nuget", direct: "dotnet add package {name} --version {version} && dotnet restore --force-evaluate",
		update: "dotnet add package {name} --version {version} && dotnet restore --force-evaluate", forced: true,
		remove: "dotnet remove package {name}"},
	"nuget-central": {name: "nuget", direct: "Set the version of `{name}` to {version} in {file}.",
		override: "Add `<PackageVersion Include=\"{name}\" Version=\"{version}\" />` to {file} and set `CentralPackageTransitivePinningEnabled` to `true` there."},
	"nuget-config": {name: "nuget", direct: "nuget update packages.config -Id {name} -Version {version}",
		update: "nuget update packages.config -Id {name} -Version {version}", forced: true},
	"github-actions": {name: "GitHub Actions", direct: "Pin the action to the fixed tag: `uses: {name}@{tag}` in {file}."},
	"pub": {name: "pub", within: "dart pub upgrade {name}", direct: `dart pub add "{name}:^{version}"`, update: "dart pub upgrade {name}", raise: "dart pub upgrade {via}",
		override: "Add `{name}: {version}` to `dependency_overrides` in `pubspec.yaml` and run `dart pub get`.",
		remove:   "dart pub remove {name}"},
	"mix": {name: "mix", within: "mix deps.update {name}", direct: "Set `{:{name}, \"~> {version}\"}` in `mix.exs` and run `mix deps.update {name}`.", update: "mix deps.update {name}",
		override: "Add `{:{name}, \"~> {version}\", override: true}` to `deps` in `mix.exs` and run `mix deps.get`."},
	"cocoapods": {name: "cocoapods", direct: "pod update {name}", update: "pod update {name}", raise: "pod update {via}"},
	"swift":     {name: "swift", direct: "swift package update {name}", update: "swift package update {name}"},
}

// others names the row of managers for other names of a manager, and for packages whose
// manager is unknown by their ecosystem.
var others = map[string]string{
	"dotnet": "nuget", "rubygems": "bundler", "rust": "cargo", "golang": "go", "yarn-classic": "yarn", "actions": "github-actions",
	"hex": "mix", "pip-requirements": "pip", "requirements": "pip", "packagist": "composer", "crates.io": "cargo", "pypi": "pip",
	"github actions": "github-actions",
}

// managerOf names the row for p.
func managerOf(p Problem) string {
	name := strings.ToLower(cmp.Or(p.Manager, p.Ecosystem))
	row, known := name, false
	if _, known = managers[name]; !known {
		if row, known = others[name]; !known {
			if p.Manager == "" {
				return name
			}
			return managerOf(Problem{Ecosystem: p.Ecosystem, File: p.File})
		}
	}
	if row == "nuget" {
		switch strings.ToLower(path.Base(p.File)) {
		case "directory.packages.props":
			return "nuget-central"
		case "packages.config":
			return "nuget-config"
		}
	}
	return row
}

// entry names the entry of a lock file that holds p.
func (p Problem) entry() string {
	if p.Line > 0 {
		return fmt.Sprintf("the entry of `%s` in line %d", p.Name, p.Line)
	}
	return fmt.Sprintf("the entry of `%s` %s", p.Name, p.Version)
}
