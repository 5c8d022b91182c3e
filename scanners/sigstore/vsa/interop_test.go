package vsa_test

import (
	"crypto"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	vsav1 "github.com/in-toto/attestation/go/predicates/vsa/v1"
	intotov1 "github.com/in-toto/attestation/go/v1"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/signature"
	sigdsse "github.com/sigstore/sigstore/pkg/signature/dsse"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/landwaiter/landwaiter/checks/summary"
)

// issued is a summary as the service writes it.
func issued(t *testing.T) (line []byte, keyID string) {
	t.Helper()
	_, keyID = publicPEM(t, private)
	line, err := summary.Sign(statement(), keyID, func(m []byte) ([]byte, error) { return ed25519.Sign(private, m), nil })
	if err != nil {
		t.Fatal(err)
	}
	return line, keyID
}

func sigstoreVerifier(t *testing.T) signature.Verifier {
	t.Helper()
	v, err := signature.LoadVerifier(private.Public(), crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestInteropDSSE: the DSSE library of in-toto takes the envelope, and the types of the
// in-toto project, read strictly, take what is in it.
func TestInteropDSSE(t *testing.T) {
	t.Parallel()
	line, keyID := issued(t)
	var e dsse.Envelope
	if err := json.Unmarshal(line, &e); err != nil {
		t.Fatal(err)
	}
	by := &sigdsse.VerifierAdapter{SignatureVerifier: sigstoreVerifier(t), Pub: private.Public(), PubKeyID: keyID}
	verifier, err := dsse.NewEnvelopeVerifier(by)
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := verifier.Verify(t.Context(), &e)
	if err != nil || len(accepted) != 1 || accepted[0].KeyID != keyID {
		t.Fatalf("accepted %+v, %v", accepted, err)
	}
	payload, err := e.DecodeB64Payload()
	if err != nil {
		t.Fatal(err)
	}
	var st intotov1.Statement
	if err := protojson.Unmarshal(payload, &st); err != nil {
		t.Fatal(err)
	}
	if err := st.Validate(); err != nil {
		t.Error(err)
	}
	text, err := protojson.Marshal(st.Predicate)
	if err != nil {
		t.Fatal(err)
	}
	var p vsav1.VerificationSummary
	if err := protojson.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	if p.VerificationResult != "PASSED" || p.Verifier.Id != want.VerifierID || p.ResourceUri != want.ResourceURI || len(p.InputAttestations) != 1 {
		t.Errorf("read as %v", &p)
	}
	e.Payload = b64(string(payload) + " ")
	if _, err := verifier.Verify(t.Context(), &e); err == nil {
		t.Error("the oracle takes a changed payload")
	}
}

// TestInteropSigstore: sigstore-go verifies the envelope inside a bundle with the public key
// and the digest of the asset, and refuses another digest.
func TestInteropSigstore(t *testing.T) {
	t.Parallel()
	line, keyID := issued(t)
	text := fmt.Sprintf(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":%q}},"dsseEnvelope":%s}`, keyID, line)
	var b bundle.Bundle
	if err := b.UnmarshalJSON([]byte(text)); err != nil {
		t.Fatal(err)
	}
	trusted := root.NewTrustedPublicKeyMaterial(func(string) (root.TimeConstrainedVerifier, error) {
		return root.NewExpiringKey(sigstoreVerifier(t), time.Time{}, time.Time{}), nil
	})
	v, err := verify.NewVerifier(trusted, verify.WithNoObserverTimestamps())
	if err != nil {
		t.Fatal(err)
	}
	for digest, ok := range map[string]bool{sumApp: true, other: false} {
		_, err := v.Verify(&b, verify.NewPolicy(verify.WithArtifactDigest("sha256", raw(t, digest)), verify.WithKey()))
		if (err == nil) != ok {
			t.Errorf("%s: %v", digest, err)
		}
	}
}
