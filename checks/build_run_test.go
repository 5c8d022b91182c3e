package checks_test

import (
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/checks"
)

const runURL = "https://github.com/acme/app/actions/runs/1/attempts/1"

// ran is the baseline with the run that built it, as GitHub tells of it.
func ran(t *testing.T) *relCase {
	t.Helper()
	c := genuine(t)
	c.release().Runs = map[string]checks.BuildRun{runURL: {
		RepositoryID: 11, Commit: commit, Workflow: ".github/workflows/release.yml", Attempt: 1, Status: "completed", Conclusion: "success",
	}}
	return c
}

// TestV37BuildRun changes one thing of a release that passes.
func TestV37BuildRun(t *testing.T) {
	t.Parallel()
	run := func(change func(*checks.BuildRun)) func(*relCase) {
		return func(c *relCase) {
			r := c.release().Runs[runURL]
			change(&r)
			c.release().Runs[runURL] = r
		}
	}
	for _, c := range []struct {
		name    string
		change  func(*relCase)
		want    string // code of the asset
		verdict checks.Verdict
	}{
		{"baseline", func(*relCase) {}, "", checks.Pass},
		{"path with its ref", run(func(r *checks.BuildRun) { r.Workflow += "@refs/tags/v1.2.0" }), "", checks.Pass},
		{"V37 failed", run(func(r *checks.BuildRun) { r.Conclusion = "failure" }), checks.CodeRunNotSuccessful, checks.Fail},
		{"V37 cancelled", run(func(r *checks.BuildRun) { r.Conclusion = "cancelled" }), checks.CodeRunNotSuccessful, checks.Fail},
		{"V37 no conclusion", run(func(r *checks.BuildRun) { r.Conclusion = "" }), checks.CodeRunNotSuccessful, checks.Fail},
		{"V37 other commit", run(func(r *checks.BuildRun) { r.Commit = strings.Repeat("d", 40) }), checks.CodeRunNotSuccessful, checks.Fail},
		{"V37 other workflow file", run(func(r *checks.BuildRun) { r.Workflow = ".github/workflows/test.yml" }), checks.CodeRunNotSuccessful, checks.Fail},
		{"V37 workflow file with the same end", run(func(r *checks.BuildRun) { r.Workflow = "release.yml" }), checks.CodeRunNotSuccessful, checks.Fail},
		{"V37 other repository", run(func(r *checks.BuildRun) { r.RepositoryID = 99 }), checks.CodeRunNotSuccessful, checks.Fail},
		{"V37 gone", run(func(r *checks.BuildRun) {
			*r = checks.BuildRun{Problem: &checks.Reason{Code: checks.CodeNotReadable, Message: "gone"}}
		}), checks.CodeNotReadable, checks.Unknown},
		{"V37 zero value", run(func(r *checks.BuildRun) { *r = checks.BuildRun{} }), checks.CodeRunNotSuccessful, checks.Fail},
		{"not asked about", func(c *relCase) { c.release().Runs = map[string]checks.BuildRun{} }, checks.CodeNotReadable, checks.Unknown},
		{"started again and failed", run(func(r *checks.BuildRun) { r.Attempt, r.Conclusion = 2, "failure" }), checks.CodeNotReadable, checks.Unknown},
		{"started again and succeeded", run(func(r *checks.BuildRun) { r.Attempt = 2 }), "", checks.Pass},
		{"other evidence of a run that succeeded", func(c *relCase) {
			failed := provenance("app.tar.gz", sumApp)
			failed.Certificate.Run = "https://github.com/acme/app/actions/runs/2/attempts/1"
			c.release().Runs[failed.Certificate.Run] = checks.BuildRun{Conclusion: "failure"}
			c.evidence.Attestations = append([]checks.Attestation{failed}, c.evidence.Attestations...)
		}, "", checks.Pass},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rel := ran(t)
			c.change(rel)
			r := rel.judge()
			if r.Verdict != c.verdict || r.Assets[0].Code != c.want {
				t.Errorf("got %v, %q, want %v, %q: %v", r.Verdict, r.Assets[0].Code, c.verdict, c.want, r.Reasons)
			}
		})
	}
}

// TestBuildRunNotices: what is not known and not held against the asset is told.
func TestBuildRunNotices(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*relCase){
		"not ended": func(c *relCase) {
			r := c.release().Runs[runURL]
			r.Status, r.Conclusion = "in_progress", ""
			c.release().Runs[runURL] = r
		},
		"not permitted": func(c *relCase) {
			c.release().Runs, c.release().RunsUnknown = nil, "Landwaiter needs \"Actions: read\""
		},
	} {
		rel := ran(t)
		change(rel)
		r := rel.judge()
		if r.Verdict != checks.Pass || len(r.Notices) != 1 || r.Notices[0].Code != checks.CodeRunUnfinished {
			t.Errorf("%s: got %v, %+v", name, r.Verdict, r.Notices)
		}
	}
	if r := ran(t).judge(); len(r.Notices) != 0 {
		t.Errorf("baseline: %+v", r.Notices)
	}
}
