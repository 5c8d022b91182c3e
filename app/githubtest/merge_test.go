package githubtest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v62/github"
)

// with lists the merged pull requests that hold a commit.
func (w *world) with(sha string) []int {
	w.t.Helper()
	pulls, _, err := w.client.PullRequests.ListPullRequestsWithCommit(w.ctx(), "acme", "shop", sha, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	numbers := []int{}
	for _, p := range pulls {
		if !p.GetMergedAt().IsZero() {
			numbers = append(numbers, p.GetNumber())
		}
	}
	return numbers
}

// TestMergeMethods merges in each way: what lands, who signs, and that GitHub finds the pull
// request of each commit that landed.
func TestMergeMethods(t *testing.T) {
	t.Parallel()
	tests := []struct {
		method   string
		commits  int // that landed and the base had not
		verified int
		parents  int // of the new tip
	}{
		{"merge", 3, 1, 2}, {"squash", 1, 1, 1}, {"rebase", 2, 0, 1},
	}
	for _, tt := range tests {
		t.Run(tt.method, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{})
			p := w.repo.OpenPull(PullOptions{Head: "f", Files: Files{"a": "1"}, Author: "ann"})
			p.Push(Files{"b": "2"})
			before := w.repo.Commit("main", "meanwhile", Files{"c": "3"})
			tip := p.Merge(MergeOptions{Method: tt.method, By: "bo"})
			found, _, err := w.client.Repositories.CompareCommits(w.ctx(), "acme", "shop", before, tip, nil)
			if err != nil {
				t.Fatal(err)
			}
			verified := 0
			for _, c := range found.Commits {
				if c.GetCommit().GetVerification().GetVerified() {
					verified++
				}
				if got := w.with(c.GetSHA()); !slices.Equal(got, []int{p.Number}) {
					t.Errorf("pull requests with %s: %v", c.GetSHA(), got)
				}
			}
			last := found.Commits[len(found.Commits)-1]
			if len(found.Commits) != tt.commits || verified != tt.verified || len(last.Parents) != tt.parents {
				t.Errorf("%d commits, %d verified, %d parents, want %d, %d, %d", len(found.Commits), verified, len(last.Parents), tt.commits, tt.verified, tt.parents)
			}
			for _, name := range []string{"a", "b", "c"} {
				w.get("/repos/acme/shop/contents/" + name)
			}
			if by := w.get(fmt.Sprintf("/repos/acme/shop/pulls/%d", p.Number)).field(t, "merged_by", "login"); by != "bo" {
				t.Errorf("merged by %v", by)
			}
			if got := w.with(before); len(got) != 0 {
				t.Errorf("pull requests with a commit pushed directly: %v", got)
			}
		})
	}
}

// TestMergedByPushing: pushing the head to the base merges, as on GitHub; closing does not.
func TestMergedByPushing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	p := w.repo.OpenPull(PullOptions{Head: "f", Files: Files{"a": "1"}})
	closed := w.repo.OpenPull(PullOptions{Head: "f"})
	closed.Close()
	w.repo.Branch("main", p.HeadSHA())
	if got := w.with(p.HeadSHA()); !slices.Equal(got, []int{p.Number}) {
		t.Errorf("got %v", got)
	}
	side := w.repo.Commit("side", "sideways", Files{"s": "1"})
	merged := w.repo.MergeInto("main", side)
	if w.repo.Head("main") != merged || len(w.with(merged)) != 0 {
		t.Errorf("main is %s with %v, want %s and none", w.repo.Head("main"), w.with(merged), merged)
	}
}

func TestMergeQueueMerges(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	p := w.repo.OpenPull(PullOptions{Head: "f", Files: Files{"a": "1"}})
	q := w.repo.OpenPull(PullOptions{Head: "g", Files: Files{"b": "1"}})
	m := w.repo.MergeGroup(p, q)
	m.Merge()
	if w.repo.Head("main") != m.HeadSHA || w.repo.Head(m.HeadRef) != "" {
		t.Errorf("main is %s, want %s, and no branch of the queue", w.repo.Head("main"), m.HeadSHA)
	}
	if got := w.with(m.HeadSHA); !slices.Equal(got, []int{q.Number}) {
		t.Errorf("got %v", got)
	}
}

func TestReviews(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.repo.Collaborator("bo", "push")
	p := w.repo.OpenPull(PullOptions{Head: "f", Files: Files{"a": "1"}})
	first := p.HeadSHA()
	p.Review("bo", "APPROVED")
	p.Review("helper[bot]", "COMMENTED")
	second := p.Push(Files{"a": "2"})
	p.Review("eve", "CHANGES_REQUESTED")
	p.Dismiss("bo")
	list := func() []string {
		t.Helper()
		var got []string
		o := &github.ListOptions{PerPage: 2, Page: 1}
		for o.Page != 0 {
			reviews, resp, err := w.client.PullRequests.ListReviews(w.ctx(), "acme", "shop", p.Number, o)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range reviews {
				got = append(got, fmt.Sprint(v.GetUser().GetLogin(), " ", v.GetUser().GetType(), " ", v.GetState(), " ", v.GetCommitID() == second, " ", v.GetCommitID() == first, " ", v.GetAuthorAssociation()))
			}
			o.Page = resp.NextPage
		}
		return got
	}
	want := []string{"bo User DISMISSED false true COLLABORATOR", "helper[bot] Bot COMMENTED false true NONE", "eve User CHANGES_REQUESTED true false NONE"}
	if d := cmp.Diff(want, list()); d != "" {
		t.Errorf("reviews (-want +got):\n%s", d)
	}
	p.ForgetReviewers()
	if got := list(); got[0] != "  DISMISSED false true NONE" {
		t.Errorf("deleted account: %q", got[0])
	}
	w.want(w.call("GET", "/repos/acme/shop/pulls/99/reviews", nil), 404)
	w.inst.Grant("pull_requests", "")
	_, other := installationClient(t, w.GitHub, w.inst.ID)
	w.auth = other
	w.want(w.call("GET", fmt.Sprintf("/repos/acme/shop/pulls/%d/reviews", p.Number), nil), 403)
}

func TestProtectedBranches(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.repo.Branch("next", w.first)
	w.repo.Protect("main", true)
	for query, want := range map[string][]string{"": {"main", "next"}, "?protected=true": {"main"}, "?protected=false": {"next"}} {
		var got []string
		a := w.get("/repos/acme/shop/branches" + query)
		for i := range len(want) {
			got = append(got, fmt.Sprint(a.field(t, i, "name")))
		}
		if all, _ := a.field(t).([]any); len(all) != len(want) {
			t.Errorf("branches%s: %s", query, a.body)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("branches%s (-want +got):\n%s", query, d)
		}
	}
	w.repo.Protect("main", false)
	if a := w.get("/repos/acme/shop/branches?protected=true"); string(a.body) != "[]" {
		t.Errorf("protected branches: %s, want none", a.body)
	}
}

// TestCompareWithoutPages shows the newest 250 commits, as GitHub does.
func TestCompareWithoutPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	var tip string
	for i := range 260 {
		tip = w.repo.Commit("main", fmt.Sprint(i), Files{"n": fmt.Sprint(i)})
	}
	found, _, err := w.client.Repositories.CompareCommits(w.ctx(), "acme", "shop", w.first, tip, nil)
	if err != nil || len(found.Commits) != 250 || found.GetTotalCommits() != 260 || found.Commits[249].GetSHA() != tip {
		t.Errorf("%d of %d commits, last %v, %v", len(found.Commits), found.GetTotalCommits(), found.Commits[len(found.Commits)-1].GetSHA() == tip, err)
	}
}

func TestRunActors(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	run := w.repo.WorkflowRun(RunOptions{Actor: "ann", Again: "bo"})
	a := w.get(fmt.Sprintf("/repos/acme/shop/actions/runs/%d", run.ID))
	if a.field(t, "actor", "login") != "ann" || a.field(t, "triggering_actor", "login") != "bo" {
		t.Errorf("got %v, %v", a.field(t, "actor", "login"), a.field(t, "triggering_actor", "login"))
	}
}
