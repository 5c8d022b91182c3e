package checks

import (
	"slices"
	"strings"
	"time"

	"github.com/package-url/packageurl-go"
)

// inScope reports whether vulnerabilities in s may block. The unknown scope is judged like runtime.
func (p *Policy) inScope(s Scope) bool {
	if s == "" {
		s = ScopeRuntime
	}
	return len(p.Dependencies.BlockScopes) == 0 || slices.Contains(p.Dependencies.BlockScopes, s)
}

// level says what p makes of an introduced finding, and which exception accepts it until when.
// Malware always blocks. An unknown severity blocks when the floor is medium or lower.
func (p *Policy) level(f Finding, now time.Time) (level, exception, until string) {
	if f.Malware {
		return LevelBlock, "", ""
	}
	floor := p.Dependencies.BlockSeverity
	severe := f.Severity >= floor
	if f.Severity == SeverityUnknown {
		severe = floor <= SeverityMedium
	}
	if !severe || !p.inScope(f.Scope) {
		return LevelWarn, "", ""
	}
	// Of several exceptions the one that ends first counts; THREATS A05.
	var best *Exception
	for i := range p.Exceptions {
		e := &p.Exceptions[i]
		if e.active(now, p.MaxException) && e.covers(f, floor) && (best == nil || e.Until.Before(best.Until)) {
			best = e
		}
	}
	if best == nil {
		return LevelBlock, "", ""
	}
	return LevelAccepted, best.ID, best.Until.Format(time.DateOnly)
}

// active reports whether e has an effect at now. Until is its last day, in UTC. An exception
// that ends further ahead than limit has none yet: so a policy cannot accept a risk for years.
func (e Exception) active(now time.Time, limit time.Duration) bool {
	return now.Before(e.Until.Add(day)) && (limit == 0 || !e.Until.After(now.Add(limit)))
}

// covers reports whether every part of e that is set fits f.
func (e Exception) covers(f Finding, floor Severity) bool {
	if e.Advisory == "" && e.Package == "" {
		return false
	}
	if e.Rule != "" && e.Rule != f.Rule && e.Rule != "no-known-"+floor.String() {
		return false
	}
	if e.Advisory != "" && !slices.ContainsFunc(append([]string{f.Advisory}, f.Aliases...), func(id string) bool { return strings.EqualFold(id, e.Advisory) }) {
		return false
	}
	return e.Package == "" || samePackage(e.Package, f.Package.PURL)
}

// samePackage reports whether the package URL accepted names the package of purl: the same
// type, namespace and name, and the same version when accepted has one.
func samePackage(accepted, purl string) bool {
	a, errA := packageurl.FromString(accepted)
	b, errB := packageurl.FromString(purl)
	return errA == nil && errB == nil && a.Type == b.Type && a.Namespace == b.Namespace && a.Name == b.Name &&
		(a.Version == "" || a.Version == b.Version)
}
