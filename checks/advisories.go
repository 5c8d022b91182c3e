package checks

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Why findings of advisories are left out.
const (
	leftOwnName     = "reports of malware under names of your own (`malware.own_scopes`)"
	leftNotImported = "advisories on Go packages that this repository does not import (`not_imported: ignore`)"
)

// key is what one Finding of an advisory is about. There is one Finding for each, at the first
// place that the change brings in, however many manifests and paths lead to it.
type key struct{ ecosystem, name, version, advisory string }

// advisories turns the matches of the head into candidates.
func (f *finder) advisories() []candidate {
	groups := map[key][]Match{}
	for _, e := range f.evidence {
		for _, m := range e.Matches {
			if m.Side != Base {
				k := key{m.Package.Ecosystem, m.Package.Name, m.Package.Version, m.Advisory.ID}
				groups[k] = append(groups[k], m)
			}
		}
	}
	found := make([]candidate, 0, len(groups))
	for _, matches := range groups {
		if c, left := f.advisory(matches); left == "" {
			found = append(found, c)
		} else if c.Introduced {
			f.leave(left, c.Advisory+" on "+c.Package.Name)
		}
	}
	return found
}

// advisory makes one candidate of the matches of one advisory with one package version, and
// says why the policy leaves it out, "" when it does not.
func (f *finder) advisory(matches []Match) (c candidate, left string) {
	introduced := slices.DeleteFunc(slices.Clone(matches), func(m Match) bool { return !f.introduced(m) })
	if len(introduced) > 0 {
		matches = introduced
	}
	first := slices.MinFunc(matches, func(a, b Match) int {
		return cmp.Or(boolOrder(f.p.inScope(b.Package.Scope), f.p.inScope(a.Package.Scope)),
			strings.Compare(a.Path, b.Path), a.Package.Line-b.Package.Line)
	})
	a, pkg := first.Advisory, first.Package
	c = about(RuleVulnerability, &pkg, first.Path, pkg.Line)
	c.Severity, c.Advisory, c.Aliases = a.Severity, a.ID, append([]string{}, a.Aliases...)
	c.Introduced, c.FixedVersion, c.Summary, c.URL, c.Malware = len(introduced) > 0, a.Cure, a.Summary, a.URL, a.Malware
	c.Score, c.EPSS, c.Exploited = a.Score, a.EPSS, a.Exploited
	if a.Malware {
		c.Rule = RuleMalware
	}
	c.Fingerprint = fingerprint(c.Rule, pkg.Ecosystem, pkg.Name, pkg.Version, a.ID)
	advice, step := f.remediation(first)
	c.Remediation, c.Command, c.FixedChange = advice.Text, advice.Command, string(step)
	c.Reach = f.reach(pkg, a)
	c.unreached = c.Reach == ReachNotImported && pkg.Relation == Direct && f.imports(pkg.Name)
	switch {
	case a.Malware && f.p.ownName(pkg):
		left = leftOwnName
	case c.unreached && !a.Malware && !a.Exploited && f.p.Dependencies.NotImported == NotImportedIgnore:
		left = leftNotImported
	}
	return c, left
}

// reach says whether the repository's own source imports a package that the advisory names. It
// says nothing when the advisory names none, when nobody looked, when not all source could be
// read, and of internal packages, which nothing outside of the module can import by name.
func (f *finder) reach(p Package, a Advisory) string {
	imports := f.m.Head.Imports
	if p.Ecosystem != "Go" || len(a.Imports) == 0 || imports == nil {
		return ""
	}
	if slices.ContainsFunc(a.Imports, func(name string) bool { return f.imported[name] }) {
		return ReachImported
	}
	internal := func(name string) bool { return slices.Contains(strings.Split(name, "/"), "internal") }
	if imports.Gap != "" || slices.ContainsFunc(a.Imports, internal) {
		return ""
	}
	return ReachNotImported
}

// imports reports whether the repository's own source imports anything of a Go module. One that
// it requires and imports nothing of is there for others, whatever go.mod calls it, and the
// standard library is of use to all.
func (f *finder) imports(module string) bool {
	for name := range f.imported {
		if name == module || strings.HasPrefix(name, module+"/") {
			return module != "stdlib" && module != "toolchain"
		}
	}
	return false
}

// ownName reports whether the owner of the policy publishes under the name of pkg.
func (p *Policy) ownName(pkg Package) bool {
	return slices.ContainsFunc(p.Dependencies.OwnNames, func(o OwnName) bool {
		return o.Ecosystem == pkg.Ecosystem && GlobMatch(o.Pattern, pkg.Name)
	})
}

// The causes for which an advisory blocks: the rules that reasons name.
const (
	causeSeverity = "severity"
	causeEPSS     = "min-epss"
	causeRisk     = "min-risk"
)

// cause says why p blocks on an advisory's finding: RuleMalware, RuleExploited, or one of the
// causes; "" when it does not.
func (p *Policy) cause(f Finding) string {
	d := p.Dependencies
	severe := f.Severity >= d.BlockSeverity
	if f.Severity == SeverityUnknown {
		severe = d.BlockSeverity <= SeverityMedium
	}
	switch {
	case f.Malware:
		return RuleMalware
	case f.Exploited && d.BlockExploited:
		return RuleExploited
	case !p.inScope(f.Scope):
		return ""
	case severe:
		return causeSeverity
	case d.MinEPSS > 0 && f.EPSS >= d.MinEPSS:
		return causeEPSS
	case d.MinRisk > 0 && f.Risk >= d.MinRisk:
		return causeRisk
	}
	return ""
}

// inScope reports whether vulnerabilities in s may block. The unknown scope is judged like runtime.
func (p *Policy) inScope(s Scope) bool {
	if s == "" {
		s = ScopeRuntime
	}
	return len(p.Dependencies.BlockScopes) == 0 || slices.Contains(p.Dependencies.BlockScopes, s)
}

// percent writes a probability.
func percent(p float64) string { return fmt.Sprintf("%.3g %%", 100*p) }
