package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

// fixed is the clock of these tests.
func fixed() time.Time { return time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC) }

// newServer returns a server over cfg with a quiet log, a still clock and an echo of the body as Hooks.
func newServer(t *testing.T, cfg Config) *Server {
	t.Helper()
	if cfg.Hooks == nil {
		cfg.Hooks = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				http.Error(w, "cut: "+err.Error(), http.StatusBadRequest)
				return
			}
			w.WriteHeader(http.StatusAccepted)
			_, _ = w.Write(body) // a recorder never fails
		})
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Metrics == nil {
		cfg.Metrics = prometheus.NewRegistry()
	}
	cfg.Now = fixed
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func ask(h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w
}

func TestNewNeedsHooks(t *testing.T) {
	t.Parallel()
	if _, err := New(Config{}); err == nil || !strings.Contains(err.Error(), "Config.Hooks") {
		t.Errorf("New without Hooks: %v, want an error naming Config.Hooks", err)
	}
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	s := newServer(t, Config{Version: map[string]string{"version": "v1.2.3"}})
	tests := []struct {
		name, method, path string
		status             int
		kind, holds        string
	}{
		{"hook", "POST", "/hooks", 202, "", "body"},
		{"alive", "GET", "/livez", 200, "application/json", `{"status":"ok","uptime_seconds":0}`},
		{"alive by head", "HEAD", "/livez", 200, "application/json", ""},
		{"ready", "GET", "/readyz", 200, "application/json", `{"not_ready":[],"status":"ready"}`},
		{"version", "GET", "/version", 200, "application/json", `{"version":"v1.2.3"}`},
		{"metrics", "GET", "/metrics", 200, "text/plain", ""},
		{"page", "GET", "/", 200, "text/html; charset=UTF-8", `<link rel="stylesheet" href="/assets/style.css">`},
		{"style", "GET", "/assets/style.css", 200, "text/css", "font"},
		{"unknown path", "GET", "/nothing", 404, "application/json", `"status":404`},
		{"a hook is posted", "GET", "/hooks", 405, "application/json", `"status":405`},
		{"unknown method", "DELETE", "/version", 405, "application/json", `"status":405`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := ask(s.Handler(true), test.method, test.path, "body")
			if w.Code != test.status || !strings.HasPrefix(w.Header().Get("Content-Type"), test.kind) || !strings.Contains(w.Body.String(), test.holds) {
				t.Errorf("%s %s = %d %s %s, want %d %s holding %s", test.method, test.path, w.Code,
					w.Header().Get("Content-Type"), w.Body, test.status, test.kind, test.holds)
			}
			if w.Code >= 400 {
				checkProblem(t, w)
			}
		})
	}
}

// checkProblem asserts that an error has a sentence and the request id that its header has.
func checkProblem(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	var p problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("error body %q: %v", w.Body, err)
	}
	if p.Status != w.Code || p.Error == "" || p.Request == "" || p.Request != w.Header().Get("X-Request-Id") {
		t.Errorf("error body %+v, want status %d, a sentence and request id %q", p, w.Code, w.Header().Get("X-Request-Id"))
	}
}

func TestMetricsElsewhere(t *testing.T) {
	t.Parallel()
	s := newServer(t, Config{})
	for _, test := range []struct {
		name, path string
		handler    http.Handler
		status     int
	}{
		{"not on the public listener", "/metrics", s.Handler(false), 404},
		{"on its own", "/metrics", s.MetricsHandler(), 200},
		{"profiles beside metrics", "/debug/pprof/goroutine", s.MetricsHandler(), 200},
		{"no command line", "/debug/pprof/cmdline", s.MetricsHandler(), 404},
		{"no profiles on the public listener", "/debug/pprof/goroutine", s.Handler(false), 404},
		{"no profiles when metrics share it", "/debug/pprof/goroutine", s.Handler(true), 404},
		{"health on its own", "/readyz", s.MetricsHandler(), 200},
		{"no hooks on its own", "/hooks", s.MetricsHandler(), 404},
	} {
		if w := ask(test.handler, "GET", test.path, ""); w.Code != test.status {
			t.Errorf("%s: %d, want %d", test.name, w.Code, test.status)
		}
	}
}

func TestReadyNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	s := newServer(t, Config{Ready: func(context.Context) error {
		return errors.Join(errors.New("store: no answer"), errors.New("advisories: "+strings.Repeat("ä", 400)))
	}})
	w := ask(s.Handler(false), "GET", "/readyz", "")
	var body struct {
		Status   string   `json:"status"`
		NotReady []string `json:"not_ready"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatal(err)
	}
	if w.Code != 503 || body.Status != "not ready" || len(body.NotReady) != 2 || body.NotReady[0] != "store: no answer" {
		t.Errorf("readyz = %d %+v, want 503 with both reasons", w.Code, body)
	}
	if n := len(body.NotReady[1]); n > maxReasonBytes || strings.Contains(body.NotReady[1], "\ufffd") {
		t.Errorf("long reason has %d bytes: %q, want at most %d of valid text", n, body.NotReady[1], maxReasonBytes)
	}
}

func TestG17PageCarriesNothingInline(t *testing.T) {
	t.Parallel()
	w := ask(newServer(t, Config{}).Handler(false), "GET", "/", "")
	for _, forbidden := range []string{"<script", "<style", " style=", " onclick", "javascript:"} {
		if strings.Contains(strings.ToLower(w.Body.String()), forbidden) {
			t.Errorf("page holds %q", forbidden)
		}
	}
	want := map[string]string{
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		"X-Content-Type-Options":  "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
	}
	got := map[string]string{}
	for name := range want {
		got[name] = w.Header().Get(name)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("headers (-want +got):\n%s", d)
	}
}

func TestG01HooksBodyLimit(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		bytes  int
		length int64 // declared; -1 for chunked
		status int
	}{
		{"25 MiB and a byte reaches the receiver, who says so itself", 25<<20 + 1, 25<<20 + 1, 202},
		{"28 MiB declared", 28 << 20, 28 << 20, 413},
		{"28 MiB chunked is cut", 28 << 20, -1, 400},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest("POST", "/hooks", io.LimitReader(zeros{}, int64(test.bytes)))
			r.ContentLength = test.length
			w := httptest.NewRecorder()
			newServer(t, Config{}).Handler(false).ServeHTTP(w, r)
			if w.Code != test.status {
				t.Errorf("status %d, want %d", w.Code, test.status)
			}
		})
	}
}

// zeros is an endless body.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestPanicIsAnswered(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := newServer(t, Config{
		Log:   slog.New(slog.NewJSONHandler(&log, nil)),
		Hooks: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("canary-panic") }),
	})
	w := ask(s.Handler(false), "POST", "/hooks", "{}")
	if w.Code != 500 || strings.Contains(w.Body.String(), "canary") {
		t.Errorf("answer %d %s, want 500 without the reason", w.Code, w.Body)
	}
	checkProblem(t, w)
	if !strings.Contains(log.String(), "canary-panic") {
		t.Errorf("log lacks the panic: %s", &log)
	}
}

func TestG15LogHoldsNoQueryHeaderOrBody(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := newServer(t, Config{Log: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	r := httptest.NewRequest("POST", "/hooks?token=canary-query", strings.NewReader("canary-body"))
	r.Header.Set("Authorization", "Bearer canary-header")
	r.Header.Set("X-Request-Id", "canary-id")
	r.Header.Set("X-Forwarded-For", "203.0.113.77")
	r.RemoteAddr = "198.51.100.4:5000"
	s.Handler(false).ServeHTTP(httptest.NewRecorder(), r)
	if strings.Contains(log.String(), "canary") || strings.Contains(log.String(), "203.0.113.77") {
		t.Errorf("log holds what the client sent: %s", &log)
	}
	var record map[string]any
	if err := json.Unmarshal(log.Bytes(), &record); err != nil {
		t.Fatalf("log %q: %v", &log, err)
	}
	if record["path"] != "/hooks" || record["peer"] != "198.51.100.4" || record["status"] != float64(202) {
		t.Errorf("record %v, want path /hooks, the peer's own address and status 202", record)
	}
}
