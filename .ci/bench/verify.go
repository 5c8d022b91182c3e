package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// verification measures `landwaiter verify` and the verifier beside cosign (goals 9, 10, 11).
func verification(ctx context.Context, o options, d *data, t *table) error {
	if _, err := os.Stat(o.cosign); err != nil {
		t.note("Goals 9 to 11 were left out: there is no %s.", o.cosign)
		return nil
	}
	if err := smallBundle(ctx, o, t); err != nil || o.skipLarge {
		return err
	}
	return largeAsset(ctx, o, d, t)
}

// The demo's artifact, and who signed it.
const (
	artifactFolder = "cmd/landwaiter/demodata/releases"
	artifactSigner = "https://github.com/too-legit/attest/.github/workflows/integration.yml@refs/heads/main"
	artifactIssuer = "https://token.actions.githubusercontent.com"
	trustedRoot    = "scanners/sigstore/trust/public-good/trusted_root.json"
)

// smallBundle compares one keyless bundle in a running process, and a release of 100, with
// cosign processes.
func smallBundle(ctx context.Context, o options, t *table) error {
	artifact := filepath.Join(artifactFolder, "artifact")
	say("verifying one keyless bundle")
	p, err := inTurn(ctx, max(11, o.pairs),
		program{o.cosign, "verify-blob-attestation", "--bundle", artifact + ".sigstore.json", "--trusted-root", trustedRoot,
			"--certificate-identity", artifactSigner, "--certificate-oidc-issuer", artifactIssuer, "--type", "slsaprovenance1", artifact},
		program{o.landwaiter, "verify", "--quiet", "--bundle", artifact + ".sigstore.json",
			"--certificate-identity", artifactSigner, "--certificate-oidc-issuer", artifactIssuer, artifact})
	if err != nil {
		return err
	}
	found, err := goBench(ctx, "./scanners/sigstore", "^Benchmark(Keyless|Release|Goal9Raw)$")
	if err != nil {
		return err
	}
	for _, name := range []string{"Keyless", "Release", "Goal9Raw"} {
		if found[name] == nil {
			return fmt.Errorf("./scanners/sigstore has no Benchmark%s any more; mend .ci/bench/verify.go", name)
		}
	}
	t.time("9", "verify one keyless bundle in process, beside cosign", p.anchor.Wall, found["Keyless"].time(), 1.0/10, "<= 1/10")
	t.time("9", "the same, beside its signatures alone", found["Goal9Raw"].time(), found["Keyless"].time(), 2.5, "<= 2.5")
	t.time("11", "100 assets with a bundle each, beside 100 times cosign", 100*p.anchor.Wall, found["Release"].time(), 1.0/10, "<= 1/10")
	t.note("The whole of landwaiter verify takes %s for that bundle, cosign %s.", duration(p.ours.Wall), duration(p.anchor.Wall))
	return nil
}

// largeAsset compares an asset of 1 GiB, signed with a key, with cosign and with hashing alone.
func largeAsset(ctx context.Context, o options, d *data, t *table) error {
	say("making an asset of 1 GiB")
	file := filepath.Join(d.dir, "large.bin")
	if err := writeLarge(file); err != nil {
		return err
	}
	defer os.Remove(file)
	key, bundle := filepath.Join(d.dir, "key.pub"), filepath.Join(d.dir, "large.sigstore.json")
	sum, _, err := hashOf(file)
	if err != nil {
		return err
	}
	if err := signLarge(sum, key, bundle); err != nil {
		return err
	}
	say("verifying an asset of 1 GiB")
	p, err := inTurn(ctx, min(5, o.pairs),
		program{o.cosign, "verify-blob", "--key", key, "--insecure-ignore-tlog", "--bundle", bundle, file},
		program{o.landwaiter, "verify", "--quiet", "--key", key, "--bundle", bundle, file})
	if err != nil {
		return err
	}
	var bare []time.Duration
	for range 3 {
		_, took, err := hashOf(file)
		if err != nil {
			return err
		}
		bare = append(bare, took)
	}
	t.time("10", "verify an asset of 1 GiB", p.anchor.Wall, p.ours.Wall, 1/2.2, "<= 1/2.2")
	t.memory("10", "the same", p.anchor.Peak, p.ours.Peak, 1.0/20, "<= 1/20")
	t.time("10", "the same, beside hashing it", slices.Min(bare), p.ours.Wall, 1.15, "<= 1.15")
	return nil
}

// writeLarge writes 1 GiB that does not compress.
func writeLarge(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	block := make([]byte, 1<<20)
	rand.Read(block) // never fails
	for range 1 << 10 {
		if _, err := f.Write(block); err != nil {
			f.Close()
			return err
		}
	}
	return f.Close()
}

// hashOf is what no verifier can do without, and how long it takes.
func hashOf(path string) ([]byte, time.Duration, error) {
	started := time.Now()
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.CopyBuffer(h, struct{ io.Reader }{f}, make([]byte, 1<<20)); err != nil {
		return nil, 0, err
	}
	return h.Sum(nil), time.Since(started), nil
}

// signLarge writes a new public key and a Sigstore bundle of its signature.
func signLarge(sum []byte, keyFile, bundleFile string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	signature, err := ecdsa.SignASN1(rand.Reader, key, sum)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return err
	}
	bundle, err := json.Marshal(map[string]any{
		"mediaType":            "application/vnd.dev.sigstore.bundle.v0.3+json",
		"verificationMaterial": map[string]any{"publicKey": map[string]any{"hint": "large"}},
		"messageSignature": map[string]any{
			"messageDigest": map[string]any{"algorithm": "SHA2_256", "digest": sum},
			"signature":     signature,
		},
	})
	if err != nil {
		return err
	}
	if err := os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), 0o644); err != nil {
		return err
	}
	return os.WriteFile(bundleFile, bundle, 0o644)
}
