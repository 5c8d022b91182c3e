package checks_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/risk"
)

var now = time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)

// npm is an npm package at a line of the manifest.
func npm(name, version string, line int) checks.Package {
	return checks.Package{PURL: "pkg:npm/" + name + "@" + version, Ecosystem: "npm", Name: name, Version: version, Line: line,
		Scope: checks.ScopeRuntime, Relation: checks.Direct, Manager: "npm"}
}

func manifest(path, digest string, packages ...checks.Package) checks.Manifest {
	return checks.Manifest{Path: path, Digest: digest, Format: "package-lock.json", Packages: packages}
}

func tree(manifests ...checks.Manifest) checks.Tree {
	return checks.Tree{Inventory: checks.Inventory{Manifests: manifests}}
}

func advisory(id string, s checks.Severity, aliases ...string) checks.Advisory {
	return checks.Advisory{ID: id, Aliases: aliases, Severity: s, Summary: "a problem", Cure: "4.17.21", Fixed: []string{"4.17.21"}}
}

func match(side checks.Side, path string, p checks.Package, a checks.Advisory) checks.Match {
	return checks.Match{Side: side, Path: path, Package: p, Advisory: a}
}

func seen(matches ...checks.Match) []checks.Evidence {
	return []checks.Evidence{{Scanner: "osv", Complete: true, DataTime: now.Add(-20 * time.Minute), Matches: matches}}
}

// prCase is one pull request under judgment.
type prCase struct {
	material checks.Material
	policy   *checks.Policy
	evidence []checks.Evidence
}

// upgrade is the baseline: lodash 4.17.19 to 4.17.20 in package-lock.json, nothing known
// against either, all of it read.
func upgrade(t *testing.T) *prCase {
	t.Helper()
	p, err := checks.ParsePolicy([]byte("version: 1\ndependencies:\n  vulnerabilities:\n    block: {severity: high, scope: [runtime]}\n"), ".github/landwaiter.yml@"+strings.Repeat("a", 40))
	if err != nil {
		t.Fatal(err)
	}
	return &prCase{
		material: checks.Material{
			Subject:  checks.Subject{Kind: checks.KindPullRequest, Repository: "acme/app", Ref: "refs/pull/7/head", Commit: strings.Repeat("c", 40), Number: 7},
			Compared: true,
			Base:     tree(manifest("package-lock.json", "b1", npm("lodash", "4.17.19", 10))),
			Head:     tree(manifest("package-lock.json", "h1", npm("lodash", "4.17.20", 12))),
		},
		policy: p, evidence: seen(),
	}
}

func (c *prCase) judge() checks.Report { return checks.Judge(&c.material, c.policy, c.evidence, now) }

// reasonCodes returns the codes of the reasons, without repetition.
func reasonCodes(r checks.Report) []string {
	codes := []string{}
	for _, reason := range r.Reasons {
		if !slices.Contains(codes, reason.Code) {
			codes = append(codes, reason.Code)
		}
	}
	return codes
}

func TestJudgeDependencies(t *testing.T) {
	t.Parallel()
	lodash := npm("lodash", "4.17.20", 12)
	old := npm("lodash", "4.17.19", 10)
	ghsa := advisory("GHSA-35jh-r3h4-6jhm", checks.SeverityHigh, "CVE-2021-23337")
	introduced := func(a checks.Advisory) func(*prCase) {
		return func(c *prCase) { c.evidence = seen(match(checks.Head, "package-lock.json", lodash, a)) }
	}
	severity := func(s checks.Severity) func(*prCase) { return introduced(advisory("GHSA-x", s)) }
	for _, x := range []struct {
		name   string
		change func(*prCase)
		want   checks.Verdict
		codes  []string
		levels string // levels of the introduced findings
	}{
		{"baseline", func(*prCase) {}, checks.Pass, nil, ""},
		{"introduces a high one", introduced(ghsa), checks.Fail, []string{checks.CodeVulnerability}, "block"},
		{"introduces a critical one", severity(checks.SeverityCritical), checks.Fail, []string{checks.CodeVulnerability}, "block"},
		{"medium is below the floor", severity(checks.SeverityMedium), checks.Pass, nil, "warn"},
		{"unknown severity with a high floor", severity(checks.SeverityUnknown), checks.Pass, nil, "warn"},
		{"unknown severity with a medium floor", func(c *prCase) {
			severity(checks.SeverityUnknown)(c)
			c.policy.Dependencies.BlockSeverity = checks.SeverityMedium
		}, checks.Fail, []string{checks.CodeVulnerability}, "block"},
		{"the base had it too", func(c *prCase) {
			c.evidence = seen(match(checks.Base, "package-lock.json", old, ghsa), match(checks.Head, "package-lock.json", lodash, ghsa))
		}, checks.Pass, nil, ""},
		{"the base had it under an alias", func(c *prCase) {
			c.evidence = seen(match(checks.Base, "package-lock.json", old, advisory("CVE-2021-23337", checks.SeverityHigh)), match(checks.Head, "package-lock.json", lodash, ghsa))
		}, checks.Pass, nil, ""},
		{"the base had another one", func(c *prCase) {
			c.evidence = seen(match(checks.Base, "package-lock.json", old, advisory("GHSA-other", checks.SeverityHigh)), match(checks.Head, "package-lock.json", lodash, ghsa))
		}, checks.Fail, []string{checks.CodeVulnerability}, "block"},
		{"another manifest of the base had it", func(c *prCase) {
			c.material.Base.Inventory.Manifests = append(c.material.Base.Inventory.Manifests, manifest("web/package-lock.json", "w", lodash))
			c.material.Head.Inventory.Manifests = append(c.material.Head.Inventory.Manifests, manifest("web/package-lock.json", "w", lodash))
			c.evidence = seen(match(checks.Base, "web/package-lock.json", lodash, ghsa), match(checks.Head, "web/package-lock.json", lodash, ghsa), match(checks.Head, "package-lock.json", lodash, ghsa))
		}, checks.Fail, []string{checks.CodeVulnerability}, "block"},
		{"moved lock file introduces nothing", func(c *prCase) {
			c.material.Base = tree(manifest("old/package-lock.json", "same", lodash))
			c.material.Head = tree(manifest("new/package-lock.json", "same", lodash))
			c.evidence = seen(match(checks.Head, "new/package-lock.json", lodash, ghsa))
		}, checks.Pass, nil, ""},
		{"moved and edited", func(c *prCase) {
			c.material.Base = tree(manifest("old/package-lock.json", "b", old))
			c.material.Head = tree(manifest("new/package-lock.json", "h", lodash))
			c.evidence = seen(match(checks.Base, "old/package-lock.json", old, ghsa), match(checks.Head, "new/package-lock.json", lodash, ghsa),
				match(checks.Head, "new/package-lock.json", lodash, advisory("GHSA-new", checks.SeverityHigh)))
		}, checks.Fail, []string{checks.CodeVulnerability}, "block"},
		{"development is out of scope", func(c *prCase) {
			dev := lodash
			dev.Scope = checks.ScopeDevelopment
			c.evidence = seen(match(checks.Head, "package-lock.json", dev, ghsa))
		}, checks.Pass, nil, "warn"},
		{"unknown scope is judged like runtime", func(c *prCase) {
			unknown := lodash
			unknown.Scope = ""
			c.evidence = seen(match(checks.Head, "package-lock.json", unknown, ghsa))
		}, checks.Fail, []string{checks.CodeVulnerability}, "block"},
		{"malware of low severity in development", func(c *prCase) {
			dev, mal := lodash, advisory("MAL-2026-1", checks.SeverityLow)
			dev.Scope, mal.Malware = checks.ScopeDevelopment, true
			c.policy.Dependencies.BlockSeverity = checks.SeverityCritical
			c.evidence = seen(match(checks.Head, "package-lock.json", dev, mal))
		}, checks.Fail, []string{checks.CodeMalware}, "block"},
		{"malware in place of malware", func(c *prCase) {
			mal := advisory("MAL-2026-1", checks.SeverityUnknown)
			mal.Malware = true
			c.evidence = seen(match(checks.Base, "package-lock.json", old, mal), match(checks.Head, "package-lock.json", lodash, mal))
		}, checks.Fail, []string{checks.CodeMalware}, "block"},
		{"no base: everything counts", func(c *prCase) {
			c.material.Subject.Kind, c.material.Compared, c.material.Base = checks.KindTree, false, checks.Tree{}
			introduced(ghsa)(c)
		}, checks.Fail, []string{checks.CodeVulnerability}, "block"},
		{"merge group", func(c *prCase) { c.material.Subject.Kind = checks.KindMergeGroup; introduced(ghsa)(c) }, checks.Fail, []string{checks.CodeVulnerability}, "block"},
		{"removed", func(c *prCase) {
			c.material.Head = tree(manifest("package-lock.json", "h"))
			c.evidence = seen(match(checks.Base, "package-lock.json", old, ghsa))
		}, checks.Pass, nil, ""},

		{"G23 manifest not read", func(c *prCase) { c.material.Head.Inventory.Manifests[0].Gap = "is a symbolic link" }, checks.Unknown, []string{checks.CodeIncomplete}, ""},
		{"G23 manifest not read, beside a violation", func(c *prCase) {
			c.material.Head.Inventory.Manifests[0].Gap = "is cut off"
			introduced(ghsa)(c)
		}, checks.Fail, []string{checks.CodeVulnerability, checks.CodeIncomplete}, "block"},
		{"G23 truncated tree", func(c *prCase) { c.material.Head.Gaps = []checks.Gap{{Reason: "the tree has over 100,000 entries"}} }, checks.Unknown, []string{checks.CodeIncomplete}, ""},
		{"G23 untouched manifest not read", func(c *prCase) {
			m := manifest("web/package-lock.json", "w")
			m.Gap = "is cut off"
			c.material.Base.Inventory.Manifests = append(c.material.Base.Inventory.Manifests, m)
			c.material.Head.Inventory.Manifests = append(c.material.Head.Inventory.Manifests, m)
			c.evidence[0].Complete, c.evidence[0].Gaps = false, []checks.Gap{{Path: "web/package-lock.json", Reason: "is cut off"}}
		}, checks.Pass, nil, ""},
		{"base not read, nothing found", func(c *prCase) { c.material.Base.Inventory.Manifests[0].Gap = "is cut off" }, checks.Pass, nil, ""},
		{"base not read, warning found", func(c *prCase) {
			c.material.Base.Inventory.Manifests[0].Gap = "is cut off"
			severity(checks.SeverityLow)(c)
		}, checks.Unknown, []string{checks.CodeIncomplete}, "warn"},
		{"scanner gap", func(c *prCase) {
			c.evidence[0].Complete, c.evidence[0].Gaps = false, []checks.Gap{{Path: "package-lock.json", Reason: "version 1.x of a cannot be read"}}
		}, checks.Unknown, []string{checks.CodeIncomplete}, ""},
		{"scanner failed", func(c *prCase) {
			c.evidence[0].Complete, c.evidence[0].Gaps = false, []checks.Gap{{Reason: "no advisories"}}
		}, checks.Unknown, []string{checks.CodeScannerFailed}, ""},
		{"scanner says nothing", func(c *prCase) { c.evidence = []checks.Evidence{{Scanner: "osv"}} }, checks.Unknown, []string{checks.CodeScannerFailed}, ""},
		{"scanner did not run", func(c *prCase) { c.evidence = nil }, checks.Unknown, []string{checks.CodeScannerFailed}, ""},
		{"the other check's scanner failed", func(c *prCase) { c.evidence = append(c.evidence, checks.Evidence{Scanner: "sigstore"}) }, checks.Pass, nil, ""},
		{"a scanner of nobody failed", func(c *prCase) { c.evidence = append(c.evidence, checks.Evidence{Scanner: "extra"}) }, checks.Unknown, []string{checks.CodeScannerFailed}, ""},
		{"data too old", func(c *prCase) { c.policy.Dependencies.MaxDataAge = 10 * time.Minute }, checks.Unknown, []string{checks.CodeDataStale}, ""},
		{"data of unlimited age", func(c *prCase) { c.evidence[0].DataTime = now.AddDate(-3, 0, 0) }, checks.Pass, nil, ""},
		{"nothing touched and no scanner", func(c *prCase) { c.material.Head = c.material.Base; c.evidence = nil }, checks.Pass, nil, ""},
		{"no manifests and no scanner", func(c *prCase) { c.material.Head, c.material.Base, c.evidence = checks.Tree{}, checks.Tree{}, nil }, checks.Pass, nil, ""},
		{"only removals and no scanner", func(c *prCase) {
			c.material.Head, c.evidence = tree(manifest("package-lock.json", "h")), nil
		}, checks.Pass, nil, ""},
		{"same packages in other order and no scanner", func(c *prCase) {
			c.material.Head, c.evidence = tree(manifest("package-lock.json", "h", npm("lodash", "4.17.19", 99))), nil
		}, checks.Pass, nil, ""},
		{"unresolved package", func(c *prCase) {
			c.material.Head = tree(manifest("requirements.txt", "h", checks.Package{Ecosystem: "PyPI", Name: "requests", Constraint: ">=2"}))
		}, checks.Unknown, []string{checks.CodeUnresolved}, ""},
		{"unresolved at the base too", func(c *prCase) {
			p := checks.Package{Ecosystem: "PyPI", Name: "requests", Constraint: ">=2"}
			c.material.Base = tree(manifest("requirements.txt", "b", p))
			c.material.Head = tree(manifest("requirements.txt", "h", p, checks.Package{Ecosystem: "PyPI", Name: "six", Version: "1.0"}))
		}, checks.Pass, nil, ""},
		{"pinned to a commit", func(c *prCase) {
			c.material.Head = tree(manifest(".github/workflows/a.yml", "h", checks.Package{Ecosystem: "GitHub Actions", Name: "a/b", Commit: strings.Repeat("d", 40)}))
		}, checks.Pass, nil, ""},
		{"unknown kind", func(c *prCase) { c.material.Subject.Kind = "deployment" }, checks.Unknown, []string{checks.CodeNothingToVerify}, ""},
		{"broken policy in the change", func(c *prCase) {
			c.material.PolicyChange = &checks.PolicyChange{Path: ".github/landwaiter.yml", Error: &checks.PolicyError{Line: 14, Message: "unknown preset `x`"}}
		}, checks.Fail, []string{checks.CodePolicyInvalid}, ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			c := upgrade(t)
			x.change(c)
			r := c.judge()
			var levels []string
			for _, f := range r.Findings {
				if f.Introduced {
					levels = append(levels, f.Level)
				}
			}
			if r.Verdict != x.want || !slices.Equal(reasonCodes(r), x.codes) || strings.Join(levels, " ") != x.levels {
				t.Errorf("got %v %v %v, want %v %v [%s]\n%+v", r.Verdict, reasonCodes(r), levels, x.want, x.codes, x.levels, r.Reasons)
			}
		})
	}
}

func TestFinding(t *testing.T) {
	t.Parallel()
	c := upgrade(t)
	p := npm("lodash", "4.17.20", 12)
	p.Relation, p.Via = checks.Transitive, []string{"a", "b", "lodash"}
	web := npm("lodash", "4.17.20", 3)
	c.material.Head = tree(manifest("package-lock.json", "h1", p), manifest("web/package-lock.json", "h2", web))
	a := advisory("GHSA-35jh-r3h4-6jhm", checks.SeverityHigh, "CVE-2021-23337")
	a.URL = "https://osv.example/1"
	c.evidence = seen(match(checks.Head, "web/package-lock.json", web, a), match(checks.Head, "package-lock.json", p, a))
	r := c.judge()
	want := []checks.Finding{{
		Fingerprint: r.Findings[0].Fingerprint, Rule: checks.RuleVulnerability, Severity: checks.SeverityHigh,
		Advisory: "GHSA-35jh-r3h4-6jhm", Aliases: []string{"CVE-2021-23337"},
		Package:  checks.FindingPackage{PURL: "pkg:npm/lodash@4.17.20", Ecosystem: "npm", Name: "lodash", Version: "4.17.20"},
		Location: checks.Location{Path: "package-lock.json", Line: 12}, Introduced: true, FixedVersion: "4.17.21",
		FixedChange: "compatible",
		Remediation: "npm update lodash\n# if that stays below 4.17.21: npm pkg set \"overrides[lodash]=4.17.21\" && npm install",
		Command:     true, DependencyPath: []string{"a", "b", "lodash"}, Summary: "a problem", URL: "https://osv.example/1",
		Scope: checks.ScopeRuntime, Level: checks.LevelBlock,
		Risk: 41, RiskParts: []risk.Part{{Name: "severity", Points: 40, Why: "high, without a CVSS score"}, {Name: "depth", Points: 1, Why: "two steps below a direct dependency"}},
	}}
	if diff := cmp.Diff(want, r.Findings); diff != "" {
		t.Errorf("one finding for a package version and an advisory, at the first place (-want +got):\n%s", diff)
	}
	wantReasons := []checks.Reason{{Rule: "no-known-high", Code: "vulnerability", Message: "runtime dependency with a known high advisory (policy line 4)"}}
	if diff := cmp.Diff(wantReasons, r.Reasons); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
	before := r.Findings[0].Fingerprint
	c.policy.Dependencies.BlockSeverity = checks.SeverityLow
	c.material.Head.Inventory.Manifests[0].Packages[0].Line = 99
	c.evidence[0].Matches[0].Advisory.Summary = "other words"
	if after := c.judge().Findings[0].Fingerprint; after != before || len(after) != 64 {
		t.Errorf("fingerprint changed from %s to %s", before, after)
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	gem := func(name, version string) checks.Package {
		return checks.Package{Ecosystem: "RubyGems", Name: name, Version: version}
	}
	m := &checks.Material{
		Subject: checks.Subject{Kind: checks.KindPullRequest}, Compared: true,
		Base: tree(
			manifest("a.lock", "1", npm("same", "1", 1), npm("up", "1.9.0", 2), npm("down", "2.0.0-rc.1", 3), npm("gone", "1", 4), npm("odd", "1.0.final", 5), npm("two", "1.0.0", 6), npm("three", "1.0.0", 7), npm("three", "2.0.0", 8)),
			manifest("Gemfile.lock", "2", gem("rails", "7.0.8.1")),
			manifest("old/x.lock", "3", npm("moved", "1.0.0", 1), npm("left", "1.0.0", 2)),
		),
		Head: tree(
			manifest("a.lock", "4", npm("same", "1", 1), npm("up", "1.10.0", 2), npm("down", "1.0.0", 3), npm("odd", "2.0.final", 5), npm("two", "1.0.0", 6), npm("two", "2.0.0", 7), npm("three", "2.0.0", 8), npm("new", "1.0.0", 9)),
			manifest("Gemfile.lock", "5", gem("rails", "7.0.8.10")),
			manifest("new/x.lock", "6", npm("moved", "1.1.0", 1)),
		),
	}
	r := checks.Judge(m, checks.DefaultPolicy(), seen(), now)
	got := []string{}
	for _, c := range r.Changes {
		got = append(got, fmt.Sprintf("%s %s %s %s>%s", c.Path, c.Name, c.Type, c.From, c.To))
	}
	want := []string{
		"Gemfile.lock rails upgrade 7.0.8.1>7.0.8.10",
		"a.lock down downgrade 2.0.0-rc.1>1.0.0",
		"a.lock gone removed 1>",
		"a.lock new new >1.0.0",
		"a.lock odd changed 1.0.final>2.0.final",
		"a.lock three removed 1.0.0>",
		"a.lock two new >2.0.0",
		"a.lock up upgrade 1.9.0>1.10.0",
		"new/x.lock moved upgrade 1.0.0>1.1.0",
		"old/x.lock left removed 1.0.0>",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if want := (checks.Coverage{Manifests: 4, Packages: 7}); r.Coverage != want {
		t.Errorf("coverage %+v, want %+v", r.Coverage, want)
	}
}

func TestExceptions(t *testing.T) {
	t.Parallel()
	date := func(days int) string { return now.AddDate(0, 0, days).Format(time.DateOnly) }
	for _, x := range []struct {
		name, exception string
		malware         bool
		want            checks.Verdict
		level           string
	}{
		{"by advisory", "{id: E, advisory: GHSA-1, until: " + date(5) + ", reason: r}", false, checks.Pass, "accepted"},
		{"by alias, in lower case", "{id: E, advisory: cve-1, until: " + date(5) + ", reason: r}", false, checks.Pass, "accepted"},
		{"by package", "{id: E, package: 'pkg:npm/lodash', until: " + date(5) + ", reason: r}", false, checks.Pass, "accepted"},
		{"by package version", "{id: E, package: 'pkg:npm/lodash@4.17.20', until: " + date(5) + ", reason: r}", false, checks.Pass, "accepted"},
		{"rule as reasons call it", "{id: E, rule: no-known-high, advisory: GHSA-1, until: " + date(5) + ", reason: r}", false, checks.Pass, "accepted"},
		{"ends today", "{id: E, advisory: GHSA-1, until: " + date(0) + ", reason: r}", false, checks.Pass, "accepted"},
		{"expired yesterday", "{id: E, advisory: GHSA-1, until: " + date(-1) + ", reason: r}", false, checks.Fail, "block"},
		{"A03 ends too far ahead", "{id: E, advisory: GHSA-1, until: " + date(91) + ", reason: r}", false, checks.Fail, "block"},
		{"other advisory", "{id: E, advisory: GHSA-2, until: " + date(5) + ", reason: r}", false, checks.Fail, "block"},
		{"other version", "{id: E, package: 'pkg:npm/lodash@4.17.19', until: " + date(5) + ", reason: r}", false, checks.Fail, "block"},
		{"other ecosystem", "{id: E, package: 'pkg:pypi/lodash', until: " + date(5) + ", reason: r}", false, checks.Fail, "block"},
		{"right advisory, other package", "{id: E, advisory: GHSA-1, package: 'pkg:npm/x', until: " + date(5) + ", reason: r}", false, checks.Fail, "block"},
		{"other rule", "{id: E, rule: no-known-low, advisory: GHSA-1, until: " + date(5) + ", reason: r}", false, checks.Fail, "block"},
		{"malware is never accepted", "{id: E, advisory: GHSA-1, until: " + date(5) + ", reason: r}", true, checks.Fail, "block"},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			c := upgrade(t)
			p, err := checks.ParsePolicy([]byte("version: 1\nexceptions: ["+x.exception+"]\n"), "p")
			if err != nil {
				t.Fatal(err)
			}
			c.policy = p
			a := advisory("GHSA-1", checks.SeverityHigh, "CVE-1")
			a.Malware = x.malware
			c.evidence = seen(match(checks.Head, "package-lock.json", npm("lodash", "4.17.20", 1), a))
			r := c.judge()
			if r.Verdict != x.want || r.Findings[0].Level != x.level {
				t.Errorf("got %v, %s; want %v, %s", r.Verdict, r.Findings[0].Level, x.want, x.level)
			}
			if x.level == "accepted" && (r.Findings[0].Exception != "E" || r.Findings[0].Until == "") {
				t.Errorf("the finding does not name its exception: %+v", r.Findings[0])
			}
		})
	}
}

// TestA05StricterException: of two exceptions the one that ends first counts.
func TestA05StricterException(t *testing.T) {
	t.Parallel()
	c := upgrade(t)
	for i, days := range []int{30, 5, 20} {
		c.policy.Exceptions = append(c.policy.Exceptions, checks.Exception{ID: fmt.Sprint(i), Advisory: "GHSA-1", Until: now.Truncate(24*time.Hour).AddDate(0, 0, days)})
	}
	c.evidence = seen(match(checks.Head, "package-lock.json", npm("lodash", "4.17.20", 1), advisory("GHSA-1", checks.SeverityHigh)))
	if f := c.judge().Findings[0]; f.Exception != "1" {
		t.Errorf("exception %s counts", f.Exception)
	}
}

// TestG06PolicyOfTheChange: an edited policy is previewed and never applied to itself.
func TestG06PolicyOfTheChange(t *testing.T) {
	t.Parallel()
	c := upgrade(t)
	c.evidence = seen(match(checks.Head, "package-lock.json", npm("lodash", "4.17.20", 1), advisory("GHSA-1", checks.SeverityHigh)))
	before := c.judge()
	lax := *c.policy
	lax.Dependencies.BlockSeverity = checks.SeverityCritical
	lax.Mode = checks.ModeObserve
	for _, x := range []struct {
		name    string
		preview *checks.Policy
		want    string
	}{
		{"laxer", &lax, "Under the proposed policy: 1 violation less"},
		{"same", c.policy, "Under the proposed policy: the same violations"},
		{"removed", nil, "It removes the policy file"},
	} {
		c.material.PolicyChange = &checks.PolicyChange{Path: ".github/landwaiter.yml", Preview: x.preview}
		r := c.judge()
		if r.Verdict != before.Verdict || r.Policy != before.Policy || !cmp.Equal(r.Findings, before.Findings) {
			t.Errorf("%s: the change judged itself: %v", x.name, r.Verdict)
		}
		if len(r.Notices) != 1 || !strings.HasPrefix(r.Notices[0].Message, "This pull request edits the policy; it is judged by the rules of the base branch.") || !strings.Contains(r.Notices[0].Message, x.want) {
			t.Errorf("%s: notices %+v", x.name, r.Notices)
		}
	}
}

// TestJudgePure: the same input gives the same report, in whatever order matches come.
func TestJudgePure(t *testing.T) {
	t.Parallel()
	c := upgrade(t)
	var matches []checks.Match
	for i := range 40 {
		p := npm(fmt.Sprintf("p%d", i%7), fmt.Sprintf("1.%d.0", i%3), i)
		matches = append(matches, match(checks.Head, "package-lock.json", p, advisory(fmt.Sprintf("GHSA-%d", i%5), checks.Severity(i%5))))
	}
	c.evidence = seen(matches...)
	first := c.judge()
	for range 5 {
		slices.Reverse(matches)
		c.evidence = seen(append(matches[7:], matches[:7]...)...)
		if diff := cmp.Diff(first, c.judge()); diff != "" {
			t.Fatalf("reports differ:\n%s", diff)
		}
	}
}

// TestV57Fault: a fault of our own ends as Unknown, never as Pass.
func TestV57Fault(t *testing.T) {
	t.Parallel()
	m := &checks.Material{Subject: checks.Subject{Kind: checks.KindRelease, Repository: "a/b"}}
	r := checks.Judge(m, checks.DefaultPolicy(), nil, now)
	if r.Verdict != checks.Unknown || len(r.Reasons) != 1 {
		t.Errorf("a release without a release: %v %v", r.Verdict, r.Reasons)
	}
	if r := checks.Judge(&checks.Material{}, &checks.Policy{}, nil, now); r.Verdict != checks.Unknown {
		t.Errorf("nothing at all: %v", r.Verdict)
	}
}

// BenchmarkJudge judges a change that replaces every package of a lock file, one in twenty of
// them vulnerable, under all rules about what registries tell, and about each package told.
func BenchmarkJudge(b *testing.B) {
	for _, n := range []int{1_500, 6_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var base, head []checks.Package
			var matches []checks.Match
			var facts []checks.Fact
			for i := range n {
				was, p := npm(fmt.Sprintf("p%d", i), "1.0.0", i), npm(fmt.Sprintf("p%d", i), "1.1.0", i)
				base, head, facts = append(base, was), append(head, p), append(facts, told(was), told(p))
				if i%20 == 0 {
					matches = append(matches, match(checks.Base, "l", was, advisory("GHSA-0", checks.SeverityHigh)), match(checks.Head, "l", p, advisory("GHSA-1", checks.SeverityHigh)))
				}
			}
			m := &checks.Material{Subject: checks.Subject{Kind: checks.KindPullRequest}, Compared: true, Base: tree(manifest("l", "1", base...)), Head: tree(manifest("l", "2", head...))}
			evidence, p := append(seen(matches...), registry(facts...)), under(b, everyFactRule)
			b.ReportAllocs()
			for b.Loop() {
				checks.Judge(m, p, evidence, now)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/package")
		})
	}
}

// TestClaimedVersion: a version that only a comment tells is told, and decides nothing.
func TestClaimedVersion(t *testing.T) {
	t.Parallel()
	c := upgrade(t)
	if r := c.judge(); r.Verdict != checks.Pass || len(r.Notices) != 0 {
		t.Fatalf("the baseline: %s %v", r.Verdict, r.Notices)
	}
	claim := func(path string) checks.Claim {
		return checks.Claim{Path: path, Package: checks.Package{Name: "o/r", Line: 3, Commit: strings.Repeat("a", 40)}, Version: "v4.1.0"}
	}
	c.evidence[0].Claims = []checks.Claim{claim("package-lock.json"), claim("package-lock.json")}
	r := c.judge()
	if r.Verdict != checks.Pass || len(r.Notices) != 1 || r.Notices[0].Code != checks.CodeClaimed ||
		!strings.Contains(r.Notices[0].Message, "2 pinned commits") || !strings.Contains(r.Notices[0].Message, "o/r in package-lock.json line 3, said to be v4.1.0") {
		t.Errorf("%s %v", r.Verdict, r.Notices)
	}
	c.material.Base = c.material.Head // the change does not touch the manifest
	if r := c.judge(); len(r.Notices) != 0 {
		t.Errorf("told of a manifest that is not touched: %v", r.Notices)
	}
}
