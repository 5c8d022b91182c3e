package workflows

import (
	"slices"
	"strings"

	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// command is one command of a shell script.
type command struct {
	words []string // at least one
	line  string   // where it stands, without spaces around
}

// is reports whether the command begins with the words.
func (c command) is(words ...string) bool {
	return len(c.words) >= len(words) && slices.Equal(c.words[:len(words)], words)
}

// git reports whether the command is one of those of git, whatever options stand before it.
func (c command) git(names ...string) bool {
	if c.words[0] != "git" {
		return false
	}
	for i := 1; i < len(c.words); i++ {
		switch w := c.words[i]; {
		case w == "-C" || w == "-c":
			i++
		case !strings.HasPrefix(w, "-"):
			return slices.Contains(names, w)
		}
	}
	return false
}

// maxWords is how many words of a command are kept: the first ones say what it does.
const maxWords = 32

// lead are words that stand before a command without being one.
var lead = []string{"sudo", "time", "exec", "env", "nohup", "command", "then", "do", "else", "if", "while", "until", "elif", "!", "{", "timeout", "xvfb-run", "nice"}

// commands takes a script apart into commands, well enough to see what is called: it knows
// line ends, separators and comments, not quotes over several lines or documents in the script.
func commands(script string) []command {
	script = strings.ReplaceAll(script, "\\\n", " ")
	var all []command
	for line := range strings.Lines(script) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		for part := range strings.FieldsFuncSeq(separate(line), func(r rune) bool { return r == '\x00' }) {
			words := strings.Fields(part)
			words = words[:min(len(words), maxWords)]
			for len(words) > 0 && (slices.Contains(lead, words[0]) || assigns(words[0])) {
				words = words[1:]
			}
			if len(words) > 0 {
				words[0] = strings.Trim(words[0], "\"'")
			}
			if len(words) > 0 && words[0] != "" {
				all = append(all, command{words, line})
			}
		}
	}
	return all
}

// separate puts a NUL between the commands of a line. Expressions stay whole: they have
// signs of their own.
func separate(line string) string {
	var b strings.Builder
	inside := false
	for i := 0; i < len(line); i++ {
		switch {
		case strings.HasPrefix(line[i:], "${{"):
			inside = true
		case inside && strings.HasPrefix(line[i:], "}}"):
			inside = false
		case !inside && strings.IndexByte(";&|`()", line[i]) >= 0:
			b.WriteByte(0)
			continue
		}
		b.WriteByte(line[i])
	}
	return b.String()
}

// assigns reports whether a word sets a variable: NAME=value.
func assigns(word string) bool {
	name, _, ok := strings.Cut(word, "=")
	if !ok || name == "" || !isLetter(name[0]) {
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool { return r >= 0x80 || !isLetter(byte(r)) && !isDigit(byte(r)) })
}

// builders are programs that run code of the folder they are called in: build tools,
// interpreters, test runners, and tools whose configuration is a program.
var builders = []string{
	"ansible-playbook", "ant", "bash", "bazel", "bazelisk", "buck2", "bun", "bundle", "bunx", "cabal", "cargo", "cmake", "composer",
	"conda", "ctest", "dart", "deno", "docker-compose", "dotnet", "earthly", "eslint", "flutter", "gradle", "gulp", "helmfile",
	"invoke", "jest", "julia", "just", "lein", "lerna", "make", "meson", "mise", "mix", "mocha", "msbuild", "mvn", "ninja", "nix", "nix-build",
	"nix-shell", "node", "nox", "npm", "npx", "nx", "opam", "pdm", "perl", "php", "pip", "pip3", "pipenv", "pnpm", "pnpx", "poetry",
	"pre-commit", "pulumi", "pwsh", "pytest", "python", "python3", "rake", "rebar3", "ruby", "rspec", "sbt", "scons", "sh", "sphinx-build",
	"stack", "swift", "task", "terraform", "terragrunt", "tofu", "tox", "turbo", "uv", "uvx", "vite", "webpack", "west", "xcodebuild", "yarn", "zig", "zsh",
	".", "source",
}

// harmless are calls of builders that only tell about themselves.
var harmless = []string{"--version", "-version", "-v", "-V", "--help", "version"}

// runsCode reports whether a command runs code of its folder.
func (c command) runsCode() bool {
	w := c.words[0]
	switch {
	case len(c.words) == 2 && slices.Contains(harmless, c.words[1]):
		return false
	case strings.HasPrefix(w, "./"), strings.HasPrefix(w, "../"), strings.HasPrefix(w, ".\\"), strings.HasSuffix(w, ".sh"), strings.HasSuffix(w, ".py"):
		return true
	case w == "go":
		return len(c.words) > 1 && slices.Contains([]string{"build", "generate", "install", "run", "test", "tool"}, c.words[1])
	case w == "docker", w == "podman", w == "buildah":
		return len(c.words) > 1 && slices.Contains([]string{"build", "buildx", "compose", "bud"}, c.words[1])
	case w == "python" || w == "python3" || w == "node" || w == "ruby" || w == "perl" || w == "bash" || w == "sh":
		return len(c.words) > 1 && c.words[1] != "-c" && c.words[1] != "-e"
	}
	return slices.Contains(builders, w)
}

// buildActions are actions that run code of the checked out folder, by the part of their
// name that says so.
var buildActions = []string{
	"docker/build-push-action", "docker/bake-action", "gradle/gradle-build-action", "gradle/actions/setup-gradle", "pre-commit/action",
	"cypress-io/github-action", "bahmutov/npm-install", "actions-rs/cargo", "actions-rs/clippy-check", "goreleaser/goreleaser-action",
	"golangci/golangci-lint-action", "github/super-linter", "super-linter/super-linter", "oxsecurity/megalinter", "pypa/cibuildwheel",
	"cloudflare/wrangler-action", "amondnet/vercel-action", "borales/actions-yarn", "actions/jekyll-build-pages", "devcontainers/ci",
	"chromaui/action", "changesets/action", "pulumi/actions", "nick-fields/retry",
	"andresz1/size-limit-action", "preactjs/compressed-size-action", "artiomtr/jest-coverage-report-action", "maierj/fastlane-action",
	"depot/build-push-action",
}

// runs returns what in a job runs the code that t took, "" when nothing does for all we see.
func (a *analysis) runs(j *job, t taken) string {
	for _, c := range t.rest {
		if c.runsCode() {
			return cut(strings.Join(c.words, " "), maxShown)
		}
	}
	for _, s := range j.steps[t.step.at+1:] {
		if what := a.stepRuns(s, t.folder); what != "" {
			return what
		}
	}
	return ""
}

func (a *analysis) stepRuns(s *step, folder string) string {
	action, _, _ := strings.Cut(strings.ToLower(s.uses), "@")
	within := folder == "" || mentions(s.node, folder)
	switch {
	case strings.HasPrefix(s.uses, "./"):
		if folder == "" || strings.HasPrefix(strings.TrimPrefix(s.uses, "./"), folder) {
			return cut(s.uses, maxShown)
		}
	case within && slices.Contains(buildActions, action),
		within && action == "ruby/setup-ruby" && (s.with.String("bundler-cache") == "true" || s.with.Get("bundler-cache").True()):
		return cut(s.uses, maxShown)
	case within && s.run.Kind() == syntax.Text && a.spend(1+len(s.run.Text())/16, s.node.Line()):
		for _, c := range commands(s.run.Text()) {
			if c.runsCode() {
				return cut(strings.Join(c.words, " "), maxShown)
			}
		}
	}
	return ""
}

// mentions reports whether a step works in a folder: by its script, its working-directory or
// an input that names it.
func mentions(n syntax.Node, folder string) bool {
	if n.Kind() == syntax.Text && names(n.Text(), folder) {
		return true
	}
	for child := range n.All() {
		if mentions(child, folder) {
			return true
		}
	}
	return false
}

// names reports whether text holds the folder as a word of its own.
func names(text, folder string) bool {
	for {
		before, after, ok := strings.Cut(text, folder)
		if !ok {
			return false
		}
		if (before == "" || !wordly(before[len(before)-1])) && (after == "" || !wordly(after[0])) {
			return true
		}
		text = after
	}
}

func wordly(c byte) bool { return isLetter(c) || isDigit(c) || c == '-' }

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
