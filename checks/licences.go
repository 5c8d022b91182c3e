package checks

import (
	"cmp"
	"slices"

	"github.com/landwaiter/landwaiter/checks/licence"
	"github.com/landwaiter/landwaiter/checks/risk"
)

// licences returns the judgment of licences, nil when the policy does not ask for it. The lock
// file's word comes before the registry's, because it is of the very package that is installed.
func (f *finder) licences() func(arrival) *problem {
	rules := f.p.Dependencies.Licences
	if !rules.asked() {
		return nil
	}
	checker, err := licence.New(licence.Rules{Allow: rules.Allow, Deny: rules.Deny})
	text := func(p *Package) (string, bool) {
		fact, ok := f.fact(p)
		if p == nil {
			return "", false
		}
		return cmp.Or(p.Licence, fact.Licence), ok || p.Licence != ""
	}
	outcomes := map[string]licence.Outcome{} // few texts, many packages
	outcome := func(text string) licence.Outcome {
		o, ok := outcomes[text]
		if !ok && err != nil {
			o = licence.Outcome{Status: licence.Denied, Reason: err.Error()}
		} else if !ok {
			o = checker.Check(text)
		}
		outcomes[text] = o
		return o
	}
	return func(a arrival) *problem {
		if slices.ContainsFunc(rules.Exempt, func(purl string) bool { return samePackage(purl, a.PURL) }) {
			return nil
		}
		words, known := text(a.Package)
		if !known {
			return f.miss(RuleLicence, a)
		}
		if words == "" && f.p.ownName(*a.Package) {
			return nil
		}
		o := outcome(words)
		if before, ok := text(a.before); ok && outcome(before).Status == o.Status && outcome(before).Part == o.Part {
			return nil
		}
		return licenceProblem(rules, words, o)
	}
}

func licenceProblem(rules LicenceRules, words string, o licence.Outcome) *problem {
	p := &problem{
		severity: SeverityLow, level: rules.Unknown, licence: risk.LicenceUnclear, summary: o.Reason,
		remedy: "Find out which licence it has, and list the package under `licences.exempt` in the policy when that is fine.",
		facts:  func(c *Finding) { c.Licence = cmp.Or(o.Expression, words) },
	}
	switch o.Status {
	case licence.Allowed:
		return nil
	case licence.Denied:
		p.severity, p.level, p.licence = SeverityMedium, RuleBlock, risk.LicenceDenied
		if p.summary = "licence " + o.Part + " is not allowed"; o.Part == "" {
			p.summary = o.Reason
		}
		p.remedy = "Replace it with a package under an allowed licence; or have the owners of the policy allow this one."
	case licence.Invalid:
		p.level = rules.Invalid
	}
	if p.level == RuleOff {
		return nil
	}
	return p
}
