package lookalike_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/lookalike"
	"github.com/landwaiter/landwaiter/scanners/manifests"
)

// TestRealLockFiles scans both directions of 110 real changes, and each side alone: their
// packages are real, so each observation is a false alarm.
func TestRealLockFiles(t *testing.T) {
	t.Parallel()
	corpus := os.Getenv("LANDWAITER_CORPUS")
	if corpus == "" {
		t.Skip("needs LANDWAITER_CORPUS, the folder of shared test data")
	}
	pairs, err := filepath.Glob(filepath.Join(corpus, "lockfiles", "pairs", "*"))
	if err != nil || len(pairs) < 100 {
		t.Fatalf("%d pairs, %v", len(pairs), err)
	}
	type key struct{ ecosystem, name string }
	names, alarms := map[key]bool{}, map[key]string{}
	for _, pair := range pairs {
		base, head := inventory(t, filepath.Join(pair, "base")), inventory(t, filepath.Join(pair, "head"))
		for _, m := range []*checks.Material{
			{Compared: true, Base: base, Head: head}, {Compared: true, Base: head, Head: base}, {Head: head}, {Head: base},
		} {
			for _, f := range m.Head.Inventory.Manifests {
				for _, p := range f.Packages {
					names[key{p.Ecosystem, p.Name}] = true
				}
			}
			e, err := lookalike.New().Scan(context.Background(), m)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range e.Observations {
				alarms[key{o.Package.Ecosystem, o.Package.Name}] = o.Message
			}
		}
	}
	for _, message := range alarms {
		t.Log(message)
	}
	t.Logf("%d false alarms about %d names", len(alarms), len(names))
	if len(names) < 5000 || len(alarms)*2000 > len(names) {
		t.Errorf("%d false alarms about %d names, more than 1 in 2,000", len(alarms), len(names))
	}
}

func inventory(t *testing.T, dir string) checks.Tree {
	t.Helper()
	var files []checks.File
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !manifests.Wanted(path) {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, path))
		files = append(files, checks.File{Path: path, Data: data})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return checks.Tree{Inventory: manifests.Read(context.Background(), files)}
}
