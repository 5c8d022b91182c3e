package githubtest

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v62/github"
)

func TestPulls(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.repo.Branch("release", w.first)
	w.repo.Fork("eve")
	inside := w.repo.OpenPull(PullOptions{Head: "f", Files: Files{"a": "1"}, Title: "inside"})
	forked := w.repo.OpenPull(PullOptions{Head: "f", Files: Files{"b": "1"}, Fork: "eve", Author: "eve", Base: "release", Draft: true})
	closed := w.repo.OpenPull(PullOptions{Head: "g", Files: Files{"c": "1"}})
	closed.Close()

	list := func(o *github.PullRequestListOptions) []int {
		t.Helper()
		pulls, _, err := w.client.PullRequests.List(w.ctx(), "acme", "shop", o)
		if err != nil {
			t.Fatal(err)
		}
		numbers := []int{}
		for _, p := range pulls {
			numbers = append(numbers, p.GetNumber())
		}
		return numbers
	}
	tests := map[string]struct {
		options github.PullRequestListOptions
		want    []int
	}{
		"open, newest first": {github.PullRequestListOptions{}, []int{forked.Number, inside.Number}},
		"all, oldest first":  {github.PullRequestListOptions{State: "all", Direction: "asc"}, []int{inside.Number, forked.Number, closed.Number}},
		"by base":            {github.PullRequestListOptions{Base: "release"}, []int{forked.Number}},
		"by head":            {github.PullRequestListOptions{Head: "acme:f"}, []int{inside.Number}},
		"by head of a fork":  {github.PullRequestListOptions{Head: "eve:f"}, []int{forked.Number}},
		"none":               {github.PullRequestListOptions{Base: "other"}, []int{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, list(&tt.options)); diff != "" {
				t.Errorf("numbers (-want +got):\n%s", diff)
			}
		})
	}
	p, _, err := w.client.PullRequests.Get(w.ctx(), "acme", "shop", forked.Number)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(p.GetHead().GetRepo().GetFullName(), " ", p.GetHead().GetLabel(), " ", p.GetBase().GetRef(), " ", p.GetDraft(), " ", p.GetChangedFiles())
	if want := "eve/shop eve:f release true 1"; got != want {
		t.Errorf("fork: %s, want %s", got, want)
	}
	forked.DeleteFork()
	if a := w.get(fmt.Sprintf("/repos/acme/shop/pulls/%d", forked.Number)); a.field(t, "head", "repo") != nil {
		t.Error("a deleted fork is still shown")
	}
	w.get(fmt.Sprintf("/repos/acme/shop/contents/b?ref=refs/pull/%d/head", forked.Number))
	w.want(w.call("GET", "/repos/acme/shop/pulls/99", nil), 404)
}

func TestPullFollowsItsBranch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	p := w.repo.OpenPull(PullOptions{Head: "f", Files: Files{"a": "1"}})
	pushed := p.Push(Files{"a": "2"})
	direct := w.repo.Commit("f", "more", Files{"b": "1"})
	forced := w.repo.ForcePush("f", "again", Files{"c": "1"})
	if p.HeadSHA() != forced || direct == pushed {
		t.Errorf("head %s, want %s", p.HeadSHA(), forced)
	}
	if got := w.repo.Head(fmt.Sprintf("refs/pull/%d/head", p.Number)); got != forced {
		t.Errorf("refs/pull/N/head is %s, want %s", got, forced)
	}
	w.repo.Commit("main", "base moves", Files{"d": "1"})
	if p.BaseSHA() != w.first {
		t.Error("the base moves without a push to the head")
	}
	p.Push(Files{"e": "1"})
	if p.BaseSHA() == w.first {
		t.Error("the base stays after a push to the head")
	}
	merged := p.Merge()
	if w.repo.Head("main") != merged {
		t.Errorf("main is %s, want %s", w.repo.Head("main"), merged)
	}
	pulls, _, err := w.client.PullRequests.ListPullRequestsWithCommit(w.ctx(), "acme", "shop", p.HeadSHA(), nil)
	if err != nil || len(pulls) != 1 || pulls[0].GetMergedAt().IsZero() {
		t.Errorf("pull requests with the commit: %v, %v", pulls, err)
	}
}

// TestPullFiles pages through more files than a pull request lists.
func TestPullFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	many := Files{}
	for i := range 3005 {
		many[fmt.Sprintf("d%d/%04d.txt", i%7, i)] = "x"
	}
	p := w.repo.OpenPull(PullOptions{Head: "f", Files: many})
	o := &github.ListOptions{PerPage: 100, Page: 29}
	seen := map[string]bool{}
	for o.Page != 0 {
		files, resp, err := w.client.PullRequests.ListFiles(w.ctx(), "acme", "shop", p.Number, o)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			seen[f.GetFilename()] = true
		}
		if o.Page == 29 && resp.LastPage != 30 {
			t.Errorf("last page %d, want 30", resp.LastPage)
		}
		o.Page = resp.NextPage
	}
	if len(seen) != 200 {
		t.Errorf("%d files on the last two pages, want 200", len(seen))
	}
	if a := w.get(fmt.Sprintf("/repos/acme/shop/pulls/%d", p.Number)); a.field(t, "changed_files") != float64(3005) {
		t.Errorf("changed_files %v, want 3005", a.field(t, "changed_files"))
	}
}

func TestMergeGroup(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	one := w.repo.OpenPull(PullOptions{Head: "f", Files: Files{"a": "1"}})
	two := w.repo.OpenPull(PullOptions{Head: "g", Files: Files{"b": "1", "docs/readme.md": Deleted}, Fork: "eve"})
	m := w.repo.MergeGroup(one, two)
	if m.BaseSHA != w.first {
		t.Errorf("base %s, want %s", m.BaseSHA, w.first)
	}
	a := w.get("/repos/acme/shop/compare/" + m.BaseSHA + "..." + m.HeadSHA)
	var files []string
	for i := range a.field(t, "files").([]any) {
		files = append(files, fmt.Sprint(a.field(t, "files", i, "status"), " ", a.field(t, "files", i, "filename")))
	}
	if diff := cmp.Diff([]string{"added a", "added b", "removed docs/readme.md"}, files); diff != "" {
		t.Errorf("files of the group (-want +got):\n%s", diff)
	}
}
