package output_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/output"
)

const blockHigh = "dependencies:\n  vulnerabilities:\n    block: {severity: high, scope: [runtime]}\n"

// TestTitles holds the titles and conclusions of GITHUB.md sections 5 and 7.
func TestTitles(t *testing.T) {
	t.Parallel()
	enforce, observe := policy(t, blockHigh), policy(t, "mode: observe\n"+blockHigh)
	neutral := policy(t, "pull_request: {on_incomplete: neutral}\n"+blockHigh)
	excepted := policy(t, "exceptions: [{id: E-1, advisory: GHSA-0, until: 2026-12-24, reason: r}]\n"+blockHigh)
	a, b, c := pkg("example.com/a", "1.0.0", 3), pkg("example.com/b", "1.0.0", 4), pkg("example.com/c", "1.0.0", 5)
	all := []checks.Package{a, b, c}
	high := func(p checks.Package, i int) checks.Match {
		return hit(p, fmt.Sprintf("GHSA-%d", i), checks.SeverityHigh, "1.1.0")
	}
	low := hit(c, "GHSA-low", checks.SeverityLow, "1.1.0")
	unresolved := func(p *checks.Policy, n int) checks.Report {
		head := []checks.Package{}
		for i := range 9 {
			x := pkg(fmt.Sprintf("example.com/p%d", i), "1.0.0", i)
			if i < n {
				x.Version, x.Constraint = "", ">=1"
			}
			head = append(head, x)
		}
		return pull(p, nil, head)
	}
	broken := func(p *checks.Policy) checks.Report {
		m := &checks.Material{Subject: checks.Subject{Kind: checks.KindPullRequest}, Compared: true,
			PolicyChange: &checks.PolicyChange{Error: &checks.PolicyError{Line: 14, Message: "unknown preset `landwaiter:x@1`; there are a, b"}}}
		return checks.Judge(m, p, nil, now)
	}
	signed := policy(t, "releases: {assets: [{match: '*', require: [signature]}]}\n")
	observed := policy(t, "mode: observe\nreleases: {assets: [{match: '*', require: [signature]}]}\n")
	good := attested("app", digestOf(0), ownWorkflow)
	gone := release(signed, []string{"app", "b"}, good)
	gone.Verdict, gone.Assets[1].State = checks.Unknown, checks.AssetUnknown
	for _, x := range []struct {
		name              string
		report            checks.Report
		conclusion, title string
	}{
		{"nothing relevant changed", pull(enforce, nil, nil), "success", "No dependency changes"},
		{"clean", pull(enforce, nil, all), "success", "3 changes, no violations"},
		{"clean, one", pull(enforce, nil, all[:1]), "success", "1 change, no violations"},
		{"clean, observed", pull(observe, nil, all), "success", "3 changes, no violations"},
		{"only warnings", pull(enforce, nil, all, low, hit(b, "GHSA-low2", checks.SeverityMedium, "")), "neutral", "2 findings (not enforced)"},
		{"observe mode", pull(observe, nil, all, high(a, 1), low), "neutral", "2 findings (not enforced)"},
		{"violations", pull(enforce, nil, all, high(a, 1), high(b, 2), low), "failure", "2 violations, 1 warning"},
		{"one violation", pull(enforce, nil, all, high(a, 1)), "failure", "1 violation"},
		{"accepted", pull(excepted, nil, all, high(a, 0)), "success", "Passed with 1 accepted risk, expires 2026-12-24"},
		{"policy broken in this PR", broken(enforce), "failure", "Policy file line 14: unknown preset"},
		{"policy broken in this PR, observed", broken(observe), "neutral", "Policy file line 14: unknown preset (not enforced)"},
		{"data missing", unresolved(enforce, 4), "failure", "Could not check 4 of 9 packages"},
		{"G11 data missing, policy says neutral", unresolved(neutral, 4), "neutral", "Could not check 4 of 9 packages"},
		{"data missing, observed", unresolved(observe, 4), "neutral", "Could not check 4 of 9 packages (not enforced)"},
		{"release verified", release(signed, []string{"app"}, good), "success", "Release v2.4.0 verified"},
		{"release blocked", release(signed, []string{"install.sh"}), "failure", "Blocked: install.sh has no signature"},
		{"release blocked by several", release(signed, []string{"a", "b", "app"}), "failure", "Blocked: 3 of 3 assets failed"},
		{"release observed", release(observed, []string{"install.sh"}), "neutral", "install.sh has no signature (not enforced)"},
		{"release unknown", gone, "failure", "Could not verify 1 of 2 assets"},
		{"release without assets", release(signed, nil), "success", "Release v2.4.0 has no assets"},
		{"release with a long name", release(signed, []string{strings.Repeat("ä", 100)}), "failure", "Blocked: " + strings.Repeat("ä", 33) + "… has no signature"},
		{"release signed by another", release(signed, []string{"app"}, attested("app", digestOf(0), "https://github.com/evil/x/.github/workflows/r.yml@refs/tags/v1")), "failure", "Blocked: app has a wrong signer"},
		{"release with changed bytes", release(signed, []string{"app"}, attested("app", sum, ownWorkflow)), "failure", "Blocked: app does not match its signature"},
	} {
		run := output.ForCheck(x.report, output.Options{})
		if run.Title != x.title || run.Conclusion != x.conclusion || run.Status != "completed" || utf8.RuneCountInString(run.Title) > 60 {
			t.Errorf("%s: got %s, %q; want %s, %q", x.name, run.Conclusion, run.Title, x.conclusion, x.title)
		}
		name := "landwaiter/pr"
		if strings.HasPrefix(x.name, "release") {
			name = "landwaiter/release"
		}
		if run.Name != name {
			t.Errorf("%s: name %q", x.name, run.Name)
		}
	}
}

func TestForState(t *testing.T) {
	t.Parallel()
	pr, rel := output.CheckPullRequest, output.CheckRelease
	for _, x := range []struct {
		state                     output.State
		detail                    output.Detail
		status, conclusion, title string
	}{
		{output.StateQueued, output.Detail{Name: pr}, "queued", "", "Queued"},
		{output.StateWorking, output.Detail{Name: pr}, "in_progress", "", "Comparing dependencies"},
		{output.StateWorking, output.Detail{Name: rel, Want: 7}, "in_progress", "", "Verifying 7 assets"},
		{output.StateWaiting, output.Detail{Name: rel, Have: 5, Want: 7, Missing: []string{"a*"}}, "in_progress", "", "Waiting for assets (5 of 7)"},
		{output.StateDraft, output.Detail{Name: pr}, "completed", "skipped", "Draft pull request"},
		{output.StateSuperseded, output.Detail{Name: pr, Commit: "1a2b3c4d5e6f"}, "completed", "cancelled", "Superseded by 1a2b3c4"},
		{output.StateTimedOut, output.Detail{Name: pr, Retry: true}, "completed", "timed_out", "Timed out, retry scheduled"},
		{output.StateTimedOut, output.Detail{Name: pr, Retry: true, Observe: true}, "completed", "neutral", "Timed out, retry scheduled (not enforced)"},
		{output.StatePermission, output.Detail{Name: rel, Permission: "Attestations: read"}, "completed", "action_required", `Landwaiter needs "Attestations: read"`},
		{output.StatePermission, output.Detail{Name: rel, Permission: "Attestations: read", Observe: true}, "completed", "neutral", `Landwaiter needs "Attestations: read" (not enforced)`},
		{output.StateFailed, output.Detail{Name: pr, Reference: "A1B2C3"}, "completed", "failure", "Landwaiter failed, ref A1B2C3"},
		{output.StateFailed, output.Detail{Name: pr, Reference: "A1B2C3", Observe: true}, "completed", "neutral", "Landwaiter failed, ref A1B2C3 (not enforced)"},
		{output.StateDeleted, output.Detail{Name: rel}, "completed", "cancelled", "Gone"},
	} {
		run := output.ForState(x.state, x.detail)
		if run.Status != x.status || run.Conclusion != x.conclusion || run.Title != x.title || run.Name != x.detail.Name || run.Summary == "" {
			t.Errorf("%s: got %+v", x.state, run)
		}
	}
}

// TestSummary holds the layout of GITHUB.md section 5.
func TestSummary(t *testing.T) {
	t.Parallel()
	p := policy(t, "extends: [landwaiter:recommended@1]\n"+blockHigh)
	net, text := pkg("golang.org/x/net", "0.31.0", 14), pkg("golang.org/x/text", "0.3.0", 15)
	net.Relation, net.Via = checks.Transitive, []string{"a", "b", "golang.org/x/net"}
	r := pull(p, []checks.Package{pkg("golang.org/x/net", "0.30.0", 14), pkg("old", "1.0.0", 9)},
		[]checks.Package{net, text, pkg("old", "1.0.0", 9)},
		hit(net, "GHSA-xxxx", checks.SeverityHigh, "0.38.0"), hit(text, "GHSA-yyyy", checks.SeverityCritical, ""),
		hit(text, "GHSA-zzzz", checks.SeverityLow, ""))
	older := r.Findings[0]
	older.Introduced, older.Level = false, ""
	for range 12 {
		r.Findings = append(r.Findings, older)
	}
	run := output.ForCheck(r, output.Options{DetailsURL: "https://landwaiter.example.com/x", LedgerIndex: 41, Checkpoint: "landwaiter.example.com/ledger\n42\nabc=\n\n— key sig\n"})
	want := "**2 violations block this pull request** (policy `.github/landwaiter.yml@ccccccc`, data 09:10 UTC)\n" + `
| Change | Package | From -> To | Problem | Fix |
|---|---|---|---|---|
| new | ` + "`golang.org/x/text` | `0.3.0` | `GHSA-yyyy` critical, `GHSA-zzzz` low (warning)" + ` | no fix yet |
| upgrade | ` + "`golang.org/x/net` | `0.30.0` -> `0.31.0` | `GHSA-xxxx` high, via `a` > `b` | `0.38.0`" + ` |

### How to fix
` + "```sh\ngo get golang.org/x/net@v0.38.0 && go mod tidy\n```\n" +
		"- `golang.org/x/text`: No fix yet. Replace `golang.org/x/text` or do without it; or, when the affected part is not used, have the owners accept the risk for a while with an exception in the policy.\n" + `
### Why
` + "- `no-known-high`: runtime dependency with a known critical or high advisory (policy line 5)" + `

### Accepted risks
- none

[Explain this result](https://landwaiter.example.com/x) · 12 older findings not caused by this change · ledger entry 41
`
	if diff := cmp.Diff(want, run.Summary); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
	if !strings.HasPrefix(run.Text, "<details><summary><code>go.mod</code>: 2 changes, 3 findings</summary>\n\n") ||
		!strings.Contains(run.Text, "<summary>Ledger entry 41</summary>\n\n```text\nlandwaiter.example.com/ledger\n42\n") {
		t.Errorf("text:\n%s", run.Text)
	}
}

func TestSummaryTellsOfThePolicyChange(t *testing.T) {
	t.Parallel()
	a := pkg("a", "1.0.0", 1)
	m := &checks.Material{
		Subject: checks.Subject{Kind: checks.KindPullRequest}, Compared: true,
		Head:         checks.Tree{Inventory: checks.Inventory{Manifests: []checks.Manifest{{Path: "go.mod", Digest: "h", Packages: []checks.Package{a}}}}},
		PolicyChange: &checks.PolicyChange{Path: ".github/landwaiter.yml", Preview: policy(t, "dependencies: {vulnerabilities: {block: {severity: low}}}\n")},
	}
	e := checks.Evidence{Scanner: "osv", Complete: true, Matches: []checks.Match{hit(a, "GHSA-1", checks.SeverityLow, "2.0.0")}}
	run := output.ForCheck(checks.Judge(m, policy(t, blockHigh), []checks.Evidence{e}, now), output.Options{})
	want := "> This pull request edits the policy; it is judged by the rules of the base branch. Under the proposed policy: 1 violation more\n"
	if !strings.Contains(run.Summary, want) || run.Conclusion != "neutral" {
		t.Errorf("%s\n%s", run.Conclusion, run.Summary)
	}
}

func TestAnnotations(t *testing.T) {
	t.Parallel()
	var head []checks.Package
	var matches []checks.Match
	for i := range 120 {
		p := pkg(fmt.Sprintf("p%d", i), "1.0.0", i)
		head = append(head, p)
		matches = append(matches, hit(p, "GHSA-1", checks.Severity(1+i%4), "2.0.0"))
	}
	r := pull(policy(t, blockHigh), nil, head, matches...)
	got := output.ForCheck(r, output.Options{}).Annotations
	if len(got) != 120 {
		t.Fatalf("%d annotations; the publisher cuts them into batches, not we", len(got))
	}
	failures := 0
	for i, a := range got {
		if a.Level == "failure" {
			failures++
		}
		if a.Level == "failure" && i >= 60 || a.StartLine < 1 || a.EndLine != a.StartLine || a.Path != "go.mod" || a.Message == "" || len(a.Title) > 255 {
			t.Errorf("annotation %d: %+v", i, a)
		}
	}
	if failures != 60 {
		t.Errorf("%d failures", failures)
	}
	want := output.Annotation{Path: "go.mod", StartLine: 3, EndLine: 3, Level: "failure", Title: "critical: p3 1.0.0 (GHSA-1)",
		Message: "a problem of p3\nFix: go get p3@v2.0.0 && go mod tidy\n# 2.0.0 is a new major version: read its changelog", RawDetails: "risk 53: severity +48 (critical, without a CVSS score), depth +5 (direct dependency)"}
	for _, a := range got {
		if a.StartLine == 3 {
			if diff := cmp.Diff(want, a); diff != "" {
				t.Errorf("annotation (-want +got):\n%s", diff)
			}
		}
	}
	r.Policy.Mode = "observe"
	for _, a := range output.ForCheck(r, output.Options{}).Annotations {
		if a.Level == "failure" {
			t.Fatal("observe mode annotates a failure")
		}
	}
}

// TestBodyLimits: 5,000 changed packages with names of several bytes a character stay below
// GitHub's limit, in bytes, as whole characters, and say that they were cut.
func TestBodyLimits(t *testing.T) {
	t.Parallel()
	var head []checks.Package
	var matches []checks.Match
	for i := range 5000 {
		p := pkg(fmt.Sprintf("пакет-%d-%s", i, strings.Repeat("日本", 60)), "1.0.0", i)
		p.Version = "" // listed as unresolved as well
		head = append(head, p)
		matches = append(matches, hit(p, "GHSA-1", checks.SeverityHigh, "2.0.0"))
	}
	r := pull(policy(t, blockHigh), nil, head, matches...)
	run := output.ForCheck(r, output.Options{DetailsURL: "https://landwaiter.example.com/x", Checkpoint: "c"})
	for name, s := range map[string]string{"summary": run.Summary, "text": run.Text} {
		if len(s) > output.MaxBody || !utf8.ValidString(s) {
			t.Errorf("%s has %d bytes", name, len(s))
		}
	}
	if !strings.Contains(run.Summary, "\nand 4980 more\n") {
		t.Errorf("the table does not say that it was cut:\n%.400s", run.Summary)
	}
	if !strings.Contains(run.Text, "[Read all of it](https://landwaiter.example.com/x)") || !strings.Contains(run.Text, "Ledger entry 0") {
		t.Errorf("the text was cut without a word: …%s", run.Text[len(run.Text)-300:])
	}
}

func TestReleaseSummary(t *testing.T) {
	t.Parallel()
	p := policy(t, "releases: {assets: [{match: '*', require: [provenance]}]}\n")
	other := "https://github.com/evil/x/.github/workflows/r.yml@refs/tags/v1"
	r := release(p, []string{"app", "lib", "lib.sig", "install.sh"}, attested("app", digestOf(0), ownWorkflow), attested("lib", digestOf(1), other))
	got := output.ForCheck(r, output.Options{}).Summary
	for _, want := range []string{
		"**The release `v2.4.0` fails** (policy `.github/landwaiter.yml@ccccccc`)\n",
		"| Asset | State | Signer | Built from | Runner | Level |\n|---|---|---|---|---|---|\n| `lib` | wrong signer | `evil/x/.github/workflows/r.yml@refs/tags/v1` |",
		"| `app` | verified | `acme/app/.github/workflows/release.yml@refs/tags/v2.4.0` | `acme/app ccccccc (refs/tags/v2.4.0)` | `github-hosted` | SLSA 2 |\n",
		"| `lib.sig` | evidence |",
		"| `lib` | Expected | Found |\n|---|---|---|\n| Issuer | `" + actions + "` | `" + actions + "` |\n| Signer | `https://github.com/acme/app/.github/workflows/*` | `" + other + "` |\n",
		"\n### How to fix\n",
		"        workflow: \"evil/x/.github/workflows/r.yml\"\n        ref: \"refs/tags/v*\"\n",
		"      - uses: actions/attest-build-provenance@v3\n        with:\n          subject-path: |\n            dist/install.sh\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("missing %q in\n%s", want, got)
		}
	}
}

func TestIssue(t *testing.T) {
	t.Parallel()
	r := release(policy(t, ""), []string{"install.sh"})
	title, body := output.Issue(r, output.IssueOptions{
		DetailsURL: "https://landwaiter.example.com/r/5", Key: "release:11:5", State: "sha256:ab", Reverted: true, Workflow: ".github/workflows/release.yml",
		Owners:   []checks.Owner{{User: "ann"}, {Team: "org/payments"}, {Email: "x@example.com"}, {User: "evil name"}},
		OwnerWhy: "from CODEOWNERS `/services/pay/`", Due: time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC), DueWhy: "critical, 2 days",
	})
	if title != "Release v2.4.0: install.sh has no signature" {
		t.Errorf("title %q", title)
	}
	for _, want := range []string{
		"It was published and is a draft again. Nothing was deleted.\n",
		"| `install.sh` | unsigned |",
		"uses: actions/attest-build-provenance@v3",
		"The workflow to change is `.github/workflows/release.yml`.",
		"\n**Due** 25 Nov 2026 (critical, 2 days) · **Owner** @ann, @org/payments, from CODEOWNERS `/services/pay/`\n[History and evidence](https://landwaiter.example.com/r/5)\n<!-- landwaiter:finding v=1 key=release:11:5 state=sha256:ab -->\n",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("missing %q in\n%s", want, body)
		}
	}
	if m, ok := output.ParseMarker(body); !ok || m != (output.Marker{Version: 1, Key: "release:11:5", State: "sha256:ab"}) {
		t.Errorf("marker %+v, %v", m, ok)
	}
	if _, ok := output.ParseMarker("text <!-- landwaiter:finding v=1 key=a state=b --> text"); ok {
		t.Error("a quoted marker counts")
	}
	if s := (output.Marker{Version: 1, Key: "a --> <b>", State: "x"}).String(); strings.Count(s, "-->") != 1 || strings.Contains(s, "<b>") {
		t.Errorf("marker ends early: %s", s)
	}
}
