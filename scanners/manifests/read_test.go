package manifests

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks/inventory"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestRead reads each folder of testdata/read as one side of a change and compares the
// Inventory with the golden file beside it.
func TestRead(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(filepath.Join("testdata", "read"))
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		seen++
		t.Run(e.Name(), func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join("testdata", "read", e.Name())
			files, _ := load(t, dir)
			got := show(Read(t.Context(), files))
			if *update {
				if err := os.WriteFile(dir+".golden", []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(dir + ".golden")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	if seen < 40 {
		t.Errorf("%d folders in testdata/read", seen)
	}
}

// show writes an Inventory for people: a line for each manifest and package.
func show(inv inventory.Inventory) string {
	var b strings.Builder
	for _, m := range inv.Manifests {
		fmt.Fprintf(&b, "%s: %s\n", m.Path, m.Format)
		if m.Gap != "" {
			fmt.Fprintf(&b, "  gap: %s\n", m.Gap)
		}
		for _, p := range m.Packages {
			fmt.Fprintf(&b, "  %d %s", p.Line, p.PURL)
			for _, f := range []struct{ label, value string }{
				{"wants", p.Constraint}, {"commit", p.Commit}, {"", string(p.Scope)}, {"", string(p.Relation)},
				{"via", strings.Join(p.Via, " > ")}, {"licence", p.Licence}, {"by", p.Manager}, {"deprecated", p.Deprecated},
			} {
				if f.value != "" {
					fmt.Fprintf(&b, " %s", strings.TrimSpace(f.label+" "+f.value))
				}
			}
			b.WriteString("\n")
		}
		for _, o := range m.Observations {
			fmt.Fprintf(&b, "  %d %s %s: %s\n", o.Line, o.Severity, o.Rule, o.Subject)
		}
	}
	return b.String()
}
