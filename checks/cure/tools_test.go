//go:build tools

package cure_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/checks/cure"
)

// toolsVariable names the environment variable with the folder of the tools. The test needs npm,
// node, cargo, go and their registries, so it is built with the tag tools alone: `make test-tools`.
const toolsVariable = "LANDWAITER_TOOLS"

// project is a project whose lock file holds an old version, made by the real tool.
type project struct {
	name    string
	files   map[string]string
	make    string // commands that make it
	problem cure.Problem
	// edit does by hand what an Advice in sentences says; nil when it is a command.
	edit func(t *testing.T, dir string)
	lock string
	gone string // what the lock file holds before and not afterwards
	come string // what it holds afterwards and not before
}

// mochaAndMkdirp needs minimist twice: mkdirp 0.5.5 accepts ^1.2.5, and the mkdirp 0.5.1 of
// mocha 5.2.0 accepts 0.0.8 alone.
const mochaAndMkdirp = `{"name": "t", "version": "1.0.0", "private": true, "dependencies": {"mkdirp": "0.5.5", "mocha": "5.2.0"}}`

// withOld is the same with minimist 1.2.5 as well, so that a lock file keeps it when it goes.
var withOld = strings.Replace(mochaAndMkdirp, `"mocha"`, `"minimist": "1.2.5", "mocha"`, 1)

func accepted(manager string) cure.Problem {
	return cure.Problem{
		Ecosystem: "npm", Manager: manager, Name: "minimist", Version: "1.2.5", Clean: "1.2.6", File: "lock", Relation: cure.Transitive,
		Via: []string{"mkdirp", "minimist"}, Requirers: []cure.Requirer{{Name: "mkdirp", Version: "0.5.5", Constraint: "^1.2.5"}},
	}
}

func refused(manager string) cure.Problem {
	p := accepted(manager)
	p.Version, p.Clean, p.Via = "0.0.8", "0.2.4", []string{"mocha", "mkdirp", "minimist"}
	p.Requirers = []cure.Requirer{{Name: "mkdirp", Version: "0.5.1", Constraint: "0.0.8"}}
	return p
}

func named(manager string) cure.Problem {
	return cure.Problem{Ecosystem: "npm", Manager: manager, Name: "mkdirp", Version: "0.5.5", Clean: "1.0.4", File: "lock", Relation: cure.Direct}
}

const dropOld = ` && npm pkg delete dependencies.minimist`

// npmEntry is how a package-lock.json starts the entry of a package.
func npmEntry(name, version string) string {
	return "node_modules/" + name + "\": {\n      \"version\": \"" + version + "\""
}

func javaScript() []project {
	only := map[string]string{"package.json": mochaAndMkdirp}
	both := map[string]string{"package.json": withOld}
	pinned := map[string]string{"package.json": strings.TrimSuffix(mochaAndMkdirp, "}") + `, "resolutions": {"mkdirp/minimist": "1.2.5"}}`}
	pnpmFile := func(line string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			write(t, dir, "pnpm-workspace.yaml", "overrides:\n  "+line+"\n")
			shell(t, dir, "pnpm install")
		}
	}
	return []project{
		{name: "npm update", files: both, make: "npm install" + dropOld + " && npm install", problem: accepted("npm"), lock: "package-lock.json", gone: npmEntry("minimist", "1.2.5"), come: npmEntry("minimist", "1.2.8")},
		{name: "npm override", files: only, make: "npm install", problem: refused("npm"), lock: "package-lock.json", gone: npmEntry("minimist", "0.0.8"), come: npmEntry("minimist", "0.2.4")},
		{name: "npm direct", files: only, make: "npm install", problem: named("npm"), lock: "package-lock.json", gone: npmEntry("mkdirp", "0.5.5"), come: npmEntry("mkdirp", "1.0.4")},
		{name: "pnpm update", files: both, make: "pnpm install" + dropOld + " && pnpm install", problem: accepted("pnpm"), lock: "pnpm-lock.yaml", gone: "minimist@1.2.5", come: "minimist@1.2.8"},
		{name: "pnpm override", files: only, make: "pnpm install", problem: refused("pnpm"), edit: pnpmFile(`"mkdirp@0.5.1>minimist": 0.2.4`), lock: "pnpm-lock.yaml", gone: "minimist@0.0.8", come: "minimist@0.2.4"},
		{name: "pnpm direct", files: only, make: "pnpm install", problem: named("pnpm"), lock: "pnpm-lock.yaml", gone: "mkdirp@0.5.5", come: "mkdirp@1.0.4"},
		{name: "yarn 1 entry", files: pinned, make: "yarn install && npm pkg delete resolutions && sed -i 's/^minimist@1.2.5, //' yarn.lock && yarn install", problem: accepted("yarn"),
			edit: func(t *testing.T, dir string) {
				shell(t, dir, `sed -i '/^minimist@^1.2.5:/,/^$/d' yarn.lock && yarn install`)
			}, lock: "yarn.lock", gone: "minimist-1.2.5.tgz", come: "minimist-1.2.8.tgz"},
		{name: "yarn 1 override", files: only, make: "yarn install", problem: refused("yarn"), lock: "yarn.lock", gone: "minimist-0.0.8.tgz", come: "minimist-0.2.4.tgz"},
		{name: "yarn 1 direct", files: only, make: "yarn install", problem: named("yarn"), lock: "yarn.lock", gone: "mkdirp-0.5.5.tgz", come: "mkdirp-1.0.4.tgz"},
		{name: "yarn 4 update", files: only, make: "touch yarn.lock && yarn install && yarn set resolution minimist@npm:^1.2.5 npm:1.2.5", problem: accepted("yarn-berry"), lock: "yarn.lock", gone: "minimist@npm:1.2.5", come: "minimist@npm:1.2.8"},
		{name: "yarn 4 override", files: only, make: "touch yarn.lock && yarn install", problem: refused("yarn-berry"), lock: "yarn.lock", gone: "minimist@npm:0.0.8", come: "minimist@npm:0.2.4"},
		{name: "yarn 4 direct", files: only, make: "touch yarn.lock && yarn install", problem: named("yarn-berry"), lock: "yarn.lock", gone: "mkdirp@npm:0.5.5", come: "mkdirp@npm:1.0.4"},
		{name: "bun update", files: both, make: "bun install" + dropOld + " && bun install", problem: accepted("bun"), lock: "bun.lock", gone: "minimist@1.2.5", come: "minimist@1.2.8"},
		{name: "bun override", files: only, make: "bun install", problem: refused("bun"), lock: "bun.lock", gone: "minimist@0.0.8", come: "minimist@0.2.4"},
		{name: "bun direct", files: only, make: "bun install", problem: named("bun"), lock: "bun.lock", gone: "mkdirp@0.5.5", come: "mkdirp@1.0.4"},
	}
}

func otherProjects() []project {
	crates := map[string]string{"src/main.rs": "fn main() {}", ".cargo/config.toml": "[source.crates-io]\nreplace-with = \"v\"\n[source.v]\ndirectory = \"vendor\"\n",
		"Cargo.toml": "[package]\nname = \"p\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[dependencies]\nb = \"1\"\nd = \"1\"\n"}
	for id, needs := range map[string]string{"a-1.0.0": "", "a-1.2.0": "", "a-2.0.0": "", "a-2.1.0": "", "b-1.0.0": `a = "1"`, "d-1.0.0": `a = "2"`} {
		name, version, _ := strings.Cut(id, "-")
		crates["vendor/"+id+"/Cargo.toml"] = fmt.Sprintf("[package]\nname = %q\nversion = %q\nedition = \"2021\"\n[dependencies]\n%s\n", name, version, needs)
		crates["vendor/"+id+"/src/lib.rs"] = ""
		crates["vendor/"+id+"/.cargo-checksum.json"] = `{"files": {}, "package": "` + strings.Repeat("0", 64) + `"}`
	}
	a := cure.Problem{Ecosystem: "crates.io", Manager: "cargo", Name: "a", Version: "1.0.0", Clean: "1.2.0", File: "Cargo.lock", Relation: cure.Transitive,
		Via: []string{"b", "a"}, Requirers: []cure.Requirer{{Name: "b", Version: "1.0.0"}}}
	b := cure.Problem{Ecosystem: "crates.io", Manager: "cargo", Name: "d", Version: "1.0.0", Clean: "2.0.0", File: "Cargo.lock", Relation: cure.Direct}
	crates2 := map[string]string{}
	for name, text := range crates {
		crates2[name] = text
	}
	crates2["vendor/d-2.0.0/Cargo.toml"] = "[package]\nname = \"d\"\nversion = \"2.0.0\"\nedition = \"2021\"\n"
	crates2["vendor/d-2.0.0/src/lib.rs"], crates2["vendor/d-2.0.0/.cargo-checksum.json"] = "", crates["vendor/d-1.0.0/.cargo-checksum.json"]
	module := map[string]string{"go.mod": "module example.com/t\n\ngo 1.22\n\nrequire rsc.io/quote v1.5.2\n", "main.go": "package main\n\nimport _ \"rsc.io/quote\"\n\nfunc main() {}\n"}
	return []project{
		{name: "cargo update", files: crates, make: "mv vendor/a-1.2.0 later && cargo generate-lockfile && mv later vendor/a-1.2.0", problem: a, lock: "Cargo.lock", gone: "name = \"a\"\nversion = \"1.0.0\"", come: "name = \"a\"\nversion = \"1.2.0\""},
		{name: "cargo direct", files: crates2, make: "cargo generate-lockfile", problem: b, lock: "Cargo.toml", gone: `d = "1"`, come: `d = "2.0.0"`},
		{name: "go", files: module, make: "go mod tidy", lock: "go.mod", gone: "rsc.io/sampler v1.3.0", come: "rsc.io/sampler v1.3.1",
			problem: cure.Problem{Ecosystem: "Go", Manager: "go", Name: "rsc.io/sampler", Version: "1.3.0", Clean: "1.3.1", File: "go.mod", Relation: cure.Transitive}},
	}
}

// TestWithTools runs what Of says with the real package managers and looks at the lock file.
func TestWithTools(t *testing.T) {
	tools := os.Getenv(toolsVariable)
	if tools == "" {
		t.Fatal("set " + toolsVariable + " to a folder where `npm install pnpm@10 yarn@1.22.22 @yarnpkg/cli-dist@4 bun@1` was run; needs node, npm, cargo, go and their registries")
	}
	for _, p := range append(javaScript(), otherProjects()...) {
		t.Run(p.name, func(t *testing.T) {
			dir := t.TempDir()
			prepare(t, tools, p.name, filepath.Join(dir, "bin"))
			dir = filepath.Join(dir, "project")
			for name, text := range p.files {
				write(t, dir, name, text)
			}
			shell(t, dir, p.make)
			if lock := read(t, dir, p.lock); !strings.Contains(lock, p.gone) || strings.Contains(lock, p.come) {
				t.Fatalf("the project is not as the test needs it:\n%s", lock)
			}
			advice := cure.Of(p.problem)
			if advice.Command != (p.edit == nil) {
				t.Fatalf("advice %+v", advice)
			}
			if p.edit != nil {
				p.edit(t, dir)
			} else {
				shell(t, dir, advice.Text)
			}
			if lock := read(t, dir, p.lock); strings.Contains(lock, p.gone) || !strings.Contains(lock, p.come) {
				t.Errorf("%s\nleaves\n%s", advice.Text, lock)
			}
		})
	}
}

// prepare puts the tools of one project first in the path.
func prepare(t *testing.T, tools, project, bin string) {
	t.Helper()
	yarn := "yarn/bin/yarn.js"
	if strings.HasPrefix(project, "yarn 4") {
		yarn = "@yarnpkg/cli-dist/bin/yarn.js"
	}
	for name, script := range map[string]string{"yarn": "exec node " + tools + "/node_modules/" + yarn, "pnpm": "exec " + tools + "/node_modules/.bin/pnpm", "bun": "exec " + tools + "/node_modules/.bin/bun"} {
		write(t, bin, name, "#!/bin/sh\n"+script+` "$@"`+"\n")
		if err := os.Chmod(filepath.Join(bin, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	for key, value := range map[string]string{"YARN_ENABLE_IMMUTABLE_INSTALLS": "false", "YARN_ENABLE_TELEMETRY": "0", "YARN_NODE_LINKER": "node-modules", "YARN_NPM_MINIMAL_AGE_GATE": "0", "CI": ""} {
		t.Setenv(key, value)
	}
}

func shell(t *testing.T, dir, script string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-e", "-c", script)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
