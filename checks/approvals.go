package checks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/landwaiter/landwaiter/checks/approval"
	"github.com/landwaiter/landwaiter/checks/signers"
)

// asks reports whether release approvers are asked about a deviation, and finds out who
// approved. Local artifacts have no approvers: for them a deviation blocks.
func (j *judgment) asks() bool {
	if j.p.Releases.Memory.Signers != RuleAsk || j.m.Subject.Kind != KindRelease {
		return false
	}
	if j.r.Approvals == nil {
		j.r.Approvals = approval.Judge(j.m.Release.Approvals, j.p.Approvers, j.builders())
	}
	return true
}

// tellApproval gives the reason why a release with the deviation d waits, or the notice that
// approvers accepted it. The Finding of d is the newest one.
func (j *judgment) tellApproval(d *signers.Drift, summary string) {
	s, f := j.r.Approvals, &j.r.Findings[len(j.r.Findings)-1]
	if s.Met() {
		f.Level, d.Level = LevelAccepted, LevelAccepted
		f.Remediation = "Release approvers accepted it."
		j.notice(RuleSignerDrift, CodeSignerDrift, "%s; approved by %s", summary, approvers(s))
		return
	}
	d.Level = LevelBlock
	f.Remediation = "If nobody meant this, do not use the release and find out who signed it. If it is meant, " + askText(s, j.m.Release.Tag) + "."
	j.reason(RuleSignerDrift, CodeApproval, "%s; if it is meant, %s", summary, askText(s, j.m.Release.Tag))
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

// approvers names those whose approval counts.
func approvers(s *approval.Summary) string {
	var names []string
	for _, v := range s.Votes {
		if v.Void == "" && !slices.Contains(names, v.Login) {
			names = append(names, v.Login)
		}
	}
	return strings.Join(names, ", ")
}
