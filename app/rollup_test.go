package app

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/app/githubtest"
)

const (
	updateIssueRoute  = "PATCH /repos/{owner}/{repo}/issues/{issue_number}"
	createCommentPath = "POST /repos/{owner}/{repo}/issues/{issue_number}/comments"
)

// atMost is reportPolicy with issues.max_open.
func atMost(n int) string {
	return strings.Replace(reportPolicy, "{enabled: true}", fmt.Sprintf("{enabled: true, max_open: %d}", n), 1)
}

// failing publishes a release with an unsigned asset, and lets it be judged.
func (s *stage) failing(tag string) *githubtest.Release {
	s.t.Helper()
	rel := s.repo.Release(githubtest.ReleaseOptions{Tag: tag, Assets: map[string][]byte{"app.tar.gz": []byte(tag)}})
	s.settle()
	s.advance(time.Minute)
	return rel
}

// signed gives a failing release what it lacks, and lets it be judged again.
func (s *stage) signed(rel *githubtest.Release, tag string) {
	s.t.Helper()
	rel.AddAsset("app.tar.gz.sigstore.json", s.provenance("acme/shop", tag, "app.tar.gz", []byte(tag)))
	rel.Edit("signed now")
	s.settle()
	s.advance(time.Minute)
}

// listed returns the tags in the one rollup issue, and whether it is open. It fails the test
// when there are two.
func (s *stage) listed() (tags []string, open bool) {
	s.t.Helper()
	found := 0
	for _, issue := range s.repo.Issues() {
		if !strings.Contains(issue.Body, "key="+s.rollupKey()+" ") {
			continue
		}
		found++
		open = issue.State == "open"
		for line := range strings.Lines(issue.Body) {
			if strings.HasPrefix(line, "| `") {
				tags = append(tags, strings.Split(line, "`")[1])
			}
		}
	}
	if found > 1 {
		s.t.Errorf("%d rollup issues, want one at most", found)
	}
	return tags, open
}

func (s *stage) rollupKey() string { return rollupKey(repo{ID: s.repo.ID()}) }

// rollup returns the rollup issue.
func (s *stage) rollup() githubtest.Issue {
	s.t.Helper()
	all := s.repo.Issues()
	i := slices.IndexFunc(all, func(x githubtest.Issue) bool { return strings.Contains(x.Body, "key="+s.rollupKey()+" ") })
	if i < 0 {
		s.t.Fatalf("no rollup issue among %d", len(all))
	}
	return all[i]
}

// owned returns the numbers of the open issues of ours that are about one release.
func (s *stage) owned() []int {
	s.t.Helper()
	var open []int
	for _, issue := range s.repo.Issues() {
		if issue.State == "open" && strings.Contains(issue.Body, "key=release:") && strings.HasSuffix(issue.Author, "[bot]") {
			open = append(open, issue.Number)
		}
	}
	return open
}

func (s *stage) wantListed(when string, open bool, want ...string) {
	s.t.Helper()
	tags, isOpen := s.listed()
	if d := cmp.Diff(want, tags); open && d != "" {
		s.t.Errorf("%s: rollup lists (-want +got):\n%s", when, d)
	}
	if isOpen != open {
		s.t.Errorf("%s: rollup open %v, want %v", when, isOpen, open)
	}
	if buried, err := s.store.Buried(s.t.Context(), 10); err != nil || len(buried) != 0 {
		s.t.Errorf("%s: buried jobs %+v, %v, want none", when, buried, err)
	}
}

func TestRollupFromFirstToLast(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{policy: atMost(2)})
	one, two := s.failing("v1"), s.failing("v2")
	if len(s.repo.Issues()) != 2 {
		t.Fatalf("%d issues, want one for each of two releases and no rollup", len(s.repo.Issues()))
	}
	three, four := s.failing("v3"), s.failing("v4")
	s.wantListed("two more fail", true, "v3", "v4")
	issue := s.rollup()
	if d := cmp.Diff([]string{"landwaiter", "landwaiter:high"}, issue.Labels); d != "" {
		t.Errorf("labels (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"ann"}, issue.Assignees); d != "" {
		t.Errorf("assignees (-want +got):\n%s", d)
	}
	for _, want := range []string{"app.tar.gz has no signature", "@ann, from CODEOWNERS `*`", "2 open issues at a time"} {
		if !strings.Contains(issue.Body, want) {
			t.Errorf("rollup lacks %q:\n%s", want, issue.Body)
		}
	}
	s.signed(three, "v3")
	s.wantListed("one of the list passes", true, "v4")
	s.signed(one, "v1")
	s.wantListed("there is room", false)
	if n := len(s.owned()); n != 2 {
		t.Errorf("%d open issues of releases, want 2: one closed, v4 got one", n)
	}
	five := s.failing("v5")
	s.wantListed("a new one fails", true, "v5")
	four.Delete()
	s.settle()
	s.wantListed("one with an issue is deleted", false)
	s.signed(two, "v2")
	s.signed(five, "v5")
	if n := len(s.owned()); n != 0 {
		t.Errorf("%d open issues of releases, want none", n)
	}
	if c := s.rollup().Comments; len(c) != 2 || s.rollup().StateReason != "completed" {
		t.Errorf("rollup closed as %q with %d comments, want one for each time it closed", s.rollup().StateReason, len(c))
	}
}

func TestRollupFaults(t *testing.T) {
	t.Parallel()
	lost := func(route string, skip int) githubtest.Fault {
		return githubtest.Fault{Route: route, Kind: githubtest.Nothing, When: githubtest.AfterActing, Skip: skip}
	}
	tests := []struct {
		name  string
		fault githubtest.Fault
	}{
		{"none", githubtest.Fault{Route: "none"}},
		{"own issue lost before acting", githubtest.Fault{Route: createIssueRoute, Kind: githubtest.Nothing}},
		{"own issue opened, answer lost", lost(createIssueRoute, 0)},
		{"rollup lost before acting", githubtest.Fault{Route: createIssueRoute, Kind: githubtest.Nothing, Skip: 1}},
		{"rollup opened, answer lost", lost(createIssueRoute, 1)},
		{"rollup opened, answer 502", githubtest.Fault{Route: createIssueRoute, Kind: githubtest.HTML, When: githubtest.AfterActing, Skip: 1}},
		{"rollup edited, answer lost", lost(updateIssueRoute, 0)},
		{"rollup not edited", githubtest.Fault{Route: updateIssueRoute, Status: 500}},
		{"closing commented, answer lost", lost(createCommentPath, 0)},
		{"closed, answer lost", lost(updateIssueRoute, 2)},
		{"list out of order", githubtest.Fault{Route: "GET /repos/{owner}/{repo}/issues", Status: 502, Times: 3}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, play{policy: atMost(1)})
			s.Fail(test.fault)
			s.failing("v1")
			two, three := s.failing("v2"), s.failing("v3")
			s.retry()
			s.wantListed("failed", true, "v2", "v3")
			s.signed(two, "v2")
			s.retry()
			s.wantListed("one passed", true, "v3")
			three.Delete()
			s.settle()
			s.retry()
			s.wantListed("the other was deleted", false)
			if n := len(s.rollup().Comments); n != 1 {
				t.Errorf("%d comments on the rollup, want the one that it closed with", n)
			}
			if n := len(s.owned()); n != 1 {
				t.Errorf("%d open issues of releases, want 1", n)
			}
		})
	}
}

func TestRollupWhoseLastReleasePassesBeforeTheAnswerIsKnown(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{policy: atMost(1)})
	one := s.failing("v1")
	s.Fail(githubtest.Fault{Route: createIssueRoute, Kind: githubtest.Nothing, When: githubtest.AfterActing})
	s.Fail(githubtest.Fault{Route: "GET /repos/{owner}/{repo}/issues", Status: 502, Skip: 1, Times: 2})
	two := s.failing("v2")
	one.Delete()
	two.Delete()
	s.settle()
	s.retry()
	s.wantListed("deleted meanwhile", false)
	if reason := s.rollup().StateReason; reason != "completed" {
		t.Errorf("rollup closed as %q, want completed", reason)
	}
}

func TestRollupIsWrittenOnceForOneFact(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{policy: atMost(1)})
	s.failing("v1")
	rel := s.failing("v2")
	before := s.rollup()
	s.ForgetCalls()
	rel.Edit("another text")
	s.settle()
	s.advance(time.Minute)
	for _, d := range s.Deliveries() {
		if _, err := s.Redeliver(t.Context(), d.GUID); err != nil {
			t.Fatal(err)
		}
	}
	s.settle()
	if d := cmp.Diff(before.Body, s.rollup().Body); d != "" {
		t.Errorf("body (-before +after):\n%s", d)
	}
	if n := len(s.CallsTo(updateIssueRoute)) + len(s.CallsTo(createIssueRoute)); n != 0 {
		t.Errorf("%d issues written although nothing changed", n)
	}
}

func TestRollupThatAPersonClosed(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{policy: atMost(1)})
	s.failing("v1")
	rel := s.failing("v2")
	s.repo.CloseIssue(s.rollup().Number, "ann", "not_planned")
	rel.Edit("another text")
	s.settle()
	s.advance(time.Minute)
	s.wantListed("nothing is new", false)
	s.failing("v3")
	s.wantListed("another release fails", true, "v2", "v3")
}

func TestRollupEscapesHostileTags(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{policy: atMost(1)})
	s.failing("v1")
	s.failing("v2|@root|<img/src=x>")
	body := s.rollup().Body
	if !strings.Contains(body, "| `v2¦@root¦<img/src=x>` | high |") {
		t.Errorf("the tag is not one code span:\n%s", body)
	}
}

func TestMaxOpenCountsOpenIssuesOfOurs(t *testing.T) {
	t.Parallel()
	mark := func(n int) string { return fmt.Sprintf("<!-- landwaiter:finding v=1 key=release:1:%d state=00 -->", n) }
	tests := []struct {
		name   string
		before func(s *stage)
		own    bool // whether v2 gets an issue of its own beside v1's, under max_open 2
	}{
		{"nothing else", func(*stage) {}, true},
		{"people's issues with our label and mark", func(s *stage) {
			for n := range 5 {
				s.repo.OpenIssue("ann", "mine", mark(n), "landwaiter")
			}
		}, true},
		{"one of ours that a person closed", func(s *stage) {
			s.failing("v0")
			s.repo.CloseIssue(s.owned()[0], "ann", "not_planned")
		}, true},
		{"one of ours that is open", func(s *stage) { s.failing("v0") }, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, play{policy: atMost(2)})
			test.before(s)
			s.failing("v1")
			s.failing("v2")
			if test.own {
				s.wantListed("two of ours", false)
			} else {
				s.wantListed("three of ours", true, "v2")
			}
			if n := len(s.owned()); n != 2 {
				t.Errorf("%d open issues of releases, want 2", n)
			}
		})
	}
}

func TestMaxOpenHoldsWhenManyFailAtOnceAndWhenOneFailsAgain(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{policy: atMost(1)})
	one := s.repo.Release(githubtest.ReleaseOptions{Tag: "v1", Assets: map[string][]byte{"app.tar.gz": []byte("v1")}})
	for _, tag := range []string{"v2", "v3"} {
		s.repo.Release(githubtest.ReleaseOptions{Tag: tag, Assets: map[string][]byte{"app.tar.gz": []byte(tag)}})
	}
	s.settle()
	s.advance(time.Minute)
	s.wantListed("three at once", true, "v2", "v3")
	s.signed(one, "v1")
	s.wantListed("v2 got the room", true, "v3")
	one.ReplaceAsset("app.tar.gz", []byte("worse\n"))
	one.Edit("worse now")
	s.settle()
	s.advance(time.Minute)
	tags, _ := s.listed()
	slices.Sort(tags)
	if d := cmp.Diff([]string{"v1", "v3"}, tags); d != "" || len(s.owned()) != 1 {
		t.Errorf("v1 fails again: %d open issues of releases, want 1; rollup lists (-want +got):\n%s", len(s.owned()), d)
	}
	if issue := s.rollup(); !slices.Contains(issue.Labels, "landwaiter:critical") {
		t.Errorf("labels %v, want that of the worst release, critical", issue.Labels)
	}
}

func TestMaxOpenWithoutIssues(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{policy: atMost(1)})
	s.failing("v1")
	s.inst.Grant("issues", "")
	s.failing("v2")
	s.wantListed("not permitted", false)
	s.inst.Grant("issues", "write")
	s.failing("v3")
	s.wantListed("permitted again", true, "v2", "v3")
}

func TestRollupWhenOneIssueIsRefused(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{policy: atMost(1)})
	one := s.failing("v1")
	s.Fail(githubtest.Fault{Route: createCommentPath, Status: 403, Times: -1})
	s.signed(one, "v1")
	s.failing("v2")
	s.wantListed("the issue of v1 cannot be closed and keeps its place", true, "v2")
	s.Heal()
	s.failing("v3")
	s.wantListed("v2 has the place of v1", true, "v3")
}
