package checks

import (
	"fmt"
	"slices"
	"time"

	"github.com/landwaiter/landwaiter/checks/inventory"
)

// The rules that Reasons and Findings name. A Finding names the rule without the floor of the
// policy in force, so that its fingerprint outlives a change of policy; a Reason says
// "no-known-high".
const (
	RuleVulnerability = "no-known-vulnerability"
	RuleMalware       = "no-malware"
	RuleComplete      = "complete"    // everything needed was read
	RulePolicyFile    = "policy-file" // a change must leave a valid policy file
	RuleLicence       = "licence"
	RuleMinAge        = "min-age"
	RuleDeprecated    = "deprecated"
	RuleYanked        = "yanked"
	RuleAbandoned     = "abandoned"
	RuleNoProvenance  = "require-provenance"
	RuleLostOrigin    = "provenance-loss" // the version before had provenance, the new one has none
	RuleLookalike     = "lookalike-name"  // a name that looks like a popular one
	RuleImage         = inventory.RuleImage
	RuleUnpinned      = inventory.RuleUnpinned
	RuleCheckout      = inventory.RuleCheckout
	RuleInjection     = inventory.RuleInjection
	RuleScriptInput   = inventory.RuleScriptInput
	RuleWriteAll      = inventory.RuleWriteAll
	RuleAssets        = "release-assets"
	RuleSignature     = "release-signature"
	RuleProvenance    = "release-provenance"
	RuleAttestation   = "release-attestation"
	RuleChecksum      = "release-checksum"
	RuleSBOM          = "release-sbom"
	RuleEnvironment   = "environment"    // a deployment is of the commit it was asked for, to an environment with a rule
	RuleReleasePassed = "release-passed" // the release at a deployment's commit passed
	RuleNoOpen        = "no-open-finding"
	RuleSignerDrift   = "signer-drift"     // signed in another way than the releases before
	RuleAssetNames    = "asset-names"      // names of assets that are new or missing
	RuleApproval      = "release-approval" // release approvers publish what passes
	RuleKeyHygiene    = "release-keys"     // a notice: what a rule about keys or certificates warns of
	RuleTag           = "may-be-tagged"    // a commit of the default branch came in as the policy wants
)

// judgment is one judgment under way: what a check looks at, and the Report it fills.
type judgment struct {
	m        *Material
	p        *Policy
	evidence []Evidence // of the scanners that this check looks at
	now      time.Time
	r        *Report
	dropped  int  // reasons over maxReasons
	failed   bool // a reason names a wrong thing
	// unfinished are addresses of workflow runs that built something and have not ended.
	unfinished map[string]bool
}

// maxReasons bounds the reasons of a Report. The rest is counted in one more.
const maxReasons = 500

// Judge forms the Report on m under p from what the scanners saw, at the time now.
//
// It is pure and total: a Subject of unknown kind, or an internal fault, gives Unknown.
func Judge(m *Material, p *Policy, evidence []Evidence, now time.Time) (r Report) {
	r = Report{
		Subject: m.Subject, Verdict: Unknown, Time: now.UTC().Truncate(time.Second),
		Reasons: []Reason{}, Findings: []Finding{}, Assets: []AssetReport{}, Evidence: []EvidenceSummary{},
	}
	defer func() {
		if fault := recover(); fault != nil {
			r.Verdict = Unknown
			r.Reasons = []Reason{{Rule: RuleComplete, Code: CodeIncomplete, Message: fmt.Sprintf("the judgment was stopped by an internal fault: %v", fault)}}
		}
	}()
	r.Policy = PolicyRef{Digest: digest(p), Source: p.Source, Mode: string(p.Mode), OnIncomplete: p.PullRequest.OnIncomplete}
	if m.Subject.Kind == KindRelease {
		r.Policy.Gate, r.Policy.Publish, r.Policy.Summary = p.Releases.Gate, p.Releases.Publish, p.Releases.Summary
	}
	c, ok := checkFor(m.Subject.Kind)
	if !ok {
		r.Reasons = append(r.Reasons, Reason{RuleComplete, CodeNothingToVerify, fmt.Sprintf("there is no check for a subject of kind %q", m.Subject.Kind)})
		return r
	}
	j := &judgment{m: m, p: p, evidence: c.evidence(evidence), now: now, r: &r, unfinished: map[string]bool{}}
	for _, e := range j.evidence {
		r.Evidence = append(r.Evidence, summary(e))
	}
	c.judge(j)
	return r
}

func summary(e Evidence) EvidenceSummary {
	s := EvidenceSummary{Scanner: e.Scanner, Complete: e.Complete, Gaps: append([]Gap{}, e.Gaps...)}
	if !e.DataTime.IsZero() {
		t := e.DataTime.UTC().Truncate(time.Second)
		s.DataTime = &t
	}
	return s
}

// reason adds a reason of the verdict, once.
func (j *judgment) reason(rule, code, format string, args ...any) {
	r := Reason{Rule: rule, Code: code, Message: fmt.Sprintf(format, args...)}
	j.failed = j.failed || !r.Unknown()
	switch {
	case slices.Contains(j.r.Reasons, r):
	case len(j.r.Reasons) < maxReasons:
		j.r.Reasons = append(j.r.Reasons, r)
	default:
		j.dropped++
	}
}

// notice adds a remark that does not decide.
func (j *judgment) notice(rule, code, format string, args ...any) {
	j.r.Notices = append(j.r.Notices, Reason{Rule: rule, Code: code, Message: fmt.Sprintf(format, args...)})
}

// conclude sets the verdict from the reasons: Fail when one of them names a wrong thing,
// Unknown when one says that something could not be seen, Pass when there is none.
func (j *judgment) conclude() {
	if j.dropped > 0 {
		j.r.Reasons = append(j.r.Reasons, Reason{RuleComplete, CodeIncomplete, fmt.Sprintf("and %d more", j.dropped)})
	}
	switch {
	case j.failed:
		j.r.Verdict = Fail
	case len(j.r.Reasons) > 0:
		j.r.Verdict = Unknown
	default:
		j.r.Verdict = Pass
	}
}
