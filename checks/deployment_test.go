package checks_test

import (
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/checks"
)

// TestG36Deployment judges one deployment: each case changes one thing of a baseline that
// passes, and the reason says which.
func TestG36Deployment(t *testing.T) {
	t.Parallel()
	const commit, other = "1a2b3c4d1a2b3c4d1a2b3c4d1a2b3c4d1a2b3c4d", "ffffffffffffffffffffffffffffffffffffffff"
	type world struct {
		policy   string
		m        checks.Material
		evidence []checks.Evidence
	}
	lodash := checks.Package{PURL: "pkg:npm/lodash@4.17.20", Ecosystem: "npm", Name: "lodash", Version: "4.17.20", Line: 3, Scope: checks.ScopeRuntime}
	match := func(severity checks.Severity) []checks.Match {
		return []checks.Match{{Side: checks.Head, Path: "package-lock.json", Package: lodash, Advisory: checks.Advisory{ID: "GHSA-1", Severity: severity}}}
	}
	tests := []struct {
		name    string
		change  func(w *world)
		verdict checks.Verdict
		code    string
	}{
		{"baseline", func(*world) {}, checks.Pass, ""},
		{"high is open, critical is asked for", func(w *world) { w.evidence[0].Matches = match(checks.SeverityHigh) }, checks.Pass, ""},
		{"critical is open", func(w *world) { w.evidence[0].Matches = match(checks.SeverityCritical) }, checks.Fail, checks.CodeOpenFindings},
		{"critical is accepted", func(w *world) {
			w.evidence[0].Matches = match(checks.SeverityCritical)
			w.policy += "exceptions: [{id: E, advisory: GHSA-1, until: 2026-11-30, reason: r}]\n"
		}, checks.Pass, ""},
		{"no severity, medium is asked for", func(w *world) {
			w.policy = "version: 1\nenvironments: {production: {no_open: medium}}\n"
			w.evidence[0].Matches = match(checks.SeverityUnknown)
		}, checks.Fail, checks.CodeOpenFindings},
		{"a manifest was not read", func(w *world) { w.m.Head.Inventory.Manifests[0].Gap = "is cut" }, checks.Unknown, checks.CodeIncomplete},
		{"the tree was not listed whole", func(w *world) { w.m.Head.Gaps = []checks.Gap{{Reason: "tree is truncated"}} }, checks.Unknown, checks.CodeIncomplete},
		{"the scanner did not run", func(w *world) { w.evidence = nil }, checks.Unknown, checks.CodeScannerFailed},
		{"nothing is to be scanned", func(w *world) {
			w.policy = "version: 1\nenvironments: {production: {require: [release_passed]}}\n"
			w.evidence, w.m.Head = nil, checks.Tree{}
		}, checks.Pass, ""},
		{"the release failed", func(w *world) { w.m.Deployment.Releases[0].Verdict = checks.Fail }, checks.Fail, checks.CodeReleaseFailed},
		{"the release failed and is judged anew", func(w *world) {
			w.m.Deployment.Releases[0].Verdict, w.m.Deployment.Releases[0].Pending = checks.Fail, true
		}, checks.Fail, checks.CodeReleaseFailed},
		{"the release is unknown", func(w *world) { w.m.Deployment.Releases[0].Verdict = checks.Unknown }, checks.Unknown, checks.CodeIncomplete},
		{"the release passed and is judged anew", func(w *world) { w.m.Deployment.Releases[0].Pending = true }, checks.Unknown, checks.CodeReleaseMissing},
		{"a second release at the commit failed", func(w *world) {
			w.m.Deployment.Releases = append(w.m.Deployment.Releases, checks.ReleaseStanding{Tag: "v2", Verdict: checks.Fail})
		}, checks.Fail, checks.CodeReleaseFailed},
		{"no release", func(w *world) { w.m.Deployment.Releases = nil }, checks.Unknown, checks.CodeReleaseMissing},
		{"asked for another commit", func(w *world) { w.m.Deployment.Asked = other }, checks.Fail, checks.CodeCommitMismatch},
		{"nobody said for which commit", func(w *world) { w.m.Deployment.Asked = "" }, checks.Pass, ""},
		{"the run has no commit", func(w *world) { w.m.Deployment.Commit, w.m.Deployment.Asked = "", "" }, checks.Fail, checks.CodeCommitMismatch},
		{"another environment", func(w *world) { w.m.Subject.Environment = "staging" }, checks.Unknown, checks.CodeNoEnvironment},
		{"no policy file", func(w *world) { w.policy = "" }, checks.Unknown, checks.CodeNoEnvironment},
		{"observing does not loosen it", func(w *world) {
			w.policy += "mode: observe\n"
			w.m.Deployment.Releases[0].Verdict = checks.Fail
		}, checks.Fail, checks.CodeReleaseFailed},
		{"nothing is known", func(w *world) { w.m.Deployment = nil }, checks.Unknown, checks.CodeNothingToVerify},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := world{
				policy: "version: 1\nenvironments: {production: {require: [release_passed], no_open: critical}}\n",
				m: checks.Material{
					Subject: checks.Subject{Kind: checks.KindDeployment, Commit: commit, RunID: 7, RunAttempt: 1, Environment: "production"},
					Head:    checks.Tree{Inventory: checks.Inventory{Manifests: []checks.Manifest{{Path: "package-lock.json", Format: "package-lock.json", Packages: []checks.Package{lodash}}}}},
					Deployment: &checks.Deployment{Commit: commit, Asked: commit, Releases: []checks.ReleaseStanding{
						{ID: 1, Tag: "v1.0.0", Verdict: checks.Pass},
					}},
				},
				evidence: []checks.Evidence{{Scanner: "osv", Complete: true, DataTime: time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)}},
			}
			test.change(&w)
			p := checks.DefaultPolicy()
			if w.policy != "" {
				var err error
				if p, err = checks.ParsePolicy([]byte(w.policy), "p.yml"); err != nil {
					t.Fatal(err)
				}
			}
			r := checks.Judge(&w.m, p, w.evidence, time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC))
			code := ""
			if len(r.Reasons) > 0 {
				code = r.Reasons[0].Code
			}
			if r.Verdict != test.verdict || code != test.code {
				t.Errorf("got %s, %q, want %s, %q: %+v", r.Verdict, code, test.verdict, test.code, r.Reasons)
			}
		})
	}
}
