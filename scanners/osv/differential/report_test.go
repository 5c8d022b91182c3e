package differential_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/osv"
)

// TestReadOSVScannerEngine reads what the engine itself writes: the same advisories as ours.
func TestReadOSVScannerEngine(t *testing.T) {
	t.Parallel()
	o := newOracle(t, filepath.Join("testdata", "advisories"))
	dir, err := filepath.Abs(filepath.Join("testdata", "pairs", "maybe-gradle.lockfile-a126cac4"))
	if err != nil {
		t.Fatal(err)
	}
	results := o.overIndex(t, dir)
	data, err := json.Marshal(&results)
	if err != nil {
		t.Fatal(err)
	}
	matches, err := osv.ReadOSVScanner(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if len(matches) == 0 {
		t.Fatal("no matches")
	}
	type summary struct {
		ID       string
		Aliases  []string
		Severity checks.Severity
	}
	for _, m := range matches {
		list, err := o.index.Lookup(m.Package)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, a := range list {
			if a.ID == m.Advisory.ID {
				found = true
				if diff := cmp.Diff(summary{a.ID, a.Aliases, a.Severity}, summary{m.Advisory.ID, m.Advisory.Aliases, m.Advisory.Severity}, cmp.Transformer("nil", func(l []string) string { return strings.Join(l, " ") })); diff != "" {
					t.Errorf("%s: ours (-), read (+):\n%s", m.Package.Name, diff)
				}
			}
		}
		if !found {
			t.Errorf("%s %s: we do not have %s", m.Package.Name, m.Package.Version, m.Advisory.ID)
		}
	}
}
