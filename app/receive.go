package app

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/landwaiter/landwaiter/store"
	"github.com/landwaiter/landwaiter/store/crash"
)

const (
	// maxBody is the largest webhook read, in bytes. GitHub sends at most 25 MB
	// (docs.github.com, "Webhook events and payloads", payload cap).
	maxBody = 25 << 20
	// maxHeld bounds the bytes of all webhooks being read at once, so that a flood of large
	// unsigned bodies cannot exhaust memory (THREATS G05).
	maxHeld = 128 << 20
	// firstRead is what a webhook may hold before it asks for more; most are smaller.
	firstRead = 64 << 10
	// shortestSecret is the shortest secret accepted, in bytes. Our own floor, not GitHub's.
	shortestSecret = 8
)

// knownSecrets are values out of documentation and templates that an attacker tries first.
var knownSecrets = []string{
	"It's a Secret to Everybody", "development", "changeme", "change-me", "webhook-secret", "webhook_secret",
	"your-webhook-secret", "your_webhook_secret", "mysecret", "password", "12345678", "0123456789", "landwaiter",
}

// guidForm is how GitHub names deliveries; anything else is not from GitHub.
var guidForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9A-Za-z-]{8,64}$`) })

// errTooLarge and errBusy are what readBody says beside errors of reading.
var (
	errTooLarge = errors.New("the body is larger than 25 MiB")
	errBusy     = errors.New("too many bytes of other webhooks are being read")
)

// readSecrets refuses secrets that anybody could guess.
func readSecrets(secrets []string) ([][]byte, error) {
	if len(secrets) == 0 {
		return nil, errors.New("app: Config.WebhookSecrets is empty: without a secret anybody could send webhooks")
	}
	var read [][]byte
	for i, s := range secrets {
		switch {
		case len(s) < shortestSecret:
			return nil, fmt.Errorf("app: Config.WebhookSecrets[%d] has fewer than %d bytes", i, shortestSecret)
		case strings.TrimSpace(s) != s:
			return nil, fmt.Errorf("app: Config.WebhookSecrets[%d] starts or ends with white space", i)
		}
		for _, known := range knownSecrets {
			if strings.EqualFold(s, known) {
				return nil, fmt.Errorf("app: Config.WebhookSecrets[%d] is a well-known default: choose a random one", i)
			}
		}
		read = append(read, []byte(s))
	}
	return read, nil
}

// Hooks returns the handler of POST /hooks.
//
// It answers 202 once the delivery and its route job are durable, or when there is nothing
// to do for the event; a delivery seen before is answered alike and changes nothing. Other
// answers: 400 not readable as a delivery, 401 signature, 405 method, 413 size, 415 content
// type, 503 not stored, which GitHub lists as failed and catch-up asks for again.
func (a *App) Hooks() http.Handler {
	held := semaphore.NewWeighted(maxHeld)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := a.now()
		event := r.Header.Get("X-GitHub-Event")
		got := a.receive(w, r, held)
		a.metrics.received(eventLabel(event), got.action, got.outcome, a.now().Sub(start))
		if got.status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", http.MethodPost)
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		crash.Before(crash.Answer)
		w.WriteHeader(got.status)
		// The answer is for people reading the delivery on GitHub; losing it changes nothing.
		_, _ = io.WriteString(w, got.answer+"\n")
		crash.After(crash.Answer)
	})
}

// receipt is what became of one request.
type receipt struct {
	status  int
	answer  string // one sentence for the person who looks at the delivery on GitHub
	outcome string // metric label: "stored", "duplicate", "dropped", "refused" or "failed"
	action  string // metric label, "" unless the event's table row knows it
}

func refused(status int, answer string) receipt {
	return receipt{status: status, answer: answer, outcome: "refused"}
}

// receive does all of Hooks but the answering.
func (a *App) receive(w http.ResponseWriter, r *http.Request, held *semaphore.Weighted) receipt {
	began := time.Now()
	mac, bad := readHeaders(r)
	if bad != nil {
		return *bad
	}
	ctx, cancel := context.WithTimeout(r.Context(), time.Minute)
	defer cancel()
	crash.Before(crash.BodyRead)
	body, free, err := readBody(ctx, http.MaxBytesReader(w, r.Body, maxBody+1), held, a.limits.bodyWait)
	defer free()
	switch {
	case errors.Is(err, errTooLarge):
		return refused(http.StatusRequestEntityTooLarge, "Refused: "+err.Error()+".")
	case errors.Is(err, errBusy):
		return refused(http.StatusServiceUnavailable, "Refused: "+err.Error()+"; send it again later.")
	case err != nil:
		return refused(http.StatusBadRequest, "Refused: the body could not be read to its end.")
	}
	if !signed(body, mac, a.secrets) {
		return refused(http.StatusUnauthorized, "Refused: the signature does not match any active webhook secret.")
	}
	crash.After(crash.BodyRead)
	return a.accept(ctx, began, r.Header.Get("X-GitHub-Event"), r.Header.Get("X-GitHub-Delivery"), body)
}

// readHeaders refuses what can be refused before reading a byte of the body, and returns
// the signature.
func readHeaders(r *http.Request) (mac []byte, bad *receipt) {
	refuse := func(status int, answer string) ([]byte, *receipt) {
		got := refused(status, answer)
		return nil, &got
	}
	if r.Method != http.MethodPost {
		return refuse(http.StatusMethodNotAllowed, "Refused: webhooks are sent with POST.")
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return refuse(http.StatusUnsupportedMediaType, "Refused: set the webhook's content type to application/json.")
	}
	if r.ContentLength > maxBody {
		return refuse(http.StatusRequestEntityTooLarge, "Refused: "+errTooLarge.Error()+".")
	}
	signature := r.Header.Get("X-Hub-Signature-256")
	if signature == "" {
		return refuse(http.StatusUnauthorized, "Refused: no X-Hub-Signature-256 header; set a webhook secret on GitHub.")
	}
	digits, ok := strings.CutPrefix(signature, "sha256=")
	mac, err = hex.DecodeString(digits)
	if !ok || err != nil || len(mac) != sha256.Size {
		return refuse(http.StatusUnauthorized, "Refused: X-Hub-Signature-256 is not an HMAC-SHA-256 signature.")
	}
	if r.Header.Get("X-GitHub-Event") == "" || !guidForm().MatchString(r.Header.Get("X-GitHub-Delivery")) {
		return refuse(http.StatusBadRequest, "Refused: X-GitHub-Event and X-GitHub-Delivery must name the delivery.")
	}
	return mac, nil
}

// readBody reads at most maxBody bytes and holds memory for them out of held, growing as
// bytes arrive, so that a slow sender holds only what it has sent. free gives it back.
func readBody(ctx context.Context, r io.Reader, held *semaphore.Weighted, wait time.Duration) (body []byte, free func(), err error) {
	var holding int64
	free = func() { held.Release(holding) }
	for {
		if len(body) == cap(body) {
			size := max(firstRead, min(2*int64(cap(body)), maxBody+1))
			waiting, cancel := context.WithTimeout(ctx, wait)
			err := held.Acquire(waiting, size-holding)
			cancel()
			if err != nil {
				return nil, free, errBusy
			}
			grown := make([]byte, len(body), size)
			copy(grown, body)
			body, holding = grown, size
		}
		n, err := r.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if len(body) > maxBody {
			return nil, free, errTooLarge
		}
		if errors.Is(err, io.EOF) {
			return body, free, nil
		}
		if err != nil {
			return nil, free, err
		}
	}
}

// signed reports whether mac is the HMAC-SHA-256 of body under one of secrets. It takes the
// same time for every mac.
func signed(body, mac []byte, secrets [][]byte) bool {
	ok := false
	for _, secret := range secrets {
		h := hmac.New(sha256.New, secret)
		h.Write(body)
		if hmac.Equal(mac, h.Sum(nil)) {
			ok = true
		}
	}
	return ok
}

// accept stores a signed delivery, whose first byte came when it began, that the table of events
// has a row for.
//
// A body that is not JSON is stored all the same: its route job is then buried where people
// see it, and the delivery can be replayed once the cause is known.
func (a *App) accept(ctx context.Context, began time.Time, name, guid string, body []byte) receipt {
	row, known := eventNamed(name)
	if !known {
		return receipt{http.StatusAccepted, "Nothing to do: Landwaiter does not use this event.", "dropped", ""}
	}
	p, err := parsePayload(body)
	readable := err == nil
	action := ""
	if readable {
		if !row.has(p.Action) {
			return receipt{http.StatusAccepted, "Nothing to do: Landwaiter does not use this action.", "dropped", "other"}
		}
		if row.concerns != nil && !row.concerns(p) {
			return receipt{http.StatusAccepted, "Nothing to do: nothing that Landwaiter judges changed.", "dropped", p.Action}
		}
		action = p.Action
	}
	d := store.Delivery{
		GUID: guid, Event: name, Action: action, Body: body, Received: a.now(),
		InstallationID: p.Installation.ID, RepositoryID: p.Repository.ID,
	}
	ctx, span := a.traceDelivery(ctx, began, d)
	fresh, err := a.store.Receive(ctx, d, a.routeJob(d, row))
	span.End(err)
	switch {
	case err != nil:
		a.log.ErrorContext(ctx, "delivery not stored", "delivery", guid, "event", name, "action", action, "error", err)
		return receipt{http.StatusServiceUnavailable, "Not stored: the database did not take it; it will be asked for again.", "failed", action}
	case !fresh:
		return receipt{http.StatusAccepted, "Seen before: nothing changes.", "duplicate", action}
	case !readable:
		return receipt{http.StatusAccepted, "Stored, but the body is not readable JSON: see the buried jobs.", "stored", ""}
	}
	return receipt{http.StatusAccepted, "Stored.", "stored", action}
}
