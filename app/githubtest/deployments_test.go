package githubtest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestDeploymentReview(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	run := w.repo.WorkflowRun(RunOptions{ID: 33698471, Path: ".github/workflows/deploy.yml", Status: "waiting"})
	d := run.Deploy("production")
	path := fmt.Sprintf("/repos/acme/shop/actions/runs/%d/deployment_protection_rule", run.ID)
	if got := d.Event().body["deployment_callback_url"]; got != w.APIURL()+path {
		t.Errorf("callback %v, want %s", got, w.APIURL()+path)
	}
	if a := w.get(fmt.Sprintf("/repos/acme/shop/actions/runs/%d", run.ID)); a.field(t, "path") != ".github/workflows/deploy.yml" {
		t.Errorf("run %s", a.body)
	}
	report := func(state, comment, environment string) int {
		body := object{"environment_name": environment, "comment": comment}
		if state != "" {
			body["state"] = state
		}
		return w.call("POST", path, body).status
	}
	pending := fmt.Sprintf("/repos/acme/shop/actions/runs/%d/pending_deployments", run.ID)
	if a := w.get(pending); a.field(t, 0, "environment", "name") != "production" {
		t.Errorf("pending %s", a.body)
	}
	d.RefuseEarly(1)
	got := []int{
		report("", "received", "production"), report("approved", "too early", "production"), report("approved", "fine", "production"),
		report("rejected", "too late", "production"), report("approved", "fine", "staging"),
		report("", strings.Repeat("c", 1025), "production"),
	}
	if diff := cmp.Diff([]int{204, 422, 204, 422, 422, 422}, got); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	want := []DeploymentReport{{Comment: "received"}, {State: "approved", Comment: "fine"}}
	if diff := cmp.Diff(want, d.Reports(), cmpopts.IgnoreTypes(time.Time{})); diff != "" {
		t.Errorf("reports (-want +got):\n%s", diff)
	}
	if a := w.get(pending); len(a.field(t).([]any)) != 0 {
		t.Errorf("pending after the verdict: %s", a.body)
	}
	w.inst.Grant("deployments", "read")
	if got := report("", "x", "production"); got != 403 {
		t.Errorf("without deployments: write: %d, want 403", got)
	}
}

func TestDeploymentTakesTenReports(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	run := w.repo.WorkflowRun(RunOptions{})
	run.Deploy("production")
	path := fmt.Sprintf("/repos/acme/shop/actions/runs/%d/deployment_protection_rule", run.ID)
	for range 10 {
		w.want(w.call("POST", path, object{"environment_name": "production", "comment": "still looking"}), 204)
	}
	w.want(w.call("POST", path, object{"environment_name": "production", "comment": "still looking"}), 422)
}

// TestDeploymentOfAnotherAttempt: a run that is started again leaves what waited before, and
// other rules keep a decided deployment in the list.
func TestDeploymentOfAnotherAttempt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	run := w.repo.WorkflowRun(RunOptions{Status: "waiting"})
	first := run.Deploy("production")
	first.Wait()
	path := fmt.Sprintf("/repos/acme/shop/actions/runs/%d/", run.ID)
	w.want(w.call("POST", path+"deployment_protection_rule", object{"environment_name": "production", "state": "approved", "comment": "fine"}), 204)
	if a := w.get(path + "pending_deployments"); a.field(t, 0, "environment", "name") != "production" {
		t.Errorf("pending %s, want it listed while another rule waits", a.body)
	}
	run.Again("waiting")
	if a := w.get(path + "pending_deployments"); len(a.field(t).([]any)) != 0 {
		t.Errorf("pending %s, want nothing of the attempt before", a.body)
	}
	second := run.Deploy("production")
	w.want(w.call("POST", path+"deployment_protection_rule", object{"environment_name": "production", "state": "rejected", "comment": "no"}), 204)
	if len(first.Reports()) != 1 || len(second.Reports()) != 1 {
		t.Errorf("reports %v and %v, want one each", first.Reports(), second.Reports())
	}
}
