package strict_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks/strict"
)

// read is what a test reads: a name, and a section with an age and a share.
type read struct {
	Name  string
	Age   time.Duration
	Share float64
	List  []string
}

func parse(data string) (read, *strict.Problem) {
	var r read
	d := &strict.Document{Later: map[string]bool{"rules.soon": true}}
	root := d.Parse([]byte(data))
	if d.Err() == nil {
		d.Section(root, "", strict.Keys{
			"name": func(n strict.Node) { r.Name = d.Text(n) },
			"rules": func(n strict.Node) {
				if !strict.Mapping(n) {
					r.Age = d.Duration(n, 24*time.Hour)
					return
				}
				d.Section(n, "rules.", strict.Keys{
					"age":   func(n strict.Node) { r.Age = d.Duration(n, 24*time.Hour) },
					"share": func(n strict.Node) { r.Share = d.Decimal(n, 0, 1) },
				})
			},
			"list": func(n strict.Node) {
				d.List(n, func(n strict.Node) { r.List = append(r.List, d.Choice(n, []string{"one", "two"})) })
			},
		})
	}
	return r, d.Err()
}

func TestDocument(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		name, data string
		want       read
		line       int
		problem    string
	}{
		{"everything", "name: a\nrules: {age: 2h, share: 0.5}\nlist: [one, two]\n", read{"a", 2 * time.Hour, 0.5, []string{"one", "two"}}, 0, ""},
		{"a value in place of keys", "rules: 90s\n", read{Age: 90 * time.Second}, 0, ""},
		{"whole number for a share", "rules: {share: 1}\n", read{Share: 1}, 0, ""},
		{"nearest key", "nmae: a\n", read{}, 1, "unknown key `nmae`, did you mean `name`?"},
		{"far from all keys", "name: a\nzzzzzzzzz: a\n", read{}, 2, "unknown key `zzzzzzzzz`; it can be list, name, rules"},
		{"key of a later version", "rules: {soon: 1}\n", read{}, 1, "key `rules.soon` is not supported by this version"},
		{"nearest value", "list: [one, tow]\n", read{}, 1, "unknown value `tow`, did you mean `two`?"},
		{"share of nothing", "rules: {share: 0}\n", read{}, 1, "needs a number above 0, at most 1, not `0`"},
		{"share in quotes", "rules: {share: '0.5'}\n", read{}, 1, "needs a number above 0, at most 1, not `0.5`"},
		{"keys for a text", "name: {a: b}\n", read{}, 1, "needs a text, not keys"},
		{"text for keys", "- a\n", read{}, 1, "the file needs keys with values, not a list"},
		{"alias", "name: *a\n", read{}, 1, "anchors and aliases are not allowed in a policy; write the value out"},
		{"first problem only", "x: 1\ny: 2\n", read{}, 1, "unknown key `x`"},
	} {
		got, problem := parse(x.data)
		if x.problem == "" && problem == nil {
			if diff := cmp.Diff(x.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", x.name, diff)
			}
			continue
		}
		if problem == nil || x.problem == "" || problem.Line != x.line || !strings.HasPrefix(problem.Message, x.problem) {
			t.Errorf("%s: got %+v, want line %d: %s", x.name, problem, x.line, x.problem)
		}
	}
}

func TestValue(t *testing.T) {
	t.Parallel()
	d := &strict.Document{}
	root := d.Parse([]byte("a: 1\nb: 2\n"))
	if key, value := d.Value(root, "b"); key == nil || strict.Line(key) != 2 || d.Text(value) != "2" {
		t.Errorf("b is %v, %v", key, value)
	}
	if key, _ := d.Value(root, "c"); key != nil {
		t.Errorf("c is %v", key)
	}
}
