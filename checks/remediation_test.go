package checks_test

import (
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/checks"
)

// cureOf judges one package with one advisory and returns its cure.
func cureOf(t *testing.T, path string, p checks.Package, a checks.Advisory) (string, bool) {
	t.Helper()
	m := &checks.Material{Subject: checks.Subject{Kind: checks.KindTree}, Head: tree(manifest(path, "h", p))}
	r := checks.Judge(m, checks.DefaultPolicy(), seen(match(checks.Head, path, p, a)), now)
	if len(r.Findings) != 1 {
		t.Fatalf("%d findings", len(r.Findings))
	}
	return r.Findings[0].Remediation, r.Findings[0].Command
}

func TestRemediation(t *testing.T) {
	t.Parallel()
	pkg := func(manager, name string, r checks.Relation) checks.Package {
		return checks.Package{Ecosystem: "e", Manager: manager, Name: name, Version: "1.0.0", Relation: r}
	}
	for _, x := range []struct {
		path    string
		pkg     checks.Package
		want    string
		command bool
	}{
		{"go.mod", pkg("go", "golang.org/x/net", checks.Direct), "go get golang.org/x/net@v2.0.0 && go mod tidy", true},
		{"go.mod", pkg("go", "golang.org/x/net", checks.Transitive), "go get golang.org/x/net@v2.0.0 && go mod tidy", true},
		{"tools/go.mod", pkg("go", "golang.org/x/net", ""), "cd tools && go get golang.org/x/net@v2.0.0 && go mod tidy", true},
		{"go.mod", checks.Package{Ecosystem: "Go", Manager: "go", Name: "stdlib", Version: "1.20"}, "go get go@2.0.0 && go mod tidy", true},
		{"package-lock.json", pkg("npm", "@scope/a", checks.Direct), "npm install @scope/a@2.0.0", true},
		{"package-lock.json", pkg("npm", "a", checks.Transitive), "npm update a\n# if that stays below 2.0.0: add \"overrides\": {\"a\": \"2.0.0\"} to package.json and run npm install", true},
		{"pnpm-lock.yaml", pkg("pnpm", "a", checks.Direct), "pnpm update a@2.0.0", true},
		{"pnpm-lock.yaml", pkg("pnpm", "a", checks.Transitive), "Add `a: 2.0.0` to the overrides of pnpm-workspace.yaml (or `pnpm.overrides` of package.json) and run `pnpm install`.", false},
		{"yarn.lock", pkg("yarn", "a", checks.Direct), "yarn upgrade a@2.0.0", true},
		{"yarn.lock", pkg("yarn-berry", "a", ""), "yarn up a@2.0.0", true},
		{"bun.lock", pkg("bun", "a", checks.Direct), "bun add a@2.0.0", true},
		{"Cargo.lock", pkg("cargo", "a", checks.Transitive), "cargo update -p a --precise 2.0.0", true},
		{"poetry.lock", pkg("poetry", "a", checks.Direct), "poetry add a@^2.0.0", true},
		{"poetry.lock", pkg("poetry", "a", checks.Transitive), "poetry update a", true},
		{"uv.lock", pkg("uv", "a", ""), "uv lock --upgrade-package a==2.0.0 && uv sync", true},
		{"pdm.lock", pkg("pdm", "a", checks.Direct), "pdm add \"a>=2.0.0\"", true},
		{"Pipfile.lock", pkg("pipenv", "a", ""), "pipenv upgrade a==2.0.0", true},
		{"requirements.txt", pkg("pip", "a", ""), "Set `a==2.0.0` in `requirements.txt`.", false},
		{"Gemfile.lock", pkg("bundler", "a", ""), "bundle update a --conservative", true},
		{"composer.lock", pkg("composer", "a/b", checks.Direct), "composer require a/b:^2.0.0 --update-with-all-dependencies", true},
		{"composer.lock", pkg("composer", "a/b", checks.Transitive), "composer update a/b --with-all-dependencies", true},
		{"pom.xml", pkg("maven", "g:a", checks.Direct), "Set the version of `g:a` to 2.0.0 in `pom.xml`.", false},
		{"gradle.lockfile", pkg("gradle", "g:a", ""), "Set `g:a` to 2.0.0 in the build script and run `gradle dependencies --write-locks`.", false},
		{"packages.lock.json", pkg("dotnet", "A.B", ""), "Set the version of `A.B` to 2.0.0 in the project file and run `dotnet restore --force-evaluate`.", false},
		{".github/workflows/ci.yml", checks.Package{Ecosystem: "GitHub Actions", Name: "a/b", Version: "v1"}, "Pin the action to the fixed tag: `uses: a/b@v2.0.0` in `.github/workflows/ci.yml`.", false},
		{"x.lock", checks.Package{Ecosystem: "crates.io", Manager: "odd", Name: "a", Version: "1"}, "cargo update -p a --precise 2.0.0", true},
		{"x.lock", pkg("odd", "a", ""), "Upgrade `a` to 2.0.0 or later.", false},
	} {
		got, command := cureOf(t, x.path, x.pkg, checks.Advisory{ID: "A", Cure: "2.0.0"})
		if got != x.want || command != x.command {
			t.Errorf("%s %s %s:\n got %q, %v\nwant %q, %v", x.pkg.Manager, x.path, x.pkg.Relation, got, command, x.want, x.command)
		}
	}
}

func TestRemediationWithoutCure(t *testing.T) {
	t.Parallel()
	p := npm("a", "1.0.0", 1)
	for _, x := range []struct {
		name     string
		advisory checks.Advisory
		want     string
	}{
		{"no fix", checks.Advisory{ID: "A"}, "No fix yet. Replace `a` or do without it"},
		{"fix with other problems", checks.Advisory{ID: "A", Fixed: []string{"2"}}, "No clean version yet"},
		{"malware", checks.Advisory{ID: "A", Malware: true}, "Remove `a`: `npm uninstall a`. Where it was installed, take the machine for compromised: rotate"},
		{"malware with a clean version", checks.Advisory{ID: "A", Malware: true, Cure: "1.0.1"}, "Version 1.0.1 is not known to be malicious."},
	} {
		if got, command := cureOf(t, "package-lock.json", p, x.advisory); command || !strings.Contains(got, x.want) {
			t.Errorf("%s: got %q, %v", x.name, got, command)
		}
	}
	p.Relation, p.Via = checks.Transitive, []string{"event-stream", "a"}
	if got, _ := cureOf(t, "package-lock.json", p, checks.Advisory{ID: "A", Malware: true}); !strings.Contains(got, "removing or moving `event-stream`") {
		t.Errorf("transitive malware: %q", got)
	}
}

// TestRemediationHostile: no name, version or path of others ends up in a shell or in Markdown.
func TestRemediationHostile(t *testing.T) {
	t.Parallel()
	for _, hostile := range []string{"a; rm -rf ~", "$(id)", "`id`", "--registry=evil", "a\nb", "a b", "a'b", "a\"b", "a|b", "a&b", "a>b", "~x", "*", "a\x1b[31m", "@evil @team", "a\u202eb", "ä", strings.Repeat("a", 500)} {
		for _, manager := range []string{"npm", "go", "pip", "maven", "odd"} {
			p := checks.Package{Ecosystem: "e", Manager: manager, Name: hostile, Version: "1"}
			for _, a := range []checks.Advisory{{ID: "A", Cure: "2.0.0"}, {ID: "A"}, {ID: "A", Malware: true}} {
				if got, command := cureOf(t, "x.lock", p, a); command || strings.Contains(got, hostile) && hostile != "*" {
					t.Errorf("name %q with %s: %q, %v", hostile, manager, got, command)
				}
			}
			p.Name = "plain"
			if got, command := cureOf(t, "x.lock", p, checks.Advisory{ID: "A", Cure: hostile}); command || strings.Contains(got, hostile) && hostile != "*" {
				t.Errorf("version %q with %s: %q, %v", hostile, manager, got, command)
			}
			if got, _ := cureOf(t, hostile+"/x.lock", p, checks.Advisory{ID: "A", Cure: "2.0.0"}); strings.Contains(got, hostile) {
				t.Errorf("path %q with %s: %q", hostile, manager, got)
			}
		}
	}
}
