package checks

import (
	"slices"
	"strings"
)

// seenAt is an Observation's identity for comparing the sides: what it is about, at its place.
type seenAt struct {
	place
	rule, subject string
}

// observations turns what the readers of files and the scanners observed into candidates. The
// change brings one in when the base has none of the same rule and subject at the same place.
func (f *finder) observations() []candidate {
	base := map[seenAt]bool{}
	var head []Observed
	for _, m := range f.m.Base.Inventory.Manifests {
		for _, o := range m.Observations {
			base[f.seen(Observed{Base, m.Path, o})] = true
		}
	}
	for _, m := range f.m.Head.Inventory.Manifests {
		for _, o := range m.Observations {
			head = append(head, Observed{Head, m.Path, o})
		}
	}
	for _, e := range f.evidence {
		for _, o := range e.Observations {
			if o.Side == Base {
				base[f.seen(o)] = true
			} else {
				head = append(head, o)
			}
		}
	}
	slices.SortStableFunc(head, func(a, b Observed) int { return a.Line - b.Line })
	once := map[string]bool{}
	found := make([]candidate, 0, len(head))
	for _, o := range head {
		level := f.p.observed(o.Observation)
		if level == RuleOff {
			continue
		}
		c := observation(o)
		if once[c.Fingerprint] {
			continue
		}
		once[c.Fingerprint] = true
		c.level = level
		c.Introduced = !f.compared || !f.untouched[o.Path] && !base[f.seen(o)] && !f.knownName(o)
		found = append(found, c)
	}
	return found
}

// observation makes the candidate of o. Lines do not tell two apart: one subject of one rule
// is one Finding in a file, at its first line.
func observation(o Observed) candidate {
	c := about(o.Rule, o.Package, o.Path, o.Line)
	c.Severity, c.Subject, c.Summary, c.Remediation = o.Severity, o.Subject, o.Message, o.Remedy
	path := o.Path
	if o.Package != nil {
		path = ""
	}
	c.Fingerprint = fingerprint(o.Rule, c.Package.Ecosystem, c.Package.Name, c.Package.Version, o.Subject, path)
	return c
}

func (f *finder) seen(o Observed) seenAt {
	var p Package
	if o.Package != nil {
		p = *o.Package
	}
	if o.Side == Base {
		return seenAt{f.basePlace(o.Path, &p), o.Rule, o.Subject}
	}
	return seenAt{f.headPlace(o.Path, &p), o.Rule, o.Subject}
}

// knownName reports whether o is about a name that the base has at the same place already.
func (f *finder) knownName(o Observed) bool {
	return o.Rule == RuleLookalike && o.Package != nil && len(f.versions[f.headPlace(o.Path, o.Package)]) > 0
}

// observed says what p makes of o. Rules that p has no key for warn, so that what a newer reader
// sees does not get lost under an older policy.
func (p *Policy) observed(o Observation) RuleLevel {
	switch o.Rule {
	case RuleLookalike:
		if o.Package != nil && slices.Contains(p.Dependencies.LookalikeNames, o.Package.Name) {
			return RuleOff
		}
		return p.Dependencies.Lookalikes
	case RuleImage:
		return p.Dependencies.Images
	case RuleUnpinned:
		owner, _, _ := strings.Cut(o.Subject, "/")
		if slices.Contains(p.Workflows.TrustedOwners, strings.ToLower(owner)) {
			return RuleOff
		}
		return p.Workflows.UnpinnedActions
	case RuleCheckout:
		return p.Workflows.UntrustedCheckout
	case RuleInjection:
		return p.Workflows.ScriptInjection
	case RuleWriteAll:
		return p.Workflows.WriteAll
	default:
		return RuleWarn
	}
}
