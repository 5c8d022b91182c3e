package checks

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/landwaiter/landwaiter/checks/strict"
)

// maxNamed is how many packages the reasons name one by one.
const maxNamed = 50

// judgeDependencies judges what a change does to the manifests, or all manifests of a tree
// without a base. Only what the change introduces decides:
//
//   - Fail when an introduced finding blocks, or when the change breaks the policy file;
//   - else Unknown when a manifest, a package or the scanner's data could not be seen;
//   - else Pass. A change that touches no manifest passes even without a scanner.
func judgeDependencies(j *judgment) {
	c := newComparison(j.m, j.evidence)
	var arrivals []arrival
	j.r.Changes, arrivals = c.changes()
	f := newFinder(j, j.p, c, arrivals)
	j.r.Findings = f.find()
	j.r.Cured = c.cured(j)
	j.r.Notices = append(j.r.Notices, f.notices...)
	j.claimed(c)
	j.unheld(c)
	j.policyFile(f)
	j.blocking()
	unresolved := c.unresolved(j.m.Head.Inventory)
	j.cover(c, unresolved)
	if j.r.Coverage.Manifests > 0 || len(j.m.Head.Gaps) > 0 {
		j.incomplete(c, unresolved)
		j.untold(f)
	}
	j.conclude()
}

// policyFile judges what the change does to the policy file, which never applies to itself.
func (j *judgment) policyFile(f *finder) {
	change := j.m.PolicyChange
	switch {
	case change == nil:
	case change.Error != nil && change.Error.Line > 0:
		j.reason(RulePolicyFile, CodePolicyInvalid, "Policy file line %d: %s", change.Error.Line, change.Error.Message)
	case change.Error != nil:
		j.reason(RulePolicyFile, CodePolicyInvalid, "Policy file: %s", change.Error.Message)
	default:
		text := "This pull request edits the policy; it is judged by the rules of the base branch."
		if change.Preview != nil {
			proposed := blocked(newFinder(j, change.Preview, f.comparison, f.arrivals).find())
			text += " Under the proposed policy: " + difference(proposed-blocked(j.r.Findings))
		} else {
			text += " It removes the policy file: without one the built-in policy observes and blocks nothing."
		}
		j.notice(RulePolicyFile, CodePolicyChanged, "%s", text)
	}
}

func blocked(found []Finding) int {
	n := 0
	for _, f := range found {
		if f.Level == LevelBlock {
			n++
		}
	}
	return n
}

func difference(n int) string {
	switch {
	case n == 0:
		return "the same violations"
	case n == 1:
		return "1 violation more"
	case n == -1:
		return "1 violation less"
	case n > 0:
		return fmt.Sprintf("%d violations more", n)
	default:
		return fmt.Sprintf("%d violations less", -n)
	}
}

// cover counts what was to be looked at.
func (j *judgment) cover(c *comparison, unresolved []located) {
	v := &j.r.Coverage
	v.Manifests = c.touched()
	for _, m := range j.m.Head.Inventory.Manifests {
		if m.Gap != "" && !c.untouched[m.Path] {
			v.Unread++
		}
		if !c.compared {
			v.Packages += len(m.Packages)
		}
	}
	for _, change := range j.r.Changes {
		if change.Type != "removed" {
			v.Packages++
		}
	}
	v.Unchecked = min(len(unresolved)+j.countUnadvised(c), v.Packages)
	if slices.ContainsFunc(j.evidence, Evidence.blind) {
		v.Unchecked = v.Packages
	}
}

// incomplete gives a reason for everything that was needed and could not be seen.
func (j *judgment) incomplete(c *comparison, unresolved []located) {
	for _, g := range j.m.Head.Gaps {
		j.gap(CodeIncomplete, g)
	}
	for _, m := range j.m.Head.Inventory.Manifests {
		if m.Gap != "" && !c.untouched[m.Path] {
			j.gap(CodeIncomplete, Gap{m.Path, m.Gap})
		}
	}
	// What the base could not show matters only when something might be older than the change.
	open := len(unresolved) > 0 || slices.ContainsFunc(j.r.Findings, func(f Finding) bool { return f.Introduced })
	if open && c.compared {
		for _, g := range j.m.Base.Gaps {
			j.gap(CodeIncomplete, Gap{cmp.Or(g.Path, "base"), g.Reason + " (at the base, so older findings cannot be told from new ones)"})
		}
		for _, m := range j.m.Base.Inventory.Manifests {
			if h := c.head[m.Path]; m.Gap != "" && (h == nil || !c.untouched[m.Path]) {
				j.gap(CodeIncomplete, Gap{m.Path, m.Gap + " (at the base, so older findings cannot be told from new ones)"})
			}
		}
	}
	// What the scanner could not see matters only when there was something to look up.
	for _, e := range j.evidence {
		if e.Scanner == registryScanner {
			continue
		}
		if !c.compared || j.r.Coverage.Packages > 0 || j.r.Coverage.Unread > 0 {
			j.evidenceGaps(c, e, open)
		}
	}
	for i, p := range unresolved {
		if i == maxNamed {
			j.reason(RuleComplete, CodeUnresolved, "and %d more packages without an exact version", len(unresolved)-maxNamed)
			break
		}
		j.reason(RuleComplete, CodeUnresolved, "%s: %s has no exact version; add a lock file or pin it", p.path, p)
	}
}

// evidenceGaps gives a reason for each gap of e, other than those in manifests that the change
// does not touch.
func (j *judgment) evidenceGaps(c *comparison, e Evidence, open bool) {
	code := CodeIncomplete
	if e.blind() {
		code = CodeScannerFailed
	}
	for _, g := range e.Gaps {
		_, base := c.base[g.Path]
		_, head := c.head[g.Path]
		if !c.untouched[g.Path] && (head || !base || open) {
			j.gap(code, Gap{cmp.Or(g.Path, "scanner "+e.Scanner), g.Reason})
		}
	}
	if !e.Complete && len(e.Gaps) == 0 {
		j.gap(CodeScannerFailed, Gap{"scanner " + e.Scanner, "it did not finish"})
	}
	if limit := j.p.Dependencies.MaxDataAge; limit > 0 && !e.DataTime.IsZero() && j.now.Sub(e.DataTime) > limit {
		j.reason(RuleComplete, CodeDataStale, "the data of scanner %s is from %s, older than %s; update it and check again",
			e.Scanner, e.DataTime.UTC().Format("2006-01-02 15:04 UTC"), strict.DurationText(limit))
	}
}

// claimed adds a notice about the packages of touched manifests whose version was believed.
func (j *judgment) claimed(c *comparison) {
	var first *Claim
	n := 0
	for _, e := range j.evidence {
		for i := range e.Claims {
			if c.untouched[e.Claims[i].Path] {
				continue
			}
			if n++; first == nil {
				first = &e.Claims[i]
			}
		}
	}
	if n > 0 {
		j.notice(RuleComplete, CodeClaimed, "%d pinned commits were compared with advisories by the version in the comment behind them, which nothing proves; the first is %s in %s line %d, said to be %s",
			n, first.Package.Name, first.Path, first.Package.Line, first.Version)
	}
}

// blind reports whether e says of no manifest that it was checked: it failed as a whole.
func (e Evidence) blind() bool {
	return !e.Complete && e.Scanner != registryScanner && (len(e.Gaps) == 0 || slices.ContainsFunc(e.Gaps, func(g Gap) bool { return g.Path == "" }))
}

func (j *judgment) gap(code string, g Gap) {
	text := g.Reason
	if g.Path != "" {
		text = g.Path + ": " + g.Reason
	}
	j.reason(RuleComplete, code, "%s", text)
}
