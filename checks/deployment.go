package checks

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/landwaiter/landwaiter/checks/strict"
)

// Deployment is what a judgment of a waiting deployment looks at beside the trees.
type Deployment struct {
	// Commit is the commit of the workflow run as GitHub has it now; Asked the one that the
	// deployment was asked for, "" when nobody said.
	Commit, Asked string
	// Releases are the releases at Commit that were ever judged, each by its newest Report.
	Releases []ReleaseStanding
	// Waited is how long something was awaited, and Over says that it was long enough.
	Waited time.Duration
	Over   bool
}

// ReleaseStanding is what is known of one release.
type ReleaseStanding struct {
	ID      int64
	Tag     string
	Verdict Verdict
	// Pending says that it is being judged anew, so Verdict may be withdrawn.
	Pending bool
}

// judgeDeployment judges whether what a workflow run was started for may go out to the
// environment that it waits in. The policy's rule for the environment decides:
//
//   - Fail when the run is of another commit than was asked for, when a release at its commit
//     failed, or when a finding of that severity is open in its manifests;
//   - else Unknown when there is no rule, no release at the commit with a verdict, or when
//     something needed could not be seen;
//   - else Pass, which is what an approval needs.
func judgeDeployment(j *judgment) {
	d, rule := j.m.Deployment, j.p.Environments[j.m.Subject.Environment]
	if rule.NoOpen == SeverityUnknown {
		j.r.Evidence = []EvidenceSummary{} // nothing was to be scanned
	}
	switch {
	case d == nil:
		j.reason(RuleEnvironment, CodeNothingToVerify, "nothing is known of the run")
	case !rule.decides():
		j.reason(RuleEnvironment, CodeNoEnvironment, "the policy has no rule for the environment %s; write `environments: {%s: {require: [release_passed]}}` into it, or take Landwaiter off the environment's protection rules",
			strict.Shown(j.m.Subject.Environment), strict.Shown(j.m.Subject.Environment))
	case d.Commit == "" || d.Asked != "" && d.Asked != d.Commit:
		j.reason(RuleEnvironment, CodeCommitMismatch, "the deployment was asked for commit %s, and the run is of %s", short(d.Asked), short(d.Commit))
	default:
		if slices.Contains(rule.Require, RequireReleasePassed) {
			j.releasesPassed(d)
		}
		if rule.NoOpen > SeverityUnknown {
			j.noneOpen(rule.NoOpen)
		}
	}
	j.conclude()
}

// decides reports whether a rule asks for anything at all. The zero rule does not.
func (r EnvironmentRule) decides() bool { return len(r.Require) > 0 || r.NoOpen > SeverityUnknown }

// short shortens a commit for people.
func short(commit string) string {
	if commit == "" {
		return "unknown"
	}
	return commit[:min(len(commit), 7)]
}

// releasesPassed gives a reason for each release at the commit that did not pass, and for
// there being none.
func (j *judgment) releasesPassed(d *Deployment) {
	waited := ""
	if d.Over {
		waited = fmt.Sprintf(", waited %s for it", ageText(d.Waited))
	}
	if len(d.Releases) == 0 {
		j.reason(RuleReleasePassed, CodeReleaseMissing, "no release at commit %s was judged%s; release it first, and run the deployment again", short(d.Commit), waited)
	}
	for _, r := range d.Releases {
		switch {
		case r.Verdict == Fail:
			j.reason(RuleReleasePassed, CodeReleaseFailed, "the release %s failed; the check landwaiter/release on the commit says why", strict.Shown(r.Tag))
		case r.Pending:
			j.reason(RuleReleasePassed, CodeReleaseMissing, "the release %s has no verdict yet%s", strict.Shown(r.Tag), waited)
		case r.Verdict != Pass:
			j.reason(RuleReleasePassed, CodeIncomplete, "the release %s could not be verified; the check landwaiter/release on the commit says why", strict.Shown(r.Tag))
		}
	}
}

// noneOpen gives a reason for findings from a severity on in the manifests of the commit, and
// for what could not be seen of them. Accepted risks are not open. An advisory without a
// severity counts where medium does, as in pull requests.
func (j *judgment) noneOpen(floor Severity) {
	c := newComparison(j.m, j.evidence)
	var arrivals []arrival
	_, arrivals = c.changes()
	f := newFinder(j, j.p, c, arrivals)
	var names []string
	for _, found := range f.find() {
		open := found.Severity >= floor || found.Malware || found.Severity == SeverityUnknown && found.Advisory != "" && floor <= SeverityMedium
		if found.Level == LevelAccepted || !open {
			continue
		}
		j.r.Findings = append(j.r.Findings, found)
		names = append(names, strings.TrimSpace(orWord(found.Package.Name, found.Location.Path)+" "+orWord(found.Advisory, found.Rule)))
	}
	if len(names) > 0 {
		j.reason(RuleNoOpen, CodeOpenFindings, "%s of severity %s or more: %s", plural(len(names), "open finding"), floor, listed(names))
	}
	unresolved := c.unresolved(j.m.Head.Inventory)
	j.cover(c, unresolved)
	if j.r.Coverage.Manifests > 0 || len(j.m.Head.Gaps) > 0 {
		j.incomplete(c, unresolved)
	}
}
