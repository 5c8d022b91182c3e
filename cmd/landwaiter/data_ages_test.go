package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/landwaiter/landwaiter/scanners/osv"
	"github.com/landwaiter/landwaiter/scanners/sigstore"
)

// TestDataAges: the metrics tell the age of each source that there is, and no others.
func TestDataAges(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	index, err := osv.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { index.Close() })
	var roots []sigstore.TrustStatus
	ages := dataAges{index, func() []sigstore.TrustStatus { return roots }, func() time.Time { return at.Add(90 * time.Second) }}
	gather := func() map[string]float64 {
		t.Helper()
		registry := prometheus.NewRegistry()
		registry.MustRegister(ages)
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		values := make(map[string]float64)
		for _, f := range families {
			for _, m := range f.GetMetric() {
				values[f.GetName()+" "+m.GetLabel()[0].GetValue()] = m.GetGauge().GetValue()
			}
		}
		return values
	}
	if got := gather(); len(got) != 0 {
		t.Errorf("without data %v", got)
	}
	from := t.TempDir()
	if err := os.CopyFS(from, os.DirFS(filepath.Join("demodata", "advisories"))); err != nil {
		t.Fatal(err)
	}
	kev := `{"vulnerabilities":[{"cveID":"CVE-2024-0001"}]}`
	if err := os.WriteFile(filepath.Join(from, "known_exploited_vulnerabilities.json"), []byte(kev), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := index.Import(t.Context(), from, osv.ImportOptions{Now: func() time.Time { return at }}); err != nil {
		t.Fatal(err)
	}
	got := gather()
	for _, source := range []string{"GitHub Actions", "Go", "KEV", "npm"} {
		if got["landwaiter_data_source_age_seconds "+source] != 90 || got["landwaiter_advisories "+source] < 1 {
			t.Errorf("%s: %v", source, got)
		}
	}
	if len(got) != 8 {
		t.Errorf("%v", got)
	}
	roots = []sigstore.TrustStatus{{Root: "github", Since: at.Add(-time.Minute)}, {Root: "custom"}}
	if got := gather(); len(got) != 9 || got["landwaiter_data_source_age_seconds trust root github"] != 150 {
		t.Errorf("with trust roots %v", got)
	}
}
