// Package tracing follows one delivery through everything that comes of it.
//
// It knows spans and traceparents and nothing of GitHub, jobs or the store: package app names
// the spans, and command landwaiter decides whether they are exported. Where they are not, a
// trace still has its number, so that the log lines of one delivery can be found together.
//
// What it must never do: put a URL, a body, a header or an error value into a span. Errors are
// kept as their text, cut.
//
// Start reading at Tracer.
package tracing

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// maxErrorBytes bounds the text of an error in a span.
const maxErrorBytes = 500

// Tracer starts spans. A nil Tracer is usable and exports nothing.
type Tracer struct{ spans trace.Tracer }

// New returns a Tracer whose spans go to p.
func New(p trace.TracerProvider) *Tracer {
	return &Tracer{spans: p.Tracer("github.com/landwaiter/landwaiter")}
}

// quiet is the tracer of a nil Tracer: it passes the numbers on and keeps nothing.
var quiet trace.Tracer = noop.Tracer{}

func (t *Tracer) tracer() trace.Tracer {
	if t == nil {
		return quiet
	}
	return t.spans
}

// Work is a piece of work that begins or goes on with a trace.
type Work struct {
	Name string
	Kind trace.SpanKind
	// Began is when it began; zero means now.
	Began time.Time
	// Traces are W3C traceparents with spaces between them: the first is gone on with, the
	// others are linked. "" begins a trace.
	Traces     string
	Attributes []attribute.KeyValue
}

// Begin starts the span of w. The context that it returns always has a valid trace: where
// nothing is exported it has random numbers and is not sampled.
func (t *Tracer) Begin(ctx context.Context, w Work) (context.Context, Span) {
	options := []trace.SpanStartOption{trace.WithSpanKind(w.Kind), trace.WithAttributes(w.Attributes...)}
	if !w.Began.IsZero() {
		options = append(options, trace.WithTimestamp(w.Began))
	}
	ctx = trace.ContextWithSpanContext(ctx, trace.SpanContext{})
	seen := map[string]bool{}
	for i, text := range strings.Fields(w.Traces) {
		parent, ok := parse(text)
		switch {
		case !ok, seen[text]:
		case i == 0:
			ctx = trace.ContextWithRemoteSpanContext(ctx, parent)
		default:
			options = append(options, trace.WithLinks(trace.Link{SpanContext: parent}))
		}
		seen[text] = true
	}
	ctx, span := t.tracer().Start(ctx, w.Name, options...)
	if !span.SpanContext().IsValid() {
		ctx = trace.ContextWithSpanContext(ctx, unsampled())
	}
	return ctx, Span{span}
}

// Start starts a span below the one in ctx. Where ctx has none, nothing is started: only Begin
// begins a trace.
func (t *Tracer) Start(ctx context.Context, name string, attributes ...attribute.KeyValue) (context.Context, Span) {
	return t.start(ctx, name, trace.SpanKindInternal, attributes)
}

// Call is Start for a request to another service.
func (t *Tracer) Call(ctx context.Context, name string, attributes ...attribute.KeyValue) (context.Context, Span) {
	return t.start(ctx, name, trace.SpanKindClient, attributes)
}

func (t *Tracer) start(ctx context.Context, name string, kind trace.SpanKind, attributes []attribute.KeyValue) (context.Context, Span) {
	if t == nil || !trace.SpanContextFromContext(ctx).IsValid() {
		return ctx, Span{}
	}
	ctx, span := t.spans.Start(ctx, name, trace.WithSpanKind(kind), trace.WithAttributes(attributes...))
	return ctx, Span{span}
}

// Around returns a function that starts a span called name below the one in ctx, and returns
// what ends it: for packages that know nothing of traces. It is nil for a nil Tracer.
func (t *Tracer) Around(name string) func(ctx context.Context) (end func(err error)) {
	if t == nil {
		return nil
	}
	return func(ctx context.Context) func(error) {
		_, span := t.Start(ctx, name)
		return span.End
	}
}

// Span is a span under way. The zero Span takes everything and keeps nothing.
type Span struct{ span trace.Span }

// Set adds attributes.
func (s Span) Set(attributes ...attribute.KeyValue) {
	if s.span != nil {
		s.span.SetAttributes(attributes...)
	}
}

// End ends the span. err, when not nil, marks it as failed and leaves its text, never itself:
// an error value may hold a request with its headers (THREATS G14).
func (s Span) End(err error) {
	if s.span == nil {
		return
	}
	if err != nil && s.span.IsRecording() {
		s.span.SetStatus(codes.Error, cut(err.Error()))
	}
	s.span.End()
}

// EndAt is End with the time at which the work ended.
func (s Span) EndAt(at time.Time) {
	if s.span != nil {
		s.span.End(trace.WithTimestamp(at))
	}
}

func cut(text string) string {
	if len(text) > maxErrorBytes {
		text = text[:maxErrorBytes]
	}
	return strings.ToValidUTF8(text, "")
}

// unsampled returns a new trace that nobody exports.
func unsampled() trace.SpanContext {
	var c trace.SpanContextConfig
	rand.Read(c.TraceID[:]) // never fails; see crypto/rand
	rand.Read(c.SpanID[:])
	return trace.NewSpanContext(c)
}
