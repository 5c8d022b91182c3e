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

const (
	actions  = "https://token.actions.githubusercontent.com"
	workflow = "https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1.2.0"
)

var (
	commit    = strings.Repeat("c", 40)
	sumApp    = strings.Repeat("a1", 32)
	sumBundle = strings.Repeat("b7", 32)
	sumLib    = strings.Repeat("b2", 32)
)

// relCase is one release under judgment.
type relCase struct {
	material checks.Material
	policy   *checks.Policy
	evidence checks.Evidence
}

func (c *relCase) release() *checks.Release         { return c.material.Release }
func (c *relCase) attestation() *checks.Attestation { return &c.evidence.Attestations[0] }
func (c *relCase) judge() checks.Report {
	return checks.Judge(&c.material, c.policy, []checks.Evidence{c.evidence}, now)
}

// provenance attests the digest under name, as attest-build-provenance in release.yml does.
func provenance(name, digest string) checks.Attestation {
	build := checks.Build{
		Repository: "https://github.com/acme/app", RepositoryID: "11", OwnerID: "22", Ref: "refs/tags/v1.2.0", Commit: commit,
		BuilderID: workflow, Config: workflow, Runner: "github-hosted", Trigger: "push", Run: "https://github.com/acme/app/actions/runs/1/attempts/1",
	}
	return checks.Attestation{
		Bundle: "attestation 1 of 1", Origin: checks.OriginAttestationAPI, SHA256: sumBundle, Kind: checks.AttestationProvenance, PredicateType: "https://slsa.dev/provenance/v1",
		Subjects: []checks.AttestedSubject{{Name: name, Digest: map[string]string{"sha256": digest}}},
		Root:     checks.RootPublicGood, Signer: checks.Signer{Issuer: actions, Identity: workflow},
		Certificate: build, Claim: build, Time: now.Add(-time.Hour),
	}
}

func asset(name, digest string) checks.Asset {
	return checks.Asset{Name: name, Size: 10, Read: 10, SHA256: digest, GitHubDigest: "sha256:" + digest}
}

// genuine is the baseline: release v1.2.0 of acme/app with one asset, attested by its own
// release workflow from the tag's commit, under a policy that asks for provenance.
func genuine(t *testing.T) *relCase {
	t.Helper()
	p, err := checks.ParsePolicy([]byte("version: 1\nreleases: {assets: [{match: '*', require: [provenance]}]}\n"), "p.yml")
	if err != nil {
		t.Fatal(err)
	}
	return &relCase{
		material: checks.Material{
			Subject: checks.Subject{Kind: checks.KindRelease, Repository: "acme/app", Ref: "refs/tags/v1.2.0", Commit: commit, RepositoryID: 11, ReleaseID: 5},
			Release: &checks.Release{
				ID: 5, Tag: "v1.2.0", TagRef: "refs/tags/v1.2.0", Commit: commit, DefaultBranch: "main", RepositoryID: 11, OwnerID: 22,
				Assets: []checks.Asset{asset("app.tar.gz", sumApp)}, Roots: []string{checks.RootPublicGood},
			},
		},
		policy:   p,
		evidence: checks.Evidence{Scanner: "sigstore", Complete: true, Attestations: []checks.Attestation{provenance("app.tar.gz", sumApp)}},
	}
}

// foreign is a genuine attestation by somebody else over the digest.
func foreign(i int, digest string) checks.Attestation {
	a := provenance("app.tar.gz", digest)
	other := fmt.Sprintf("https://github.com/evil/app%d", i)
	a.Signer.Identity = other + "/.github/workflows/release.yml@refs/tags/v1.2.0"
	a.Certificate.Repository, a.Certificate.RepositoryID, a.Certificate.BuilderID = other, "99", a.Signer.Identity
	a.Claim = a.Certificate
	return a
}

func signature() checks.Attestation {
	a := provenance("app.tar.gz", sumApp)
	a.Kind, a.PredicateType, a.Claim, a.For = checks.AttestationSignature, "", checks.Build{}, "app.tar.gz"
	return a
}

func signer(s checks.SignerRule) func(*relCase) {
	return func(c *relCase) { c.policy.Releases.Trust.Signers = []checks.SignerRule{s} }
}

func TestJudgeReleaseBaseline(t *testing.T) {
	t.Parallel()
	r := genuine(t).judge()
	want := []checks.AssetReport{{
		Name: "app.tar.gz", SHA256: sumApp, State: checks.AssetVerified, Signer: checks.Signer{Issuer: actions, Identity: workflow},
		Source:   checks.Source{Repository: "https://github.com/acme/app", Ref: "refs/tags/v1.2.0", Commit: commit},
		Builder:  checks.Builder{ID: workflow, Runner: "github-hosted", Level: "SLSA 2"},
		Evidence: []checks.EvidenceRef{{Kind: "provenance", Origin: "attestation-api", Name: "attestation 1 of 1", SHA256: sumBundle, Require: "provenance"}}, Required: []string{"provenance"},
		Run: "https://github.com/acme/app/actions/runs/1/attempts/1",
	}}
	if r.Verdict != checks.Pass || len(r.Reasons) > 0 {
		t.Fatalf("got %v: %v", r.Verdict, r.Reasons)
	}
	if diff := cmp.Diff(want, r.Assets); diff != "" {
		t.Errorf("assets (-want +got):\n%s", diff)
	}
}

// TestJudgeRelease changes one thing of the baseline, which passes, and names the reason. The
// names carry the rows of THREATS.md section 3.
func TestJudgeRelease(t *testing.T) {
	t.Parallel()
	claim := func(change func(*checks.Build)) func(*relCase) {
		return func(c *relCase) { change(&c.attestation().Claim) }
	}
	both := func(change func(*checks.Build)) func(*relCase) {
		return func(c *relCase) { change(&c.attestation().Certificate); change(&c.attestation().Claim) }
	}
	identity := func(san string) func(*relCase) {
		return func(c *relCase) { c.attestation().Signer.Identity = san }
	}
	subject := func(s ...checks.AttestedSubject) func(*relCase) {
		return func(c *relCase) { c.attestation().Subjects = s }
	}
	problem := func(code string) func(*relCase) {
		return func(c *relCase) { c.attestation().Problem = &checks.Reason{Code: code, Message: "as the scanner says"} }
	}
	named := func(digest map[string]string) checks.AttestedSubject {
		return checks.AttestedSubject{Name: "app.tar.gz", Digest: digest}
	}
	own := checks.SignerRule{Issuer: actions, Workflow: "acme/app/.github/workflows/release.yml", Ref: "refs/tags/v*.*.*"}
	reusable := checks.SignerRule{Issuer: actions, Workflow: "acme/build/.github/workflows/build.yml"}
	reused := func(c *relCase) {
		signer(reusable)(c)
		c.attestation().Signer.Identity = "https://github.com/acme/build/.github/workflows/build.yml@refs/tags/v3.0.0"
		c.attestation().Certificate.BuilderID = c.attestation().Signer.Identity
		c.attestation().Claim.BuilderID = c.attestation().Signer.Identity
	}
	for _, x := range []struct {
		name   string
		change func(*relCase)
		state  checks.AssetState
		code   string
	}{
		{"V03 our digest is empty", func(c *relCase) { c.release().Assets[0].SHA256 = "" }, checks.AssetInvalid, checks.CodeDigestInvalid},
		{"V03 our digest is no digest", func(c *relCase) { c.release().Assets[0].SHA256 = strings.Repeat("x", 64) }, checks.AssetInvalid, checks.CodeDigestInvalid},
		{"V03 our sha512 is no digest", func(c *relCase) { c.release().Assets[0].SHA512 = "d" }, checks.AssetInvalid, checks.CodeDigestInvalid},
		{"V01 we know sha512 alone, the statement names another", func(c *relCase) {
			c.release().Assets[0].SHA256, c.release().Assets[0].SHA512 = "", strings.Repeat("d", 128)
			c.release().Assets[0].GitHubDigest = ""
			subject(named(map[string]string{"sha256": sumApp, "sha512": strings.Repeat("e", 128)}))(c)
		}, checks.AssetInvalid, checks.CodeDigestMismatch},
		{"V03 subject digest is empty", subject(named(map[string]string{"sha256": ""})), checks.AssetInvalid, checks.CodeDigestInvalid},
		{"V03 subject without digests", subject(named(nil)), checks.AssetInvalid, checks.CodeDigestInvalid},
		{"V04 short download", func(c *relCase) { c.release().Assets[0].Read = 9 }, checks.AssetInvalid, checks.CodeSizeMismatch},
		{"V05 empty download of an attested empty file", func(c *relCase) { c.release().Assets[0].Read = 0 }, checks.AssetInvalid, checks.CodeSizeMismatch},
		{"V06 only sha1", subject(named(map[string]string{"sha1": commit})), checks.AssetInvalid, checks.CodeDigestWeak},
		{"V06 only gitCommit", subject(named(map[string]string{"gitCommit": commit})), checks.AssetInvalid, checks.CodeDigestWeak},
		{"V07 sha256 right and sha512 wrong", func(c *relCase) {
			c.release().Assets[0].SHA512 = strings.Repeat("d", 128)
			subject(named(map[string]string{"sha256": sumApp, "sha512": strings.Repeat("e", 128)}))(c)
		}, checks.AssetInvalid, checks.CodeDigestConflict},
		{"V01 one byte changed", func(c *relCase) {
			c.release().Assets[0] = asset("app.tar.gz", sumLib)
		}, checks.AssetInvalid, checks.CodeDigestMismatch},
		{"V01 sidecar of other bytes beside a foreign attestation", func(c *relCase) {
			c.release().Assets[0] = asset("app.tar.gz", sumLib)
			c.attestation().For = "app.tar.gz"
			c.evidence.Attestations = append(c.evidence.Attestations, foreign(1, sumLib))
		}, checks.AssetInvalid, checks.CodeDigestMismatch},
		{"GitHub lists other bytes", func(c *relCase) { c.release().Assets[0].GitHubDigest = "sha256:" + sumLib }, checks.AssetInvalid, checks.CodeDigestMismatch},
		{"V08 subject has another name", subject(checks.AttestedSubject{Name: "dist/other.tar.gz", Digest: map[string]string{"sha256": sumApp}}), checks.AssetInvalid, checks.CodeNameMismatch},
		{"V09 no statement names it", func(c *relCase) {
			c.release().Assets = append(c.release().Assets[:0:0], asset("extra.sh", sumLib), c.release().Assets[0])
		}, checks.AssetUnsigned, checks.CodeAssetUnproven},
		{"V11 plain signature where provenance is required", func(c *relCase) { c.evidence.Attestations[0] = signature() }, checks.AssetUnsigned, checks.CodeNotProvenance},
		{"V13 an SBOM where provenance is required", func(c *relCase) {
			c.attestation().Kind, c.attestation().PredicateType = checks.AttestationSBOM, "https://spdx.dev/Document"
		}, checks.AssetUnsigned, checks.CodePredicateType},
		{"V14 statement type unknown", func(c *relCase) {
			c.attestation().Kind, c.attestation().PredicateType = checks.AttestationOther, "https://example.com/x"
		}, checks.AssetUnsigned, checks.CodePredicateType},
		{"V13 predicate type is not the one named", func(c *relCase) {
			c.policy.Releases.Assets[0].PredicateType = "https://slsa.dev/provenance/v0.2"
		}, checks.AssetUnsigned, checks.CodePredicateType},
		{"V17 no attestation", func(c *relCase) { c.evidence.Attestations = nil }, checks.AssetUnsigned, checks.CodeNoneAcceptable},
		{"V17 only foreign ones", func(c *relCase) {
			c.evidence.Attestations = []checks.Attestation{foreign(1, sumApp), foreign(2, sumApp)}
		}, checks.AssetWrongSigner, checks.CodeNoneAcceptable},
		{"no attestation where a signature is required", func(c *relCase) {
			c.evidence.Attestations = nil
			c.policy.Releases.Assets[0].Require = []string{checks.RequireSignature}
		}, checks.AssetUnsigned, checks.CodeUnsigned},
		{"V20 evil host carries ours as query", identity("https://evil.example/?x=" + workflow), checks.AssetWrongSigner, checks.CodeSignerMismatch},
		{"V20 acme/app-evil", identity(strings.Replace(workflow, "acme/app", "acme/app-evil", 1)), checks.AssetWrongSigner, checks.CodeSignerMismatch},
		{"V20 releaseXyml", func(c *relCase) {
			signer(own)(c)
			identity(strings.Replace(workflow, "release.yml", "releaseXyml", 1))(c)
		}, checks.AssetWrongSigner, checks.CodeSignerMismatch},
		{"V20 folder below the workflows", identity(strings.Replace(workflow, "workflows/", "workflows/x/", 1)), checks.AssetWrongSigner, checks.CodeSignerMismatch},
		{"V20 branch whose name ends like a tag", func(c *relCase) {
			signer(own)(c)
			identity(strings.Replace(workflow, "@", "@refs/heads/x@", 1))(c)
		}, checks.AssetWrongSigner, checks.CodeSignerRef},
		{"V21 other issuer", func(c *relCase) { c.attestation().Signer.Issuer = "https://accounts.google.com" }, checks.AssetWrongSigner, checks.CodeIssuerMismatch},
		{"V22 issuer with a tail", func(c *relCase) { c.attestation().Signer.Issuer += ".evil.example" }, checks.AssetWrongSigner, checks.CodeIssuerMismatch},
		{"V22 enterprise slug that is not configured", func(c *relCase) { c.attestation().Signer.Issuer += "/hammer-time" }, checks.AssetWrongSigner, checks.CodeIssuerMismatch},
		{"V23 repository changed", both(func(b *checks.Build) { b.Repository = "https://github.com/acme/other" }), checks.AssetWrongSigner, checks.CodeSourceMismatch},
		{"V23 repository absent", both(func(b *checks.Build) { b.Repository = "" }), checks.AssetWrongSigner, checks.CodeSourceMismatch},
		{"V23 repository number absent", both(func(b *checks.Build) { b.RepositoryID = "" }), checks.AssetWrongSigner, checks.CodeRepoIDMismatch},
		{"V23 ref changed", both(func(b *checks.Build) { b.Ref = "refs/tags/v1.1.0" }), checks.AssetInvalid, checks.CodeRefNotAllowed},
		{"V23 ref absent", both(func(b *checks.Build) { b.Ref = "" }), checks.AssetInvalid, checks.CodeRefNotAllowed},
		{"V23 commit absent", both(func(b *checks.Build) { b.Commit = "" }), checks.AssetInvalid, checks.CodeCommitMismatch},
		{"V23 trigger absent", both(func(b *checks.Build) { b.Trigger = "" }), checks.AssetInvalid, checks.CodeTriggerNotAllowed},
		{"V23 trigger of anybody", both(func(b *checks.Build) { b.Trigger = "issue_comment" }), checks.AssetInvalid, checks.CodeTriggerNotAllowed},
		{"V24 our reusable workflow, called by a foreign repository", func(c *relCase) {
			reused(c)
			both(func(b *checks.Build) { b.Repository = "https://github.com/evil/app" })(c)
		}, checks.AssetWrongSigner, checks.CodeSourceMismatch},
		{"V25 our repository, foreign reusable workflow", identity("https://github.com/evil/build/.github/workflows/build.yml@refs/tags/v1.0.0"), checks.AssetWrongSigner, checks.CodeSignerMismatch},
		{"V26 source is a pull request", both(func(b *checks.Build) { b.Ref = "refs/pull/5/merge" }), checks.AssetInvalid, checks.CodeRefNotAllowed},
		{"V26 source is a pull request that the policy seems to allow", func(c *relCase) {
			c.policy.Releases.Trust.SourceRefs = []string{"refs/*"}
			both(func(b *checks.Build) { b.Ref = "refs/pull/5/merge" })(c)
		}, checks.AssetInvalid, checks.CodeRefNotAllowed},
		{"V26 trigger pull_request", both(func(b *checks.Build) { b.Trigger = "pull_request" }), checks.AssetInvalid, checks.CodeRefNotAllowed},
		{"V26 trigger pull_request_target", both(func(b *checks.Build) { b.Trigger = "pull_request_target" }), checks.AssetInvalid, checks.CodeRefNotAllowed},
		{"V27 signer at a branch", func(c *relCase) {
			signer(own)(c)
			identity(strings.Replace(workflow, "refs/tags/v1.2.0", "refs/heads/main", 1))(c)
		}, checks.AssetWrongSigner, checks.CodeSignerRef},
		{"V27 signer at a moving tag", func(c *relCase) {
			signer(own)(c)
			identity(strings.Replace(workflow, "refs/tags/v1.2.0", "refs/tags/v1", 1))(c)
		}, checks.AssetWrongSigner, checks.CodeSignerRef},
		{"V27 signer at a pull request", identity(strings.Replace(workflow, "refs/tags/v1.2.0", "refs/pull/5/merge", 1)), checks.AssetWrongSigner, checks.CodeSignerRef},
		{"V28 self-hosted runner", both(func(b *checks.Build) { b.Runner = "self-hosted" }), checks.AssetInvalid, checks.CodeRunnerNotAllowed},
		{"V28 runner absent", both(func(b *checks.Build) { b.Runner = "" }), checks.AssetInvalid, checks.CodeRunnerNotAllowed},
		{"V29 other commit than the tag's", func(c *relCase) { c.release().Commit = strings.Repeat("d", 40) }, checks.AssetInvalid, checks.CodeCommitMismatch},
		{"V55 old asset in a new release", func(c *relCase) {
			c.release().Tag, c.release().TagRef, c.release().Commit = "v1.3.0", "refs/tags/v1.3.0", strings.Repeat("d", 40)
			both(func(b *checks.Build) { b.Ref = "refs/heads/main" })(c)
		}, checks.AssetInvalid, checks.CodeCommitMismatch},
		{"V30 same name, other repository number", both(func(b *checks.Build) { b.RepositoryID = "12" }), checks.AssetWrongSigner, checks.CodeRepoIDMismatch},
		{"V30 same name, other owner number", both(func(b *checks.Build) { b.OwnerID = "23" }), checks.AssetWrongSigner, checks.CodeRepoIDMismatch},
		{"V30 fork", both(func(b *checks.Build) { b.Repository = "https://github.com/fork/app" }), checks.AssetWrongSigner, checks.CodeSourceMismatch},
		{"V31 half of one rule and half of the other", func(c *relCase) {
			c.policy.Releases.Trust.Signers = []checks.SignerRule{
				{Issuer: "https://weak.example", Workflow: "acme/app/.github/workflows/release.yml"},
				{Issuer: actions, Workflow: "acme/build/.github/workflows/strong.yml"},
			}
			c.attestation().Signer.Issuer = actions
		}, checks.AssetWrongSigner, checks.CodeIssuerMismatch},
		{"V31 a weak rule for signatures does not satisfy provenance", func(c *relCase) {
			c.policy.Releases.Assets[0].Require = []string{checks.RequireSignature, checks.RequireProvenance}
			c.evidence.Attestations[0] = signature()
		}, checks.AssetUnsigned, checks.CodeNotProvenance},
		{"V32 two names in the certificate", problem(checks.CodeSignerMismatch), checks.AssetWrongSigner, checks.CodeSignerMismatch},
		{"V32 e-mail identity", identity("ann@example.com"), checks.AssetWrongSigner, checks.CodeSignerMismatch},
		{"V33 key-signed", func(c *relCase) {
			c.attestation().Signer = checks.Signer{Identity: "key:sha256:" + sumLib}
			c.attestation().Root, c.attestation().Certificate = checks.RootKey, checks.Build{}
		}, checks.AssetWrongSigner, checks.CodeSignerMismatch},
		{"V34 statement names another repository", claim(func(b *checks.Build) { b.Repository = "https://github.com/evil/app" }), checks.AssetInvalid, checks.CodeContradicts},
		{"V34 statement names another ref", claim(func(b *checks.Build) { b.Ref = "refs/tags/v1.1.0" }), checks.AssetInvalid, checks.CodeContradicts},
		{"V34 statement names another commit", claim(func(b *checks.Build) { b.Commit = strings.Repeat("e", 40) }), checks.AssetInvalid, checks.CodeContradicts},
		{"V34 statement names another builder", claim(func(b *checks.Build) { b.BuilderID = "https://evil.example/builder" }), checks.AssetInvalid, checks.CodeContradicts},
		{"V34 statement names another runner", claim(func(b *checks.Build) { b.Runner = "self-hosted" }), checks.AssetInvalid, checks.CodeContradicts},
		{"V35 old and new extensions disagree", problem(checks.CodeContradicts), checks.AssetInvalid, checks.CodeContradicts},
		{"V36 level 3 by our own workflow", func(c *relCase) { c.policy.Releases.Trust.MinSLSA = 3 }, checks.AssetInvalid, checks.CodeLevelNotReached},
		{"V36 level 3 by a moving ref of the generator", func(c *relCase) {
			c.policy.Releases.Trust.MinSLSA = 3
			signer(checks.SignerRule{Issuer: actions, Workflow: "slsa-framework/slsa-github-generator/.github/workflows/generator_generic_slsa3.yml"})(c)
			identity("https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_generic_slsa3.yml@refs/heads/main")(c)
			c.attestation().Claim.BuilderID = c.attestation().Signer.Identity
		}, checks.AssetInvalid, checks.CodeLevelNotReached},
		{"V36 level 2 on a machine of one's own", func(c *relCase) {
			c.policy.Releases.Trust.MinSLSA, c.policy.Releases.Trust.Runners = 2, []string{"self-hosted"}
			both(func(b *checks.Build) { b.Runner = "self-hosted" })(c)
		}, checks.AssetInvalid, checks.CodeLevelNotReached},
		{"V42 the log does not hold", problem(checks.CodeLogInvalid), checks.AssetInvalid, checks.CodeLogInvalid},
		{"V51 certificate of the other root", problem(checks.CodeWrongRoot), checks.AssetInvalid, checks.CodeWrongRoot},
		{"V53 trust root too old", problem(checks.CodeRootStale), checks.AssetUnknown, checks.CodeRootStale},
		{"V60 bundle too large", problem(checks.CodeTooLarge), checks.AssetUnknown, checks.CodeTooLarge},
		{"V62 bundle not readable", func(c *relCase) {
			c.evidence.Attestations[0] = checks.Attestation{Bundle: "attestation 1 of 1", Problem: &checks.Reason{Code: checks.CodeNotReadable, Message: "HTTP 403"}}
		}, checks.AssetUnknown, checks.CodeNotReadable},
		{"V62 sidecar could not be fetched", func(c *relCase) {
			c.evidence.Attestations = nil
			c.release().Bundles = []checks.Bundle{{Name: "app.tar.gz.sigstore.json", For: "app.tar.gz", Problem: &checks.Reason{Code: checks.CodeNotReadable, Message: "HTTP 500"}}}
		}, checks.AssetUnknown, checks.CodeNotReadable},
		{"attestations could not be listed", func(c *relCase) {
			c.evidence.Attestations = nil
			c.release().Gaps = []checks.Gap{{Path: "attestation API", Reason: "HTTP 403"}}
		}, checks.AssetUnknown, checks.CodeNotReadable},
		{"attestations could not be listed, a foreign one is there", func(c *relCase) {
			c.evidence.Attestations = []checks.Attestation{foreign(1, sumApp)}
			c.release().Gaps = []checks.Gap{{Path: "attestation API", Reason: "HTTP 403"}}
		}, checks.AssetUnknown, checks.CodeNotReadable},
		{"attestations could not be listed, wrong evidence is there", func(c *relCase) {
			c.release().Gaps = []checks.Gap{{Path: "attestation API", Reason: "HTTP 403"}}
			c.release().Commit = strings.Repeat("d", 40)
		}, checks.AssetInvalid, checks.CodeCommitMismatch},
		{"scanner did not finish", func(c *relCase) { c.evidence = checks.Evidence{Scanner: "sigstore"} }, checks.AssetUnknown, checks.CodeNotReadable},
		{"asset could not be fetched", func(c *relCase) {
			c.release().Assets[0].Problem = &checks.Reason{Code: checks.CodeNotReadable, Message: "HTTP 404"}
		}, checks.AssetUnknown, checks.CodeNotReadable},
		{"release attestation is missing", func(c *relCase) {
			c.policy.Releases.Assets[0].Require = []string{checks.RequireReleaseAttestation}
		}, checks.AssetUnsigned, checks.CodePredicateType},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			c := genuine(t)
			if r := c.judge(); r.Verdict != checks.Pass {
				t.Fatalf("the baseline does not pass: %v", r.Reasons)
			}
			x.change(c)
			r := c.judge()
			a := r.Assets[0]
			if a.State != x.state || a.Code != x.code {
				t.Errorf("got %s, %s; want %s, %s", a.State, a.Reason, x.state, x.code)
			}
			want := checks.Fail
			if x.state == checks.AssetUnknown {
				want = checks.Unknown
			}
			if r.Verdict != want || !slices.Contains(reasonCodes(r), x.code) || !strings.HasPrefix(a.Reason, x.code+": ") {
				t.Errorf("verdict %v for %v, reason %q", r.Verdict, r.Reasons, a.Reason)
			}
			if a.State == checks.AssetWrongSigner && (a.ExpectedSigner == nil || a.Signer.Identity == "") {
				t.Errorf("expected and found signer are not side by side: %+v", a)
			}
		})
	}
}

func TestJudgeReleaseAccepts(t *testing.T) {
	t.Parallel()
	level := func(c *relCase) string { return c.judge().Assets[0].Builder.Level }
	for _, x := range []struct {
		name   string
		change func(*relCase)
		level  string
	}{
		{"built from the default branch", func(c *relCase) {
			c.attestation().Certificate.Ref, c.attestation().Claim.Ref = "refs/heads/main", "refs/heads/main"
		}, "SLSA 2"},
		{"name of the repository in another case", func(c *relCase) { c.material.Subject.Repository = "Acme/App" }, "SLSA 2"},
		{"repository renamed on GitHub, same numbers", func(c *relCase) { c.release().OwnerID = 0 }, "SLSA 2"},
		{"reusable workflow that the policy names", func(c *relCase) {
			signer(checks.SignerRule{Issuer: actions, Workflow: "acme/build/.github/workflows/*.yml"})(c)
			c.policy.Releases.Trust.MinSLSA = 3
			c.attestation().Signer.Identity = "https://github.com/acme/build/.github/workflows/build.yml@" + commit
			c.attestation().Claim.BuilderID = ""
		}, "SLSA 3"},
		{"slsa-github-generator at a version tag", func(c *relCase) {
			signer(checks.SignerRule{Issuer: actions, Workflow: "slsa-framework/slsa-github-generator/.github/workflows/generator_generic_slsa3.yml", Ref: "refs/tags/v*"})(c)
			c.policy.Releases.Trust.MinSLSA = 3
			c.attestation().Signer.Identity = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_generic_slsa3.yml@refs/tags/v2.1.0"
			c.attestation().Claim.BuilderID = c.attestation().Signer.Identity
		}, "SLSA 3"},
		{"signature where a signature is enough", func(c *relCase) {
			c.policy.Releases.Assets[0].Require = []string{checks.RequireSignature}
			c.evidence.Attestations[0] = signature()
		}, "signature"},
		{"provenance where a signature is enough", func(c *relCase) {
			c.policy.Releases.Assets[0].Require = []string{checks.RequireSignature}
			c.evidence.Attestations = append([]checks.Attestation{signature()}, c.evidence.Attestations...)
		}, "SLSA 2"},
		{"person whom the policy names", func(c *relCase) {
			c.policy.Releases.Assets[0].Require = []string{checks.RequireSignature}
			signer(checks.SignerRule{Issuer: "https://accounts.example.com", Identity: "ann@example.com"})(c)
			c.evidence.Attestations[0] = signature()
			c.attestation().Signer = checks.Signer{Issuer: "https://accounts.example.com", Identity: "ann@example.com"}
			c.attestation().Certificate = checks.Build{}
		}, "signature"},
		{"issuer of an enterprise that the policy names", func(c *relCase) {
			signer(checks.SignerRule{Issuer: actions + "/hammer-time", Workflow: "acme/app/.github/workflows/*"})(c)
			c.attestation().Signer.Issuer = actions + "/hammer-time"
		}, "SLSA 2"},
		{"GitHub renamed the upload", func(c *relCase) {
			c.release().Assets[0].Name = "my.app.tar.gz"
			c.attestation().Subjects[0].Name = "dist/my app.tar.gz"
		}, "SLSA 2"},
		{"one name among several of the same bytes", func(c *relCase) {
			c.attestation().Subjects = append(c.attestation().Subjects, checks.AttestedSubject{Name: "x", Digest: map[string]string{"sha256": sumApp}})
			slices.Reverse(c.attestation().Subjects)
		}, "SLSA 2"},
		{"we know sha512 alone, the statement names both", func(c *relCase) {
			c.release().Assets[0].SHA256, c.release().Assets[0].SHA512 = "", strings.Repeat("d", 128)
			c.release().Assets[0].GitHubDigest = ""
			c.attestation().Subjects[0].Digest["sha512"] = strings.Repeat("d", 128)
		}, "SLSA 2"},
		{"only sha512", func(c *relCase) {
			c.release().Assets[0].SHA512 = strings.Repeat("d", 128)
			c.attestation().Subjects[0].Digest = map[string]string{"sha512": strings.Repeat("D", 128)}
		}, "SLSA 2"},
		{"policy allows other refs", func(c *relCase) {
			c.policy.Releases.Trust.SourceRefs = []string{"refs/heads/release/*"}
			c.attestation().Certificate.Ref, c.attestation().Claim.Ref = "refs/heads/release/1", "refs/heads/release/1"
		}, "SLSA 2"},
		{"an unreadable attestation beside a good one", func(c *relCase) {
			c.evidence.Complete = false
			c.evidence.Gaps = []checks.Gap{{Reason: "attestation 2 of 2: HTTP 500"}}
		}, "SLSA 2"},
		{"GitHub's release attestation where that is required", func(c *relCase) {
			c.policy.Releases.Assets[0].Require = []string{checks.RequireReleaseAttestation}
			a := c.attestation()
			a.Kind, a.Root, a.Certificate = checks.AttestationRelease, checks.RootGitHub, checks.Build{}
			a.Signer = checks.Signer{Identity: "https://dotcom.releases.github.com"}
			a.Claim = checks.Build{Repository: "https://github.com/acme/app", RepositoryID: "11", OwnerID: "22", Ref: "refs/tags/v1.2.0", Commit: commit}
		}, "release attestation"},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			c := genuine(t)
			x.change(c)
			if r := c.judge(); r.Verdict != checks.Pass || r.Assets[0].State != checks.AssetVerified || level(c) != x.level {
				t.Errorf("got %v %s %q: %v", r.Verdict, r.Assets[0].State, level(c), r.Reasons)
			}
		})
	}
}

// TestReleaseAttestation: GitHub's attestation of an immutable release is a level of its own.
func TestReleaseAttestation(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		name    string
		require string
		change  func(*relCase)
		code    string
	}{
		{"is no provenance", checks.RequireProvenance, func(*relCase) {}, checks.CodeNotProvenance},
		{"is no signature of the maker", checks.RequireSignature, func(*relCase) {}, checks.CodeNotProvenance},
		{"is none even when a rule names its signer", checks.RequireSignature, func(c *relCase) {
			signer(checks.SignerRule{Issuer: "*", Identity: "https://dotcom.releases.github.com"})(c)
		}, checks.CodeNotProvenance},
		{"of another repository", checks.RequireReleaseAttestation, func(c *relCase) { c.attestation().Claim.Repository = "https://github.com/evil/app" }, checks.CodeSourceMismatch},
		{"of another repository number", checks.RequireReleaseAttestation, func(c *relCase) { c.attestation().Claim.RepositoryID = "1" }, checks.CodeRepoIDMismatch},
		{"of another tag", checks.RequireReleaseAttestation, func(c *relCase) { c.attestation().Claim.Ref = "refs/tags/v1.1.0" }, checks.CodeRefNotAllowed},
		{"of another commit", checks.RequireReleaseAttestation, func(c *relCase) { c.attestation().Claim.Commit = strings.Repeat("d", 40) }, checks.CodeCommitMismatch},
		{"of another name", checks.RequireReleaseAttestation, func(c *relCase) { c.attestation().Subjects[0].Name = "b" }, checks.CodeNameMismatch},
		{"that does not hold", checks.RequireReleaseAttestation, func(c *relCase) {
			c.attestation().Problem = &checks.Reason{Code: checks.CodeSignatureInvalid, Message: "x"}
		}, checks.CodeSignatureInvalid},
	} {
		c := genuine(t)
		c.policy.Releases.Assets[0].Require = []string{x.require}
		a := c.attestation()
		a.Kind, a.Root, a.Certificate = checks.AttestationRelease, checks.RootGitHub, checks.Build{}
		a.Signer = checks.Signer{Identity: "https://dotcom.releases.github.com"}
		a.Claim = checks.Build{Repository: "https://github.com/acme/app", RepositoryID: "11", OwnerID: "22", Ref: "refs/tags/v1.2.0", Commit: commit}
		x.change(c)
		if r := c.judge(); r.Verdict != checks.Fail || r.Assets[0].Code != x.code {
			t.Errorf("%s: got %v, %s; want %s", x.name, r.Verdict, r.Assets[0].Reason, x.code)
		}
	}
}

// TestV09Swapped: one genuine statement about two files, whose bytes were exchanged.
func TestV09Swapped(t *testing.T) {
	t.Parallel()
	c := genuine(t)
	c.attestation().Subjects = append(c.attestation().Subjects, checks.AttestedSubject{Name: "lib.tar.gz", Digest: map[string]string{"sha256": sumLib}})
	c.release().Assets = []checks.Asset{asset("app.tar.gz", sumApp), asset("lib.tar.gz", sumLib)}
	if r := c.judge(); r.Verdict != checks.Pass {
		t.Fatalf("the baseline does not pass: %v", r.Reasons)
	}
	c.release().Assets = []checks.Asset{asset("app.tar.gz", sumLib), asset("lib.tar.gz", sumApp)}
	r := c.judge()
	for _, a := range r.Assets {
		if a.Code != checks.CodeNameMismatch || a.State != checks.AssetInvalid {
			t.Errorf("%s: %s, %s", a.Name, a.State, a.Reason)
		}
	}
}

// TestV18Flood: ten thousand foreign attestations neither help nor block, and the report stays
// small. The work is one comparison for each; BenchmarkJudgeRelease measures it.
func TestV18Flood(t *testing.T) {
	t.Parallel()
	c := genuine(t)
	good := c.evidence.Attestations[0]
	var many []checks.Attestation
	for i := range 10_000 {
		many = append(many, foreign(i, sumApp))
	}
	c.evidence.Attestations = append(append(slices.Clone(many[:5000]), good), many[5000:]...)
	if r := c.judge(); r.Verdict != checks.Pass || len(r.Assets[0].Evidence) != 1 {
		t.Errorf("with ours among them: %v %v", r.Verdict, r.Reasons)
	}
	c.evidence.Attestations = many
	r := c.judge()
	if r.Verdict != checks.Fail || r.Assets[0].Code != checks.CodeNoneAcceptable || len(r.Reasons[0].Message) > 1000 {
		t.Errorf("without ours: %v %v", r.Verdict, r.Reasons)
	}
}

// TestV23EmptyExpectations: an expectation that is empty accepts nobody.
func TestV23EmptyExpectations(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*relCase){
		"repository": func(c *relCase) { c.material.Subject.Repository = "" },
		"commit":     func(c *relCase) { c.release().Commit = "" },
		"tag":        func(c *relCase) { c.release().TagRef, c.release().DefaultBranch = "", "" },
		"signer": func(c *relCase) {
			c.material.Subject.Kind, c.material.Subject.Repository = checks.KindArtifact, ""
		},
	} {
		c := genuine(t)
		change(c)
		if r := c.judge(); r.Verdict != checks.Unknown {
			t.Errorf("%s: %v %v", name, r.Verdict, r.Reasons)
		}
	}
}

// TestV56NewBytes: the same tag and name with new bytes are judged anew.
func TestV56NewBytes(t *testing.T) {
	t.Parallel()
	c := genuine(t)
	if r := c.judge(); r.Verdict != checks.Pass {
		t.Fatal(r.Reasons)
	}
	c.release().Assets[0] = asset("app.tar.gz", sumLib)
	if r := c.judge(); r.Verdict != checks.Fail || r.Assets[0].SHA256 != sumLib {
		t.Errorf("got %v for %s", r.Verdict, r.Assets[0].SHA256)
	}
}

func TestEvidenceFiles(t *testing.T) {
	t.Parallel()
	evidence := func(names ...string) []checks.Asset {
		assets := []checks.Asset{asset("app.tar.gz", sumApp)}
		for _, n := range names {
			assets = append(assets, asset(n, sumLib))
		}
		return assets
	}
	for _, x := range []struct {
		name   string
		change func(*relCase)
		want   checks.Verdict
		state  string // of the second asset
	}{
		{"beside its asset", func(c *relCase) {
			c.release().Assets = evidence("app.tar.gz.sigstore.json", "app.tar.gz.sig", "app.tar.gz.pem")
		}, checks.Pass, "evidence"},
		{"names an asset", func(c *relCase) {
			c.release().Assets = evidence("multiple.intoto.jsonl")
			c.evidence.Attestations[0].Bundle = "multiple.intoto.jsonl"
		}, checks.Pass, "evidence"},
		{"names none", func(c *relCase) { c.release().Assets = evidence("multiple.intoto.jsonl") }, checks.Fail, checks.CodeAssetUnproven},
		{"orphan", func(c *relCase) { c.release().Assets = evidence("gone.tar.gz.asc") }, checks.Fail, checks.CodeAssetUnproven},
		{"huge", func(c *relCase) {
			c.release().Assets = evidence("app.tar.gz.asc")
			c.release().Assets[1].Size, c.release().Assets[1].Read = 1<<30, 1<<30
		}, checks.Fail, checks.CodeAssetUnproven},
		{"checksums of several files need evidence", func(c *relCase) { c.release().Assets = evidence("checksums.txt") }, checks.Fail, checks.CodeAssetUnproven},
	} {
		c := genuine(t)
		x.change(c)
		r := c.judge()
		got := r.Assets[1].Code
		if r.Assets[1].EvidenceFile {
			got = "evidence"
		}
		if r.Verdict != x.want || got != x.state {
			t.Errorf("%s: %v, %s: %v", x.name, r.Verdict, got, r.Reasons)
		}
	}
	for name, want := range map[string]string{
		"a.tar.gz.sigstore.json": "a.tar.gz bundle", "a.sigstore": "a bundle", "a.intoto.jsonl": "a bundle", "A.INTOTO.JSONL": "A bundle",
		"a.build.slsa": "a bundle", "a.sig": "a signature", "a.pem": "a certificate", "a.crt": "a certificate", "a.asc": "a openpgp",
		"a.minisig": "a minisign", "a.sha256": "a checksum", "sbom.spdx.json": " ", "checksums.txt": " ", ".sig": " ", "a": " ",
	} {
		subject, kind, _ := checks.EvidenceFile(name)
		if got := subject + " " + kind; got != want {
			t.Errorf("EvidenceFile(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestReleaseAssets(t *testing.T) {
	t.Parallel()
	rules := func(list ...checks.AssetRule) func(*relCase) {
		return func(c *relCase) { c.policy.Releases.Assets = list }
	}
	signed := []string{checks.RequireSignature}
	none := func(c *relCase) { c.release().Assets, c.evidence.Attestations = nil, nil }
	for _, x := range []struct {
		name   string
		change []func(*relCase)
		want   checks.Verdict
		codes  []string
		notice string
	}{
		{"no assets, none expected", []func(*relCase){none}, checks.Pass, nil, checks.CodeNothingToVerify},
		{"no assets, one expected", []func(*relCase){none, rules(checks.AssetRule{Match: "api_*", Require: signed})}, checks.Fail, []string{checks.CodeAssetsMissing}, ""},
		{"an expected one is missing", []func(*relCase){rules(checks.AssetRule{Match: "api_*", Require: signed}, checks.AssetRule{Match: "*", Require: signed})}, checks.Fail, []string{checks.CodeAssetsMissing}, ""},
		{"first rule decides", []func(*relCase){
			func(c *relCase) { c.evidence.Attestations = nil },
			rules(checks.AssetRule{Match: "*.gz"}, checks.AssetRule{Match: "*", Require: signed})}, checks.Pass, nil, ""},
		{"no rule matches", []func(*relCase){
			func(c *relCase) { c.evidence.Attestations = nil },
			rules(checks.AssetRule{Match: "none-*"})}, checks.Pass, nil, checks.CodeUncovered},
		{"no rules", []func(*relCase){rules()}, checks.Pass, nil, checks.CodeUncovered},
	} {
		c := genuine(t)
		for _, change := range x.change {
			change(c)
		}
		r := c.judge()
		notice := ""
		if len(r.Notices) > 0 {
			notice = r.Notices[0].Code
		}
		if r.Verdict != x.want || !slices.Equal(reasonCodes(r), x.codes) || notice != x.notice {
			t.Errorf("%s: %v %v, notice %q", x.name, r.Verdict, r.Reasons, notice)
		}
	}
}

// TestArtifact judges as `landwaiter verify` does: what was not given is not compared, and told.
func TestArtifact(t *testing.T) {
	t.Parallel()
	c := genuine(t)
	c.material.Subject = checks.Subject{Kind: checks.KindArtifact, Repository: "acme/app"}
	c.material.Release = &checks.Release{Assets: []checks.Asset{{Name: "renamed", SHA256: sumApp}}}
	r := c.judge()
	if r.Verdict != checks.Pass || len(r.Notices) != 2 || r.Notices[0].Code != checks.CodeUncompared {
		t.Errorf("got %v %v, notices %v", r.Verdict, r.Reasons, r.Notices)
	}
	c.material.Release.TagRef = "refs/tags/v9.9.9"
	if r := c.judge(); r.Verdict != checks.Fail || r.Assets[0].Code != checks.CodeRefNotAllowed {
		t.Errorf("wrong tag: %v %v", r.Verdict, r.Reasons)
	}
	c.material.Release.TagRef, c.material.Release.Commit = "", strings.Repeat("d", 40)
	if r := c.judge(); r.Verdict != checks.Fail || r.Assets[0].Code != checks.CodeCommitMismatch {
		t.Errorf("wrong commit: %v %v", r.Verdict, r.Reasons)
	}
	c.material.Release.Assets = nil
	if r := c.judge(); r.Verdict != checks.Unknown {
		t.Errorf("nothing to verify: %v", r.Verdict)
	}
}

// TestManyReasons: a failure counts even where it is beyond the reasons that are kept.
func TestManyReasons(t *testing.T) {
	t.Parallel()
	c := genuine(t)
	c.release().Assets = nil
	for i := range 999 {
		a := asset(fmt.Sprintf("a%d", i), sumLib)
		a.Problem = &checks.Reason{Code: checks.CodeNotReadable, Message: "HTTP 500"}
		c.release().Assets = append(c.release().Assets, a)
	}
	c.release().Assets = append(c.release().Assets, asset("unsigned.sh", sumLib))
	r := c.judge()
	if r.Verdict != checks.Fail || len(r.Reasons) != 501 || r.Reasons[500].Message != "and 500 more" {
		t.Errorf("got %v, %d reasons", r.Verdict, len(r.Reasons))
	}
}

func BenchmarkJudgeRelease(b *testing.B) {
	var many []checks.Attestation
	for i := range 10_000 {
		many = append(many, foreign(i, sumApp))
	}
	m := &checks.Material{
		Subject: checks.Subject{Kind: checks.KindRelease, Repository: "acme/app"},
		Release: &checks.Release{TagRef: "refs/tags/v1.2.0", Commit: commit, Assets: []checks.Asset{asset("app.tar.gz", sumApp)}},
	}
	e := []checks.Evidence{{Scanner: "sigstore", Complete: true, Attestations: many}}
	for b.Loop() {
		checks.Judge(m, checks.DefaultPolicy(), e, now)
	}
}
