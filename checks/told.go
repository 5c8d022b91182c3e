package checks

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/landwaiter/landwaiter/checks/strict"
)

// told turns what lock files and registries tell of the arrivals into candidates. What the
// version before had too is not brought in and so is no candidate.
func (f *finder) told() []candidate {
	var found []candidate
	once := map[version]bool{}
	licences := f.licences()
	for _, a := range f.arrivals {
		v := versionOf(*a.Package)
		if a.Version == "" || once[v] || !fromRegistry(*a.Package) {
			continue
		}
		once[v] = true
		if licences != nil {
			found = f.add(found, a, RuleLicence, licences(a))
		}
		for _, judge := range []struct {
			rule string
			of   func(*finder, arrival) *problem
		}{
			{RuleMinAge, (*finder).young}, {RuleDeprecated, (*finder).deprecated}, {RuleYanked, (*finder).yanked}, {RuleAbandoned, (*finder).abandoned},
			{RuleNoProvenance, (*finder).unproven}, {RuleLostOrigin, (*finder).lostOrigin},
		} {
			if f.p.factLevel(judge.rule) != RuleOff {
				found = f.add(found, a, judge.rule, judge.of(f, a))
			}
		}
	}
	return found
}

// problem is what one rule finds in one arrival.
type problem struct {
	severity Severity
	summary  string // may quote hostile text
	remedy   string
	level    RuleLevel // "" means that of the rule
	licence  string
	facts    func(*Finding) // sets fields of the rule's own; nil when it has none
}

func (f *finder) add(found []candidate, a arrival, rule string, p *problem) []candidate {
	if p == nil {
		return found
	}
	c := about(rule, a.Package, a.path, a.Line)
	c.Severity, c.Summary, c.Remediation, c.Introduced = p.severity, p.summary, p.remedy, true
	c.Fingerprint = fingerprint(rule, c.Package.Ecosystem, c.Package.Name, c.Package.Version, "")
	c.level, c.licence = cmp.Or(p.level, f.p.factLevel(rule)), p.licence
	if p.facts != nil {
		p.facts(&c.Finding)
	}
	return append(found, c)
}

// fromRegistry reports whether p is a package of a registry. Actions and images are files of
// somebody's repository, and Go's standard library comes with the compiler.
func fromRegistry(p Package) bool {
	switch p.Ecosystem {
	case "", "GitHub Actions", "Docker", "OCI":
		return false
	case "Go":
		return p.Name != "stdlib" && p.Name != "toolchain"
	}
	return true
}

// factLevel is the level of a rule about what registries tell.
func (p *Policy) factLevel(rule string) RuleLevel {
	d := p.Dependencies
	switch rule {
	case RuleMinAge:
		return d.MinAge.Level
	case RuleAbandoned:
		return d.Abandoned.Level
	case RuleDeprecated:
		return d.Deprecated
	case RuleYanked:
		return d.Yanked
	case RuleLostOrigin:
		return d.ProvenanceLoss
	case RuleNoProvenance:
		if len(d.RequireProvenance) > 0 {
			return RuleBlock
		}
	case RuleLicence:
		if d.Licences.asked() {
			return RuleBlock
		}
	}
	return RuleOff
}

// fact returns what was told of p.
func (f *finder) fact(p *Package) (Fact, bool) {
	if p == nil {
		return Fact{}, false
	}
	fact, ok := f.facts[versionOf(*p)]
	return fact, ok && !fact.Withheld
}

// miss keeps that rule cannot be told for a. Names of one's own and those that the operator
// withholds are in no public registry, so nothing is missing there.
func (f *finder) miss(rule string, a arrival) *problem {
	if !f.p.ownName(*a.Package) && !f.withheld(*a.Package) {
		f.untold[rule] = append(f.untold[rule], a.located)
	}
	return nil
}

// withheld reports whether nobody was asked about p because the operator calls its name private.
func (f *finder) withheld(p Package) bool { return f.facts[versionOf(p)].Withheld }

// young finds versions that are younger than the policy allows. A registry that does not know a
// version has not seen it yet, which is no sign of age.
func (f *finder) young(a arrival) *problem {
	rule := f.p.Dependencies.MinAge
	fact, ok := f.fact(a.Package)
	if !ok || fact.Published.IsZero() {
		return f.miss(RuleMinAge, a)
	}
	age := max(0, f.now.Sub(fact.Published))
	if age >= rule.Time {
		return nil
	}
	limit := strict.DurationText(rule.Time)
	if rule.Time%day == 0 && age >= day {
		limit = fmt.Sprint(int(rule.Time / day))
	}
	p := &problem{
		severity: SeverityMedium, summary: fmt.Sprintf("published %s ago, minimum %s", ageText(age), limit),
		remedy: fmt.Sprintf("Wait until %s; or take an older version.", fact.Published.Add(rule.Time+time.Minute-1).UTC().Format("2 Jan 2006, 15:04 UTC")),
		facts:  func(c *Finding) { t := fact.Published.UTC().Truncate(time.Second); c.Published = &t },
	}
	if f.cures[f.headPlace(a.path, a.Package)][a.Version] {
		p.level, p.summary = RuleWarn, p.summary+"; a known advisory names it as its cure"
	}
	return p
}

// ageText writes an age in its largest whole unit.
func ageText(age time.Duration) string {
	n, unit := int(age/time.Minute), "minute"
	switch {
	case age >= 2*365*day:
		n, unit = int(age/(365*day)), "year"
	case age >= day:
		n, unit = int(age/day), "day"
	case age >= time.Hour:
		n, unit = int(age/time.Hour), "hour"
	}
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}

func (f *finder) deprecated(a arrival) *problem {
	fact, ok := f.fact(a.Package)
	words := cmp.Or(a.Deprecated, fact.Deprecated)
	if words == "" {
		if !ok && f.p.Dependencies.asked(RuleDeprecated) {
			return f.miss(RuleDeprecated, a)
		}
		return nil
	}
	if before, _ := f.fact(a.before); a.before != nil && (a.before.Deprecated != "" || before.Deprecated != "") {
		return nil
	}
	if words != "deprecated" {
		words = "deprecated: " + words
	}
	return &problem{severity: SeverityLow, summary: words, remedy: "Replace it, or take a version that is maintained."}
}

func (f *finder) yanked(a arrival) *problem {
	fact, ok := f.fact(a.Package)
	if !ok && f.p.Dependencies.asked(RuleYanked) {
		return f.miss(RuleYanked, a)
	}
	if !fact.Yanked {
		return nil
	}
	return &problem{severity: SeverityHigh, summary: "the registry took this version back", remedy: "Take another version."}
}

// abandoned finds new packages without a recent version. A package that was there before is not
// abandoned by an upgrade.
func (f *finder) abandoned(a arrival) *problem {
	if a.before != nil {
		return nil
	}
	fact, ok := f.fact(a.Package)
	if !ok || fact.Newest.IsZero() {
		return f.miss(RuleAbandoned, a)
	}
	rule := f.p.Dependencies.Abandoned
	if age := f.now.Sub(fact.Newest); age >= rule.Time {
		return &problem{
			severity: SeverityLow, summary: fmt.Sprintf("no new version for %s, at most %s", ageText(age), strict.DurationText(rule.Time)),
			remedy: "Replace it with a package that is maintained.",
		}
	}
	return nil
}

func (f *finder) unproven(a arrival) *problem {
	if !slices.Contains(f.p.Dependencies.RequireProvenance, a.Ecosystem) {
		return nil
	}
	fact, _ := f.fact(a.Package)
	switch before, _ := f.fact(a.before); {
	case fact.Provenance == Yes || fact.Provenance == No && before.Provenance == No:
		return nil
	case fact.Provenance != No:
		return f.miss(RuleNoProvenance, a)
	}
	return &problem{severity: SeverityLow, summary: "the registry has no provenance for it", remedy: "Take a version that was published with provenance."}
}

// lostOrigin finds versions without provenance that replace versions with it: whoever publishes
// with a stolen token cannot attest as the build does.
func (f *finder) lostOrigin(a arrival) *problem {
	if a.before == nil || a.before.Version == "" || a.Ecosystem != "npm" && a.Ecosystem != "PyPI" {
		return nil
	}
	fact, _ := f.fact(a.Package)
	before, _ := f.fact(a.before)
	switch {
	case fact.Provenance == Yes || before.Provenance == No:
		return nil
	case fact.Provenance != No || before.Provenance != Yes:
		return f.miss(RuleLostOrigin, a)
	}
	return &problem{
		severity: SeverityHigh, summary: fmt.Sprintf("has no provenance, and version %s had", a.before.Version),
		remedy: "Keep the version before, and ask the maintainers whether they published this one.",
	}
}
