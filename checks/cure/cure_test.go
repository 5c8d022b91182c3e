package cure_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks/cure"
)

// problem is minimist 1.2.5 in a package-lock.json, brought in by mocha through mkdirp.
func problem(change func(*cure.Problem)) cure.Problem {
	p := cure.Problem{
		Ecosystem: "npm", Manager: "npm", Name: "minimist", Version: "1.2.5", File: "package-lock.json", Line: 7, Clean: "1.2.6",
		Relation: cure.Transitive, Via: []string{"mocha", "mkdirp", "minimist"},
		Requirers: []cure.Requirer{{Name: "mkdirp", Version: "0.5.5", Constraint: "^1.2.5"}},
	}
	if change != nil {
		change(&p)
	}
	return p
}

// in makes a change to the problem that puts it into the file of a manager.
func in(ecosystem, manager, file string, more ...func(*cure.Problem)) func(*cure.Problem) {
	return func(p *cure.Problem) {
		p.Ecosystem, p.Manager, p.File = ecosystem, manager, file
		for _, m := range more {
			m(p)
		}
	}
}

func direct(p *cure.Problem) {
	p.Relation, p.Via, p.Requirers = cure.Direct, []string{p.Name}, nil
}

// held makes mkdirp accept no version but the one that is there.
func held(p *cure.Problem) { p.Requirers[0].Constraint = "=1.2.5" }

// silent makes the file tell no constraint.
func silent(p *cure.Problem) { p.Requirers[0].Constraint = "" }

func breaking(p *cure.Problem) { p.Clean = "2.0.0" }

func TestOf(t *testing.T) {
	t.Parallel()
	const changelog = "\n# 2.0.0 is a new major version: read its changelog"
	for _, x := range []struct {
		name    string
		problem cure.Problem
		want    cure.Advice
	}{
		{"npm, everybody accepts it", problem(nil), cure.Advice{Text: "npm update minimist", Command: true}},
		{"npm, held back", problem(held), cure.Advice{Text: "# mkdirp 0.5.5 asks for minimist =1.2.5. If a newer mocha lets go of it: npm install mocha@latest, else override it\n" +
			`npm pkg set "overrides[mkdirp@0.5.5][minimist]=1.2.6" && npm install`, Command: true}},
		{"npm, held back by one of two", problem(func(p *cure.Problem) {
			p.Requirers = append(p.Requirers, cure.Requirer{Name: "@s/x", Version: "1.0.0", Constraint: "1.2.5"})
		}), cure.Advice{Text: "# @s/x 1.0.0 asks for minimist 1.2.5. If a newer mocha lets go of it: npm install mocha@latest, else override it\n" +
			`npm pkg set "overrides[@s/x@1.0.0][minimist]=1.2.6" "overrides[mkdirp@0.5.5][minimist]=1.2.6" && npm install`, Command: true}},
		{"npm, held back and maybe by more", problem(func(p *cure.Problem) { held(p); p.Partial = true }),
			cure.Advice{Text: "# mkdirp 0.5.5 asks for minimist =1.2.5. If a newer mocha lets go of it: npm install mocha@latest, else override it\n" +
				"npm pkg set \"overrides[minimist]=1.2.6\" && npm install\n# that sets every copy of minimist, also those that others need in another version", Command: true}},
		{"npm, nothing known", problem(silent), cure.Advice{Text: "npm update minimist\n# if that stays below 1.2.6: npm pkg set \"overrides[mkdirp@0.5.5][minimist]=1.2.6\" && npm install", Command: true}},
		{"npm, no requirers", problem(func(p *cure.Problem) { p.Requirers = nil }),
			cure.Advice{Text: "npm update minimist\n# if that stays below 1.2.6: npm pkg set \"overrides[minimist]=1.2.6\" && npm install", Command: true}},
		{"npm, direct", problem(direct), cure.Advice{Text: "npm install minimist@1.2.6", Command: true}},
		{"npm, direct, a new major version", problem(func(p *cure.Problem) { direct(p); breaking(p) }),
			cure.Advice{Text: "npm install minimist@2.0.0" + changelog, Command: true}},
		{"npm, direct, and held back by another package", problem(func(p *cure.Problem) {
			direct(p)
			p.Requirers = []cure.Requirer{{Constraint: "^1.0.0"}, {Name: "b", Version: "1.0.0", Constraint: "1.2.5"}}
		}), cure.Advice{Text: "npm install minimist@1.2.6\n# also, b 1.0.0 asks for minimist 1.2.5: npm pkg set \"overrides[b@1.0.0][minimist]=1.2.6\" && npm install", Command: true}},
		{"npm, in a folder", problem(func(p *cure.Problem) { p.File = "web/app/package-lock.json" }), cure.Advice{Text: "cd web/app && npm update minimist", Command: true}},

		{"pnpm", problem(in("npm", "pnpm", "pnpm-lock.yaml", silent)), cure.Advice{Text: "pnpm update minimist\n# in a workspace: pnpm update --recursive minimist\n# if that stays below 1.2.6: " +
			`Add "mkdirp@0.5.5>minimist": 1.2.6 to overrides in pnpm-workspace.yaml (before pnpm 10: pnpm.overrides in package.json) and run pnpm install`, Command: true}},
		{"pnpm, direct", problem(in("npm", "pnpm", "pnpm-lock.yaml", direct)), cure.Advice{Text: "pnpm update minimist@1.2.6", Command: true}},
		{"yarn 1", problem(in("npm", "yarn", "yarn.lock")), cure.Advice{Text: "Delete the entry of `minimist` in line 7 from `yarn.lock` and run `yarn install`, which resolves it again; `yarn upgrade` leaves packages alone that others bring in."}},
		{"yarn 1, held back", problem(in("npm", "yarn", "yarn.lock", held)), cure.Advice{Text: "# mkdirp 0.5.5 asks for minimist =1.2.5. If a newer mocha lets go of it: yarn upgrade mocha --latest, else override it\n" +
			`npm pkg set "resolutions[**/mkdirp/minimist]=1.2.6" && yarn install`, Command: true}},
		{"yarn 1, direct", problem(in("npm", "yarn", "yarn.lock", direct)), cure.Advice{Text: "yarn upgrade minimist@1.2.6", Command: true}},
		{"yarn 4", problem(in("npm", "yarn-berry", "yarn.lock", func(p *cure.Problem) { p.Requirers[0].Constraint = "npm:^1.2.5" })), cure.Advice{Text: "yarn up --recursive minimist", Command: true}},
		{"yarn 4, held back", problem(in("npm", "yarn-berry", "yarn.lock", held)), cure.Advice{Text: "# mkdirp 0.5.5 asks for minimist =1.2.5. If a newer mocha lets go of it: yarn up mocha, else override it\n" +
			`npm pkg set "resolutions[mkdirp@npm:0.5.5/minimist]=1.2.6" && yarn install`, Command: true}},
		{"yarn 4, direct", problem(in("npm", "yarn-berry", "yarn.lock", direct)), cure.Advice{Text: "yarn up minimist@1.2.6", Command: true}},
		{"bun", problem(in("npm", "bun", "bun.lock")), cure.Advice{Text: "bun update minimist", Command: true}},
		{"bun, held back", problem(in("npm", "bun", "bun.lock", held)), cure.Advice{Text: "# mkdirp 0.5.5 asks for minimist =1.2.5. If a newer mocha lets go of it: bun add mocha@latest, else override it\n" +
			"bun pm pkg set \"overrides[minimist]=1.2.6\" && bun install\n# that sets every copy of minimist, also those that others need in another version", Command: true}},
		{"bun, direct", problem(in("npm", "bun", "bun.lock", direct)), cure.Advice{Text: "bun add minimist@1.2.6", Command: true}},

		{"go", problem(in("Go", "go", "go.mod")), cure.Advice{Text: "go get minimist@v1.2.6 && go mod tidy", Command: true}},
		{"go, the standard library", problem(in("Go", "go", "go.mod", func(p *cure.Problem) { p.Name = "stdlib" })), cure.Advice{Text: "go get go@1.2.6 && go mod tidy", Command: true}},
		{"cargo", problem(in("crates.io", "cargo", "Cargo.lock", silent)), cure.Advice{Text: "cargo update -p minimist@1.2.5 --precise 1.2.6\n# if that fails or stays below 1.2.6, raise mocha, which brings it in: cargo update -p mocha", Command: true}},
		{"cargo, held back", problem(in("crates.io", "cargo", "Cargo.lock", held)), cure.Advice{Text: "# mkdirp 0.5.5 asks for minimist =1.2.5, and cargo has no override: raise mocha, which brings it in, until it lets go\ncargo update -p mocha", Command: true}},
		{"cargo, direct", problem(in("crates.io", "cargo", "Cargo.lock", direct)), cure.Advice{Text: "cargo update -p minimist@1.2.5 --precise 1.2.6", Command: true}},
		{"cargo, direct, a new major version", problem(in("crates.io", "cargo", "Cargo.lock", direct, breaking)), cure.Advice{Text: "cargo add minimist@2.0.0" + changelog, Command: true}},
		{"cargo, for development, a new major version", problem(in("crates.io", "cargo", "Cargo.lock", direct, breaking, func(p *cure.Problem) { p.Development = true })),
			cure.Advice{Text: "cargo add --dev minimist@2.0.0" + changelog, Command: true}},
		{"poetry", problem(in("PyPI", "poetry", "poetry.lock", func(p *cure.Problem) { p.Requirers[0].Constraint = ">=1.2,<2.0" })), cure.Advice{Text: "poetry update minimist", Command: true}},
		{"poetry, held back", problem(in("PyPI", "poetry", "poetry.lock", func(p *cure.Problem) { p.Requirers[0].Constraint = "==1.2.5" })),
			cure.Advice{Text: "# mkdirp 0.5.5 asks for minimist ==1.2.5, and poetry has no override: raise mocha, which brings it in, until it lets go\npoetry update mocha", Command: true}},
		{"poetry, direct", problem(in("PyPI", "poetry", "poetry.lock", direct)), cure.Advice{Text: "poetry update minimist", Command: true}},
		{"poetry, direct, a new major version", problem(in("PyPI", "poetry", "poetry.lock", direct, breaking)), cure.Advice{Text: "poetry add minimist@^2.0.0" + changelog, Command: true}},
		{"uv, held back", problem(in("PyPI", "uv", "uv.lock", func(p *cure.Problem) { p.Requirers[0].Constraint = "==1.2.5" })),
			cure.Advice{Text: "Held back: mkdirp 0.5.5 asks for minimist ==1.2.5. If a newer mocha lets go of it: `uv lock --upgrade-package mocha && uv sync`, else override it. " +
				"Add `override-dependencies = [\"minimist>=1.2.6\"]` below `[tool.uv]` in `pyproject.toml` and run `uv sync`. That sets every copy of minimist, also those that others need in another version."}},
		{"uv, direct", problem(in("PyPI", "uv", "uv.lock", direct)), cure.Advice{Text: "uv lock --upgrade-package minimist==1.2.6 && uv sync", Command: true}},
		{"uv, direct, a new major version", problem(in("PyPI", "uv", "uv.lock", direct, breaking)), cure.Advice{Text: "uv add \"minimist>=2.0.0\"" + changelog, Command: true}},
		{"pdm", problem(in("PyPI", "pdm", "pdm.lock", silent)), cure.Advice{Text: "pdm update minimist\n# if that stays below 1.2.6: Add minimist = \">=1.2.6\" below [tool.pdm.resolution.overrides] in pyproject.toml and run pdm update minimist", Command: true}},
		{"pipenv", problem(in("PyPI", "pipenv", "Pipfile.lock", direct)), cure.Advice{Text: "pipenv upgrade minimist==1.2.6", Command: true}},
		{"pip, direct", problem(in("PyPI", "pip", "requirements.txt", direct)), cure.Advice{Text: "Set `minimist==1.2.6` in `requirements.txt`."}},
		{"pip", problem(in("PyPI", "pip", "requirements.txt", silent)), cure.Advice{Text: "Add `minimist==1.2.6` to `requirements.txt`."}},
		{"bundler", problem(in("RubyGems", "bundler", "Gemfile.lock", func(p *cure.Problem) { p.Requirers[0].Constraint = "~> 1.2" })), cure.Advice{Text: "bundle update minimist --conservative", Command: true}},
		{"bundler, direct, a new major version", problem(in("RubyGems", "bundler", "Gemfile.lock", direct, breaking)),
			cure.Advice{Text: "Set `gem \"minimist\", \">= 2.0.0\"` in the Gemfile and run `bundle update minimist --conservative`. 2.0.0 is a new major version: read its changelog."}},
		{"composer", problem(in("Packagist", "composer", "composer.lock")), cure.Advice{Text: "composer update minimist --with-all-dependencies", Command: true}},
		{"composer, direct, the project forbids it", problem(in("Packagist", "composer", "composer.lock", direct, func(p *cure.Problem) { p.Requirers = []cure.Requirer{{Constraint: "1.2.5"}} })),
			cure.Advice{Text: "composer require minimist:^1.2.6 --update-with-all-dependencies", Command: true}},
		{"maven", problem(in("Maven", "maven", "pom.xml", func(p *cure.Problem) { p.Name = "g.h:a" })), cure.Advice{Text: "Add `<dependency><groupId>g.h</groupId><artifactId>a</artifactId><version>1.2.6</version></dependency>` to `dependencyManagement` in `pom.xml`."}},
		{"maven, a name without group", problem(in("Maven", "maven", "pom.xml")), cure.Advice{Text: "Set the version of `minimist` to 1.2.6 in `pom.xml`."}},
		{"maven, direct", problem(in("Maven", "maven", "pom.xml", direct)), cure.Advice{Text: "Set the version of `minimist` to 1.2.6 in `pom.xml`."}},
		{"gradle", problem(in("Maven", "gradle", "gradle.lockfile")), cure.Advice{Text: "Add `constraints { implementation(\"minimist:1.2.6\") }` to `dependencies` in the build script and run `gradle dependencies --write-locks`."}},
		{"nuget", problem(in("NuGet", "dotnet", "packages.lock.json")), cure.Advice{Text: "dotnet add package minimist --version 1.2.6 && dotnet restore --force-evaluate", Command: true}},
		{"nuget, central versions", problem(in("NuGet", "nuget", "Directory.Packages.props", direct)), cure.Advice{Text: "Set the version of `minimist` to 1.2.6 in `Directory.Packages.props`."}},
		{"nuget, packages.config", problem(in("NuGet", "nuget", "packages.config", direct)), cure.Advice{Text: "nuget update packages.config -Id minimist -Version 1.2.6", Command: true}},
		{"an action", problem(in("GitHub Actions", "", ".github/workflows/ci.yml", direct, func(p *cure.Problem) { p.Name, p.Version = "a/b", "v1" })),
			cure.Advice{Text: "Pin the action to the fixed tag: `uses: a/b@v1.2.6` in `.github/workflows/ci.yml`."}},
		{"pub", problem(in("Pub", "pub", "pubspec.lock")), cure.Advice{Text: "dart pub upgrade minimist\n# if that stays below 1.2.6: Add minimist: 1.2.6 to dependency_overrides in pubspec.yaml and run dart pub get", Command: true}},
		{"mix", problem(in("Hex", "mix", "mix.lock", direct)), cure.Advice{Text: "mix deps.update minimist", Command: true}},
		{"an unknown manager of a known ecosystem", problem(in("crates.io", "odd", "x.lock", direct)), cure.Advice{Text: "cargo update -p minimist@1.2.5 --precise 1.2.6", Command: true}},
		{"an unknown ecosystem", problem(in("e", "odd", "x.lock", direct)), cure.Advice{Text: "Upgrade `minimist` to 1.2.6 or later."}},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(x.want, cure.Of(x.problem)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestOfWithoutCleanVersion(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		name   string
		change func(*cure.Problem)
		want   string
	}{
		{"no fix, direct", func(p *cure.Problem) { direct(p) }, "No fix yet. Replace `minimist` or do without it; or, when the affected part is not used,"},
		{"no fix, transitive", func(*cure.Problem) {}, "No fix yet. Replace `mocha`, which brings it in, or look for a version of it that needs no `minimist`; or,"},
		{"fixes with other problems", func(p *cure.Problem) { p.Fixed = true }, "No clean version yet: the versions that fix this have other known problems."},
		{"malware, direct", func(p *cure.Problem) { direct(p); p.Malware = true }, "Remove `minimist`: `npm uninstall minimist`. Where it was installed, take the machine for compromised: rotate"},
		{"malware, transitive", func(p *cure.Problem) { p.Malware = true }, "Remove `minimist` by removing or moving `mocha`, which brings it in."},
		{"malware with a clean version", func(p *cure.Problem) { p.Malware, p.Clean = true, "1.0.1" }, "Version 1.0.1 is not known to be malicious."},
	} {
		p := problem(nil)
		p.Clean = ""
		x.change(&p)
		if got := cure.Of(p); got.Command || !strings.Contains(got.Text, x.want) {
			t.Errorf("%s: got %q, %v", x.name, got.Text, got.Command)
		}
	}
}

func TestStepOf(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		ecosystem, from, to string
		want                cure.Step
	}{
		{"npm", "1.2.3", "1.9.0", cure.Compatible},
		{"npm", "1.2.3", "2.0.0", cure.Breaking},
		{"npm", "0.2.3", "0.2.9", cure.Compatible},
		{"npm", "0.2.3", "0.3.0", cure.Breaking},
		{"npm", "0.0.3", "0.0.4", cure.Breaking},
		{"npm", "1.0.0-rc.1", "1.0.0", cure.Compatible},
		{"npm", "10.0.0", "1.0.0", cure.Breaking},
		{"crates.io", "0.2.3", "0.3.0", cure.Breaking},
		{"Go", "v0.1.0", "0.2.0", cure.Compatible},
		{"Go", "v1.2.3", "v1.2.4", cure.Compatible},
		{"RubyGems", "0.1", "0.2", cure.Compatible},
		{"RubyGems", "6.1.7.1", "7.0.0", cure.Breaking},
		{"PyPI", "1.0", "1.0.post1", cure.Compatible},
		{"PyPI", "1!1.0", "2.0", cure.Breaking},
		{"PyPI", "2022.12", "2023.7", cure.Breaking},
		{"Maven", "2.14.1", "2.15.0", cure.Compatible},
		{"GitHub Actions", "v3", "v4.1.7", cure.Breaking},
		{"Debian", "1.0", "2.0", ""},
		{"npm", "latest", "2.0.0", ""},
		{"npm", "1.0.0", "", ""},
	} {
		if got := cure.StepOf(x.ecosystem, x.from, x.to); got != x.want {
			t.Errorf("%s %s to %s: got %q, want %q", x.ecosystem, x.from, x.to, got, x.want)
		}
	}
}

func TestAdmits(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		ecosystem, constraint, version string
		want, known                    bool
	}{
		{"npm", "^1.2.0", "1.9.0", true, true},
		{"npm", "^1.2.0", "2.0.0", false, true},
		{"npm", "^0.2.0", "0.3.0", false, true},
		{"npm", "~1.2.0", "1.2.9", true, true},
		{"npm", "~1.2.0", "1.3.0", false, true},
		{"npm", "1.x", "1.3.0", true, true},
		{"npm", "1.2", "1.2.5", true, true},
		{"npm", "1.0.0 - 1.4.0", "1.3.0", true, true},
		{"npm", "1.0.0 - 1.4.0", "1.5.0", false, true},
		{"npm", "^1.0.0 || ^2.0.0", "2.3.0", true, true},
		{"npm", ">=1.0.0 <1.5.0", "1.5.0", false, true},
		{"npm", "*", "7.0.0", true, true},
		{"npm", "^1.2.0", "1.9.0-rc.1", false, true},
		{"npm", "^1.9.0-rc.0", "1.9.0-rc.1", true, true},
		{"npm", "npm:^1.2.0", "1.9.0", true, true},
		{"npm", "npm:other@^1.2.0", "1.9.0", false, false},
		{"npm", "workspace:*", "1.9.0", false, false},
		{"npm", "git+https://host.example/o/r.git", "1.9.0", false, false},
		{"npm", "latest", "1.9.0", false, false},
		{"crates.io", "1.2", "1.9.0", true, true},
		{"crates.io", "1.2", "2.0.0", false, true},
		{"crates.io", "=1.2.0", "1.2.1", false, true},
		{"crates.io", ">=1, <1.5", "1.4.9", true, true},
		{"PyPI", ">=1.2,<2.0", "1.9", true, true},
		{"PyPI", ">=1.2,<2.0", "2.0", false, true},
		{"PyPI", "~=1.4.2", "1.5.0", false, true},
		{"PyPI", "!=1.5,>=1.0", "1.5", false, true},
		{"PyPI", "==1.*", "1.5", true, true},
		{"PyPI", "*", "1.5", true, true},
		{"PyPI", "^1.2", "1.9.0", true, true},
		{"PyPI", "^1.2", "2.0.0", false, true},
		{"RubyGems", "~> 1.2", "1.9", true, true},
		{"RubyGems", "~> 1.2", "2.0", false, true},
		{"RubyGems", "~> 1.2.0", "1.3.0", false, true},
		{"RubyGems", ">= 1.0, < 3", "2.9", true, true},
		{"RubyGems", "= 7.0.4", "7.0.5", false, true},
		{"Packagist", "^1.2", "1.9.0", true, true},
		{"Packagist", "^1.2 || ^2.0", "2.1.0", true, true},
		{"Packagist", "~1.2", "1.9.0", true, true},
		{"Packagist", "~1.2", "2.0.0", false, true},
		{"Packagist", "~1.2.0", "1.3.0", false, true},
		{"Packagist", "~1.2|~2.1", "2.9.0", true, true},
		{"Packagist", ">=1.0,<2.0", "1.9.0", true, true},
		{"Packagist", "1.2.*", "1.2.7", true, true},
		{"Packagist", "^1.2", "v1.9.0", true, true},
		{"Packagist", "~0.2", "0.9.0", false, false},
		{"Packagist", "dev-main", "1.9.0", false, false},
		{"Packagist", "^1.0@dev", "1.9.0", false, false},
		{"NuGet", "[1.0.0, )", "2.0.0", true, true},
		{"NuGet", "[1.0.0, 2.0.0)", "2.0.0", false, true},
		{"NuGet", "1.0.0", "1.5.0", true, true},
		{"npm", "", "1.0.0", false, false},
		{"Debian", ">= 1", "2", false, false},
		{"npm", strings.Repeat("1.0.0 || ", 60) + "2", "2.0.0", false, false},
	} {
		if got, known := cure.Admits(x.ecosystem, x.constraint, x.version); got != x.want || known != x.known {
			t.Errorf("%s: %q admits %s: got %v, known %v, want %v, %v", x.ecosystem, x.constraint, x.version, got, known, x.want, x.known)
		}
	}
}
