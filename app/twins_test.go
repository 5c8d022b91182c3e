package app

import (
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/app/githubtest"
)

// twinPulls opens two pull requests from one branch that adds lodash: number one into the base
// that enforces, number two into one that only observes.
func twinPulls(t *testing.T) (*world, *githubtest.Repo, *githubtest.Pull, *githubtest.Pull) {
	t.Helper()
	w := newWorld(t, githubtest.Options{}, nil)
	r := w.shop()
	r.Commit("lax", "lax", githubtest.Files{policyPath: "version: 1\nmode: observe\n"})
	strict := r.OpenPull(githubtest.PullOptions{Head: "change", Files: githubtest.Files{"package-lock.json": lock("lodash@4.17.20", "left-pad@1.3.0")}})
	w.settle()
	w.concluded(r, strict.HeadSHA(), "failure", "1 violation")
	return w, r, strict, r.OpenPull(githubtest.PullOptions{Head: "change", Base: "lax"})
}

// TestG07SameHeadTwoBases opens two pull requests with one head: two verdicts, and no run of
// the commit that could satisfy the stricter base while that one fails.
func TestG07SameHeadTwoBases(t *testing.T) {
	t.Parallel()
	w, r, strict, lax := twinPulls(t)
	w.settle()
	policies := map[int]string{}
	for _, x := range w.reports() {
		policies[x.Subject.Number] = x.Policy
	}
	if len(policies) != 2 || policies[strict.Number] == policies[lax.Number] {
		t.Errorf("reports under the policies %v, want one for each pull request under that of its base", policies)
	}
	runs := r.CheckRuns(strict.HeadSHA())
	if len(runs) != 2 {
		t.Fatalf("%d runs, want one for each pull request", len(runs))
	}
	for _, run := range runs {
		if run.Conclusion != "failure" {
			t.Errorf("run %q ends with %s: it would open the way into the stricter base", run.Output.Title, run.Conclusion)
		}
	}
	if run := w.run(r, lax.HeadSHA()); run.Output.Title != "Fails for #1, which has the same commit" || !strings.Contains(run.Output.Summary, "git commit --allow-empty") {
		t.Errorf("the newest run says %q:\n%s", run.Output.Title, run.Output.Summary)
	}
}

// TestG07TwinLater judges the lax pull request first: its run turns red when the other appears.
func TestG07TwinLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, nil)
	r := w.shop()
	r.Commit("lax", "lax", githubtest.Files{policyPath: "version: 1\nmode: observe\n"})
	lax := r.OpenPull(githubtest.PullOptions{Head: "change", Base: "lax", Files: githubtest.Files{"package-lock.json": lock("lodash@4.17.20", "left-pad@1.3.0")}})
	w.settle()
	w.concluded(r, lax.HeadSHA(), "neutral", "not enforced")
	r.OpenPull(githubtest.PullOptions{Head: "change"})
	w.settle()
	for _, run := range r.CheckRuns(lax.HeadSHA()) {
		if run.Conclusion != "failure" {
			t.Errorf("run %q ends with %s", run.Output.Title, run.Conclusion)
		}
	}
}

// TestG07TwinGone closes the stricter pull request: the other is shown by itself again.
func TestG07TwinGone(t *testing.T) {
	t.Parallel()
	w, r, strict, lax := twinPulls(t)
	w.settle()
	w.concluded(r, lax.HeadSHA(), "failure", "Fails for #1")
	strict.Close()
	w.settle()
	w.concluded(r, lax.HeadSHA(), "neutral", "not enforced")
	if got := w.buried(); len(got) > 0 {
		t.Errorf("buried jobs: %q", got)
	}
}
