package sigstore

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/sigstore/sigstoretest"
)

// change is one thing that differs from the baseline, which TestBaselineVerifies proves, and
// the reason that it must give.
type change struct {
	name   string
	before func(f *fixture)            // before signing
	after  func(b *protobundle.Bundle) // after signing
	edit   func(data []byte) []byte    // after encoding
	want   string
}

// entry is the log entry of b.
func entry(b *protobundle.Bundle) *protorekor.TransparencyLogEntry {
	return b.GetVerificationMaterial().GetTlogEntries()[0]
}

func runChanges(t *testing.T, changes []change) {
	t.Helper()
	for _, c := range changes {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			if c.before != nil {
				c.before(f)
			}
			b := f.bundle()
			if c.after != nil {
				c.after(b)
			}
			data := sigstoretest.JSON(t, b)
			if c.edit != nil {
				data = c.edit(data)
			}
			f.wantCode(c.want, data)
		})
	}
}

func otherDigest(f *fixture) { f.asset.SHA256 = sha("other bytes") }

func TestV01AnotherArtifact(t *testing.T) {
	t.Parallel()
	runChanges(t, []change{
		{name: "statement about other bytes", before: otherDigest, want: checks.CodeDigestMismatch},
		{name: "signature over other bytes", before: func(f *fixture) {
			f.recipe.Statement, f.recipe.Artifact = nil, []byte("other bytes")
		}, want: checks.CodeDigestMismatch},
		{name: "signature relabelled with our digest", before: func(f *fixture) {
			f.recipe.Statement, f.recipe.Artifact, f.recipe.WithoutLog = nil, []byte("other bytes"), true
			asPrivate(f)
		}, after: func(b *protobundle.Bundle) {
			b.GetMessageSignature().MessageDigest.Digest = raw(sha(artifact))
		}, want: checks.CodeSignatureInvalid},
		{name: "payload changed after signing", before: asPrivate, after: func(b *protobundle.Bundle) {
			e := b.GetDsseEnvelope()
			e.Payload = bytes.Replace(e.Payload, []byte("github-hosted"), []byte("Github-hosted"), 1)
		}, want: checks.CodeSignatureInvalid},
		{name: "stands beside another asset", before: func(f *fixture) {
			f.release.Assets = append(f.release.Assets, checks.Asset{Name: "app.tar.gz", SHA256: sha("two")}, *f.asset)
			f.release.Assets[0].SHA256, f.release.Assets[2].Name = sha("one"), "other.tar.gz"
		}, want: checks.CodeDigestMismatch},
	})
}

// asPrivate makes the instance one without logs, like GitHub's own.
func asPrivate(f *fixture) {
	f.instance = sigstoretest.New(f.t, sigstoretest.Options{Now: f.instance.Now(), Private: true})
	f.config.TrustedRoot = f.instance.TrustedRoot(f.t)
}

func TestV02ForbiddenOptions(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("listing sources: %v", err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source := string(load(t, name))
		for _, word := range []string{"WithoutArtifactUnsafe", "WithoutIdentitiesUnsafe", "WithoutStatementPredicate", "ErrVerification"} {
			if strings.Contains(source, word) {
				t.Errorf("%s uses %s", name, word)
			}
		}
	}
}

func TestV04V05Downloads(t *testing.T) {
	t.Parallel()
	empty := sigstoretest.Subject{Name: "empty", Digest: map[string]string{"sha256": sha("")}}
	runChanges(t, []change{
		{name: "V03 digest of the asset is empty", before: func(f *fixture) { f.asset.SHA256 = "" }, want: checks.CodeDigestInvalid},
		{name: "V03 digest of the asset is not one", before: func(f *fixture) { f.asset.SHA256 = "sha256:11" }, want: checks.CodeDigestInvalid},
		{name: "V04 shorter than announced", before: func(f *fixture) { f.asset.Size++ }, want: checks.CodeSizeMismatch},
		{name: "V05 empty, and the statement lists an empty file", before: func(f *fixture) {
			f.asset.SHA256, f.asset.Read = sha(""), 0
			f.recipe.Statement = sigstoretest.Provenance(f.t, acme(), sigstoretest.Subject{Name: "app.tar.gz", Digest: map[string]string{"sha256": sha(artifact)}}, empty)
		}, want: checks.CodeSizeMismatch},
		{name: "the asset could not be downloaded", before: func(f *fixture) {
			f.asset.SHA256, f.asset.Problem = "", &checks.Reason{Code: checks.CodeNotReadable, Message: "HTTP 500"}
		}, want: checks.CodeNotReadable},
	})
}

func TestV32SeveralIdentities(t *testing.T) {
	t.Parallel()
	runChanges(t, []change{
		{name: "two URIs", before: func(f *fixture) {
			f.recipe.Certificate.URIs = append(f.recipe.Certificate.URIs, "https://github.com/evil/app/.github/workflows/x.yml@refs/heads/main")
		}, want: checks.CodeSignerMismatch},
		{name: "a URI and an e-mail", before: func(f *fixture) { f.recipe.Certificate.Emails = []string{"a@example.com"} }, want: checks.CodeSignerMismatch},
		{name: "no identity", before: func(f *fixture) { f.recipe.Certificate.URIs = nil }, want: checks.CodeCertificateInvalid},
	})
}

func TestV33PersonsAndKeysAreFacts(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.recipe.Certificate = sigstoretest.Certificate{Emails: []string{"ann@example.com"}, Extensions: map[int]string{1: "https://accounts.example.com", 8: "https://accounts.example.com"}}
	a := f.only(f.scan(f.data()))
	if want := (checks.Signer{Issuer: "https://accounts.example.com", Identity: "ann@example.com"}); a.Signer != want || a.Problem != nil || a.Certificate != (checks.Build{}) {
		t.Errorf("got %+v, want the signer %+v and no build", a, want)
	}
}

func TestV35ExtensionsDisagree(t *testing.T) {
	t.Parallel()
	var changes []change
	for n, value := range map[int]string{
		1: "https://issuer.evil.example", 2: "pull_request", 3: "2222222222222222222222222222222222222222", 5: "evil/app", 6: "refs/heads/evil",
		8: "https://issuer.evil.example", 20: "pull_request", 13: "2222222222222222222222222222222222222222", 12: "https://github.com/evil/app", 14: "refs/heads/evil",
	} {
		changes = append(changes, change{name: fmt.Sprintf("extension %d", n), before: func(f *fixture) {
			f.recipe.Certificate.Extensions[n] = value
		}, want: checks.CodeContradicts})
	}
	runChanges(t, append(changes,
		change{name: "only old extensions", before: func(f *fixture) {
			for n := 8; n <= 22; n++ {
				delete(f.recipe.Certificate.Extensions, n)
			}
		}},
		change{name: "only current extensions", before: func(f *fixture) {
			for n := 1; n <= 6; n++ {
				delete(f.recipe.Certificate.Extensions, n)
			}
		}},
		change{name: "old repository that only ends alike", before: func(f *fixture) {
			f.recipe.Certificate.Extensions[5] = "pp"
		}, want: checks.CodeContradicts},
	))
}

func TestV40V41V42Log(t *testing.T) {
	t.Parallel()
	runChanges(t, []change{
		{name: "V40 no entry", before: func(f *fixture) { f.recipe.WithoutLog = true }, want: checks.CodeLogInvalid},
		{name: "V42 unknown log", after: func(b *protobundle.Bundle) { entry(b).LogId.KeyId = make([]byte, 32) }, want: checks.CodeLogInvalid},
		{name: "V42 broken promise", before: func(f *fixture) { f.recipe.Version, f.recipe.WithoutProof = "0.1", true }, after: func(b *protobundle.Bundle) {
			flip(entry(b).InclusionPromise.SignedEntryTimestamp)
		}, want: checks.CodeLogInvalid},
		{name: "V42 the same entry twice", after: func(b *protobundle.Bundle) {
			b.VerificationMaterial.TlogEntries = append(b.VerificationMaterial.TlogEntries, entry(b))
		}, want: checks.CodeLogInvalid},
		{name: "V42 33 entries", after: func(b *protobundle.Bundle) {
			for range 32 {
				b.VerificationMaterial.TlogEntries = append(b.VerificationMaterial.TlogEntries, entry(b))
			}
		}, want: checks.CodeNotReadable},
		{name: "entry that is no entry", after: func(b *protobundle.Bundle) { entry(b).CanonicalizedBody = []byte("{}") }, want: checks.CodeLogInvalid},
	})
	t.Run("V41 entry of another bundle of the same signer", func(t *testing.T) {
		t.Parallel()
		f := newFixture(t)
		b, other := f.bundle(), f.bundle()
		b.VerificationMaterial.TlogEntries = other.VerificationMaterial.TlogEntries
		f.wantCode(checks.CodeLogInvalid, sigstoretest.JSON(t, b))
	})
}

func TestV43Time(t *testing.T) {
	t.Parallel()
	runChanges(t, []change{
		{name: "log time changed", after: func(b *protobundle.Bundle) { entry(b).IntegratedTime += 60 }, want: checks.CodeTimeUnproven},
		{name: "proof without signed time, with timestamp", before: func(f *fixture) { f.recipe.WithoutPromise = true }},
		{name: "proof without signed time, no timestamp", before: func(f *fixture) {
			f.recipe.WithoutPromise, f.recipe.WithoutStamp = true, true
		}, want: checks.CodeTimeUnproven},
		{name: "no timestamp where only timestamps count", before: func(f *fixture) {
			asPrivate(f)
			f.recipe.WithoutStamp = true
		}, want: checks.CodeTimeUnproven},
		{name: "timestamp of another signature", before: asPrivate, after: func(b *protobundle.Bundle) {
			stamps := b.VerificationMaterial.TimestampVerificationData.Rfc3161Timestamps
			flip(stamps[0].SignedTimestamp[len(stamps[0].SignedTimestamp)-8:])
		}, want: checks.CodeTimeUnproven},
	})
}

func TestV44OutsideTheCertificatesLife(t *testing.T) {
	t.Parallel()
	runChanges(t, []change{
		{name: "log, an hour late", before: func(f *fixture) { f.recipe.LogTime = f.instance.Now().Add(time.Hour) }, want: checks.CodeTimeInvalid},
		{name: "log, an hour early", before: func(f *fixture) { f.recipe.LogTime = f.instance.Now().Add(-time.Hour) }, want: checks.CodeTimeInvalid},
		{name: "timestamp, an hour late", before: func(f *fixture) { f.recipe.StampTime = f.instance.Now().Add(time.Hour) }, want: checks.CodeTimeInvalid},
		{name: "timestamp alone, an hour early", before: func(f *fixture) {
			asPrivate(f)
			f.recipe.StampTime = f.instance.Now().Add(-time.Hour)
		}, want: checks.CodeTimeInvalid},
	})
}

func TestV45Future(t *testing.T) {
	t.Parallel()
	at := func(ahead time.Duration) func(f *fixture) {
		return func(f *fixture) {
			now := f.instance.Now().Add(-ahead)
			f.config.Now = func() time.Time { return now }
		}
	}
	runChanges(t, []change{
		{name: "30 minutes ahead", before: at(30 * time.Minute), want: checks.CodeTimeInvalid},
		{name: "just over the skew", before: at(skew + time.Second), want: checks.CodeTimeInvalid},
		{name: "within the skew", before: at(skew)},
	})
}

func TestV46V47Proof(t *testing.T) {
	t.Parallel()
	promiseAlone := func(f *fixture) { f.recipe.Version, f.recipe.WithoutProof = "0.1", true }
	runChanges(t, []change{
		{name: "V46 promise alone, no proof asked for", before: promiseAlone},
		{name: "V46 promise alone, proof asked for", before: func(f *fixture) {
			promiseAlone(f)
			f.config.RequireProof = true
		}, want: checks.CodeLogProofMissing},
		{name: "V46 version 0.3 without proof", before: func(f *fixture) { f.recipe.WithoutProof = true }, want: checks.CodeLogProofMissing},
		{name: "version 0.1 without promise", before: func(f *fixture) { f.recipe.Version, f.recipe.WithoutPromise = "0.1", true }, want: checks.CodeTimeUnproven},
		{name: "V47 signature of the checkpoint", after: func(b *protobundle.Bundle) {
			c := entry(b).InclusionProof.Checkpoint
			c.Envelope = c.Envelope[:len(c.Envelope)-12] + "AAAA" + c.Envelope[len(c.Envelope)-8:]
		}, want: checks.CodeLogInvalid},
		{name: "V47 root", after: func(b *protobundle.Bundle) { flip(entry(b).InclusionProof.RootHash) }, want: checks.CodeLogInvalid},
		{name: "V47 path", after: func(b *protobundle.Bundle) { flip(entry(b).InclusionProof.Hashes[0]) }, want: checks.CodeLogInvalid},
		{name: "V47 position", after: func(b *protobundle.Bundle) { entry(b).InclusionProof.LogIndex = 0 }, want: checks.CodeLogInvalid},
		{name: "V47 checkpoint of another log", before: func(f *fixture) {
			f.recipe.WithoutPromise = true
		}, after: func(b *protobundle.Bundle) {
			c := entry(b).InclusionProof.Checkpoint
			c.Envelope = strings.Replace(c.Envelope, "\n2\n", "\n3\n", 1)
		}, want: checks.CodeLogInvalid},
	})
}

func TestV49V50Certificate(t *testing.T) {
	t.Parallel()
	runChanges(t, []change{
		{name: "V49 no certificate transparency", before: func(f *fixture) { f.recipe.Certificate.WithoutSCT = true }, want: checks.CodeCertificateInvalid},
		{name: "V50 foreign authority of the same name", before: func(f *fixture) { f.recipe.Certificate.Intruder = true }, want: checks.CodeCertificateInvalid},
		{name: "V50 another instance altogether", before: func(f *fixture) {
			f.config.TrustedRoot = sigstoretest.New(f.t, sigstoretest.Options{Now: f.instance.Now(), Private: true}).TrustedRoot(f.t)
		}, want: checks.CodeCertificateInvalid},
		{name: "V50 not for signing code", before: func(f *fixture) {
			f.recipe.Certificate.Usage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		}, want: checks.CodeCertificateInvalid},
		{name: "not a certificate", after: func(b *protobundle.Bundle) {
			b.VerificationMaterial.Content = &protobundle.VerificationMaterial_Certificate{Certificate: &protocommon.X509Certificate{RawBytes: []byte("x")}}
		}, want: checks.CodeCertificateInvalid},
	})
}

func TestV51WrongRoot(t *testing.T) {
	t.Parallel()
	real := func(file string, roots ...string) (*fixture, []byte) {
		f := newFixture(t)
		data := load(t, filepath.Join("testdata", "corpus", filepath.FromSlash(file)))
		f.release.Assets, f.release.Roots, f.config.Now = attested(data), roots, time.Now
		f.release.Assets[0].Name = "app.tar.gz"
		return f, data
	}
	github, public := "chainloop/slsa_provenance.sigstore.json", "cli/data/custom-issuer.sigstore.json"
	for _, c := range []struct {
		name, file, want string
		roots            []string
	}{
		{"GitHub's certificate where the public root counts", github, checks.CodeWrongRoot, []string{checks.RootPublicGood}},
		{"public certificate where GitHub's root counts", public, checks.CodeWrongRoot, []string{checks.RootGitHub}},
		{"public certificate where the operator's root counts", public, checks.CodeWrongRoot, []string{checks.RootCustom}},
		{"public certificate where keys count", public, checks.CodeWrongRoot, []string{checks.RootKey}},
		{"no root counts", public, checks.CodeWrongRoot, nil},
		{"GitHub's where both count", github, "", []string{checks.RootPublicGood, checks.RootGitHub}},
		{"public where both count", public, "", []string{checks.RootGitHub, checks.RootPublicGood}},
	} {
		f, data := real(c.file, c.roots...)
		if got := code(f.only(f.scan(data))); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	f := newFixture(t)
	f.release.Roots = []string{checks.RootPublicGood}
	if got := code(f.only(f.scan(f.data()))); got != checks.CodeWrongRoot {
		t.Errorf("operator's certificate where the public root counts: got %q", got)
	}
}

func TestV57Faults(t *testing.T) {
	t.Parallel()
	steps := []string{
		"reading the bundle", "reading the statement", "reading the certificate", "comparing digests",
		"verifying the signature", "reading the proven facts",
	}
	for _, step := range steps {
		for name, fail := range map[string]func() error{
			"panic": func() error { panic("injected") },
			"error": func() error { return errors.New("injected") },
		} {
			t.Run(step+" "+name, func(t *testing.T) {
				t.Parallel()
				f := newFixture(t)
				f.release.Bundles = []checks.Bundle{{Name: "a", Data: f.data()}}
				s, seen := f.scanner(), 0
				s.after = func(s string) error {
					seen++
					if s == step {
						return fail()
					}
					return nil
				}
				a := f.only(f.scanWith(s))
				if a.Problem == nil || !a.Problem.Unknown() || !strings.Contains(a.Problem.Message, step) {
					t.Errorf("got %+v, want Unknown that names the step", a.Problem)
				}
				if seen == 0 || steps[seen-1] != step {
					t.Errorf("the fault came after %d steps", seen)
				}
			})
		}
	}
}

func TestV60Limits(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 64) + "[]" + strings.Repeat("}", 64)
	wide := "[" + strings.Repeat("1,", 100_000) + "1]"
	cases := map[string][]byte{
		"over 8 MiB":   bytes.Repeat([]byte(" "), 8<<20+1),
		"depth 65":     []byte(deep),
		"100001 nodes": []byte(wide),
	}
	for name, data := range cases {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			s := f.scanner()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			f.wantCode(checks.CodeTooLarge, data)
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
				t.Errorf("took %d bytes", used)
			}
			_ = s
		})
		if name == "over 8 MiB" {
			continue // a bundle is longer than its statement
		}
		t.Run(name+" in the statement", func(t *testing.T) {
			f := newFixture(t)
			f.recipe.Statement = []byte(fmt.Sprintf(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"a","digest":{"sha256":%q}}],"predicateType":"x","predicate":{"p":%s}}`, sha(artifact), data))
			f.wantCode(checks.CodeTooLarge, f.data())
		})
	}
}

func TestV62NotReadable(t *testing.T) {
	t.Parallel()
	corpusFile := func(name string) []byte {
		return load(t, filepath.Join("testdata", "corpus", filepath.FromSlash(name)))
	}
	for name, data := range map[string][]byte{
		"empty":                       {},
		"blank":                       []byte(" \n"),
		"random bytes":                {0x00, 0xff, 0x17, 0x80, 0x22, 0x5b},
		"HTML":                        []byte("<!doctype html><title>502</title>"),
		"JSON of another kind":        []byte(`{"hello":1}`),
		"a number":                    []byte("17"),
		"null":                        []byte("null"),
		"an empty list":               []byte("[]"),
		"no attestations":             []byte(`{"attestations":[]}`),
		"bundle null without address": []byte(`{"attestations":[{"bundle":null}]}`),
		"bundle null with address":    corpusFile("github-release/attestations-api-response.redacted.json")[:240],
		"bundle without content":      corpusFile("cli/data/github_provenance_demo-0.0.12-py3-none-any-bundle-missing-cert.jsonl"),
		"bundle of a later version":   []byte(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.9+json"}`),
		"unknown field":               []byte(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","surprise":1}`),
		"DSSE with bad base64":        []byte(`{"payloadType":"application/vnd.in-toto+json","payload":"%%%","signatures":[]}`),
	} {
		f := newFixture(t)
		if a := f.only(f.scan(data)); code(a) != checks.CodeNotReadable || !a.Problem.Unknown() {
			t.Errorf("%s: got %+v, want %q", name, a.Problem, checks.CodeNotReadable)
		}
	}
	f := newFixture(t)
	data := f.data()
	for _, n := range []int{1, len(data) / 2, len(data) - 1} {
		f := newFixture(t)
		f.wantCode(checks.CodeNotReadable, data[:n])
	}
	fetched := newFixture(t)
	fetched.release.Bundles = []checks.Bundle{{Name: "attestation 1 of 1", Problem: &checks.Reason{Code: checks.CodeNotReadable, Message: "HTTP 403"}}}
	fetched.wantCode(checks.CodeNotReadable)
	if _, err := os.Stat("testdata/corpus"); err != nil {
		t.Error(err)
	}
}

// flip changes the first byte of b.
func flip(b []byte) { b[0] ^= 1 }
