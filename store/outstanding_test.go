package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store"
)

// TestFigures records reports and counts what is open, overdue and accepted.
func TestFigures(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		generation := int64(0)
		record := func(verdict checks.Verdict, o store.Outstanding) {
			t.Helper()
			generation++
			r := store.Record{Key: "k", Generation: generation, Report: checks.Report{Verdict: verdict}, Outstanding: o}
			if _, err := f.Record(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		look := func(when string, findings, overdue map[checks.Severity]int64, exceptions int64) {
			t.Helper()
			got, err := f.Figures(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			want := store.Figures{Queue: got.Queue, LedgerSize: generation, Findings: findings, Overdue: overdue, Exceptions: exceptions}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", when, diff)
			}
		}
		const day = 24 * time.Hour
		type counts = map[checks.Severity]int64
		end := f.clock.Now().Add(3 * day)
		first := store.Outstanding{
			Subject: "pr:1:1", RepositoryID: 1, InstallationID: 9,
			Findings:   map[checks.Severity]int{checks.SeverityHigh: 2, checks.SeverityLow: 1},
			Within:     map[checks.Severity]time.Duration{checks.SeverityHigh: 2 * day},
			Exceptions: map[string]time.Time{"a": end, "b": end.Add(-2 * day)},
		}
		look("at first", counts{}, counts{}, 0)
		record(checks.Fail, first)
		second := first
		second.Subject, second.Exceptions = "release:1:1", map[string]time.Time{"a": end}
		second.Findings = map[checks.Severity]int{checks.SeverityCritical: 1}
		record(checks.Fail, second)
		look("two subjects, one exception of both", counts{checks.SeverityHigh: 2, checks.SeverityLow: 1, checks.SeverityCritical: 1},
			counts{checks.SeverityHigh: 0, checks.SeverityLow: 0, checks.SeverityCritical: 0}, 2)
		f.clock.advance(day)
		record(checks.Fail, first) // judged again: the time to cure goes on from first sight
		f.clock.advance(day)
		look("past the time to cure and the end of b", counts{checks.SeverityHigh: 2, checks.SeverityLow: 1, checks.SeverityCritical: 1},
			counts{checks.SeverityHigh: 2, checks.SeverityLow: 0, checks.SeverityCritical: 0}, 1)
		record(checks.Unknown, store.Outstanding{Subject: first.Subject})
		look("unknown cures nothing", counts{checks.SeverityHigh: 2, checks.SeverityLow: 1, checks.SeverityCritical: 1},
			counts{checks.SeverityHigh: 2, checks.SeverityLow: 0, checks.SeverityCritical: 0}, 1)
		record(checks.Pass, store.Outstanding{Subject: first.Subject})
		look("cured", counts{checks.SeverityCritical: 1}, counts{checks.SeverityCritical: 0}, 1)
		if err := f.WithdrawInstallation(t.Context(), 9); err != nil {
			t.Fatal(err)
		}
		look("installation gone", counts{}, counts{}, 0)
		record(checks.Fail, first)
		if err := f.Withdraw(t.Context(), first.Subject); err != nil {
			t.Fatal(err)
		}
		look("closed", counts{}, counts{}, 0)
	})
}
