package osv

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks"
)

func manifest(path string, packages ...checks.Package) checks.Tree {
	return checks.Tree{Inventory: checks.Inventory{Manifests: []checks.Manifest{{Path: path, Packages: packages}}}}
}

func npm(name, version string) checks.Package {
	return checks.Package{Ecosystem: "npm", Name: name, Version: version}
}

func TestScan(t *testing.T) {
	t.Parallel()
	x := imported(t, advisory("GHSA-1", "p", below("2.0.0")), advisory("MAL-1", "bad", everyVersion))
	one := checks.Advisory{ID: "GHSA-1", Summary: "About p", Fixed: []string{"2.0.0"}, Cure: "2.0.0", URL: "https://github.com/advisories/GHSA-1"}
	malware := checks.Advisory{ID: "MAL-1", Summary: "About bad", Malware: true, URL: "https://osv.dev/vulnerability/MAL-1"}
	tests := []struct {
		name       string
		base, head checks.Tree
		want       checks.Evidence
	}{
		{"nothing to look at", checks.Tree{}, checks.Tree{}, checks.Evidence{Complete: true}},
		{"a clean head", checks.Tree{}, manifest("a/package-lock.json", npm("p", "2.0.0"), npm("q", "1.0.0")), checks.Evidence{Complete: true}},
		{"both sides", manifest("package-lock.json", npm("p", "1.0.0")), manifest("package-lock.json", npm("p", "1.5.0")), checks.Evidence{Complete: true, Matches: []checks.Match{
			{Side: checks.Base, Path: "package-lock.json", Package: npm("p", "1.0.0"), Advisory: one},
			{Side: checks.Head, Path: "package-lock.json", Package: npm("p", "1.5.0"), Advisory: one},
		}}},
		{"a package twice is matched twice", checks.Tree{}, manifest("yarn.lock", npm("p", "1.0.0"), npm("p", "1.0.0")), checks.Evidence{Complete: true, Matches: []checks.Match{
			{Side: checks.Head, Path: "yarn.lock", Package: npm("p", "1.0.0"), Advisory: one},
			{Side: checks.Head, Path: "yarn.lock", Package: npm("p", "1.0.0"), Advisory: one},
		}}},
		{"no version", checks.Tree{}, manifest("package.json", npm("p", ""), npm("bad", "")), checks.Evidence{Complete: true, Matches: []checks.Match{
			{Side: checks.Head, Path: "package.json", Package: npm("bad", ""), Advisory: malware},
		}}},
		{"an ecosystem without data", checks.Tree{}, manifest("Cargo.lock", checks.Package{Ecosystem: "crates.io", Name: "a", Version: "1.0.0"}, checks.Package{Ecosystem: "crates.io", Name: "b", Version: "1.0.0"}),
			checks.Evidence{Gaps: []checks.Gap{{Path: "Cargo.lock", Reason: "the advisory index holds no data of crates.io"}}}},
		{"an ecosystem without data in the base alone", manifest("Cargo.lock", checks.Package{Ecosystem: "crates.io", Name: "a", Version: "1.0.0"}), manifest("package-lock.json", npm("q", "1.0.0")),
			checks.Evidence{Complete: true}},
		{"no ecosystem", checks.Tree{}, manifest(".gitmodules", checks.Package{Name: "sub", Commit: "0123"}),
			checks.Evidence{Gaps: []checks.Gap{{Path: ".gitmodules", Reason: "packages without an ecosystem cannot be matched with advisories"}}}},
		{"an ecosystem without advisories by nature", checks.Tree{}, manifest("Dockerfile", checks.Package{Ecosystem: "Docker", Name: "debian", Version: "bookworm"}),
			checks.Evidence{Complete: true}},
		{"a version that cannot be compared", checks.Tree{}, manifest("package-lock.json", npm("p", "github:o/p"), npm("q", "github:o/q")),
			checks.Evidence{Gaps: []checks.Gap{{Path: "package-lock.json", Reason: `p has advisories, but its version "github:o/p" cannot be compared with them`}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := New(x, Options{}).Scan(t.Context(), &checks.Material{Base: tt.base, Head: tt.head})
			if err != nil {
				t.Fatal(err)
			}
			got.DataTime = time.Time{}
			tt.want.Scanner = "osv"
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestScanWithoutIndex: a change without packages needs no advisories, any other is incomplete.
func TestScanWithoutIndex(t *testing.T) {
	t.Parallel()
	s := New(open(t, t.TempDir()), Options{})
	e, err := s.Scan(t.Context(), &checks.Material{Head: manifest("package.json")})
	if err != nil || !e.Complete {
		t.Errorf("without packages: %+v, %v", e, err)
	}
	e, err = s.Scan(t.Context(), &checks.Material{Head: manifest("package.json", npm("p", "1.0.0"))})
	if err != nil || e.Complete || len(e.Gaps) != 1 || e.Gaps[0].Reason != ErrNoIndex.Error() {
		t.Errorf("with a package: %+v, %v", e, err)
	}
}

// TestScanDataTime: the evidence is as old as the oldest data that it rests on.
func TestScanDataTime(t *testing.T) {
	t.Parallel()
	x := open(t, t.TempDir())
	old, young := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	for ecosystem, at := range map[string]time.Time{"npm": young, "PyPI": old} {
		from := t.TempDir()
		record := advisory("GHSA-1", "p", below("2.0.0"))
		put(t, from, ecosystem, zipped(t, map[string]string{"1": replaced(record, `"npm"`, `"`+ecosystem+`"`)}))
		if _, err := x.Import(t.Context(), from, ImportOptions{Now: func() time.Time { return at }}); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name     string
		packages []checks.Package
		want     time.Time
	}{
		{"npm", []checks.Package{npm("q", "1.0.0")}, young},
		{"npm and PyPI", []checks.Package{npm("q", "1.0.0"), {Ecosystem: "PyPI", Name: "q", Version: "1.0"}}, old},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, err := New(x, Options{}).Scan(t.Context(), &checks.Material{Head: manifest("f", tt.packages...)})
			if err != nil || !e.DataTime.Equal(tt.want) {
				t.Errorf("%v, want %v (%v)", e.DataTime, tt.want, err)
			}
		})
	}
}

// TestScanMaxAge: advisories that are older than they may be leave the evidence incomplete.
func TestScanMaxAge(t *testing.T) {
	t.Parallel()
	x, from := open(t, t.TempDir()), t.TempDir()
	put(t, from, "npm", zipped(t, map[string]string{"1": advisory("GHSA-1", "p", below("2.0.0"))}))
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	if _, err := x.Import(t.Context(), from, ImportOptions{Now: func() time.Time { return at }}); err != nil {
		t.Fatal(err)
	}
	m := &checks.Material{Head: manifest("f", npm("q", "1.0.0"))}
	for _, tt := range []struct {
		name  string
		later time.Duration
		whole bool
	}{
		{"a week", 7 * 24 * time.Hour, true},
		{"a week and an hour", (7*24 + 1) * time.Hour, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := New(x, Options{MaxAge: 7 * 24 * time.Hour, Now: func() time.Time { return at.Add(tt.later) }})
			e, err := s.Scan(t.Context(), m)
			if err != nil || e.Complete != tt.whole || (len(e.Gaps) == 0) != tt.whole {
				t.Errorf("complete %v with gaps %v, want complete %v (%v)", e.Complete, e.Gaps, tt.whole, err)
			}
		})
	}
}

func TestScanCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	x := imported(t, advisory("GHSA-1", "p", below("2.0.0")))
	if _, err := New(x, Options{}).Scan(ctx, &checks.Material{Head: manifest("f", npm("p", "1.0.0"))}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

var _ checks.Scanner = (*Scanner)(nil)
