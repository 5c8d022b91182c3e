package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/app/githubtest/contract"
	"github.com/landwaiter/landwaiter/app/tracing"
)

// heldError is an error whose value holds a request, as many of those of net/http's users do.
type heldError struct{ Request *http.Request }

func (heldError) Error() string { return "the connection was reset" }

// leaky carries requests, keeps the tokens that it sees, and breaks off some.
type leaky struct {
	mu     sync.Mutex
	calls  int
	tokens []string
}

func (l *leaky) RoundTrip(r *http.Request) (*http.Response, error) {
	l.mu.Lock()
	l.calls++
	_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if token != "" {
		l.tokens = append(l.tokens, token)
	}
	fail := l.calls%5 == 0
	l.mu.Unlock()
	if fail {
		return nil, heldError{r}
	}
	return http.DefaultTransport.RoundTrip(r)
}

// watched are the spans that ended, with a signal for each.
type watched struct {
	*tracetest.SpanRecorder
	ended chan string
}

func (s watched) OnEnd(span sdktrace.ReadOnlySpan) {
	s.SpanRecorder.OnEnd(span)
	select {
	case s.ended <- span.Name():
	default:
	}
}

// safeBuffer is a log that several goroutines write.
type safeBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *safeBuffer) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.String()
}

// TestG14Canaries (I15) lets the service judge a pull request over a connection that breaks off,
// with errors that hold requests, and then looks for each secret in the log at debug, the spans,
// the metrics, the pages and the profiles.
func TestG14Canaries(t *testing.T) {
	t.Parallel()
	const webhookSecret, ledgerToken = "canary-webhook-secret-0123456789", "canary-ledger-token-0123456789abcdef"
	log := &safeBuffer{}
	spans := watched{tracetest.NewSpanRecorder(), make(chan string, 10_000)}
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	g := githubtest.NewTest(t, githubtest.Options{WebhookSecret: webhookSecret, Description: contract.Description{}})
	dir := t.TempDir()
	wire := &leaky{}
	s, err := openService(t.Context(), config{
		publicURL: "https://landwaiter.example.com", dataDir: dir, databaseURL: "sqlite:" + filepath.Join(dir, "landwaiter.db"),
		appID: g.AppID(), privateKey: g.AppKey(), webhookSecrets: []string{webhookSecret}, apiURL: g.APIURL(), workers: 2,
		ledgerAccess: "off", ledgerToken: ledgerToken, tracer: tracing.New(provider),
	}, slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})), wire)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	front := httptest.NewServer(s.web.Handler(true))
	defer front.Close()
	g.SetWebhookURL(front.URL + "/hooks")
	g.SetAutoDeliver(true)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.app.Run(ctx) }()
	g.Install("acme")
	repo := g.Repo("acme", "shop", githubtest.RepoOptions{Private: true})
	repo.Commit("main", "first", githubtest.Files{"README.md": "shop\n"})
	repo.OpenPull(githubtest.PullOptions{Head: "change", Files: githubtest.Files{"package-lock.json": `{"name":"shop","lockfileVersion":3,"packages":{}}`}})
	if err := g.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	waitFor(t, spans.ended, "record", "publish:check")
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}

	texts := map[string]string{"log": log.text(), "spans": fmt.Sprintf("%+v", tracetest.SpanStubsFromReadOnlySpans(spans.Ended()))}
	metrics := s.web.MetricsHandler()
	for path, h := range map[string]http.Handler{
		"/": s.web.Handler(true), "/version": s.web.Handler(true), "/readyz": s.web.Handler(true), "/ledger/checkpoint": s.web.Handler(true),
		"/metrics": metrics, "/debug/pprof/goroutine?debug=2": metrics,
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		body, err := io.ReadAll(w.Result().Body)
		if err != nil {
			t.Fatal(err)
		}
		texts[path] = string(body)
	}
	// What must be there, so that an empty text does not pass.
	for where, word := range map[string]string{
		"log": "connection was reset", "spans": "connection was reset", "/metrics": "landwaiter_github_requests_total", "/debug/pprof/goroutine?debug=2": "goroutine",
	} {
		if !strings.Contains(texts[where], word) {
			t.Errorf("%s lacks %q:\n%.2000s", where, word, texts[where])
		}
	}
	block, _ := pem.Decode(g.AppKey())
	secrets := append(wire.tokens, webhookSecret, ledgerToken, string(g.AppKey()), base64.StdEncoding.EncodeToString(block.Bytes)[100:164], "ghs_", "Bearer")
	if len(wire.tokens) < 3 {
		t.Fatalf("saw %d tokens", len(wire.tokens))
	}
	for where, text := range texts {
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s shows %.12s...", where, secret)
			}
		}
	}
}

// waitFor waits until the names were sent, in that order.
func waitFor(t *testing.T, names <-chan string, wanted ...string) {
	t.Helper()
	limit := time.After(2 * time.Minute)
	for len(wanted) > 0 {
		select {
		case name := <-names:
			if name == wanted[0] {
				wanted = wanted[1:]
			}
		case <-limit:
			t.Fatalf("no span %s", wanted[0])
		}
	}
}

// TestG14DatabasePassword opens a database that is not there: neither the error nor the log shows
// the password.
func TestG14DatabasePassword(t *testing.T) {
	t.Parallel()
	const password = "canary-database-password"
	for _, url := range []string{
		"postgres://landwaiter:" + password + "@127.0.0.1:1/landwaiter?connect_timeout=1",
		"postgres://landwaiter:" + password + "@127.0.0.1:not-a-port/landwaiter",
	} {
		log := &safeBuffer{}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		_, err := openService(ctx, config{publicURL: "https://landwaiter.example.com", dataDir: t.TempDir(), databaseURL: url},
			slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})), nil)
		cancel()
		var exit *exitError
		if !errors.As(err, &exit) || exit.code != exitUsage {
			t.Errorf("opening %s: %v", strings.ReplaceAll(url, password, "..."), err)
		}
		if strings.Contains(fmt.Sprint(err)+log.text(), password) {
			t.Error("the password of the database is shown")
		}
	}
}
