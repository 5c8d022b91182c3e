package githubtest

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v62/github"

	"github.com/landwaiter/landwaiter/app/githubtest/contract"
)

// receiver is a product that notes what it is sent.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []received
	status int
}

type received struct {
	event, guid string
	action      string
	body        []byte
	header      http.Header
	valid       bool
}

func newReceiver(t *testing.T, secret string) *receiver {
	r := &receiver{status: http.StatusAccepted}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil {
			t.Error(err)
		}
		var hint struct{ Action string }
		if err := json.Unmarshal(body, &hint); err != nil {
			hint.Action = "no JSON"
		}
		valid := github.ValidateSignature(q.Header.Get("X-Hub-Signature-256"), body, []byte(secret)) == nil
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, received{
			event: q.Header.Get("X-GitHub-Event"), guid: q.Header.Get("X-GitHub-Delivery"), action: hint.Action,
			body: body, header: q.Header, valid: valid,
		})
		w.WriteHeader(r.status)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) all() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]received{}, r.got...)
}

// names lists what came, "event action".
func (r *receiver) names() []string {
	var list []string
	for _, x := range r.all() {
		list = append(list, x.event+" "+x.action)
	}
	return list
}

func (w *world) settle() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx(), 20*time.Second)
	defer cancel()
	if err := w.Settle(ctx); err != nil {
		w.t.Fatal(err)
	}
}

// TestEventsMeetTheirSchemas makes every event the stand-in has and holds it to GitHub's
// schema; a payload go-github cannot read is no use to the product either.
func TestEventsMeetTheirSchemas(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	pull := w.repo.OpenPull(PullOptions{Head: "f", Files: Files{"x.txt": "x"}, Fork: "eve", Author: "eve"})
	inside := w.repo.OpenPull(PullOptions{Head: "g", Files: Files{"y.txt": "y"}, Draft: true, Body: "text"})
	group := w.repo.MergeGroup(pull, inside)
	issue := w.repo.OpenIssue("ann", "broken", "text", "bug")
	comment := w.repo.Comment(issue, "ann", "why?")
	onPull := w.repo.Comment(pull.Number, "ann", "why?")
	rel := w.repo.Release(ReleaseOptions{Tag: "v1", Assets: map[string][]byte{"a": []byte("a")}})
	before := w.repo.Release(ReleaseOptions{Tag: "v2-rc1", Prerelease: true})
	draft := w.repo.Release(ReleaseOptions{Tag: "v2", Draft: true, Immutable: true})
	deployment := w.repo.WorkflowRun(RunOptions{SHA: inside.HeadSHA()}).Deploy("production")
	w.call("POST", "/repos/acme/shop/check-runs", object{"name": "landwaiter/pr", "head_sha": inside.HeadSHA()})
	run := w.repo.CheckRuns(inside.HeadSHA())[0].ID

	var events []Event
	for _, action := range []string{
		"opened", "synchronize", "reopened", "edited", "ready_for_review", "converted_to_draft", "closed",
	} {
		events = append(events, pull.Event(action), inside.Event(action))
	}
	for _, action := range []string{"created", "published", "released", "edited", "deleted", "unpublished"} {
		events = append(events, rel.Event(action))
	}
	for _, action := range []string{"created", "edited", "deleted", "unpublished"} {
		events = append(events, draft.Event(action))
	}
	for _, action := range []string{"renamed", "transferred", "privatized", "publicized", "archived", "unarchived", "deleted", "created"} {
		events = append(events, w.repo.Event(action))
	}
	for _, action := range []string{"opened", "edited", "closed", "reopened", "deleted"} {
		events = append(events, w.repo.IssueEvent(issue, action, "ann"))
	}
	for _, action := range []string{"created", "edited", "deleted"} {
		events = append(events, w.repo.CommentEvent(comment, action), w.repo.CommentEvent(onPull, action))
	}
	org := w.Org("acme")
	team := org.Team("release", "bo")
	events = append(events, team.Event("added", "bo"), team.Event("removed", "bo"), org.Event("member_added", "bo"), org.Event("member_removed", "bo"))
	for _, action := range []string{"created", "completed", "rerequested", "requested_action"} {
		events = append(events, w.repo.CheckRunEvent(run, action, "ann"))
	}
	for _, action := range []string{"requested", "rerequested", "completed"} {
		events = append(events, w.repo.CheckSuiteEvent(inside.HeadSHA(), action))
	}
	for _, action := range []string{"created", "deleted", "suspend", "unsuspend", "new_permissions_accepted"} {
		events = append(events, w.inst.Event(action))
	}
	events = append(events,
		w.repo.PushEvent("refs/heads/main"), w.repo.PushEvent("refs/tags/v1"), w.PingEvent(), deployment.Event(),
		before.Event("prereleased"), group.Event("checks_requested"), group.Event("destroyed"), w.inst.RepositoriesEvent("added"), w.inst.RepositoriesEvent("removed"),
	)
	for _, e := range events {
		if err := contract.Webhook(e.Name, e.Action, e.Body()); err != nil {
			t.Errorf("%v", err)
		}
		if _, err := github.ParseWebHook(e.Name, e.Body()); err != nil {
			t.Errorf("%s %s: go-github: %v", e.Name, e.Action, err)
		}
		if e.Name != "ping" && e.InstallationID != w.inst.ID {
			t.Errorf("%s %s: installation %d, want %d", e.Name, e.Action, e.InstallationID, w.inst.ID)
		}
	}
}

// TestChangesAreDelivered plays a story and looks at what the App hears of it, in order.
func TestChangesAreDelivered(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		play func(w *world)
		want []string
	}{
		"pull request": {func(w *world) {
			p := w.repo.OpenPull(PullOptions{Head: "f", Files: Files{"x": "1"}})
			p.Push(Files{"x": "2"})
			p.SetTitle("better")
			p.SetDraft(true)
			p.SetDraft(false)
			p.Close()
			p.Reopen()
			p.Merge()
		}, []string{
			"push ", "check_suite requested", "pull_request opened", "push ", "check_suite requested", "pull_request synchronize",
			"pull_request edited", "pull_request converted_to_draft", "pull_request ready_for_review", "pull_request closed",
			"pull_request reopened", "push ", "check_suite requested", "pull_request closed",
		}},
		"fork pushes are not heard, the pull request is": {func(w *world) {
			p := w.repo.OpenPull(PullOptions{Head: "f", Files: Files{"x": "1"}, Fork: "eve"})
			p.Push(Files{"x": "2"})
		}, []string{"pull_request opened", "pull_request synchronize"}},
		"merge group": {func(w *world) {
			w.repo.MergeGroup(w.repo.OpenPull(PullOptions{Head: "f", Files: Files{"x": "1"}, Fork: "eve"})).Destroy("dequeued")
		}, []string{"pull_request opened", "push ", "check_suite requested", "merge_group checks_requested", "merge_group destroyed"}},
		"release from draft": {func(w *world) {
			w.repo.Release(ReleaseOptions{Tag: "v1", Draft: true}).Publish()
		}, []string{"release created", "push ", "release published", "release released"}},
		"prerelease, changed and deleted": {func(w *world) {
			rel := w.repo.Release(ReleaseOptions{Tag: "v1", Prerelease: true})
			rel.Edit("notes")
			rel.Delete()
		}, []string{"release created", "push ", "release published", "release prereleased", "release edited", "release deleted"}},
		"issue": {func(w *world) {
			n := w.repo.OpenIssue("ann", "t", "b")
			w.repo.Comment(n, "ann", "c")
			w.repo.CloseIssue(n, "ann", "completed")
			w.repo.ReopenIssue(n, "ann")
		}, []string{"issues opened", "issue_comment created", "issues closed", "issues reopened"}},
		"repository": {func(w *world) {
			w.repo.Rename("store")
			w.repo.SetPrivate(false)
			w.repo.SetArchived(true)
		}, []string{"repository renamed", "repository publicized", "repository archived"}},
		"suspended apps hear nothing else": {func(w *world) {
			w.inst.Suspend()
			w.repo.Commit("main", "x", Files{"x": "1"})
			w.inst.Unsuspend()
			w.inst.Remove("shop")
			w.repo.Commit("main", "y", Files{"x": "2"})
			w.inst.Uninstall()
		}, []string{"installation suspend", "installation unsuspend", "installation_repositories removed", "installation deleted"}},
		"checks": {func(w *world) {
			w.call("POST", "/repos/acme/shop/check-runs", object{"name": "landwaiter/pr", "head_sha": w.first})
			id := w.repo.CheckRuns("")[0].ID
			w.repo.RerequestRun(id, "ann")
			w.repo.RequestAction(id, "recheck", "ann")
			w.repo.RerequestSuite(w.first, "ann")
		}, []string{"check_run created", "check_run rerequested", "check_run requested_action", "check_suite rerequested"}},
		"deployment": {func(w *world) {
			w.repo.WorkflowRun(RunOptions{}).Deploy("production")
		}, []string{"deployment_protection_rule requested"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{})
			product := newReceiver(t, w.WebhookSecret())
			w.SetWebhookURL(product.URL)
			w.SetAutoDeliver(true)
			tt.play(w)
			w.settle()
			if diff := cmp.Diff(tt.want, product.names()); diff != "" {
				t.Errorf("heard (-want +got):\n%s", diff)
			}
			for _, x := range product.all() {
				if !x.valid {
					t.Errorf("%s %s: the signature does not match", x.event, x.action)
				}
			}
		})
	}
}

func TestSynchronizeNamesBothHeads(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	p := w.repo.OpenPull(PullOptions{Head: "f", Files: Files{"x": "1"}, Fork: "eve"})
	product := newReceiver(t, w.WebhookSecret())
	w.SetWebhookURL(product.URL)
	w.SetAutoDeliver(true)
	before := p.HeadSHA()
	after := p.Push(Files{"x": "2"})
	w.settle()
	var payload struct {
		Before, After string
		PullRequest   struct {
			Head struct{ SHA string }
		} `json:"pull_request"`
	}
	if err := json.Unmarshal(product.all()[0].body, &payload); err != nil {
		t.Fatal(err)
	}
	got := [3]string{payload.Before, payload.After, payload.PullRequest.Head.SHA}
	if diff := cmp.Diff([3]string{before, after, after}, got); diff != "" {
		t.Errorf("before, after, head (-want +got):\n%s", diff)
	}
}
