package syntax

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
	"github.com/google/go-cmp/cmp"
)

// bare turns a tree into maps, slices and strings, to compare it with other readers. Numbers,
// dates and booleans become "~", because readers differ in how they keep them.
func bare(n Node) any {
	switch n.Kind() {
	case Table:
		m := map[string]any{}
		for c := range n.All() {
			m[c.Key()] = bare(c)
		}
		return m
	case List:
		l := []any{}
		for c := range n.All() {
			l = append(l, bare(c))
		}
		return l
	case Text:
		return n.Text()
	case Null, Absent:
		return nil
	}
	return "~"
}

func bareAny(v any) any {
	switch x := v.(type) {
	case map[string]any:
		m := map[string]any{}
		for k, e := range x {
			m[k] = bareAny(e)
		}
		return m
	case []any:
		l := []any{}
		for _, e := range x {
			l = append(l, bareAny(e))
		}
		return l
	case []map[string]any:
		l := []any{}
		for _, e := range x {
			l = append(l, bareAny(e))
		}
		return l
	case string:
		return x
	case nil:
		return nil
	}
	return "~"
}

func TestJSONRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"nothing":                   {"", "line 1: expected a value, but the file ends"},
		"two values":                {"{}\n{}", "line 2: something follows the end of the value"},
		"comma at the end":          {"{\"a\": 1,\n}", "line 2: expected another member after ',', found '}'"},
		"comment":                   {"{} // no", "line 1: something follows the end of the value"},
		"key twice":                 {"{\"a\": 1,\n\"b\": 2,\n\"a\": 3}", `line 3: the key "a" is there twice in the object that ends here`},
		"key twice, once escaped":   {`{"a": 1, "\u0061": 3}`, `line 1: the key "a" is there twice in the object that ends here`},
		"key twice in what is left": {`{"x": [{"a": {"b": 1, "b": 2}}]}`, `line 1: the key "b" is there twice in the object that ends here`},
		"open string":               {`{"a": "b`, "line 1: a string does not end"},
		"line end in a string":      {"{\"a\": \"b\n\"}", `line 1: a string holds the control character '\n'`},
		"unknown escape":            {`["\x41"]`, `line 1: a string holds the unknown escape \x`},
		"half of a pair":            {`["\ud800"]`, "line 1: a string holds half of a surrogate pair"},
		"leading zero":              {`[01]`, "line 1: a number begins with 0"},
		"fraction without digits":   {`[1.]`, "line 1: expected a digit, found ']'"},
		"wrong word":                {`[nul]`, "line 1: expected true, false or null, found 'n'"},
		"open object":               {`{"a": 1`, "line 1: expected ',' or '}', but the file ends"},
		"conflict marker":           {"{\n<<<<<<< HEAD\n", `line 2: expected a string, found '<'`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := JSON(c.text)
			if err == nil || err.Error() != c.want {
				t.Errorf("JSON(%q): got error %v, want %s", c.text, err, c.want)
			}
			r := NewReader(c.text)
			r.Skip()
			if err := r.Err(); err == nil || err.Error() != c.want {
				t.Errorf("Skip of %q: got error %v, want %s", c.text, err, c.want)
			}
		})
	}
}

func TestG23NestingIsBounded(t *testing.T) {
	t.Parallel()
	for name, read := range map[string]func(n int) error{
		"json": func(n int) error { _, err := JSON(strings.Repeat("[", n) + strings.Repeat("]", n)); return err },
		"toml": func(n int) error {
			_, err := TOML("a = " + strings.Repeat("[", n) + strings.Repeat("]", n))
			return err
		},
		"yaml": func(n int) error { _, err := YAML(strings.Repeat("- ", n) + "a"); return err },
		"yaml in brackets": func(n int) error {
			_, err := YAML("a: " + strings.Repeat("[", n) + strings.Repeat("]", n))
			return err
		},
		"xml": func(n int) error {
			_, err := XML(strings.Repeat("<a>", n) + strings.Repeat("</a>", n))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := read(MaxDepth - 2); err != nil {
				t.Errorf("%d levels: %v", MaxDepth-2, err)
			}
			for _, n := range []int{MaxDepth + 1, 1 << 18} {
				if err := read(n); err == nil {
					t.Errorf("%d levels were read", n)
				}
			}
		})
	}
}

func TestG20AliasesOfAliasesStop(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 12; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	_, err := YAML(b.String())
	if err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("got error %v, want one about too many values", err)
	}
	if _, err := YAML("a: &a [*a]\n"); err == nil {
		t.Error("an anchor that holds itself was read")
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		read func(string) (Node, error)
		text string
	}{
		"json":                {JSON, "{\n \"a\": 1,\n\n \"b\": [\n  {\"c\":\n   2}]}"},
		"toml":                {TOML, "\na = 1\n# b\nb = [\n\n { c = \"\"\"\nx\ny\"\"\" }]\n"},
		"yaml":                {func(s string) (Node, error) { d, err := YAML(s); return d[0], err }, "\na: 1\n# b\nb:\n\n - c: |\n    x\n    y\n"},
		"yaml by the library": {func(s string) (Node, error) { d, err := generalYAML(s, false); return d[0], err }, "\na: 1\n# b\nb:\n\n - c: |\n    x\n    y\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, err := c.read(c.text)
			if err != nil {
				t.Fatal(err)
			}
			var element Node
			for e := range n.Get("b").All() {
				element = e
			}
			lines := strings.Split(c.text, "\n")
			for key, line := range map[string]int{"a": n.Get("a").Line(), "b": n.Get("b").Line(), "c": element.Get("c").Line()} {
				if line == 0 || !strings.Contains(strings.SplitN(lines[line-1], "#", 2)[0], key) {
					t.Errorf("%s is said to be in line %d", key, line)
				}
			}
		})
	}
}

func TestTOMLRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"key twice":                    "a = 1\na = 2",
		"table twice":                  "[a]\n[a]",
		"table over a value":           "a = 1\n[a]",
		"table over a list":            "a = []\n[[a]]",
		"list over a table":            "[a]\n[[a]]",
		"dotted key into a table":      "[a.b]\nc=1\n[a]\nb.d = 1",
		"key into an inline table":     "a = {b = 1}\na.c = 1",
		"header into an inline table":  "a = {b = 1}\n[a.c]",
		"no value":                     "a =",
		"no key":                       "= 1",
		"two on a line":                "a = 1 b = 2",
		"open string":                  "a = \"b",
		"open long string":             "a = \"\"\"b\n\"",
		"open list":                    "a = [1",
		"open table":                   "a = {b = 1",
		"open header":                  "[a\nb = 1",
		"word":                         "a = yes",
		"unknown escape":               `a = "\q"`,
		"conflict marker":              "<<<<<<< HEAD\na = 1",
		"key twice in an inline table": "a = {b = 1, b = 2}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := TOML(text); err == nil {
				t.Errorf("TOML(%q) was read", text)
			}
		})
	}
}

func TestXML(t *testing.T) {
	t.Parallel()
	root, err := XML("<?xml version='1.0'?>\n<!-- c -->\n<a x='1'>\n <b>t&amp;u</b>\n\n <b\n  y=\"2\"/> text</a>")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for c := range root.All() {
		got = append(got, fmt.Sprintf("%s=%s@%d", c.Key(), c.Text(), c.Line()))
	}
	if diff := cmp.Diff([]string{"@x=1@3", "b=t&u@4", "b=@6"}, got); diff != "" {
		t.Error(diff)
	}
	for name, text := range map[string]string{
		"nothing": "", "open": "<a>", "crossed": "<a><b></a></b>", "two roots": "<a/><b/>", "text outside": "x<a/>",
		"own entity": `<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>`, "attribute twice": `<a b="1" b="2"/>`,
	} {
		if _, err := XML(text); err == nil {
			t.Errorf("%s: was read", name)
		}
	}
}

// seeds adds the fixtures with the given ending, and some texts, to a fuzz test.
func seeds(f *testing.F, ending string, texts ...string) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join("..", "testdata", "read", "*", "*"))
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err == nil && strings.HasSuffix(name, ending) && len(data) < 8<<10 {
			f.Add(string(data))
		}
	}
	for _, t := range texts {
		f.Add(t)
	}
}

func FuzzJSON(f *testing.F) {
	seeds(f, "lock.json", `{"a":[1,-2.5e+3,true,null,"\u00e9\ud83d\ude00\n"],"b":{}}`, `[1,]`, `"\ud800"`, `1E700`)
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return
		}
		n, err := JSON(text)
		r := NewReader(text)
		r.Skip()
		if (r.Err() == nil) != (err == nil) {
			t.Fatalf("Skip: %v, JSON: %v", r.Err(), err)
		}
		if err != nil {
			return
		}
		var want any
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber() // else 1e700 is refused
		if err := decoder.Decode(&want); err != nil {
			t.Fatalf("read what encoding/json refuses: %v", err)
		}
		if diff := cmp.Diff(bareAny(want), bare(n)); diff != "" {
			t.Errorf("differs from encoding/json:\n%s", diff)
		}
	})
}

func FuzzTOML(f *testing.F) {
	seeds(f, ".toml", "a.b = 1\n[c]\nd = \"\"\"\nx\\\n  y\"\"\"\n[[e]]\nf = {g = [1, 2.0, 1979-05-27 07:32:00Z]}\n", "[a.b]\n[a]\n", "a = '''\nb''''")
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) || strings.ContainsAny(text, "\x00\r\v\f\x7f") {
			return
		}
		n, err := TOML(text)
		var want map[string]any
		if _, theirs := toml.Decode(text, &want); theirs != nil {
			return // numbers and dates are checked by them only
		}
		if err != nil {
			if !strings.Contains(err.Error(), "nested") && !strings.Contains(err.Error(), "parts") {
				t.Fatalf("refused what the library reads: %v", err)
			}
			return
		}
		if diff := cmp.Diff(bareAny(want), bare(n)); diff != "" {
			t.Errorf("differs from the library:\n%s", diff)
		}
	})
}

func FuzzYAML(f *testing.F) {
	seeds(f, ".yaml", "a:\n- b: 'c''d'\n  e: {f: g, h: [1, 2]}\n- |\n  x\n   y\n\n- \"z\\n\" # c\n", "a: b\n c\n", "- - a\n  - b\n-\n  c: d\n", "---\na: 1\n---\nb: 2\n", "'a': \"b\"\nc :  d\n", "a: |-\n  b\n\nc: ~\n", "~", "|\n 00", "a: {0: :0}", "#\r0", "  |\n #", `"\/"`, "{0?: 0}", "? a\n: b: c\n  d: e\n? 'f'\n: - g\n? h\n:\n  i\nj: k\n", strings.Repeat("a", 1100)+": b\n")
	seeds(f, "yarn.lock")
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) || len(text) > 1<<14 {
			return
		}
		docs, err := plainYAML(text)
		if err != nil {
			return // the library decides
		}
		want, err := generalYAML(text, false)
		if err != nil {
			t.Fatalf("read what the library refuses: %v", err)
		}
		var got, lib []any
		for _, d := range docs {
			if d.Kind() != Null { // the library and we differ in whether an empty document is one
				got = append(got, bare(d))
			}
		}
		for _, d := range want {
			if d.Kind() != Null {
				lib = append(lib, bare(d))
			}
		}
		if diff := cmp.Diff(lib, got); diff != "" {
			t.Errorf("differs from the library:\n%s", diff)
		}
	})
}

func FuzzXML(f *testing.F) {
	seeds(f, ".xml", "<a b='c'>d<e/>f</a>")
	f.Fuzz(func(t *testing.T, text string) {
		if n, err := XML(text); err == nil && n.Key() == "" {
			t.Error("read a root without a name")
		}
	})
}
