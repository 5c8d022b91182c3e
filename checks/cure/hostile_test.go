package cure_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/checks/cure"
)

var managersOfTest = []string{"npm", "pnpm", "yarn", "yarn-berry", "bun", "go", "cargo", "poetry", "uv", "pdm", "pipenv", "pip",
	"bundler", "composer", "gradle", "maven", "nuget", "github-actions", "pub", "mix", "cocoapods", "swift", "odd"}

var hostile = []string{"a; rm -rf ~", "$(id)", "`id`", "--registry=evil", "a\nb", "a b", "a'b", "a\"b", "a|b", "a&b", "a>b", "~x", "a*b", "a]b", "a{b",
	"a\x1b[31m", "@evil @team", "a\u202eb", "ä", "a\\b", "a!b", "a<b", "a#b", strings.Repeat("a", 500)}

// TestG16OfHostile: no name, version, range or path of others ends up in a shell or in Markdown,
// whichever of the places it stands in.
func TestG16OfHostile(t *testing.T) {
	t.Parallel()
	places := map[string]func(*cure.Problem, string){
		"name":               func(p *cure.Problem, s string) { p.Name = s },
		"version":            func(p *cure.Problem, s string) { p.Version = s },
		"clean version":      func(p *cure.Problem, s string) { p.Clean = s },
		"path":               func(p *cure.Problem, s string) { p.File = s + "/x.lock" },
		"direct dependency":  func(p *cure.Problem, s string) { p.Via[0] = s },
		"requirer":           func(p *cure.Problem, s string) { p.Requirers[0].Name = s },
		"requirer's version": func(p *cure.Problem, s string) { p.Requirers[0].Version = s },
		"constraint":         func(p *cure.Problem, s string) { p.Requirers[0].Constraint = s },
	}
	states := map[string]func(*cure.Problem){
		"transitive": func(*cure.Problem) {},
		"held":       held,
		"direct":     func(p *cure.Problem) { p.Relation = cure.Direct },
		"no fix":     func(p *cure.Problem) { p.Clean = "" },
		"malware":    func(p *cure.Problem) { p.Malware = true },
	}
	for place, put := range places {
		for state, change := range states {
			for _, manager := range managersOfTest {
				for _, s := range hostile {
					p := problem(in("npm", manager, "x.lock"))
					change(&p)
					put(&p, s)
					if got := cure.Of(p); strings.Contains(got.Text, s) {
						t.Errorf("%s %q, %s, %s: %q", place, s, state, manager, got.Text)
					}
				}
			}
		}
	}
}

// safeLine is what a line for a shell may be: a comment without any sign that a shell acts on
// outside of double quotes, or commands joined by && whose words are plain or in double quotes
// without anything that expands there.
var (
	safeComment = regexp.MustCompile(`^#( |[A-Za-z0-9@._/:+,~^=(){}&!-]|\[|\]|"[^"$` + "`" + `\\\n]*")*$`)
	safeCommand = regexp.MustCompile(`^[A-Za-z0-9@._/:+=^-]+( (&&|[A-Za-z0-9@._/:+=^-]+|"[A-Za-z0-9@._/:+=*^>\[\]-]+"))*$`)
)

// FuzzOf checks the same promise for any input: a command is safe to paste, line by line.
func FuzzOf(f *testing.F) {
	for i, s := range hostile {
		f.Add(managersOfTest[i%len(managersOfTest)], s, "1.2.5", "1.2.6", "a/x.lock", s, "mkdirp", "0.5.5", "^1.2.5", true)
	}
	f.Add("npm", "minimist", "1.2.5", "2.0.0", "package-lock.json", "mocha", "mkdirp", "0.5.5", "=1.2.5", true)
	f.Add("bundler", "rails", "6.0.0", "7.0.0", "Gemfile.lock", "x", "y", "1", "~> 6.0", false)
	f.Fuzz(func(t *testing.T, manager, name, version, clean, file, via, by, byVersion, constraint string, transitive bool) {
		p := cure.Problem{
			Ecosystem: "npm", Manager: manager, Name: name, Version: version, Clean: clean, File: file, Via: []string{via, name},
			Requirers: []cure.Requirer{{Name: by, Version: byVersion, Constraint: constraint}}, Relation: cure.Direct,
		}
		if transitive {
			p.Relation = cure.Transitive
		}
		for _, p.Ecosystem = range []string{"npm", "PyPI", "Packagist", "RubyGems", "NuGet", "crates.io", "Maven", "Go"} {
			got := cure.Of(p)
			if got.Text == "" {
				t.Fatal("no advice")
			}
			if !got.Command {
				continue
			}
			for line := range strings.SplitSeq(got.Text, "\n") {
				if !safeComment.MatchString(line) && !safeCommand.MatchString(line) {
					t.Fatalf("unsafe line %q of %q", line, got.Text)
				}
			}
		}
	})
}
