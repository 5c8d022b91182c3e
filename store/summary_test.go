package store_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store"
	"github.com/landwaiter/landwaiter/store/storetest"
)

var (
	digestOne = strings.Repeat("a1", 32)
	digestTwo = strings.Repeat("b2", 32)
)

// verdict stores a report on a release, and returns the summary that may be recorded for it.
func (f *fixture) verdict(t testing.TB, key string, generation int64, v checks.Verdict) store.Summary {
	t.Helper()
	r := record(key, generation)
	r.Report.Verdict = v
	out := f.storeRecord(t, r)
	return store.Summary{
		Key: key, Generation: generation, ReportIndex: out.LedgerIndex, Policy: "sha256:0f",
		File: []byte("{\"one\":1}\n{\"two\":2}\n"), Digests: []string{strings.ToUpper(digestOne), digestTwo},
	}
}

// TestRecordSummary: summaries are found by key and by digest, have an entry of their own, and
// recording them again changes nothing.
func TestRecordSummary(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		f.verdict(t, "pr:1", 1, checks.Fail)
		s := f.verdict(t, "release:42:9", 1, checks.Pass)
		got, err := f.RecordSummary(t.Context(), s)
		must(t, err)
		want := store.StoredSummary{Summary: s, LedgerIndex: 2, Recorded: f.clock.Now()}
		want.Digests = nil
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		again := s
		again.File, again.Digests = []byte("{}\n"), []string{digestOne}
		same, err := f.RecordSummary(t.Context(), again)
		must(t, err)
		byKey, err := f.SummaryByKey(t.Context(), s.Key)
		must(t, err)
		line, byDigest, err := f.SummaryByDigest(t.Context(), 42, strings.ToUpper(digestTwo))
		must(t, err)
		for name, other := range map[string]store.StoredSummary{"recorded again": same, "by key": byKey, "by digest": byDigest} {
			if diff := cmp.Diff(want, other); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
		if string(line) != "{\"two\":2}\n" {
			t.Errorf("line %q", line)
		}
		head, _, err := f.LedgerHead(t.Context())
		must(t, err)
		if head.Size != 3 {
			t.Errorf("the ledger has %d entries", head.Size)
		}
		must(t, f.VerifyLedger(t.Context(), nil))
		must(t, f.Close())
		f.DB = f.open(t) // which checks the newest entries as well
	})
}

// TestG12SummariesOfOthers: what is not there, of another repository, or not in force is not found.
func TestG12SummariesOfOthers(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		_, err := f.RecordSummary(t.Context(), f.verdict(t, "release:42:9", 1, checks.Pass))
		must(t, err)
		for name, ask := range map[string]func() error{
			"another release":    func() error { _, err := f.SummaryByKey(t.Context(), "release:42:8"); return err },
			"another repository": func() error { _, _, err := f.SummaryByDigest(t.Context(), 43, digestOne); return err },
			"another asset":      func() error { _, _, err := f.SummaryByDigest(t.Context(), 42, strings.Repeat("c", 64)); return err },
			"no text":            func() error { _, _, err := f.SummaryByDigest(t.Context(), 42, "%' OR 1=1 --"); return err },
		} {
			if err := ask(); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// TestV70Superseded: a Report that does not pass, or is not the newest, gets no summary; and
// what was recorded is not given out while the newest Report does not pass.
func TestV70Superseded(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		const key = "release:42:9"
		first := f.verdict(t, key, 1, checks.Pass)
		_, err := f.RecordSummary(t.Context(), first)
		must(t, err)
		stale := func(name string, s store.Summary) {
			t.Helper()
			before, _, err := f.LedgerHead(t.Context())
			must(t, err)
			if _, err := f.RecordSummary(t.Context(), s); !errors.Is(err, store.ErrStale) {
				t.Errorf("%s: %v", name, err)
			}
			if after, _, err := f.LedgerHead(t.Context()); err != nil || after != before {
				t.Errorf("%s: the ledger went from %d to %d, %v", name, before.Size, after.Size, err)
			}
		}
		offered := func(want bool) {
			t.Helper()
			_, byKey := f.SummaryByKey(t.Context(), key)
			_, _, byDigest := f.SummaryByDigest(t.Context(), 42, digestOne)
			if (byKey == nil) != want || (byDigest == nil) != want {
				t.Errorf("offered: %v, %v, want %v", byKey, byDigest, want)
			}
		}
		offered(true)
		stale("fail", f.verdict(t, key, 2, checks.Fail))
		offered(false)
		stale("unknown", f.verdict(t, key, 3, checks.Unknown))
		offered(false)
		second := f.verdict(t, key, 4, checks.Pass)
		offered(true) // the old one, until the new one is there
		old := second
		old.Generation, old.ReportIndex = 2, 2
		stale("an older report", old)
		wrong := second
		wrong.ReportIndex = 0
		stale("the index of another report", wrong)
		_, err = f.RecordSummary(t.Context(), second)
		must(t, err)
		got, err := f.SummaryByKey(t.Context(), key)
		must(t, err)
		if got.Generation != 4 {
			t.Errorf("the summaries in force are of generation %d", got.Generation)
		}
		missing := second
		missing.Key = "release:42:7"
		if _, err := f.RecordSummary(t.Context(), missing); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("no such report: %v", err)
		}
	})
}

// TestRecordSummaryLimits: what is too large, or does not fit its assets, is refused.
func TestRecordSummaryLimits(t *testing.T) {
	t.Parallel()
	f := newFixture(t, storetest.SQLite(t))
	s := f.verdict(t, "release:42:9", 1, checks.Pass)
	large := s
	large.File, large.Digests = []byte(strings.Repeat("x", store.MaxSummary)+"\n"), []string{digestOne}
	if _, err := f.RecordSummary(t.Context(), large); !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
	for name, change := range map[string]func(*store.Summary){
		"a line too many": func(s *store.Summary) { s.File = append(s.File, "{}\n"...) },
		"nothing":         func(s *store.Summary) { s.File, s.Digests = nil, nil },
	} {
		x := s
		change(&x)
		if _, err := f.RecordSummary(t.Context(), x); err == nil {
			t.Errorf("%s is recorded", name)
		}
	}
}

// TestI9TamperedSummary: bytes that the entry does not bind are not given out, and name the entry.
func TestI9TamperedSummary(t *testing.T) {
	t.Parallel()
	for name, statement := range map[string]string{
		"file of another":   `UPDATE summary SET body = (SELECT x.body FROM summary x WHERE x.ledger_index = 3) WHERE ledger_index = 1`,
		"generation":        `UPDATE summary SET generation = 7 WHERE ledger_index = 1`,
		"report of another": `UPDATE summary SET report_index = 4 WHERE ledger_index = 1`,
		"row removed":       `DELETE FROM summary WHERE ledger_index = 1`,
		"leaf of a report":  `UPDATE ledger_entry SET leaf = (SELECT leaf FROM ledger_entry WHERE n = 0) WHERE n = 1`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(t *testing.T, f *fixture) {
				_, err := f.RecordSummary(t.Context(), f.verdict(t, "release:42:9", 1, checks.Pass))
				must(t, err)
				other := f.verdict(t, "release:42:8", 1, checks.Pass)
				other.File = []byte("{\"three\":3}\n{}\n")
				_, err = f.RecordSummary(t.Context(), other)
				must(t, err)
				f.verdict(t, "release:42:7", 1, checks.Pass)
				must(t, f.VerifyLedger(t.Context(), nil))
				f.behindTheBack(t, `DELETE FROM summary_asset`, statement)
				wantTampered(t, "verify", f.VerifyLedger(t.Context(), nil), 1)
				if name == "row removed" {
					return
				}
				_, err = f.SummaryByKey(t.Context(), "release:42:9")
				wantTampered(t, "reading", err, 1)
			})
		})
	}
}

// TestProofOfSummary: an entry of summaries never proves a report.
func TestProofOfSummary(t *testing.T) {
	t.Parallel()
	f := newFixture(t, storetest.SQLite(t))
	s, err := f.RecordSummary(t.Context(), f.verdict(t, "release:42:9", 1, checks.Pass))
	must(t, err)
	_, signed, err := f.LedgerHead(t.Context())
	must(t, err)
	leaves, err := f.LedgerEntries(t.Context(), s.LedgerIndex, 1)
	must(t, err)
	p := store.Proof{Format: store.ProofFormat, Index: s.LedgerIndex, Leaf: leaves[0], Checkpoint: signed, Report: s.File}
	p.Inclusion, err = f.ProveInclusion(t.Context(), s.LedgerIndex, 2)
	must(t, err)
	if proven, err := p.Verify(f.LedgerVerifiers()...); err == nil || !strings.Contains(err.Error(), "summaries") {
		t.Errorf("proven %+v, %v", proven, err)
	}
}
