package checks

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/landwaiter/landwaiter/checks/cure"
	"github.com/landwaiter/landwaiter/checks/licence"
	"github.com/landwaiter/landwaiter/checks/strict"
)

func (d policyReader) dependencyKeys(p *Policy) strict.Keys {
	r := &p.Dependencies
	level := func(rule string, l *RuleLevel) func(strict.Node) {
		return func(n strict.Node) { p.line(rule, n); *l = d.level(n) }
	}
	asked := func(rule string, l *RuleLevel) func(strict.Node) {
		read := level(rule, l)
		return func(n strict.Node) { r.ask(rule); read(n) }
	}
	return strict.Keys{
		"vulnerabilities": func(n strict.Node) {
			d.Section(n, "dependencies.vulnerabilities.", d.vulnerabilityKeys(p))
		},
		"malware": func(n strict.Node) {
			d.Section(n, "dependencies.malware.", strict.Keys{"own_scopes": func(n strict.Node) {
				r.OwnNames = nil
				d.List(n, func(n strict.Node) { r.OwnNames = append(r.OwnNames, d.ownName(n)) })
			}})
		},
		"licences": func(n strict.Node) {
			p.line(RuleLicence, n)
			d.Section(n, "dependencies.licences.", d.licenceKeys(&r.Licences))
		},
		"min_age":    func(n strict.Node) { p.line(RuleMinAge, n); r.MinAge = d.age(n, "time", RuleBlock) },
		"abandoned":  func(n strict.Node) { p.line(RuleAbandoned, n); r.Abandoned = d.age(n, "after", RuleWarn) },
		"deprecated": asked(RuleDeprecated, &r.Deprecated),
		"yanked":     asked(RuleYanked, &r.Yanked),
		"require_provenance": func(n strict.Node) {
			p.line(RuleNoProvenance, n)
			r.RequireProvenance = nil
			d.List(n, func(n strict.Node) {
				name := policyEcosystems[d.Choice(n, []string{"npm", "pypi"})]
				r.RequireProvenance = append(r.RequireProvenance, name)
			})
		},
		"provenance_loss": level(RuleLostOrigin, &r.ProvenanceLoss),
		"lookalikes":      func(n strict.Node) { p.line(RuleLookalike, n); d.lookalikes(n, r) },
		"images":          level(RuleImage, &r.Images),
	}
}

// line keeps where the policy file sets rule.
func (p *Policy) line(rule string, n strict.Node) {
	if p.Lines == nil {
		p.Lines = map[string]int{}
	}
	p.Lines[rule] = strict.Line(n)
}

// ask keeps that the file itself has the key of rule.
func (r *DependencyRules) ask(rule string) {
	if !slices.Contains(r.Asked, rule) {
		r.Asked = append(r.Asked, rule)
		slices.Sort(r.Asked)
	}
}

func (d policyReader) vulnerabilityKeys(p *Policy) strict.Keys {
	const path = "dependencies.vulnerabilities."
	r := &p.Dependencies
	block := strict.Keys{
		"severity": func(n strict.Node) {
			r.BlockSeverity, _ = ParseSeverity(d.Choice(n, []string{"low", "medium", "high", "critical"}))
		},
		"scope":    func(n strict.Node) { r.BlockScopes = d.scopes(n) },
		"min_risk": func(n strict.Node) { r.MinRisk = d.Number(n, 1, 100) },
	}
	return strict.Keys{
		"block": func(n strict.Node) {
			r.BlockLine = strict.Line(n)
			d.Section(n, path+"block.", block)
		},
		"always_block": func(n strict.Node) {
			p.line(RuleExploited, n)
			r.BlockExploited = false
			d.List(n, func(n strict.Node) {
				if d.Choice(n, []string{"malware", "known_exploited"}) == "known_exploited" {
					r.BlockExploited = true
					r.ask(RuleExploited)
				}
			})
		},
		"min_epss": func(n strict.Node) { r.MinEPSS = d.Decimal(n, 0, 1) },
		"not_imported": func(n strict.Node) {
			r.NotImported = NotImported(d.Choice(n, []string{string(NotImportedBlock), string(NotImportedWarn), string(NotImportedIgnore)}))
		},
		"max_data_age": func(n strict.Node) { r.MaxDataAge = d.Duration(n, 365*day) },
	}
}

func (d policyReader) scopes(n strict.Node) (scopes []Scope) {
	d.List(n, func(n strict.Node) {
		scopes = append(scopes, Scope(d.Choice(n, []string{"runtime", "development", "optional"})))
	})
	if len(scopes) == 0 {
		d.Fail(n, "needs at least one scope")
	}
	return scopes
}

// level reads the level of a rule.
func (d policyReader) level(n strict.Node) RuleLevel {
	if s := d.Choice(n, []string{"off", "warn", "block"}); s != "off" {
		return RuleLevel(s)
	}
	return RuleOff
}

// age reads a span of time, alone or as key beside a level; level is the one meant when none
// is written.
func (d policyReader) age(n strict.Node, key string, level RuleLevel) AgeRule {
	a := AgeRule{Level: level}
	if !strict.Mapping(n) {
		a.Time = d.Duration(n, 3650*day)
		return a
	}
	d.Section(n, "dependencies.", strict.Keys{
		key:     func(n strict.Node) { a.Time = d.Duration(n, 3650*day) },
		"level": func(n strict.Node) { a.Level = d.level(n) },
	})
	if a.Time == 0 {
		d.Fail(n, "needs `%s`, such as {%s: 30d, level: warn}", key, key)
	}
	return a
}

// lookalikes reads a level, alone or with names that are allowed.
func (d policyReader) lookalikes(n strict.Node, r *DependencyRules) {
	if !strict.Mapping(n) {
		r.Lookalikes = d.level(n)
		return
	}
	d.Section(n, "dependencies.lookalikes.", strict.Keys{
		"level": func(n strict.Node) { r.Lookalikes = d.level(n) },
		"allow": func(n strict.Node) {
			r.LookalikeNames = nil
			d.List(n, func(n strict.Node) {
				r.LookalikeNames = append(r.LookalikeNames, d.formed(n, cure.PlainName, "the name of a package"))
			})
		},
	})
}

// policyEcosystems are the OSV names of ecosystems as policies write them.
var policyEcosystems = map[string]string{
	"npm": "npm", "pypi": "PyPI", "go": "Go", "maven": "Maven", "nuget": "NuGet", "cargo": "crates.io", "gem": "RubyGems",
	"composer": "Packagist", "pub": "Pub", "hex": "Hex",
}

// ownForm is the form of an own name: an ecosystem, a name, and perhaps a "*" at its end after
// a character that ends a part of a name. The part before it has two characters or more.
var ownForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^([a-z]+):(@?[A-Za-z0-9][A-Za-z0-9@._/:-]*[A-Za-z0-9](?:[./:_-]\*)?)$`)
})

// ownName reads a name of one's own. A pattern that other people's names fit is an error: for Go
// and Maven, whose names start with a host or a domain, that is one without a second part.
func (d policyReader) ownName(n strict.Node) OwnName {
	s := d.Text(n)
	m := ownForm().FindStringSubmatch(s)
	if m == nil {
		d.Fail(n, "`%s` is no name of your own; write an ecosystem and a name or the start of names, such as \"npm:@acme/*\" or \"pypi:acme-tools\"", strict.Shown(s))
		return OwnName{}
	}
	ecosystem, known := policyEcosystems[m[1]]
	if !known {
		names := make([]string, 0, len(policyEcosystems))
		for name := range policyEcosystems {
			names = append(names, name)
		}
		slices.Sort(names)
		d.Fail(n, "unknown ecosystem `%s`; there are %s", strict.Shown(m[1]), strings.Join(names, ", "))
	}
	start, star := strings.CutSuffix(m[2], "*")
	parts := map[string]string{"Go": "/", "Maven": "."}[ecosystem]
	if star && parts != "" && strings.Count(start, parts) < 2 {
		d.Fail(n, "`%s` covers names of others too; add the part that is yours", strict.Shown(s))
	}
	return OwnName{Ecosystem: ecosystem, Pattern: m[2]}
}

func (d policyReader) licenceKeys(r *LicenceRules) strict.Keys {
	ids := func(list *[]string) func(strict.Node) {
		return func(n strict.Node) {
			*list = nil
			d.List(n, func(n strict.Node) {
				id := d.Text(n)
				if _, err := licence.New(licence.Rules{Allow: []string{id}}); d.Err() == nil && err != nil {
					d.Fail(n, "%v", err)
				}
				*list = append(*list, id)
			})
			for _, id := range r.Deny {
				if slices.ContainsFunc(r.Allow, func(s string) bool { return strings.EqualFold(s, id) }) {
					d.Fail(n, "licence `%s` is both allowed and denied", strict.Shown(id))
				}
			}
		}
	}
	return strict.Keys{
		"allow":   ids(&r.Allow),
		"deny":    ids(&r.Deny),
		"unknown": func(n strict.Node) { r.Unknown = d.level(n) },
		"invalid": func(n strict.Node) { r.Invalid = d.level(n) },
		"exempt": func(n strict.Node) {
			r.Exempt = nil
			d.List(n, func(n strict.Node) { r.Exempt = append(r.Exempt, d.purl(n)) })
		},
	}
}

func (d policyReader) workflowKeys(p *Policy) strict.Keys {
	w := &p.Workflows
	level := func(rule string, l *RuleLevel) func(strict.Node) {
		return func(n strict.Node) { p.line(rule, n); *l = d.level(n) }
	}
	return strict.Keys{
		"unpinned_actions":   level(RuleUnpinned, &w.UnpinnedActions),
		"untrusted_checkout": level(RuleCheckout, &w.UntrustedCheckout),
		"script_injection":   level(RuleInjection, &w.ScriptInjection),
		"write_all":          level(RuleWriteAll, &w.WriteAll),
		"trusted_owners": func(n strict.Node) {
			w.TrustedOwners = nil
			d.List(n, func(n strict.Node) {
				w.TrustedOwners = append(w.TrustedOwners, strings.ToLower(d.formed(n, loginForm, "the owner of actions, such as actions")))
			})
		},
	}
}

// maxSubject is the longest subject of an exception, in bytes.
const maxSubject = 500

// subject reads what an observation is about, as a finding shows it.
func (d policyReader) subject(n strict.Node) string {
	s := d.Text(n)
	if len(s) > maxSubject || hasControl(s) {
		d.Fail(n, "is longer than %d bytes or has control characters", maxSubject)
	}
	return s
}

// path reads one file of the repository; a pattern is none.
func (d policyReader) path(n strict.Node) string {
	s := d.Text(n)
	switch {
	case d.Err() != nil:
	case strings.ContainsAny(s, "*?[]{}\\") || hasControl(s):
		d.Fail(n, "`%s` is a pattern; an exception names one file", strict.Shown(s))
	case strings.HasPrefix(s, "/") || strings.HasSuffix(s, "/") || slices.ContainsFunc(strings.Split(s, "/"), func(part string) bool { return part == "" || part == "." || part == ".." }):
		d.Fail(n, "`%s` is no path from the root of the repository, such as .github/workflows/ci.yml", strict.Shown(s))
	case len(s) > maxGlobText:
		d.Fail(n, "is longer than %d bytes", maxGlobText)
	}
	return s
}
