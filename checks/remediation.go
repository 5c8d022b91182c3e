package checks

import (
	"cmp"
	"path"
	"regexp"
	"strings"
)

// cure is how one package manager moves a package to another version. In the texts {name},
// {version} and {file} stand for the package, the version that cures it, and the manifest. A
// text that starts with a capital letter is a sentence, any other is a command.
type cure struct {
	direct     string // for packages that the project names itself, and where that is unknown
	transitive string // for packages that others bring in; "" means the same as direct
	remove     string // takes a direct package out; "" when there is no command
}

// cures is the table of package managers. To add one: a row, and a case in TestRemediation.
var cures = map[string]cure{
	"npm": {"npm install {name}@{version}",
		"npm update {name}\n# if that stays below {version}: add \"overrides\": {\"{name}\": \"{version}\"} to package.json and run npm install", "npm uninstall {name}"},
	"pnpm": {"pnpm update {name}@{version}",
		"Add `{name}: {version}` to the overrides of pnpm-workspace.yaml (or `pnpm.overrides` of package.json) and run `pnpm install`.", "pnpm remove {name}"},
	"yarn": {"yarn upgrade {name}@{version}",
		"Add `\"{name}\": \"{version}\"` to `resolutions` in package.json and run `yarn install`.", "yarn remove {name}"},
	"yarn-berry": {"yarn up {name}@{version}",
		"yarn up --recursive {name}\n# if that stays below {version}: add \"{name}\": \"{version}\" to \"resolutions\" in package.json and run yarn install", "yarn remove {name}"},
	"bun": {"bun add {name}@{version}",
		"Add `\"{name}\": \"{version}\"` to `overrides` in package.json and run `bun install`.", "bun remove {name}"},
	"go":    {"go get {name}@v{version} && go mod tidy", "", "go get {name}@none && go mod tidy"},
	"cargo": {"cargo update -p {name} --precise {version}", "", "cargo remove {name}"},
	"poetry": {"poetry add {name}@^{version}",
		"poetry update {name}", "poetry remove {name}"},
	"uv":     {"uv lock --upgrade-package {name}=={version} && uv sync", "", "uv remove {name}"},
	"pdm":    {"pdm add \"{name}>={version}\"", "pdm update {name}", "pdm remove {name}"},
	"pipenv": {"pipenv upgrade {name}=={version}", "", "pipenv uninstall {name}"},
	"pip":    {"Set `{name}=={version}` in `{file}`.", "Add `{name}=={version}` to `{file}`.", ""},
	"bundler": {"bundle update {name} --conservative",
		"", "bundle remove {name}"},
	"composer": {"composer require {name}:^{version} --update-with-all-dependencies",
		"composer update {name} --with-all-dependencies", "composer remove {name}"},
	"gradle": {"Set `{name}` to {version} in the build script and run `gradle dependencies --write-locks`.",
		"Add a constraint for `{name}` {version} to the build script and run `gradle dependencies --write-locks`.", ""},
	"maven": {"Set the version of `{name}` to {version} in `{file}`.",
		"Add `{name}` {version} to `dependencyManagement` in `{file}`.", ""},
	"nuget": {"Set the version of `{name}` to {version} in the project file and run `dotnet restore --force-evaluate`.",
		"Add a reference to `{name}` {version} to the project file and run `dotnet restore --force-evaluate`.", ""},
	"github-actions": {"Pin the action to the fixed tag: `uses: {name}@{tag}` in `{file}`.", "", ""},
	"pub":            {"dart pub upgrade {name}", "", "dart pub remove {name}"},
	"mix":            {"mix deps.update {name}", "", ""},
	"cocoapods":      {"pod update {name}", "", ""},
	"swift":          {"swift package update {name}", "", ""},
}

// managers names the row of cures for other names of a manager, and for packages whose manager
// is unknown by their ecosystem.
var managers = map[string]string{
	"dotnet": "nuget", "rubygems": "bundler", "rust": "cargo", "golang": "go", "yarn-classic": "yarn", "actions": "github-actions",
	"hex": "mix", "pip-requirements": "pip", "requirements": "pip", "packagist": "composer", "crates.io": "cargo", "pypi": "pip",
	"github actions": "github-actions",
}

// The forms of what may stand in a command or between backquotes: nothing that a shell,
// Markdown or a terminal could read as something else. No leading dash, so no option.
var (
	plainName    = regexp.MustCompile(`^@?[A-Za-z0-9_][A-Za-z0-9@._/:+-]{0,213}$`)
	plainVersion = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$`)
	plainFolder  = regexp.MustCompile(`^[A-Za-z0-9_.][A-Za-z0-9._/-]{0,199}$`)
)

// remediation returns what cures m, and whether it is a command. Names that are not plain
// appear in no command and in no sentence.
func remediation(m Match) (text string, command bool) {
	pkg, version := m.Package, m.Advisory.Cure
	row, known := cures[manager(pkg)]
	plain := plainName.MatchString(pkg.Name)
	name := "the package"
	if plain {
		name = "`" + pkg.Name + "`"
	}
	switch {
	case m.Advisory.Malware:
		return removal(pkg, name, row, version), false
	case version == "" && len(m.Advisory.Fixed) > 0:
		return "No clean version yet: the versions that fix this have other known problems. " + instead(name), false
	case version == "":
		return "No fix yet. " + instead(name), false
	case !plain || !plainVersion.MatchString(version):
		return "Upgrade to the fixed version by hand: name or version have characters that do not belong into a command.", false
	case pkg.Ecosystem == "Go" && (pkg.Name == "stdlib" || pkg.Name == "toolchain"):
		return inFolder(m.Path, "go get go@"+strings.TrimPrefix(version, "v")+" && go mod tidy")
	case !known:
		return "Upgrade " + name + " to " + version + " or later.", false
	}
	text = row.direct
	if pkg.Relation == Transitive && row.transitive != "" {
		text = row.transitive
	}
	text = fill(text, pkg, version, m.Path)
	if text[0] >= 'A' && text[0] <= 'Z' {
		return text, false
	}
	return inFolder(m.Path, text)
}

func manager(p Package) string {
	name := strings.ToLower(cmp.Or(p.Manager, p.Ecosystem))
	if _, ok := cures[name]; ok {
		return name
	}
	if other, ok := managers[name]; ok {
		return other
	}
	if p.Manager != "" {
		return manager(Package{Ecosystem: p.Ecosystem})
	}
	return name
}

// fill puts the plain parts into a text of the table.
func fill(text string, p Package, version, file string) string {
	tag := version
	if strings.HasPrefix(p.Version, "v") && !strings.HasPrefix(tag, "v") {
		tag = "v" + tag
	}
	if strings.Contains(text, "@v{version}") {
		version = strings.TrimPrefix(version, "v")
	}
	if !plainFolder.MatchString(file) {
		file = "the manifest"
	}
	return strings.NewReplacer("{name}", p.Name, "{version}", version, "{tag}", tag, "{file}", file).Replace(text)
}

// inFolder makes a command run in the folder of the manifest.
func inFolder(file, command string) (string, bool) {
	folder := path.Dir(file)
	switch {
	case folder == "." || folder == "/":
		return command, true
	case !plainFolder.MatchString(folder):
		return "# in the folder of the manifest:\n" + command, true
	default:
		return "cd " + folder + " && " + command, true
	}
}

// instead says what to do while nothing cures a package.
func instead(name string) string {
	return "Replace " + name + " or do without it; or, when the affected part is not used, have the owners accept the risk for a while with an exception in the policy."
}

// removal says how to get rid of malware, and what to do where it ran.
func removal(p Package, name string, row cure, clean string) string {
	text := "Remove " + name
	switch plain := plainName.MatchString(p.Name); {
	case p.Relation == Transitive && len(p.Via) > 0 && plainName.MatchString(p.Via[0]):
		text += " by removing or moving `" + p.Via[0] + "`, which brings it in."
	case plain && row.remove != "" && p.Relation != Transitive:
		text += ": `" + fill(row.remove, p, "", "") + "`."
	default:
		text += " and whatever brings it in."
	}
	if clean != "" && plainVersion.MatchString(clean) {
		text += " Version " + clean + " is not known to be malicious."
	}
	return text + " Where it was installed, take the machine for compromised: rotate registry and cloud credentials, SSH keys, CI secrets, and whatever else could be read there."
}
