package output_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/output"
)

// rulesReport is a pull request that breaks rules of all kinds and cures something.
func rulesReport(t *testing.T) checks.Report {
	t.Helper()
	p := policy(t, "dependencies: {min_age: 7d, licences: {allow: [MIT]}}\nworkflows: {trusted_owners: []}\n")
	net, young := pkg("golang.org/x/net", "0.31.0", 14), pkg("example.com/young", "1.3.1", 15)
	h := hit(net, "GHSA-xxxx", checks.SeverityMedium, "0.38.0")
	h.Advisory.Exploited, h.Advisory.EPSS, h.Advisory.Score, h.Advisory.Imports = true, 0.344, 6.1, []string{"golang.org/x/net/http2"}
	old := hit(pkg("golang.org/x/net", "0.30.0", 14), "GHSA-old", checks.SeverityHigh, "0.31.0", checks.Base)
	fact := func(p checks.Package, days int, licence string) checks.Fact {
		return checks.Fact{Ecosystem: "Go", Name: p.Name, Version: p.Version, Published: now.AddDate(0, 0, -days), Licence: licence}
	}
	m := &checks.Material{
		Subject: checks.Subject{Kind: checks.KindPullRequest, Repository: "acme/app", Commit: commit, Number: 7}, Compared: true, AskRegistry: true,
		Base: checks.Tree{Inventory: checks.Inventory{Manifests: []checks.Manifest{{Path: "go.mod", Digest: "b", Packages: []checks.Package{pkg("golang.org/x/net", "0.30.0", 14)}}}}},
		Head: checks.Tree{
			Imports: &checks.Imports{Packages: []string{"golang.org/x/net/html"}},
			Inventory: checks.Inventory{Manifests: []checks.Manifest{
				{Path: ".github/workflows/ci.yml", Digest: "w", Observations: []checks.Observation{{
					Rule: checks.RuleUnpinned, Severity: checks.SeverityLow, Line: 9, Subject: "acme/setup@v3",
					Message: "whoever controls acme/setup can move the tag v3", Remedy: "steps:\n  - uses: acme/setup@0123456 # v3",
				}}},
				{Path: "go.mod", Digest: "h", Packages: []checks.Package{net, young}},
			}},
		},
	}
	evidence := []checks.Evidence{
		{Scanner: "osv", Complete: true, DataTime: now, ExploitedTime: now, EPSSTime: now, Matches: []checks.Match{h, old}},
		{Scanner: "registry", Complete: true, Facts: []checks.Fact{fact(net, 400, "MIT"), fact(young, 2, "GPL-3.0-only")}},
	}
	return checks.Judge(m, p, evidence, now)
}

// TestSummaryOfRules: rules without an advisory say what is wrong in their own words, and a cure
// is praised.
func TestSummaryOfRules(t *testing.T) {
	t.Parallel()
	run := output.ForCheck(rulesReport(t), output.Options{})
	want := "**3 violations block this pull request** (policy `.github/landwaiter.yml@ccccccc`, data 09:30 UTC)\n" + `
| Change | Package | From -> To | Problem | Fix |
|---|---|---|---|---|
` + "| upgrade | `golang.org/x/net` | `0.30.0` -> `0.31.0` | `GHSA-xxxx` medium (known exploited, EPSS 34 %, not imported) | `0.38.0` |\n" +
		"| new | `example.com/young` | `1.3.1` | licence GPL-3.0-only is not allowed, published 2 days ago, minimum 7 | replace it with a package under an allowed licence |\n" +
		"| file | `.github/workflows/ci.yml:9` |  | Action without a full commit: `acme/setup@v3` (warning) | see below |\n" + `
This change cures 1 known vulnerability: ` + "`GHSA-old` of `golang.org/x/net`." + `

### How to fix
` + "```sh\ngo get golang.org/x/net@v0.38.0 && go mod tidy\n```\n" +
		"- `example.com/young`: Replace it with a package under an allowed licence; or have the owners of the policy allow this one.\n" +
		"- `example.com/young`: Wait until 28 Nov 2026, 09:30 UTC; or take an older version.\n" +
		"- `acme/setup@v3` in `.github/workflows/ci.yml`: whoever controls acme/setup can move the tag v3\n\n```text\nsteps:\n  - uses: acme/setup@0123456 # v3\n```\n" + `
### Why
` + "- `no-known-exploited`: 1 vulnerability known to be exploited; that always blocks\n" +
		"- `licence`: 1 package under a licence that the policy does not accept (policy line 2)\n" +
		"- `min-age`: 1 version younger than 7d (policy line 2)\n" + `
### Accepted risks
- none
`
	if diff := cmp.Diff(want, run.Summary); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
	judgeMarkdown(t, run.Summary)
	if part := "63: severity +31 (CVSS 6.1), exploitation +12 (EPSS 34.4 %), known-exploited +25 (in CISA's catalogue of known exploited vulnerabilities), depth +5"; !strings.Contains(strings.ReplaceAll(run.Text, "`", ""), part[4:]) {
		t.Errorf("the text does not show the parts of the risk:\n%s", run.Text)
	}
	var titles []string
	for _, a := range run.Annotations {
		titles = append(titles, a.Level+" "+a.Path+" "+a.Title+" | "+strings.ReplaceAll(a.Message, "\n", " / "))
	}
	wantTitles := []string{
		"failure go.mod medium: golang.org/x/net 0.31.0 (GHSA-xxxx) | a problem of golang.org/x/net / known exploited, EPSS 34 %, not imported / Fix: go get golang.org/x/net@v0.38.0 && go mod tidy",
		"failure go.mod licence: example.com/young 1.3.1 | licence GPL-3.0-only is not allowed / Replace it with a package under an allowed licence; or have the owners of the policy allow this one.",
		"failure go.mod min-age: example.com/young 1.3.1 | published 2 days ago, minimum 7 / Wait until 28 Nov 2026, 09:30 UTC; or take an older version.",
		"warning .github/workflows/ci.yml workflow-unpinned-action: acme/setup@v3 | whoever controls acme/setup can move the tag v3 / steps: /   - uses: acme/setup@0123456 # v3",
	}
	if diff := cmp.Diff(wantTitles, titles); diff != "" {
		t.Errorf("annotations (-want +got):\n%s", diff)
	}
}

func TestTableOfRules(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := output.Table(&b, rulesReport(t), false); err != nil {
		t.Fatal(err)
	}
	want := `FAIL  3 violations, 1 warning

LEVEL  SEVERITY  RISK  WHAT               VERSION  FIXED IN  WHERE                       PROBLEM
block  medium    58    golang.org/x/net   0.31.0   0.38.0    go.mod:14                   GHSA-xxxx, known exploited, EPSS 34 %, not imported
block  medium    35    example.com/young  1.3.1    -         go.mod:15                   licence GPL-3.0-only is not allowed
block  medium    33    example.com/young  1.3.1    -         go.mod:15                   published 2 days ago, minimum 7
warn   low       10    acme/setup@v3      -        -         .github/workflows/ci.yml:9  Action without a full commit

This change cures 1 known vulnerability
  GHSA-old  golang.org/x/net 0.30.0

Why
  known-exploited  1 vulnerability known to be exploited; that always blocks
  licence  1 package under a licence that the policy does not accept (policy line 2)
  min-age  1 version younger than 7d (policy line 2)

How to fix
  go get golang.org/x/net@v0.38.0 && go mod tidy
  example.com/young: Replace it with a package under an allowed licence; or have the owners of the policy allow this one.
  example.com/young: Wait until 28 Nov 2026, 09:30 UTC; or take an older version.
  acme/setup@v3: whoever controls acme/setup can move the tag v3
    steps:
      - uses: acme/setup@0123456 # v3
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

// TestSARIFOfRules: the rule is the id, the score the advisory's, and what is no matter of
// security is not shown as one.
func TestSARIFOfRules(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := output.SARIF(&b, rulesReport(t)); err != nil {
		t.Fatal(err)
	}
	judgeSARIF(t, b.Bytes())
	for _, want := range []string{`"security-severity": "6.1"`, `"id": "licence"`, `"id": "min-age"`, `"id": "workflow-unpinned-action"`, `"help": {`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("missing %s in\n%s", want, b.String())
		}
	}
	licence := b.String()[strings.Index(b.String(), `"id": "licence"`):]
	if licence = licence[:strings.Index(licence, `"id": "min-age"`)]; strings.Contains(licence, "security") {
		t.Errorf("a licence is shown as a matter of security:\n%s", licence)
	}
}
