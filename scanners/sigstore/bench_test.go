package sigstore

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/landwaiter/landwaiter/checks"
)

// keyless is a release with n assets, each with its own bundle of the public instance.
func keyless(b *testing.B, n int) (*Scanner, *checks.Material) {
	b.Helper()
	s, err := New(Config{})
	if err != nil {
		b.Fatal(err)
	}
	data := load(b, filepath.FromSlash("testdata/corpus/cli/data/custom-issuer.sigstore.json"))
	r := &checks.Release{Roots: []string{checks.RootPublicGood}}
	for i := range n {
		a := attested(data)[0]
		a.Name = fmt.Sprintf("asset-%d", i)
		r.Assets = append(r.Assets, a)
		r.Bundles = append(r.Bundles, checks.Bundle{Name: a.Name + ".sigstore.json", For: a.Name, Data: data})
	}
	return s, &checks.Material{Release: r}
}

func benchmark(b *testing.B, n int) {
	s, m := keyless(b, n)
	b.ReportAllocs()
	for b.Loop() {
		e, err := s.Scan(b.Context(), m)
		if err != nil || len(e.Attestations) != n || e.Attestations[0].Problem != nil {
			b.Fatalf("got %+v, %v", e, err)
		}
	}
}

// BenchmarkKeyless reads and verifies one bundle: chain, SCT, log entry and signature.
func BenchmarkKeyless(b *testing.B) { benchmark(b, 1) }

// BenchmarkRelease does it for a release of 100 assets, on all processors.
func BenchmarkRelease(b *testing.B) { benchmark(b, 100) }

// BenchmarkNew parses the embedded trust roots.
func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		if _, err := New(Config{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkForeign reads one attestation that is about other bytes, without cryptography.
func BenchmarkForeign(b *testing.B) {
	s, m := keyless(b, 1)
	m.Release.Assets[0].SHA256 = sha("other bytes")
	b.ReportAllocs()
	for b.Loop() {
		if e, err := s.Scan(b.Context(), m); err != nil || code(e.Attestations[0]) != checks.CodeDigestMismatch {
			b.Fatalf("got %+v, %v", e, err)
		}
	}
}

// BenchmarkGoal9Raw is the cryptography that one keyless bundle cannot do without: two
// certificates signed with P-384, and with P-256 the statement, the SCT, the promise of the log
// and its checkpoint. Each is a signature of its own over bytes of its own.
func BenchmarkGoal9Raw(b *testing.B) {
	var verify []func() bool
	for _, kind := range []struct {
		curve elliptic.Curve
		hash  crypto.Hash
		times int
	}{{elliptic.P384(), crypto.SHA384, 2}, {elliptic.P256(), crypto.SHA256, 4}} {
		for range kind.times {
			key, err := ecdsa.GenerateKey(kind.curve, rand.Reader)
			if err != nil {
				b.Fatal(err)
			}
			text := make([]byte, 1024)
			rand.Read(text)
			sum := func() []byte { h := kind.hash.New(); h.Write(text); return h.Sum(nil) }
			signature, err := ecdsa.SignASN1(rand.Reader, key, sum())
			if err != nil {
				b.Fatal(err)
			}
			verify = append(verify, func() bool { return ecdsa.VerifyASN1(&key.PublicKey, sum(), signature) })
		}
	}
	for b.Loop() {
		for _, valid := range verify {
			if !valid() {
				b.Fatal("a signature is not valid")
			}
		}
	}
}
