package checks_test

import (
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/checks"
)

// judgeOne judges one package with one advisory and returns its Finding.
func judgeOne(t *testing.T, path string, p checks.Package, a checks.Advisory) checks.Finding {
	t.Helper()
	m := &checks.Material{Subject: checks.Subject{Kind: checks.KindTree}, Head: tree(manifest(path, "h", p))}
	r := checks.Judge(m, checks.DefaultPolicy(), seen(match(checks.Head, path, p, a)), now)
	if len(r.Findings) != 1 {
		t.Fatalf("%d findings", len(r.Findings))
	}
	return r.Findings[0]
}

// cureOf is the cure of that Finding.
func cureOf(t *testing.T, path string, p checks.Package, a checks.Advisory) (string, bool) {
	t.Helper()
	f := judgeOne(t, path, p, a)
	return f.Remediation, f.Command
}

// TestRemediation: what a Package tells reaches the cure. The texts are tested in package cure.
func TestRemediation(t *testing.T) {
	t.Parallel()
	const changelog = "\n# 2.0.0 is a new major version: read its changelog"
	pkg := func(change func(*checks.Package)) checks.Package {
		p := checks.Package{Ecosystem: "npm", Manager: "npm", Name: "a", Version: "1.0.0", Line: 7, Relation: checks.Transitive, Via: []string{"top", "mid", "a"}}
		change(&p)
		return p
	}
	for _, x := range []struct {
		name    string
		pkg     checks.Package
		want    string
		command bool
		change  string
	}{
		{"direct", pkg(func(p *checks.Package) { p.Relation = checks.Direct }), "npm install a@2.0.0" + changelog, true, "breaking"},
		{"the relation is not known", pkg(func(p *checks.Package) { p.Relation = "" }), "npm install a@2.0.0" + changelog, true, "breaking"},
		{"the requirer accepts it", pkg(func(p *checks.Package) {
			p.Requirers = []checks.Requirer{{Name: "mid", Version: "3.0.0", Constraint: ">=1"}}
		}),
			"npm update a" + changelog, true, "breaking"},
		{"the requirer holds it back", pkg(func(p *checks.Package) {
			p.Requirers = []checks.Requirer{{Name: "mid", Version: "3.0.0", Constraint: "^1.0.0"}}
		}),
			"# mid 3.0.0 asks for a ^1.0.0. If a newer top lets go of it: npm install top@latest, else override it\n" +
				"npm pkg set \"overrides[mid@3.0.0][a]=2.0.0\" && npm install" + changelog, true, "breaking"},
		{"more requirers than are told", pkg(func(p *checks.Package) {
			for range 8 {
				p.Requirers = append(p.Requirers, checks.Requirer{Name: "mid", Version: "3.0.0", Constraint: ">=1"})
			}
		}), "npm update a\n# if that stays below 2.0.0: npm pkg set \"overrides[a]=2.0.0\" && npm install" + changelog, true, "breaking"},
		{"for development", pkg(func(p *checks.Package) {
			p.Ecosystem, p.Manager, p.Relation, p.Scope = "crates.io", "cargo", checks.Direct, checks.ScopeDevelopment
		}), "cargo add --dev a@2.0.0" + changelog, true, "breaking"},
		{"the line", pkg(func(p *checks.Package) {
			p.Manager, p.Version, p.Requirers = "yarn", "2.0.0-rc.1", []checks.Requirer{{Name: "mid", Version: "3.0.0", Constraint: ">=1"}}
		}), "Delete the entry of `a` in line 7 from `x.lock` and run `yarn install`, which resolves it again; `yarn upgrade` leaves packages alone that others bring in.", false, "compatible"},
		{"an unknown manager", checks.Package{Ecosystem: "e", Manager: "odd", Name: "a", Version: "1"}, "Upgrade `a` to 2.0.0 or later.", false, ""},
	} {
		r := judgeOne(t, "x.lock", x.pkg, checks.Advisory{ID: "A", Cure: "2.0.0"})
		if r.Remediation != x.want || r.Command != x.command || r.FixedChange != x.change {
			t.Errorf("%s:\n got %q, %v, %q\nwant %q, %v, %q", x.name, r.Remediation, r.Command, r.FixedChange, x.want, x.command, x.change)
		}
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
