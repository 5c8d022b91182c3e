package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/landwaiter/landwaiter/scanners/osv"
	"github.com/landwaiter/landwaiter/scanners/sigstore"
)

// dataAges tells Prometheus how much is known of each source of data, and how old it is.
type dataAges struct {
	index *osv.Index
	roots func() []sigstore.TrustStatus
	now   func() time.Time
}

var (
	dataAge = prometheus.NewDesc("landwaiter_data_source_age_seconds",
		"Time since the advisories of an ecosystem, KEV, EPSS or a trust root were last known to be current.", []string{"source"}, nil)
	advisoryCount = prometheus.NewDesc("landwaiter_advisories", "Advisories of an ecosystem, or CVEs of KEV or EPSS.", []string{"source"}, nil)
)

// Describe sends both metrics.
func (a dataAges) Describe(ch chan<- *prometheus.Desc) {
	ch <- dataAge
	ch <- advisoryCount
}

// Collect reads the state of the index. A source without data has no value.
func (a dataAges) Collect(ch chan<- prometheus.Metric) {
	now, s := a.now(), a.index.Status()
	send := func(source string, count int, fetched time.Time) {
		if !fetched.IsZero() {
			ch <- prometheus.MustNewConstMetric(dataAge, prometheus.GaugeValue, now.Sub(fetched).Seconds(), source)
			ch <- prometheus.MustNewConstMetric(advisoryCount, prometheus.GaugeValue, float64(count), source)
		}
	}
	for _, e := range s.Ecosystems {
		send(e.Ecosystem, e.Records, e.Fetched)
	}
	send("KEV", s.KEV.CVEs, s.KEV.Fetched)
	send("EPSS", s.EPSS.CVEs, s.EPSS.Fetched)
	for _, root := range a.roots() {
		if !root.Since.IsZero() {
			ch <- prometheus.MustNewConstMetric(dataAge, prometheus.GaugeValue, now.Sub(root.Since).Seconds(), "trust root "+root.Root)
		}
	}
}
