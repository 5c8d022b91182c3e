package app

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/checks"
)

// TestPullRequest sends a pull request through the whole path: webhook in, check run out.
func TestPullRequest(t *testing.T) {
	t.Parallel()
	vulnerable := lock("left-pad@1.3.0", "lodash@4.17.20")
	tests := []struct {
		name       string
		base       githubtest.Files // over the shop's
		head       githubtest.Files
		fork       string
		draft      bool
		conclusion string
		title      string
		scans      int
		annotated  int
	}{
		{name: "clean", head: githubtest.Files{"package-lock.json": lock("left-pad@1.3.0", "lodash@4.17.21")}, conclusion: "success", title: "1 change, no violations", scans: 1},
		{name: "violation", head: githubtest.Files{"package-lock.json": vulnerable}, conclusion: "failure", title: "1 violation", scans: 1, annotated: 1},
		{name: "two violations", head: githubtest.Files{"package-lock.json": lock("lodash@4.17.20", "minimist@1.2.5")}, conclusion: "failure", title: "2 violations", scans: 1, annotated: 2},
		{name: "no manifests changed: no advisory query", head: githubtest.Files{"README.md": "changed\n"}, conclusion: "success", title: "No dependency changes"},
		{name: "G08 fork", head: githubtest.Files{"package-lock.json": vulnerable}, fork: "eve", conclusion: "failure", title: "1 violation", scans: 1, annotated: 1},
		{name: "older findings do not decide", base: githubtest.Files{"package-lock.json": vulnerable}, head: githubtest.Files{"package-lock.json": lock("left-pad@1.3.0", "lodash@4.17.20", "ms@2.1.3")}, conclusion: "success", title: "1 change, no violations", scans: 1},
		{name: "G06 policy edited to let itself pass", head: githubtest.Files{"package-lock.json": vulnerable, policyPath: "version: 1\nmode: observe\n"}, conclusion: "failure", title: "1 violation", scans: 1, annotated: 1},
		{name: "policy removed", head: githubtest.Files{"package-lock.json": vulnerable, policyPath: githubtest.Deleted}, conclusion: "failure", title: "1 violation", scans: 1, annotated: 1},
		{name: "policy with a typo", head: githubtest.Files{policyPath: "version: 1\nmoed: enforce\n"}, conclusion: "failure", title: "Policy file line 2"},
		{name: "policy becomes a link", head: githubtest.Files{policyPath: githubtest.Symlink("other.yml")}, conclusion: "failure", title: "Policy file"},
		{name: "draft is checked by default", head: githubtest.Files{"package-lock.json": vulnerable}, draft: true, conclusion: "failure", title: "1 violation", scans: 1, annotated: 1},
		{name: "draft that policy skips", base: githubtest.Files{policyPath: enforcing + "pull_request: {draft_prs: skip}\n"}, head: githubtest.Files{"package-lock.json": vulnerable}, draft: true, conclusion: "skipped", title: "Draft pull request"},
		{name: "no policy file observes", base: githubtest.Files{policyPath: githubtest.Deleted}, head: githubtest.Files{"package-lock.json": vulnerable}, conclusion: "neutral", title: "not enforced", scans: 1, annotated: 1},
		{name: "G23 lockfile is {}", head: githubtest.Files{"package-lock.json": "{}"}, conclusion: "failure", title: "Could not", scans: 1, annotated: -1},
		{name: "G23 lockfile is empty", head: githubtest.Files{"package-lock.json": ""}, conclusion: "failure", title: "Could not", scans: 1, annotated: -1},
		{name: "G23 lockfile is a link", head: githubtest.Files{"package-lock.json": githubtest.Symlink("other.json")}, conclusion: "failure", title: "Could not", scans: 1, annotated: -1},
		{name: "G23 lockfile of 33 MiB", head: githubtest.Files{"package-lock.json": strings.Repeat(" ", 33<<20)}, conclusion: "failure", title: "Could not", scans: 1, annotated: -1},
		{name: "G23 incomplete is neutral where policy says so", base: githubtest.Files{policyPath: enforcing + "pull_request: {on_incomplete: neutral}\n"}, head: githubtest.Files{"package-lock.json": "{}"}, conclusion: "neutral", title: "Could not", scans: 1, annotated: -1},
		{name: "manifest removed", head: githubtest.Files{"package-lock.json": githubtest.Deleted}, conclusion: "success", title: "1 change, no violations", scans: 1},
		{name: "manifest moved", base: githubtest.Files{"package-lock.json": vulnerable}, head: githubtest.Files{"package-lock.json": githubtest.Deleted, "web/package-lock.json": vulnerable}, conclusion: "success", title: "No dependency changes", scans: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, githubtest.Options{}, nil)
			r := w.shop()
			if tt.base != nil {
				r.Commit("main", "base", tt.base)
			}
			p := r.OpenPull(githubtest.PullOptions{Head: "change", Files: tt.head, Fork: tt.fork, Draft: tt.draft})
			w.settle()
			run := w.concluded(r, p.HeadSHA(), tt.conclusion, tt.title)
			if tt.annotated >= 0 && len(run.Annotations) != tt.annotated {
				t.Errorf("%d annotations, want %d: %+v", len(run.Annotations), tt.annotated, run.Annotations)
			}
			if w.scanner.Calls() != tt.scans {
				t.Errorf("the scanner was asked %d times, want %d", w.scanner.Calls(), tt.scans)
			}
			if n := len(r.CheckRuns(p.HeadSHA())); n != 1 {
				t.Errorf("%d check runs on the head, want 1", n)
			}
			if got := w.buried(); len(got) > 0 {
				t.Errorf("buried jobs: %q", got)
			}
		})
	}
}

// TestShownRun looks at everything of a red check that people and other programs rely on.
func TestShownRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, nil)
	r := w.shop()
	p := w.pull(r, "change", githubtest.Files{"package-lock.json": lock("left-pad@1.3.0", "lodash@4.17.20")})
	run := w.concluded(r, p.HeadSHA(), "failure", "1 violation")
	s := pullSubject(repo{ID: r.ID()}, p.Number, p.HeadSHA())
	if run.ExternalID != s.runID("") {
		t.Errorf("external id %q, want %q", run.ExternalID, s.runID(""))
	}
	if want := fmt.Sprintf("https://landwaiter.example.com/repos/acme/shop/pr/%d@%s?repo=%d&proof=proof-of-%s", p.Number, p.HeadSHA(), r.ID(), s.key()); run.DetailsURL != want {
		t.Errorf("details URL %q, want %q", run.DetailsURL, want)
	}
	if len(run.Actions) != 1 || run.Actions[0].Identifier != "recheck" {
		t.Errorf("actions %+v, want the button Re-check", run.Actions)
	}
	if len(run.Annotations) != 1 || run.Annotations[0].Path != "package-lock.json" || run.Annotations[0].StartLine != 9 {
		t.Errorf("annotations %+v, want one on package-lock.json:9", run.Annotations)
	}
	reports := w.reports()
	if len(reports) != 1 || reports[0].Verdict != checks.Fail || reports[0].Subject.Commit != p.HeadSHA() || reports[0].Subject.RepositoryID != r.ID() {
		t.Errorf("reports %+v, want one Fail on the head", reports)
	}
}

// TestPushes follows a pull request over several heads.
func TestPushes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, nil)
	r := w.shop()
	bad := githubtest.Files{"package-lock.json": lock("lodash@4.17.20")}
	p := w.pull(r, "change", bad)
	red := p.HeadSHA()
	p.Push(githubtest.Files{"package-lock.json": lock("lodash@4.17.21")})
	w.settle()
	w.concluded(r, red, "failure", "1 violation")
	w.concluded(r, p.HeadSHA(), "success", "no violations")
	if n := len(r.CheckRuns("")); n != 2 {
		t.Errorf("%d check runs, want one per head", n)
	}
}

// TestSuperseded pushes twice before any work is done: only the newest head gets a verdict,
// and nothing stays open.
func TestSuperseded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, nil)
	r := w.shop()
	p := r.OpenPull(githubtest.PullOptions{Head: "change", Files: githubtest.Files{"package-lock.json": lock("lodash@4.17.20")}})
	first := p.HeadSHA()
	if err := w.github.Settle(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.step() // the route job: queued is shown next
	w.only("publish:check")
	if run := w.run(r, first); run.Status != "queued" {
		t.Fatalf("status %q before the verdict, want queued", run.Status)
	}
	p.Push(githubtest.Files{"package-lock.json": lock("lodash@4.17.21")})
	w.settle()
	w.concluded(r, first, "cancelled", "Superseded by "+p.HeadSHA()[:7])
	w.concluded(r, p.HeadSHA(), "success", "no violations")
	if n := len(w.reports()); n != 1 {
		t.Errorf("%d reports, want 1: the older head was left", n)
	}
}

// only runs the due jobs of one step, leaving others where they are.
func (w *world) only(step string) {
	w.t.Helper()
	jobs, err := w.db.Claim(context.Background(), "test", 16, w.app.limits.lease)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, j := range jobs {
		if j.Step == step {
			w.app.work(context.Background(), j)
		} else if err := w.db.Finish(context.Background(), j, putBack(j, w.clock.Now())); err != nil {
			w.t.Fatal(err)
		}
	}
}

// TestForcePushBack returns to a head that was left: it gets a new run with a verdict.
func TestForcePushBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, nil)
	r := w.shop()
	p := r.OpenPull(githubtest.PullOptions{Head: "change", Files: githubtest.Files{"package-lock.json": lock("lodash@4.17.20")}})
	first := p.HeadSHA()
	if err := w.github.Settle(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.step()
	w.only("publish:check")
	p.Push(githubtest.Files{"package-lock.json": lock("lodash@4.17.21")})
	w.settle()
	w.concluded(r, first, "cancelled", "Superseded")
	r.Branch("change", first)
	w.settle()
	w.concluded(r, first, "failure", "1 violation")
	if n := len(r.CheckRuns(first)); n != 2 {
		t.Errorf("%d check runs on the head that returned, want 2", n)
	}
}

// TestG07BaseEdited retargets a pull request to a branch with a laxer policy and back: each
// time a new run judges by the rules of the new base.
func TestG07BaseEdited(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, nil)
	r := w.shop()
	r.Commit("lax", "lax", githubtest.Files{policyPath: "version: 1\nmode: observe\n"})
	p := w.pull(r, "change", githubtest.Files{"package-lock.json": lock("lodash@4.17.20")})
	w.concluded(r, p.HeadSHA(), "failure", "1 violation")
	p.SetBase("lax")
	w.settle()
	w.concluded(r, p.HeadSHA(), "neutral", "not enforced")
	p.SetBase("main")
	w.settle()
	w.concluded(r, p.HeadSHA(), "failure", "1 violation")
	p.SetTitle("another title")
	w.settle()
	if n := len(r.CheckRuns(p.HeadSHA())); n != 3 {
		t.Errorf("%d check runs, want one for each base and none for the title", n)
	}
}

// TestDraftBecomesReady skips a draft and judges it in a new run when it is ready: skipped
// would satisfy a required check meanwhile.
func TestDraftBecomesReady(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, nil)
	r := w.repo("shop", githubtest.Files{policyPath: enforcing + "pull_request: {draft_prs: skip}\n", "package-lock.json": lock()})
	p := r.OpenPull(githubtest.PullOptions{Head: "change", Draft: true, Files: githubtest.Files{"package-lock.json": lock("lodash@4.17.20")}})
	w.settle()
	w.concluded(r, p.HeadSHA(), "skipped", "Draft")
	p.SetDraft(false)
	w.settle()
	w.concluded(r, p.HeadSHA(), "failure", "1 violation")
	if n := len(r.CheckRuns(p.HeadSHA())); n != 2 {
		t.Errorf("%d check runs, want the skipped one and a new one", n)
	}
}

// TestBrokenBasePolicy merges a typo into the base branch: the last valid policy stays in
// force where there is one, and nothing passes where there is none.
func TestBrokenBasePolicy(t *testing.T) {
	t.Parallel()
	const typo = "version: 1\nmoed: enforce\n"
	t.Run("after a valid one", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, githubtest.Options{}, nil)
		r := w.shop()
		w.pull(r, "one", githubtest.Files{"package-lock.json": lock("ms@2.1.3")})
		r.Commit("main", "typo", githubtest.Files{policyPath: typo})
		bad := w.pull(r, "two", githubtest.Files{"package-lock.json": lock("lodash@4.17.20")})
		run := w.concluded(r, bad.HeadSHA(), "failure", "1 violation")
		if !strings.Contains(run.Output.Summary+run.Output.Text, "line 2") {
			t.Errorf("the check does not say that the policy on the base branch is broken:\n%s", run.Output.Summary)
		}
		good := w.pull(r, "three", githubtest.Files{"package-lock.json": lock("lodash@4.17.21")})
		w.concluded(r, good.HeadSHA(), "success", "no violations")
	})
	t.Run("from the start", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, githubtest.Options{}, nil)
		r := w.repo("shop", githubtest.Files{policyPath: typo, "package-lock.json": lock()})
		p := w.pull(r, "one", githubtest.Files{"package-lock.json": lock("ms@2.1.3")})
		run := w.concluded(r, p.HeadSHA(), "failure", "Could not check")
		if !strings.Contains(run.Output.Summary, "Policy file line 2") {
			t.Errorf("the check does not say which line is broken:\n%s", run.Output.Summary)
		}
		if v := w.reports()[0].Verdict; v == checks.Pass {
			t.Error("the verdict is Pass without a readable policy")
		}
	})
}

// TestManyFiles changes more files than a comparison lists, and more than one listing of a
// tree holds: the manifest among them is still found.
func TestManyFiles(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		files     int
		treeLimit int
	}{
		{"G23 comparison cut", 320, 0},
		{"G23 tree truncated", 320, 50},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, githubtest.Options{}, nil)
			r := w.shop()
			r.SetTreeLimit(tt.treeLimit)
			head := githubtest.Files{"zz/package-lock.json": lock("lodash@4.17.20")}
			for i := range tt.files {
				head[fmt.Sprintf("docs/%d/page.md", i)] = "x\n"
			}
			p := w.pull(r, "change", head)
			w.concluded(r, p.HeadSHA(), "failure", "1 violation")
		})
	}
	t.Run("G23 too many to walk", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, githubtest.Options{}, nil)
		r := w.shop()
		r.SetTreeLimit(50)
		head := githubtest.Files{}
		for i := range maxWalked {
			head[fmt.Sprintf("docs/%d/page.md", i)] = "x\n"
		}
		p := w.pull(r, "change", head)
		w.concluded(r, p.HeadSHA(), "failure", "Could not")
	})
}

// TestManyAnnotations shows more findings than one request may carry.
func TestManyAnnotations(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, nil)
	r := w.shop()
	var packages []string
	for i := range 123 {
		packages = append(packages, fmt.Sprintf("bad-%d@1.0.0", i))
	}
	p := w.pull(r, "change", githubtest.Files{"package-lock.json": lock(packages...)})
	run := w.concluded(r, p.HeadSHA(), "failure", "123 violations")
	if len(run.Annotations) != 123 {
		t.Errorf("%d annotations, want 123", len(run.Annotations))
	}
	if n := len(w.github.CallsTo("PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}")); n != 3 {
		t.Errorf("%d updates, want 3 of 50 annotations at most", n)
	}
}
