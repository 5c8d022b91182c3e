package app

import (
	"fmt"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/landwaiter/landwaiter/store"
)

// metrics are the counters of GITHUB.md section 11 that this package feeds. Labels come from
// tables of ours, never from a payload.
type metrics struct {
	deliveries    *prometheus.CounterVec
	lag           prometheus.Histogram
	jobs          *prometheus.HistogramVec
	latency       *prometheus.HistogramVec
	checks        *prometheus.CounterVec
	requests      *prometheus.CounterVec
	rate          *prometheus.GaugeVec
	throttles     prometheus.Counter
	skew          prometheus.Gauge
	redeliveries  prometheus.Counter
	healed        *prometheus.CounterVec
	gateDecisions *prometheus.CounterVec
	gateWait      prometheus.Histogram
}

// newMetrics registers the metrics with r, those about the store among them; nil registers none.
func newMetrics(r prometheus.Registerer, db *store.DB, version string) (*metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	seconds := func(name, help string, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: name, Help: help, Buckets: prometheus.ExponentialBuckets(0.001, 2.5, 15),
		}, labels)
	}
	m := &metrics{
		deliveries: counter("landwaiter_webhook_deliveries_total", "Webhooks by event, action and what became of them.", "event", "action", "outcome"),
		lag: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "landwaiter_webhook_lag_seconds", Help: "Time from the first byte of a webhook to its answer.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2.5, 12),
		}),
		jobs:          seconds("landwaiter_job_duration_seconds", "Time a job took, by step and outcome.", "kind", "outcome"),
		latency:       seconds("landwaiter_check_latency_seconds", "Time since the job was created until the check shows it.", "phase"),
		checks:        counter("landwaiter_checks_total", "Check runs concluded.", "conclusion"),
		requests:      counter("landwaiter_github_requests_total", "Calls to GitHub by route, status and cache use.", "route", "code", "cache"),
		rate:          prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "landwaiter_github_rate_remaining", Help: "Calls left until the primary limit resets."}, []string{"installation"}),
		throttles:     prometheus.NewCounter(prometheus.CounterOpts{Name: "landwaiter_github_throttled_total", Help: "Calls that GitHub refused for a limit."}),
		skew:          prometheus.NewGauge(prometheus.GaugeOpts{Name: "landwaiter_clock_skew_seconds", Help: "How far our clock is ahead of GitHub's."}),
		redeliveries:  prometheus.NewCounter(prometheus.CounterOpts{Name: "landwaiter_redeliveries_total", Help: "Failed deliveries asked for again."}),
		healed:        counter("landwaiter_drift_healed_total", "Subjects found without a run and judged after all.", "kind"),
		gateDecisions: counter("landwaiter_gate_decisions_total", "What gates did.", "gate", "decision"),
		gateWait: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "landwaiter_gate_wait_seconds", Help: "How long a deployment waited for our answer, or a release from its verdict to what the gate did.",
			Buckets: prometheus.ExponentialBuckets(0.25, 2.5, 12), // to about 1.6 hours; environments may wait longer
		}),
	}
	if r == nil {
		return m, nil
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "landwaiter_build_info", Help: "Always 1; the version is a label.", ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	for _, c := range []prometheus.Collector{
		newStoreMetrics(db),
		m.deliveries, m.lag, m.jobs, m.latency, m.checks, m.requests, m.rate, m.throttles, m.skew, m.redeliveries, m.healed, m.gateDecisions, m.gateWait, build,
	} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("app: registering metrics: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) received(event, action, outcome string, took time.Duration) {
	m.deliveries.WithLabelValues(event, action, outcome).Inc()
	m.lag.Observe(took.Seconds())
}

func (m *metrics) called(route, code, cache string) {
	m.requests.WithLabelValues(route, code, cache).Inc()
}

func (m *metrics) throttled() { m.throttles.Inc() }

func (m *metrics) skewed(ahead time.Duration) { m.skew.Set(ahead.Seconds()) }

func (m *metrics) remaining(installation int64, calls int) {
	m.rate.WithLabelValues(strconv.FormatInt(installation, 10)).Set(float64(calls))
}

func (m *metrics) worked(step, outcome string, took time.Duration) {
	m.jobs.WithLabelValues(step, outcome).Observe(took.Seconds())
}

// decided counts what a gate did about something that it had waited for.
func (m *metrics) decided(gate, decision string, waited time.Duration) {
	m.gateDecisions.WithLabelValues(gate, decision).Inc()
	m.gateWait.Observe(max(waited, 0).Seconds())
}

// shown counts what a check run came to show. since is how long ago its job was created.
func (m *metrics) shown(phase, conclusion string, since time.Duration) {
	m.latency.WithLabelValues(phase).Observe(since.Seconds())
	if conclusion != "" {
		m.checks.WithLabelValues(conclusion).Inc()
	}
}
