package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store"
)

// The routes of a pull request's path, in the order they are called.
var pullRoutes = []string{
	"POST /app/installations/{installation_id}/access_tokens",
	"POST /repos/{owner}/{repo}/check-runs",
	"GET /repos/{owner}/{repo}/pulls/{pull_number}",
	"GET /repos/{owner}/{repo}/compare/{basehead}",
	"GET /repos/{owner}/{repo}/contents/{path}",
	"GET /repos/{owner}/{repo}/git/trees/{tree_sha}",
	"GET /repos/{owner}/{repo}/git/blobs/{file_sha}",
	"PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}",
}

// TestPassingFaults disturbs each route once, in each way, before and after acting: the
// verdict comes all the same, once.
func TestPassingFaults(t *testing.T) {
	t.Parallel()
	faults := []struct {
		name  string
		fault githubtest.Fault
	}{
		{"500", githubtest.Fault{Status: 500}},
		{"401", githubtest.Fault{Status: 401, Body: `{"message":"Bad credentials"}`}},
		{"HTML", githubtest.Fault{Kind: githubtest.HTML}},
		{"HTML with 200", githubtest.Fault{Kind: githubtest.HTML, Status: 200}},
		{"cut body", githubtest.Fault{Kind: githubtest.CutBody}},
		{"nothing", githubtest.Fault{Kind: githubtest.Nothing}},
		{"403 secondary", githubtest.Fault{Status: 403, Header: http.Header{"Retry-After": {"30"}}, Body: `{"message":"You have exceeded a secondary rate limit."}`}},
		{"403 secondary without header", githubtest.Fault{Status: 403, Body: `{"message":"You have exceeded a secondary rate limit. Please wait."}`}},
		{"429", githubtest.Fault{Status: 429, Body: `{"message":"Too many requests"}`}},
		{"403 primary", githubtest.Fault{Status: 403, Header: http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Limit": {"5000"}, "X-Ratelimit-Reset": {"1"}}, Body: `{"message":"API rate limit exceeded"}`}},
	}
	for _, f := range faults {
		for _, when := range []githubtest.When{githubtest.BeforeActing, githubtest.AfterActing} {
			name := f.name + ", before acting"
			if when == githubtest.AfterActing {
				name = f.name + ", after acting"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, githubtest.Options{Contract: githubtest.Off}, nil)
				for i, route := range pullRoutes {
					// Each route has a repository of its own, so that nothing of it is known yet.
					r := w.repo(fmt.Sprintf("shop-%d", i), githubtest.Files{policyPath: enforcing, "package-lock.json": lock(fmt.Sprintf("pkg-%d@1.0.0", i))})
					fault := f.fault
					fault.Route, fault.When = route, when
					w.github.Fail(fault)
					p := r.OpenPull(githubtest.PullOptions{Head: "change", Files: githubtest.Files{"package-lock.json": lock("lodash@4.17.20")}})
					w.rest()
					if !slices.ContainsFunc(w.github.CallsTo(route), func(c githubtest.Call) bool {
						return c.Fault && strings.Contains(c.Path, r.FullName()) || c.Fault && i == 0
					}) {
						t.Errorf("%s was not disturbed", route)
					}
					w.concluded(r, p.HeadSHA(), "failure", "1 violation")
					if runs := r.CheckRuns(p.HeadSHA()); len(runs) != 1 || len(runs[0].Annotations) != 1 {
						t.Errorf("%s: %d runs, want one with one annotation: %+v", route, len(runs), runs)
					}
					if n := len(w.reports()); n != i+1 {
						t.Errorf("%s: %d reports of %d pull requests", route, n, i+1)
					}
				}
			})
		}
	}
}

// TestLastingFaults lets GitHub refuse for good: the check says so, nothing is lost, and the
// service goes on.
func TestLastingFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		route      string
		fault      githubtest.Fault
		conclusion string
		title      string
	}{
		{"500 on trees", pullRoutes[5], githubtest.Fault{Status: 500}, "failure", "Landwaiter failed, ref "},
		{"404 on the pull request", pullRoutes[2], githubtest.Fault{Status: 404, Body: `{"message":"Not Found"}`}, "failure", "Landwaiter failed, ref "},
		{"422 on compare", pullRoutes[3], githubtest.Fault{Status: 422, Body: `{"message":"Unprocessable"}`}, "failure", "Landwaiter failed, ref "},
		{"HTML on blobs", pullRoutes[6], githubtest.Fault{Kind: githubtest.HTML, Status: 200}, "failure", "Landwaiter failed, ref "},
		{"cut blobs", pullRoutes[6], githubtest.Fault{Kind: githubtest.CutBody}, "failure", "Landwaiter failed, ref "},
		{"nothing on contents", pullRoutes[4], githubtest.Fault{Kind: githubtest.Nothing}, "failure", "Landwaiter failed, ref "},
		{"401 on the pull request", pullRoutes[2], githubtest.Fault{Status: 401, Body: `{"message":"Bad credentials"}`}, "failure", "Landwaiter failed, ref "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, githubtest.Options{Contract: githubtest.Off}, nil)
			r := w.shop()
			fault := tt.fault
			fault.Route, fault.Times = tt.route, -1
			w.github.Fail(fault)
			p := r.OpenPull(githubtest.PullOptions{Head: "change", Files: githubtest.Files{"package-lock.json": lock("lodash@4.17.20")}})
			w.rest()
			run := w.concluded(r, p.HeadSHA(), tt.conclusion, tt.title)
			buried := w.buried()
			_, ref, _ := strings.Cut(run.Output.Title, "ref ")
			if len(buried) != 1 || !strings.Contains(buried[0], "judge pr:") || !strings.Contains(buried[0], "ref "+ref) {
				t.Errorf("buried jobs %q, want the judgment under %q", buried, ref)
			}
			if n := len(w.reports()); n != 0 {
				t.Errorf("%d reports, want none: there was no verdict", n)
			}
			w.github.Heal()
			p.Push(githubtest.Files{"package-lock.json": lock("lodash@4.17.21")})
			w.rest()
			w.concluded(r, p.HeadSHA(), "success", "no violations")
		})
	}
}

// TestPrimaryLimit lets the quota run out in the middle: the work waits until the reset and
// then goes on, without counting as attempts.
func TestPrimaryLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, nil)
	r := w.shop()
	w.github.SetRate(githubtest.Rate{Limit: 5000, Remaining: 3, Reset: w.clock.Now().Add(40 * time.Minute)})
	p := w.pull(r, "change", githubtest.Files{"package-lock.json": lock("lodash@4.17.20")})
	before := w.github.RoundTrips()
	w.clock.Add(20 * time.Minute)
	w.settle()
	if n := w.github.RoundTrips() - before; n > 1 {
		t.Errorf("%d calls while the limit lasts: %+v", n, w.github.Calls()[len(w.github.Calls())-n:])
	}
	if len(w.buried()) > 0 {
		t.Errorf("buried: %q", w.buried())
	}
	w.clock.Add(21 * time.Minute)
	w.settle()
	w.concluded(r, p.HeadSHA(), "failure", "1 violation")
}

// TestPermissionMissing withdraws a permission: the check says which, when it can be shown.
func TestPermissionMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, nil)
	r := w.shop()
	permissions := githubtest.AllPermissions()
	delete(permissions, "pull_requests")
	w.github.Org("lesser")
	w.github.Install("lesser", githubtest.InstallOptions{Permissions: permissions})
	lesser := w.github.Repo("lesser", "shop", githubtest.RepoOptions{})
	lesser.Commit("main", "first", githubtest.Files{policyPath: enforcing, "package-lock.json": lock()})
	p := w.pull(lesser, "change", githubtest.Files{"package-lock.json": lock("lodash@4.17.20")})
	w.rest()
	w.concluded(lesser, p.HeadSHA(), "action_required", "Pull requests: read")
	// The other installation is not touched by it.
	q := w.pull(r, "change", githubtest.Files{"package-lock.json": lock("lodash@4.17.20")})
	w.concluded(r, q.HeadSHA(), "failure", "1 violation")
}

// TestG30Suspended suspends the installation: work for it stops at once and nothing is tried
// over and over.
func TestG30Suspended(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, nil)
	i := w.github.Install("other")
	r := w.github.Repo("other", "shop", githubtest.RepoOptions{})
	r.Commit("main", "first", githubtest.Files{policyPath: enforcing, "package-lock.json": lock()})
	w.settle()
	r.OpenPull(githubtest.PullOptions{Head: "change", Files: githubtest.Files{"package-lock.json": lock("lodash@4.17.20")}})
	if err := w.github.Settle(context.Background()); err != nil {
		t.Fatal(err)
	}
	i.Suspend()
	w.github.ForgetCalls()
	w.rest()
	if n := len(w.github.Calls()); n > 4 {
		t.Errorf("%d calls for a suspended installation", n)
	}
}

// TestScannerFaults lets the scanner fail, panic and hang: the verdict is never Pass and the
// check says why.
func TestScannerFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		fail       func(ctx context.Context) error
		conclusion string
		title      string
	}{
		{"error", func(context.Context) error { return errors.New("the index is gone") }, "failure", "Could not check"},
		{"panic", func(context.Context) error { panic("out of bounds") }, "failure", "Could not check"},
		{"hangs", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, "timed_out", "Timed out"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, githubtest.Options{}, nil)
			if tt.name == "hangs" {
				w.app.limits.judge = 300 * time.Millisecond
			}
			w.scanner.fail = tt.fail
			r := w.shop()
			p := w.pull(r, "change", githubtest.Files{"package-lock.json": lock("lodash@4.17.20")})
			w.rest()
			w.concluded(r, p.HeadSHA(), tt.conclusion, tt.title)
			if n := w.scanner.Calls(); n > maxTimeouts {
				t.Errorf("the scanner was asked %d times, want at most %d", n, maxTimeouts)
			}
		})
	}
}

// TestKilledWorker takes jobs away from a worker that died at each step: another does them
// once the lease ends, and the outcome is that of one.
func TestKilledWorker(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"route", "publish:check", "judge"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			w, r, p, dead := claimedAt(t, step)
			// It got as far as doing the work, but not as far as saying so.
			w.settle()
			w.clock.Add(w.app.limits.lease + time.Second)
			w.settle()
			w.concluded(r, p.HeadSHA(), "failure", "1 violation")
			if runs, reports := len(r.CheckRuns("")), len(w.reports()); runs != 1 || reports != 1 {
				t.Errorf("%d runs and %d reports, want one each", runs, reports)
			}
			// I14: what it still believes to own changes nothing.
			if err := w.app.attempt(context.Background(), dead); err != nil && !errors.Is(err, store.ErrLeaseLost) {
				t.Errorf("the dead worker's job ended with %v, want a lost lease or nothing", err)
			}
			w.settle()
			if runs, reports := len(r.CheckRuns("")), len(w.reports()); runs != 1 || reports != 1 {
				t.Errorf("after the dead worker woke up: %d runs and %d reports, want one each", runs, reports)
			}
		})
	}
}

// claimedAt opens a pull request with a violation, and leaves its job of a step claimed.
func claimedAt(t *testing.T, step string) (*world, *githubtest.Repo, *githubtest.Pull, store.Job) {
	t.Helper()
	w := newWorld(t, githubtest.Options{}, nil)
	r := w.shop()
	p := r.OpenPull(githubtest.PullOptions{Head: "change", Files: githubtest.Files{"package-lock.json": lock("lodash@4.17.20")}})
	if err := w.github.Settle(context.Background()); err != nil {
		t.Fatal(err)
	}
	return w, r, p, w.claimUntil(step)
}

// claimUntil works until a job of a step is claimed, and leaves that one claimed.
func (w *world) claimUntil(step string) store.Job {
	w.t.Helper()
	for range 50 {
		jobs, err := w.db.Claim(context.Background(), "dying", 1, w.app.limits.lease)
		if err != nil || len(jobs) == 0 {
			w.t.Fatalf("no job of step %s came: %v", step, err)
		}
		if jobs[0].Step == step {
			return jobs[0]
		}
		w.app.work(context.Background(), jobs[0])
	}
	w.t.Fatalf("no job of step %s came", step)
	return store.Job{}
}

// TestG14Canary looks for secrets and payloads in the log of a day with every fault.
func TestG14Canary(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{Contract: githubtest.Off}, nil)
	r := w.shop()
	for _, route := range pullRoutes {
		w.github.Fail(githubtest.Fault{Route: route, Status: 500, Body: `{"message":"canary-body-of-an-answer"}`})
		w.github.Fail(githubtest.Fault{Route: route, Kind: githubtest.Nothing})
	}
	p := r.OpenPull(githubtest.PullOptions{Head: "change", Title: "canary-of-the-payload", Files: githubtest.Files{"package-lock.json": lock("lodash@4.17.20")}})
	w.rest()
	w.concluded(r, p.HeadSHA(), "failure", "1 violation")
	log := w.log.String()
	if !strings.Contains(log, "job put back") {
		t.Fatal("the log says nothing of the faults")
	}
	for _, secret := range []string{"ghs_", "Bearer", "canary-of-the-payload", w.github.WebhookSecret(), "PRIVATE KEY", "eyJ"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log contains %q", secret)
		}
	}
}

// TestInternalFault lets our own code panic: the check says that it is our fault, and the
// process goes on.
func TestInternalFault(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, func(c *Config) {
		c.ReadInventory = func(context.Context, []checks.File) checks.Inventory { panic("out of bounds") }
	})
	r := w.shop()
	p := w.pull(r, "change", githubtest.Files{"package-lock.json": lock("lodash@4.17.20")})
	w.concluded(r, p.HeadSHA(), "failure", "Landwaiter failed, ref ")
	q := w.pull(r, "other", githubtest.Files{"README.md": "x\n"})
	w.concluded(r, q.HeadSHA(), "success", "No dependency changes")
}
