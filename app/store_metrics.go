package app

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store"
)

// scrapeTimeout bounds what one scrape may ask of the store.
const scrapeTimeout = 5 * time.Second

// storeMetrics reads the store when somebody scrapes: what waits and what is kept.
type storeMetrics struct {
	db         *store.DB
	depth      *prometheus.Desc
	entries    *prometheus.Desc
	findings   *prometheus.Desc
	overdue    *prometheus.Desc
	exceptions *prometheus.Desc
}

func newStoreMetrics(db *store.DB) *storeMetrics {
	return &storeMetrics{
		db:      db,
		depth:   prometheus.NewDesc("landwaiter_queue_depth", "Jobs by step; buried ones of all steps under \"buried\".", []string{"queue"}, nil),
		entries: prometheus.NewDesc("landwaiter_ledger_entries_total", "Entries of the ledger.", nil, nil),
		findings: prometheus.NewDesc("landwaiter_findings_open",
			"Findings that open pull requests bring in, and releases that failed, by the newest verdict on each.", []string{"severity"}, nil),
		overdue:    prometheus.NewDesc("landwaiter_sla_overdue", "Those of landwaiter_findings_open whose time to cure (sla) has passed.", []string{"severity"}, nil),
		exceptions: prometheus.NewDesc("landwaiter_exceptions_active", "Exceptions that accept a finding of an open pull request or release, and have not ended.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (m *storeMetrics) Describe(out chan<- *prometheus.Desc) {
	out <- m.depth
	out <- m.entries
	out <- m.findings
	out <- m.overdue
	out <- m.exceptions
}

// Collect implements prometheus.Collector. A store that does not answer leaves a gap in the
// curve, and its own fault in the log.
func (m *storeMetrics) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	figures, err := m.db.Figures(ctx)
	if err != nil {
		return
	}
	var buried int64
	for _, q := range figures.Queue {
		buried += q.Buried
		out <- prometheus.MustNewConstMetric(m.depth, prometheus.GaugeValue, float64(q.Ready+q.Later+q.Running), q.Step)
	}
	out <- prometheus.MustNewConstMetric(m.depth, prometheus.GaugeValue, float64(buried), "buried")
	out <- prometheus.MustNewConstMetric(m.entries, prometheus.CounterValue, float64(figures.LedgerSize))
	for severity := checks.SeverityUnknown; severity <= checks.SeverityCritical; severity++ {
		out <- prometheus.MustNewConstMetric(m.findings, prometheus.GaugeValue, float64(figures.Findings[severity]), severity.String())
		out <- prometheus.MustNewConstMetric(m.overdue, prometheus.GaugeValue, float64(figures.Overdue[severity]), severity.String())
	}
	out <- prometheus.MustNewConstMetric(m.exceptions, prometheus.GaugeValue, float64(figures.Exceptions))
}
