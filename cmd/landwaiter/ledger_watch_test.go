package main

import (
	"bytes"
	"database/sql"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store"
)

// TestLedgerVerified changes an old entry behind the service: the metric falls, and the log names
// the entry. A context that has ended says nothing.
func TestLedgerVerified(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s, _ := standService(t, nil, slog.New(slog.NewTextHandler(&log, nil)))
	for generation := range int64(3) {
		r := store.Record{Key: "k", Generation: generation + 1, Report: checks.Report{Verdict: checks.Pass}}
		if _, err := s.store.Record(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	s.verifyLedger(t.Context())
	if got := verifiedMetric(t, s); got != 1 {
		t.Fatalf("a whole ledger shows %v\n%s", got, log.String())
	}
	db, err := sql.Open("sqlite", filepath.Join(s.conf.dataDir, "landwaiter.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`UPDATE report SET verdict = 'fail' WHERE generation = 2`); err != nil {
		t.Fatal(err)
	}
	s.verifyLedger(t.Context())
	if got := verifiedMetric(t, s); got != 0 || !strings.Contains(log.String(), "not what was signed") {
		t.Errorf("a changed ledger shows %v\n%s", got, log.String())
	}
}

// verifiedMetric returns what a scrape of s shows of landwaiter_ledger_verified.
func verifiedMetric(t *testing.T, s *service) float64 {
	t.Helper()
	families, err := s.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "landwaiter_ledger_verified" {
			return f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	t.Fatal("no such metric")
	return 0
}
