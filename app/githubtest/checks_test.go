package githubtest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v62/github"
)

func TestCheckRunLife(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	checks := w.client.Checks
	run, _, err := checks.CreateCheckRun(w.ctx(), "acme", "shop", github.CreateCheckRunOptions{
		Name: "landwaiter/pr", HeadSHA: w.first, Status: github.String("in_progress"), ExternalID: github.String("run-1"),
		DetailsURL: github.String("https://landwaiter.example.com/1"),
	})
	if err != nil {
		t.Fatal(err)
	}
	update := func(o github.UpdateCheckRunOptions) {
		t.Helper()
		o.Name = "landwaiter/pr"
		if _, _, err := checks.UpdateCheckRun(w.ctx(), "acme", "shop", run.GetID(), o); err != nil {
			t.Fatal(err)
		}
	}
	annotate := func(n, from int) []*github.CheckRunAnnotation {
		var list []*github.CheckRunAnnotation
		for i := range n {
			list = append(list, &github.CheckRunAnnotation{
				Path: github.String("go.mod"), StartLine: github.Int(from + i), EndLine: github.Int(from + i),
				AnnotationLevel: github.String("failure"), Message: github.String("m"), Title: github.String("t"),
			})
		}
		return list
	}
	output := &github.CheckRunOutput{Title: github.String("2 violations"), Summary: github.String("why"), Annotations: annotate(50, 1)}
	update(github.UpdateCheckRunOptions{
		Status: github.String("completed"), Conclusion: github.String("failure"), Output: output,
		Actions: []*github.CheckRunAction{{Label: "Re-check", Description: "Run this check again", Identifier: "recheck"}},
	})
	output.Annotations = annotate(20, 51)
	update(github.UpdateCheckRunOptions{Output: output})

	got, found := w.repo.CheckRun(w.first, "landwaiter/pr")
	if !found {
		t.Fatal("the run is not there")
	}
	if len(got.Annotations) != 70 || got.Annotations[69].StartLine != 70 {
		t.Errorf("%d annotations, want 70 in order", len(got.Annotations))
	}
	got.Annotations, got.Started = nil, got.Completed
	want := CheckRun{
		ID: run.GetID(), Name: "landwaiter/pr", HeadSHA: w.first, Status: "completed", Conclusion: "failure", ExternalID: "run-1",
		DetailsURL: "https://landwaiter.example.com/1", Started: got.Completed, Completed: got.Completed,
		Output:  Output{Title: "2 violations", Summary: "why"},
		Actions: []CheckAction{{Label: "Re-check", Description: "Run this check again", Identifier: "recheck"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("run (-want +got):\n%s", diff)
	}
	page, resp, err := checks.ListCheckRunAnnotations(w.ctx(), "acme", "shop", run.GetID(), &github.ListOptions{PerPage: 50, Page: 2})
	if err != nil || len(page) != 20 || resp.NextPage != 0 {
		t.Errorf("second page of annotations: %d, next %d, %v", len(page), resp.NextPage, err)
	}
}

func TestCheckRunsAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	// Most of these breach the contract as well; here only GitHub's answer matters.
	t.Cleanup(w.ForgetViolations)
	good := object{"name": "n", "head_sha": w.first, "output": object{"title": "t", "summary": "s"}}
	w.want(w.call("POST", "/repos/acme/shop/check-runs", good), 201)
	tests := map[string]object{
		"51 annotations":            {"output": object{"title": "t", "summary": "s", "annotations": manyAnnotations(51)}},
		"summary of 65,536":         {"output": object{"title": "t", "summary": strings.Repeat("s", 65536)}},
		"text of 65,536":            {"output": object{"title": "t", "summary": "s", "text": strings.Repeat("s", 65536)}},
		"completed, no conclusion":  {"status": "completed"},
		"stale":                     {"conclusion": "stale"},
		"unknown commit":            {"head_sha": strings.Repeat("0", 40)},
		"four actions":              {"actions": []object{{"label": "1"}, {"label": "2"}, {"label": "3"}, {"label": "4"}}},
		"identifier of 21":          {"actions": []object{{"label": "l", "description": "d", "identifier": strings.Repeat("i", 21)}}},
		"columns over two lines":    {"output": object{"title": "t", "summary": "s", "annotations": []object{{"path": "a", "start_line": 1, "end_line": 2, "start_column": 1, "annotation_level": "notice", "message": "m"}}}},
		"lines in the wrong order":  {"output": object{"title": "t", "summary": "s", "annotations": []object{{"path": "a", "start_line": 2, "end_line": 1, "annotation_level": "notice", "message": "m"}}}},
		"annotation title too long": {"output": object{"title": "t", "summary": "s", "annotations": []object{{"path": "a", "start_line": 1, "end_line": 1, "annotation_level": "notice", "message": "m", "title": strings.Repeat("t", 256)}}}},
	}
	for name, body := range tests {
		t.Run(name, func(t *testing.T) {
			a := w.call("POST", "/repos/acme/shop/check-runs", with(good, body))
			if a.status != 422 {
				t.Errorf("status %d, want 422: %s", a.status, a.body)
			}
		})
	}
	if n := len(w.repo.CheckRuns("")); n != 1 {
		t.Errorf("%d runs, want the good one alone", n)
	}
	w.ForgetViolations()
}

func TestCheckRunLists(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.repo.ForeignCheckRun(w.first, "landwaiter/pr", "success")
	make := func(name, conclusion string) int64 {
		t.Helper()
		run, _, err := w.client.Checks.CreateCheckRun(w.ctx(), "acme", "shop", github.CreateCheckRunOptions{
			Name: name, HeadSHA: w.first, Conclusion: github.String(conclusion),
		})
		if err != nil {
			t.Fatal(err)
		}
		return run.GetID()
	}
	make("landwaiter/pr", "failure")
	latest := make("landwaiter/pr", "success")
	make("landwaiter/release", "success")
	count := func(o *github.ListCheckRunsOptions) int {
		t.Helper()
		list, _, err := w.client.Checks.ListCheckRunsForRef(w.ctx(), "acme", "shop", "main", o)
		if err != nil {
			t.Fatal(err)
		}
		return list.GetTotal()
	}
	name := github.String("landwaiter/pr")
	got := []int{
		count(nil), count(&github.ListCheckRunsOptions{Filter: github.String("all")}), count(&github.ListCheckRunsOptions{CheckName: name}),
		count(&github.ListCheckRunsOptions{CheckName: name, AppID: github.Int64(w.AppID())}),
	}
	if diff := cmp.Diff([]int{3, 4, 2, 1}, got); diff != "" {
		t.Errorf("latest, all, by name, by name and App (-want +got):\n%s", diff)
	}
	suites, _, err := w.client.Checks.ListCheckSuitesForRef(w.ctx(), "acme", "shop", w.first, nil)
	if err != nil || suites.GetTotal() != 2 {
		t.Fatalf("%d suites, %v; want ours and the other App's", suites.GetTotal(), err)
	}
	for _, s := range suites.CheckSuites {
		if s.GetApp().GetID() != w.AppID() {
			continue
		}
		runs, _, err := w.client.Checks.ListCheckRunsCheckSuite(w.ctx(), "acme", "shop", s.GetID(), nil)
		if err != nil || runs.GetTotal() != 2 || runs.CheckRuns[1].GetID() != latest {
			t.Errorf("runs of our suite: %v, %v", runs.GetTotal(), err)
		}
	}
	foreign := w.repo.CheckRuns("")[0].ID
	_, resp, err := w.client.Checks.UpdateCheckRun(w.ctx(), "acme", "shop", foreign, github.UpdateCheckRunOptions{Name: "x"})
	var refused *github.ErrorResponse
	if !errors.As(err, &refused) || resp.StatusCode != 403 {
		t.Errorf("changing another App's run: %v, want 403", err)
	}
	w.want(w.call("GET", fmt.Sprintf("/repos/acme/shop/check-runs/%d", latest+999), nil), 404)
}
