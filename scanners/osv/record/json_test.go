package record

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzJSON: the decoder accepts what encoding/json accepts and nothing else, apart from
// what lies too deep, and reads the same strings.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"id":"a"}`, `{"a":[1,2.5e-3,-0,true,false,null,"x\u00e9\ud83d\ude00\n"]}`, `[]`, ` "a" `, `{"a":1,}`, `01`, `"\ud800"`, `"\ud800\ud800"`, "\"\x01\"", `{"a" 1}`, `1e`, `{"id":"x","id":"y"}`} {
		f.Add(s)
	}
	for i := range 18 { // whatever stops the eight bytes at a time, at each place of them
		for _, stop := range []string{`\"`, `\u0041`, `"`, "\x1f", "\x7f", "\u00a2", "\xff"} {
			f.Add(`"` + strings.Repeat("a", i) + stop + `bcdefghijk"`)
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		d := &decoder{s: s}
		d.skip()
		err := d.finish()
		if deep(s) {
			return
		}
		if (err == nil) != json.Valid([]byte(s)) {
			t.Fatalf("%q: we say %v, encoding/json says %v", s, err, json.Valid([]byte(s)))
		}
		var want string
		if err != nil || json.Unmarshal([]byte(s), &want) != nil {
			return
		}
		if got := (&decoder{s: s}).text(); string([]rune(got)) != want && strings.TrimSpace(s) != "null" {
			t.Fatalf("%q: read %q, want %q", s, got, want)
		}
	})
}

// deep says whether s may nest deeper than the decoder goes.
func deep(s string) bool { return strings.Count(s, "[")+strings.Count(s, "{") >= maxDepth }
