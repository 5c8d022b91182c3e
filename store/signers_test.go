package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/signers"
	"github.com/landwaiter/landwaiter/store"
)

const shop = 42 // the repository of these tests

var (
	releaseYML = signers.Profile{Issuer: "https://token.actions.githubusercontent.com", Signer: ".github/workflows/release.yml", Ref: "tag", Runner: "github-hosted"}
	otherYML   = signers.Profile{Issuer: "https://token.actions.githubusercontent.com", Signer: ".github/workflows/other.yml", Ref: "tag", Runner: "github-hosted"}
	pgpKey     = signers.Profile{Key: "pgp:0123456789ABCDEF0123456789ABCDEF01234567"}
)

// published is the record of a release of a repository that passed, was judged by what the
// memory holds now, and teaches who.
func (f *fixture) published(t testing.TB, repository, number int64, generation int64, who ...signers.Profile) store.Record {
	t.Helper()
	r := record(fmt.Sprintf("release:%d:%d", repository, number), generation)
	r.Head = checks.Inventory{}
	r.Report.Subject = checks.Subject{Kind: checks.KindRelease, Repository: "octo-org/shop", RepositoryID: repository, ReleaseID: number,
		Ref: fmt.Sprintf("refs/tags/v%d.0.0", number), Commit: fmt.Sprintf("%040x", number), AssetSet: fmt.Sprintf("sha256:%064x", number)}
	r.Report.Verdict = checks.Pass
	r.Report.Time = r.Report.Time.Add(time.Duration(number) * time.Hour)
	r.Report.Memory = &signers.Recall{
		Memory:  f.memory(t, repository, number),
		Teaches: &signers.Lesson{Signers: who, Names: []string{fmt.Sprintf("app-%d", number)}},
	}
	return r
}

// memory is what the repository's releases taught, for the release with that number.
func (f *fixture) memory(t testing.TB, repository, number int64) signers.Memory {
	t.Helper()
	m, err := f.SignerMemory(t.Context(), repository, number, fmt.Sprintf("sha256:%064x", number))
	must(t, err)
	return m
}

// known lists what of the memory vouches for a signer.
func known(m signers.Memory) []string {
	list := []string{}
	for _, k := range m.Known {
		text := k.Profile.String() + " " + k.Release
		if k.Withdrawn {
			text += " withdrawn"
		}
		list = append(list, text)
	}
	return list
}

func hour(n int) time.Time {
	return time.Date(2026, 11, 23, 8, 59, 0, 0, time.UTC).Add(time.Duration(n) * time.Hour)
}

func TestSignerMemory(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		if diff := cmp.Diff(signers.Memory{Known: []signers.Known{}}, f.memory(t, shop, 1)); diff != "" {
			t.Errorf("before any release (-want +got):\n%s", diff)
		}
		f.storeRecord(t, f.published(t, shop, 1, 1, releaseYML))
		f.storeRecord(t, f.published(t, shop, 2, 1, releaseYML, pgpKey))
		want := signers.Memory{Version: 2, Releases: 2, Previous: "v2.0.0", Names: []string{"app-2"}, Known: []signers.Known{
			{Profile: releaseYML, Release: "v1.0.0", ReleaseID: 1, Since: hour(1)},
			{Profile: pgpKey, Release: "v2.0.0", ReleaseID: 2, Since: hour(2)},
		}}
		if diff := cmp.Diff(want, f.memory(t, shop, 3)); diff != "" {
			t.Errorf("for the third release (-want +got):\n%s", diff)
		}
		// The second one judged again: compared with the first, and seen before.
		want.Previous, want.Names, want.Seen = "v1.0.0", []string{"app-1"}, hour(2)
		if diff := cmp.Diff(want, f.memory(t, shop, 2)); diff != "" {
			t.Errorf("for the second release again (-want +got):\n%s", diff)
		}
		if got := f.memory(t, shop+1, 3); got.Taught() || got.Version != 0 {
			t.Errorf("another repository: got %+v", got)
		}
	})
}

// TestSignerMemoryTeaches changes one thing of a release that teaches.
func TestSignerMemoryTeaches(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*store.Record)
		want   []string
	}{
		{"passes", func(*store.Record) {}, []string{".github/workflows/release.yml v1.0.0", ".github/workflows/other.yml v2.0.0"}},
		{"fails", func(r *store.Record) { r.Report.Verdict = checks.Fail }, []string{".github/workflows/release.yml v1.0.0"}},
		{"is unknown", func(r *store.Record) { r.Report.Verdict = checks.Unknown }, []string{".github/workflows/release.yml v1.0.0"}},
		{"is a draft", func(r *store.Record) { r.Report.Subject.Draft = true }, []string{".github/workflows/release.yml v1.0.0"}},
		{"teaches nothing", func(r *store.Record) { r.Report.Memory.Teaches = nil }, []string{".github/workflows/release.yml v1.0.0"}},
		{"was not compared", func(r *store.Record) { r.Report.Memory = nil }, []string{".github/workflows/release.yml v1.0.0"}},
		{"is no release", func(r *store.Record) { r.Report.Subject.Kind = checks.KindArtifact }, []string{".github/workflows/release.yml v1.0.0"}},
		{"is of a fork", func(r *store.Record) { r.Report.Subject.RepositoryID = shop + 1; r.Report.Memory.Version = 0 }, []string{".github/workflows/release.yml v1.0.0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(t *testing.T, f *fixture) {
				f.storeRecord(t, f.published(t, shop, 1, 1, releaseYML))
				r := f.published(t, shop, 2, 1, otherYML)
				c.change(&r)
				f.storeRecord(t, r)
				if diff := cmp.Diff(c.want, known(f.memory(t, shop, 3))); diff != "" {
					t.Errorf("known (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestSignerMemoryJudgedAgain: a release judged again teaches nothing else, but for a signer
// that was accepted since.
func TestSignerMemoryJudgedAgain(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		f.storeRecord(t, f.published(t, shop, 1, 1, releaseYML))
		f.storeRecord(t, f.published(t, shop, 2, 1, releaseYML))
		before := f.memory(t, shop, 3)
		again := f.published(t, shop, 1, 2, releaseYML)
		again.Report.Time = hour(90)
		again.Report.Memory.Teaches.Names = []string{"others"}
		f.storeRecord(t, again)
		if diff := cmp.Diff(before, f.memory(t, shop, 3)); diff != "" {
			t.Errorf("judged again (-before +after):\n%s", diff)
		}
		f.storeRecord(t, f.published(t, shop, 2, 2, otherYML, releaseYML))
		want := append(known(before), ".github/workflows/other.yml v2.0.0")
		if diff := cmp.Diff(want, known(f.memory(t, shop, 3))); diff != "" {
			t.Errorf("accepted since (-want +got):\n%s", diff)
		}
	})
}

// TestSignerMemoryWithdrawn: a release that fails later vouches for nobody, and one that
// passes again does. The memory never becomes one that anybody may teach.
func TestSignerMemoryWithdrawn(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		f.storeRecord(t, f.published(t, shop, 1, 1, releaseYML, otherYML))
		f.storeRecord(t, f.published(t, shop, 2, 1, releaseYML))
		failed := f.published(t, shop, 1, 2)
		failed.Report.Verdict, failed.Report.Memory.Teaches = checks.Fail, nil
		f.storeRecord(t, failed)
		m := f.memory(t, shop, 3)
		if diff := cmp.Diff([]string{".github/workflows/other.yml v1.0.0 withdrawn", ".github/workflows/release.yml v2.0.0"}, known(m)); diff != "" {
			t.Errorf("known (-want +got):\n%s", diff)
		}
		if m.Releases != 1 || !f.memory(t, shop, 1).Seen.IsZero() {
			t.Errorf("%d releases stand, the failed one was seen at %s", m.Releases, f.memory(t, shop, 1).Seen)
		}
		unknown := f.published(t, shop, 2, 2)
		unknown.Report.Verdict = checks.Unknown
		f.storeRecord(t, unknown)
		if diff := cmp.Diff(known(m), known(f.memory(t, shop, 3))); diff != "" {
			t.Errorf("what could not be judged changes the memory (-want +got):\n%s", diff)
		}
		f.storeRecord(t, f.published(t, shop, 1, 3, releaseYML))
		if diff := cmp.Diff([]string{".github/workflows/release.yml v2.0.0"}, known(f.memory(t, shop, 3))); diff != "" {
			t.Errorf("passed again (-want +got):\n%s", diff)
		}
	})
}

// TestSignerMemoryTwoAtOnce: of two first releases that are judged by an empty memory, one
// teaches and the other is judged again.
func TestSignerMemoryTwoAtOnce(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		second := f.open(t)
		one, two := f.published(t, shop, 1, 1, releaseYML), f.published(t, shop, 2, 1, otherYML)
		errs := make([]error, 2)
		var both sync.WaitGroup
		both.Go(func() { _, errs[0] = f.Record(t.Context(), one) })
		both.Go(func() { _, errs[1] = second.Record(t.Context(), two) })
		both.Wait()
		if errs[0] == nil {
			errs[0], errs[1] = errs[1], nil
			one = two
		}
		must(t, errs[1])
		wantError(t, errs[0], store.ErrConflict)
		m := f.memory(t, shop, 3)
		if len(m.Known) != 1 || m.Version != 1 || m.Releases != 1 {
			t.Errorf("got %+v, want one teacher", m)
		}
		if _, err := f.ReportByKey(t.Context(), fmt.Sprintf("release:%d:%d", shop, 3-m.Known[0].ReleaseID)); err == nil {
			t.Error("the other report is recorded although it was judged by another memory")
		}
	})
}

func TestSharedKeys(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		for _, c := range []struct {
			repository, installation int64
			who                      signers.Profile
		}{{shop, 1, pgpKey}, {43, 1, pgpKey}, {44, 1, pgpKey}, {45, 2, pgpKey}, {46, 1, releaseYML}} {
			j := judge(fmt.Sprintf("release:%d:1", c.repository))
			j.InstallationID = c.installation
			f.enqueue(t, j)
			r := f.published(t, c.repository, 1, 1, c.who)
			r.Job = f.claimOne(t)
			f.storeRecord(t, r)
		}
		for _, c := range []struct {
			name                     string
			repository, installation int64
			keys                     []string
			want                     map[string]int
		}{
			{"of this installation", shop, 1, []string{pgpKey.Key, "ssh:SHA256:x"}, map[string]int{pgpKey.Key: 2}},
			{"of another installation", 45, 2, []string{pgpKey.Key}, map[string]int{}},
			{"no keys", shop, 1, nil, map[string]int{}},
			{"an empty key", shop, 1, []string{""}, map[string]int{}},
		} {
			got, err := f.SharedKeys(t.Context(), c.installation, c.repository, c.keys)
			must(t, err)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.name, diff)
			}
		}
	})
}
