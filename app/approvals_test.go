package app

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/approval"
)

// asks has two approvers let releases through that are signed in another way than before.
const asks = "  memory: {signers: ask}\napprovers: {releases: {teams: [acme/release], users: [kim], count: 2}}\n"

// asking is a stage with a release v2.0.0 of dee that another workflow signed than v1.0.0, and
// that waits for approvers: bo and cy of acme/release, and kim.
type asking struct {
	*stage
	rel   *githubtest.Release
	issue int
	team  *githubtest.Team
}

func newAsking(t *testing.T, policy string) *asking {
	t.Helper()
	events := []string{"release", "check_run", "check_suite", "push", "issue_comment", "membership", "organization"}
	s := &asking{stage: newStage(t, play{policy: policy, options: githubtest.Options{Events: events}})}
	s.team = s.Org("acme").Team("release", "bo", "cy", "dee")
	s.repo.Collaborator("kim", "pull").Collaborator("dee", "push")
	s.verdict(s.version("v1.0.0", "release.yml"), checks.Pass)
	s.rel = s.second(false)
	s.verdict(s.rel, checks.Fail)
	s.find()
	return s
}

// second makes the release v2.0.0.
func (s *asking) second(draft bool) *githubtest.Release {
	name, content := "app_2.0.0_linux_amd64.tar.gz", []byte("second\n")
	rel := s.repo.Release(githubtest.ReleaseOptions{Tag: "v2.0.0", Author: "dee", Draft: draft, Assets: map[string][]byte{
		name: content, name + ".sigstore.json": s.signedBy("acme/shop", "other.yml", "v2.0.0", name, content),
	}})
	s.settle()
	s.advance(time.Minute)
	return rel
}

// find finds the one open issue.
func (s *asking) find() {
	s.t.Helper()
	s.issue = 0
	for _, i := range s.repo.Issues() {
		if i.State == "open" {
			s.issue = i.Number
		}
	}
	if s.issue == 0 {
		s.t.Fatal("there is no open issue to answer in")
	}
}

// say has somebody write a comment in the issue a minute later, and returns its number.
func (s *asking) say(login, body string) int64 {
	s.t.Helper()
	s.advance(time.Minute)
	id := s.repo.Comment(s.issue, login, body)
	s.settle()
	return id
}

// approve has somebody approve v2.0.0.
func (s *asking) approve(login string) int64 {
	s.t.Helper()
	return s.say(login, "/landwaiter release approve v2.0.0 because other.yml replaces release.yml")
}

// answers are our comments in the issue.
func (s *asking) answers() string {
	var all []string
	for _, c := range s.repo.Comments(s.issue) {
		if strings.HasSuffix(c.Author, "[bot]") && !strings.HasPrefix(c.Author, "cy") {
			all = append(all, c.Body)
		}
	}
	return strings.Join(all, "\n")
}

// reactions are how a comment was received.
func (s *asking) reactions(id int64) string {
	var all []string
	for _, c := range s.repo.Comments(s.issue) {
		for _, r := range c.Reactions {
			if c.ID == id {
				all = append(all, r.Content)
			}
		}
	}
	return strings.Join(all, " ")
}

// TestReleaseApproval is the story of a release that waits for two approvers.
func TestReleaseApproval(t *testing.T) {
	t.Parallel()
	s := newAsking(t, reportPolicy+asks)
	if run := s.check(); run.Conclusion != "failure" || run.Output.Title != "Blocked: waits for approval (0 of 2)" {
		t.Errorf("check %s %q", run.Conclusion, run.Output.Title)
	}
	for _, part := range []string{"/landwaiter release approve v2.0.0 because REASON", "@acme/release, @kim", ".github/workflows/other.yml", "waits for release approvers"} {
		if body := s.repo.Issues()[0].Body; !strings.Contains(body, part) {
			t.Errorf("the issue lacks %q:\n%s", part, body)
		}
	}
	first := s.approve("bo")
	if r := s.verdict(s.rel, checks.Fail); r.Approvals.Counted != 1 || s.reactions(first) != "+1" {
		t.Errorf("after the first: %+v, reactions %q", r.Approvals, s.reactions(first))
	}
	if title := s.check().Output.Title; title != "Blocked: waits for approval (1 of 2)" {
		t.Errorf("title %q", title)
	}
	s.approve("kim")
	r := s.verdict(s.rel, checks.Pass)
	if len(r.Memory.Drift) != 1 || r.Memory.Drift[0].Level != checks.LevelAccepted || len(r.Memory.Teaches.Signers) != 1 {
		t.Errorf("memory %+v, want the new signer accepted and taught", r.Memory)
	}
	if v := r.Approvals.Votes; len(v) != 2 || v[0].Login != "bo" || v[0].Reason != "other.yml replaces release.yml" || v[0].Void != "" {
		t.Errorf("votes %+v: the ledger does not say who approved why", v)
	}
	if run := s.check(); run.Conclusion != "success" || run.Output.Title != "Published with override by @bo and @kim" {
		t.Errorf("check %s %q", run.Conclusion, run.Output.Title)
	}
	if i := s.repo.Issues()[0]; i.State != "closed" || !strings.Contains(s.answers(), "approved by `bo` and `kim`") {
		t.Errorf("issue %s, want it closed by name of the approvers:\n%s", i.State, s.answers())
	}
	if m := s.verdict(s.version("v2.1.0", "other.yml"), checks.Pass); m.Approvals != nil || len(m.Memory.Drift) != 0 {
		t.Errorf("the next release: %+v, want the workflow known", m.Memory.Drift)
	}
}

// TestG35Commands changes one thing about the second of two approvals.
func TestG35Commands(t *testing.T) {
	t.Parallel()
	const command = "/landwaiter release approve v2.0.0 because x"
	tests := []struct {
		name     string
		act      func(s *asking) int64
		verdict  checks.Verdict
		reaction string
		answer   string // of ours; "" none
	}{
		{"baseline", func(s *asking) int64 { return s.say("cy", command) }, checks.Pass, "+1", ""},
		{"the same person again", func(s *asking) int64 { return s.say("bo", command) }, checks.Fail, "+1", ""},
		{"a stranger", func(s *asking) int64 { return s.say("eve", command) }, checks.Fail, "-1", ""},
		{"who may write and is no approver", func(s *asking) int64 { return s.say("ann", command) }, checks.Fail, "-1", ""},
		{"a bot of that name", func(s *asking) int64 { return s.say("cy[bot]", command) }, checks.Fail, "", ""},
		{"A01 the releaser", func(s *asking) int64 { return s.say("dee", command) }, checks.Fail, "-1", "who made or built a release cannot approve it"},
		{"quoted", func(s *asking) int64 { return s.say("cy", "> "+command) }, checks.Fail, "", ""},
		{"another release", func(s *asking) int64 { return s.say("cy", strings.Replace(command, "v2.0.0", "v1.0.0", 1)) }, checks.Fail, "-1", "about another release"},
		{"without a reason", func(s *asking) int64 { return s.say("cy", "/landwaiter release approve v2.0.0") }, checks.Fail, "-1", "needs a tag and a reason"},
		{"another command", func(s *asking) int64 { return s.say("cy", "/landwaiter help") }, checks.Fail, "-1", "there is no such command"},
		{"edited before it was heard", func(s *asking) int64 {
			s.advance(time.Minute)
			id := s.repo.Comment(s.issue, "cy", command)
			s.tick()
			s.repo.EditComment(id, "cy", command+"!")
			s.settle()
			return id
		}, checks.Fail, "-1", "an edited comment is no command"},
		{"edited into one", func(s *asking) int64 {
			id := s.say("cy", "hello")
			s.tick()
			s.repo.EditComment(id, "cy", command)
			s.settle()
			return id
		}, checks.Fail, "-1", "an edited comment is no command"},
		{"in an issue of somebody", func(s *asking) int64 {
			s.advance(time.Minute)
			s.repo.Comment(s.repo.OpenIssue("cy", "x", s.repo.Issues()[0].Body, "landwaiter"), "cy", command)
			s.settle()
			return 0
		}, checks.Fail, "", ""},
		{"not on the team any more", func(s *asking) int64 {
			s.team.Leave("cy")
			return s.say("cy", command)
		}, checks.Fail, "-1", ""},
		{"policy names others by now", func(s *asking) int64 {
			s.repo.Commit("main", "policy", githubtest.Files{".github/landwaiter.yml": strings.Replace(reportPolicy+asks, "teams: [acme/release], users: [kim]", "users: [bo, kim]", 1)})
			return s.say("cy", command)
		}, checks.Fail, "-1", ""},
		{"an asset was swapped just before", func(s *asking) int64 {
			s.advance(time.Minute)
			s.rel.ReplaceAsset("app_2.0.0_linux_amd64.tar.gz", []byte("swapped\n"))
			id := s.repo.Comment(s.issue, "cy", command)
			s.settle()
			s.advance(time.Minute)
			s.advance(time.Minute)
			return id
		}, checks.Fail, "+1", ""},
		{"delivered twice", func(s *asking) int64 {
			id := s.say("cy", command)
			d := s.Deliveries()
			if _, err := s.Redeliver(s.t.Context(), d[len(d)-1].GUID); err != nil {
				s.t.Fatal(err)
			}
			s.settle()
			return id
		}, checks.Pass, "+1", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newAsking(t, reportPolicy+asks)
			s.approve("bo")
			id := test.act(s)
			s.verdict(s.rel, test.verdict)
			if got := s.reactions(id); got != test.reaction {
				t.Errorf("reactions %q, want %q", got, test.reaction)
			}
			answers := s.answers()
			if test.verdict == checks.Pass {
				return // the issue closes with a comment
			}
			if !strings.Contains(answers, test.answer) || (answers == "") != (test.answer == "") {
				t.Errorf("answers %q, want %q", answers, test.answer)
			}
		})
	}
}

// TestG04CommandLost: an approval whose webhook never came is found by the sweep, once.
func TestG04CommandLost(t *testing.T) {
	t.Parallel()
	s := newAsking(t, reportPolicy+asks)
	s.approve("bo")
	s.SetAutoDeliver(false)
	id := s.approve("cy")
	s.SetAutoDeliver(true)
	s.verdict(s.rel, checks.Fail)
	r := repo{InstallationID: s.inst.ID, ID: s.repo.ID(), Owner: "acme", Name: "shop"}
	for range 2 {
		if err := s.store.Enqueue(t.Context(), s.app.backfillJob(r, "sweep")); err != nil {
			t.Fatal(err)
		}
		s.settle()
	}
	s.verdict(s.rel, checks.Pass)
	if got := s.reactions(id); got != "+1" {
		t.Errorf("reactions %q", got)
	}
}

// tick moves the clock by a second without working on anything.
func (s *stage) tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock = s.clock.Add(time.Second)
}

// TestG24ApprovedBeforeItChanged: a comment approves what its writer could see. One that is
// older than what the issue shows approves nothing.
func TestG24ApprovedBeforeItChanged(t *testing.T) {
	t.Parallel()
	s := newAsking(t, reportPolicy+asks)
	s.approve("bo")
	s.SetAutoDeliver(false)
	s.advance(time.Minute)
	id := s.repo.Comment(s.issue, "cy", "/landwaiter release approve v2.0.0 because x")
	said := s.repo.CommentEvent(id, "created")
	s.tick()
	name, content := "app_2.0.0_linux_amd64.tar.gz", []byte("third\n")
	s.rel.ReplaceAsset(name, content)
	s.rel.ReplaceAsset(name+".sigstore.json", s.signedBy("acme/shop", "other.yml", "v2.0.0", name, content))
	s.SetAutoDeliver(true)
	s.rel.Edit("changed")
	s.settle()
	s.advance(time.Minute)
	if r := s.verdict(s.rel, checks.Fail); r.Approvals.Counted != 0 || r.Approvals.Votes[0].Void != "it was for other assets, another commit or another way of signing" {
		t.Fatalf("after the change: %+v, want the approval of before void", r.Approvals)
	}
	s.Deliver(t.Context(), said)
	s.settle()
	if r := s.verdict(s.rel, checks.Fail); r.Approvals.Counted != 0 || !strings.Contains(s.answers(), "the release changed shortly before the comment") {
		t.Errorf("%+v, answers %q: a comment approved what its writer had not seen", r.Approvals, s.answers())
	}
	s.approve("bo")
	s.approve("cy")
	s.verdict(s.rel, checks.Pass)
}

// TestA06TakenBack: what bears an approval out is asked again at each judgment, and what takes
// it away asks for one.
func TestA06TakenBack(t *testing.T) {
	t.Parallel()
	draft := strings.Replace(reportPolicy, "gate: report", "gate: draft\n  publish: manual\n  assets: [{match: 'app_*', require: [provenance]}]", 1) + asks
	tests := []struct {
		name    string
		policy  string
		act     func(s *asking, id int64)
		verdict checks.Verdict
		void    string
	}{
		{"baseline", reportPolicy + asks, func(*asking, int64) {}, checks.Pass, ""},
		{"comment edited", reportPolicy + asks, func(s *asking, id int64) { s.tick(); s.repo.EditComment(id, "cy", "no, wait") }, checks.Fail, "its comment was edited"},
		{"comment edited and back", reportPolicy + asks, func(s *asking, id int64) {
			s.tick()
			before := s.repo.Comments(s.issue)
			i := slices.IndexFunc(before, func(c githubtest.Comment) bool { return c.ID == id })
			s.repo.EditComment(id, "cy", "oops")
			s.repo.EditComment(id, "cy", before[i].Body+"\n\nand more")
		}, checks.Pass, ""},
		{"comment deleted", reportPolicy + asks, func(s *asking, id int64) { s.repo.DeleteComment(id, "cy") }, checks.Fail, "its comment was deleted"},
		{"left the team after publication", reportPolicy + asks, func(s *asking, _ int64) { s.team.Leave("cy") }, checks.Pass, ""},
		{"left the organisation after publication", reportPolicy + asks, func(s *asking, _ int64) { s.Org("acme").Leave("cy") }, checks.Pass, ""},
		{"left the team before", draft, func(s *asking, _ int64) { s.team.Leave("cy") }, checks.Fail, "who gave it may not approve any more"},
		{"left the organisation before", draft, func(s *asking, _ int64) { s.Org("acme").Leave("cy") }, checks.Fail, "who gave it may not approve any more"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newAsking(t, reportPolicy+asks)
			if test.policy == draft {
				s.held()
			}
			id := s.approve("cy")
			if test.policy != draft {
				s.approve("bo")
				s.verdict(s.rel, checks.Pass)
			}
			test.act(s, id)
			s.settle()
			r := s.verdict(s.rel, map[bool]checks.Verdict{true: checks.Fail, false: test.verdict}[test.policy == draft])
			i := slices.IndexFunc(r.Approvals.Votes, func(v approval.Vote) bool { return v.Comment == id })
			if i < 0 || r.Approvals.Votes[i].Void != test.void {
				t.Errorf("votes %+v, want %q", r.Approvals.Votes, test.void)
			}
			if test.verdict == checks.Fail && test.policy != draft {
				s.find() // it is open again
			}
		})
	}
}

// held puts the release back to draft, as its maker may, so that nothing of it is public.
func (s *asking) held() {
	s.t.Helper()
	s.rel.Delete()
	s.settle()
	s.rel = s.second(true)
	s.verdict(s.rel, checks.Fail)
	s.find()
}

// TestPublishedByApprovers: under gate draft and publish manual, approvers have the draft
// published, and a release that went out without them goes back.
func TestPublishedByApprovers(t *testing.T) {
	t.Parallel()
	policy := strings.Replace(draftPolicy, "gate: draft", "gate: draft\n  publish: manual", 1) +
		"approvers: {releases: {users: [bo]}}\n"
	s := &asking{stage: newStage(t, play{policy: policy, options: githubtest.Options{Events: []string{"release", "check_run", "issue_comment"}}})}
	s.repo.Collaborator("bo", "pull")
	s.rel = s.draft(tarball)
	before := s.rel.View()
	for range 3 {
		s.advance(time.Minute)
	}
	s.find()
	r := s.verdict(s.rel, checks.Fail)
	if run := s.check(); !r.WaitsForApproval() || run.Output.Title != "Blocked: waits for approval (0 of 1)" || !strings.Contains(run.Output.Summary, "then Landwaiter publishes it") || !s.rel.Draft() {
		t.Fatalf("check %q: %v\n%s", run.Output.Title, r.Reasons, run.Output.Summary)
	}
	s.say("bo", "/landwaiter release approve v1.0.0 because the notes are fine")
	s.wantPublic(s.rel, before)
	s.advance(time.Minute)
	if r := s.verdict(s.rel, checks.Pass); r.Subject.Draft || len(r.Approvals.Approvers()) != 1 {
		t.Errorf("after publication: %+v, %+v", r.Subject, r.Approvals)
	}
	if run := s.check(); run.Output.Title != "Release v1.0.0 verified" {
		t.Errorf("title %q", run.Output.Title)
	}

	out := s.repo.Release(githubtest.ReleaseOptions{Tag: "v1.1.0", Author: "dee", Assets: map[string][]byte{
		"app.tar.gz": tarball, "app.tar.gz.sigstore.json": s.provenance("acme/shop", "v1.1.0", "app.tar.gz", tarball),
	}})
	s.settle()
	s.advance(time.Minute)
	if r := s.verdict(out, checks.Fail); !r.WaitsForApproval() || !out.Draft() {
		t.Errorf("published without approval: draft %v, %v", out.Draft(), r.Reasons)
	}
}

// TestNobodyCanApprove: when approvers cannot be looked up, the issue says why before anybody
// answers in vain.
func TestNobodyCanApprove(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		act  func(s *asking)
		say  string
	}{
		{"permission withdrawn", func(s *asking) { s.inst.Grant("members", "") }, "grant Members: read"},
		{"team gone", func(s *asking) {
			s.repo.Commit("main", "policy", githubtest.Files{".github/landwaiter.yml": reportPolicy + strings.Replace(asks, "acme/release", "acme/releases", 1)})
		}, "there is no team @acme/releases"},
		{"team of another organisation", func(s *asking) {
			s.repo.Commit("main", "policy", githubtest.Files{".github/landwaiter.yml": reportPolicy + strings.Replace(asks, "acme/release", "other/release", 1)})
		}, "a team of another organisation"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newAsking(t, reportPolicy+asks)
			test.act(s)
			s.repo.RerequestRun(s.check().ID, "ann")
			s.settle()
			r := s.verdict(s.rel, checks.Fail)
			if !strings.Contains(r.Approvals.Problem, test.say) {
				t.Errorf("problem %q, want %q", r.Approvals.Problem, test.say)
			}
			var body string
			for _, i := range s.repo.Issues() {
				body += i.Body
			}
			if !strings.Contains(body, "No approval counts now: too few people may approve") {
				t.Errorf("the issue does not say so:\n%s", body)
			}
		})
	}
}

// TestApprovalHasRoom: a release that waits for approval has an issue of its own, however many
// are open.
func TestApprovalHasRoom(t *testing.T) {
	t.Parallel()
	policy := strings.Replace(reportPolicy, "{enabled: true}", "{enabled: true, max_open: 1}", 1) + asks
	s := &asking{stage: newStage(t, play{policy: policy, options: githubtest.Options{Events: []string{"release", "check_run", "issue_comment"}}})}
	s.team = s.Org("acme").Team("release", "bo", "cy")
	s.verdict(s.version("v1.0.0", "release.yml"), checks.Pass)
	s.release([]byte("forged\n"))
	s.settle()
	s.advance(time.Minute)
	s.rel = s.second(false)
	open := 0
	for _, i := range s.repo.Issues() {
		if i.State == "open" {
			open++
			s.issue = i.Number
		}
	}
	if open != 2 || !strings.Contains(s.repo.Issues()[1].Title, "waits for approval") {
		t.Fatalf("%d open issues: %s", open, fmt.Sprint(s.repo.Issues()))
	}
	s.approve("bo")
	s.approve("cy")
	s.verdict(s.rel, checks.Pass)
}
