package output_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/output"
	"github.com/landwaiter/landwaiter/checks/signers"
)

// drifted is the report of a release that another workflow signed than the one before, under
// a policy with these rules.
func drifted(t *testing.T, rules string, change func(*signers.Known)) checks.Report {
	t.Helper()
	p := policy(t, "releases: {memory: {signers: block, assets: warn}}\n"+rules)
	k := signers.Known{Release: "v2.3.0", ReleaseID: 4, Since: time.Date(2026, 10, 1, 8, 0, 0, 0, time.UTC), Profile: signers.Profile{
		Issuer: actions, Signer: ".github/workflows/release.yml", Ref: "tag", Source: "tag", Runner: "github-hosted", Builder: ".github/workflows/release.yml",
	}}
	change(&k)
	m := &checks.Material{
		Subject: checks.Subject{Kind: checks.KindRelease, Repository: "acme/app", Ref: "refs/tags/v2.4.0", Commit: commit, RepositoryID: 11, ReleaseID: 5},
		Release: &checks.Release{
			ID: 5, Tag: "v2.4.0", TagRef: "refs/tags/v2.4.0", Commit: commit, Assets: []checks.Asset{{Name: "app", SHA256: sum}},
			Memory: &signers.Memory{Version: 3, Releases: 2, Known: []signers.Known{k}, Previous: "v2.3.0", Names: []string{"app", "app_*.deb"}, Shared: map[string]int{"pgp:A": 2}},
		},
	}
	signer := "https://github.com/acme/app/.github/workflows/other.yml@refs/tags/v2.4.0"
	e := checks.Evidence{Scanner: "sigstore", Complete: true, Attestations: []checks.Attestation{attested("app", sum, signer)}}
	return checks.Judge(m, p, []checks.Evidence{e}, now)
}

func unchanged(*signers.Known) {}

// TestDriftSideBySide: whoever reads the check, the issue or the terminal sees then and now.
func TestDriftSideBySide(t *testing.T) {
	t.Parallel()
	r := drifted(t, "", unchanged)
	run := output.ForCheck(r, output.Options{})
	const table = "| `app` | Then: `v2.3.0, 1 Oct 2026` | Now |\n|---|---|---|\n| Signer | `.github/workflows/release.yml` | `.github/workflows/other.yml` |\n"
	subject := r.Memory.Drift[0].Subject
	_, body := output.Issue(r, output.IssueOptions{Key: "k", State: "s"})
	for name, text := range map[string]string{"summary": run.Summary, "issue": body} {
		for _, part := range []string{table, "    rule: signer-drift\n    subject: " + subject + "\n", "| Runner | `github-hosted` | `github-hosted` |"} {
			if !strings.Contains(text, part) {
				t.Errorf("%s lacks\n%s\n%s", name, part, text)
			}
		}
		judgeMarkdown(t, text)
	}
	if run.Title != "Blocked: signed in another way than before" || run.Conclusion != "failure" {
		t.Errorf("check %s %q", run.Conclusion, run.Title)
	}
	if !strings.Contains(run.Text, "Memory of signers: 2 verified releases, 1 signer") || !strings.Contains(run.Text, "since v2.3.0 (1 Oct 2026)") {
		t.Errorf("text:\n%s", run.Text)
	}
	var b bytes.Buffer
	if err := output.Table(&b, r, false); err != nil {
		t.Fatal(err)
	}
	if want := "Signed in another way than before: app\n  then: v2.3.0, 1 Oct 2026\n  Signer             then  .github/workflows/release.yml\n                     now   .github/workflows/other.yml\n"; !strings.Contains(b.String(), want) {
		t.Errorf("terminal lacks\n%s\n%s", want, b.String())
	}
	accepted := drifted(t, "exceptions: [{id: E-7, rule: signer-drift, subject: '"+subject+"', until: 2026-12-01, reason: moved}]\n", unchanged)
	if s := output.ForCheck(accepted, output.Options{}).Summary; accepted.Verdict != checks.Pass || !strings.Contains(s, "Exception `E-7` accepts it until `2026-12-01`") {
		t.Errorf("accepted: %v\n%s", accepted.Verdict, s)
	}
}

// TestDriftIsEscaped: the names in a certificate are foreign text.
func TestDriftIsEscaped(t *testing.T) {
	t.Parallel()
	r := drifted(t, "", func(k *signers.Known) {
		k.Release, k.Signer = "v1|\n<img src=x> @everyone", "`|\n![x](https://evil.example) <script>"
	})
	run := output.ForCheck(r, output.Options{})
	judgeMarkdown(t, run.Summary)
	judgeMarkdown(t, run.Text)
}

// TestDriftJSON: the report says it in the published form, and comes back as it was.
func TestDriftJSON(t *testing.T) {
	t.Parallel()
	schema := reportSchema(t, true)
	withdrawn := func(k *signers.Known) { k.Withdrawn = true }
	for name, r := range map[string]checks.Report{"drift": drifted(t, "", unchanged), "withdrawn": drifted(t, "", withdrawn)} {
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
		b.Reset()
		if err := output.SARIF(&b, r); err != nil || !strings.Contains(b.String(), `"signer-drift"`) || !strings.Contains(b.String(), `"asset-names"`) {
			t.Errorf("%s: %v\n%s", name, err, b.String())
		}
		judgeSARIF(t, b.Bytes())
	}
}
