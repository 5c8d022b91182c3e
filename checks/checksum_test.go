package checks_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks"
)

var sumList = strings.Repeat("c3", 32)

// listedRelease is a release of one asset that only a list of checksums names; the list is
// attested by the release workflow. The rule asks for what require says.
func listedRelease(t *testing.T, require ...string) *relCase {
	t.Helper()
	c := genuine(t)
	c.policy.Releases.Assets = []checks.AssetRule{{Match: "SHA256SUMS", Require: []string{checks.RequireProvenance}}, {Match: "*", Require: require}}
	c.release().Assets = append(c.release().Assets, asset("SHA256SUMS", sumList))
	c.evidence.Attestations = []checks.Attestation{provenance("SHA256SUMS", sumList)}
	c.evidence.Lists = []checks.ChecksumList{{Asset: "SHA256SUMS", SHA256: sumList, Entries: []checks.Checksum{
		{Name: "app.tar.gz", Algorithm: "sha256", Digest: sumApp, Line: 1},
	}}}
	return c
}

func (c *relCase) list() *checks.ChecksumList { return &c.evidence.Lists[0] }

// app returns the report of app.tar.gz.
func app(t *testing.T, r checks.Report) checks.AssetReport {
	t.Helper()
	for _, a := range r.Assets {
		if a.Name == "app.tar.gz" {
			return a
		}
	}
	t.Fatalf("no report of app.tar.gz in %+v", r.Assets)
	return checks.AssetReport{}
}

// TestChecksumChain: a signed list lends its signature to what it names, and the chain shows it.
func TestChecksumChain(t *testing.T) {
	t.Parallel()
	r := listedRelease(t, checks.RequireSignature, checks.RequireChecksum).judge()
	want := checks.AssetReport{
		Name: "app.tar.gz", SHA256: sumApp, State: checks.AssetVerified, Signer: checks.Signer{Issuer: actions, Identity: workflow},
		Builder: checks.Builder{Level: "signature"}, Required: []string{"signature", "checksum"},
		Evidence: []checks.EvidenceRef{
			{Kind: "provenance", Origin: "attestation-api", Name: "attestation 1 of 1", SHA256: sumBundle, Require: "signature"},
			{Kind: "checksum", Origin: "sidecar", Name: "SHA256SUMS", SHA256: sumList, Require: "signature"},
			{Kind: "checksum", Origin: "sidecar", Name: "SHA256SUMS", SHA256: sumList, Require: "checksum"},
		},
		Chain: []checks.ChainLink{
			{Kind: "checksum", Name: "SHA256SUMS"}, {Kind: "provenance", Name: "attestation 1 of 1", Signer: workflow},
		},
	}
	if r.Verdict != checks.Pass {
		t.Fatalf("got %v: %v", r.Verdict, r.Reasons)
	}
	if diff := cmp.Diff(want, app(t, r)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestChecksumAlone: a list that nobody signed meets `checksum` and no more.
func TestChecksumAlone(t *testing.T) {
	t.Parallel()
	c := listedRelease(t, checks.RequireChecksum)
	c.policy.Releases.Assets[0].Require = nil
	c.evidence.Attestations = nil
	r := c.judge()
	got := app(t, r)
	if r.Verdict != checks.Pass || got.Builder.Level != "checksum" || got.Signer != (checks.Signer{}) {
		t.Errorf("got %v: %+v", r.Verdict, got)
	}
	c.policy.Releases.Assets[1].Require = []string{checks.RequireChecksum, checks.RequireSignature}
	r = c.judge()
	if got := app(t, r); r.Verdict != checks.Fail || got.Code != checks.CodeUnsigned || !strings.Contains(got.Reason, "SHA256SUMS") {
		t.Errorf("with a signature required: got %v: %+v", r.Verdict, got)
	}
}

// TestChecksum changes one thing of the chain that passes, above.
func TestChecksum(t *testing.T) {
	t.Parallel()
	other := strings.Repeat("d4", 32)
	line := func(change func(*checks.Checksum)) func(*relCase) {
		return func(c *relCase) { change(&c.list().Entries[0]) }
	}
	both := []string{checks.RequireSignature, checks.RequireChecksum}
	signature, checksum := both[:1], both[1:]
	for _, c := range []struct {
		name    string
		require []string
		change  func(*relCase)
		want    string // reason code of the asset, "" when it is verified
	}{
		{"baseline", both, func(*relCase) {}, ""},
		{"upper case digest", both, line(func(l *checks.Checksum) { l.Digest = strings.ToUpper(l.Digest) }), ""},
		{"name before upload", both, func(c *relCase) {
			c.release().Assets[0].Name = "my.app.tar.gz"
			c.list().Entries[0].Name = "my app.tar.gz"
		}, ""},
		{"list of other bytes", signature, line(func(l *checks.Checksum) { l.Digest = other }), checks.CodeDigestMismatch},
		{"list of other bytes beside own provenance", signature, func(c *relCase) {
			c.evidence.Attestations = append(c.evidence.Attestations, provenance("app.tar.gz", sumApp))
			c.list().Entries[0].Digest = other
		}, checks.CodeDigestMismatch},
		{"a second list of other bytes", both, func(c *relCase) {
			c.evidence.Lists = append(c.evidence.Lists, checks.ChecksumList{Asset: "checksums.txt", Entries: []checks.Checksum{{Name: "app.tar.gz", Algorithm: "sha256", Digest: other, Line: 1}}})
		}, checks.CodeDigestMismatch},
		{"named twice with different digests", both, func(c *relCase) {
			c.list().Entries = append(c.list().Entries, checks.Checksum{Name: "app.tar.gz", Algorithm: "sha256", Digest: other, Line: 2})
		}, checks.CodeDigestConflict},
		{"named twice with one digest", both, func(c *relCase) {
			c.list().Entries = append(c.list().Entries, c.list().Entries[0])
		}, ""},
		{"not in the list, checksum", checksum, line(func(l *checks.Checksum) { l.Name = "other" }), checks.CodeChecksumMissing},
		{"not in the list, signature", signature, line(func(l *checks.Checksum) { l.Name = "other" }), checks.CodeAssetUnproven},
		{"no list", checksum, func(c *relCase) { c.evidence.Lists = nil }, checks.CodeChecksumMissing},
		{"weak checksum", checksum, line(func(l *checks.Checksum) { l.Algorithm, l.Digest = "md5", other[:32] }), checks.CodeDigestWeak},
		{"weak checksum lends nothing", signature, line(func(l *checks.Checksum) { l.Algorithm, l.Digest = "sha1", other[:40] }), checks.CodeAssetUnproven},
		{"checksum that was not computed", checksum, line(func(l *checks.Checksum) { l.Algorithm, l.Digest = "sha512", other+other }), checks.CodeNotReadable},
		{"list that cannot be read, checksum", checksum, func(c *relCase) {
			c.list().Entries, c.list().Problem = nil, &checks.Reason{Code: checks.CodeTooLarge, Message: "too large"}
		}, checks.CodeTooLarge},
		{"provenance is not lent", []string{checks.RequireProvenance}, func(*relCase) {}, checks.CodeAssetUnproven},
		{"list attested by others", signature, func(c *relCase) {
			c.attestation().Signer.Identity = "https://github.com/evil/app/.github/workflows/release.yml@refs/tags/v1.2.0"
			c.attestation().Certificate.Repository = "https://github.com/evil/app"
		}, checks.CodeNoneAcceptable},
		{"list built from another commit", signature, func(c *relCase) {
			c.attestation().Certificate.Commit, c.attestation().Claim.Commit = strings.Repeat("e", 40), strings.Repeat("e", 40)
		}, checks.CodeCommitMismatch},
		{"attested list is another file", signature, func(c *relCase) { c.attestation().Subjects[0].Digest["sha256"] = other }, checks.CodeDigestMismatch},
		{"list read is not the list downloaded", signature, func(c *relCase) { c.list().SHA256 = other }, checks.CodeAssetUnproven},
		{"list of a list", signature, func(c *relCase) {
			c.evidence.Attestations[0] = provenance("SHA512SUMS", other)
			c.release().Assets = append(c.release().Assets, asset("SHA512SUMS", other))
			c.evidence.Lists = append(c.evidence.Lists, checks.ChecksumList{Asset: "SHA512SUMS", SHA256: other, Entries: []checks.Checksum{
				{Name: "SHA256SUMS", Algorithm: "sha256", Digest: sumList, Line: 1}}})
		}, checks.CodeAssetUnproven},
		{"own signature is wrong, whatever the list says", signature, func(c *relCase) {
			a := brokenSignature(checks.CodeSignatureInvalid)
			c.evidence.Attestations = append(c.evidence.Attestations, a)
		}, checks.CodeSignatureInvalid},
		{"own signature is a stranger's", signature, func(c *relCase) {
			c.evidence.Attestations = append(c.evidence.Attestations, brokenSignature(checks.CodeSignerMismatch))
		}, ""},
		{"a predicate type is not lent", signature, func(c *relCase) {
			c.policy.Releases.Assets[1].PredicateType = "https://slsa.dev/provenance/v1"
		}, checks.CodeAssetUnproven},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rel := listedRelease(t, c.require...)
			c.change(rel)
			r := rel.judge()
			got := r.Assets[0]
			if got.Code != c.want || (got.State == checks.AssetVerified) != (c.want == "") {
				t.Errorf("got %q (%s), want %q: %v", got.Code, got.State, c.want, r.Reasons)
			}
			if c.want != "" && len(got.Chain) > 0 {
				t.Errorf("an asset that is not verified has a chain: %+v", got.Chain)
			}
		})
	}
}

// brokenSignature is a signature beside app.tar.gz that does not hold.
func brokenSignature(code string) checks.Attestation {
	a := signature()
	a.Bundle, a.Signer, a.Problem = "app.tar.gz.asc", checks.Signer{}, &checks.Reason{Code: code, Message: "no"}
	a.Certificate = checks.Build{}
	return a
}

// TestChecksumPathsAreTold: a line that names a file with folders names no asset, and the
// reason says that such lines are there.
func TestChecksumPathsAreTold(t *testing.T) {
	t.Parallel()
	c := listedRelease(t, checks.RequireChecksum)
	c.list().Entries, c.list().Refused = c.list().Entries[:0], 3
	if got := app(t, c.judge()); got.Code != checks.CodeChecksumMissing || !strings.Contains(got.Reason, "3 lines of SHA256SUMS") {
		t.Errorf("got %+v", got)
	}
}

// TestListNeedsNoChecksum: a list cannot name itself.
func TestListNeedsNoChecksum(t *testing.T) {
	t.Parallel()
	c := listedRelease(t, checks.RequireChecksum)
	c.policy.Releases.Assets = []checks.AssetRule{{Match: "*", Require: []string{checks.RequireChecksum}}}
	if r := c.judge(); r.Verdict != checks.Pass {
		t.Errorf("got %v: %v", r.Verdict, r.Reasons)
	}
}

const releaseKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHTZCAFMOnzG4xYOjeMlZyXvAv5lGwVdgyd8ug2DpFyF release"

// plainCase is a release whose one asset is signed with a key of another tool.
func plainCase(t *testing.T) *relCase {
	t.Helper()
	c := genuine(t)
	c.policy.Releases.Assets[0].Require = []string{checks.RequireSignature}
	c.policy.Releases.Trust.SSHKeys = []string{releaseKey}
	c.evidence.Attestations = []checks.Attestation{{
		Bundle: "app.tar.gz.sig", Origin: checks.OriginSidecar, Kind: checks.AttestationSignature, For: "app.tar.gz", Root: checks.RootKey, Form: "SSH",
		Subjects: []checks.AttestedSubject{{Name: "app.tar.gz", Digest: map[string]string{"sha256": sumApp}}},
		Signer:   checks.Signer{Identity: sshIdentity},
	}}
	return c
}

const sshIdentity = "ssh:SHA256:CYV6+6+Jll8uWZ5zMi/fJgduD9g1SpB4rkMPI/1/h4g"

// TestPlainKeys: keys of other tools prove a signature, never more, and only those of the policy.
func TestPlainKeys(t *testing.T) {
	t.Parallel()
	require := func(what string) func(*relCase) {
		return func(c *relCase) { c.policy.Releases.Assets[0].Require = []string{what} }
	}
	for _, c := range []struct {
		name   string
		change func(*relCase)
		want   string
	}{
		{"baseline", func(*relCase) {}, ""},
		{"key named as a signer", func(c *relCase) {
			c.policy.Releases.Trust.SSHKeys = nil
			c.policy.Releases.Trust.Signers = []checks.SignerRule{{Identity: sshIdentity}}
		}, ""},
		{"key that is not in the policy", func(c *relCase) { c.policy.Releases.Trust.SSHKeys = nil }, checks.CodeSignerMismatch},
		{"not verified by a key", func(c *relCase) { c.attestation().Root = checks.RootCustom }, checks.CodeSignerMismatch},
		{"with an issuer", func(c *relCase) { c.attestation().Signer.Issuer = "https://evil.example" }, checks.CodeSignerMismatch},
		{"provenance", require(checks.RequireProvenance), checks.CodeSignerMismatch},
		{"SBOM", require(checks.RequireSBOM), checks.CodeSignerMismatch},
		{"V33 provenance by a signer rule that names the key", func(c *relCase) {
			require(checks.RequireProvenance)(c)
			c.policy.Releases.Trust.Signers = []checks.SignerRule{{Identity: sshIdentity}}
		}, checks.CodeSignerMismatch},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rel := plainCase(t)
			c.change(rel)
			got := rel.judge().Assets[0]
			if got.Code != c.want || (got.State == checks.AssetVerified) != (c.want == "") {
				t.Errorf("got %q %+v, want %q", got.Code, got, c.want)
			}
		})
	}
	want := []checks.ChainLink{{Kind: "SSH", Name: "app.tar.gz.sig", Signer: sshIdentity}}
	if diff := cmp.Diff(want, plainCase(t).judge().Assets[0].Chain); diff != "" {
		t.Errorf("chain (-want +got):\n%s", diff)
	}
}

// TestSBOM: only an attested SBOM about the asset's digest by an accepted signer counts.
func TestSBOM(t *testing.T) {
	t.Parallel()
	baseline := func(t *testing.T) *relCase {
		t.Helper()
		c := genuine(t)
		c.policy.Releases.Assets[0].Require = []string{checks.RequireSBOM}
		c.attestation().Kind, c.attestation().PredicateType, c.attestation().Claim = checks.AttestationSBOM, "https://spdx.dev/Document/v2.3", checks.Build{}
		return c
	}
	for _, c := range []struct {
		name   string
		change func(*relCase)
		want   string
	}{
		{"baseline", func(*relCase) {}, ""},
		{"provenance instead", func(c *relCase) { c.evidence.Attestations[0] = provenance("app.tar.gz", sumApp) }, checks.CodePredicateType},
		{"a signature instead", func(c *relCase) { c.evidence.Attestations[0] = signature() }, checks.CodePredicateType},
		{"a file beside it", func(c *relCase) {
			c.evidence.Attestations = nil
			c.release().Assets = append(c.release().Assets, asset("app.tar.gz.spdx.json", sumLib))
		}, checks.CodeNoneAcceptable},
		{"about other bytes", func(c *relCase) { c.attestation().Subjects[0].Digest["sha256"] = sumLib }, checks.CodeDigestMismatch},
		{"by others", func(c *relCase) { c.evidence.Attestations[0] = foreign(1, sumApp) }, checks.CodeNoneAcceptable},
		{"from another commit", func(c *relCase) { c.attestation().Certificate.Commit = strings.Repeat("e", 40) }, checks.CodeCommitMismatch},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rel := baseline(t)
			c.change(rel)
			got := rel.judge().Assets[0]
			if got.Code != c.want {
				t.Errorf("got %q %+v, want %q", got.Code, got, c.want)
			}
		})
	}
}

func TestChecksumFile(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"SHA256SUMS": true, "SHA256SUMS.txt": true, "SHASUMS256.txt": true, "checksums.txt": true, "gh_2.96.0_checksums.txt": true,
		"terraform_1.0_SHA256SUMS": true, "checksums_sha256.txt": true, "app-1.0.sha256": true, "app.tar.gz.sha512": true, "sha256sum.txt": true,
		"app.tar.gz.sha256sum": true, "MD5SUMS": true, "checksum.txt": true, "checksums-sha512.txt": true, "sha256.txt": true,
		"app.tar.gz": false, "sums.go": false, "checksums.txt.asc": false, "SHA256SUMS.sig": false, "mychecksums": false, "sha256sums.json": false, "": false,
	} {
		if _, got := checks.ChecksumFile(name); got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	if of, ok := checks.ChecksumFile("app.tar.gz.sha256"); of != "app.tar.gz" || !ok {
		t.Errorf("got %q, %v", of, ok)
	}
}
