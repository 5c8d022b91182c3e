package sigstore

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"testing"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/sigstore/sigstoretest"
)

func TestForms(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	one, two := f.data(), f.data()
	join := func(parts ...string) []byte {
		var b bytes.Buffer
		for _, p := range parts {
			switch p {
			case "1":
				b.Write(one)
			case "2":
				b.Write(two)
			default:
				b.WriteString(p)
			}
		}
		return b.Bytes()
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, one, "", "  "); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		data  []byte
		codes []string
	}{
		"bundle":                       {one, []string{""}},
		"bundle on several lines":      {pretty.Bytes(), []string{""}},
		"JSON Lines":                   {join("1", "\n", "2", "\n"), []string{"", ""}},
		"JSON Lines, Windows":          {join("1", "\r\n", "2", "\r\n"), []string{"", ""}},
		"array":                        {join("[", "1", ",", "2", "]"), []string{"", ""}},
		"the same twice counts once":   {join("1", "\n", "1", "\n"), []string{""}},
		"answer of the API":            {join(`{"attestations":[{"repository_id":1,"bundle":`, "1", `,"bundle_url":"https://x"},{"bundle":`, "2", `}]}`), []string{"", ""}},
		"answer with a missing bundle": {join(`{"attestations":[{"bundle":null,"bundle_url":"https://x"},{"bundle":`, "2", `}]}`), []string{checks.CodeNotReadable, ""}},
		"lines of answers":             {join(`{"bundle":`, "1", "}\n", `{"bundle":`, "2", "}\n"), []string{"", ""}},
		"good then broken":             {join("1", "\n{broken"), []string{"", checks.CodeNotReadable}},
		"good then of another kind":    {join("1", "\n", `{"a":1}`), []string{"", checks.CodeNotReadable}},
		"broken then good":             {join("{broken\n", "1"), []string{checks.CodeNotReadable}},
	} {
		f := *f
		release := *f.release
		f.release = &release
		var got []string
		for _, a := range f.scan(c.data).Attestations {
			got = append(got, code(a))
		}
		if len(got) != len(c.codes) || len(got) > 0 && got[0] != c.codes[0] || len(got) > 1 && got[1] != c.codes[1] {
			t.Errorf("%s: got %q, want %q", name, got, c.codes)
		}
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"0.1", "0.2", "0.3"} {
		for _, artifactOnly := range []bool{false, true} {
			f := newFixture(t)
			f.recipe.Version = version
			if artifactOnly {
				f.recipe.Statement, f.recipe.Artifact = nil, []byte(artifact)
			}
			f.wantCode("", f.data())
		}
	}
}

// pair takes a signed bundle apart into the files from before bundles.
func pair(f *fixture) (signature, certificate []byte, b *protobundle.Bundle) {
	f.t.Helper()
	f.recipe.Statement, f.recipe.Artifact, f.recipe.Version = nil, []byte(artifact), "0.1"
	b = f.bundle()
	der := b.GetVerificationMaterial().GetX509CertificateChain().GetCertificates()[0].GetRawBytes()
	return b.GetMessageSignature().GetSignature(), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), b
}

// cosignJSON is the bundle that cosign wrote before version 3.
func cosignJSON(t *testing.T, b *protobundle.Bundle, certificate []byte) []byte {
	t.Helper()
	e := entry(b)
	data, err := json.Marshal(map[string]any{
		"base64Signature": b.GetMessageSignature().GetSignature(), "cert": certificate,
		"rekorBundle": map[string]any{"SignedEntryTimestamp": e.InclusionPromise.SignedEntryTimestamp, "Payload": map[string]any{
			"body": e.CanonicalizedBody, "integratedTime": e.IntegratedTime, "logIndex": e.LogIndex, "logID": hex.EncodeToString(e.LogId.KeyId),
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestDetached(t *testing.T) {
	t.Parallel()
	text := func(b []byte) []byte { return []byte(base64.StdEncoding.EncodeToString(b) + "\n") }
	block := func(p []byte) []byte { d, _ := pem.Decode(p); return d.Bytes }
	cases := map[string]struct {
		make func(f *fixture) checks.Bundle
		want string
	}{
		"cosign bundle": {func(f *fixture) checks.Bundle {
			_, certificate, b := pair(f)
			return checks.Bundle{For: "app.tar.gz", Data: cosignJSON(f.t, b, certificate)}
		}, ""},
		"cosign bundle beside signature and certificate": {func(f *fixture) checks.Bundle {
			signature, certificate, b := pair(f)
			return checks.Bundle{For: "app.tar.gz", Data: cosignJSON(f.t, b, nil), Signature: text(signature), Certificate: certificate}
		}, ""},
		"cosign bundle, log entry changed": {func(f *fixture) checks.Bundle {
			_, certificate, b := pair(f)
			entry(b).IntegratedTime++
			return checks.Bundle{For: "app.tar.gz", Data: cosignJSON(f.t, b, certificate)}
		}, checks.CodeLogInvalid},
		"cosign bundle of another file": {func(f *fixture) checks.Bundle {
			_, certificate, b := pair(f)
			otherDigest(f)
			return checks.Bundle{For: "app.tar.gz", Data: cosignJSON(f.t, b, certificate)}
		}, checks.CodeLogInvalid},
		"signature and certificate": {func(f *fixture) checks.Bundle {
			signature, certificate, _ := pair(f)
			return checks.Bundle{For: "app.tar.gz", Signature: text(signature), Certificate: certificate}
		}, checks.CodeTimeUnproven},
		"signature and certificate in base64": {func(f *fixture) checks.Bundle {
			signature, certificate, _ := pair(f)
			return checks.Bundle{For: "app.tar.gz", Signature: signature, Certificate: text(certificate)}
		}, checks.CodeTimeUnproven},
		"signature and certificate in DER": {func(f *fixture) checks.Bundle {
			signature, certificate, _ := pair(f)
			return checks.Bundle{For: "app.tar.gz", Signature: signature, Certificate: block(certificate)}
		}, checks.CodeTimeUnproven},
		"certificate of another kind": {func(f *fixture) checks.Bundle {
			signature, _, _ := pair(f)
			return checks.Bundle{For: "app.tar.gz", Signature: signature, Certificate: []byte("-----BEGIN PGP")}
		}, checks.CodeNotReadable},
		"signature alone, no key": {func(f *fixture) checks.Bundle {
			signature, _, _ := pair(f)
			return checks.Bundle{For: "app.tar.gz", Signature: signature}
		}, checks.CodeSignerMismatch},
		"signature beside nothing, the only asset": {func(f *fixture) checks.Bundle {
			_, certificate, b := pair(f)
			return checks.Bundle{Data: cosignJSON(f.t, b, certificate)}
		}, ""},
		"signature beside nothing, two assets": {func(f *fixture) checks.Bundle {
			_, certificate, b := pair(f)
			f.release.Assets = append(f.release.Assets, checks.Asset{Name: "b", SHA256: sha("b")})
			return checks.Bundle{Data: cosignJSON(f.t, b, certificate)}
		}, checks.CodeNotReadable},
		"signature file over 1 MiB": {func(f *fixture) checks.Bundle {
			return checks.Bundle{For: "app.tar.gz", Signature: make([]byte, maxPair+1)}
		}, checks.CodeTooLarge},
		"empty signature in a cosign bundle": {func(f *fixture) checks.Bundle {
			return checks.Bundle{For: "app.tar.gz", Data: []byte(`{"base64Signature":""}`)}
		}, checks.CodeNotReadable},
		"cosign bundle with a broken log id": {func(f *fixture) checks.Bundle {
			return checks.Bundle{For: "app.tar.gz", Data: []byte(`{"base64Signature":"AA==","rekorBundle":{"SignedEntryTimestamp":"AA==","Payload":{"body":"AA==","logID":"x"}}}`)}
		}, checks.CodeLogInvalid},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := fixtureOf(t, sigstoretest.Options{})
			f.release.Bundles = []checks.Bundle{c.make(f)}
			a := f.only(f.scanWith(f.scanner()))
			if code(a) != c.want {
				t.Fatalf("got %q, want %q: %+v", code(a), c.want, a.Problem)
			}
			if c.want == "" && (a.Kind != checks.AttestationSignature || a.For != "app.tar.gz" || a.Signer.Identity == "") {
				t.Errorf("got %+v", a)
			}
		})
	}
}

func TestEnvelopeAlone(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	e := f.bundle().GetDsseEnvelope()
	envelope := func(cert string) []byte {
		data, err := json.Marshal(map[string]any{"payloadType": e.PayloadType, "payload": e.Payload, "signatures": []any{
			map[string]any{"sig": e.Signatures[0].Sig, "keyid": "", "cert": cert},
		}})
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	f.wantCode(checks.CodeLogProofMissing, envelope("-----BEGIN CERTIFICATE-----"))
	f = newFixture(t)
	otherDigest(f)
	f.wantCode(checks.CodeDigestMismatch, envelope(""))
	f = newFixture(t)
	f.release.Assets = attested(load(t, "testdata/corpus/slsa-verifier/gha_go/v1.2.2/binary-linux-amd64-push-v14.2.intoto.jsonl"))
	f.release.Assets[0].Name = "app.tar.gz"
	f.wantCode(checks.CodeLogProofMissing, load(t, "testdata/corpus/slsa-verifier/gha_go/v1.2.2/binary-linux-amd64-push-v14.2.intoto.jsonl"))
	f = newFixture(t)
	f.wantCode(checks.CodeStatementInvalid, load(t, "testdata/corpus/archivista/build.attestation.json"))
}

// keyed makes the fixture one whose asset is signed with a key.
func keyed(t *testing.T) (*fixture, *ecdsa.PrivateKey) {
	t.Helper()
	f := newFixture(t)
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	f.recipe.Key, f.recipe.Hint, f.recipe.WithoutLog, f.recipe.WithoutStamp = k, "a key", true, true
	f.config = Config{Keys: [][]byte{sigstoretest.PublicKey(t, k)}}
	f.release.Roots = []string{checks.RootKey}
	return f, k
}

func TestKeys(t *testing.T) {
	t.Parallel()
	f, k := keyed(t)
	der, err := x509.MarshalPKIXPublicKey(k.Public())
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(der)
	want := checks.Signer{Identity: "key:sha256:" + hex.EncodeToString(sum[:])}
	if a := f.only(f.scan(f.data())); a.Problem != nil || a.Signer != want || a.Root != checks.RootKey || a.Kind != checks.AttestationProvenance || !a.Time.IsZero() {
		t.Errorf("statement: got %+v, want the signer %+v", a, want)
	}
	signature := func(f *fixture) []byte {
		f.recipe.Statement, f.recipe.Artifact = nil, []byte(artifact)
		return f.bundle().GetMessageSignature().GetSignature()
	}
	other := func(f *fixture) {
		_, k := keyed(t)
		f.config.Keys = [][]byte{sigstoretest.PublicKey(t, k)}
	}
	for name, c := range map[string]struct {
		make func(f *fixture) checks.Bundle
		want string
	}{
		"signature file": {func(f *fixture) checks.Bundle { return checks.Bundle{For: "app.tar.gz", Signature: signature(f)} }, ""},
		"signature file given as evidence by its name": {func(f *fixture) checks.Bundle {
			return checks.Bundle{Name: "app.tar.gz.sig", For: "app.tar.gz", Data: []byte(base64.StdEncoding.EncodeToString(signature(f)) + "\n")}
		}, ""},
		"signature file, second key": {func(f *fixture) checks.Bundle {
			own := f.config.Keys[0]
			other(f)
			f.config.Keys = append(f.config.Keys, own)
			return checks.Bundle{For: "app.tar.gz", Signature: signature(f)}
		}, ""},
		"key from the policy": {func(f *fixture) checks.Bundle {
			f.release.Keys, f.config.Keys = []string{string(f.config.Keys[0])}, nil
			return checks.Bundle{For: "app.tar.gz", Signature: signature(f)}
		}, ""},
		"signature file, other key": {func(f *fixture) checks.Bundle {
			other(f)
			return checks.Bundle{For: "app.tar.gz", Signature: signature(f)}
		}, checks.CodeSignatureInvalid},
		"signature file, other bytes": {func(f *fixture) checks.Bundle {
			otherDigest(f)
			return checks.Bundle{For: "app.tar.gz", Signature: signature(f)}
		}, checks.CodeSignatureInvalid},
		"signature file beside a stranger's certificate": {func(f *fixture) checks.Bundle {
			_, certificate, _ := pair(newFixture(f.t))
			return checks.Bundle{For: "app.tar.gz", Signature: signature(f), Certificate: certificate}
		}, ""},
		"envelope": {func(f *fixture) checks.Bundle {
			e := f.bundle().GetDsseEnvelope()
			data, err := json.Marshal(map[string]any{"payloadType": e.PayloadType, "payload": e.Payload, "signatures": []any{map[string]any{"sig": e.Signatures[0].Sig}}})
			if err != nil {
				f.t.Fatal(err)
			}
			return checks.Bundle{For: "app.tar.gz", Data: data}
		}, ""},
		"bundle, keys do not count": {func(f *fixture) checks.Bundle {
			f.release.Roots = []string{checks.RootPublicGood, checks.RootGitHub}
			return checks.Bundle{For: "app.tar.gz", Data: f.data()}
		}, checks.CodeSignerMismatch},
		"bundle, other key": {func(f *fixture) checks.Bundle {
			other(f)
			return checks.Bundle{For: "app.tar.gz", Data: f.data()}
		}, checks.CodeSignatureInvalid},
		"bundle that names the npm registry's key": {func(f *fixture) checks.Bundle {
			f.release.Roots = []string{checks.RootPublicGood}
			f.recipe.Hint = "SHA256:DhQ8wR5APBvFHLF/+Tc+AYvPOdTpcIDqOhxsBHRwC7U"
			return checks.Bundle{For: "app.tar.gz", Data: f.data()}
		}, checks.CodeLogInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, _ := keyed(t)
			f.release.Bundles = []checks.Bundle{c.make(f)}
			if a := f.only(f.scanWith(f.scanner())); code(a) != c.want {
				t.Errorf("got %q, want %q: %+v", code(a), c.want, a.Problem)
			}
		})
	}
}

func TestKeyBesideTheOperatorsRoot(t *testing.T) {
	t.Parallel()
	public := newFixture(t)
	f, k := keyed(t)
	f.instance, f.config.TrustedRoot = public.instance, public.config.TrustedRoot
	f.release.Roots = []string{checks.RootKey, checks.RootCustom}
	f.config.Keys = [][]byte{sigstoretest.PublicKey(t, k)}
	f.wantCode(checks.CodeLogInvalid, f.data())
	f.release.Bundles, f.recipe.WithoutLog = nil, false
	a := f.only(f.scan(f.data()))
	if a.Problem != nil || !a.Time.Equal(f.instance.Now()) {
		t.Errorf("with a log entry: got %+v", a)
	}
}

func TestEd25519(t *testing.T) {
	t.Parallel()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	for name, signed := range map[string]string{"the file": artifact, "an empty message, which must never pass for the file": ""} {
		f, _ := keyed(t)
		f.config.Keys = [][]byte{pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})}
		f.release.Bundles = []checks.Bundle{{For: "app.tar.gz", Signature: ed25519.Sign(private, []byte(signed))}}
		if a := f.only(f.scanWith(f.scanner())); code(a) != checks.CodeNotReadable {
			t.Errorf("signature over %s: got %+v", name, a.Problem)
		}
	}
}

func TestCorpusOddRoots(t *testing.T) {
	t.Parallel()
	dir := "testdata/corpus/sigstore-go/data/"
	name := load(t, dir+"bundles/othername.sigstore.json")
	f := newFixture(t)
	f.config = Config{TrustedRoot: load(t, dir+"trusted-roots/scaffolding.json")}
	f.release.Assets = attested(name)
	f.release.Bundles = []checks.Bundle{{Data: name}}
	if a := f.only(f.scanWith(f.scanner())); a.Problem != nil || a.Signer.Identity != "foo!oidc.local" {
		t.Errorf("name of another kind: got %+v", a)
	}
	valid := load(t, dir+"bundles/public-key-validity.sigstore.json")
	f = newFixture(t)
	f.config = Config{TrustedRoot: load(t, dir+"trusted-roots/public-key-validity.json"), Keys: [][]byte{load(t, dir+"public-keys/public-key-validity.pem")}}
	f.release.Roots = []string{checks.RootKey, checks.RootCustom}
	f.release.Assets = attested(valid)
	f.release.Bundles = []checks.Bundle{{Data: valid}}
	if a := f.only(f.scanWith(f.scanner())); a.Problem != nil || a.Time.IsZero() {
		t.Errorf("key beside timestamps: got %+v", a)
	}
	f = newFixture(t)
	f.release.Roots = []string{checks.RootPublicGood}
	f.release.Assets = []checks.Asset{{Name: "a.txt", SHA256: "e248a5db4933dba6578200238c91a57f5e65b925b73050ae786933468b7ac101"}}
	f.release.Bundles = []checks.Bundle{{For: "a.txt", Signature: load(t, "testdata/corpus/detached/a.txt.sig"), Certificate: load(t, "testdata/corpus/detached/a.txt.crt")}}
	f.wantCode(checks.CodeTimeUnproven)
}
