package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/landwaiter/landwaiter/app/tracing"
)

// TestWantsTraces reads environments of OpenTelemetry.
func TestWantsTraces(t *testing.T) {
	t.Parallel()
	const endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT"
	tests := []struct {
		name  string
		env   map[string]string
		want  bool
		wrong string // in the error
	}{
		{"nothing", nil, false, ""},
		{"an endpoint", map[string]string{endpoint: "http://127.0.0.1:4318"}, true, ""},
		{"an endpoint for traces", map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, true, ""},
		{"disabled", map[string]string{endpoint: "http://127.0.0.1:4318", "OTEL_SDK_DISABLED": "TRUE"}, false, ""},
		{"no exporter", map[string]string{endpoint: "http://127.0.0.1:4318", "OTEL_TRACES_EXPORTER": "none"}, false, ""},
		{"another exporter", map[string]string{endpoint: "http://127.0.0.1:4318", "OTEL_TRACES_EXPORTER": "zipkin"}, false, "OTEL_TRACES_EXPORTER"},
		{"gRPC", map[string]string{endpoint: "http://127.0.0.1:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, false, "4318"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := wantsTraces(func(name string) (string, bool) { v, ok := test.env[name]; return v, ok })
			if got != test.want || (err != nil) != (test.wrong != "") || err != nil && !strings.Contains(err.Error(), test.wrong) {
				t.Errorf("%v, %v; want %v and an error with %q", got, err, test.want, test.wrong)
			}
		})
	}
}

// TestExportTraces sends a span to a collector over HTTP, under the name that the environment
// says. It is not parallel: the exporter reads the environment of the process.
func TestExportTraces(t *testing.T) {
	var mu sync.Mutex
	var got bytes.Buffer
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		var body io.Reader = r.Body
		if r.Header.Get("Content-Encoding") == "gzip" {
			var err error
			if body, err = gzip.NewReader(r.Body); err != nil {
				t.Error(err)
				return
			}
		}
		got.WriteString(r.Method + " " + r.URL.Path + "\n")
		if _, err := io.Copy(&got, body); err != nil {
			t.Error(err)
		}
	}))
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	t.Setenv("OTEL_SERVICE_NAME", "landwaiter-of-acme")
	env := map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": collector.URL}
	traces, err := openTraces(t.Context(), func(name string) (string, bool) { v, ok := env[name]; return v, ok }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	_, span := traces.tracer().Begin(t.Context(), tracing.Work{Name: "judge"})
	span.End(nil)
	if err := traces.close(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"POST /v1/traces\n", "judge", "landwaiter-of-acme"} {
		if !strings.Contains(got.String(), want) {
			t.Errorf("the collector got no %q:\n%q", want, got.String())
		}
	}
}
