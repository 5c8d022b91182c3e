package checks_test

import (
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/approval"
	"github.com/landwaiter/landwaiter/checks/duties"
)

const revised = "sha256:aaaa"

// asking is a release that another workflow signed than before, whose policy asks two of
// @acme/release, and that bo and cy approved.
func asking(t *testing.T) *relCase {
	t.Helper()
	c := remembered(t)
	everywhere(c, "https://github.com/acme/app/.github/workflows/other.yml@refs/tags/v1.2.0")
	c.policy.Releases.Memory.Signers = checks.RuleAsk
	c.policy.Approvers = checks.ApproverRules{Teams: []string{"acme/release"}, Count: 2}
	c.release().Approvals = &approval.Facts{Revision: revised, Releaser: duties.Person{ID: 4, Login: "dee"}, Votes: []approval.Vote{
		{ID: 2, Login: "bo", Comment: 12, Reason: "moved", Revision: revised}, {ID: 3, Login: "cy", Comment: 13, Reason: "moved", Revision: revised},
	}}
	c.release().Runs = map[string]checks.BuildRun{runURL: {
		RepositoryID: c.material.Subject.RepositoryID, Commit: c.release().Commit, Workflow: ".github/workflows/other.yml", Attempt: 1,
		Status: "completed", Conclusion: "success", Actors: []duties.Person{{ID: 5, Login: "eli"}},
	}}
	shown := c.judge().Approvals.Revision
	for i := range c.release().Approvals.Votes {
		c.release().Approvals.Votes[i].Revision = shown
	}
	return c
}

// TestSignerDriftAsks changes one thing of a release that approvers let through.
func TestSignerDriftAsks(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		change  func(*relCase)
		verdict checks.Verdict
		code    string // of the first reason
		level   string
	}{
		{"baseline", func(*relCase) {}, checks.Pass, "", checks.LevelAccepted},
		{"one of two", func(c *relCase) { c.release().Approvals.Votes = c.release().Approvals.Votes[:1] }, checks.Fail, checks.CodeApproval, checks.LevelBlock},
		{"nobody looked", func(c *relCase) { c.release().Approvals = nil }, checks.Fail, checks.CodeApproval, checks.LevelBlock},
		{"for other assets", func(c *relCase) { c.release().Approvals.Revision = "sha256:bbbb" }, checks.Fail, checks.CodeApproval, checks.LevelBlock},
		{"G24 signed in yet another way since", func(c *relCase) {
			everywhere(c, "https://github.com/acme/app/.github/workflows/third.yml@refs/tags/v1.2.0")
			run := c.release().Runs[runURL]
			run.Workflow = ".github/workflows/third.yml"
			c.release().Runs[runURL] = run
		}, checks.Fail, checks.CodeApproval, checks.LevelBlock},
		{"policy blocks, whoever approved", func(c *relCase) { c.policy.Releases.Memory.Signers = checks.RuleBlock }, checks.Fail, checks.CodeSignerDrift, checks.LevelBlock},
		{"A01 by who built it", func(c *relCase) { c.release().Approvals.Votes[1].ID = 5 }, checks.Fail, checks.CodeApproval, checks.LevelBlock},
		{"nobody knows who built it", func(c *relCase) { c.release().RunsUnknown = "no permission" }, checks.Fail, checks.CodeApproval, checks.LevelBlock},
		{"something else is wrong", func(c *relCase) { c.attestation().Certificate.Commit = strings.Repeat("d", 40) }, checks.Fail, checks.CodeCommitMismatch, ""},
		{"a local artifact has no approvers", func(c *relCase) { c.material.Subject.Kind = checks.KindArtifact }, checks.Fail, checks.CodeSignerDrift, checks.LevelBlock},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := asking(t)
			test.change(c)
			r := c.judge()
			code, level := "", ""
			if len(r.Reasons) > 0 {
				code = r.Reasons[0].Code
			}
			if len(r.Findings) > 0 {
				level = r.Findings[0].Level
			}
			if r.Verdict != test.verdict || code != test.code || level != test.level {
				t.Errorf("got %v, %q, level %q, want %v, %q, %q: %v", r.Verdict, code, level, test.verdict, test.code, test.level, r.Reasons)
			}
			if test.code == checks.CodeApproval && (!r.WaitsForApproval() || !strings.Contains(r.Reasons[0].Message, "/landwaiter release approve v1.2.0 because REASON")) {
				t.Errorf("reason %q does not say what to write", r.Reasons[0].Message)
			}
			if taught := r.Memory != nil && r.Memory.Teaches != nil; taught != (test.verdict == checks.Pass) || r.Overridden() != taught {
				t.Errorf("taught %v, overridden %v at %v", taught, r.Overridden(), r.Verdict)
			}
		})
	}
}

// TestPublishedByApprovers: where people publish, nothing goes out without them.
func TestPublishedByApprovers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		change  func(*relCase)
		verdict checks.Verdict
		waits   bool
	}{
		{"approved", func(*relCase) {}, checks.Pass, false},
		{"not approved", func(c *relCase) { c.release().Approvals.Votes = nil }, checks.Fail, true},
		{"not approved, and wrong", func(c *relCase) {
			c.release().Approvals.Votes = nil
			c.attestation().Certificate.Commit = strings.Repeat("d", 40)
		}, checks.Fail, false},
		{"people publish on GitHub", func(c *relCase) { c.release().Approvals, c.policy.Approvers = nil, checks.ApproverRules{} }, checks.Pass, false},
		{"nobody is asked", func(c *relCase) { c.release().Approvals, c.policy.Releases.Publish = nil, checks.PublishAuto }, checks.Pass, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := asking(t)
			c.release().Memory, c.policy.Releases.Memory = nil, checks.MemoryRules{}
			for i := range c.release().Approvals.Votes {
				c.release().Approvals.Votes[i].Revision = revised
			}
			c.policy.Releases.Gate, c.policy.Releases.Publish = checks.GateDraft, checks.PublishManual
			test.change(c)
			r := c.judge()
			if r.Verdict != test.verdict || r.WaitsForApproval() != test.waits || r.Overridden() {
				t.Errorf("got %v, waits %v, overridden %v: %v", r.Verdict, r.WaitsForApproval(), r.Overridden(), r.Reasons)
			}
		})
	}
}
