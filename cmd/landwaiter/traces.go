package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/landwaiter/landwaiter/app/tracing"
)

// tracesDrain is how long an ending process may send what it still holds.
const tracesDrain = 5 * time.Second

// traces exports spans. A nil one exports nothing.
type traces struct{ provider *sdktrace.TracerProvider }

// openTraces reads the usual environment of OpenTelemetry (opentelemetry.io, "Environment
// Variable Specification") and returns nil when it asks for no export: nothing then runs.
//
// The SDK reads OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER, OTEL_BSP_* and
// OTEL_SPAN_*, the exporter OTEL_EXPORTER_OTLP_*, both from the environment of the process.
func openTraces(ctx context.Context, env func(string) (string, bool), log *slog.Logger) (*traces, error) {
	wanted, err := wantsTraces(env)
	if err != nil || !wanted {
		return nil, err
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("traces", "error", err.Error()) }))
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, usage("OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)
	}
	t, err := newTraces(ctx, sdktrace.WithBatcher(exporter))
	if err != nil {
		return nil, usage("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	return t, nil
}

// newTraces returns traces that go where option says.
func newTraces(ctx context.Context, option sdktrace.TracerProviderOption) (*traces, error) {
	// What the environment says comes last and wins.
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(
		attribute.String("service.name", "landwaiter"), attribute.String("service.version", version),
	), resource.WithFromEnv())
	if err != nil {
		return nil, err
	}
	return &traces{sdktrace.NewTracerProvider(option, sdktrace.WithResource(about))}, nil
}

// wantsTraces reports whether the environment asks for traces over HTTP. What it asks for and
// cannot have is an error, so that nobody waits for traces that never come.
func wantsTraces(env func(string) (string, bool)) (bool, error) {
	get := func(name string) string { v, _ := env(name); return strings.TrimSpace(v) }
	if strings.EqualFold(get("OTEL_SDK_DISABLED"), "true") {
		return false, nil
	}
	switch exporter := get("OTEL_TRACES_EXPORTER"); exporter {
	case "", "otlp":
	case "none":
		return false, nil
	default:
		return false, usage("OTEL_TRACES_EXPORTER is %q; it should be otlp or none", exporter)
	}
	if get("OTEL_EXPORTER_OTLP_ENDPOINT") == "" && get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "" {
		return false, nil
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"} {
		if p := get(name); p != "" && p != "http/protobuf" {
			return false, usage("%s is %q; it should be http/protobuf, and the endpoint that of OTLP over HTTP, usually port 4318", name, p)
		}
	}
	return true, nil
}

// tracer returns what packages start spans with; nil from nil.
func (t *traces) tracer() *tracing.Tracer {
	if t == nil {
		return nil
	}
	return tracing.New(t.provider)
}

// close sends what is held and ends the export.
func (t *traces) close() error {
	if t == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), tracesDrain)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("ending the export of traces: %w", err)
	}
	return nil
}
