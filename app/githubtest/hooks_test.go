package githubtest

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v62/github"
)

func TestDeliver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	product := newReceiver(t, w.WebhookSecret())
	w.SetWebhookURL(product.URL)
	p := w.repo.OpenPull(PullOptions{Head: "f", Files: Files{"a": "a"}})
	d, err := w.Deliver(w.ctx(), p.Event("opened"))
	if err != nil || d.StatusCode != 202 || d.Status != "OK" {
		t.Fatalf("delivery %+v, %v", d, err)
	}
	again, err := w.Redeliver(w.ctx(), d.GUID)
	if err != nil || again.GUID != d.GUID || again.ID == d.ID || !again.Redelivery {
		t.Errorf("redelivery %+v, %v", again, err)
	}
	got := product.all()
	if len(got) != 2 || got[0].guid != got[1].guid || string(got[0].body) != string(got[1].body) || !got[0].valid || !got[1].valid {
		t.Errorf("%d deliveries, want two alike", len(got))
	}
	for _, name := range []string{"X-Hub-Signature", "X-Github-Hook-Id", "X-Github-Hook-Installation-Target-Id", "X-Github-Hook-Installation-Target-Type"} {
		if got[0].header.Get(name) == "" {
			t.Errorf("no header %s", name)
		}
	}
	if _, err := w.Redeliver(w.ctx(), "unknown"); err == nil {
		t.Error("an unknown GUID is sent again")
	}
	w.SetWebhookURL("")
	if _, err := w.Deliver(w.ctx(), p.Event("opened")); err == nil {
		t.Error("delivered without a URL")
	}
}

func TestDeliverRaw(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	product := newReceiver(t, w.WebhookSecret())
	w.SetWebhookURL(product.URL)
	d, err := w.DeliverRaw(w.ctx(), "push", []byte(`{"action":"none","installation":{"id":7},"repository":{"id":8}`), func(h http.Header) {
		h.Set("X-Hub-Signature-256", "sha256=00")
	})
	if err != nil || d.StatusCode != 202 || d.InstallationID != 0 {
		t.Errorf("delivery %+v, %v", d, err)
	}
	if got := product.all(); len(got) != 1 || got[0].valid {
		t.Errorf("received %+v, want one with a wrong signature", got)
	}
}

// TestFailedDeliveries finds failed deliveries through the API, page by page, and asks for them again.
func TestFailedDeliveries(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	product := newReceiver(t, w.WebhookSecret())
	w.SetWebhookURL(product.URL)
	product.status = http.StatusInternalServerError
	p := w.repo.OpenPull(PullOptions{Head: "f", Files: Files{"a": "a"}})
	for range 5 {
		if _, err := w.Deliver(w.ctx(), p.Event("synchronize")); err != nil {
			t.Fatal(err)
		}
	}
	product.mu.Lock()
	product.status = http.StatusAccepted
	product.got = nil
	product.mu.Unlock()

	app := appClient(t, w.GitHub)
	var failed []*github.HookDelivery
	o := &github.ListCursorOptions{PerPage: 2}
	for {
		page, resp, err := app.Apps.ListHookDeliveries(w.ctx(), o)
		if err != nil {
			t.Fatal(err)
		}
		failed = append(failed, page...)
		if resp.Cursor == "" {
			break
		}
		o.Cursor = resp.Cursor
	}
	if len(failed) != 5 || failed[0].GetStatusCode() != 500 || failed[0].GetEvent() != "pull_request" {
		t.Fatalf("%d deliveries, want 5 failed ones", len(failed))
	}
	full, _, err := app.Apps.GetHookDelivery(w.ctx(), failed[0].GetID())
	if err != nil || full.Request == nil || full.Request.Headers["X-Github-Event"] != "pull_request" {
		t.Errorf("delivery %+v, %v", full, err)
	}
	_, _, err = app.Apps.RedeliverHookDelivery(w.ctx(), failed[4].GetID())
	var accepted *github.AcceptedError
	if !errors.As(err, &accepted) {
		t.Fatalf("redelivering: %v, want accepted", err)
	}
	w.settle()
	got := product.all()
	if len(got) != 1 || got[0].guid != failed[4].GetGUID() {
		t.Errorf("%d deliveries came, want the one asked for", len(got))
	}
	list := w.Deliveries()
	if last := list[len(list)-1]; !last.Redelivery || last.StatusCode != 202 {
		t.Errorf("last delivery %+v", last)
	}
	ok, _, err := app.Apps.ListHookDeliveries(w.ctx(), &github.ListCursorOptions{})
	if err != nil || len(ok) != 6 {
		t.Errorf("%d deliveries, %v; want 6", len(ok), err)
	}
}

// TestNobodyAnswers notes a delivery that could not be made at all.
func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	product := newReceiver(t, w.WebhookSecret())
	w.SetWebhookURL(product.URL)
	product.Server.Close()
	d, err := w.Deliver(w.ctx(), w.PingEvent())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]any{0, "failed to connect to host"}, []any{d.StatusCode, d.Status}); diff != "" {
		t.Errorf("delivery (-want +got):\n%s", diff)
	}
}

func TestSubscriptions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Events: []string{"release"}, Now: func() time.Time { return time.Unix(1700000000, 0) }})
	product := newReceiver(t, w.WebhookSecret())
	w.SetWebhookURL(product.URL)
	w.SetAutoDeliver(true)
	w.repo.OpenPull(PullOptions{Head: "f", Files: Files{"a": "a"}})
	w.repo.Release(ReleaseOptions{Tag: "v1", Draft: true})
	w.inst.Suspend()
	w.settle()
	if diff := cmp.Diff([]string{"release created", "installation suspend"}, product.names()); diff != "" {
		t.Errorf("heard (-want +got):\n%s", diff)
	}
}
