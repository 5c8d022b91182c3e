package osv

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks"
)

func TestWriteOSVScanner(t *testing.T) {
	t.Parallel()
	pkg := checks.FindingPackage{PURL: "pkg:npm/p@1.0.0", Ecosystem: "npm", Name: "p", Version: "1.0.0"}
	r := checks.Report{Findings: []checks.Finding{
		{Rule: "vulnerability", Advisory: "GHSA-1", Aliases: []string{"CVE-1"}, Severity: checks.SeverityHigh, Package: pkg,
			Location: checks.Location{Path: "package-lock.json", Line: 7}, FixedVersion: "2.0.0", Summary: "bad \xff text", URL: "https://github.com/advisories/GHSA-1"},
		{Rule: "vulnerability", Advisory: "GHSA-1", Aliases: []string{"CVE-1"}, Severity: checks.SeverityHigh, Package: pkg, Location: checks.Location{Path: "package-lock.json", Line: 9}},
		{Rule: "malware", Advisory: "MAL-1", Malware: true, Package: pkg, Location: checks.Location{Path: "sub/yarn.lock"}},
		{Rule: "unresolved", Package: pkg, Location: checks.Location{Path: "sub/yarn.lock"}},
	}}
	var b bytes.Buffer
	if err := WriteOSVScanner(&b, r); err != nil {
		t.Fatal(err)
	}
	got, err := ReadOSVScanner(&b)
	if err != nil {
		t.Fatal(err)
	}
	want := []checks.Match{
		{Side: checks.Head, Path: "package-lock.json", Package: npm("p", "1.0.0"), Advisory: checks.Advisory{
			ID: "GHSA-1", Aliases: []string{"CVE-1"}, Summary: "bad \uFFFD text", Severity: checks.SeverityHigh, Fixed: []string{"2.0.0"}, URL: "https://github.com/advisories/GHSA-1"}},
		{Side: checks.Head, Path: "sub/yarn.lock", Package: npm("p", "1.0.0"), Advisory: checks.Advisory{
			ID: "MAL-1", Aliases: []string{}, Malware: true, URL: "https://osv.dev/vulnerability/MAL-1"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestWriteOSVScannerEmpty: readers of the format expect a list.
func TestWriteOSVScannerEmpty(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := WriteOSVScanner(&b, checks.Report{}); err != nil {
		t.Fatal(err)
	}
	var got map[string]json.RawMessage
	if err := json.Unmarshal(b.Bytes(), &got); err != nil || string(got["results"]) != "[]" {
		t.Errorf("wrote %s (%v)", b.Bytes(), err)
	}
}

func TestReadOSVScannerRefusals(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "{", `[]`, `{"results":{}}`, `{"results":[{"packages":[{"vulnerabilities":[{"id":1}]}]}]}`} {
		if _, err := ReadOSVScanner(strings.NewReader(s)); err == nil || !strings.Contains(err.Error(), "OSV-Scanner JSON") {
			t.Errorf("%q: error %v", s, err)
		}
	}
}
