package faults

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/app/invarianttest"
	"github.com/landwaiter/landwaiter/store/crash"
)

// page returns the rows of the table under a heading of docs/reliability.md, without its head: the
// cells of each.
func page(t *testing.T, heading string) [][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "reliability.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), heading)
	if strings.HasPrefix(heading, "|") { // the head of the table itself
		rest = heading + rest
	}
	if !ok {
		t.Fatalf("docs/reliability.md has no %q", heading)
	}
	var rows [][]string
	for line := range strings.Lines(rest) {
		if !strings.HasPrefix(line, "|") {
			if len(rows) > 0 {
				break
			}
			continue
		}
		var cells []string
		for cell := range strings.SplitSeq(strings.Trim(line, "|\n"), "|") {
			cells = append(cells, strings.Trim(strings.TrimSpace(cell), "`"))
		}
		rows = append(rows, cells)
	}
	if len(rows) < 3 {
		t.Fatalf("docs/reliability.md has no table under %q", heading)
	}
	return rows[2:]
}

func column(rows [][]string, n int) []string {
	var list []string
	for _, row := range rows {
		list = append(list, row[n])
	}
	return list
}

// TestPageOfPoints: the page lists the points that there are.
func TestPageOfPoints(t *testing.T) {
	t.Parallel()
	var want []string
	for _, p := range crash.Points() {
		want = append(want, string(p))
	}
	if d := cmp.Diff(want, column(page(t, "| point | the effect"), 0)); d != "" {
		t.Errorf("points of the code and of docs/reliability.md (-code +page):\n%s", d)
	}
}

// TestPageOfInvariants: the page lists the invariants that are checked, in their words.
func TestPageOfInvariants(t *testing.T) {
	t.Parallel()
	var want [][]string
	for _, i := range invarianttest.Invariants() {
		want = append(want, []string{i.Name, i.Text})
	}
	if d := cmp.Diff(want, page(t, "## Invariants")); d != "" {
		t.Errorf("invariants of the code and of docs/reliability.md (-code +page):\n%s", d)
	}
}

// tellRoutes compares the calls at which the service was killed with those on the page.
func tellRoutes(t *testing.T, made map[string]act) {
	t.Helper()
	want := slices.Sorted(maps.Keys(made))
	if d := cmp.Diff(want, column(page(t, "| call |"), 0)); d != "" {
		t.Errorf("calls that the service makes and those of docs/reliability.md (-made +page):\n%s", d)
	}
}
