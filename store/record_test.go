package store_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store"
)

// record returns a small record of a key and generation.
func record(key string, generation int64) store.Record {
	return store.Record{
		Key: key, Generation: generation, Parser: "1",
		Report: checks.Report{
			Subject: checks.Subject{Kind: checks.KindPullRequest, Repository: "octo-org/octo-repo", RepositoryID: 42,
				Ref: "refs/pull/7/head", Commit: fmt.Sprintf("%040x", generation), Number: 7},
			Verdict: checks.Fail,
			Reasons: []checks.Reason{}, Findings: []checks.Finding{}, Assets: []checks.AssetReport{}, Evidence: []checks.EvidenceSummary{},
			Policy: checks.PolicyRef{Digest: "sha256:0f", Source: "landwaiter:recommended@1"},
			Time:   time.Date(2026, 11, 23, 8, 59, 0, 0, time.UTC),
		},
		Head: inventory("b1", "lodash 4.17.20", "left-pad 1.3.0"),
	}
}

// inventory returns one manifest with packages given as "name version".
func inventory(digest string, packages ...string) checks.Inventory {
	m := checks.Manifest{Path: "package-lock.json", Digest: digest, Format: "package-lock.json"}
	for i, p := range packages {
		var name, version string
		if _, err := fmt.Sscan(p, &name, &version); err != nil {
			panic(err)
		}
		m.Packages = append(m.Packages, checks.Package{Ecosystem: "npm", Name: name, Version: version, Line: i + 1})
	}
	return checks.Inventory{Manifests: []checks.Manifest{m}}
}

// storeRecord records r with a job of its own.
func (f *fixture) storeRecord(t testing.TB, r store.Record) store.Recorded {
	t.Helper()
	out, err := f.Record(t.Context(), r)
	must(t, err)
	return out
}

func TestRecordStoresAllInOneTransaction(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		first := judge("pr:1")
		first.Cause = "pull_request.opened"
		f.enqueue(t, first)
		r := record("pr:1", 1)
		r.Job = f.claimOne(t)
		r.Publish = []store.Job{{Step: "publish:check", InstallationID: 1}, {Step: "publish:issue", Key: "issue:1", InstallationID: 1}}
		out := f.storeRecord(t, r)

		got, err := f.Report(t.Context(), out.ReportID)
		must(t, err)
		body, err := json.Marshal(r.Report)
		must(t, err)
		want := store.StoredReport{
			ReportSummary: store.ReportSummary{ID: out.ReportID, Key: "pr:1", Generation: 1, Subject: r.Report.Subject, Verdict: checks.Fail,
				Cause: "pull_request.opened", Policy: "sha256:0f", Time: r.Report.Time, Recorded: f.clock.Now()},
			Checkpoint: out.Checkpoint, JSON: body, Report: r.Report,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("stored report (-want +got):\n%s", diff)
		}
		newest, err := f.ReportByKey(t.Context(), "pr:1")
		must(t, err)
		if diff := cmp.Diff(got, newest); diff != "" {
			t.Errorf("newest by key (-by id +by key):\n%s", diff)
		}
		wantError(t, f.Finish(t.Context(), r.Job), store.ErrLeaseLost)
		publish := f.claim(t, 10)
		if diff := cmp.Diff([]string{"publish:issue issue:1", "publish:check pr:1"}, names(publish)); diff != "" {
			t.Errorf("publish jobs (-want +got):\n%s", diff)
		}
		for _, j := range publish {
			if j.Generation != 1 {
				t.Errorf("%s has generation %d, want that of the report", j.Step, j.Generation)
			}
		}
	})
}

func TestI07_RecordingAgainAddsNoEntry(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		f.enqueue(t, judge("release:1:2"))
		r := record("release:1:2", 1)
		r.Job = f.claimOne(t)
		first := f.storeRecord(t, r)
		again := r
		again.Report.Verdict = checks.Pass // with other content: the first counts
		again.Publish = []store.Job{{Step: "publish:check"}}
		second := f.storeRecord(t, again)
		if diff := cmp.Diff(first, second); diff != "" {
			t.Errorf("recorded again (-first +second):\n%s", diff)
		}
		// A job of another lease with the same generation ends as well.
		j := judge("release:1:2")
		j.Generation = 1
		f.enqueue(t, j)
		again.Job = f.claimOne(t)
		f.storeRecord(t, again)
		stats, err := f.Stats(t.Context())
		must(t, err)
		if stats.LedgerSize != 1 || stats.Reports != 1 || len(stats.Queue) != 0 {
			t.Errorf("got %+v, want one entry, one report and no job", stats)
		}
	})
}

func TestI04_RecordRefusesAnOlderGeneration(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		f.storeRecord(t, record("pr:1", 5))
		_, err := f.Record(t.Context(), record("pr:1", 4))
		wantError(t, err, store.ErrStale)
		f.storeRecord(t, record("pr:1", 6))
		got, err := f.ReportByKey(t.Context(), "pr:1")
		must(t, err)
		if got.Generation != 6 || got.LedgerIndex != 1 {
			t.Errorf("newest is generation %d at entry %d, want 6 at 1", got.Generation, got.LedgerIndex)
		}
	})
}

func TestI07_RecordFromManySides(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		dbs := []*store.DB{f.DB, f.open(t)}
		var group sync.WaitGroup
		for i := range 40 {
			group.Go(func() {
				if _, err := dbs[i%2].Record(t.Context(), record(fmt.Sprintf("pr:%d", i/4), 1)); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		must(t, f.VerifyLedger(t.Context(), nil))
		c, _, err := f.LedgerHead(t.Context())
		must(t, err)
		if c.Size != 10 {
			t.Errorf("ledger has %d entries, want one per key: 10", c.Size)
		}
	})
}

func TestI09_ReportIsKeptByteForByte(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		fill   string // put into a reason's message
		inLeaf bool
	}{
		{"small", "<b>&amp; \u2028 \u00e9 \\u0000 ", true},
		{"over the limit of a leaf", strings.Repeat("<&> one more line, ", 10_000), false},
	}
	onBoth(t, func(t *testing.T, f *fixture) {
		salts := make(map[string]bool)
		for i, tt := range tests {
			r := record(fmt.Sprintf("pr:%d", i), 1)
			r.Report.Reasons = []checks.Reason{{Rule: "vulnerabilities", Code: "x", Message: "@"}}
			body, err := json.Marshal(r.Report)
			must(t, err)
			body = bytes.ReplaceAll(body, []byte("@"), []byte(tt.fill))
			r.ReportJSON = append([]byte(" \n"), body...)
			out := f.storeRecord(t, r)
			got, err := f.Report(t.Context(), out.ReportID)
			must(t, err)
			if !bytes.Equal(got.JSON, body) {
				t.Errorf("%s: stored %.200q, want %.200q", tt.name, got.JSON, body)
			}
			entries, err := f.LedgerEntries(t.Context(), out.LedgerIndex, 1)
			must(t, err)
			leaf, err := store.ParseLeaf(entries[0])
			must(t, err)
			sum := sha256.Sum256(body)
			if salt, err := hex.DecodeString(leaf.Salt); err != nil || len(salt) != 16 || salts[leaf.Salt] {
				t.Errorf("%s: salt %q is not 16 bytes of its own, %v", tt.name, leaf.Salt, err)
			}
			salts[leaf.Salt] = true
			want := store.Leaf{Digest: "sha256:" + hex.EncodeToString(sum[:]), Generation: 1, Key: r.Key, Policy: "sha256:0f", Salt: leaf.Salt}
			if tt.inLeaf {
				want.Report = body
			}
			if diff := cmp.Diff(want, leaf); diff != "" {
				t.Errorf("%s: leaf (-want +got):\n%s", tt.name, diff)
			}
		}
		must(t, f.VerifyLedger(t.Context(), nil))
	})
}

func TestRecordRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		edit func(*store.Record)
	}{
		{"no key", func(r *store.Record) { r.Key = "" }},
		{"key over 512 bytes", func(r *store.Record) { r.Key = strings.Repeat("k", store.MaxKey+1) }},
		{"no generation", func(r *store.Record) { r.Generation = 0 }},
		{"report that is no JSON", func(r *store.Record) { r.ReportJSON = []byte(`{"subject":`) }},
		{"report over 32 MiB", func(r *store.Record) { r.ReportJSON = bytes.Repeat([]byte(" "), store.MaxReport+1) }},
		{"publish job without step", func(r *store.Record) { r.Publish = []store.Job{{}} }},
	}
	onBoth(t, func(t *testing.T, f *fixture) {
		for _, tt := range tests {
			r := record("pr:1", 1)
			tt.edit(&r)
			if _, err := f.Record(t.Context(), r); err == nil {
				t.Errorf("%s: recorded", tt.name)
			}
		}
		c, _, err := f.LedgerHead(t.Context())
		must(t, err)
		if c.Size != 0 {
			t.Errorf("ledger has %d entries", c.Size)
		}
	})
}

func TestReportsList(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		for i := range int64(6) {
			r := record(fmt.Sprintf("pr:%d", i), i+1)
			r.Report.Subject.RepositoryID = 40 + i%2
			if i == 5 {
				r.Report.Subject.Kind = checks.KindRelease
			}
			f.storeRecord(t, r)
		}
		keys := func(filter store.ReportFilter) []string {
			list, err := f.Reports(t.Context(), filter)
			must(t, err)
			var keys []string
			for _, r := range list {
				keys = append(keys, r.Key)
			}
			return keys
		}
		page, err := f.Reports(t.Context(), store.ReportFilter{Limit: 2})
		must(t, err)
		got := [][]string{
			keys(store.ReportFilter{}), keys(store.ReportFilter{RepositoryID: 41}), keys(store.ReportFilter{Kind: checks.KindRelease}),
			keys(store.ReportFilter{Commit: fmt.Sprintf("%040x", 3)}), keys(store.ReportFilter{Before: page[1].ID, Limit: 2}),
		}
		want := [][]string{
			{"pr:5", "pr:4", "pr:3", "pr:2", "pr:1", "pr:0"}, {"pr:5", "pr:3", "pr:1"}, {"pr:5"}, {"pr:2"}, {"pr:3", "pr:2"},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("lists (-want +got):\n%s", diff)
		}
		_, err = f.Report(t.Context(), 1<<40)
		wantError(t, err, store.ErrNotFound)
	})
}

func TestReportsUsing(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		var ids []int64
		for i, head := range []checks.Inventory{
			inventory("b1", "lodash 4.17.20", "left-pad 1.3.0"),
			inventory("b2", "lodash 4.17.21"),
			inventory("b1", "lodash 4.17.20", "left-pad 1.3.0"), // the same content again
			inventory("b3", "bad\x00\xffname 1"),
		} {
			r := record(fmt.Sprintf("pr:%d", i), 1)
			r.Head, r.Base = head, inventory("b0", "lodash 3.0.0")
			ids = append(ids, f.storeRecord(t, r).ReportID)
		}
		using := func(name string, versions ...string) []int64 {
			t.Helper()
			used, err := f.UsedVersions(t.Context(), "npm", name)
			must(t, err)
			var wanted []int64
			for _, v := range used {
				if slices.Contains(versions, v.Version) {
					wanted = append(wanted, v.ID)
				}
			}
			list, err := f.ReportsUsing(t.Context(), wanted...)
			must(t, err)
			return list
		}
		got := [][]int64{
			using("lodash", "4.17.20"), using("lodash", "4.17.20", "4.17.21"), using("lodash", "3.0.0"),
			using("left-pad", "1.3.0"), using("never-seen", "1"), using("bad\x00\xffname", "1"),
		}
		want := [][]int64{{ids[0], ids[2]}, ids[:3], nil, {ids[0], ids[2]}, nil, {ids[3]}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("reports using (-want +got):\n%s", diff)
		}
	})
}

func TestRecordManyPackages(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		var packages []string
		for i := range 1500 { // over several multi-row statements, some names twice
			packages = append(packages, fmt.Sprintf("pkg-%d 1.%d.0", i%1000, i))
		}
		r := record("pr:1", 1)
		r.Head = inventory("b1", append(packages, packages[:10]...)...)
		out := f.storeRecord(t, r)
		used, err := f.UsedVersions(t.Context(), "npm", "pkg-7")
		must(t, err)
		if len(used) != 2 {
			t.Fatalf("pkg-7 has versions %v, want 2", used)
		}
		list, err := f.ReportsUsing(t.Context(), used[0].ID)
		must(t, err)
		if diff := cmp.Diff([]int64{out.ReportID}, list); diff != "" {
			t.Errorf("reports using (-want +got):\n%s", diff)
		}
	})
}
