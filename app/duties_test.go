package app

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/duties"
)

// dutyPolicy asks everything of what came into a release.
const dutyPolicy = `version: 1
extends: [landwaiter:recommended@1]
mode: enforce
releases:
  gate: report
  settle: {window: 60s, max_wait: 30m}
  duties:
    protected_branch: block
    pull_requests: block
    checked: block
    verified_commits: block
    approvals: {level: block, except: ["dependabot[bot]"]}
    separate: {level: block, roles: [author, approver, builder, releaser]}
`

// joined is a stage whose releases are joined with pull requests: ann writes, bo approves, cy
// starts the build and dee releases. The zero fields of a test's cast keep it in order.
type joined struct {
	*stage
	n    int // pull requests so far
	cast cast
}

// cast says who does what.
type cast struct {
	author, approver, builder, releaser string
	method                              string // of merging
	fork                                bool
	unjudged                            bool // our App hears nothing of pull requests
	// review replaces the approval, and late happens after the merge, before the release.
	review func(j *joined, p *githubtest.Pull)
	late   func(j *joined)
}

func newJoined(t *testing.T, policy string, c cast) *joined {
	t.Helper()
	events := []string{"release", "check_run", "check_suite", "pull_request", "merge_group"}
	if c.unjudged {
		events = events[:3]
	}
	j := &joined{stage: newStage(t, play{policy: policy, options: githubtest.Options{Events: events}}), cast: c}
	for _, login := range []string{"ann", "bo", "cy", "dee"} {
		j.repo.Collaborator(login, "push")
	}
	j.repo.Protect("main", true)
	j.repo.Sign(j.head)
	j.settle()
	return j
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// pull opens a pull request, has it checked and reviewed.
func (j *joined) pull() *githubtest.Pull {
	j.t.Helper()
	j.n++
	branch := fmt.Sprintf("change-%d", j.n)
	author := or(j.cast.author, "ann")
	o := githubtest.PullOptions{Head: branch, Author: author, Files: githubtest.Files{branch + ".txt": "x\n"}}
	if j.cast.fork {
		o.Fork = author
	}
	p := j.repo.OpenPull(o)
	j.repo.Sign(p.HeadSHA())
	j.settle()
	if j.cast.review != nil {
		j.cast.review(j, p)
	} else {
		p.Review(or(j.cast.approver, "bo"), "APPROVED")
	}
	return p
}

// merge merges a pull request of the cast and follows main.
func (j *joined) merge() *githubtest.Pull {
	j.t.Helper()
	p := j.pull()
	j.head = p.Merge(githubtest.MergeOptions{Method: j.cast.method, By: "cy"})
	j.settle()
	return p
}

// publish releases the head of main, built by a run of the cast, and has it judged.
func (j *joined) publish(tag string) *githubtest.Release {
	j.t.Helper()
	run := j.repo.WorkflowRun(githubtest.RunOptions{SHA: j.head, Actor: or(j.cast.builder, "cy")})
	rel := j.repo.Release(githubtest.ReleaseOptions{
		Tag: tag, Author: or(j.cast.releaser, "dee"), Commit: j.head, Assets: map[string][]byte{
			"app.tar.gz": tarball, "app.tar.gz.sigstore.json": j.byRun(j.provenance("acme/shop", tag, "app.tar.gz", tarball), run.ID),
		}})
	j.settle()
	j.advance(time.Minute)
	return rel
}

// reasonCodes are the codes of the reasons of r, each once, in order.
func reasonCodes(r checks.Report) string {
	var list []string
	for _, x := range r.Reasons {
		if !slices.Contains(list, x.Code) {
			list = append(list, x.Code)
		}
	}
	return strings.Join(list, " ")
}

// direct pushes a commit to main without a pull request.
func direct(j *joined) {
	j.head = j.repo.CommitBy("ann", "main", "quick fix @bo", githubtest.Files{"quick.txt": "x\n"})
	j.repo.Sign(j.head)
}

// TestDuties changes one thing about a release that is in order. All goes through the front
// door: webhooks in, the report out. Package duties has the table of all that can be judged.
func TestDuties(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		cast cast
		want checks.Verdict
		code string
		say  string // in a reason
	}{
		{"baseline, merge commit", cast{}, checks.Pass, "", ""},
		{"squashed", cast{method: "squash"}, checks.Pass, "", ""},
		{"rebased, which GitHub does not sign", cast{method: "rebase"}, checks.Fail, checks.CodeUnverified, "(unsigned)"},
		{"from a fork", cast{fork: true}, checks.Pass, "", ""},
		{"branch not protected", cast{late: func(j *joined) { j.repo.Protect("main", false) }}, checks.Fail, checks.CodeBranch, "no protected branch"},
		{"tag on a side branch", cast{late: func(j *joined) {
			j.repo.Branch("side", j.head)
			j.head = j.repo.Commit("side", "sideways", githubtest.Files{"side.txt": "x\n"})
			j.repo.Sign(j.head)
		}}, checks.Fail, checks.CodeBranch + " " + checks.CodeDirect, "looked at main"},
		{"pushed directly", cast{late: direct}, checks.Fail, checks.CodeDirect, `("quick fix @bo")`},
		{"pull request into another branch", cast{late: func(j *joined) {
			j.repo.Branch("next", j.head)
			p := j.repo.OpenPull(githubtest.PullOptions{Head: "x", Base: "next", Author: "ann", Files: githubtest.Files{"x.txt": "x\n"}})
			j.head = p.Merge()
			j.repo.Sign(p.HeadSHA())
			j.repo.Branch("main", j.head)
		}}, checks.Fail, checks.CodeDirect, "without a pull request"},
		{"merged by pushing its head", cast{late: func(j *joined) {
			p := j.pull()
			j.head = p.HeadSHA()
			j.repo.Branch("main", j.head)
			j.settle()
		}}, checks.Pass, "", ""},
		{"unsigned commit", cast{review: func(j *joined, p *githubtest.Pull) {
			p.Push(githubtest.Files{"more.txt": "x\n"})
			j.settle()
			p.Review("bo", "APPROVED")
		}}, checks.Fail, checks.CodeUnverified, "1 commit"},
		{"A01 no approval", cast{review: func(*joined, *githubtest.Pull) {}}, checks.Fail, checks.CodeUnapproved + " " + checks.CodeSeparate, "0 of 1"},
		{"A01 approved by who signed a commit in it", cast{review: func(j *joined, p *githubtest.Pull) {
			j.repo.Sign(j.repo.CommitBy("bo", "change-1", "help", githubtest.Files{"help.txt": "x\n"}))
			j.settle()
			p.Review("bo", "APPROVED")
		}}, checks.Fail, checks.CodeUnapproved + " " + checks.CodeSeparate, "bo is an author"},
		{"G09 a commit that only claims to be by the approver", cast{method: "squash", review: func(j *joined, p *githubtest.Pull) {
			j.repo.CommitBy("bo", "change-1", "forged", githubtest.Files{"help.txt": "x\n"})
			j.settle()
			p.Review("bo", "APPROVED")
		}}, checks.Pass, "", ""},
		{"A01 approved by who may not write", cast{approver: "guest"}, checks.Fail, checks.CodeUnapproved + " " + checks.CodeSeparate, "guest may not write"},
		{"A02 approved before the last push", cast{review: func(j *joined, p *githubtest.Pull) {
			p.Review("bo", "APPROVED")
			j.repo.Sign(p.Push(githubtest.Files{"more.txt": "x\n"}))
			j.settle()
		}}, checks.Fail, checks.CodeUnapproved + " " + checks.CodeSeparate, "bo approved another commit"},
		{"A02 dismissed", cast{review: func(_ *joined, p *githubtest.Pull) { p.Review("bo", "APPROVED"); p.Dismiss("bo") }}, checks.Fail, checks.CodeUnapproved + " " + checks.CodeSeparate, ""},
		{"A02 changes asked for afterwards", cast{review: func(_ *joined, p *githubtest.Pull) {
			p.Review("bo", "APPROVED")
			p.Review("bo", "CHANGES_REQUESTED")
		}}, checks.Fail, checks.CodeUnapproved + " " + checks.CodeSeparate, ""},
		{"a comment after the approval", cast{review: func(_ *joined, p *githubtest.Pull) {
			p.Review("bo", "APPROVED")
			p.Review("bo", "COMMENTED")
		}}, checks.Pass, "", ""},
		{"approved after the merge", cast{review: func(*joined, *githubtest.Pull) {}, late: func(j *joined) { j.repo.PullByNumber(1).Review("bo", "APPROVED") }}, checks.Pass, "", ""},
		{"reviewer's account deleted", cast{late: func(j *joined) { j.repo.PullByNumber(1).ForgetReviewers() }}, checks.Fail, checks.CodeUnapproved + " " + checks.CodeSeparate, "deleted account"},
		{"dependabot without an approval", cast{author: "dependabot[bot]", review: func(*joined, *githubtest.Pull) {}}, checks.Pass, "", ""},
		{"check of another App only", cast{unjudged: true, late: func(j *joined) {
			j.repo.ForeignCheckRun(j.repo.PullByNumber(1).HeadSHA(), "landwaiter/pr", "success")
		}}, checks.Fail, checks.CodeCheck, "(no check)"},
		{"released by the approver", cast{releaser: "bo"}, checks.Fail, checks.CodeSeparate, "bo approved and built or released"},
		{"built and released by one", cast{builder: "dee"}, checks.Fail, checks.CodeSeparate, "dee built and released"},
		{"released by a workflow that cy started", cast{releaser: "github-actions[bot]"}, checks.Fail, checks.CodeSeparate, "cy built and released"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			j := newJoined(t, dutyPolicy, tt.cast)
			j.merge()
			if tt.cast.late != nil {
				tt.cast.late(j)
			}
			r := j.report(j.publish("v1.0.0"))
			if r.Verdict != tt.want || reasonCodes(r) != tt.code || !strings.Contains(fmt.Sprint(r.Reasons), tt.say) {
				t.Errorf("got %v %q, want %v %q with %q: %v", r.Verdict, reasonCodes(r), tt.want, tt.code, tt.say, r.Reasons)
			}
			if r.Duties == nil || r.Duties.Releaser == "" {
				t.Errorf("the report does not say who released: %+v", r.Duties)
			}
		})
	}
}

// TestDutiesOfTwoReleases: the second release is asked about what the first did not have.
func TestDutiesOfTwoReleases(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		first func(j *joined) // before the first release
		next  func(j *joined) // before the second
		want  checks.Verdict
		code  string
		since string
		pulls int
	}{
		{"baseline", nil, func(j *joined) { j.merge() }, checks.Pass, "", "v1.0.0", 1},
		{"same commit", nil, func(*joined) {}, checks.Pass, "", "v1.0.0", 0},
		{"the first was not in order", direct, func(j *joined) { j.merge() }, checks.Fail, checks.CodeDirect, "", 2},
		{"its tag was moved forward", nil, func(j *joined) { direct(j); j.repo.Tag("v1.0.0", j.head); j.merge() }, checks.Fail, checks.CodeDirect, "v1.0.0", 1},
		{"reverted", nil, func(j *joined) {
			j.merge()
			j.cast.review = func(*joined, *githubtest.Pull) {} // the pull request that takes it back
			j.merge()
		}, checks.Fail, checks.CodeUnapproved + " " + checks.CodeSeparate, "v1.0.0", 2},
		{"merge queue", nil, func(j *joined) {
			p, q := j.pull(), j.pull()
			m := j.repo.MergeGroup(p, q)
			j.settle()
			m.Merge()
			j.head = m.HeadSHA
			j.settle()
		}, checks.Pass, "", "v1.0.0", 2},
		{"merge of something else than the pull request's head", nil, func(j *joined) {
			j.repo.Branch("evil", j.head)
			evil := j.repo.CommitBy("ann", "evil", "evil", githubtest.Files{"evil.txt": "x\n"})
			j.repo.Sign(evil)
			j.head = j.repo.MergeInto("main", evil)
			j.repo.Sign(j.head)
		}, checks.Fail, checks.CodeDirect, "v1.0.0", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			j := newJoined(t, dutyPolicy, cast{})
			j.merge()
			if tt.first != nil {
				tt.first(j)
			}
			j.publish("v1.0.0")
			tt.next(j)
			r := j.report(j.publish("v1.1.0"))
			if r.Verdict != tt.want || reasonCodes(r) != tt.code || r.Duties == nil || r.Duties.Since != tt.since || len(r.Duties.Pulls) != tt.pulls {
				t.Errorf("got %v %q, %+v, want %v %q since %q with %d pull requests: %v", r.Verdict, reasonCodes(r), r.Duties, tt.want, tt.code, tt.since, tt.pulls, r.Reasons)
			}
		})
	}
}

// TestLeftOpen: later releases start from one only when nothing about it stayed open.
func TestLeftOpen(t *testing.T) {
	t.Parallel()
	for rule, want := range map[string]bool{
		checks.RuleSignature: false, checks.RuleAssets: false, duties.RulePulls: true, duties.RuleBranch: true,
		checks.RuleComplete: true, checks.RulePolicyFile: true, // an internal fault, too many reasons, a policy that cannot be read
	} {
		if got := leftOpen(checks.Report{Reasons: []checks.Reason{{Rule: rule}}}); got != want {
			t.Errorf("%s: %v, want %v", rule, got, want)
		}
	}
	if leftOpen(checks.Report{}) {
		t.Error("a release in order is left open")
	}
}

// TestDutiesAreMadeGood: what broke a rule is judged again after an approval that came late, and
// after the policy says up to which commit somebody looked.
func TestDutiesAreMadeGood(t *testing.T) {
	t.Parallel()
	j := newJoined(t, dutyPolicy, cast{review: func(*joined, *githubtest.Pull) {}})
	p := j.merge()
	rel := j.publish("v1.0.0")
	if r := j.report(rel); r.Verdict != checks.Fail {
		t.Fatalf("without an approval: got %v", r.Verdict)
	}
	p.Review("bo", "APPROVED")
	j.repo.RerequestRun(j.check().ID, "ann")
	j.settle()
	if r := j.report(rel); r.Verdict != checks.Pass || j.check().Conclusion != "success" {
		t.Errorf("with a late approval: got %v, %s: %v", r.Verdict, j.check().Conclusion, r.Reasons)
	}
	direct(j)
	looked := j.head
	next := j.publish("v1.1.0")
	if r := j.report(next); r.Verdict != checks.Fail || reasonCodes(r) != checks.CodeDirect {
		t.Fatalf("pushed directly: got %v: %v", r.Verdict, r.Reasons)
	}
	j.cast.review = nil
	j.repo.Commit("main", "policy", githubtest.Files{policyPath: dutyPolicy + "    since: [" + looked + "]\n"})
	j.repo.RerequestRun(j.check().ID, "ann")
	j.settle()
	if r := j.report(next); r.Verdict != checks.Pass || r.Duties.SinceCommit != looked || r.Duties.Commits != 0 {
		t.Errorf("looked at by hand: got %v, %+v: %v", r.Verdict, r.Duties, r.Reasons)
	}
}

// The routes that only the duties of a release need.
var dutyRoutes = []string{
	"GET /repos/{owner}/{repo}/branches",
	"GET /repos/{owner}/{repo}/releases",
	"GET /repos/{owner}/{repo}/compare/{basehead}",
	"GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls",
	"GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews",
	"GET /repos/{owner}/{repo}/commits/{ref}/check-runs",
	"GET /repos/{owner}/{repo}/collaborators/{username}/permission",
}

// twoReleases publishes a release, and has ready what comes into the next.
func twoReleases(t *testing.T) *joined {
	t.Helper()
	j := newJoined(t, dutyPolicy, cast{})
	j.merge()
	j.publish("v1.0.0")
	j.merge()
	return j
}

// disturbed reports whether a fault met a call to route.
func (j *joined) disturbed(route string) bool {
	return slices.ContainsFunc(j.CallsTo(route), func(c githubtest.Call) bool { return c.Fault })
}

// TestG27DutyFaultsThatPass disturbs each route once: the verdict is as without.
func TestG27DutyFaultsThatPass(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]githubtest.Fault{
		"500":             {Status: 500},
		"HTML":            {Kind: githubtest.HTML, Status: 200},
		"cut body":        {Kind: githubtest.CutBody},
		"429":             {Status: 429, Body: `{"message":"Too many requests"}`},
		"secondary limit": {Status: 403, Header: http.Header{"Retry-After": {"30"}}, Body: `{"message":"You have exceeded a secondary rate limit."}`},
	} {
		for i, routes := range [][]string{dutyRoutes[:4], dutyRoutes[4:]} { // a job is tried eight times
			t.Run(fmt.Sprint(name, " ", i), func(t *testing.T) {
				t.Parallel()
				j := twoReleases(t)
				for _, route := range routes {
					fault.Route = route
					j.Fail(fault)
				}
				rel := j.publish("v1.1.0")
				for range 12 {
					j.advance(2 * time.Minute)
				}
				for _, route := range routes {
					if !j.disturbed(route) {
						t.Errorf("%s was not disturbed", route)
					}
				}
				if r := j.report(rel); r.Verdict != checks.Pass {
					t.Errorf("got %v: %v", r.Verdict, r.Reasons)
				}
			})
		}
	}
}

// TestG27DutyFaultsThatLast lets GitHub refuse or miss each route for good: never a Pass, but
// where more was looked at instead.
func TestG27DutyFaultsThatLast(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]githubtest.Fault{
		"403": {Status: 403, Times: -1, Body: `{"message":"Resource not accessible by integration"}`},
		"404": {Status: 404, Times: -1, Body: `{"message":"Not Found"}`},
	} {
		for _, route := range dutyRoutes {
			t.Run(name+" "+route, func(t *testing.T) {
				t.Parallel()
				j := twoReleases(t)
				fault := fault
				fault.Route = route
				j.Fail(fault)
				r := j.report(j.publish("v1.1.0"))
				if !j.disturbed(route) {
					t.Fatal("the route was not disturbed")
				}
				switch {
				case name == "404" && strings.Contains(route, "{basehead}"): // no history in common: all of it is looked at
					if r.Verdict != checks.Pass || r.Duties.SinceCommit != "" || len(r.Duties.Pulls) != 2 {
						t.Errorf("got %v, %+v: %v", r.Verdict, r.Duties, r.Reasons)
					}
				case r.Verdict != checks.Unknown || reasonCodes(r) != checks.CodeUnread:
					t.Errorf("got %v, want unknown: %v", r.Verdict, r.Reasons)
				}
			})
		}
	}
}

// TestDutyPermissions: an installation that does not grant what a rule needs gets Unknown with
// the name of the permission, and a policy without such rules asks for nothing.
func TestDutyPermissions(t *testing.T) {
	t.Parallel()
	j := newJoined(t, dutyPolicy, cast{})
	j.merge()
	j.inst.Grant("pull_requests", "")
	r := j.report(j.publish("v1.0.0"))
	if r.Verdict != checks.Unknown || reasonCodes(r) != checks.CodeUnread || !strings.Contains(fmt.Sprint(r.Reasons), "Pull requests: read") {
		t.Errorf("got %v: %v", r.Verdict, r.Reasons)
	}
	off := newJoined(t, reportPolicy, cast{})
	off.merge()
	off.settle()
	off.ForgetCalls()
	r = off.report(off.publish("v1.0.0"))
	if r.Verdict != checks.Pass || r.Duties != nil {
		t.Errorf("without rules: got %v, %+v", r.Verdict, r.Duties)
	}
	for _, route := range slices.Concat(dutyRoutes[:1], dutyRoutes[3:5], dutyRoutes[6:]) {
		if n := len(off.CallsTo(route)); n != 0 {
			t.Errorf("without rules: %d calls to %s", n, route)
		}
	}
}

// TestDutyWarnings: what a rule that warns finds, or cannot tell, is a notice.
func TestDutyWarnings(t *testing.T) {
	t.Parallel()
	policy := strings.ReplaceAll(dutyPolicy, "block", "warn")
	j := newJoined(t, policy, cast{releaser: "bo"})
	j.merge()
	direct(j)
	r := j.report(j.publish("v1.0.0"))
	if r.Verdict != checks.Pass || len(r.Reasons) != 0 {
		t.Errorf("got %v: %v", r.Verdict, r.Reasons)
	}
	for _, code := range []string{checks.CodeDirect, checks.CodeSeparate} {
		if !slices.ContainsFunc(r.Notices, func(n checks.Reason) bool { return n.Code == code }) {
			t.Errorf("no notice %s: %v", code, r.Notices)
		}
	}
	if run := j.check(); !strings.Contains(run.Output.Summary, "without a pull request") || strings.Contains(run.Output.Summary, " @bo") {
		t.Errorf("summary:\n%s", run.Output.Summary)
	}
}

// TestDutyCalls counts what a release costs, by its pull requests.
func TestDutyCalls(t *testing.T) {
	t.Parallel()
	const pulls = 5
	calls := func(policy string) int {
		j := newJoined(t, policy, cast{})
		j.merge()
		j.publish("v1.0.0")
		for range pulls {
			j.merge()
		}
		j.settle()
		j.ForgetCalls()
		r := j.report(j.publish("v1.1.0"))
		if r.Verdict != checks.Pass {
			t.Fatalf("got %v: %v", r.Verdict, r.Reasons)
		}
		return len(j.Calls())
	}
	without, with := calls(reportPolicy), calls(dutyPolicy)
	// Branches, releases and commits: a call each; the token of the release before still holds.
	// Each pull request: which it is, its reviews, its check. The one approver: a call.
	if extra := with - without; extra != 3+3*pulls+1 {
		t.Errorf("%d calls more for %d pull requests, want %d", extra, pulls, 3+3*pulls+1)
	}
	branchOnly := calls(strings.Replace(reportPolicy, "  gate: report\n", "  gate: report\n  duties: {protected_branch: block, verified_commits: block}\n", 1))
	if extra := branchOnly - without; extra != 3 {
		t.Errorf("%d calls more for the branch and the signatures, want 3", extra)
	}
}
