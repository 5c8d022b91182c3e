package output_test

import (
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/duties"
	"github.com/landwaiter/landwaiter/checks/output"
)

// dutiful judges a release of two pull requests by people with hostile names under the strict preset's
// duties, of which one was not approved.
func dutiful(t testing.TB, hostile string) checks.Report {
	p := policy(t, "releases: {assets: [{match: '*'}], duties: {protected_branch: block, pull_requests: block, approvals: block, separate: {level: warn}}}\n")
	who := func(id int64, login string) duties.Person { return duties.Person{ID: id, Login: login + hostile} }
	pull := duties.Pull{Number: 7, Author: who(1, "ann"), Head: "b", Check: duties.Check{Conclusion: "success"}}
	approved := pull
	approved.Number, approved.Reviews = 8, []duties.Review{{By: who(2, "bo"), Approved: true, Merged: true, Role: "write"}}
	m := &checks.Material{
		Subject: checks.Subject{Kind: checks.KindRelease, Repository: "acme/app", Ref: "refs/tags/v2.4.0", Commit: commit, ReleaseID: 1},
		Release: &checks.Release{ID: 1, Tag: "v2.4.0", TagRef: "refs/tags/v2.4.0", Commit: commit, DefaultBranch: "main", Duties: &duties.Facts{
			Head: commit, Since: duties.Start{Ref: "v2.3.0" + hostile, Commit: commit}, Branch: duties.Branch{Name: "main" + hostile}, Releaser: who(4, "dee"),
			Commits: []duties.Commit{{SHA: commit, Title: "quick fix" + hostile, Verified: true}, {SHA: commit, Pull: 7}, {SHA: commit, Pull: 8, Verified: true}},
			Pulls:   []duties.Pull{pull, approved},
		}},
	}
	return checks.Judge(m, p, nil, now)
}

// TestDutiesSection shows what came into a release, and why it fails.
func TestDutiesSection(t *testing.T) {
	t.Parallel()
	r := dutiful(t, "")
	run := output.ForCheck(r, output.Options{})
	if run.Conclusion != "failure" || run.Title != "Blocked: 1 commit came without a pull request" {
		t.Errorf("%s %q", run.Conclusion, run.Title)
	}
	for _, want := range []string{
		"### What came into it\n3 commits since `v2.3.0`, 1 without a pull request, 1 without a verified signature, on the protected branch `main`, released by `dee`.\n",
		"| 7 | `ann` | - | `success` | `not-approved`, `duties-not-separate` |\n| 8 | `ann` | `bo` | `success` | - |\n",
		"### Why\n- `release-pull-requests`: 1 commit came without a pull request: `ccccccc` (\"quick fix\")",
		"merged without the approval that counts: 7 (0 of 1)",
	} {
		if !strings.Contains(run.Summary, want) {
			t.Errorf("missing %q in\n%s", want, run.Summary)
		}
	}
	_, body := output.Issue(r, output.IssueOptions{})
	if !strings.Contains(body, "came without a pull request") {
		t.Errorf("the issue does not say why:\n%s", body)
	}
	if s := output.ForCheck(release(policy(t, ""), []string{"app"}), output.Options{}).Summary; strings.Contains(s, "What came") {
		t.Errorf("a section that nobody asked for:\n%s", s)
	}
}

// TestG16Duties: titles of commits and names are foreign text.
func TestG16Duties(t *testing.T) {
	t.Parallel()
	for _, hostile := range []string{"@octocat", "|x|", "`", "<img src=x>", "[a](https://evil.example)", "#1", "\n# head", "&#64;octocat"} {
		r := dutiful(t, hostile)
		judgeMarkdown(t, output.ForCheck(r, output.Options{}).Summary)
		_, body := output.Issue(r, output.IssueOptions{})
		judgeMarkdown(t, body)
	}
}
