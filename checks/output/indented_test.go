package output

import (
	"bytes"
	"encoding/json"
	"testing"
)

// FuzzIndented: it writes what the standard library does.
func FuzzIndented(f *testing.F) {
	for _, s := range []string{`{"a":[1,{"b":"x\\"},[],{}],"c":{"d":null,"e":"\\\"}{,:"},"":-1.5e3}`, `[]`, `"x"`, `[[[0]],{}]`, `{"\u2028<>":true}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var v any
		if json.Unmarshal(text, &v) != nil {
			return
		}
		compact, err := json.Marshal(v)
		if err != nil {
			return
		}
		var want bytes.Buffer
		if err := json.Indent(&want, compact, "", "  "); err != nil {
			t.Fatal(err)
		}
		if got := indented(compact); !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%s\nbecame\n%s\nwant\n%s", compact, got, want.Bytes())
		}
	})
}
