package output_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/approval"
	"github.com/landwaiter/landwaiter/checks/output"
)

// waiting is a release that waits for two approvers, with the votes of some.
func waiting(t *testing.T, tag string, votes ...approval.Vote) checks.Report {
	t.Helper()
	r := drifted(t, "", unchanged)
	r.Subject.Ref = "refs/tags/" + tag
	r.Reasons[0].Code = checks.CodeApproval
	r.Memory.Drift[0].Level = checks.LevelBlock
	r.Approvals = &approval.Summary{
		Revision: "sha256:0123456789abcdef0123", Needed: 2, Asked: []string{"@acme/release", "@kim"}, Votes: votes,
	}
	for _, v := range votes {
		if v.Void == "" {
			r.Approvals.Counted++
		}
	}
	if r.Approvals.Met() {
		r.Verdict, r.Reasons, r.Memory.Drift[0].Level = checks.Pass, nil, checks.LevelAccepted
	}
	return r
}

func vote(id int64, login, reason, void string) approval.Vote {
	return approval.Vote{ID: id, Login: login, Comment: id, Reason: reason, Time: now, Revision: "sha256:0123456789abcdef0123", Void: void}
}

func TestApproval(t *testing.T) {
	t.Parallel()
	r := waiting(t, "v2.4.0", vote(2, "bo", "moved to other.yml", ""), vote(3, "cy", "fine", "its comment was edited"))
	run := output.ForCheck(r, output.Options{})
	title, body := output.Issue(r, output.IssueOptions{Key: "k", State: "s"})
	if run.Title != "Blocked: waits for approval (1 of 2)" || title != "Release v2.4.0: waits for approval (1 of 2)" || run.Conclusion != "failure" {
		t.Errorf("titles %q, %q, %s", run.Title, title, run.Conclusion)
	}
	for name, text := range map[string]string{"summary": run.Summary, "issue": body} {
		for _, part := range []string{
			"1 of 2 approvals by `@acme/release, @kim`", "(revision `0123456789ab`)",
			"- `bo`, 23 Nov 2026 09:30 UTC: `moved to other.yml` (counts)", "- `cy`, 23 Nov 2026 09:30 UTC: `fine` (does not count: its comment was edited)",
			"```\n/landwaiter release approve v2.4.0 because REASON\n```", "| Signer | `.github/workflows/release.yml` | `.github/workflows/other.yml` |",
		} {
			if !strings.Contains(text, part) {
				t.Errorf("%s lacks\n%s\n%s", name, part, text)
			}
		}
		if strings.Contains(text, "exceptions:") {
			t.Errorf("%s offers an exception where people are asked:\n%s", name, text)
		}
		judgeMarkdown(t, text)
	}
	if !strings.Contains(body, "this issue closes when it passes") || strings.Contains(body, "publish the release again") {
		t.Errorf("the issue says what does not help:\n%s", body)
	}
}

func TestApprovalGiven(t *testing.T) {
	t.Parallel()
	r := waiting(t, "v2.4.0", vote(2, "ann", "x", ""), vote(3, "bo", "y", ""))
	run := output.ForCheck(r, output.Options{})
	if run.Title != "Published with override by @ann and @bo" || !strings.Contains(run.Summary, "Release approvers accepted it.") || strings.Contains(run.Summary, "because REASON") {
		t.Errorf("%q\n%s", run.Title, run.Summary)
	}
	if got := output.ApprovedBy(r); got != ", approved by `ann` and `bo`" {
		t.Errorf("approved by %q", got)
	}
	r.Subject.Draft = true
	if run := output.ForCheck(r, output.Options{}); run.Title != "Release v2.4.0 verified" {
		t.Errorf("a draft is not published: %q", run.Title)
	}
}

// TestG16ApprovalIsEscaped: reasons, logins and tags are text of others.
func TestG16ApprovalIsEscaped(t *testing.T) {
	t.Parallel()
	hostile := "`]|\n![x](https://evil.example) @everyone <img src=x>"
	for _, tag := range []string{"v1`\n```\n@everyone", "v1 because x", "-v1", ""} {
		r := waiting(t, tag, vote(2, hostile, hostile, hostile))
		r.Approvals.Problem, r.Approvals.Asked = hostile, []string{hostile}
		_, body := output.Issue(r, output.IssueOptions{Key: "k", State: "s"})
		for _, text := range []string{output.ForCheck(r, output.Options{}).Summary, body} {
			judgeMarkdown(t, text)
			if strings.Contains(text, "because REASON") || !strings.Contains(text, "no command can name this one") {
				t.Errorf("tag %q in a command:\n%s", tag, text)
			}
		}
	}
	many := make([]approval.Vote, 100)
	for i := range many {
		many[i] = vote(int64(i), "bo", "x", "one person counts once")
	}
	if s := output.ForCheck(waiting(t, "v2", many...), output.Options{}).Summary; !strings.Contains(s, "- and 80 more") {
		t.Errorf("100 votes are not cut:\n%s", s)
	}
}

func TestApprovalMeetsTheSchema(t *testing.T) {
	t.Parallel()
	r := waiting(t, "v2.4.0", vote(2, "bo", "x", ""), vote(3, "cy", "x", "void"))
	r.Approvals.Excluded, r.Approvals.Problem = []int64{4}, "nobody knows"
	var b bytes.Buffer
	if err := output.JSON(&b, r); err != nil {
		t.Fatal(err)
	}
	schema, err := jsonschema.NewCompiler().Compile("../../docs/report.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(v); err != nil || !strings.Contains(b.String(), `"approvals"`) {
		t.Errorf("%v\n%s", err, b.String())
	}
}
