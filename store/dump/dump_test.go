package dump

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var mixed = []Column{{"n", Integer}, {"t", Text}, {"b", Bytes}}

// FuzzParseRow reads lines of rows: what is accepted is written again and then read as the same, so
// that nothing is taken for something else.
func FuzzParseRow(f *testing.F) {
	for _, line := range []string{
		`[1,"a","AAE="]`, `[-9223372036854775808,"","" ]`, `[null,null,null]`, `[1,"\u2028<é>\ud83d\ude00","/w=="]`,
		`[1.0,"a",""]`, `[9223372036854775808,"",""]`, `[1,"\u0000",""]`, `[1,"\ud800",""]`, `["1","",""]`, `[1,"","/x=="]`, `[1,"","AA\nE="]`,
		`[]`, `[1]`, `{}`, `[[1],2,3]`, `[1,"",""],`, ``, `[ 1 , "x" , "" ]`, `[01,"",""]`, `[1e3,"",""]`,
	} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		row, err := parseRow(mixed, line)
		if err != nil {
			return
		}
		for i, c := range mixed {
			if err := c.fits(row[i]); err != nil {
				t.Fatal(err)
			}
		}
		again, err := json.Marshal(row)
		if err != nil {
			t.Fatal(err)
		}
		same, err := parseRow(mixed, again)
		if d := cmp.Diff(row, same); d != "" || err != nil {
			t.Errorf("%q, written again %q: %v\n%s", line, again, err, d)
		}
	})
}

func TestParseRowRefuses(t *testing.T) {
	t.Parallel()
	good := `[1,"a","AAE="]`
	if _, err := parseRow(mixed, []byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{
		`[1.0,"a","AAE="]`, `[1e2,"a","AAE="]`, `["1","a","AAE="]`, `[9223372036854775808,"a","AAE="]`, `[1,2,"AAE="]`,
		`[1,"a","AAF="]`, `[1,"a","AA\nE="]`, `[1,"a\u0000","AAE="]`, `[1,"a"]`, `[1,"a","AAE=",1]`, `{}`,
	} {
		if row, err := parseRow(mixed, []byte(bad)); err == nil {
			t.Errorf("%s was read as %v", bad, row)
		}
	}
}

// TestDigest does not depend on the order of rows, and does on each of them.
func TestDigest(t *testing.T) {
	t.Parallel()
	sum := func(lines ...string) string {
		var d digest
		for _, l := range lines {
			d.add([]byte(l))
		}
		return d.String()
	}
	if sum("a", "b", "c") != sum("c", "a", "b") {
		t.Error("the order counts")
	}
	for _, other := range [][]string{{"a", "b"}, {"a", "b", "d"}, {"a", "b", "c", "c"}, {"a", "a", "b", "c"}} {
		if sum("a", "b", "c") == sum(other...) {
			t.Errorf("%q has the digest of a, b, c", other)
		}
	}
}

func TestTablesInOrder(t *testing.T) {
	t.Parallel()
	names := func(tables []Table) []string {
		var list []string
		for _, table := range tables {
			list = append(list, table.Name)
		}
		return list
	}
	sorted, err := inOrder([]Table{{Name: "a", parents: []string{"c"}}, {Name: "b"}, {Name: "c", parents: []string{"c", "d"}}, {Name: "d"}})
	if d := cmp.Diff([]string{"b", "d", "c", "a"}, names(sorted)); d != "" || err != nil {
		t.Errorf("%v\n%s", err, d)
	}
	if _, err := inOrder([]Table{{Name: "a", parents: []string{"b"}}, {Name: "b", parents: []string{"a"}}}); err == nil {
		t.Error("a circle was put in order")
	}
}

func TestHeaderLimits(t *testing.T) {
	t.Parallel()
	wide := Table{Name: "wide", Columns: make([]Column, maxColumns+1)}
	for name, h := range map[string]Header{
		"another format":   {Format: "landwaiter-export/2"},
		"too many tables":  {Format: Format, Tables: make([]Table, maxTables+1)},
		"too many columns": {Format: Format, Tables: []Table{wide}},
	} {
		if h.check() == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if err := (Header{Format: Format, Tables: []Table{{Name: "a"}}}).check(); err != nil {
		t.Error(err)
	}
}

// TestLongLine gives up at the limit instead of holding all of it.
func TestLongLine(t *testing.T) {
	t.Parallel()
	r := &reader{lines: newLines(bytes.NewReader(bytes.Repeat([]byte("x"), maxLine+2)))}
	if _, err := r.next(); err == nil {
		t.Error("a line over the limit was read")
	}
}
