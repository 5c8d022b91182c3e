package checks_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks"
)

// under parses keys of a policy over the recommended preset.
func under(t testing.TB, keys string) *checks.Policy {
	t.Helper()
	p, err := checks.ParsePolicy([]byte("version: 1\n"+keys), ".github/landwaiter.yml")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// told is what a registry says of a version that is old, licensed and attested.
func told(p checks.Package) checks.Fact {
	return checks.Fact{
		Ecosystem: p.Ecosystem, Name: p.Name, Version: p.Version, Licence: "MIT", Published: now.AddDate(-1, 0, 0), Newest: now.AddDate(0, -1, 0),
		Provenance: checks.Yes, Source: "api.deps.dev", Time: now,
	}
}

// registry is the Evidence of the scanner of registries.
func registry(facts ...checks.Fact) checks.Evidence {
	return checks.Evidence{Scanner: "registry", Complete: true, DataTime: now, Facts: facts}
}

// shown is what a test wants to see of findings: rule, level and words of those introduced.
func shown(r checks.Report) []string {
	list := []string{}
	for _, f := range r.Findings {
		if f.Introduced {
			list = append(list, fmt.Sprintf("%s %s %s: %s", f.Level, f.Rule, cmpOr(f.Package.Name, f.Location.Path), f.Summary))
		}
	}
	return list
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// everyFactRule asks for everything that registries tell.
const everyFactRule = `dependencies:
  licences: {allow: [MIT, Apache-2.0], deny: [AGPL-3.0-only]}
  min_age: 7d
  deprecated: block
  yanked: block
  abandoned: {after: 730d, level: block}
  require_provenance: [npm]
  provenance_loss: block
`

// TestFacts starts from an upgrade about which everything is told and fine, and changes one thing.
func TestFacts(t *testing.T) {
	t.Parallel()
	const p = "lodash"
	for _, x := range []struct {
		name   string
		change func(c *prCase, head, base *checks.Fact)
		want   checks.Verdict
		shown  []string
	}{
		{"baseline", func(*prCase, *checks.Fact, *checks.Fact) {}, checks.Pass, nil},
		{"too young", func(_ *prCase, head, _ *checks.Fact) { head.Published = now.Add(-50 * time.Hour) }, checks.Fail,
			[]string{"block min-age lodash: published 2 days ago, minimum 7"}},
		{"an hour young", func(_ *prCase, head, _ *checks.Fact) { head.Published = now.Add(-time.Hour) }, checks.Fail,
			[]string{"block min-age lodash: published 1 hour ago, minimum 7d"}},
		{"published tomorrow", func(_ *prCase, head, _ *checks.Fact) { head.Published = now.Add(24 * time.Hour) }, checks.Fail,
			[]string{"block min-age lodash: published 0 minutes ago, minimum 7d"}},
		{"just old enough", func(_ *prCase, head, _ *checks.Fact) { head.Published = now.Add(-7 * 24 * time.Hour) }, checks.Pass, nil},
		{"young, and the cure of what the base has", func(c *prCase, head, _ *checks.Fact) {
			head.Published = now.Add(-50 * time.Hour)
			a := advisory("GHSA-1", checks.SeverityHigh)
			a.Cure = "4.17.20"
			c.evidence = append(seen(match(checks.Base, "package-lock.json", npm("lodash", "4.17.19", 10), a)), c.evidence[1:]...)
		}, checks.Pass, []string{"warn min-age lodash: published 2 days ago, minimum 7; a known advisory names it as its cure"}},
		{"licence not allowed", func(_ *prCase, head, _ *checks.Fact) { head.Licence = "GPL-3.0-only" }, checks.Fail,
			[]string{"block licence lodash: licence GPL-3.0-only is not allowed"}},
		{"licence of the lock file counts first", func(c *prCase, head, _ *checks.Fact) {
			head.Licence = "AGPL-3.0-only"
			c.material.Head.Inventory.Manifests[0].Packages[0].Licence = "Apache-2.0"
		}, checks.Pass, nil},
		{"licence of a choice", func(_ *prCase, head, _ *checks.Fact) { head.Licence = "AGPL-3.0-only OR MIT" }, checks.Pass, nil},
		{"licence that the version before had", func(_ *prCase, head, base *checks.Fact) { head.Licence, base.Licence = "GPL-3.0-only", "GPL-3.0-only" }, checks.Pass, nil},
		{"licence nobody knows", func(_ *prCase, head, _ *checks.Fact) { head.Licence = "" }, checks.Pass,
			[]string{"warn licence lodash: no licence is told"}},
		{"licence that is no expression", func(_ *prCase, head, _ *checks.Fact) { head.Licence = "GPLv3" }, checks.Pass,
			[]string{`warn licence lodash: "GPLv3" is no SPDX expression: "GPLv3" at byte 1 is not a licence of the SPDX list; perhaps GPL-3.0-only is meant`}},
		{"deprecated", func(_ *prCase, head, _ *checks.Fact) { head.Deprecated = "use es-toolkit" }, checks.Fail,
			[]string{"block deprecated lodash: deprecated: use es-toolkit"}},
		{"deprecated by the lock file", func(c *prCase, _, _ *checks.Fact) {
			c.material.Head.Inventory.Manifests[0].Packages[0].Deprecated = "deprecated"
		}, checks.Fail, []string{"block deprecated lodash: deprecated"}},
		{"deprecated as before", func(_ *prCase, head, base *checks.Fact) { head.Deprecated, base.Deprecated = "x", "x" }, checks.Pass, nil},
		{"taken back", func(_ *prCase, head, _ *checks.Fact) { head.Yanked = true }, checks.Fail,
			[]string{"block yanked lodash: the registry took this version back"}},
		{"abandoned, and there before", func(_ *prCase, head, _ *checks.Fact) { head.Newest = now.AddDate(-3, 0, 0) }, checks.Pass, nil},
		{"abandoned and new", func(c *prCase, head, _ *checks.Fact) {
			head.Newest = now.AddDate(-3, 0, 0)
			c.material.Base = tree(manifest("package-lock.json", "b1"))
		}, checks.Fail, []string{"block abandoned lodash: no new version for 3 years, at most 730d"}},
		{"without provenance, and before too", func(_ *prCase, head, base *checks.Fact) { head.Provenance, base.Provenance = checks.No, checks.No }, checks.Pass, nil},
		{"without provenance, and before with it", func(_ *prCase, head, _ *checks.Fact) { head.Provenance = checks.No }, checks.Fail,
			[]string{"block provenance-loss lodash: has no provenance, and version 4.17.19 had", "block require-provenance lodash: the registry has no provenance for it"}},
		{"unchanged", func(c *prCase, head, _ *checks.Fact) {
			*head = checks.Fact{}
			c.material.Head = tree(manifest("package-lock.json", "h2", npm("lodash", "4.17.19", 11)))
		}, checks.Pass, nil},
		{"moved lock file", func(c *prCase, head, base *checks.Fact) {
			*head, *base = checks.Fact{}, checks.Fact{}
			c.material.Head = tree(manifest("web/package-lock.json", "b1", npm("lodash", "4.17.19", 10)))
		}, checks.Pass, nil},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			c := upgrade(t)
			c.policy = under(t, everyFactRule)
			head, base := told(npm(p, "4.17.20", 0)), told(npm(p, "4.17.19", 0))
			c.evidence = append(c.evidence, checks.Evidence{})
			x.change(c, &head, &base)
			c.evidence[1] = registry(head, base)
			r := c.judge()
			if got := shown(r); r.Verdict != x.want || !slices.Equal(got, append([]string{}, x.shown...)) {
				t.Errorf("got %v %q, want %v %q\n%v", r.Verdict, got, x.want, x.shown, r.Reasons)
			}
		})
	}
}

// TestFactsMissing: what a rule that blocks needs and nobody told makes the verdict unknown and
// names the rule; where rules warn it is one notice.
func TestFactsMissing(t *testing.T) {
	t.Parallel()
	withheld := checks.Fact{Ecosystem: "npm", Name: "lodash", Version: "4.17.20", Withheld: true}
	silent := checks.Fact{Ecosystem: "npm", Name: "lodash", Version: "4.17.20", Source: "api.deps.dev", Time: now}
	failed := checks.Evidence{Scanner: "registry", Gaps: []checks.Gap{{Reason: "api.deps.dev did not answer in time"}}}
	for _, x := range []struct {
		name, keys string
		evidence   []checks.Evidence
		rules      []string // of the reasons
		notices    int
	}{
		{"licence", "licences: {allow: [MIT]}", []checks.Evidence{failed}, []string{"licence"}, 0},
		{"age", "min_age: 7d", []checks.Evidence{failed}, []string{"min-age"}, 0},
		{"age that warns", "min_age: {time: 7d, level: warn}", []checks.Evidence{failed}, nil, 1},
		{"deprecated", "deprecated: block", []checks.Evidence{failed}, []string{"deprecated"}, 0},
		{"deprecated by a preset", "images: off", []checks.Evidence{failed}, nil, 0},
		{"yanked", "yanked: block", []checks.Evidence{failed}, []string{"yanked"}, 0},
		{"provenance", "require_provenance: [npm]", []checks.Evidence{failed}, []string{"require-provenance"}, 0},
		{"provenance of another ecosystem", "require_provenance: [pypi]", []checks.Evidence{failed}, nil, 0},
		{"provenance loss", "provenance_loss: block", []checks.Evidence{failed}, []string{"provenance-loss"}, 0},
		{"all that warn", "{min_age: {time: 7d, level: warn}, deprecated: warn, provenance_loss: warn}", []checks.Evidence{failed}, nil, 1},
		{"nobody asked", "min_age: 7d", nil, []string{"min-age"}, 0},
		{"age of what the registry does not know", "min_age: 7d", []checks.Evidence{registry(silent)}, []string{"min-age"}, 0},
		{"licence of what the registry does not know", "licences: {allow: [MIT], unknown: off}", []checks.Evidence{registry(silent)}, nil, 0},
		{"age of a name that the operator withholds", "min_age: 7d", []checks.Evidence{registry(withheld)}, nil, 0},
		{"licence of a name that the operator withholds", "licences: {allow: [MIT], unknown: off}", []checks.Evidence{registry(withheld)}, nil, 0},
		{"age of a name that nobody was asked about", "min_age: 7d", []checks.Evidence{registry()}, []string{"min-age"}, 0},
		{"own names are in no registry", "{malware: {own_scopes: [\"npm:lodash\"]}, min_age: 7d, licences: {allow: [MIT]}, require_provenance: [npm]}", []checks.Evidence{registry(silent)}, nil, 0},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			c := upgrade(t)
			keys := x.keys
			if !strings.HasPrefix(keys, "{") {
				keys = "{" + keys + "}"
			}
			c.policy = under(t, "dependencies: "+keys+"\n")
			c.evidence = append(c.evidence, x.evidence...)
			c.material.AskRegistry = true
			r := c.judge()
			var rules []string
			for _, reason := range r.Reasons {
				if reason.Code != checks.CodeDataMissing || !strings.Contains(reason.Message, "lodash 4.17.20") {
					t.Errorf("reason %+v", reason)
				}
				rules = append(rules, reason.Rule)
			}
			want := checks.Pass
			if x.rules != nil {
				want = checks.Unknown
			}
			if r.Verdict != want || !slices.Equal(rules, x.rules) || len(r.Notices) != x.notices {
				t.Errorf("got %v %v, notices %v; want %v %v, %d", r.Verdict, rules, r.Notices, want, x.rules, x.notices)
			}
		})
	}
}

// TestFactsWithheld: only a name that could have been asked about is taken for withheld.
func TestFactsWithheld(t *testing.T) {
	t.Parallel()
	for _, p := range []checks.Package{
		{Ecosystem: "Packagist", Name: "acme/x", Version: "1.0.0"}, {Ecosystem: "npm", Name: "l\u043edash", Version: "1.0.0"}, {Ecosystem: "npm", Name: "x", Version: "1.0.0 "},
	} {
		c := upgrade(t)
		c.policy = under(t, "dependencies: {min_age: 7d}\n")
		c.material.AskRegistry = true
		c.material.Head = tree(manifest("package-lock.json", "h", p))
		c.evidence = append(c.evidence, registry())
		if r := c.judge(); r.Verdict != checks.Unknown {
			t.Errorf("%q %q: %v", p.Name, p.Version, r.Verdict)
		}
	}
}

// TestFactsOfActions: what comes from no registry has no age there.
func TestFactsOfActions(t *testing.T) {
	t.Parallel()
	c := upgrade(t)
	c.policy = under(t, everyFactRule)
	c.material.Head = tree(manifest("package-lock.json", "b1", npm("lodash", "4.17.19", 10)),
		manifest(".github/workflows/a.yml", "w", checks.Package{Ecosystem: "GitHub Actions", Name: "a/b", Version: "v1.2.3"}),
		manifest("go.mod", "g", checks.Package{Ecosystem: "Go", Name: "stdlib", Version: "1.26.0"}))
	if r := c.judge(); r.Verdict != checks.Pass {
		t.Errorf("%v %v", r.Verdict, r.Reasons)
	}
}

// observed is a manifest with one observation of the given rule.
func observed(path, digest string, o ...checks.Observation) checks.Manifest {
	return checks.Manifest{Path: path, Digest: digest, Format: "workflow", Observations: o}
}

func seenIn(rule, subject string, line int) checks.Observation {
	return checks.Observation{Rule: rule, Severity: checks.SeverityHigh, Line: line, Subject: subject, Message: "is wrong", Remedy: "make it right"}
}

// TestObservations: introduced is what the base does not have at the same place.
func TestObservations(t *testing.T) {
	t.Parallel()
	injection := seenIn(checks.RuleInjection, "job build: github.event.issue.title", 7)
	const ci = ".github/workflows/ci.yml"
	block := []string{"block workflow-script-injection " + ci + ": is wrong"}
	for _, x := range []struct {
		name       string
		base, head checks.Tree
		keys       string
		want       checks.Verdict
		shown      []string
		older      int
	}{
		{"nothing", tree(observed(ci, "b")), tree(observed(ci, "h")), "", checks.Pass, nil, 0},
		{"new file", tree(), tree(observed(ci, "h", injection)), "", checks.Fail, block, 0},
		{"new line", tree(observed(ci, "b")), tree(observed(ci, "h", injection)), "", checks.Fail, block, 0},
		{"the base has it at another line", tree(observed(ci, "b", seenIn(injection.Rule, injection.Subject, 99))), tree(observed(ci, "h", injection)), "", checks.Pass, nil, 1},
		{"the base has another one", tree(observed(ci, "b", seenIn(injection.Rule, "job test", 7))), tree(observed(ci, "h", injection)), "", checks.Fail, block, 0},
		{"the base has another rule", tree(observed(ci, "b", seenIn(checks.RuleWriteAll, injection.Subject, 7))), tree(observed(ci, "h", injection)), "", checks.Fail, block, 0},
		{"moved and edited", tree(observed("old.yml", "b", injection)), tree(observed(ci, "h", injection)), "", checks.Pass, nil, 1},
		{"moved as it is", tree(observed("old.yml", "same")), tree(observed(ci, "same", injection)), "", checks.Pass, nil, 1},
		{"another file has it", tree(observed("b.yml", "b", injection)), tree(observed("b.yml", "b", injection), observed(ci, "h", injection)), "", checks.Fail, block, 1},
		{"twice in one file", tree(), tree(observed(ci, "h", seenIn(injection.Rule, injection.Subject, 40), injection)), "", checks.Fail, block, 0},
		{"the rule warns", tree(), tree(observed(ci, "h", injection)), "workflows: {script_injection: warn}\n", checks.Pass, []string{"warn workflow-script-injection " + ci + ": is wrong"}, 0},
		{"the rule is off", tree(), tree(observed(ci, "h", injection)), "workflows: {script_injection: off}\n", checks.Pass, nil, 0},
		{"untrusted checkout", tree(), tree(observed(ci, "h", seenIn(checks.RuleCheckout, "job a", 3))), "", checks.Fail, []string{"block workflow-untrusted-checkout " + ci + ": is wrong"}, 0},
		{"write all", tree(), tree(observed(ci, "h", seenIn(checks.RuleWriteAll, "job a", 3))), "", checks.Pass, []string{"warn workflow-write-all " + ci + ": is wrong"}, 0},
		{"unpinned action", tree(), tree(observed(ci, "h", seenIn(checks.RuleUnpinned, "acme/x@v1", 3))), "", checks.Pass, []string{"warn workflow-unpinned-action " + ci + ": is wrong"}, 0},
		{"unpinned action of a trusted owner", tree(), tree(observed(ci, "h", seenIn(checks.RuleUnpinned, "Actions/checkout@v4", 3))), "", checks.Pass, nil, 0},
		{"owner that only starts like a trusted one", tree(), tree(observed(ci, "h", seenIn(checks.RuleUnpinned, "actions-evil/x@v1", 3))), "", checks.Pass, []string{"warn workflow-unpinned-action " + ci + ": is wrong"}, 0},
		{"nobody is trusted", tree(), tree(observed(ci, "h", seenIn(checks.RuleUnpinned, "actions/checkout@v4", 3))), "workflows: {unpinned_actions: block, trusted_owners: []}\n", checks.Fail, []string{"block workflow-unpinned-action " + ci + ": is wrong"}, 0},
		{"image under a preset that does not ask", tree(), tree(observed("Dockerfile", "h", seenIn(checks.RuleImage, "golang:1.26", 1))), "", checks.Pass, nil, 0},
		{"image", tree(), tree(observed("Dockerfile", "h", seenIn(checks.RuleImage, "golang:1.26", 1))), "dependencies: {images: block}\n", checks.Fail, []string{"block image-unpinned Dockerfile: is wrong"}, 0},
		{"rule of a later version", tree(), tree(observed(ci, "h", seenIn("workflow-new", "a", 1))), "", checks.Pass, []string{"warn workflow-new " + ci + ": is wrong"}, 0},
		{"accepted", tree(), tree(observed(ci, "h", injection)), "exceptions: [{id: E, rule: workflow-script-injection, path: " + ci + ", subject: 'job build: github.event.issue.title', until: 2026-12-01, reason: r}]\n", checks.Pass, []string{"accepted workflow-script-injection " + ci + ": is wrong"}, 0},
		{"accepted in another file", tree(), tree(observed(ci, "h", injection)), "exceptions: [{id: E, rule: workflow-script-injection, path: a.yml, until: 2026-12-01, reason: r}]\n", checks.Fail, block, 0},
		{"accepted for another subject", tree(), tree(observed(ci, "h", injection)), "exceptions: [{id: E, rule: workflow-script-injection, subject: job test, until: 2026-12-01, reason: r}]\n", checks.Fail, block, 0},
		{"base not read", tree(checks.Manifest{Path: ci, Digest: "b", Gap: "is cut off"}), tree(observed(ci, "h", seenIn(checks.RuleWriteAll, "job a", 3))), "", checks.Unknown, []string{"warn workflow-write-all " + ci + ": is wrong"}, 0},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			c := upgrade(t)
			c.policy, c.material.Base, c.material.Head = under(t, x.keys), x.base, x.head
			r := c.judge()
			older := 0
			for _, f := range r.Findings {
				if !f.Introduced {
					older++
				} else if f.Location.Line == 40 || f.Advisory != "" || f.Package != (checks.FindingPackage{}) || len(f.Fingerprint) != 64 || f.Remediation != "make it right" {
					t.Errorf("finding %+v", f)
				}
			}
			if got := shown(r); r.Verdict != x.want || !slices.Equal(got, append([]string{}, x.shown...)) || older != x.older {
				t.Errorf("got %v %q, %d older; want %v %q, %d\n%v", r.Verdict, got, older, x.want, x.shown, x.older, r.Reasons)
			}
		})
	}
}

// TestLookalikes: a name is reported when it is new at its place, and not when it is allowed.
func TestLookalikes(t *testing.T) {
	t.Parallel()
	fake := npm("lodahs", "1.0.0", 5)
	seen := func(side checks.Side) checks.Observed {
		o := seenIn(checks.RuleLookalike, "lodash", 5)
		o.Package = &fake
		return checks.Observed{Side: side, Path: "package-lock.json", Observation: o}
	}
	for _, x := range []struct {
		name, keys string
		base       []checks.Package
		observed   []checks.Observed
		want       []string
	}{
		{"new", "", nil, []checks.Observed{seen(checks.Head)}, []string{"warn lookalike-name lodahs: is wrong"}},
		{"there before in another version", "", []checks.Package{npm("lodahs", "0.9.0", 5)}, []checks.Observed{seen(checks.Head)}, nil},
		{"seen on both sides", "", nil, []checks.Observed{seen(checks.Base), seen(checks.Head)}, nil},
		{"allowed", "dependencies: {lookalikes: {allow: [lodahs]}}\n", nil, []checks.Observed{seen(checks.Head)}, nil},
		{"off", "dependencies: {lookalikes: off}\n", nil, []checks.Observed{seen(checks.Head)}, nil},
		{"blocks", "dependencies: {lookalikes: block}\n", nil, []checks.Observed{seen(checks.Head)}, []string{"block lookalike-name lodahs: is wrong"}},
		{"accepted", "dependencies: {lookalikes: block}\nexceptions: [{id: E, package: 'pkg:npm/lodahs', until: 2026-12-01, reason: r}]\n", nil, []checks.Observed{seen(checks.Head)}, []string{"accepted lookalike-name lodahs: is wrong"}},
	} {
		c := upgrade(t)
		c.policy = under(t, x.keys)
		c.material.Base, c.material.Head = tree(manifest("package-lock.json", "b", x.base...)), tree(manifest("package-lock.json", "h", fake))
		c.evidence[0].Observations = x.observed
		if got := shown(c.judge()); !slices.Equal(got, append([]string{}, x.want...)) {
			t.Errorf("%s: got %q, want %q", x.name, got, x.want)
		}
	}
}

// TestFingerprints: a finding keeps its identity when lines, texts and data change, and two
// problems never share one.
func TestFingerprints(t *testing.T) {
	t.Parallel()
	c := upgrade(t)
	c.policy = under(t, everyFactRule)
	judge := func(line int, words string) map[string]string {
		fact := told(npm("lodash", "4.17.20", 0))
		fact.Deprecated, fact.Yanked, fact.Licence = words, true, "GPL-3.0-only"
		c.material.Head = tree(manifest("package-lock.json", "h1", npm("lodash", "4.17.20", line)),
			observed("a.yml", "a", seenIn(checks.RuleInjection, "job a", line), seenIn(checks.RuleInjection, "job b", line), seenIn(checks.RuleCheckout, "job a", line)),
			observed("b.yml", "b", seenIn(checks.RuleInjection, "job a", line)))
		c.evidence = append(seen(match(checks.Head, "package-lock.json", npm("lodash", "4.17.20", line), advisory("GHSA-1", checks.SeverityLow))), registry(fact, told(npm("lodash", "4.17.19", 0))))
		found := map[string]string{}
		for _, f := range c.judge().Findings {
			if old, ok := found[f.Fingerprint]; ok {
				t.Errorf("%s shares its fingerprint with %s", f.Rule, old)
			}
			found[f.Fingerprint] = strings.Join([]string{f.Rule, f.Package.Name, f.Location.Path, f.Subject}, " ")
		}
		return found
	}
	first, second := judge(3, "x"), judge(30, "y")
	if diff := cmp.Diff(first, second); diff != "" || len(first) != 8 {
		t.Errorf("%d findings; fingerprints change with lines and words:\n%s", len(first), diff)
	}
}
