package checks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/landwaiter/landwaiter/checks/approval"
	"github.com/landwaiter/landwaiter/checks/signers"
)

// AsksApprovers reports whether a release may have to wait for release approvers under p:
// because it is signed in another way than before, or because they publish what passes.
func (p *Policy) AsksApprovers() bool {
	return p.Approvers.Named() && (p.Releases.Memory.Signers == RuleAsk || p.Releases.Publish == PublishManual)
}

// approvals finds out who approved the release, once.
func (j *judgment) approvals() *approval.Summary {
	if j.r.Approvals == nil {
		var about []string
		if j.r.Memory != nil {
			for _, d := range j.r.Memory.Drift {
				about = append(about, d.Subject)
			}
		}
		j.r.Approvals = approval.Judge(j.m.Release.Approvals, about, j.p.Approvers, j.builders())
	}
	return j.r.Approvals
}

// asks reports whether release approvers are asked about a deviation. Local artifacts have no
// approvers: for them a deviation blocks.
func (j *judgment) asks() bool {
	return j.p.Releases.Memory.Signers == RuleAsk && j.m.Subject.Kind == KindRelease
}

// tellApproval gives the reason why a release with the deviation d waits, or the notice that
// approvers accepted it. The Finding of d is the newest one.
func (j *judgment) tellApproval(d *signers.Drift, summary string) {
	s, f := j.approvals(), &j.r.Findings[len(j.r.Findings)-1]
	if s.Met() {
		f.Level, d.Level = LevelAccepted, LevelAccepted
		f.Remediation = "Release approvers accepted it."
		j.notice(RuleSignerDrift, CodeSignerDrift, "%s; approved by %s", summary, strings.Join(s.Approvers(), ", "))
		return
	}
	d.Level = LevelBlock
	f.Remediation = "If nobody meant this, do not use the release and find out who signed it. If it is meant, " + askText(s, j.m.Release.Tag) + "."
	j.reason(RuleSignerDrift, CodeApproval, "%s; if it is meant, %s", summary, askText(s, j.m.Release.Tag))
}

// askToPublish gives the reason why a release waits that nothing else holds back, where the
// policy has release approvers publish what passes.
func (j *judgment) askToPublish() {
	if j.p.Releases.Publish != PublishManual || !j.p.Approvers.Named() || j.m.Subject.Kind != KindRelease || len(j.r.Reasons) > 0 {
		return
	}
	s := j.approvals()
	if s.Met() {
		j.notice(RuleApproval, CodeApproval, "approved by %s", strings.Join(s.Approvers(), ", "))
		return
	}
	j.reason(RuleApproval, CodeApproval, "nothing is wrong with the release, and it waits for release approvers: %s", askText(s, j.m.Release.Tag))
}

// askText says who is asked, what to write, and how many approved so far.
func askText(s *approval.Summary, tag string) string {
	text := fmt.Sprintf("%d of %s approve it by a comment in its issue: %s (%d so far)",
		s.Needed, strings.Join(s.Asked, ", "), ApproveCommand(tag), s.Counted)
	if s.Problem != "" {
		text += "; no approval counts now: " + s.Problem
	}
	return text
}

// ApproveCommand is the comment that approves the release with a tag.
func ApproveCommand(tag string) string {
	return "/landwaiter release approve " + tag + " because REASON"
}

// WaitsForApproval reports whether release approvers are all that the release waits for.
func (r *Report) WaitsForApproval() bool {
	return r.Approvals != nil && len(r.Reasons) > 0 && !slices.ContainsFunc(r.Reasons, func(x Reason) bool { return x.Code != CodeApproval })
}

// Overridden reports whether release approvers let the release pass although it is signed in
// another way than before.
func (r *Report) Overridden() bool {
	return r.Approvals.Met() && r.Memory != nil && slices.ContainsFunc(r.Memory.Drift, func(d signers.Drift) bool {
		return d.Level == LevelAccepted && d.Exception == ""
	})
}
