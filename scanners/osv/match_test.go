package osv

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks"
)

// one is an index with one advisory about the npm package "p".
func oneAdvisory(t *testing.T, ranges string, more ...string) *Index {
	return imported(t, advisory("GHSA-1", "p", ranges, more...))
}

func TestAffectedVersions(t *testing.T) {
	t.Parallel()
	events := func(e string) string { return `"ranges":[{"type":"SEMVER","events":[` + e + `]}]` }
	tests := []struct {
		name     string
		ranges   string
		affected []string
		free     []string
	}{
		{"before a fix", below("2.0.0"), []string{"0.0.1", "1.9.9", "2.0.0-rc.1", "v1.0.0"}, []string{"2.0.0", "2.0.1", "10.0.0"}},
		{"two branches", events(`{"introduced":"1.0.0"},{"fixed":"1.5.0"},{"introduced":"2.0.0"},{"fixed":"2.5.0"}`),
			[]string{"1.0.0", "1.4.9", "2.0.0", "2.4.0"}, []string{"0.9.0", "1.5.0", "1.9.0", "2.5.0"}},
		{"events out of order", events(`{"fixed":"2.5.0"},{"introduced":"2.0.0"},{"fixed":"1.5.0"},{"introduced":"0"}`),
			[]string{"0.1.0", "2.4.0"}, []string{"1.5.0", "1.9.0", "2.5.0"}},
		{"last affected", events(`{"introduced":"1.0.0"},{"last_affected":"1.2.0"}`), []string{"1.0.0", "1.2.0"}, []string{"0.9.0", "1.2.1"}},
		{"one version as a range", events(`{"introduced":"1.2.0"},{"last_affected":"1.2.0"}`), []string{"1.2.0"}, []string{"1.1.9", "1.2.1"}},
		{"fixed and introduced again in one release", events(`{"introduced":"0"},{"fixed":"1.5.0"},{"introduced":"1.5.0"},{"fixed":"2.0.0"}`),
			[]string{"1.4.0", "1.5.0", "1.9.0"}, []string{"2.0.0"}},
		{"limit", events(`{"introduced":"0"},{"limit":"2.0.0"}`), []string{"1.0.0"}, []string{"2.0.0", "3.0.0"}},
		{"listed versions", `"versions":["1.0.0","1.0.1","1.10.0","2.0.0-beta"]`,
			[]string{"1.0.0", "1.0.1", "1.10.0", "2.0.0-beta", "v1.0.1"}, []string{"1.0.2", "1.1.0", "2.0.0"}},
		{"listed and ranged", below("1.0.0") + `,"versions":["3.0.0"]`, []string{"0.5.0", "3.0.0"}, []string{"1.0.0", "2.0.0"}},
		{"every version", everyVersion, []string{"0.0.0", "99.0.0", "", "main", "file:../p"}, nil},
		{"a version that is not known", below("2.0.0"), nil, []string{""}},
		{"git ranges say nothing of versions", `"ranges":[{"type":"GIT","repo":"https://example.com/r","events":[{"introduced":"0"}]}]`, nil, []string{"1.0.0"}},
		{"a git range before the other", `"ranges":[{"type":"GIT","repo":"https://example.com/r","events":[{"introduced":"0"}]},{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"2.0.0"}]}]`,
			[]string{"1.0.0"}, []string{"2.0.0"}},
		{"nothing said of versions", `"versions":[]`, nil, []string{"1.0.0"}},
		{"huge numbers", below("99999999999999999999.0.0"), []string{"99999999999999999998.9.9"}, []string{"99999999999999999999.0.0"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := imported(t, advisory("GHSA-0", "other", below("9.0.0")), advisory("GHSA-1", "p", tt.ranges))
			for _, v := range tt.affected {
				if got := ids(t, x, "p", v); len(got) != 1 {
					t.Errorf("%q is not affected", v)
				}
			}
			for _, v := range tt.free {
				if got := ids(t, x, "p", v); len(got) != 0 {
					t.Errorf("%q is affected", v)
				}
			}
		})
	}
}

func TestUnparsableVersions(t *testing.T) {
	t.Parallel()
	x := oneAdvisory(t, below("2.0.0")+`,"versions":["main"]`)
	for _, v := range []string{"latest", "${p.version}", ">=1.0", "workspace:*", "git+https://example.com/p", "x", strings.Repeat("1", 300)} {
		list, err := x.Lookup(checks.Package{Ecosystem: "npm", Name: "p", Version: v})
		if !errors.Is(err, ErrVersion) || list != nil {
			t.Errorf("%q: %v, %v", v, list, err)
		}
		if _, err := x.Lookup(checks.Package{Ecosystem: "npm", Name: "unknown", Version: v}); err != nil {
			t.Errorf("%q of a package without advisories: %v", v, err)
		}
	}
	if got := ids(t, x, "p", "main"); len(got) != 1 {
		t.Errorf("a listed branch is not affected")
	}
}

func TestWithdrawn(t *testing.T) {
	t.Parallel()
	x := imported(t, advisory("GHSA-0", "other", below("9.0.0")), advisory("GHSA-1", "p", below("2.0.0"), `"withdrawn":"2025-04-01T00:00:00Z",`))
	if got := ids(t, x, "p", "1.0.0"); got != nil {
		t.Errorf("a withdrawn advisory affects: %v", got)
	}
	if e := x.Status().Ecosystems[0]; e.Records != 2 || e.Withdrawn != 1 {
		t.Errorf("status %+v", e)
	}
}

func TestAliasesMerge(t *testing.T) {
	t.Parallel()
	const v31 = `"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],`
	tests := []struct {
		name    string
		records []string
		want    []checks.Advisory
	}{
		{"the GitHub advisory goes before the ecosystem's own and the CVE", []string{
			advisory("PYSEC-1", "p", below("2.0.0"), `"aliases":["CVE-1"],`),
			advisory("GHSA-1", "p", below("2.1.0"), `"aliases":["CVE-1"],`, v31),
		}, []checks.Advisory{{
			ID: "GHSA-1", Aliases: []string{"CVE-1", "PYSEC-1"}, Summary: "About p", Severity: checks.SeverityCritical,
			Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", Score: 9.8, Fixed: []string{"2.0.0", "2.1.0"}, Cure: "2.1.0", URL: "https://github.com/advisories/GHSA-1",
		}}},
		{"an alias without a record is named alike", []string{advisory("GO-1", "p", below("2.0.0"), `"aliases":["CVE-1","GHSA-9"],`)},
			[]checks.Advisory{{ID: "GHSA-9", Aliases: []string{"CVE-1", "GO-1"}, Summary: "About p", Fixed: []string{"2.0.0"}, Cure: "2.0.0", URL: "https://github.com/advisories/GHSA-9"}}},
		{"severity by an alias that affects another package", []string{
			advisory("GO-1", "p", below("2.0.0"), `"aliases":["GHSA-9"],`), advisory("GHSA-9", "q", below("2.0.0"), v31)},
			[]checks.Advisory{{ID: "GHSA-9", Aliases: []string{"GO-1"}, Summary: "About p", Severity: checks.SeverityCritical,
				Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", Score: 9.8, Fixed: []string{"2.0.0"}, Cure: "2.0.0", URL: "https://github.com/advisories/GHSA-9"}}},
		{"a chain of three is one", []string{
			advisory("GHSA-1", "p", below("2.0.0"), `"aliases":["CVE-1"],`), advisory("OSV-1", "p", below("2.0.0"), `"aliases":["CVE-1","CVE-2"],`),
			advisory("GHSA-2", "p", below("2.0.0"), `"aliases":["CVE-2"],`)},
			[]checks.Advisory{{ID: "GHSA-1", Aliases: []string{"CVE-1", "CVE-2", "GHSA-2", "OSV-1"}, Summary: "About p", Fixed: []string{"2.0.0"}, Cure: "2.0.0", URL: "https://github.com/advisories/GHSA-1"}}},
		{"a chain of six is one", []string{
			advisory("GHSA-1", "p", below("2.0.0"), `"aliases":["CVE-1"],`), advisory("GHSA-2", "p", below("2.0.0"), `"aliases":["CVE-2"],`),
			advisory("GHSA-3", "p", below("2.0.0"), `"aliases":["CVE-3"],`), advisory("OSV-1", "p", below("2.0.0"), `"aliases":["CVE-2","CVE-3"],`),
			advisory("OSV-2", "p", below("2.0.0"), `"aliases":["GHSA-1","GHSA-3"],`), advisory("OSV-3", "p", below("2.0.0"), `"aliases":["OSV-1"],`)},
			[]checks.Advisory{{ID: "GHSA-1", Aliases: []string{"CVE-1", "CVE-2", "CVE-3", "GHSA-2", "GHSA-3", "OSV-1", "OSV-2", "OSV-3"}, Summary: "About p", Fixed: []string{"2.0.0"}, Cure: "2.0.0", URL: "https://github.com/advisories/GHSA-1"}}},
		{"strangers stay apart, worst first", []string{advisory("GHSA-1", "p", below("2.0.0")), advisory("GHSA-2", "p", below("3.0.0"), v31)},
			[]checks.Advisory{
				{ID: "GHSA-2", Summary: "About p", Severity: checks.SeverityCritical, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", Score: 9.8, Fixed: []string{"3.0.0"}, Cure: "3.0.0", URL: "https://github.com/advisories/GHSA-2"},
				{ID: "GHSA-1", Summary: "About p", Fixed: []string{"2.0.0"}, Cure: "3.0.0", URL: "https://github.com/advisories/GHSA-1"},
			}},
		{"malware by its alias", []string{advisory("GHSA-1", "p", everyVersion, `"aliases":["MAL-1"],`)},
			[]checks.Advisory{{ID: "MAL-1", Aliases: []string{"GHSA-1"}, Summary: "About p", Malware: true, URL: "https://osv.dev/vulnerability/MAL-1"}}},
		{"malware and its GitHub advisory", []string{
			advisory("GHSA-1", "p", `"versions":["1.0.0"]`, v31), advisory("MAL-1", "p", `"versions":["1.0.0"]`, `"aliases":["GHSA-1"],`)},
			[]checks.Advisory{{ID: "MAL-1", Aliases: []string{"GHSA-1"}, Summary: "About p", Malware: true, Severity: checks.SeverityCritical,
				Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", Score: 9.8, URL: "https://osv.dev/vulnerability/MAL-1"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := imported(t, tt.records...).Lookup(checks.Package{Ecosystem: "npm", Name: "p", Version: "1.0.0"})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestMalwareWithoutVersion: a package whose every version is malicious is found even where
// the manifest names no version.
func TestMalwareWithoutVersion(t *testing.T) {
	t.Parallel()
	x := imported(t, advisory("MAL-1", "bad", everyVersion), advisory("MAL-2", "p", `"versions":["1.0.0"]`))
	if got := ids(t, x, "bad", ""); !cmp.Equal(got, []string{"MAL-1"}) {
		t.Errorf("bad: %v", got)
	}
	if got := ids(t, x, "p", ""); got != nil {
		t.Errorf("p: %v", got)
	}
}

func TestCure(t *testing.T) {
	t.Parallel()
	branches := `"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.5.0"}]},{"type":"SEMVER","events":[{"introduced":"2.0.0"},{"fixed":"2.5.0"}]}]`
	tests := []struct {
		name, version, want string
		ranges              []string
	}{
		{"the only fix", "1.0.0", "2.0.0", []string{below("2.0.0")}},
		{"the branch's own fix", "1.0.0", "1.5.0", []string{branches}},
		{"a fix below does not help", "2.1.0", "2.5.0", []string{branches}},
		{"a fix that another advisory affects does not help", "1.0.0", "2.5.0", []string{branches, below("2.2.0")}},
		{"no fix", "1.0.0", "", []string{everyVersion}},
		{"one without a fix spoils all", "1.0.0", "", []string{below("2.0.0"), everyVersion}},
		{"a release before a prerelease", "1.0.0", "3.0.0", []string{below("2.0.0-beta.1"), below("3.0.0")}},
		{"a prerelease where there is no release", "1.0.0", "2.0.0-beta.1", []string{below("2.0.0-beta.1")}},
		{"a prerelease is cured by one", "2.0.0-alpha", "2.0.0-beta.1", []string{below("2.0.0-beta.1"), below("1.0.0")}},
		{"ten is above nine", "1.0.0", "1.10.0", []string{below("1.9.0"), below("1.10.0")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var records []string
			for i, r := range tt.ranges {
				records = append(records, advisory("GHSA-"+string(rune('1'+i)), "p", r))
			}
			got, err := imported(t, records...).Lookup(checks.Package{Ecosystem: "npm", Name: "p", Version: tt.version})
			if err != nil || len(got) == 0 {
				t.Fatal(got, err)
			}
			if got[0].Cure != tt.want {
				t.Errorf("cure %q, want %q", got[0].Cure, tt.want)
			}
		})
	}
}

func TestSeverity(t *testing.T) {
	t.Parallel()
	vector := func(v string) string { return `"severity":[{"type":"CVSS","score":"` + v + `"}],` }
	tests := []struct {
		name   string
		ranges string
		more   string
		want   checks.Severity
	}{
		{"version 2", "", vector("AV:N/AC:L/Au:N/C:P/I:P/A:P"), checks.SeverityHigh},
		{"version 3.0", "", vector("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"), checks.SeverityCritical},
		{"version 3.1", "", vector("CVSS:3.1/AV:L/AC:H/PR:L/UI:R/S:U/C:L/I:N/A:N"), checks.SeverityLow},
		{"version 4", "", vector("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"), checks.SeverityCritical},
		{"the highest of two", "", `"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:L/AC:H/PR:L/UI:R/S:U/C:L/I:N/A:N"},{"type":"CVSS_V4","score":"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"}],`, checks.SeverityCritical},
		{"a vector before a word", "", vector("CVSS:3.1/AV:L/AC:H/PR:L/UI:R/S:U/C:L/I:N/A:N") + `"database_specific":{"severity":"CRITICAL"},`, checks.SeverityLow},
		{"GitHub's word", "", `"database_specific":{"severity":"MODERATE"},`, checks.SeverityMedium},
		{"a word in another case", "", `"database_specific":{"severity":"High"},`, checks.SeverityHigh},
		{"no score", "", vector("CVSS:3.1/AV:L/AC:H/PR:L/UI:R/S:U/C:N/I:N/A:N"), checks.SeverityLow},
		{"a broken vector", "", vector("CVSS:3.1/AV:X"), checks.SeverityUnknown},
		{"nothing", "", "", checks.SeverityUnknown},
		{"the package's own", `,"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]`, vector("CVSS:3.1/AV:L/AC:H/PR:L/UI:R/S:U/C:L/I:N/A:N"), checks.SeverityCritical},
		{"unmaintained", `,"database_specific":{"informational":"unmaintained"}`, "", checks.SeverityLow},
		{"unsound", `,"database_specific":{"informational":"unsound"}`, "", checks.SeverityUnknown},
		{"unmaintained, yet graded", `,"database_specific":{"informational":"unmaintained"}`, vector("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"), checks.SeverityCritical},
		{"database_specific of another kind", `,"database_specific":"<any>"`, `"database_specific":7,`, checks.SeverityUnknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := oneAdvisory(t, below("2.0.0")+tt.ranges, tt.more)
			got, err := x.Lookup(checks.Package{Ecosystem: "npm", Name: "p", Version: "1.0.0"})
			if err != nil || len(got) != 1 {
				t.Fatal(got, err)
			}
			if got[0].Severity != tt.want {
				t.Errorf("severity %v, want %v", got[0].Severity, tt.want)
			}
		})
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	tests := []struct{ ecosystem, advisory, pkg, version string }{
		{"PyPI", "Flask.SQL__Alchemy", "flask-sql-alchemy", "1.0"},
		{"PyPI", "flask-sql-alchemy", "Flask_SQL.Alchemy", "1.0"},
		{"NuGet", "Newtonsoft.Json", "newtonsoft.json", "1.0.0"},
		{"Packagist", "Vendor/Name", "vendor/name", "1.0.0"},
		{"Packagist:https://packages.drupal.org/8", "drupal/x", "drupal/x", "1.0.0"},
		{"GitHub Actions", "Owner/Action", "owner/action", "v1"},
		{"GitHub Actions", "owner/action", "owner/action/init", "v1"},
		{"SwiftURL", "github.com/a/b", "https://github.com/A/b.git", "1.0.0"},
		{"Debian:12", "p", "p", "1.0-1"},
	}
	for _, tt := range tests {
		t.Run(tt.ecosystem+" "+tt.pkg, func(t *testing.T) {
			t.Parallel()
			record := strings.ReplaceAll(advisory("GHSA-1", tt.advisory, `"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2"}]}]`), `"npm"`, `"`+tt.ecosystem+`"`)
			base, _ := splitEcosystem(tt.ecosystem)
			from := t.TempDir()
			put(t, from, base, zipped(t, map[string]string{"GHSA-1": record}))
			x := open(t, t.TempDir())
			if _, err := x.Import(t.Context(), from, ImportOptions{}); err != nil {
				t.Fatal(err)
			}
			got, err := x.Lookup(checks.Package{Ecosystem: base, Name: tt.pkg, Version: tt.version})
			if err != nil || len(got) != 1 {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}

func TestSuffixes(t *testing.T) {
	t.Parallel()
	from := t.TempDir()
	put(t, from, "Debian", zipped(t, map[string]string{
		"1": strings.ReplaceAll(advisory("DSA-1", "p", `"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2"}]}]`), `"npm"`, `"Debian:12"`),
	}))
	x := open(t, t.TempDir())
	if _, err := x.Import(t.Context(), from, ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	for ecosystem, want := range map[string]int{"Debian": 1, "Debian:12": 1, "Debian:11": 0} {
		got, err := x.Lookup(checks.Package{Ecosystem: ecosystem, Name: "p", Version: "1"})
		if err != nil || len(got) != want {
			t.Errorf("%s: %v, %v", ecosystem, got, err)
		}
	}
}

func TestScore(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, more string
		want       float64
	}{
		{"version 2", `"severity":[{"type":"CVSS_V2","score":"AV:N/AC:L/Au:N/C:P/I:P/A:P"}],`, 7.5},
		{"version 3.0", `"severity":[{"type":"CVSS_V3","score":"CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"}],`, 10},
		{"version 3.1", `"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"}],`, 6.1},
		{"version 4", `"severity":[{"type":"CVSS_V4","score":"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"}],`, 9.3},
		{"a word alone", `"database_specific":{"severity":"CRITICAL"},`, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			list, err := oneAdvisory(t, below("2.0.0"), tt.more).Lookup(npm("p", "1.0.0"))
			if err != nil || len(list) != 1 || list[0].Score != tt.want || (list[0].Vector == "") != (tt.want == 0) {
				t.Errorf("%+v, %v", list, err)
			}
		})
	}
}

// TestImports: the packages that the Go database names, merged over aliases.
func TestImports(t *testing.T) {
	t.Parallel()
	imports := func(list string) string {
		return below("2.0.0") + `,"ecosystem_specific":{"custom_ranges":[],"imports":[` + list + `]}`
	}
	tests := []struct {
		name    string
		records []string
		want    []string
	}{
		{"two packages", []string{advisory("GO-1", "p", imports(`{"path":"p/b","symbols":["F"],"goos":["linux"]},{"path":"p/a"}`))}, []string{"p/a", "p/b"}},
		{"none", []string{advisory("GO-1", "p", below("2.0.0"))}, nil},
		{"an entry that cannot be read", []string{advisory("GO-1", "p", imports(`{"path":"p/a"},{"path":3}`))}, nil},
		{"beside GitHub's advisory", []string{advisory("GO-1", "p", imports(`{"path":"p/a"}`), `"aliases":["GHSA-1"],`), advisory("GHSA-1", "p", below("2.0.0"))}, []string{"p/a"}},
		{"beside another of the same problem", []string{advisory("GO-1", "p", imports(`{"path":"p/a"}`), `"aliases":["CVE-1"],`), advisory("GO-2", "p", imports(`{"path":"p/b"}`), `"aliases":["CVE-1"],`)}, []string{"p/a", "p/b"}},
		{"beside one about the whole module", []string{advisory("GO-1", "p", imports(`{"path":"p/a"}`), `"aliases":["CVE-1"],`), advisory("GO-2", "p", below("2.0.0"), `"aliases":["CVE-1"],`)}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			list, err := imported(t, tt.records...).Lookup(npm("p", "1.0.0"))
			if err != nil || len(list) != 1 {
				t.Fatal(list, err)
			}
			if diff := cmp.Diff(tt.want, list[0].Imports); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestUpstream: one problem upstream is the same problem, several are not, and what is
// merely related never is.
func TestUpstream(t *testing.T) {
	t.Parallel()
	other := advisory("GHSA-2", "p", below("2.0.0"), `"aliases":["CVE-1"],`)
	tests := []struct {
		name, more string
		want       []string
	}{
		{"one", `"upstream":["CVE-1"],`, []string{"GHSA-1"}},
		{"several", `"upstream":["CVE-1","CVE-2"],`, []string{"GHSA-1", "GHSA-2"}},
		{"related", `"related":["CVE-1"],`, []string{"GHSA-1", "GHSA-2"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := imported(t, other, advisory("GHSA-1", "p", below("2.0.0"), tt.more))
			if diff := cmp.Diff(tt.want, ids(t, x, "p", "1.0.0")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestSeveralBlocks: a record may speak of one package in several blocks, of which one that
// affects is enough, and of several registries.
func TestSeveralBlocks(t *testing.T) {
	t.Parallel()
	block := func(ecosystem, ranges string) string {
		return `{"package":{"ecosystem":"` + ecosystem + `","name":"p"},` + ranges + `}`
	}
	record := func(blocks ...string) string {
		return `{"id":"GHSA-1","modified":"2025-03-01T00:00:00Z","affected":[` + strings.Join(blocks, ",") + `]}`
	}
	branch := func(from, to string) string {
		return `"ranges":[{"type":"SEMVER","events":[{"introduced":"` + from + `"},{"fixed":"` + to + `"}]}]`
	}
	x := imported(t, record(block("npm", branch("1.0.0", "1.2.0")), block("npm", branch("2.0.0", "2.2.0")), block("npm", `"versions":["3.0.0"]`),
		block("PyPI", branch("0", "9.0.0")), block("npm:https://registry.example", branch("4.0.0", "4.1.0"))))
	for version, want := range map[string]int{"0.9.0": 0, "1.1.0": 1, "1.5.0": 0, "2.1.0": 1, "3.0.0": 1, "3.0.1": 0, "4.0.0": 1} {
		if got := ids(t, x, "p", version); len(got) != want {
			t.Errorf("%s: %v", version, got)
		}
	}
	for registry, want := range map[string]int{"npm:https://registry.example": 1, "npm:https://other.example": 0} {
		list, err := x.Lookup(checks.Package{Ecosystem: registry, Name: "p", Version: "4.0.0"})
		if err != nil || len(list) != want {
			t.Errorf("%s: %v, %v", registry, list, err)
		}
	}
}

// TestUnreadableEvents: an event that cannot be read errs on the side of more versions.
func TestUnreadableEvents(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"introduced": `{"introduced":0},{"fixed":"2.0.0"}`, "fixed": `{"introduced":"0"},{"fixed":2}`,
		"last affected": `{"introduced":"0"},{"last_affected":null}`, "limit": `{"introduced":"0"},{"limit":["2.0.0"]}`,
	}
	for name, events := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := oneAdvisory(t, `"ranges":[{"type":"SEMVER","events":[`+events+`]}]`)
			if got := ids(t, x, "p", "1.0.0"); len(got) != 1 {
				t.Errorf("not affected")
			}
		})
	}
}

// TestWithdrawnMalware: a report of malware that was taken back is silent, and makes no
// malware of the advisory that bears it as alias.
func TestWithdrawnMalware(t *testing.T) {
	t.Parallel()
	alias := advisory("GHSA-1", "p", below("2.0.0"), `"aliases":["MAL-1"],`)
	for _, tt := range []struct {
		name, more string
		want       string
		malware    bool
	}{
		{"in force", "", "MAL-1", true},
		{"withdrawn", `"withdrawn":"2025-04-01T00:00:00Z",`, "GHSA-1", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := imported(t, alias, advisory("MAL-1", "p", everyVersion, tt.more), advisory("MAL-2", "q", everyVersion))
			list, err := x.Lookup(npm("p", "1.0.0"))
			if err != nil || len(list) != 1 || list[0].ID != tt.want || list[0].Malware != tt.malware {
				t.Errorf("%+v, %v", list, err)
			}
			if got := ids(t, x, "p", "3.0.0"); (len(got) == 1) != tt.malware {
				t.Errorf("3.0.0: %v", got)
			}
		})
	}
}
