package app

import (
	"context"
	"errors"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/landwaiter/landwaiter/app/tracing"
	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store"
)

// The spans, below each other as they nest. docs/operations.md shows the same tree.
//
//	receive                          a signed webhook that is kept
//	  store commit
//	  claim                          once for each job below
//	  route, judge, publish:check... one for each attempt at a job, named after its step
//	    gather, scan osv, record     of judge
//	    GitHub GET /repos/{}/{}/...  one for each call
//	    store commit
//
// A job is a child of the span under which it was added. Nothing in a span is secret: names and
// numbers that the log has too, the template of a route, a status.

// traceDelivery starts the span of a delivery; what ctx adds to the store goes on with it.
func (a *App) traceDelivery(ctx context.Context, began time.Time, d store.Delivery) (context.Context, tracing.Span) {
	ctx, span := a.cfg.Tracer.Begin(ctx, tracing.Work{
		Name: "receive", Kind: trace.SpanKindServer, Began: began,
		Attributes: []attribute.KeyValue{
			attribute.String("landwaiter.delivery", d.GUID), attribute.String("landwaiter.event", d.Event),
			attribute.String("landwaiter.action", d.Action), attribute.Int64("landwaiter.installation", d.InstallationID),
		},
	})
	return store.WithTrace(ctx, tracing.Parent(ctx)), span
}

// traceJob starts the span of one attempt at j. What ctx adds to the store goes on with it.
func (a *App) traceJob(ctx context.Context, j store.Job) (context.Context, tracing.Span) {
	ctx, span := a.cfg.Tracer.Begin(ctx, tracing.Work{
		Name: j.Step, Kind: trace.SpanKindConsumer, Traces: j.Trace,
		Attributes: []attribute.KeyValue{
			attribute.String("landwaiter.run", j.Key), attribute.Int64("landwaiter.generation", j.Generation),
			attribute.Int("landwaiter.attempt", j.Attempts), attribute.Int("landwaiter.priority", j.Priority),
			attribute.Int64("landwaiter.installation", j.InstallationID),
		},
	})
	return store.WithTrace(ctx, tracing.Parent(ctx)), span
}

// traceClaim records that j was claimed between began and now, in the trace that j goes on with.
func (a *App) traceClaim(ctx context.Context, j store.Job, began time.Time) {
	parent, _, _ := strings.Cut(j.Trace, " ")
	if parent == "" {
		return // its first span begins a trace
	}
	_, span := a.cfg.Tracer.Begin(ctx, tracing.Work{
		Name: "claim", Kind: trace.SpanKindConsumer, Traces: parent, Began: began,
		Attributes: []attribute.KeyValue{
			attribute.String("landwaiter.step", j.Step), attribute.String("landwaiter.run", j.Key),
			attribute.Float64("landwaiter.waited_seconds", a.now().Sub(later(j.Created, j.Due)).Seconds()),
		},
	})
	span.EndAt(time.Now())
}

func later(x, y time.Time) time.Time {
	if y.After(x) {
		return y
	}
	return x
}

// traced returns scanners whose looks at Material are spans.
func (a *App) traced(scanners []checks.Scanner) []checks.Scanner {
	if a.cfg.Tracer == nil {
		return scanners
	}
	list := make([]checks.Scanner, len(scanners))
	for i, s := range scanners {
		list[i] = tracedScanner{s, a.cfg.Tracer}
	}
	return list
}

// errScannerFault ends the span of a scanner that panicked.
var errScannerFault = errors.New("stopped by an internal fault")

// tracedScanner is a scanner whose looks are spans.
type tracedScanner struct {
	checks.Scanner
	tracer *tracing.Tracer
}

// Scan implements checks.Scanner.
func (s tracedScanner) Scan(ctx context.Context, m *checks.Material) (checks.Evidence, error) {
	ctx, span := s.tracer.Start(ctx, "scan "+s.Name())
	ended := false
	defer func() {
		if !ended { // a panic, which checks turns into failed Evidence
			span.End(errScannerFault)
		}
	}()
	e, err := s.Scanner.Scan(ctx, m)
	ended = true
	span.Set(attribute.Bool("landwaiter.complete", e.Complete))
	span.End(err)
	return e, err
}
