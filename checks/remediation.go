package checks

import "github.com/landwaiter/landwaiter/checks/cure"

// maxRequirers is how many requirers a Package tells of; a list of so many may be cut.
const maxRequirers = 8

// remediation returns what to do about m, and how far its clean version is.
func (f *finder) remediation(m Match) (cure.Advice, cure.Step) {
	p, a := m.Package, m.Advisory
	problem := cure.Problem{
		Ecosystem: p.Ecosystem, Manager: p.Manager, Name: p.Name, Version: p.Version, File: m.Path, Line: p.Line,
		Development: p.Scope == ScopeDevelopment, Via: p.Via, Partial: len(p.Requirers) >= maxRequirers,
		Clean: a.Cure, Fixed: len(a.Fixed) > 0, Malware: a.Malware,
		Ranges: &f.ranges,
	}
	switch p.Relation {
	case Direct:
		problem.Relation = cure.Direct
	case Transitive:
		problem.Relation = cure.Transitive
	}
	for _, r := range p.Requirers {
		problem.Requirers = append(problem.Requirers, cure.Requirer(r))
	}
	return cure.Of(problem), cure.StepOf(p.Ecosystem, p.Version, a.Cure)
}
