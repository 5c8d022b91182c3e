package app

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/app/githubtest"
)

// openSeries returns the series of the metrics of what is open that are not 0.
func (w *world) openSeries() map[string]float64 {
	w.t.Helper()
	families, err := w.metrics.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		switch f.GetName() {
		case "landwaiter_findings_open", "landwaiter_sla_overdue", "landwaiter_exceptions_active":
			for _, m := range f.GetMetric() {
				name := f.GetName()
				for _, l := range m.GetLabel() {
					name += " " + l.GetValue()
				}
				if v := m.GetGauge().GetValue(); v != 0 {
					got[name] = v
				}
			}
		}
	}
	return got
}

// TestOpenFindings follows a pull request that brings in two vulnerable packages, of which one is
// accepted, past its time to cure, through a cure and through its end.
func TestOpenFindings(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, nil)
	policy := enforcing + "exceptions:\n  - id: known\n    package: pkg:npm/minimist\n    until: " +
		w.clock.Now().AddDate(0, 0, 10).Format(time.DateOnly) + "\n    reason: not reachable\n    approved_by: mona\n"
	r := w.repo("shop", githubtest.Files{policyPath: policy, "package-lock.json": lock("left-pad@1.3.0")})
	look := func(when string, want map[string]float64) {
		t.Helper()
		if diff := cmp.Diff(want, w.openSeries()); diff != "" {
			t.Errorf("%s (-want +got):\n%s\nlog:\n%s", when, diff, w.log)
		}
	}
	look("at first", map[string]float64{})
	p := w.pull(r, "change", githubtest.Files{"package-lock.json": lock("lodash@4.17.20", "minimist@1.2.5")})
	open := map[string]float64{"landwaiter_findings_open high": 1, "landwaiter_exceptions_active": 1}
	look("judged", open)
	w.clock.Add(15 * 24 * time.Hour) // 14 days for high; the exception has ended too
	look("late", map[string]float64{"landwaiter_findings_open high": 1, "landwaiter_sla_overdue high": 1})
	w.clock.Add(-15 * 24 * time.Hour)
	look("judged", open)
	p.Close()
	w.settle()
	look("closed", map[string]float64{})
}
