package osv

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/checks"
)

// advisory is the JSON of one OSV record about one npm package. more is put in front of
// its members.
func advisory(id, name, ranges string, more ...string) string {
	return fmt.Sprintf(`{%s"id":%q,"modified":"2025-03-01T00:00:00Z","summary":"About %s","affected":[{"package":{"ecosystem":"npm","name":%q},%s}]}`,
		strings.Join(more, ""), id, name, name, ranges)
}

// below is the ranges member of an advisory for every version before fixed.
func below(fixed string) string {
	return fmt.Sprintf(`"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":%q}]}]`, fixed)
}

const everyVersion = `"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]`

// zipped returns a zip file of records, by id.
func zipped(t testing.TB, records map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, id := range slices.Sorted(maps.Keys(records)) {
		w, err := z.Create(id + ".json")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(records[id])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// put writes data as <dir>/<ecosystem>/all.zip.
func put(t testing.TB, dir, ecosystem string, data []byte) {
	t.Helper()
	path := filepath.Join(dir, ecosystem, "all.zip")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// numbered are n advisories about packages p0, p1, ...
func numbered(n int) map[string]string {
	records := make(map[string]string)
	for i := range n {
		id := fmt.Sprintf("GHSA-0000-0000-%04d", i)
		records[id] = advisory(id, fmt.Sprintf("p%d", i), below("2.0.0"))
	}
	return records
}

func open(t testing.TB, dir string) *Index {
	t.Helper()
	x, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x
}

// imported is an index of the npm records.
func imported(t testing.TB, records ...string) *Index {
	t.Helper()
	byID := make(map[string]string)
	for i, r := range records {
		byID[fmt.Sprint(i)] = r
	}
	from := t.TempDir()
	put(t, from, "npm", zipped(t, byID))
	x := open(t, t.TempDir())
	if _, err := x.Import(t.Context(), from, ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	return x
}

// ids are the ids of the advisories about an npm package.
func ids(t testing.TB, x *Index, name, version string) []string {
	t.Helper()
	list, err := x.Lookup(checks.Package{Ecosystem: "npm", Name: name, Version: version})
	if err != nil && !errors.Is(err, ErrVersion) {
		t.Fatal(err)
	}
	var out []string
	for _, a := range list {
		out = append(out, a.ID)
	}
	return out
}

func replaced(s, old, by string) string { return strings.ReplaceAll(s, old, by) }

// corpus is the folder of the large samples, where there is one.
func corpus(t testing.TB, parts ...string) string {
	t.Helper()
	dir := os.Getenv("LANDWAITER_CORPUS")
	if dir == "" {
		t.Skip("needs LANDWAITER_CORPUS, the folder of the large samples")
	}
	return filepath.Join(append([]string{dir}, parts...)...)
}
