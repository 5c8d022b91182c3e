package checks

import (
	"encoding/pem"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/package-url/packageurl-go"
)

const day = 24 * time.Hour

// laterKeys are keys of the product's design that this version does not read. They are errors
// of their own, because a rule that is written down and not applied is worse than none.
var laterKeys = map[string]bool{
	"enforced": true, "allow_override": true, "environments": true, "approvers": true, "rules": true,
	"dependencies.licences": true, "dependencies.min_age": true, "dependencies.require_provenance": true,
	"dependencies.vulnerabilities.min_epss": true, "releases.publish": true,
}

// ParsePolicy reads a policy file: the presets it extends (landwaiter:recommended@1 when it
// names none) and its own keys over them. source is named in messages and kept in Source.
// Every error is a *PolicyError. docs/policy.md lists the keys.
func ParsePolicy(data []byte, source string) (*Policy, error) {
	d := &document{source: source}
	root := d.parse(data)
	var p *Policy
	if d.err == nil {
		p = d.presets(root)
	}
	if d.err == nil {
		d.section(root, "", d.topKeys(p))
		d.whole(p)
	}
	if d.err != nil {
		return nil, d.err
	}
	p.Source = source
	p.Digest = digest(p)
	return p, nil
}

// presets returns the policy that the file starts from.
func (d *document) presets(root ast.Node) *Policy {
	p := recommended()
	for _, pair := range d.pairs(root, "") {
		if keyName(pair) != "extends" {
			continue
		}
		var names []string
		d.list(pair.Value, func(n ast.Node) {
			name := d.text(n)
			switch known, ok := presets[name]; {
			case d.err != nil:
			case ok:
				p = known()
				names = append(names, name)
			case name == "org":
				d.fail(n, "extending `org` is not supported by this version")
			case strings.HasPrefix(name, "landwaiter:") && !strings.Contains(name, "@"):
				d.fail(n, "preset without a version; write `%s@1`", shown(name))
			default:
				d.fail(n, "unknown preset `%s`; there are %s", shown(name), strings.Join(presetNames(), ", "))
			}
		})
		if d.err == nil && len(names) == 0 {
			d.fail(pair.Key, "extends needs a list with a preset")
		}
		p.Extends = names
	}
	p.Version, p.Mode = 0, ModeEnforce
	return p
}

// whole checks what no single key can.
func (d *document) whole(p *Policy) {
	if p.Version != 1 {
		d.failAt(1, "version is missing; write `version: 1`")
	}
	if p.Releases.SettleWindow > p.Releases.MaxWait {
		d.failAt(0, "releases.settle.window is longer than releases.settle.max_wait")
	}
}

func (d *document) topKeys(p *Policy) keys {
	return keys{
		"version":      func(n ast.Node) { p.Version = d.number(n, 1, 1) },
		"extends":      func(ast.Node) {}, // read by presets
		"mode":         func(n ast.Node) { p.Mode = Mode(d.choice(n, []string{"enforce", "observe"})) },
		"pull_request": func(n ast.Node) { d.section(n, "pull_request.", d.pullRequestKeys(&p.PullRequest)) },
		"dependencies": func(n ast.Node) { d.section(n, "dependencies.", d.dependencyKeys(&p.Dependencies)) },
		"owners":       func(n ast.Node) { p.Owners = nil; d.list(n, func(n ast.Node) { d.owner(n, p) }) },
		"sla":          func(n ast.Node) { d.sla(n, p) },
		"issues": func(n ast.Node) {
			d.section(n, "issues.", keys{
				"enabled":  func(n ast.Node) { p.Issues.Enabled = d.boolean(n) },
				"max_open": func(n ast.Node) { p.Issues.MaxOpen = d.number(n, 1, 100) },
			})
		},
		"releases":      func(n ast.Node) { d.section(n, "releases.", d.releaseKeys(&p.Releases)) },
		"exceptions":    func(n ast.Node) { p.Exceptions = nil; d.list(n, func(n ast.Node) { d.exception(n, p) }) },
		"max_exception": func(n ast.Node) { p.MaxException = d.duration(n, maxException) },
	}
}

func (d *document) pullRequestKeys(r *PullRequestRules) keys {
	return keys{
		"judge":         func(n ast.Node) { d.choice(n, []string{"changed"}, "all") },
		"draft_prs":     func(n ast.Node) { r.Drafts = d.choice(n, []string{"check", "skip"}) },
		"on_incomplete": func(n ast.Node) { r.OnIncomplete = d.choice(n, []string{"failure", "neutral"}) },
		"comment":       func(n ast.Node) { d.choice(n, []string{"never"}, "on_failure") },
	}
}

func (d *document) dependencyKeys(r *DependencyRules) keys {
	block := keys{
		"severity": func(n ast.Node) {
			r.BlockSeverity, _ = ParseSeverity(d.choice(n, []string{"low", "medium", "high", "critical"}))
		},
		"scope": func(n ast.Node) {
			r.BlockScopes = nil
			d.list(n, func(n ast.Node) {
				r.BlockScopes = append(r.BlockScopes, Scope(d.choice(n, []string{"runtime", "development", "optional"})))
			})
			if len(r.BlockScopes) == 0 {
				d.fail(n, "needs at least one scope")
			}
		},
	}
	return keys{"vulnerabilities": func(n ast.Node) {
		const path = "dependencies.vulnerabilities."
		d.section(n, path, keys{
			"block": func(n ast.Node) {
				r.BlockLine = n.GetToken().Position.Line
				d.section(n, path+"block.", block)
			},
			"always_block": func(n ast.Node) {
				d.list(n, func(n ast.Node) { d.choice(n, []string{"malware"}, "known_exploited") })
			},
			"max_data_age": func(n ast.Node) { r.MaxDataAge = d.duration(n, 365*day) },
		})
	}}
}

var (
	loginForm = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})$`)
	teamForm  = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9_.-]{1,100}$`)
	idForm    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$`)
)

func (d *document) owner(n ast.Node, p *Policy) {
	o := OwnerRule{Line: n.GetToken().Position.Line}
	d.section(n, "owners.", keys{
		"paths": func(n ast.Node) { d.list(n, func(n ast.Node) { o.Paths = append(o.Paths, d.pattern(n)) }) },
		"team":  func(n ast.Node) { o.Team = d.formed(n, teamForm, "org/team") },
		"user":  func(n ast.Node) { o.User = d.formed(n, loginForm, "a login without @") },
	})
	if len(o.Paths) == 0 || (o.Team == "") == (o.User == "") {
		d.fail(n, "an owner needs `paths` and either `team` or `user`")
	}
	p.Owners = append(p.Owners, o)
}

func (d *document) sla(n ast.Node, p *Policy) {
	p.SLA = map[Severity]time.Duration{}
	k := keys{}
	for _, s := range []Severity{SeverityCritical, SeverityHigh, SeverityMedium, SeverityLow} {
		k[s.String()] = func(n ast.Node) { p.SLA[s] = d.duration(n, 3650*day) }
	}
	d.section(n, "sla.", k)
}

// pattern reads a pattern for GlobMatch.
func (d *document) pattern(n ast.Node) string {
	s := d.text(n)
	if len(s) > maxGlobPattern || hasControl(s) {
		d.fail(n, "pattern is longer than %d bytes or has control characters", maxGlobPattern)
	}
	return s
}

// formed reads a text of the given form.
func (d *document) formed(n ast.Node, form *regexp.Regexp, want string) string {
	s := d.text(n)
	if d.err == nil && !form.MatchString(s) {
		d.fail(n, "`%s` is not %s", shown(s), want)
	}
	return s
}

// exceptionRules are the rules that an exception may name. Malware is not among them.
var exceptionRules = []string{RuleVulnerability, "no-known-low", "no-known-medium", "no-known-high", "no-known-critical"}

func (d *document) exception(n ast.Node, p *Policy) {
	e := Exception{Line: n.GetToken().Position.Line}
	d.section(n, "exceptions.", keys{
		"id": func(n ast.Node) { e.ID = d.formed(n, idForm, "an id of letters, digits, dots and dashes") },
		"rule": func(n ast.Node) {
			e.Rule = d.choice(n, exceptionRules, "min-age", "licences", "require-provenance")
		},
		"advisory": func(n ast.Node) { e.Advisory = d.formed(n, idForm, "an advisory id") },
		"package":  func(n ast.Node) { e.Package = d.purl(n) },
		"until": func(n ast.Node) {
			t, err := time.Parse(time.DateOnly, d.text(n))
			if err != nil {
				d.fail(n, "needs a date such as 2026-12-24")
			}
			e.Until = t
		},
		"reason":      func(n ast.Node) { e.Reason = d.text(n) },
		"approved_by": func(n ast.Node) { e.ApprovedBy = d.text(n) },
	})
	switch twin := func(x Exception) bool { return x.ID == e.ID }; {
	case e.ID == "":
		d.fail(n, "an exception needs an `id`")
	case slices.ContainsFunc(p.Exceptions, twin):
		d.fail(n, "exception `%s` is there twice", e.ID)
	case e.Until.IsZero():
		d.fail(n, "exception `%s` needs `until`, a date at most %s ahead", e.ID, durationText(maxException))
	case e.Reason == "":
		d.fail(n, "exception `%s` needs a `reason`", e.ID)
	case e.Advisory == "" && e.Package == "":
		d.fail(n, "exception `%s` needs an `advisory` or a `package`; it cannot accept everything", e.ID)
	}
	p.Exceptions = append(p.Exceptions, e)
}

// purl reads a package URL, with or without a version.
func (d *document) purl(n ast.Node) string {
	s := d.text(n)
	if _, err := packageurl.FromString(s); d.err == nil && (err != nil || strings.ContainsAny(s, "*?#")) {
		d.fail(n, "`%s` is not a package URL such as pkg:npm/left-pad or pkg:npm/left-pad@1.3.0", shown(s))
	}
	return s
}

// publicKey reads a PEM public key.
func (d *document) publicKey(n ast.Node) string {
	s := d.text(n)
	if b, rest := pem.Decode([]byte(s)); d.err == nil && (b == nil || b.Type != "PUBLIC KEY" || strings.TrimSpace(string(rest)) != "") {
		d.fail(n, "needs one PEM block `PUBLIC KEY`")
	}
	return s
}
