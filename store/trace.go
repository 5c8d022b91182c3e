package store

import (
	"context"
	"strings"
)

const (
	// NoTrace is a Job.Trace that begins a trace of its own.
	NoTrace = "-"
	// traceBytes is the length of a traceparent (W3C Trace Context, section 3.2): version, trace,
	// span and flags in hexadecimal with dashes between them. mergeJob names it too.
	traceBytes = 2 + 1 + 32 + 1 + 16 + 1 + 2
	// maxTraces bounds the traceparents of one job: a burst of pushes needs no more to be seen.
	maxTraces = 8
)

// traceKey is where WithTrace keeps its traceparent.
type traceKey struct{}

// WithTrace returns a context under which added jobs go on with parent, a W3C traceparent. "" or
// what is none adds nothing to them.
func WithTrace(ctx context.Context, parent string) context.Context {
	return context.WithValue(ctx, traceKey{}, parent)
}

// traceFor settles the Trace of a job that is added under ctx. What has not the form of
// traceparents is dropped: the lists are cut by length.
func traceFor(ctx context.Context, own string) string {
	switch own {
	case NoTrace:
		return ""
	case "":
		own, _ = ctx.Value(traceKey{}).(string)
	}
	var kept []string
	for _, parent := range strings.Fields(own) {
		if len(parent) == traceBytes && strings.Trim(parent, "0123456789abcdef-") == "" && len(kept) < maxTraces {
			kept = append(kept, parent)
		}
	}
	return strings.Join(kept, " ")
}
