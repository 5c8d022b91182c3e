package githubtest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // GitHub still sends the old signature beside the new one.
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// hookID is the id of the App's one webhook.
const hookID = 900001

// hookTimeout is how long GitHub waits for an answer,
// docs.github.com/webhooks/using-webhooks/handling-failed-webhook-deliveries.
const hookTimeout = 10 * time.Second

// Delivery is one attempt to send a webhook.
type Delivery struct {
	// ID numbers attempts; GUID stays the same when one is sent again.
	ID                           int64
	GUID                         string
	Event, Action                string
	InstallationID, RepositoryID int64
	Payload                      []byte
	Redelivery                   bool
	Delivered                    time.Time
	Duration                     time.Duration
	// StatusCode is 0 when nobody answered; Status is "OK" or what went wrong.
	StatusCode int
	Status     string
	// RequestHeader and Response are what was sent and what came back (at most 64 KiB).
	RequestHeader http.Header
	Response      string
}

// hooks is the sending side of webhooks.
type hooks struct {
	url        string
	queue      []Delivery
	deliveries []Delivery
	busy       bool
	closing    bool
	wake       *sync.Cond
	stopped    chan struct{}
}

func newHooks(url string) hooks { return hooks{url: url} }

// SetWebhookURL changes where deliveries go; "" makes them fail.
func (g *GitHub) SetWebhookURL(url string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.hooks.url = url
}

// SetAutoDeliver turns the sending of a webhook for every change on or off.
func (g *GitHub) SetAutoDeliver(on bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.opts.AutoDeliver = on
}

// emit queues an event when the App is to hear of it. The caller holds the lock.
func (g *GitHub) emit(e Event) {
	if !g.opts.AutoDeliver {
		return
	}
	always := e.Name == "installation" || e.Name == "installation_repositories"
	if !always {
		i := g.installations[e.InstallationID]
		if i == nil || !i.suspended.IsZero() || !slices.Contains(g.events(), e.Name) {
			return
		}
	}
	g.enqueue(g.delivery(e))
}

func (g *GitHub) delivery(e Event) Delivery {
	return Delivery{
		GUID: newGUID(), Event: e.Name, Action: e.Action, InstallationID: e.InstallationID,
		RepositoryID: e.RepositoryID, Payload: e.Body(),
	}
}

func newGUID() string {
	var b [16]byte
	rand.Read(b[:]) //nolint:errcheck // crypto/rand.Read never returns an error.
	b[6], b[8] = b[6]&0x0f|0x10, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Deliver sends one event now and returns what came of it. The error is about the
// stand-in (no webhook URL) or ctx; a refusal is a Delivery with its status code.
func (g *GitHub) Deliver(ctx context.Context, e Event) (Delivery, error) {
	g.mu.Lock()
	d := g.delivery(e)
	g.mu.Unlock()
	return g.send(ctx, d, nil)
}

// DeliverRaw sends any body under an event name. change, when not nil, edits the headers
// last, so that a test can break a signature. The body is not held to the contract.
func (g *GitHub) DeliverRaw(ctx context.Context, event string, body []byte, change func(http.Header)) (Delivery, error) {
	d := Delivery{GUID: newGUID(), Event: event, Payload: body}
	var hint struct {
		Action       string
		Installation struct{ ID int64 }
		Repository   struct{ ID int64 }
	}
	if json.Unmarshal(body, &hint) == nil { // a body that is no JSON has no hints to give
		d.Action, d.InstallationID, d.RepositoryID = hint.Action, hint.Installation.ID, hint.Repository.ID
	}
	if change == nil {
		change = func(http.Header) {}
	}
	return g.send(ctx, d, change)
}

// Redeliver sends the payload of an earlier delivery again, under the same GUID.
func (g *GitHub) Redeliver(ctx context.Context, guid string) (Delivery, error) {
	g.mu.Lock()
	at := slices.IndexFunc(g.deliveries, func(d Delivery) bool { return d.GUID == guid })
	if at < 0 {
		g.mu.Unlock()
		return Delivery{}, fmt.Errorf("redelivering %s: no such delivery", guid)
	}
	d := again(g.deliveries[at])
	g.mu.Unlock()
	return g.send(ctx, d, nil)
}

func again(d Delivery) Delivery {
	return Delivery{
		GUID: d.GUID, Event: d.Event, Action: d.Action, InstallationID: d.InstallationID,
		RepositoryID: d.RepositoryID, Payload: d.Payload, Redelivery: true,
	}
}

// send posts a delivery and stores it. A nil change means that the payload is ours and
// must satisfy the contract.
func (g *GitHub) send(ctx context.Context, d Delivery, change func(http.Header)) (Delivery, error) {
	if change == nil {
		g.checkWebhook(d)
	}
	g.mu.Lock()
	url := g.hooks.url
	d.ID, d.Delivered = g.id(), g.now()
	g.mu.Unlock()
	d.RequestHeader = g.hookHeader(d)
	if change != nil {
		change(d.RequestHeader)
	}
	start := time.Now()
	if url == "" {
		d.Status = "no webhook URL"
	} else {
		d.StatusCode, d.Status, d.Response = post(ctx, url, d.RequestHeader, d.Payload)
	}
	d.Duration = time.Since(start)
	g.mu.Lock()
	g.deliveries = append(g.deliveries, d)
	g.mu.Unlock()
	if url == "" {
		return d, errors.New("delivering a webhook: no webhook URL is set")
	}
	return d, ctx.Err()
}

func (g *GitHub) hookHeader(d Delivery) http.Header {
	h := http.Header{}
	h.Set("Accept", "*/*")
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "GitHub-Hookshot/0a1b2c3")
	h.Set("X-GitHub-Delivery", d.GUID)
	h.Set("X-GitHub-Event", d.Event)
	h.Set("X-GitHub-Hook-ID", strconv.Itoa(hookID))
	h.Set("X-GitHub-Hook-Installation-Target-ID", strconv.FormatInt(g.opts.AppID, 10))
	h.Set("X-GitHub-Hook-Installation-Target-Type", "integration")
	old := hmac.New(sha1.New, []byte(g.opts.WebhookSecret))
	old.Write(d.Payload)
	h.Set("X-Hub-Signature", "sha1="+hex.EncodeToString(old.Sum(nil)))
	h.Set("X-Hub-Signature-256", Sign(g.opts.WebhookSecret, d.Payload))
	return h
}

// Sign returns the value of X-Hub-Signature-256 for a body.
func Sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// post sends one request and returns status code, GitHub's word for it, and the answer.
func post(ctx context.Context, url string, header http.Header, body []byte) (int, string, string) {
	ctx, cancel := context.WithTimeout(ctx, hookTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, "invalid url", err.Error()
	}
	req.Header = header
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			return 0, "timed out", err.Error()
		}
		return 0, "failed to connect to host", err.Error()
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return resp.StatusCode, "answer cut short", err.Error()
	}
	if resp.StatusCode >= 300 {
		return resp.StatusCode, "Invalid HTTP Response: " + strconv.Itoa(resp.StatusCode), string(answer)
	}
	return resp.StatusCode, "OK", string(answer)
}

// Deliveries returns every attempt so far, oldest first.
func (g *GitHub) Deliveries() []Delivery {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.deliveries)
}
