package output_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/output"
)

func TestRollup(t *testing.T) {
	t.Parallel()
	tag, why := output.ReleaseFault(release(policy(t, ""), []string{"install.sh"}))
	entries := []output.RollupEntry{{Tag: tag, Why: why, Severity: checks.SeverityHigh, DetailsURL: "https://landwaiter.example.com/r/5"}}
	o := output.RollupOptions{
		Repository: "acme/app", MaxOpen: 10, Key: "rollup:11", State: "ab", Owners: []checks.Owner{{User: "ann"}}, OwnerWhy: "from CODEOWNERS `*`",
	}
	title, body := output.Rollup(entries, o)
	if title != "1 failed release without an issue of its own" {
		t.Errorf("title %q", title)
	}
	for _, want := range []string{
		"| `v2.4.0` | high | `install.sh has no signature` · [evidence](https://landwaiter.example.com/r/5) |\n",
		"the policy allows 10 open issues at a time (`issues.max_open`)",
		"\n**Owner** @ann, from CODEOWNERS `*`\n<!-- landwaiter:finding v=1 key=rollup:11 state=ab -->\n",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("missing %q in\n%s", want, body)
		}
	}
	for range 999 {
		entries = append(entries, output.RollupEntry{Tag: strings.Repeat("語", 300), Why: strings.Repeat("é", 300)})
	}
	title, body = output.Rollup(entries, o)
	if m, ok := output.ParseMarker(body); title != "1000 failed releases without an issue of their own" || len(body) > output.MaxBody || !ok || m.Key != "rollup:11" {
		t.Errorf("title %q, %d bytes, marker %+v, %v: want it cut before the marker", title, len(body), m, ok)
	}
}

func TestRollupOfMoreThanFits(t *testing.T) {
	t.Parallel()
	var entries []output.RollupEntry
	for i := range 203 {
		entries = append(entries, output.RollupEntry{Tag: fmt.Sprintf("v%d", i), Why: "x"})
	}
	_, body := output.Rollup(entries, output.RollupOptions{Repository: "acme/app", MaxOpen: 1})
	if strings.Contains(body, "`v200`") || !strings.Contains(body, "\nand 3 more\n") {
		t.Errorf("want 200 rows and the number of the rest:\n%s", body[len(body)-600:])
	}
}

func TestG16Rollup(t *testing.T) {
	t.Parallel()
	for _, s := range hostile {
		_, body := output.Rollup([]output.RollupEntry{{Tag: s, Why: s, DetailsURL: "https://landwaiter.example.com/x"}},
			output.RollupOptions{Repository: s, Key: s, State: s, OwnerWhy: s, Owners: []checks.Owner{{User: s + "!"}}})
		judgeMarkdown(t, body)
		if _, ok := output.ParseMarker(body); !ok {
			t.Errorf("no marker in\n%s", body)
		}
	}
}
