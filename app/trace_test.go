package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	otelcodes "go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/app/tracing"
	"github.com/landwaiter/landwaiter/store"
)

// newTracer returns a Tracer and where its spans arrive.
func newTracer(t testing.TB) (*tracing.Tracer, *tracetest.InMemoryExporter) {
	t.Helper()
	memory := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(memory))
	t.Cleanup(func() { provider.Shutdown(context.Background()) })
	return tracing.New(provider), memory
}

// traceOf returns the spans of the one trace that has a span receive, of the newest delivery.
func traceOf(t testing.TB, spans tracetest.SpanStubs) tracetest.SpanStubs {
	t.Helper()
	var id trace.TraceID
	for _, s := range spans {
		if s.Name == "receive" {
			id = s.SpanContext.TraceID()
		}
	}
	var of tracetest.SpanStubs
	for _, s := range spans {
		if s.SpanContext.TraceID() == id && id.IsValid() {
			of = append(of, s)
		}
	}
	if len(of) == 0 {
		t.Fatal("no trace of a delivery")
	}
	return of
}

// paths writes each span with those above it, "receive > route > store commit", each path once.
func paths(spans tracetest.SpanStubs) []string {
	byID := map[trace.SpanID]tracetest.SpanStub{}
	for _, s := range spans {
		byID[s.SpanContext.SpanID()] = s
	}
	seen := map[string]bool{}
	var list []string
	for _, s := range spans {
		text := s.Name
		for up, ok := byID[s.Parent.SpanID()]; ok; up, ok = byID[up.Parent.SpanID()] {
			text = up.Name + " > " + text
		}
		if !seen[text] {
			seen[text] = true
			list = append(list, text)
		}
	}
	slices.Sort(list)
	return list
}

// TestTraceOfPullRequest sends one pull request through two processes, of which one receives and
// routes and the other judges and publishes: it is one trace, which nests as documented.
func TestTraceOfPullRequest(t *testing.T) {
	t.Parallel()
	front, memory1 := newTracer(t)
	back, memory2 := newTracer(t)
	w := newWorld(t, githubtest.Options{}, func(c *Config) { c.Tracer = front })
	r := w.shop()
	second := *w
	second.config.Tracer, second.config.Metrics = back, nil
	second.open()
	memory1.Reset()

	p := r.OpenPull(githubtest.PullOptions{Head: "change", Files: githubtest.Files{"package-lock.json": lock("lodash@4.17.20")}})
	if err := w.github.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.step() // route
	second.settle()
	second.concluded(r, p.HeadSHA(), "failure", "1 violation")

	if names := paths(memory1.GetSpans()); slices.ContainsFunc(names, func(s string) bool { return strings.Contains(s, "judge") }) {
		t.Fatalf("the first process judged: %q", names)
	}
	spans := traceOf(t, append(memory1.GetSpans(), memory2.GetSpans()...))
	var roots int
	for _, s := range spans {
		if !s.Parent.IsValid() {
			roots++
		}
		if s.Status.Code == otelcodes.Error {
			t.Errorf("%s failed: %s", s.Name, s.Status.Description)
		}
		if s.EndTime.Before(s.StartTime) {
			t.Errorf("%s ends before it starts", s.Name)
		}
	}
	if roots != 1 {
		t.Errorf("%d roots, want 1", roots)
	}
	have := paths(spans)
	for _, want := range []string{
		"receive",
		"receive > store commit",
		"receive > route",
		"receive > route > store commit",
		"receive > route > judge",
		"receive > route > judge > gather",
		"receive > route > judge > gather > GitHub GET /repos/{}/{}/pulls/{}",
		"receive > route > judge > scan osv",
		"receive > route > judge > record",
		"receive > route > judge > record > store commit",
		"receive > route > judge > publish:check",
		"receive > route > judge > publish:check > store commit",
	} {
		if !slices.Contains(have, want) {
			t.Errorf("no span %q among\n  %s", want, strings.Join(have, "\n  "))
		}
	}
	for _, path := range have { // what every path must look like, whichever calls there are
		if strings.Contains(path, "GitHub") && (!strings.Contains(path, "{}") && !strings.Contains(path, "/app/") || strings.Contains(path, "shop")) {
			t.Errorf("%q is not the template of a route", path)
		}
	}
}

// TestTraceClaim lets workers run on their own: each job has a span for the claim beside it.
func TestTraceClaim(t *testing.T) {
	t.Parallel()
	tracer, memory := newTracer(t)
	w := newWorld(t, githubtest.Options{}, func(c *Config) { c.Tracer = tracer })
	reached := make(chan struct{})
	w.scanner.fail = func(ctx context.Context) error {
		close(reached)
		<-ctx.Done()
		return ctx.Err()
	}
	r := w.shop()
	stop := w.live()
	r.OpenPull(githubtest.PullOptions{Head: "change", Files: githubtest.Files{"package-lock.json": lock("lodash@4.17.20")}})
	<-reached
	stop()
	have := paths(traceOf(t, memory.GetSpans()))
	for _, want := range []string{"receive > claim", "receive > route > claim"} {
		if !slices.Contains(have, want) {
			t.Errorf("no span %q among %q", want, have)
		}
	}
}

// TestTraceLinks pushes twice before anything is judged: the judgment goes on with the newer
// delivery and is linked to the older one.
func TestTraceLinks(t *testing.T) {
	t.Parallel()
	tracer, memory := newTracer(t)
	w := newWorld(t, githubtest.Options{}, func(c *Config) { c.Tracer = tracer })
	older, newer := "00-000000000000000000000000000000a1-00000000000000a1-01", "00-000000000000000000000000000000b2-00000000000000b2-01"
	for _, parent := range []string{older, newer} {
		if err := w.db.Enqueue(t.Context(), store.Job{Step: "no-such-step", Key: "k", Trace: parent}); err != nil {
			t.Fatal(err)
		}
	}
	memory.Reset()
	w.step()
	for _, s := range memory.GetSpans() {
		if s.Name != "no-such-step" {
			continue
		}
		if tracing.Parent(trace.ContextWithSpanContext(t.Context(), s.Parent)) != newer {
			t.Errorf("goes on with %s", s.Parent.TraceID())
		}
		var links []string
		for _, l := range s.Links {
			links = append(links, tracing.Parent(trace.ContextWithSpanContext(t.Context(), l.SpanContext)))
		}
		if diff := cmp.Diff([]string{older}, links); diff != "" {
			t.Errorf("links (-want +got):\n%s", diff)
		}
		if s.Status.Code != otelcodes.Error || s.Status.Description != `there is no step "no-such-step"` {
			t.Errorf("status %v %q", s.Status.Code, s.Status.Description)
		}
		return
	}
	t.Error("no span of the job")
}

// TestTraceWithoutExport exports nothing: the log lines of one delivery still have one number,
// and the clock's rounds each another.
func TestTraceWithoutExport(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, nil)
	r := w.shop()
	p := w.pull(r, "change", githubtest.Files{"package-lock.json": lock("lodash@4.17.20")})
	w.concluded(r, p.HeadSHA(), "failure", "1 violation")
	var ids []string
	for line := range strings.Lines(w.log.String()) {
		if _, rest, ok := strings.Cut(line, tracing.TraceIDKey+"="); ok && strings.Contains(line, p.HeadSHA()) {
			ids = append(ids, strings.TrimSpace(rest))
		}
	}
	slices.Sort(ids)
	if ids = slices.Compact(ids); len(ids) != 1 || len(ids[0]) != 32 {
		t.Errorf("numbers of traces in the log about %s: %q\n%s", p.HeadSHA(), ids, w.log)
	}
}

// TestG05Spans sends what is not from GitHub: it makes no spans.
func TestG05Spans(t *testing.T) {
	t.Parallel()
	tracer, memory := newTracer(t)
	w := newWorld(t, githubtest.Options{}, func(c *Config) { c.Tracer = tracer })
	memory.Reset()
	if status, _ := w.send(request{method: http.MethodPost, event: "pull_request"}); status == http.StatusAccepted {
		t.Fatal("an unsigned request was accepted")
	}
	if spans := memory.GetSpans(); len(spans) != 0 {
		t.Errorf("%d spans of a stranger's request", len(spans))
	}
}

// structured is an error that holds what its text does not show.
type structured struct{ Authorization string }

func (structured) Error() string { return "the call failed" }

// TestG14Spans ends spans with errors: their text is kept, cut, and nothing of their values.
func TestG14Spans(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"a value with a secret", structured{"Bearer canary"}, "the call failed"},
		{"wrapped", fmt.Errorf("reading x: %w", structured{"Bearer canary"}), "reading x: the call failed"},
		{"long", errors.New(strings.Repeat("é", 400)), strings.Repeat("é", 250)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tracer, memory := newTracer(t)
			_, span := tracer.Begin(t.Context(), tracing.Work{Name: "x"})
			span.End(test.err)
			got := memory.GetSpans()[0]
			if got.Status.Description != test.want || strings.Contains(fmt.Sprintf("%+v", got), "canary") {
				t.Errorf("span %+v\nwant the description %q", got, test.want)
			}
		})
	}
}
