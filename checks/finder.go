package checks

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/landwaiter/landwaiter/checks/cure"
	"github.com/landwaiter/landwaiter/checks/risk"
)

// finder finds what the rules of one policy find in one change, or in a tree without a base.
type finder struct {
	*comparison
	m        *Material
	p        *Policy
	evidence []Evidence
	now      time.Time
	arrivals []arrival
	facts    map[version]Fact
	imported map[string]bool // Go packages that the head's source imports
	ranges   cure.Ranges

	untold  map[string][]located // packages that a rule needs a Fact of and has none, by rule
	leftOut map[string][]string  // what is left out of the findings, by why
	notices []Reason
}

// version is one version of a package.
type version struct{ ecosystem, name, version string }

func versionOf(p Package) version { return version{p.Ecosystem, p.Name, p.Version} }

func newFinder(j *judgment, p *Policy, c *comparison, arrivals []arrival) *finder {
	f := &finder{
		comparison: c, m: j.m, p: p, evidence: j.evidence, now: j.now, arrivals: arrivals,
		facts: map[version]Fact{}, imported: map[string]bool{}, untold: map[string][]located{}, leftOut: map[string][]string{},
	}
	for _, e := range j.evidence {
		for _, fact := range e.Facts {
			f.facts[version{fact.Ecosystem, fact.Name, fact.Version}] = fact
		}
	}
	if j.m.Head.Imports != nil {
		for _, name := range j.m.Head.Imports.Packages {
			f.imported[name] = true
		}
	}
	return f
}

// candidate is a Finding before the policy says what it makes of it.
type candidate struct {
	Finding
	level   RuleLevel // of the rule; RuleOff for rules that go by advisories
	depth   int       // as in risk.Input
	licence string    // as in risk.Input
	// unreached says that what the repository itself needs of the package is not affected, as
	// far as its source tells.
	unreached bool
}

// find returns the findings: introduced first, then by level, risk and severity.
func (f *finder) find() []Finding {
	candidates := slices.Concat(f.advisories(), f.observations(), f.told())
	found := make([]Finding, 0, len(candidates))
	for _, c := range candidates {
		c.Risk, c.RiskParts = risk.Score(risk.Input{
			Malware: c.Malware, Score: c.Score, Severity: c.Severity.String(), Licence: c.licence, EPSS: c.EPSS, Exploited: c.Exploited,
			Scope: string(c.Scope), Depth: c.depth, Reach: c.Reach,
		})
		if c.Introduced {
			c.Level, c.Exception, c.Until = f.p.level(c, f.now)
		}
		found = append(found, c.Finding)
	}
	slices.SortFunc(found, func(a, b Finding) int {
		return cmp.Or(
			boolOrder(b.Introduced, a.Introduced), levelOrder(a)-levelOrder(b), boolOrder(b.Malware, a.Malware),
			b.Risk-a.Risk, int(b.Severity-a.Severity), strings.Compare(a.Package.Name, b.Package.Name),
			strings.Compare(a.Package.PURL, b.Package.PURL), strings.Compare(a.Rule, b.Rule), strings.Compare(a.Advisory, b.Advisory),
			strings.Compare(a.Location.Path, b.Location.Path), strings.Compare(a.Subject, b.Subject), strings.Compare(a.Fingerprint, b.Fingerprint))
	})
	f.remark(found)
	return found
}

func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	default:
		return -1
	}
}

func levelOrder(f Finding) int {
	return slices.Index([]string{LevelBlock, LevelWarn, LevelAccepted, ""}, f.Level)
}

// about starts a candidate with the package p at path; p is nil when the problem is the file's.
func about(rule string, p *Package, path string, line int) candidate {
	c := candidate{Finding: Finding{Rule: rule, Aliases: []string{}, DependencyPath: []string{}, Location: Location{path, line}}}
	if p != nil {
		c.Package = FindingPackage{PURL: p.PURL, Ecosystem: p.Ecosystem, Name: p.Name, Version: p.Version}
		c.DependencyPath = append(c.DependencyPath, p.Via...)
		c.Scope, c.depth = p.Scope, depth(*p)
	}
	return c
}

// depth is how far p is from the project, as risk.Input counts. What is not known to be
// transitive counts as direct.
func depth(p Package) int {
	switch {
	case len(p.Via) > 0:
		return len(p.Via)
	case p.Relation == Transitive:
		return 2
	default:
		return 1
	}
}

// fingerprint is the hexadecimal SHA-256 of the parts, each preceded by its length.
func fingerprint(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// leave keeps that something is left out of the findings, and why.
func (f *finder) leave(why, what string) { f.leftOut[why] = append(f.leftOut[why], what) }

// maxListed is how many names one message lists.
const maxListed = 5

// listed joins names, sorted and each once, and counts those beyond maxListed.
func listed(names []string) string {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	if more := len(names) - maxListed; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxListed], ", "), more)
	}
	return strings.Join(names, ", ")
}

// remark adds the notices about what was left out and about exceptions without effect.
func (f *finder) remark(found []Finding) {
	for _, why := range []string{leftOwnName, leftNotImported} {
		if names := f.leftOut[why]; len(names) > 0 {
			f.notices = append(f.notices, Reason{RuleVulnerability, CodeLeftOut, fmt.Sprintf("left out, %s: %s", why, listed(names))})
		}
	}
	f.notices = append(f.notices, f.p.idle(found, f.now)...)
}
