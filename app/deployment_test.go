package app

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/output"
)

// deployPolicy lets a deployment to production pass when the release passed.
var deployPolicy = reportPolicy + "environments:\n  production: {require: [release_passed]}\n"

const reviewRoute = "POST /repos/{owner}/{repo}/actions/runs/{run_id}/deployment_protection_rule"

// deploy lets a run of a commit wait in the environment production.
func (s *stage) deploy(sha string) (*githubtest.WorkflowRun, *githubtest.Deployment) {
	run := s.repo.WorkflowRun(githubtest.RunOptions{SHA: sha, Status: "waiting"})
	return run, run.Deploy("production")
}

// said returns what was said about a deployment, and checks what holds always: it was received
// once at most, answered once at most, and approved only with a Pass on its commit in the
// ledger (THREATS I18).
func (s *stage) said(run *githubtest.WorkflowRun, d *githubtest.Deployment, sha string) (state, comment string) {
	s.t.Helper()
	receipts := 0
	for _, r := range d.Reports() {
		if r.State == "" {
			receipts++
			continue
		}
		if state != "" {
			s.t.Errorf("answered %s and then %s", state, r.State)
		}
		state, comment = r.State, r.Comment
	}
	if receipts > 1 {
		s.t.Errorf("%d receipts", receipts)
	}
	if state == output.DeploymentApproved {
		key := subjectArgs{Repo: repo{ID: s.repo.ID()}, Kind: checks.KindDeployment, RunID: run.ID, Environment: "production"}.key()
		r, err := s.store.ReportByKey(s.t.Context(), key)
		if err != nil || r.Report.Verdict != checks.Pass || r.Report.Subject.Commit != sha {
			s.t.Errorf("approved without a Pass on %s: %+v, %v", sha, r.Report, err)
		}
	}
	return state, comment
}

func TestG36DeploymentRule(t *testing.T) {
	t.Parallel()
	reject := func(s *stage) { s.release([]byte("other bytes\n")) }
	pass := func(s *stage) { s.release(tarball) }
	tests := []struct {
		name    string
		policy  string
		release func(s *stage)
		change  func(s *stage, d *githubtest.Deployment)
		state   string
		says    string
		waits   bool // until the longest wait is over
	}{
		{"baseline", deployPolicy, pass, nil, "approved", "Landwaiter: approved", false},
		{"the release failed", deployPolicy, reject, nil, "rejected", "the release v1.0.0 failed", false},
		{"no release", deployPolicy, func(*stage) {}, nil, "rejected", "no release at commit", true},
		{"no release, a shorter wait", strings.Replace(deployPolicy, "[release_passed]", "[release_passed], max_wait: 5m", 1), func(*stage) {}, nil, "rejected", "waited 5 minutes", false},
		{"asked for another commit", deployPolicy, pass, func(s *stage, d *githubtest.Deployment) { d.Of(strings.Repeat("f", 40)) }, "rejected", "asked for commit", false},
		{"no rule for the environment", reportPolicy, pass, nil, "rejected", "no rule for the environment", false},
		{"no policy", "none", pass, nil, "rejected", "no rule for the environment", false},
		{"observing, passed", strings.Replace(deployPolicy, "enforce", "observe", 1), pass, nil, "approved", "approved", false},
		{"observing, failed", strings.Replace(deployPolicy, "enforce", "observe", 1), reject, nil, "rejected", "failed", false},
		{"the release is unknown", deployPolicy, func(s *stage) {
			pass(s)
			s.Fail(githubtest.Fault{Route: "BLOB assets", Status: 404, Times: -1})
		}, nil, "rejected", "could not be verified", false},
		{"the release is unknown, and waited for", strings.Replace(deployPolicy, "[release_passed]", "[release_passed], on_incomplete: wait", 1), func(s *stage) {
			pass(s)
			s.Fail(githubtest.Fault{Route: "BLOB assets", Status: 404, Times: -1})
		}, nil, "rejected", "could not be verified", true},
		{"a draft that passed", deployPolicy, func(s *stage) { s.draft(tarball) }, nil, "approved", "approved", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, play{policy: test.policy})
			run, d := s.deploy(s.head)
			if test.change != nil {
				test.change(s, d)
			}
			s.settle()
			test.release(s)
			for range 20 {
				s.advance(time.Minute)
			}
			if state, _ := s.said(run, d, s.head); (state == "") != test.waits {
				t.Errorf("answered %q after 20 minutes, want to wait %v", state, test.waits)
			}
			for range 11 {
				s.advance(time.Minute)
			}
			state, comment := s.said(run, d, s.head)
			if state != test.state || !strings.Contains(comment, test.says) {
				t.Errorf("answered %q %q, want %q with %q", state, comment, test.state, test.says)
			}
		})
	}
}

// TestG36OtherCommit: a Pass of one commit approves no run of another, however close.
func TestG36OtherCommit(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{policy: deployPolicy})
	s.release(tarball)
	s.settle()
	s.advance(time.Minute)
	second := s.repo.Commit("main", "second", githubtest.Files{"README.md": "two\n"})
	run, d := s.deploy(second)
	other, e := s.deploy(s.head)
	for range 31 {
		s.advance(time.Minute)
	}
	if state, comment := s.said(run, d, second); state != "rejected" || !strings.Contains(comment, "no release at commit") {
		t.Errorf("the run of another commit: %q %q, want it rejected", state, comment)
	}
	if state, _ := s.said(other, e, s.head); state != "approved" {
		t.Errorf("the run of the commit: %q, want it approved", state)
	}
}

// TestG36Replay: a delivery that comes again answers nothing again; another attempt at the run
// is judged anew.
func TestG36Replay(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{policy: deployPolicy})
	rel := s.release(tarball)
	s.settle()
	s.advance(time.Minute)
	run, d := s.deploy(s.head)
	d.Wait() // another rule has not decided, so GitHub still lists it
	s.settle()
	if state, _ := s.said(run, d, s.head); state != "approved" {
		t.Fatalf("baseline: %q", state)
	}
	calls := len(s.CallsTo(reviewRoute))
	if _, err := s.DeliverRaw(t.Context(), "deployment_protection_rule", s.lastDelivery("deployment_protection_rule"), nil); err != nil {
		t.Fatal(err)
	}
	s.settle()
	s.sweep()
	if n := len(s.CallsTo(reviewRoute)); n != calls {
		t.Errorf("%d reports after a replay and a sweep, want %d as before", n, calls)
	}
	rel.ReplaceAsset("app.tar.gz", []byte("swapped\n"))
	rel.Edit("nothing to see")
	run.Again("waiting")
	again := run.Deploy("production")
	for range 5 {
		s.advance(time.Minute)
	}
	if state, comment := s.said(run, again, s.head); state != "rejected" {
		t.Errorf("the next attempt, after the release was changed: %q %q, want it rejected", state, comment)
	}
}

// lastDelivery returns the body of the last delivery of an event.
func (s *stage) lastDelivery(event string) []byte {
	s.t.Helper()
	for _, d := range slices.Backward(s.Deliveries()) {
		if d.Event == event {
			return d.Payload
		}
	}
	s.t.Fatalf("there was no delivery of %s", event)
	return nil
}

// TestG36RevokedMeanwhile takes away what a Pass rests on between the verdict and the answer.
func TestG36RevokedMeanwhile(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(s *stage, rel *githubtest.Release)
		state  string
		says   string
	}{
		{"baseline", func(*stage, *githubtest.Release) {}, "approved", ""},
		{"asset swapped", func(_ *stage, rel *githubtest.Release) { rel.ReplaceAsset("app.tar.gz", []byte("swapped\n")) }, "rejected", "failed"},
		{"tag moved", func(s *stage, _ *githubtest.Release) {
			s.repo.Tag("v1.0.0", s.repo.Commit("other", "second", githubtest.Files{"README.md": "two\n"}))
		}, "rejected", "no release at commit"},
		{"release deleted", func(_ *stage, rel *githubtest.Release) { rel.Delete() }, "rejected", "no release at commit"},
		{"policy tightened", func(s *stage, _ *githubtest.Release) {
			s.repo.Commit("main", "stricter", githubtest.Files{policyPath: strings.Replace(deployPolicy, "production", "staging", 1)})
		}, "rejected", "no rule for the environment"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			i := &intruder{next: http.DefaultTransport, method: http.MethodGet, part: "/deployments/"}
			s := newStage(t, play{policy: deployPolicy, change: func(c *Config) { c.Transport = i }})
			rel := s.release(tarball)
			s.settle()
			s.advance(time.Minute)
			i.once = func() { test.change(s, rel) } // gather has read the release's verdict or is about to
			run, d := s.deploy(s.head)
			for range 32 {
				s.advance(time.Minute)
			}
			if i.once != nil {
				t.Fatal("the change did not come about")
			}
			if state, comment := s.said(run, d, s.head); state != test.state || !strings.Contains(comment, test.says) {
				t.Errorf("answered %q %q, want %q with %q", state, comment, test.state, test.says)
			}
		})
	}
}

// TestG36Faults disturbs the answer and the receipt, before and after they act: GitHub hears
// one answer.
func TestG36Faults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		fault githubtest.Fault
		early int  // answers refused as too early
		other bool // another rule goes on waiting
		state string
		kept  string // the state in the store
	}{
		{"none", githubtest.Fault{Route: "none"}, 0, false, "approved", answerApproved},
		{"receipt lost before acting", githubtest.Fault{Route: reviewRoute, Kind: githubtest.Nothing}, 0, false, "approved", answerApproved},
		{"receipt taken, answer lost", githubtest.Fault{Route: reviewRoute, Kind: githubtest.Nothing, When: githubtest.AfterActing}, 0, false, "approved", answerApproved},
		{"receipt refused", githubtest.Fault{Route: reviewRoute, Status: 422}, 0, false, "approved", answerApproved},
		{"answer lost before acting", githubtest.Fault{Route: reviewRoute, Skip: 1, Kind: githubtest.Nothing}, 0, false, "approved", answerApproved},
		{"answer taken, reply lost", githubtest.Fault{Route: reviewRoute, Skip: 1, Kind: githubtest.Nothing, When: githubtest.AfterActing}, 0, false, "approved", answerApproved},
		{"answer taken, reply 502", githubtest.Fault{Route: reviewRoute, Skip: 1, Kind: githubtest.HTML, When: githubtest.AfterActing}, 0, false, "approved", answerApproved},
		{"answer taken, reply lost, another rule waits", githubtest.Fault{Route: reviewRoute, Skip: 1, Kind: githubtest.Nothing, When: githubtest.AfterActing}, 0, true, "approved", answerRefused},
		{"answer 500", githubtest.Fault{Route: reviewRoute, Skip: 1, Status: 500}, 0, false, "approved", answerApproved},
		{"too early, then taken", githubtest.Fault{Route: "none"}, 5, false, "approved", answerApproved},
		{"never taken", githubtest.Fault{Route: "none"}, 1000, false, "", answerRefused},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, play{policy: deployPolicy})
			s.release(tarball)
			s.settle()
			s.advance(time.Minute)
			s.Fail(test.fault)
			s.SetAutoDeliver(false)
			run, d := s.deploy(s.head)
			d.RefuseEarly(test.early)
			if test.other {
				d.Wait()
			}
			s.SetAutoDeliver(true)
			if _, err := s.Deliver(t.Context(), d.Event()); err != nil {
				t.Fatal(err)
			}
			for range 40 {
				s.advance(time.Minute)
			}
			if state, comment := s.said(run, d, s.head); state != test.state {
				t.Errorf("answered %q %q, want %q", state, comment, test.state)
			}
			key := subjectArgs{Repo: repo{ID: s.repo.ID()}, Kind: checks.KindDeployment, RunID: run.ID, Environment: "production"}.key()
			if known, err := s.app.answerKnown(t.Context(), key); err != nil || known.State != test.kept {
				t.Errorf("kept %+v, %v, want %q", known, err, test.kept)
			}
			if buried, err := s.store.Buried(t.Context(), 10); err != nil || len(buried) != 0 {
				t.Errorf("buried jobs %+v, %v, want none", buried, err)
			}
		})
	}
}

// TestG36Sweep finds a deployment whose delivery was lost, and leaves alone one whose
// environment the policy does not name.
func TestG36Sweep(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{policy: deployPolicy})
	s.release(tarball)
	s.settle()
	s.advance(time.Minute)
	s.SetAutoDeliver(false)
	run, d := s.deploy(s.head)
	foreign := run.Deploy("docs")
	s.sweep()
	if state, _ := s.said(run, d, s.head); state != "approved" {
		t.Errorf("answered %q, want it found and approved", state)
	}
	if n := len(foreign.Reports()); n != 0 {
		t.Errorf("%d reports on an environment that is none of ours", n)
	}
}

// TestDeploymentOpenFindings looks into the manifests of the commit that goes out.
func TestDeploymentOpenFindings(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, lock, state, says string }{
		{"clean", lock("left-pad@1.3.0"), "approved", ""},
		{"a high advisory", lock("lodash@4.17.20"), "rejected", "1 open finding of severity high or more: lodash GHSA-35jh-r3h4-6jhm"},
		{"a lock file that cannot be read", "not JSON", "rejected", "package-lock.json"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, play{
				policy: reportPolicy + "environments: {production: {no_open: high}}\n",
				change: func(c *Config) {
					c.Scanners, c.Wanted, c.ReadInventory = []checks.Scanner{&scanner{}}, wantedLock, readLocks
				},
			})
			s.head = s.repo.Commit("main", "second", githubtest.Files{"package-lock.json": test.lock})
			run, d := s.deploy(s.head)
			s.settle()
			if state, comment := s.said(run, d, s.head); state != test.state || !strings.Contains(comment, test.says) {
				t.Errorf("answered %q %q, want %q with %q", state, comment, test.state, test.says)
			}
		})
	}
}

// TestG28DeploymentOwnFault: what cannot be judged is rejected, and the comment says whose fault
// it is.
func TestG28DeploymentOwnFault(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{
		policy: reportPolicy + "environments: {production: {no_open: high}}\n",
		change: func(c *Config) {
			c.Wanted = wantedLock
			c.ReadInventory = func(context.Context, []checks.File) checks.Inventory { panic("out of bounds") }
		},
	})
	s.head = s.repo.Commit("main", "second", githubtest.Files{"package-lock.json": lock("left-pad@1.3.0")})
	run, d := s.deploy(s.head)
	s.settle()
	if state, comment := s.said(run, d, s.head); state != "rejected" || !strings.Contains(comment, "there is no verdict") || !strings.Contains(comment, "Landwaiter failed, ref ") {
		t.Errorf("answered %q %q, want it rejected for our own fault", state, comment)
	}
}

// TestG13Callback: only the address that a run of the repository has at our API is taken.
func TestG13Callback(t *testing.T) {
	t.Parallel()
	base, err := url.Parse("https://api.github.com/")
	if err != nil {
		t.Fatal(err)
	}
	shop := repo{Owner: "acme", Name: "shop"}
	tests := []struct {
		callback string
		want     int64
	}{
		{"https://api.github.com/repos/acme/shop/actions/runs/7/deployment_protection_rule", 7},
		{"https://api.github.com/repos/Acme/Shop/actions/runs/7/deployment_protection_rule", 7},
		{"https://api.github.com.evil.example/repos/acme/shop/actions/runs/7/deployment_protection_rule", 0},
		{"https://evil.example/https://api.github.com/repos/acme/shop/actions/runs/7/deployment_protection_rule", 0},
		{"https://api.github.com@evil.example/repos/acme/shop/actions/runs/7/deployment_protection_rule", 0},
		{"http://api.github.com/repos/acme/shop/actions/runs/7/deployment_protection_rule", 0},
		{"https://api.github.com/repos/acme/other/actions/runs/7/deployment_protection_rule", 0},
		{"https://api.github.com/repos/acme/shop/actions/runs/7/deployment_protection_rule?x=1", 0},
		{"https://api.github.com/repos/acme/shop/actions/runs/7/../8/deployment_protection_rule", 0},
		{"https://api.github.com/repos/acme/shop/actions/runs/-7/deployment_protection_rule", 0},
		{"https://api.github.com/repos/acme/shop/actions/runs/007/deployment_protection_rule", 0},
		{"https://api.github.com/repos/acme/shop/actions/runs/99999999999999999999/deployment_protection_rule", 0},
		{"https://api.github.com/repos/acme/shop/actions/runs/7", 0},
		{"", 0},
	}
	for _, test := range tests {
		got, err := runOfCallback(base, shop, test.callback)
		if got != test.want || (err == nil) != (test.want > 0) {
			t.Errorf("%q: %d, %v, want %d", test.callback, got, err, test.want)
		}
	}
}

// TestG13ForeignCallback: a delivery with a foreign address is kept and shown as buried, and
// nobody is called.
func TestG13ForeignCallback(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{policy: deployPolicy})
	s.settle()
	s.SetAutoDeliver(false)
	_, d := s.deploy(s.head)
	body := strings.ReplaceAll(string(d.Event().Body()), s.APIURL()+"/repos/acme/shop/actions", "https://evil.example/repos/acme/shop/actions")
	s.ForgetCalls()
	if _, err := s.DeliverRaw(t.Context(), "deployment_protection_rule", []byte(body), nil); err != nil {
		t.Fatal(err)
	}
	s.settle()
	buried, err := s.store.Buried(t.Context(), 10)
	if err != nil || len(buried) != 1 || !strings.Contains(buried[0].LastError, "the callback address is not that of a run") {
		t.Errorf("buried %+v, %v, want the delivery with its reason", buried, err)
	}
	if d := cmp.Diff(0, len(s.Calls())); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
}

// TestG36SecondRelease: a release that passes does not outweigh another at the same commit that
// failed, until that is deleted.
func TestG36SecondRelease(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{policy: deployPolicy})
	s.release(tarball)
	bad := s.repo.Release(githubtest.ReleaseOptions{Tag: "v2.0.0", Assets: map[string][]byte{"app.tar.gz": tarball}})
	s.settle()
	s.advance(time.Minute)
	run, d := s.deploy(s.head)
	s.settle()
	if state, comment := s.said(run, d, s.head); state != "rejected" || !strings.Contains(comment, "v2.0.0 failed") {
		t.Errorf("answered %q %q, want it rejected for v2.0.0", state, comment)
	}
	bad.Delete()
	run.Again("waiting")
	again := run.Deploy("production")
	s.settle()
	if state, comment := s.said(run, again, s.head); state != "approved" {
		t.Errorf("answered %q %q after the failed release is gone, want approved", state, comment)
	}
}
