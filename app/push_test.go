package app

import (
	"strings"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/checks"
)

// tagPolicy has commits of the default branch judged.
const tagPolicy = enforcing + "releases: {tag_ruleset: true}\n"

// merge merges a pull request into main with files, after it was judged, and returns the commit
// that main is at then.
func (w *world) merge(r *githubtest.Repo, branch string, files githubtest.Files) string {
	w.t.Helper()
	p := w.pull(r, branch, files)
	sha := p.Merge()
	w.rest()
	return sha
}

func TestTagRuleset(t *testing.T) {
	t.Parallel()
	good := githubtest.Files{"package-lock.json": lock("lodash@4.17.21")}
	bad := githubtest.Files{"package-lock.json": lock("lodash@4.17.20")}
	tests := []struct {
		name       string
		policy     string
		commit     func(w *world, r *githubtest.Repo) string
		conclusion string // "": there is no check
		says       string
	}{
		{"baseline", tagPolicy, func(w *world, r *githubtest.Repo) string { return w.merge(r, "change", good) }, "success", "may be tagged"},
		{"the pull request failed", tagPolicy, func(w *world, r *githubtest.Repo) string { return w.merge(r, "change", bad) }, "failure", "landwaiter/pr failed on pull request 1"},
		{"pushed without a pull request", tagPolicy, func(w *world, r *githubtest.Repo) string {
			return r.Commit("main", "direct", good)
		}, "failure", "no merged pull request brought the commit in"},
		{"the pull request was never judged", tagPolicy, func(w *world, r *githubtest.Repo) string {
			w.github.SetAutoDeliver(false)
			p := r.OpenPull(githubtest.PullOptions{Head: "change", Files: good})
			w.github.SetAutoDeliver(true)
			return p.Merge()
		}, "failure", "has no verdict on pull request 1"},
		{"observing", strings.Replace(tagPolicy, "enforce", "observe", 1), func(w *world, r *githubtest.Repo) string {
			return r.Commit("main", "direct", good)
		}, "neutral", "no merged pull request"},
		{"a broken policy file", tagPolicy, func(w *world, r *githubtest.Repo) string {
			return w.merge(r, "change", githubtest.Files{policyPath: "version: 2\n"})
		}, "failure", "Policy file line 1"},
		{"not asked for", enforcing, func(w *world, r *githubtest.Repo) string { return w.merge(r, "change", good) }, "", ""},
		{"no policy file", "", func(w *world, r *githubtest.Repo) string { return w.merge(r, "change", good) }, "", ""},
		{"through a merge group", tagPolicy, func(w *world, r *githubtest.Repo) string {
			m := r.MergeGroup(w.pull(r, "change", good))
			w.rest()
			m.Merge()
			return r.Head("main")
		}, "success", "may be tagged"},
		{"another branch", tagPolicy, func(w *world, r *githubtest.Repo) string {
			return r.Commit("other", "direct", good)
		}, "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, githubtest.Options{Events: append(quiet(), "push")}, nil)
			files := githubtest.Files{policyPath: test.policy, "package-lock.json": lock("left-pad@1.3.0")}
			if test.policy == "" {
				delete(files, policyPath)
			}
			r := w.repo("shop", files)
			sha := test.commit(w, r)
			w.rest()
			run, shown := r.CheckRun(sha, "landwaiter/release")
			if shown != (test.conclusion != "") || run.Conclusion != test.conclusion || !strings.Contains(run.Output.Summary, test.says) {
				t.Errorf("check %v %q, want %q with %q:\n%s\nburied: %s", shown, run.Conclusion, test.conclusion, test.says, run.Output.Summary, w.buried())
			}
		})
	}
}

// TestTagRulesetLeftBehind: a commit that a forced push took off the branch may not be tagged
// any more when somebody asks again.
func TestTagRulesetLeftBehind(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{Events: append(quiet(), "push")}, nil)
	r := w.repo("shop", githubtest.Files{policyPath: tagPolicy, "package-lock.json": lock("left-pad@1.3.0")})
	before := r.Head("main")
	sha := w.merge(r, "change", githubtest.Files{"package-lock.json": lock("lodash@4.17.21")})
	run, _ := r.CheckRun(sha, "landwaiter/release")
	if run.Conclusion != "success" {
		t.Fatalf("baseline: %s", run.Conclusion)
	}
	r.Branch("main", before)
	r.RerequestRun(run.ID, "ann")
	w.rest()
	if run, _ := r.CheckRun(sha, "landwaiter/release"); run.Conclusion != "failure" || !strings.Contains(run.Output.Summary, "does not lead to the commit") {
		t.Errorf("check = %s:\n%s", run.Conclusion, run.Output.Summary)
	}
}

// TestTagRulesetAfterAFailedRelease: the check on a commit does not outshine a release of it
// that failed.
func TestTagRulesetAfterAFailedRelease(t *testing.T) {
	t.Parallel()
	p := checks.DefaultPolicy()
	p.Mode = checks.ModeEnforce
	standing := func(v checks.Verdict) *checks.Material {
		return &checks.Material{Subject: checks.Subject{Kind: checks.KindCommit}, Commit: &checks.Commit{
			Reached: true, Changes: []checks.ChangeStanding{{Number: 1, Judged: true, Verdict: checks.Pass}},
			Releases: []checks.ReleaseStanding{{Tag: "v1", Verdict: v}},
		}}
	}
	for _, v := range []checks.Verdict{checks.Pass, checks.Fail, checks.Unknown} {
		if got := checks.Judge(standing(v), p, nil, time.Now()).Verdict; got != v {
			t.Errorf("release %s: commit %s", v, got)
		}
	}
}

// TestTagRulesetSweep finds a commit whose push was lost.
func TestTagRulesetSweep(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{Events: append(quiet(), "push")}, nil)
	r := w.repo("shop", githubtest.Files{policyPath: tagPolicy, "package-lock.json": lock("left-pad@1.3.0")})
	p := w.pull(r, "change", githubtest.Files{"package-lock.json": lock("lodash@4.17.21")})
	w.github.SetAutoDeliver(false)
	sha := p.Merge()
	if err := w.app.startClock(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.settle()
	if run, _ := r.CheckRun(sha, "landwaiter/release"); run.Conclusion != "success" {
		t.Errorf("check = %q, want it found and judged; buried: %s", run.Conclusion, w.buried())
	}
}

// TestG24TagMovedTold: the push of a tag withdraws the verdict on its release at once.
func TestG24TagMovedTold(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{policy: reportPolicy, options: githubtest.Options{Events: []string{"release", "push"}}})
	rel := s.release(tarball)
	s.settle()
	s.advance(time.Minute)
	if r := s.report(rel); r.Verdict != checks.Pass {
		t.Fatalf("baseline: %s", r.Verdict)
	}
	s.repo.Tag("v1.0.0", s.repo.Commit("main", "second", githubtest.Files{"README.md": "two\n"}))
	s.settle()
	if r := s.report(rel); r.Verdict != checks.Fail || codes(r)["app.tar.gz"] != checks.CodeCommitMismatch {
		t.Errorf("verdict %s %v, want %s", r.Verdict, codes(r), checks.CodeCommitMismatch)
	}
}
