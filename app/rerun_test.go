package app

import (
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/app/githubtest"
)

// TestRerun asks for a check again in each way GitHub offers: a new run with the same
// verdict, and the old one untouched.
func TestRerun(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		ask  func(r *githubtest.Repo, p *githubtest.Pull, run githubtest.CheckRun)
		runs int
	}{
		{"of the run", func(r *githubtest.Repo, p *githubtest.Pull, run githubtest.CheckRun) { r.RerequestRun(run.ID, "mona") }, 2},
		{"of the suite", func(r *githubtest.Repo, p *githubtest.Pull, run githubtest.CheckRun) {
			r.RerequestSuite(p.HeadSHA(), "mona")
		}, 2},
		{"by the button", func(r *githubtest.Repo, p *githubtest.Pull, run githubtest.CheckRun) {
			r.Collaborator("mona", "push")
			r.RequestAction(run.ID, "recheck", "mona")
		}, 2},
		{"by the button, by a stranger", func(r *githubtest.Repo, p *githubtest.Pull, run githubtest.CheckRun) {
			r.RequestAction(run.ID, "recheck", "stranger")
		}, 1},
		{"by a button that is not ours", func(r *githubtest.Repo, p *githubtest.Pull, run githubtest.CheckRun) {
			r.Collaborator("mona", "push")
			r.RequestAction(run.ID, "request_exception", "mona")
		}, 1},
		{"twice at once", func(r *githubtest.Repo, p *githubtest.Pull, run githubtest.CheckRun) {
			r.RerequestRun(run.ID, "mona")
			r.RerequestRun(run.ID, "mona")
		}, 2},
	}
	for _, fork := range []string{"", "eve"} {
		for _, tt := range tests {
			name := tt.name
			if fork != "" {
				name += ", fork"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, githubtest.Options{}, nil)
				r := w.shop()
				p := r.OpenPull(githubtest.PullOptions{Head: "change", Fork: fork, Files: githubtest.Files{"package-lock.json": lock("lodash@4.17.20")}})
				w.settle()
				first := w.concluded(r, p.HeadSHA(), "failure", "1 violation")
				tt.ask(r, p, first)
				w.settle()
				last := w.concluded(r, p.HeadSHA(), "failure", "1 violation")
				runs := r.CheckRuns(p.HeadSHA())
				if len(runs) != tt.runs {
					t.Errorf("%d check runs, want %d: %+v", len(runs), tt.runs, runs)
				}
				for _, run := range runs {
					if run.Status != "completed" {
						t.Errorf("run %d is still %s", run.ID, run.Status)
					}
				}
				if tt.runs > 1 && (last.ID == first.ID || last.ExternalID == first.ExternalID) {
					t.Error("the rerun did not open a new run")
				}
				if got := w.buried(); len(got) > 0 {
					t.Errorf("buried jobs: %q", got)
				}
			})
		}
	}
}

// TestKnownContent judges the same content again: nothing that a digest names is fetched twice.
func TestKnownContent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, nil)
	r := w.shop()
	p := w.pull(r, "change", githubtest.Files{"package-lock.json": lock("lodash@4.17.20")})
	run := w.concluded(r, p.HeadSHA(), "failure", "1 violation")
	w.github.ForgetCalls()
	r.RerequestRun(run.ID, "mona")
	w.settle()
	if again := w.concluded(r, p.HeadSHA(), "failure", "1 violation"); len(again.Annotations) != 1 {
		t.Errorf("%d annotations on the new run, want 1", len(again.Annotations))
	}
	for _, c := range w.github.Calls() {
		// The tip of a branch is no digest: a rerun judges by the policy in force now.
		if strings.Contains(c.Path, "/git/") && !strings.Contains(c.Path, "/git/ref/") || strings.Contains(c.Path, "/compare/") || strings.Contains(c.Path, "/contents/") {
			t.Errorf("%s %s was asked for again", c.Method, c.Path)
		}
	}
	if w.scanner.Calls() != 2 {
		t.Errorf("the scanner was asked %d times, want 2: a rerun looks at today's advisories", w.scanner.Calls())
	}
}

// TestMergeGroup judges what a merge queue would merge, and again on request.
func TestMergeGroup(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, nil)
	r := w.shop()
	good := w.pull(r, "good", githubtest.Files{"docs.md": "x\n"})
	bad := w.pull(r, "bad", githubtest.Files{"package-lock.json": lock("lodash@4.17.20")})
	clean := r.MergeGroup(good)
	w.settle()
	w.concluded(r, clean.HeadSHA, "success", "No dependency changes")
	group := r.MergeGroup(good, bad)
	w.settle()
	run := w.concluded(r, group.HeadSHA, "failure", "1 violation")
	r.RerequestRun(run.ID, "mona")
	w.settle()
	if again := w.concluded(r, group.HeadSHA, "failure", "1 violation"); again.ID == run.ID {
		t.Error("the rerun did not open a new run")
	}
}

// TestDuplicates delivers everything of a pull request three times in a different order: the
// outcome is that of once.
func TestDuplicates(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, nil)
	r := w.shop()
	p := w.pull(r, "change", githubtest.Files{"package-lock.json": lock("lodash@4.17.20")})
	w.concluded(r, p.HeadSHA(), "failure", "1 violation")
	runs, reports, calls := len(r.CheckRuns("")), len(w.reports()), len(w.github.Calls())
	all := w.github.Deliveries()
	for i := range all {
		if _, err := w.github.Redeliver(t.Context(), all[len(all)-1-i].GUID); err != nil {
			t.Fatal(err)
		}
	}
	w.settle()
	if n := len(r.CheckRuns("")); n != runs {
		t.Errorf("%d check runs after redelivery, %d before", n, runs)
	}
	if n := len(w.reports()); n != reports {
		t.Errorf("%d reports after redelivery, %d before", n, reports)
	}
	if n := len(w.github.Calls()); n != calls {
		t.Errorf("%d calls after redelivery, %d before", n, calls)
	}
}
