package osv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks"
)

func isVersion(err error) bool { return errors.Is(err, ErrVersion) }

// TestDamagedIndex changes one thing of a good index file. Each damage is named when the
// index is opened; none is a panic or a package without advisories.
func TestDamagedIndex(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(data []byte) []byte
		want   string // in the error; "" means that it opens
	}{
		{"nothing", func(b []byte) []byte { return b }, ""},
		{"one bit in the middle", func(b []byte) []byte { b[len(b)/2] ^= 4; return b }, "checksum"},
		{"one bit at the end", func(b []byte) []byte { b[len(b)-1] ^= 1; return b }, "checksum"},
		{"one bit of the header", func(b []byte) []byte { b[70] ^= 1; return b }, "checksum of its header"},
		{"cut by one byte", func(b []byte) []byte { return b[:len(b)-1] }, "bytes instead of"},
		{"cut to nothing", func(b []byte) []byte { return nil }, "0 bytes"},
		{"cut in the header", func(b []byte) []byte { return b[:100] }, "100 bytes"},
		{"longer", func(b []byte) []byte { return append(b, 0) }, "bytes instead of"},
		{"another file", func(b []byte) []byte { return bytes.Repeat([]byte("x"), 500) }, "no advisory index"},
		{"another format", func(b []byte) []byte { b[8] = 9; return b }, "format 9"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, folder, "base.index")
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, tt.change(indexBytes(t)), 0o644); err != nil {
				t.Fatal(err)
			}
			x, err := Open(dir)
			if tt.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				x.Close()
				return
			}
			if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v, want %q and the path", err, tt.want)
			}
		})
	}
}

// TestDamageWhileOpen: an index that is damaged after it was opened stays in use as it was.
func TestDamageWhileOpen(t *testing.T) {
	t.Parallel()
	x := imported(t, advisory("GHSA-1", "p", below("2.0.0")))
	if err := os.WriteFile(x.basePath()+".other", []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(x.basePath()+".other", x.basePath()); err != nil {
		t.Fatal(err)
	}
	if got := ids(t, x, "p", "1.0.0"); len(got) != 1 {
		t.Errorf("p: %v", got)
	}
}

// TestCrashes: a refresh that stops between any two steps leaves the old index or the new
// one, and the next refresh is not in its way.
func TestCrashes(t *testing.T) {
	t.Parallel()
	b := newBucket(100)
	x, o := started(t, b)
	unlock := b.lock()
	b.set(5, "4.0.0", 2000)
	unlock()
	if _, err := x.Update(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	base, overlay := read(t, x.basePath()), read(t, x.overlayPath())
	unlock = b.lock()
	b.set(5, "5.0.0", 2001)
	b.archive = zipped(t, b.records)
	archive := b.archive
	unlock()
	o.Full = true
	if _, err := x.Update(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	after := read(t, x.basePath())
	tests := []struct {
		name  string
		files map[string][]byte
		want  []string // versions of p5 that are affected
	}{
		{"while the new base is written", map[string][]byte{"base.index": base, "changes.index": overlay, "base.index.new": after[:len(after)/2]}, []string{"3.5.0"}},
		{"before the rename", map[string][]byte{"base.index": base, "changes.index": overlay, "base.index.new": after}, []string{"3.5.0"}},
		{"after the rename, the old changes still there", map[string][]byte{"base.index": after, "changes.index": overlay}, []string{"3.5.0", "4.5.0"}},
		{"changes without a base", map[string][]byte{"changes.index": overlay}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for name, data := range tt.files {
				path := filepath.Join(dir, folder, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, data, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			y := open(t, dir)
			var affected []string
			for _, v := range []string{"3.5.0", "4.5.0"} {
				list, err := y.Lookup(checks.Package{Ecosystem: "npm", Name: "p5", Version: v})
				if err != nil && !errors.Is(err, ErrNoIndex) {
					t.Fatal(err)
				}
				if len(list) > 0 {
					affected = append(affected, v)
				}
			}
			if diff := cmp.Diff(tt.want, affected); diff != "" {
				t.Error(diff)
			}
			from := t.TempDir()
			put(t, from, "npm", archive)
			if _, err := y.Import(t.Context(), from, ImportOptions{}); err != nil {
				t.Fatal(err)
			}
			if got := ids(t, y, "p5", "4.5.0"); len(got) != 1 {
				t.Errorf("p5 after the next refresh: %v", got)
			}
			if left, err := filepath.Glob(filepath.Join(dir, folder, "*.new")); err != nil || len(left) != 0 {
				t.Errorf("left behind: %v %v", left, err)
			}
		})
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestDamagedIndexIsReplaced: importing is the cure of a damaged index, which a service
// that starts with one cannot open.
func TestDamagedIndexIsReplaced(t *testing.T) {
	t.Parallel()
	x := imported(t, advisory("GHSA-1", "p", below("2.0.0")))
	data := read(t, x.basePath())
	data[len(data)/2] ^= 1
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(x.basePath(), data, 0o644); err != nil {
		t.Fatal(err)
	}
	x, err := Open(filepath.Dir(x.dir))
	if !errors.Is(err, ErrCorrupt) {
		t.Fatalf("opening: %v", err)
	}
	if _, err := x.Lookup(checks.Package{Ecosystem: "npm", Name: "p", Version: "1.0.0"}); !errors.Is(err, ErrCorrupt) {
		t.Errorf("lookup: %v", err)
	}
	from := t.TempDir()
	put(t, from, "npm", zipped(t, numbered(3)))
	if _, err := x.Import(t.Context(), from, ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := ids(t, x, "p1", "1.0.0"); len(got) != 1 {
		t.Errorf("p1: %v", got)
	}
}

// TestSwapWhileScanning refreshes again and again while scans run. Each scan sees one state
// whole: p0 to p49 have the same fix. Run it with -race.
func TestSwapWhileScanning(t *testing.T) {
	t.Parallel()
	const packages, rounds = 50, 20
	archive := func(round int) []byte {
		records := make(map[string]string)
		for i := range packages {
			id := fmt.Sprintf("GHSA-%04d", i)
			records[id] = advisory(id, fmt.Sprintf("p%d", i), below(fmt.Sprintf("%d.0.0", round+2)))
		}
		return zipped(t, records)
	}
	from, dir := t.TempDir(), t.TempDir()
	put(t, from, "npm", archive(0))
	writer, reader := open(t, dir), open(t, dir) // as of two processes
	if _, err := writer.Import(t.Context(), from, ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	m := &checks.Material{}
	f := checks.Manifest{Path: "package-lock.json"}
	for i := range packages {
		f.Packages = append(f.Packages, checks.Package{Ecosystem: "npm", Name: fmt.Sprintf("p%d", i), Version: "1.0.0"})
	}
	m.Head.Inventory.Manifests = []checks.Manifest{f}
	ctx, stop := context.WithCancel(t.Context())
	var scans sync.WaitGroup
	for _, x := range []*Index{writer, reader, writer, reader} {
		scans.Go(func() {
			for ctx.Err() == nil {
				if err := wholeScan(x, m, packages); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for round := range rounds {
		put(t, from, "npm", archive(round+1))
		if _, err := writer.Import(t.Context(), from, ImportOptions{}); err != nil {
			t.Error(err)
		}
	}
	stop()
	scans.Wait()
	e, err := New(reader, Options{}).Scan(t.Context(), m)
	if err != nil || e.Matches[0].Advisory.Cure != fmt.Sprintf("%d.0.0", rounds+2) {
		t.Errorf("after the last round: %v, %v", e.Matches, err)
	}
}

func wholeScan(x *Index, m *checks.Material, packages int) error {
	e, err := New(x, Options{}).Scan(context.Background(), m)
	if err != nil {
		return err
	}
	if !e.Complete || len(e.Matches) != packages {
		return fmt.Errorf("%d matches, gaps %v", len(e.Matches), e.Gaps)
	}
	for _, match := range e.Matches {
		if match.Advisory.Cure != e.Matches[0].Advisory.Cure {
			return fmt.Errorf("one scan saw two states: %s and %s", match.Advisory.Cure, e.Matches[0].Advisory.Cure)
		}
	}
	return nil
}
