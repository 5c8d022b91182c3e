package main

import (
	"cmp"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/landwaiter/landwaiter/scanners/registry"
)

// registry returns what the scanner of registries needs, and counts its calls in metrics.
func (s *service) registry(metrics prometheus.Registerer) registry.Options {
	calls := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "landwaiter_registry_requests_total", Help: "Calls to deps.dev by what became of them.",
	}, []string{"outcome"})
	metrics.MustRegister(calls)
	return registry.Options{
		URL: s.conf.depsDevURL, Dir: filepath.Join(s.conf.dataDir, "registry"), Private: s.conf.private,
		Called: func(outcome string) { calls.WithLabelValues(outcome).Inc() },
	}
}

// scanDeadline bounds all questions about packages: a folder may have thousands of them, and a
// person who waits sees that it takes long.
const scanDeadline = 30 * time.Second

// registries returns the scanner of registries.
func (cmd *scanCommand) registries(c *console) (*registry.Scanner, error) {
	private := cmd.Private
	if globs, ok := c.env("GOPRIVATE"); ok {
		for glob := range strings.SplitSeq(globs, ",") {
			if glob = strings.TrimSpace(glob); glob != "" {
				private += ",go:" + glob
			}
		}
	}
	names, err := registry.ParsePrivate(private)
	if err != nil {
		return nil, usage("--private: %w", err)
	}
	o := registry.Options{Dir: filepath.Join(dataDir(cmd.Data), "registry"), Private: names, Deadline: scanDeadline}
	if !cmd.Offline && cmd.Registry != "off" {
		o.URL = cmp.Or(cmd.Registry, registry.DefaultURL)
	}
	s, err := registry.New(o)
	if err != nil {
		return nil, usage("--registry: %w", err)
	}
	return s, nil
}
