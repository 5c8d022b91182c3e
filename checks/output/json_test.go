package output_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/output"
)

// reports are reports of each kind and verdict, as Judge makes them.
func reports(t *testing.T) map[string]checks.Report {
	t.Helper()
	p := policy(t, "exceptions: [{id: E-1, advisory: GHSA-0, until: 2026-12-04, reason: r}]\n")
	a, b := pkg("example.com/a", "1.0.0", 3), pkg("example.com/b", "1.0.0", 4)
	a.Relation, a.Via = checks.Transitive, []string{"example.com/b", "example.com/a"}
	unresolved := checks.Package{Ecosystem: "PyPI", Name: "c", Constraint: ">=1"}
	mal := hit(b, "MAL-1", checks.SeverityUnknown, "")
	mal.Advisory.Malware, mal.Advisory.Aliases = true, []string{"GHSA-9"}
	scan := &checks.Material{Subject: checks.Subject{Kind: checks.KindTree}, Head: checks.Tree{Inventory: checks.Inventory{Manifests: []checks.Manifest{{Path: "go.mod", Packages: []checks.Package{a, unresolved}}}}}}
	good, other := attested("app", digestOf(0), ownWorkflow), attested("lib", digestOf(1), "https://github.com/evil/x/.github/workflows/r.yml@refs/tags/v1")
	verify := &checks.Material{
		Subject: checks.Subject{Kind: checks.KindArtifact, Repository: "acme/app"},
		Release: &checks.Release{Assets: []checks.Asset{{Name: "app", SHA256: digestOf(0)}}},
	}
	return map[string]checks.Report{
		"clean":     pull(p, nil, []checks.Package{a, b}),
		"nothing":   pull(p, nil, nil),
		"failing":   pull(p, []checks.Package{pkg("example.com/a", "0.9.0", 3)}, []checks.Package{a, b}, hit(a, "GHSA-1", checks.SeverityHigh, "1.1.0"), hit(a, "GHSA-0", checks.SeverityCritical, "1.1.0"), mal),
		"unknown":   pull(p, nil, []checks.Package{a, unresolved}),
		"tree":      checks.Judge(scan, checks.DefaultPolicy(), nil, now),
		"release":   release(p, []string{"app", "lib", "app.sig", "install.sh"}, good, other),
		"no assets": release(p, nil),
		"artifact":  checks.Judge(verify, p, []checks.Evidence{{Scanner: "sigstore", Complete: true, Attestations: []checks.Attestation{good}}}, now),
		"duties":    dutiful(t, "@x"),
		"fault":     checks.Judge(&checks.Material{Subject: checks.Subject{Kind: checks.KindRelease}}, p, nil, now),
	}
}

// reportSchema is the published schema. With strict, objects must not have properties that it
// does not name, so that nothing is added without being documented.
func reportSchema(t *testing.T, strict bool) *jsonschema.Schema {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", "report.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if strict {
		closeObjects(doc)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("report.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("report.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func closeObjects(v any) {
	switch v := v.(type) {
	case map[string]any:
		if v["properties"] != nil {
			v["additionalProperties"] = false
		}
		for _, child := range v {
			closeObjects(child)
		}
	case []any:
		for _, child := range v {
			closeObjects(child)
		}
	}
}

func TestJSONFollowsTheSchema(t *testing.T) {
	t.Parallel()
	schema := reportSchema(t, true)
	for name, r := range reports(t) {
		var b bytes.Buffer
		if err := output.JSON(&b, r); err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s: %v\n%s", name, err, b.String())
		}
		var back checks.Report
		if err := json.Unmarshal(b.Bytes(), &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r, back); diff != "" {
			t.Errorf("%s: reading back what was written (-want +got):\n%s", name, diff)
		}
	}
}

// TestSchemaRefuses: the schema is not so wide that it accepts anything.
func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	schema := reportSchema(t, false)
	for name, change := range map[string]func(map[string]any){
		"verdict":     func(m map[string]any) { m["verdict"] = "ok" },
		"null list":   func(m map[string]any) { m["reasons"] = nil },
		"no evidence": func(m map[string]any) { delete(m, "evidence") },
		"state":       func(m map[string]any) { m["assets"].([]any)[0].(map[string]any)["state"] = "fine" },
		"digest":      func(m map[string]any) { m["policy"].(map[string]any)["digest"] = "sha256:" },
		"time":        func(m map[string]any) { m["time"] = "yesterday" },
	} {
		var b bytes.Buffer
		if err := output.JSON(&b, reports(t)["release"]); err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(&b)
		if err != nil {
			t.Fatal(err)
		}
		change(v.(map[string]any))
		if schema.Validate(v) == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

var sarifSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	return c.Compile(filepath.Join("testdata", "sarif-used.schema.json"))
})

// judgeSARIF fails when data is not what SARIF 2.1.0 allows.
func judgeSARIF(t *testing.T, data []byte) {
	t.Helper()
	schema, err := sarifSchema()
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(v); err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
}

func TestSARIF(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int{"failing": 3, "clean": 0, "release": 2} {
		var b bytes.Buffer
		if err := output.SARIF(&b, reports(t)[name]); err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Version string `json:"version"`
			Runs    []struct {
				Tool struct {
					Driver struct {
						Rules []struct {
							ID string `json:"id"`
						} `json:"rules"`
					} `json:"driver"`
				} `json:"tool"`
				Results []struct {
					RuleID       string `json:"ruleId"`
					RuleIndex    int    `json:"ruleIndex"`
					Level        string `json:"level"`
					Suppressions []any  `json:"suppressions"`
					Locations    []struct {
						PhysicalLocation struct {
							ArtifactLocation struct {
								URI string `json:"uri"`
							} `json:"artifactLocation"`
							Region struct {
								StartLine int `json:"startLine"`
							} `json:"region"`
						} `json:"physicalLocation"`
					} `json:"locations"`
				} `json:"results"`
			} `json:"runs"`
		}
		if err := json.Unmarshal(b.Bytes(), &doc); err != nil {
			t.Fatal(err)
		}
		judgeSARIF(t, b.Bytes())
		if doc.Version != "2.1.0" || len(doc.Runs) != 1 || len(doc.Runs[0].Results) != want {
			t.Errorf("%s: %s", name, b.String())
			continue
		}
		for _, r := range doc.Runs[0].Results {
			at := r.Locations[0].PhysicalLocation
			if doc.Runs[0].Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID || at.ArtifactLocation.URI == "" || at.Region.StartLine < 1 {
				t.Errorf("%s: %+v", name, r)
			}
			if (r.RuleID == "GHSA-0") != (len(r.Suppressions) == 1) {
				t.Errorf("%s: only what an exception accepts is suppressed: %+v", name, r)
			}
		}
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	r := reports(t)
	for name, want := range map[string]string{
		"failing": "FAIL  2 violations\n\nLEVEL     SEVERITY  RISK  WHAT           VERSION  FIXED IN  WHERE     PROBLEM\n" +
			"block     malware   100   example.com/b  1.0.0    -         go.mod:4  MAL-1\n" +
			"block     high      43    example.com/a  1.0.0    1.1.0     go.mod:3  GHSA-1\n" +
			"accepted  critical  51    example.com/a  1.0.0    1.1.0     go.mod:3  GHSA-0\n\nWhy\n  malware  known malware (1 found); it always blocks\n",
		"clean":   "PASS  2 changes, no violations\n",
		"unknown": "UNKNOWN  Could not check 1 of 2 packages\n\nWhy\n  unresolved  go.mod: c >=1 has no exact version; add a lock file or pin it\n",
		"release": "FAIL  Blocked: 2 of 3 assets failed\n\nASSET       STATE         LEVEL   SIGNER",
	} {
		var b bytes.Buffer
		if err := output.Table(&b, r[name], false); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(b.String(), want) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, b.String(), want)
		}
	}
	var plain, colored bytes.Buffer
	if err := output.Table(&plain, r["failing"], false); err != nil {
		t.Fatal(err)
	}
	if err := output.Table(&colored, r["failing"], true); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(plain.String(), "\x1b") || !strings.HasPrefix(colored.String(), "\x1b[31mFAIL\x1b[0m") {
		t.Error("colours are not where they belong")
	}
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	for name, r := range reports(t) {
		var b bytes.Buffer
		if err := output.Markdown(&b, r); err != nil || !strings.HasPrefix(b.String(), "**") {
			t.Errorf("%s: %v\n%s", name, err, b.String())
		}
		judgeMarkdown(t, b.String())
	}
}
