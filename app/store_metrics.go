package app

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/landwaiter/landwaiter/store"
)

// scrapeTimeout bounds what one scrape may ask of the store.
const scrapeTimeout = 5 * time.Second

// storeMetrics reads the store when somebody scrapes: what waits and what is kept.
type storeMetrics struct {
	db      *store.DB
	depth   *prometheus.Desc
	entries *prometheus.Desc
}

func newStoreMetrics(db *store.DB) *storeMetrics {
	return &storeMetrics{
		db:      db,
		depth:   prometheus.NewDesc("landwaiter_queue_depth", "Jobs by step; buried ones of all steps under \"buried\".", []string{"queue"}, nil),
		entries: prometheus.NewDesc("landwaiter_ledger_entries_total", "Entries of the ledger.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (m *storeMetrics) Describe(out chan<- *prometheus.Desc) {
	out <- m.depth
	out <- m.entries
}

// Collect implements prometheus.Collector. A store that does not answer leaves a gap in the
// curve, and its own fault in the log.
func (m *storeMetrics) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	stats, err := m.db.Stats(ctx)
	if err != nil {
		return
	}
	var buried int64
	for _, q := range stats.Queue {
		buried += q.Buried
		out <- prometheus.MustNewConstMetric(m.depth, prometheus.GaugeValue, float64(q.Ready+q.Later+q.Running), q.Step)
	}
	out <- prometheus.MustNewConstMetric(m.depth, prometheus.GaugeValue, float64(buried), "buried")
	out <- prometheus.MustNewConstMetric(m.entries, prometheus.CounterValue, float64(stats.LedgerSize))
}
