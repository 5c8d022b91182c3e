package app

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/app/githubtest"
)

// request is a webhook as GitHub sends it; tests change one thing.
type request struct {
	method, event, guid, contentType, signature string
	body                                        []byte
}

// send sends r to the hooks and returns the status and the sentence.
func (w *world) send(r request) (int, string) {
	w.t.Helper()
	req := httptest.NewRequest(r.method, "/hooks", bytes.NewReader(r.body))
	for name, value := range map[string]string{
		"X-GitHub-Event": r.event, "X-GitHub-Delivery": r.guid, "Content-Type": r.contentType, "X-Hub-Signature-256": r.signature,
	} {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	if digits, ok := strings.CutPrefix(r.signature, "sha1="); ok {
		req.Header.Del("X-Hub-Signature-256")
		req.Header.Set("X-Hub-Signature", "sha1="+digits)
	}
	answer := httptest.NewRecorder()
	w.app.Hooks().ServeHTTP(answer, req)
	text, err := io.ReadAll(answer.Result().Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer.Code, strings.TrimSpace(string(text))
}

// TestG01Receive sends webhooks that are right but for one thing.
func TestG01Receive(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, func(c *Config) { c.WebhookSecrets = append(c.WebhookSecrets, "the-next-secret") })
	r := w.shop()
	w.github.SetWebhookURL("")
	p := r.OpenPull(githubtest.PullOptions{Head: "change", Files: githubtest.Files{"package-lock.json": lock("ms@2.1.3")}})
	body := p.Event("opened").Body()
	labeled := bytes.Replace(body, []byte(`"action":"opened"`), []byte(`"action":"labeled"`), 1)
	if bytes.Equal(labeled, body) {
		t.Fatal("the payload has no action to change")
	}
	secret := w.github.WebhookSecret()
	const guid = "72d3162e-cc78-11e3-81ab-4c9367dc0958"
	right := request{http.MethodPost, "pull_request", guid, "application/json", githubtest.Sign(secret, body), body}
	big := bytes.Repeat([]byte(" "), 26<<20)
	tests := []struct {
		name   string
		change func(*request)
		status int
		says   string
		jobs   bool
	}{
		{"no signature", func(r *request) { r.signature = "" }, 401, "no X-Hub-Signature-256", false},
		{"wrong signature", func(r *request) { r.signature = githubtest.Sign("another secret", body) }, 401, "does not match", false},
		{"signature of another body", func(r *request) { r.body = append(bytes.Clone(body), ' ') }, 401, "does not match", false},
		{"SHA-1 signature only", func(r *request) { r.signature = "sha1=3dca279e731c97c38e3019a075dee9ebbd0a99f0" }, 401, "no X-Hub-Signature-256", false},
		{"signature of an empty secret", func(r *request) { r.signature = githubtest.Sign("", body) }, 401, "does not match", false},
		{"signature that is not hexadecimal", func(r *request) { r.signature = "sha256=zz" }, 401, "is not an HMAC-SHA-256", false},
		{"truncated signature", func(r *request) { r.signature = r.signature[:20] }, 401, "is not an HMAC-SHA-256", false},
		{"26 MB", func(r *request) { r.body, r.signature = big, githubtest.Sign(secret, big) }, 413, "larger than 25 MiB", false},
		{"form", func(r *request) { r.contentType = "application/x-www-form-urlencoded" }, 415, "application/json", false},
		{"no content type", func(r *request) { r.contentType = "" }, 415, "application/json", false},
		{"GET", func(r *request) { r.method = http.MethodGet }, 405, "POST", false},
		{"no event", func(r *request) { r.event = "" }, 400, "X-GitHub-Event", false},
		{"no GUID", func(r *request) { r.guid = "" }, 400, "X-GitHub-Delivery", false},
		{"GUID that is none", func(r *request) { r.guid = "../../etc" }, 400, "X-GitHub-Delivery", false},
		{"unknown event", func(r *request) { r.event = "sponsorship" }, 202, "does not use this event", false},
		{"unknown action", func(r *request) { r.body, r.signature = labeled, githubtest.Sign(secret, labeled) }, 202, "does not use this action", false},
		{"right", func(*request) {}, 202, "Stored.", true},
		{"again", func(*request) {}, 202, "Seen before", false},
		{"G02 again with another event name", func(r *request) { r.event = "merge_group" }, 202, "does not use this action", false},
		{"with the next secret", func(r *request) { r.guid, r.signature = guid[:35]+"9", githubtest.Sign("the-next-secret", body) }, 202, "Stored.", true},
	}
	for _, tt := range tests {
		sent := right
		tt.change(&sent)
		status, says := w.send(sent)
		if status != tt.status || !strings.Contains(says, tt.says) {
			t.Errorf("%s: %d %q, want %d and %q", tt.name, status, says, tt.status, tt.says)
		}
		jobs, err := w.db.Claim(context.Background(), "test", 8, w.app.limits.lease)
		if err != nil {
			t.Fatal(err)
		}
		if (len(jobs) > 0) != tt.jobs {
			t.Errorf("%s: %d jobs, want any: %v", tt.name, len(jobs), tt.jobs)
		}
		for _, j := range jobs {
			if err := w.db.Finish(context.Background(), j); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestTruncatedPayload keeps a signed body that is not JSON, buries its route job where
// people see it, and goes on.
func TestTruncatedPayload(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, nil)
	r := w.shop()
	w.github.SetWebhookURL("")
	p := r.OpenPull(githubtest.PullOptions{Head: "change", Files: githubtest.Files{"package-lock.json": lock("ms@2.1.3")}})
	body := p.Event("opened").Body()
	cut := body[:len(body)/2]
	const guid = "72d3162e-cc78-11e3-81ab-4c9367dc0959"
	status, says := w.send(request{http.MethodPost, "pull_request", guid, "application/json", githubtest.Sign(w.github.WebhookSecret(), cut), cut})
	if status != http.StatusAccepted || !strings.Contains(says, "not readable JSON") {
		t.Errorf("%d %q, want 202 and why", status, says)
	}
	w.settle()
	if got := w.buried(); len(got) != 1 || !strings.Contains(got[0], "reading the body of pull_request "+guid) {
		t.Errorf("buried jobs %q, want the route job with its cause", got)
	}
	if d, err := w.db.Delivery(context.Background(), guid); err != nil || !bytes.Equal(d.Body, cut) {
		t.Errorf("the delivery is not kept byte for byte: %v", err)
	}
	w.github.SetWebhookURL(w.hooks.URL)
	p.Push(githubtest.Files{"package-lock.json": lock("ms@2.1.2")})
	w.settle()
	w.concluded(r, p.HeadSHA(), "success", "no violations")
}

// TestHostilePayload sends signed payloads whose fields would change the path of a request:
// they are buried and no call is made.
func TestHostilePayload(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, nil)
	r := w.shop()
	w.github.SetWebhookURL("")
	p := r.OpenPull(githubtest.PullOptions{Head: "change", Files: githubtest.Files{"package-lock.json": lock("ms@2.1.3")}})
	w.github.ForgetCalls()
	for i, change := range [][2]string{
		{`"full_name":"acme/shop"`, `"full_name":"acme/../../app"`},
		{p.HeadSHA(), "main"},
		{`"number":`, `"number":-`},
	} {
		body := bytes.ReplaceAll(p.Event("opened").Body(), []byte(change[0]), []byte(change[1]))
		guid := "72d3162e-cc78-11e3-81ab-4c9367dc096" + string(rune('0'+i))
		if status, _ := w.send(request{http.MethodPost, "pull_request", guid, "application/json", githubtest.Sign(w.github.WebhookSecret(), body), body}); status != http.StatusAccepted {
			t.Errorf("%q: status %d, want 202", change[1], status)
		}
		w.settle()
		if got := w.buried(); len(got) != i+1 {
			t.Errorf("%q: buried jobs %q, want %d", change[1], got, i+1)
		}
	}
	if calls := w.github.Calls(); len(calls) > 0 {
		t.Errorf("calls were made: %+v", calls)
	}
}

// TestG05Flood sends many large bodies with a wrong signature at once: a right one still
// gets through.
func TestG05Flood(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, nil)
	r := w.shop()
	w.github.SetWebhookURL("")
	p := r.OpenPull(githubtest.PullOptions{Head: "change", Files: githubtest.Files{"package-lock.json": lock("ms@2.1.3")}})
	body := p.Event("opened").Body()
	hooks := httptest.NewServer(w.app.Hooks())
	defer hooks.Close()
	// Slow senders: each announces 20 MiB and sends a little.
	var stalled []*io.PipeWriter
	for range 200 {
		pr, pw := io.Pipe()
		stalled = append(stalled, pw)
		req, err := http.NewRequest(http.MethodPost, hooks.URL, pr)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-GitHub-Event", "pull_request")
		req.Header.Set("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0960")
		req.Header.Set("X-Hub-Signature-256", githubtest.Sign("wrong", body))
		req.ContentLength = 20 << 20
		go func() {
			if answer, err := http.DefaultClient.Do(req); err == nil {
				answer.Body.Close()
			}
		}()
		go func() { _, _ = pw.Write(make([]byte, 1000)) }()
	}
	status, says := w.send(request{http.MethodPost, "pull_request", "72d3162e-cc78-11e3-81ab-4c9367dc0961", "application/json", githubtest.Sign(w.github.WebhookSecret(), body), body})
	if status != http.StatusAccepted {
		t.Errorf("a right delivery got %d %q during a flood", status, says)
	}
	for _, pw := range stalled {
		pw.Close()
	}
}

// TestNewRefuses starts with configurations that are not safe or cannot work.
func TestNewRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, nil)
	tests := []struct {
		name   string
		change func(*Config)
		says   string
	}{
		{"no secret", func(c *Config) { c.WebhookSecrets = nil }, "WebhookSecrets is empty"},
		{"empty secret", func(c *Config) { c.WebhookSecrets = []string{""} }, "fewer than 8 bytes"},
		{"one of two empty", func(c *Config) { c.WebhookSecrets = append(c.WebhookSecrets, "") }, "WebhookSecrets[1]"},
		{"secret of the documentation", func(c *Config) { c.WebhookSecrets = []string{"It's a Secret to Everybody"} }, "well-known"},
		{"default of a template", func(c *Config) { c.WebhookSecrets = []string{"Development"} }, "well-known"},
		{"secret with a line end", func(c *Config) { c.WebhookSecrets = []string{"long-enough-secret\n"} }, "white space"},
		{"no App id", func(c *Config) { c.AppID = 0 }, "AppID"},
		{"key that is none", func(c *Config) { c.PrivateKey = []byte("canary-key") }, "PrivateKey is not an RSA private key"},
		{"API over plain HTTP", func(c *Config) { c.APIURL = "http://github.example.com/api/v3" }, "APIURL"},
		{"API with a password", func(c *Config) { c.APIURL = "https://user:canary@github.example.com" }, "must look like"},
		{"no reader", func(c *Config) { c.ReadInventory = nil }, "required"},
	}
	for _, tt := range tests {
		c := w.config
		c.Metrics = nil
		tt.change(&c)
		_, err := New(c)
		if err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v, want an error with %q", tt.name, err, tt.says)
		}
		if err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: the error shows a secret: %v", tt.name, err)
		}
	}
}
