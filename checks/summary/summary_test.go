package summary_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/summary"
)

var (
	sumApp    = strings.Repeat("a1", 32)
	sumBundle = strings.Repeat("b7", 32)
	sumList   = strings.Repeat("c3", 32)
	verifier  = summary.Verifier{ID: "https://landwaiter.example.com"}
)

const workflow = "https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1.2.0"

// passing is a Report that summaries are made of.
func passing() checks.Report {
	return checks.Report{
		Subject: checks.Subject{Kind: checks.KindRelease, Repository: "acme/app", Ref: "refs/tags/v1.2.0", Commit: strings.Repeat("d", 40), RepositoryID: 7, ReleaseID: 9},
		Verdict: checks.Pass, Time: time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC),
		Policy: checks.PolicyRef{Digest: "sha256:" + strings.Repeat("0f", 32), Source: ".github/landwaiter.yml@" + strings.Repeat("e", 40)},
		Assets: []checks.AssetReport{{
			Name: "app.tar.gz", SHA256: sumApp, State: checks.AssetVerified,
			Signer:   checks.Signer{Issuer: "https://token.actions.githubusercontent.com", Identity: workflow},
			Source:   checks.Source{Repository: "https://github.com/acme/app", Ref: "refs/tags/v1.2.0", Commit: strings.Repeat("d", 40)},
			Builder:  checks.Builder{ID: workflow, Runner: "github-hosted", Level: "SLSA 2"},
			Evidence: []checks.EvidenceRef{{Kind: "provenance", Origin: "attestation-api", Name: "attestation 1 of 1", SHA256: sumBundle, Require: "provenance"}},
			Required: []string{"provenance"},
		}},
	}
}

// wantText is the summary of passing as it is signed.
const wantText = `{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"app.tar.gz","digest":{"sha256":"` +
	`a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"}}],"predicateType":"https://slsa.dev/verification_summary/v1",` +
	`"predicate":{"verifier":{"id":"https://landwaiter.example.com"},"timeVerified":"2026-11-28T10:00:00Z",` +
	`"resourceUri":"https://github.com/acme/app/releases/download/v1.2.0/app.tar.gz",` +
	`"policy":{"uri":"https://github.com/acme/app/blob/eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee/.github/landwaiter.yml",` +
	`"digest":{"sha256":"0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"}},` +
	`"inputAttestations":[{"uri":"https://github.com/acme/app/attestations","digest":{"sha256":"b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7"}}],` +
	`"verificationResult":"PASSED","verifiedLevels":["SLSA_BUILD_LEVEL_2"],"slsaVersion":"1.0"}}`

// TestMake compares the whole text: verifiers of others read these very fields.
func TestMake(t *testing.T) {
	t.Parallel()
	list, err := summary.Make(passing(), verifier)
	if err != nil || len(list) != 1 {
		t.Fatalf("%d summaries, %v", len(list), err)
	}
	text, err := list[0].Text()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wantText, string(text)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	again, err := summary.Make(passing(), verifier)
	if diff := cmp.Diff(list, again); diff != "" || err != nil {
		t.Errorf("the same report gives another summary: %v\n%s", err, diff)
	}
}

// TestV70V73Refused changes one thing of a Report that summaries are made of.
func TestV70V73Refused(t *testing.T) {
	t.Parallel()
	if _, err := summary.Make(passing(), verifier); err != nil {
		t.Fatalf("the baseline is refused: %v", err)
	}
	for _, c := range []struct {
		name, code string
		change     func(r *checks.Report, v *summary.Verifier)
	}{
		{"V70 fail", summary.RefusedNotPass, func(r *checks.Report, _ *summary.Verifier) { r.Verdict = checks.Fail }},
		{"V70 unknown", summary.RefusedNotPass, func(r *checks.Report, _ *summary.Verifier) { r.Verdict = checks.Unknown }},
		{"V70 zero report", summary.RefusedNotPass, func(r *checks.Report, _ *summary.Verifier) { *r = checks.Report{} }},
		{"V70 pass with a reason", summary.RefusedNotPass, func(r *checks.Report, _ *summary.Verifier) {
			r.Reasons = []checks.Reason{{Code: checks.CodeUnsigned}}
		}},
		{"V70 pull request", summary.RefusedKind, func(r *checks.Report, _ *summary.Verifier) { r.Subject.Kind = checks.KindPullRequest }},
		{"V70 local files", summary.RefusedKind, func(r *checks.Report, _ *summary.Verifier) { r.Subject.Kind = checks.KindArtifact }},
		{"V70 no tag", summary.RefusedKind, func(r *checks.Report, _ *summary.Verifier) { r.Subject.Ref = "refs/heads/main" }},
		{"V70 no repository", summary.RefusedKind, func(r *checks.Report, _ *summary.Verifier) { r.Subject.Repository = "" }},
		{"V70 no verifier", summary.RefusedVerifier, func(_ *checks.Report, v *summary.Verifier) { v.ID = "" }},
		{"V70 policy without digest", summary.RefusedPolicy, func(r *checks.Report, _ *summary.Verifier) { r.Policy.Digest = "" }},
		{"V70 policy without name", summary.RefusedPolicy, func(r *checks.Report, _ *summary.Verifier) { r.Policy.Source = "" }},
		{"V70 asset unsigned", summary.RefusedUnproven, func(r *checks.Report, _ *summary.Verifier) { r.Assets[0].State = checks.AssetUnsigned }},
		{"V70 asset state missing", summary.RefusedUnproven, func(r *checks.Report, _ *summary.Verifier) { r.Assets[0].State = "" }},
		{"V70 asset digest cut", summary.RefusedUnproven, func(r *checks.Report, _ *summary.Verifier) { r.Assets[0].SHA256 = "a1" }},
		{"V70 nothing asked", summary.RefusedNothing, func(r *checks.Report, _ *summary.Verifier) { r.Assets[0].Required = nil }},
		{"V70 no assets", summary.RefusedNothing, func(r *checks.Report, _ *summary.Verifier) { r.Assets = nil }},
		{"V73 evidence missing", summary.RefusedInputs, func(r *checks.Report, _ *summary.Verifier) { r.Assets[0].Evidence = nil }},
		{"V73 evidence without digest", summary.RefusedInputs, func(r *checks.Report, _ *summary.Verifier) { r.Assets[0].Evidence[0].SHA256 = "" }},
		{"V73 evidence without name", summary.RefusedInputs, func(r *checks.Report, _ *summary.Verifier) { r.Assets[0].Evidence[0].Name = "" }},
		{"V73 second requirement without evidence", summary.RefusedInputs, func(r *checks.Report, _ *summary.Verifier) {
			r.Assets[0].Required = append(r.Assets[0].Required, checks.RequireChecksum)
		}},
		{"V73 level 3 of the own workflow", summary.RefusedLevel, func(r *checks.Report, _ *summary.Verifier) { r.Assets[0].Builder.Level = "SLSA 3" }},
		{"V73 level 4", summary.RefusedLevel, func(r *checks.Report, _ *summary.Verifier) { r.Assets[0].Builder.Level = "SLSA 4" }},
		{"V73 level in words", summary.RefusedLevel, func(r *checks.Report, _ *summary.Verifier) { r.Assets[0].Builder.Level = "SLSA 2, or more" }},
		{"V73 self-hosted", summary.RefusedLevel, func(r *checks.Report, _ *summary.Verifier) { r.Assets[0].Builder.Runner = "self-hosted" }},
		{"V73 a signature alone", summary.RefusedLevel, func(r *checks.Report, _ *summary.Verifier) {
			r.Assets[0].Evidence[0].Kind = checks.AttestationSignature
		}},
		{"V73 a person signed", summary.RefusedLevel, func(r *checks.Report, _ *summary.Verifier) { r.Assets[0].Signer.Identity = "ann@example.com" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, v := passing(), verifier
			c.change(&r, &v)
			list, err := summary.Make(r, v)
			var refusal *summary.Refusal
			if !errors.As(err, &refusal) || refusal.Code != c.code || list != nil {
				t.Errorf("got %d summaries and %v, want %s", len(list), err, c.code)
			}
		})
	}
}

// TestMakeOthers: what is said of assets that are proven in other ways, and which get none.
func TestMakeOthers(t *testing.T) {
	t.Parallel()
	r := passing()
	digest := strings.Repeat("9", 64)
	r.Policy.Source = checks.PresetRecommended
	r.Subject.Ref = "refs/tags/app/v1.2.0"
	listed := checks.EvidenceRef{Kind: "checksum", Origin: "sidecar", Name: "SHA256SUMS", SHA256: sumList, Require: "signature"}
	signed := checks.EvidenceRef{Kind: "signature", Origin: "sidecar", Name: "SHA256SUMS.asc", SHA256: sumBundle, Require: "signature"}
	alsoListed := listed
	alsoListed.Require = "checksum"
	r.Assets = []checks.AssetReport{
		{Name: "app one.zip", SHA256: strings.ToUpper(sumApp), State: checks.AssetVerified, Builder: checks.Builder{Level: "signature"},
			Evidence: []checks.EvidenceRef{signed, listed, alsoListed}, Required: []string{"signature", "checksum"}},
		{Name: "SHA256SUMS", SHA256: sumList, State: checks.AssetVerified, Builder: checks.Builder{Level: "signature"},
			Evidence: []checks.EvidenceRef{signed}, Required: []string{"signature", "checksum"}},
		{Name: "SHA256SUMS.asc", SHA256: sumBundle, State: checks.AssetUnsigned, EvidenceFile: true},
		{Name: "notes.txt", SHA256: sumBundle, State: checks.AssetUnsigned},
		{Name: "ghcr.io/acme/app@sha256:" + digest, SHA256: digest, State: checks.AssetVerified, Builder: checks.Builder{Level: "signature"},
			Evidence: []checks.EvidenceRef{{Kind: "signature", Origin: "registry", Name: "referrer 1", SHA256: sumBundle, Require: "signature"}}, Required: []string{"signature"}},
		{Name: "pkg:npm/app@1.2.0", State: checks.AssetVerified, Required: []string{"provenance"}},
	}
	list, err := summary.Make(r, summary.Verifier{ID: verifier.ID, Server: "https://github.acme.example"})
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		Name, Digest, URI, Policy, Levels string
		Inputs                            []string
	}
	var got []row
	for _, s := range list {
		p := s.Predicate
		x := row{Name: s.Subject[0].Name, Digest: s.Subject[0].Digest["sha256"], URI: p.ResourceURI, Policy: p.Policy.URI, Levels: strings.Join(p.VerifiedLevels, " ")}
		for _, in := range p.InputAttestations {
			x.Inputs = append(x.Inputs, in.URI+" "+in.Digest["sha256"][:2])
		}
		got = append(got, x)
	}
	base := "https://github.acme.example/acme/app/releases/download/app%2Fv1.2.0/"
	image := "pkg:oci/app@sha256:" + digest + "?repository_url=ghcr.io%2Facme%2Fapp"
	want := []row{
		{"app one.zip", sumApp, base + "app%20one.zip", checks.PresetRecommended, "SLSA_BUILD_LEVEL_UNEVALUATED", []string{base + "SHA256SUMS.asc b7", base + "SHA256SUMS c3"}},
		{"SHA256SUMS", sumList, base + "SHA256SUMS", checks.PresetRecommended, "SLSA_BUILD_LEVEL_UNEVALUATED", []string{base + "SHA256SUMS.asc b7"}},
		{"ghcr.io/acme/app@sha256:" + digest, digest, image, checks.PresetRecommended, "SLSA_BUILD_LEVEL_UNEVALUATED", []string{image + " b7"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestSign: the envelope holds the text, and the signature is over DSSE's encoding of it.
func TestSign(t *testing.T) {
	t.Parallel()
	list, err := summary.Make(passing(), verifier)
	if err != nil {
		t.Fatal(err)
	}
	var signed string
	line, err := summary.Sign(list[0], "0a", func(m []byte) ([]byte, error) { signed = string(m); return []byte("sig"), nil })
	if err != nil {
		t.Fatal(err)
	}
	var e summary.Envelope
	if err := json.Unmarshal(line, &e); err != nil || strings.Contains(string(line), "\n") {
		t.Fatalf("%v in %q", err, line)
	}
	if want := "DSSEv1 28 application/vnd.in-toto+json 859 " + wantText; signed != want {
		t.Errorf("signed\n%s\nwant\n%s", signed, want)
	}
	if diff := cmp.Diff([]summary.Signature{{KeyID: "0a", Sig: "c2ln"}}, e.Signatures); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := summary.Sign(list[0], "0a", func([]byte) ([]byte, error) { return nil, errors.New("the key is away") }); err == nil {
		t.Error("an error of the key is lost")
	}
}
