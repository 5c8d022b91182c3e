package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/landwaiter/landwaiter/scanners/osv"
)

// advisoryAges tells Prometheus how much is known of each source, and how old it is.
type advisoryAges struct {
	index *osv.Index
	now   func() time.Time
}

var (
	advisoryAge = prometheus.NewDesc("landwaiter_advisories_age_seconds",
		"Time since the data of an ecosystem, of KEV or of EPSS was last known to be current.", []string{"source"}, nil)
	advisoryCount = prometheus.NewDesc("landwaiter_advisories", "Advisories of an ecosystem, or CVEs of KEV or EPSS.", []string{"source"}, nil)
)

// Describe sends both metrics.
func (a advisoryAges) Describe(ch chan<- *prometheus.Desc) {
	ch <- advisoryAge
	ch <- advisoryCount
}

// Collect reads the state of the index. A source without data has no value.
func (a advisoryAges) Collect(ch chan<- prometheus.Metric) {
	now, s := a.now(), a.index.Status()
	send := func(source string, count int, fetched time.Time) {
		if !fetched.IsZero() {
			ch <- prometheus.MustNewConstMetric(advisoryAge, prometheus.GaugeValue, now.Sub(fetched).Seconds(), source)
			ch <- prometheus.MustNewConstMetric(advisoryCount, prometheus.GaugeValue, float64(count), source)
		}
	}
	for _, e := range s.Ecosystems {
		send(e.Ecosystem, e.Records, e.Fetched)
	}
	send("KEV", s.KEV.CVEs, s.KEV.Fetched)
	send("EPSS", s.EPSS.CVEs, s.EPSS.Fetched)
}
