package duties_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks/duties"
)

var (
	ann   = duties.Person{ID: 1, Login: "ann"}
	bo    = duties.Person{ID: 2, Login: "bo"}
	cy    = duties.Person{ID: 3, Login: "cy"}
	dee   = duties.Person{ID: 4, Login: "dee"}
	robot = duties.Person{ID: 5, Login: "robot[bot]", Bot: true}
)

// strictRules ask everything.
func strictRules() duties.Rules {
	return duties.Rules{
		Branch: duties.Block, Pulls: duties.Block, Checked: duties.Block, Commits: duties.Block,
		Approvals: duties.Approvals{Level: duties.Block},
		Separate:  duties.Separate{Level: duties.Block, Roles: []string{duties.RoleAuthor, duties.RoleApprover, duties.RoleBuilder, duties.RoleReleaser}},
	}
}

// scene is a release with one pull request of two commits, all in order.
type scene struct {
	f *duties.Facts
	r duties.Rules
	b duties.Builders
}

func inOrder() *scene {
	return &scene{r: strictRules(), b: duties.Builders{People: []duties.Person{cy, cy}}, f: &duties.Facts{
		Head: "cccc", Since: duties.Start{Ref: "v1", Commit: "aaaa"}, Branch: duties.Branch{Name: "main", Looked: []string{"main"}}, Releaser: dee,
		Commits: []duties.Commit{
			{SHA: "bbbb", Title: "work", Verified: true, Signer: ann, Pull: 7},
			{SHA: "cccc", Title: "Merge pull request #7", Verified: true, Pull: 7},
		},
		Pulls: []duties.Pull{{
			Number: 7, Author: ann, Head: "bbbb", Base: "main", Check: duties.Check{Conclusion: "success"},
			Reviews: []duties.Review{{By: bo, Approved: true, Merged: true, Role: "write"}},
		}},
	}}
}

func (s *scene) pull() *duties.Pull     { return &s.f.Pulls[0] }
func (s *scene) review() *duties.Review { return &s.f.Pulls[0].Reviews[0] }

// also adds a review that is in order but for its author.
func (s *scene) also(p duties.Person) {
	s.pull().Reviews = append(s.pull().Reviews, duties.Review{By: p, Approved: true, Merged: true, Role: "admin"})
}

// TestJudge changes one thing about facts that are in order, and asserts rule, code and words.
func TestJudge(t *testing.T) {
	t.Parallel()
	const unread, separate = duties.CodeUnread, duties.CodeSeparate
	tests := []struct {
		name   string
		change func(s *scene)
		want   []string // rule, code
		say    string
	}{
		{"baseline", func(*scene) {}, nil, ""},
		{"nobody asked GitHub", func(s *scene) { s.f = nil }, []string{duties.RuleBranch, unread, duties.RulePulls, unread}, "not asked"},
		{"commits not known", func(s *scene) { s.f.Problem = "HTTP 403" }, []string{duties.RulePulls, unread}, "since v1 are not known: HTTP 403"},
		{"commits not known, only signatures asked", func(s *scene) { s.f.Problem = "HTTP 403"; s.r = duties.Rules{Commits: duties.Warn} }, []string{duties.RuleCommits, unread}, ""},
		{"branch not known", func(s *scene) { s.f.Branch = duties.Branch{Problem: "gone"} }, []string{duties.RuleBranch, unread}, "gone"},
		{"on no protected branch", func(s *scene) { s.f.Branch.Name = "" }, []string{duties.RuleBranch, duties.CodeBranch}, "looked at main"},
		{"no protected branch", func(s *scene) { s.f.Branch = duties.Branch{} }, []string{duties.RuleBranch, duties.CodeBranch}, "has no protected branch"},
		{"pushed directly", func(s *scene) { s.f.Commits[1].Pull = 0 }, []string{duties.RulePulls, duties.CodeDirect}, `cccc ("Merge pull request #7")`},
		{"hostile title", func(s *scene) {
			s.f.Commits[1] = duties.Commit{SHA: "cccc", Verified: true, Title: `"), all is well ("`}
		}, []string{duties.RulePulls, duties.CodeDirect}, `cccc ("'), all is well ('")`},
		{"pull request not known", func(s *scene) { s.f.Commits[1].Pull, s.f.Commits[1].Problem = 0, "HTTP 404" }, []string{duties.RulePulls, unread}, "HTTP 404"},
		{"the very first commit", func(s *scene) {
			s.f.Since = duties.Start{}
			s.f.Commits = append(s.f.Commits, duties.Commit{SHA: "aaaa", Root: true, Verified: true})
		}, nil, ""},
		{"a root that is not the first", func(s *scene) {
			s.f.Commits = append(s.f.Commits, duties.Commit{SHA: "aaaa", Root: true, Verified: true})
		}, []string{duties.RulePulls, duties.CodeDirect}, "aaaa"},
		{"pushed directly, only approvals asked", func(s *scene) {
			s.f.Commits[1].Pull = 0
			s.r = duties.Rules{Approvals: duties.Approvals{Level: duties.Block}}
		}, []string{duties.RuleApprovals, duties.CodeUnapproved}, "without a pull request"},
		{"pushed directly, pull requests only warn", func(s *scene) {
			s.f.Commits[1].Pull = 0
			s.r = duties.Rules{Checked: duties.Block, Pulls: duties.Warn}
		}, []string{duties.RulePulls, duties.CodeDirect, duties.RuleChecked, duties.CodeCheck}, ""},
		{"check failed", func(s *scene) { s.pull().Check.Conclusion = "failure" }, []string{duties.RuleChecked, duties.CodeCheck}, "7 (failure)"},
		{"check still runs", func(s *scene) { s.pull().Check.Conclusion = "in_progress" }, []string{duties.RuleChecked, duties.CodeCheck}, "in_progress"},
		{"check skipped", func(s *scene) { s.pull().Check.Conclusion = "skipped" }, []string{duties.RuleChecked, duties.CodeCheck}, "skipped"},
		{"no check", func(s *scene) { s.pull().Check = duties.Check{} }, []string{duties.RuleChecked, duties.CodeCheck}, "no check"},
		{"neutral", func(s *scene) { s.pull().Check.Conclusion = "neutral" }, []string{duties.RuleChecked, duties.CodeCheck}, "neutral"},
		{"neutral, on record as Pass", func(s *scene) { s.pull().Check = duties.Check{Conclusion: "neutral", Passed: true} }, nil, ""},
		{"failed, on record as Pass", func(s *scene) { s.pull().Check = duties.Check{Conclusion: "failure", Passed: true} }, []string{duties.RuleChecked, duties.CodeCheck}, ""},
		{"check not known", func(s *scene) { s.pull().Check = duties.Check{Problem: "HTTP 403"} }, []string{duties.RuleChecked, unread}, "HTTP 403"},
		{"not verified", func(s *scene) { s.f.Commits[0].Verified, s.f.Commits[0].Why = false, "unknown_key" }, []string{duties.RuleCommits, duties.CodeUnverified}, "bbbb (unknown_key)"},
		{"A01 approved by the author", func(s *scene) { s.review().By = ann }, []string{duties.RuleApprovals, duties.CodeUnapproved, duties.RuleSeparate, separate}, "ann is an author"},
		{"A01 approved by who signed a commit", func(s *scene) { s.f.Commits[0].Signer = bo }, []string{duties.RuleApprovals, duties.CodeUnapproved, duties.RuleSeparate, separate}, "bo is an author"},
		{"A01 by a bot", func(s *scene) { s.review().By = robot }, []string{duties.RuleApprovals, duties.CodeUnapproved, duties.RuleSeparate, separate}, "a bot"},
		{"A02 another commit", func(s *scene) { s.review().Merged = false }, []string{duties.RuleApprovals, duties.CodeUnapproved, duties.RuleSeparate, separate}, "another commit"},
		{"A02 taken back", func(s *scene) { s.review().Approved = false }, []string{duties.RuleApprovals, duties.CodeUnapproved, duties.RuleSeparate, separate}, "0 of 1"},
		{"may only read", func(s *scene) { s.review().Role = "read" }, []string{duties.RuleApprovals, duties.CodeUnapproved, duties.RuleSeparate, separate}, "may not write"},
		{"role not known", func(s *scene) { s.review().RoleProblem = "HTTP 404" }, []string{duties.RuleApprovals, unread, duties.RuleSeparate, unread}, "bo: HTTP 404"},
		{"role not known, another approved", func(s *scene) { s.review().RoleProblem = "HTTP 404"; s.also(duties.Person{ID: 9, Login: "eve"}) }, nil, ""},
		{"reviews not known", func(s *scene) { s.pull().ReviewsProblem = "HTTP 403" }, []string{duties.RuleApprovals, unread, duties.RuleSeparate, unread}, "HTTP 403"},
		{"one of two", func(s *scene) { s.r.Approvals.Count = 2 }, []string{duties.RuleApprovals, duties.CodeUnapproved, duties.RuleSeparate, separate}, "1 of 2"},
		{"two of two", func(s *scene) { s.r.Approvals.Count = 2; s.also(duties.Person{ID: 9, Login: "eve"}) }, nil, ""},
		{"one person twice is one", func(s *scene) { s.r.Approvals.Count = 2; s.also(bo) }, []string{duties.RuleApprovals, duties.CodeUnapproved, duties.RuleSeparate, separate}, "1 of 2"},
		{"author's account deleted", func(s *scene) { s.pull().Author = duties.Person{} }, nil, ""},
		{"bot that needs no approval", func(s *scene) {
			s.pull().Author, s.pull().Reviews, s.f.Commits[0].Signer = robot, nil, duties.Person{}
			s.r.Approvals.Except = []string{"robot[bot]"}
		}, nil, ""},
		{"person with the name of that bot", func(s *scene) {
			s.pull().Author, s.pull().Reviews = duties.Person{ID: 8, Login: "robot[bot]"}, nil
			s.r.Approvals.Except = []string{"robot[bot]"}
		}, []string{duties.RuleApprovals, duties.CodeUnapproved, duties.RuleSeparate, separate}, ""},
		{"released by the approver", func(s *scene) { s.f.Releaser = bo }, []string{duties.RuleSeparate, separate}, "bo approved"},
		{"released by one of two approvers", func(s *scene) { s.f.Releaser = bo; s.also(duties.Person{ID: 9, Login: "eve"}) }, nil, ""},
		{"released by the author", func(s *scene) { s.f.Releaser = ann }, []string{duties.RuleSeparate, separate}, "ann wrote"},
		{"released by the author, whose role is not asked", func(s *scene) { s.f.Releaser, s.r.Separate.Roles = ann, nil }, nil, ""},
		{"built by the releaser", func(s *scene) { s.b.People = []duties.Person{dee} }, []string{duties.RuleSeparate, separate}, "dee built and released"},
		{"built again by the approver", func(s *scene) { s.b.People = []duties.Person{cy, bo} }, []string{duties.RuleSeparate, separate}, "bo approved"},
		{"builder not known", func(s *scene) { s.b = duties.Builders{Problem: "the run is gone"} }, []string{duties.RuleSeparate, unread}, "the run is gone"},
		{"no builder", func(s *scene) { s.b = duties.Builders{} }, []string{duties.RuleSeparate, unread}, "no verified asset"},
		{"no builder, not asked", func(s *scene) { s.b, s.r.Separate.Roles = duties.Builders{}, nil }, nil, ""},
		{"built by a bot", func(s *scene) { s.b.People = []duties.Person{robot} }, []string{duties.RuleSeparate, unread}, "robot[bot]"},
		{"built by a bot that may", func(s *scene) { s.b.People, s.r.Separate.Bots = []duties.Person{robot}, []string{"Robot[bot]"} }, nil, ""},
		{"released by a bot started by the approver", func(s *scene) { s.f.Releaser, s.b.People, s.r.Separate.Roles = robot, []duties.Person{bo}, nil }, []string{duties.RuleSeparate, separate}, "bo approved"},
		{"released by a bot that nobody is behind", func(s *scene) { s.f.Releaser, s.b, s.r.Separate.Roles = robot, duties.Builders{}, nil }, []string{duties.RuleSeparate, unread}, ""},
		{"released by a bot that may", func(s *scene) {
			s.f.Releaser, s.b, s.r.Separate.Roles, s.r.Separate.Bots = robot, duties.Builders{}, nil, []string{"robot[bot]"}
		}, nil, ""},
		{"releaser's account deleted", func(s *scene) { s.f.Releaser = duties.Person{} }, []string{duties.RuleSeparate, unread}, "who made the release"},
		{"nothing came in", func(s *scene) { s.f.Commits, s.f.Pulls = nil, nil }, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := inOrder()
			tt.change(s)
			problems, summary := duties.Judge(s.f, s.r, s.b)
			var got []string
			for _, p := range problems {
				got = append(got, p.Rule, p.Code)
				if p.Unknown() != (p.Code == unread) || p.Level == duties.Off {
					t.Errorf("%+v: unknown or level wrong", p)
				}
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("problems (-want +got):\n%s%v", d, problems)
			}
			if !strings.Contains(fmt.Sprint(problems), tt.say) {
				t.Errorf("want %q in %v", tt.say, problems)
			}
			if summary == nil || summary.Pulls == nil || summary.Builders == nil {
				t.Errorf("summary %+v", summary)
			}
		})
	}
}

// TestJudgeOff: without rules nothing is judged.
func TestJudgeOff(t *testing.T) {
	t.Parallel()
	if problems, summary := duties.Judge(nil, duties.Rules{Since: []string{"aaaa"}}, duties.Builders{}); problems != nil || summary != nil {
		t.Errorf("got %v, %+v", problems, summary)
	}
}

// TestSummary keeps what a report shows, those with a problem first, and a bounded number.
func TestSummary(t *testing.T) {
	t.Parallel()
	s := inOrder()
	for i := 10; i < 210; i++ {
		p := *s.pull()
		p.Number = i
		s.f.Pulls = append(s.f.Pulls, p)
	}
	s.f.Pulls[150].Check.Conclusion = "failure"
	s.f.Commits = append(s.f.Commits, duties.Commit{SHA: "dddd"})
	problems, got := duties.Judge(s.f, s.r, s.b)
	if len(problems) != 3 {
		t.Errorf("problems %v", problems)
	}
	if len(got.Pulls) != 100 || got.MorePulls != 101 || !slices.Equal(got.Pulls[0].Codes, []string{duties.CodeCheck}) || got.Pulls[1].Number != 7 {
		t.Errorf("pulls %d, %d more, first %+v", len(got.Pulls), got.MorePulls, got.Pulls[:2])
	}
	got.Pulls, got.MorePulls = nil, 0
	want := &duties.Summary{Since: "v1", SinceCommit: "aaaa", Branch: "main", Commits: 3, Unverified: 1, Direct: 1, Releaser: "dee", Builders: []string{"cy"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("summary (-want +got):\n%s", d)
	}
}

// TestLongLists: a message names a few, however many there are.
func TestLongLists(t *testing.T) {
	t.Parallel()
	s := inOrder()
	for i := range 500 {
		s.f.Commits = append(s.f.Commits, duties.Commit{SHA: fmt.Sprintf("%040d", i), Verified: true, Title: "t"})
	}
	problems, _ := duties.Judge(s.f, s.r, s.b)
	if len(problems) != 1 || !strings.Contains(problems[0].Message, "500 commits came without a pull request") || !strings.Contains(problems[0].Message, "and 495 more") || len(problems[0].Message) > 600 {
		t.Errorf("got %v", problems)
	}
}
