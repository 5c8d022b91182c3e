package checks

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/package-url/packageurl-go"

	"github.com/landwaiter/landwaiter/checks/strict"
)

// maxGrave is the longest that a critical or exploited vulnerability may be accepted ahead of
// time; THREATS A03.
const maxGrave = 14 * day

// level says what p makes of an introduced candidate, and which exception accepts it until when.
// Malware always blocks.
func (p *Policy) level(c candidate, now time.Time) (level, exception, until string) {
	level = string(c.level)
	if c.Advisory != "" || c.Malware {
		level = LevelWarn
		cause := p.cause(c.Finding)
		if cause == RuleMalware {
			return LevelBlock, "", ""
		}
		if cause == RuleExploited || cause != "" && !(c.unreached && p.Dependencies.NotImported == NotImportedWarn) {
			level = LevelBlock
		}
	}
	// Of several exceptions the one that ends first counts; THREATS A05.
	var best *Exception
	for i := range p.Exceptions {
		e := &p.Exceptions[i]
		if e.covers(c.Finding, p.Dependencies.BlockSeverity) && e.idle(c.Finding, now, p.MaxException) == "" && (best == nil || e.Until.Before(best.Until)) {
			best = e
		}
	}
	if best == nil {
		return level, "", ""
	}
	return LevelAccepted, best.ID, best.Until.Format(time.DateOnly)
}

// grave reports whether f may be accepted for maxGrave only.
func grave(f Finding) bool {
	return f.Rule == RuleVulnerability && (f.Severity == SeverityCritical || f.Exploited)
}

// idle says why e has no effect on f at now, "" when it has one. Until is its last day, in UTC.
// An exception that ends further ahead than limit has none yet: so a policy cannot accept a risk
// for years. A limit of 0 is none.
func (e Exception) idle(f Finding, now time.Time, limit time.Duration) string {
	kind := ""
	if grave(f) && (limit == 0 || limit > maxGrave) {
		limit, kind = maxGrave, ", which is the limit for critical and known exploited vulnerabilities"
	}
	switch {
	case !now.Before(e.Until.Add(day)):
		return "it ended on " + e.Until.Format(time.DateOnly)
	case limit > 0 && e.Until.After(now.Add(limit)):
		return fmt.Sprintf("it ends on %s, more than %s ahead%s", e.Until.Format(time.DateOnly), strict.DurationText(limit), kind)
	}
	return ""
}

// idle returns a notice for each exception that fits a finding that blocks and has no effect.
func (p *Policy) idle(found []Finding, now time.Time) []Reason {
	var notices []Reason
	for _, e := range p.Exceptions {
		for _, f := range found {
			if f.Level != LevelBlock || f.Malware || !e.covers(f, p.Dependencies.BlockSeverity) {
				continue
			}
			if why := e.idle(f, now, p.MaxException); why != "" {
				notices = append(notices, Reason{f.Rule, CodeExceptionIdle,
					fmt.Sprintf("Exception %s has no effect on %s: %s.", e.ID, cmp.Or(f.Advisory, f.Subject, f.Package.Name), why)})
				break
			}
		}
	}
	return notices
}

// covers reports whether every part of e that is set fits f.
func (e Exception) covers(f Finding, floor Severity) bool {
	if e.Advisory == "" && e.Package == "" && (e.Subject == "" && e.Path == "" || !slices.Contains(fileRules, f.Rule)) {
		return false
	}
	return (e.Rule == "" || e.ofRule(f, floor)) && (e.Advisory == "" || e.ofAdvisory(f)) &&
		(e.Package == "" || samePackage(e.Package, f.Package.PURL)) &&
		(e.Subject == "" || e.Subject == f.Subject) && (e.Path == "" || e.Path == f.Location.Path)
}

// ofRule reports whether f breaks the rule of e: by its name, or as reasons call it.
func (e Exception) ofRule(f Finding, floor Severity) bool {
	switch {
	case e.Rule == f.Rule:
		return true
	case f.Rule != RuleVulnerability:
		return false
	}
	return e.Rule == RuleExploited && f.Exploited || e.Rule == "no-known-"+floor.String()
}

func (e Exception) ofAdvisory(f Finding) bool {
	same := func(id string) bool { return strings.EqualFold(id, e.Advisory) }
	return f.Advisory != "" && (same(f.Advisory) || slices.ContainsFunc(f.Aliases, same))
}

// samePackage reports whether the package URL accepted names the package of purl: the same
// type, namespace and name, and the same version when accepted has one.
func samePackage(accepted, purl string) bool {
	a, errA := packageurl.FromString(accepted)
	b, errB := packageurl.FromString(purl)
	return errA == nil && errB == nil && a.Type == b.Type && a.Namespace == b.Namespace && a.Name == b.Name &&
		(a.Version == "" || a.Version == b.Version)
}
