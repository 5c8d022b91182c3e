package osv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks"
)

func TestImportLayouts(t *testing.T) {
	t.Parallel()
	archive := zipped(t, numbered(3))
	tests := []struct {
		name   string
		layout func(t *testing.T, dir string) string // returns the path to import
	}{
		{"the bucket's layout", func(t *testing.T, dir string) string { put(t, dir, "npm", archive); return dir }},
		{"OSV-Scanner's layout", func(t *testing.T, dir string) string {
			put(t, filepath.Join(dir, "osv-scalibr"), "npm", archive)
			return dir
		}},
		{"one zip, named itself", func(t *testing.T, dir string) string {
			put(t, dir, "whatever", archive)
			return filepath.Join(dir, "whatever", "all.zip")
		}},
		{"a folder with a name that globs", func(t *testing.T, dir string) string {
			dir = filepath.Join(dir, "a*[b]")
			put(t, dir, "npm", archive)
			return dir
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := open(t, t.TempDir())
			out, err := x.Import(t.Context(), tt.layout(t, t.TempDir()), ImportOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if len(out.Ecosystems) != 1 || out.Ecosystems[0].Ecosystem != "npm" || out.Ecosystems[0].Records != 3 || !out.Ecosystems[0].First {
				t.Errorf("imported %+v", out)
			}
			if diff := cmp.Diff([]string{"GHSA-0000-0000-0001"}, ids(t, x, "p1", "1.9.9")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestImportNothing(t *testing.T) {
	t.Parallel()
	x := open(t, t.TempDir())
	for _, path := range []string{t.TempDir(), filepath.Join(t.TempDir(), "absent"), filepath.Join(t.TempDir(), "absent.zip")} {
		if _, err := x.Import(t.Context(), path, ImportOptions{}); err == nil {
			t.Errorf("importing %s gives no error", path)
		}
	}
	if _, err := x.Lookup(checks.Package{Ecosystem: "npm", Name: "p1", Version: "1.0.0"}); !errors.Is(err, ErrNoIndex) {
		t.Errorf("lookup without an index: %v", err)
	}
}

// TestImportRefusals starts from a good index of 100 records. Whatever is refused leaves
// it as it was (THREATS.md section 5, advisories).
func TestImportRefusals(t *testing.T) {
	t.Parallel()
	change := func(change func(records map[string]string)) []byte {
		records := numbered(100)
		change(records)
		return zipped(t, records)
	}
	good := change(func(map[string]string) {})
	bad := func(n int) func(map[string]string) {
		return func(records map[string]string) {
			for i := range n {
				records[fmt.Sprintf("GHSA-0000-0000-%04d", i)] = `{"id":"GHSA-cut`
			}
		}
	}
	tests := []struct {
		name    string
		archive []byte
		force   bool
		want    string // in the error; "" means that it is taken
	}{
		{"the same again", good, false, ""},
		{"truncated in the middle", good[:len(good)/2], false, "truncated"},
		{"truncated by one byte", good[:len(good)-1], false, "truncated"},
		{"empty file", nil, false, "truncated"},
		{"no records", zipped(t, nil), false, "holds no records"},
		{"one bad record of 100", change(bad(1)), false, ""},
		{"two bad records of 100", change(bad(2)), false, "2 of 100 records cannot be read"},
		{"30 % fewer", zipped(t, numbered(70)), false, "70 records in force instead of 100"},
		{"29 % fewer", zipped(t, numbered(71)), false, ""},
		{"30 % fewer, forced", zipped(t, numbered(70)), true, ""},
		{"30 % withdrawn", change(func(records map[string]string) {
			for i := range 30 {
				id := fmt.Sprintf("GHSA-0000-0000-%04d", i)
				records[id] = advisory(id, fmt.Sprintf("p%d", i), below("2.0.0"), `"withdrawn":"2025-02-01T00:00:00Z",`)
			}
		}), false, "70 records in force"},
		{"a bomb", change(func(records map[string]string) {
			records["GHSA-bomb"] = `{"id":"GHSA-bomb","details":"` + strings.Repeat("0", 4<<20) + `"}`
		}), false, "times its size"},
		{"a record of 17 MiB", change(func(records map[string]string) {
			records["GHSA-big"] = `{"id":"GHSA-big","details":"` + strings.Repeat("0", 17<<20) + `"}`
		}), false, "unpacks to"},
		{"records of another ecosystem", zipped(t, map[string]string{
			"GO-1": strings.ReplaceAll(advisory("GO-1", "example.com/x", below("2.0.0")), `"npm"`, `"Go"`),
		}), true, "says nothing of a package of npm"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			from := t.TempDir()
			put(t, from, "npm", good)
			x := open(t, t.TempDir())
			if _, err := x.Import(t.Context(), from, ImportOptions{}); err != nil {
				t.Fatal(err)
			}
			before := x.Status()
			put(t, from, "npm", tt.archive)
			out, err := x.Import(t.Context(), from, ImportOptions{Force: tt.force})
			if tt.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want a refusal with %q", err, tt.want)
			}
			if len(out.Ecosystems) != 1 || out.Ecosystems[0].Err == nil {
				t.Errorf("outcome %+v", out)
			}
			if diff := cmp.Diff(before, x.Status()); diff != "" {
				t.Errorf("the refused archive changed the index: %s", diff)
			}
			if got := ids(t, x, "p99", "1.0.0"); len(got) != 1 {
				t.Errorf("p99 has %v", got)
			}
		})
	}
}

func TestImportNamesBadRecords(t *testing.T) {
	t.Parallel()
	records := numbered(200)
	records["GHSA-bad"] = `{"id":`
	from := t.TempDir()
	put(t, from, "npm", zipped(t, records))
	out, err := open(t, t.TempDir()).Import(t.Context(), from, ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if e := out.Ecosystems[0]; e.Bad != 1 || !cmp.Equal(e.BadNames, []string{`"GHSA-bad.json"`}) || e.Records != 200 {
		t.Errorf("outcome %+v", e)
	}
}

// TestImportTakesTheOthers: one refused archive does not hold back the rest of the folder.
func TestImportTakesTheOthers(t *testing.T) {
	t.Parallel()
	from := t.TempDir()
	put(t, from, "npm", zipped(t, numbered(3)))
	put(t, from, "Go", []byte("PK no zip"))
	x := open(t, t.TempDir())
	_, err := x.Import(t.Context(), from, ImportOptions{})
	if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "Go") {
		t.Errorf("error %v, want a refusal of Go", err)
	}
	if got := ids(t, x, "p1", "1.0.0"); len(got) != 1 {
		t.Errorf("npm was not taken: %v", got)
	}
	if _, err := x.Lookup(checks.Package{Ecosystem: "Go", Name: "example.com/x", Version: "v1.0.0"}); !errors.Is(err, ErrNoData) {
		t.Errorf("Go: %v", err)
	}
}

func TestImportMixedZip(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir, "all", zipped(t, map[string]string{
		"1": advisory("GHSA-1", "a", below("2.0.0")),
		"2": strings.ReplaceAll(advisory("GO-2", "example.com/b", below("2.0.0")), `"npm"`, `"Go"`),
	}))
	_, err := open(t, t.TempDir()).Import(t.Context(), filepath.Join(dir, "all", "all.zip"), ImportOptions{})
	if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "not of one ecosystem") {
		t.Errorf("error %v", err)
	}
}

func TestImportChangedKeys(t *testing.T) {
	t.Parallel()
	from, records := t.TempDir(), numbered(20)
	put(t, from, "npm", zipped(t, records))
	x := open(t, t.TempDir())
	if out, err := x.Import(t.Context(), from, ImportOptions{}); err != nil || len(out.Changed) != 0 {
		t.Fatalf("the first import changes nothing that was known: %v %v", out.Changed, err)
	}
	delete(records, "GHSA-0000-0000-0003")
	records["GHSA-0000-0000-0004"] = strings.Replace(records["GHSA-0000-0000-0004"], "2025-03-01", "2025-03-02", 1)
	records["GHSA-new"] = advisory("GHSA-new", "fresh", below("3.0.0"))
	put(t, from, "npm", zipped(t, records))
	out, err := x.Import(t.Context(), from, ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := []PackageKey{{"npm", "fresh"}, {"npm", "p3"}, {"npm", "p4"}}
	if diff := cmp.Diff(want, out.Changed); diff != "" {
		t.Error(diff)
	}
	if got := ids(t, x, "p3", "1.0.0"); got != nil {
		t.Errorf("a record that left the archive is still matched: %v", got)
	}
}

func TestImportFetchedTime(t *testing.T) {
	t.Parallel()
	from := t.TempDir()
	put(t, from, "npm", zipped(t, numbered(1)))
	written := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	path := filepath.Join(from, "npm", "all.zip")
	if err := os.Chtimes(path, written, written); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name      string
		now, want time.Time
	}{
		{"an old file is as old as it is", written.AddDate(0, 1, 0), written},
		{"a file from the future is from now", written.AddDate(0, -1, 0), written.AddDate(0, -1, 0)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := open(t, t.TempDir())
			if _, err := x.Import(t.Context(), from, ImportOptions{Now: func() time.Time { return tt.now }}); err != nil {
				t.Fatal(err)
			}
			want := []EcosystemStatus{{Ecosystem: "npm", Records: 1, Newest: time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC), Fetched: tt.want, Source: path}}
			if diff := cmp.Diff(want, x.Status().Ecosystems); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestImportCancelled(t *testing.T) {
	t.Parallel()
	from := t.TempDir()
	put(t, from, "npm", zipped(t, numbered(2000)))
	ctx, cancel := context.WithCancel(t.Context())
	x := open(t, t.TempDir())
	_, err := x.Import(ctx, from, ImportOptions{Progress: func(Progress) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if s := x.Status(); s.Records != 0 {
		t.Errorf("a cancelled import left %+v", s)
	}
}

// TestPartialRecord: a versions member that is no list is left out where ranges say the
// same; without them nothing can be said, and the record is bad.
func TestPartialRecord(t *testing.T) {
	t.Parallel()
	records := numbered(200)
	records["GHSA-partial"] = advisory("GHSA-partial", "partial", below("2.0.0")+`,"versions":12`)
	records["GHSA-bad"] = advisory("GHSA-bad", "bad", `"versions":12`)
	from := t.TempDir()
	put(t, from, "npm", zipped(t, records))
	x := open(t, t.TempDir())
	out, err := x.Import(t.Context(), from, ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if e := out.Ecosystems[0]; e.Bad != 1 || e.Partial != 1 {
		t.Errorf("outcome %+v", e)
	}
	if got := ids(t, x, "partial", "1.0.0"); len(got) != 1 {
		t.Errorf("partial has %v", got)
	}
}
