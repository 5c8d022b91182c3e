package app

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/checks"
)

const createIssueRoute = "POST /repos/{owner}/{repo}/issues"

func TestIssueFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		fault githubtest.Fault
	}{
		{"lost before acting", githubtest.Fault{Route: createIssueRoute, Kind: githubtest.Nothing}},
		{"opened, answer lost", githubtest.Fault{Route: createIssueRoute, Kind: githubtest.Nothing, When: githubtest.AfterActing}},
		{"opened, answer cut", githubtest.Fault{Route: createIssueRoute, Kind: githubtest.CutBody, When: githubtest.AfterActing}},
		{"opened, answered 500", githubtest.Fault{Route: createIssueRoute, Status: 500, When: githubtest.AfterActing}},
		{"label made, answer lost", githubtest.Fault{Route: "POST /repos/{owner}/{repo}/labels", Kind: githubtest.Nothing, When: githubtest.AfterActing}},
		{"list out of order", githubtest.Fault{Route: "GET /repos/{owner}/{repo}/issues", Status: 502}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, play{})
			s.Fail(test.fault)
			rel := s.forged()
			s.retry()
			if n := len(s.repo.Issues()); n != 1 {
				t.Errorf("%d issues, want exactly 1", n)
			}
			if known, err := s.app.issueKnown(t.Context(), s.key(rel)); err != nil || known.RemoteID == 0 {
				t.Errorf("stored number %d, %v, want the issue's", known.RemoteID, err)
			}
		})
	}
}

func TestIssueOwners(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		policy     string // added to the policy
		codeowners string
		assignees  []string
		says       string
	}{
		{"CODEOWNERS", "", "* @ann\n", []string{"ann"}, "@ann, from CODEOWNERS `*`"},
		{"the rule for workflows", "", "* @ann\n/.github/ @root\n", []string{"root"}, "@root, from CODEOWNERS `/.github/`"},
		{"a team is mentioned", "", "* @acme/release\n", nil, "@acme/release, from CODEOWNERS"},
		{"policy before CODEOWNERS", "owners: [{paths: [\".github/**\"], user: root}]\n", "* @ann\n", []string{"root"}, "@root, from the policy"},
		{"administrators when nobody is named", "", "/src/ @ann\n", []string{"root"}, "@root, as administrator"},
		{"somebody who left", "", "* @gone\n", nil, "@gone, from CODEOWNERS"},
		{"a mail address", "", "* ann@example.com\n", nil, "**Due**"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, play{policy: reactivePolicy + test.policy, codeowners: test.codeowners})
			s.forged()
			issues := s.repo.Issues()
			if len(issues) != 1 {
				t.Fatalf("%d issues, want 1", len(issues))
			}
			if d := cmp.Diff(test.assignees, issues[0].Assignees); d != "" {
				t.Errorf("assignees (-want +got):\n%s", d)
			}
			if !strings.Contains(issues[0].Body, test.says) {
				t.Errorf("issue lacks %q:\n%s", test.says, issues[0].Body)
			}
		})
	}
}

func TestIssueWhoseAssigneeGitHubRefuses(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{})
	s.Fail(githubtest.Fault{Route: createIssueRoute, Status: 422, Body: `{"message":"Validation Failed","documentation_url":"https://docs.github.com"}`})
	s.forged()
	if issues := s.repo.Issues(); len(issues) != 1 || len(issues[0].Assignees) != 0 || !strings.Contains(issues[0].Body, "@ann") {
		t.Errorf("issues %+v, want one without an assignee that mentions @ann", issues)
	}
}

func TestIssuesNotToBeHad(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(s *stage)
		reason string
	}{
		{"disabled", func(s *stage) { s.repo.SetIssues(false) }, "issues are disabled"},
		{"not permitted", func(s *stage) { s.inst.Grant("issues", "") }, "issues: write"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, play{})
			test.change(s)
			rel := s.forged()
			if run := s.check(); run.Conclusion != "failure" || !rel.Draft() {
				t.Errorf("check %s, draft %v: want the rest to happen", run.Conclusion, rel.Draft())
			}
			known, err := s.app.issueKnown(t.Context(), s.key(rel))
			if err != nil || !strings.Contains(known.State, test.reason) {
				t.Errorf("stored %q, %v, want the reason %q", known.State, err, test.reason)
			}
			if buried, err := s.store.Buried(t.Context(), 10); err != nil || len(buried) != 0 {
				t.Errorf("buried jobs %+v, %v, want none", buried, err)
			}
		})
	}
}

// cure replaces the bundle by the right one and publishes the release again.
func (s *stage) cure(rel *githubtest.Release) {
	s.t.Helper()
	rel.ReplaceAsset("app.tar.gz.sigstore.json", s.provenance("acme/shop", "v1.0.0", "app.tar.gz", tarball))
	rel.Publish()
	s.settle()
	s.advance(time.Minute)
}

func TestIssueClosesWhenTheReleasePasses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		fault githubtest.Fault
	}{
		{"no fault", githubtest.Fault{Route: "none"}},
		{"comment posted, answer lost", githubtest.Fault{
			Route: "POST /repos/{owner}/{repo}/issues/{issue_number}/comments", Kind: githubtest.Nothing, When: githubtest.AfterActing}},
		{"closed, answer lost", githubtest.Fault{
			Route: "PATCH /repos/{owner}/{repo}/issues/{issue_number}", Kind: githubtest.Nothing, When: githubtest.AfterActing}},
		{"not closed", githubtest.Fault{Route: "PATCH /repos/{owner}/{repo}/issues/{issue_number}", Status: 500}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, play{})
			rel := s.forged()
			s.Fail(test.fault)
			s.cure(rel)
			s.retry()
			issue := s.repo.Issues()[0]
			if issue.State != "closed" || issue.StateReason != "completed" || len(issue.Comments) != 1 {
				t.Fatalf("issue %s (%s) with %d comments, want closed as completed with one", issue.State, issue.StateReason, len(issue.Comments))
			}
			if !strings.Contains(issue.Comments[0].Body, s.head) {
				t.Errorf("comment %q, want the commit %s", issue.Comments[0].Body, s.head)
			}
			if rel.Draft() {
				t.Error("the cured release is a draft")
			}
		})
	}
}

func TestIssueOpensAgainAfterItWasCured(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{})
	rel := s.forged()
	s.cure(rel)
	rel.ReplaceAsset("app.tar.gz", []byte("worse\n"))
	rel.Edit("another text")
	s.settle()
	s.advance(time.Minute)
	issues := s.repo.Issues()
	if len(issues) != 1 || issues[0].State != "open" || !rel.Draft() {
		t.Errorf("%d issues, the first %s, draft %v: want the same issue open again", len(issues), issues[0].State, rel.Draft())
	}
}

func TestIssueThatAPersonClosedStaysClosed(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{})
	rel := s.forged()
	s.repo.CloseIssue(s.repo.Issues()[0].Number, "ann", "not_planned")
	rel.Publish()
	s.settle()
	if issues := s.repo.Issues(); len(issues) != 1 || issues[0].State != "closed" {
		t.Errorf("issues %+v, want the one to stay closed", issues)
	}
}

func TestIssueIsWrittenOnceForOneFact(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{})
	rel := s.forged()
	before := s.repo.Issues()[0]
	s.ForgetCalls()
	rel.Publish()
	s.settle()
	if d := cmp.Diff(before.Body, s.repo.Issues()[0].Body); d != "" {
		t.Errorf("body (-before +after):\n%s", d)
	}
	if n := len(s.CallsTo("PATCH /repos/{owner}/{repo}/issues/{issue_number}")); n != 0 {
		t.Errorf("%d updates of the issue although nothing changed", n)
	}
}

func TestIssueOfSomebodyElseWithOurMark(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{})
	rel := s.release([]byte("other bytes\n"))
	s.repo.OpenIssue("mallory", "Nothing to see", "<!-- landwaiter:finding v=1 key="+s.key(rel)+" state=00 -->", "landwaiter")
	s.settle()
	s.advance(time.Minute)
	if issues := s.repo.Issues(); len(issues) != 2 || issues[1].Author == "mallory" {
		t.Errorf("issues %+v, want one of our own beside the forged one", issues)
	}
}

func TestIssueClosesWhenTheReleaseIsDeleted(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{})
	rel := s.forged()
	rel.Delete()
	s.settle()
	issue := s.repo.Issues()[0]
	if issue.State != "closed" || issue.StateReason != "not_planned" || len(issue.Comments) != 1 {
		t.Errorf("issue %s (%s) with %d comments, want closed as not planned with one", issue.State, issue.StateReason, len(issue.Comments))
	}
	if run := s.check(); run.Conclusion != "failure" {
		t.Errorf("check = %s, want the verdict to stay", run.Conclusion)
	}
}

func TestReleaseSeverity(t *testing.T) {
	t.Parallel()
	for state, want := range map[checks.AssetState]checks.Severity{
		checks.AssetInvalid: checks.SeverityCritical, checks.AssetWrongSigner: checks.SeverityCritical,
		checks.AssetUnsigned: checks.SeverityHigh, checks.AssetUnknown: checks.SeverityHigh,
	} {
		if got := releaseSeverity(checks.Report{Assets: []checks.AssetReport{{State: state}}}); got != want {
			t.Errorf("severity of %s = %s, want %s", state, got, want)
		}
	}
}
