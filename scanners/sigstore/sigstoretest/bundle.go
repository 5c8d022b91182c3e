package sigstoretest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"strconv"
	"testing"
	"time"

	"github.com/digitorus/timestamp"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/rekor/pkg/util"
	"github.com/sigstore/sigstore/pkg/signature"
	"google.golang.org/protobuf/encoding/protojson"
)

// Recipe says what to sign and how. Statement or Artifact is needed, the rest has defaults.
type Recipe struct {
	Certificate Certificate
	// Key signs instead of a certificate, Hint being what the bundle says of it.
	Key  *ecdsa.PrivateKey
	Hint string

	Statement   []byte // signed as a DSSE payload
	PayloadType string // "" means that of in-toto
	Artifact    []byte // signed as bytes of a file, when there is no Statement

	Time      time.Time // when it is signed; zero means Instance.Now
	LogTime   time.Time // what the log says; zero means Time
	StampTime time.Time // what the timestamp authority says; zero means Time
	Version   string    // "0.1", "0.2" or "0.3"; "" means "0.3"

	WithoutLog, WithoutPromise, WithoutProof, WithoutStamp bool
}

// Sign makes a bundle. What the instance can prove is in it unless the recipe leaves it
// out.
func (i *Instance) Sign(t testing.TB, r Recipe) *protobundle.Bundle {
	t.Helper()
	when := or(r.Time, i.now)
	signer := &authority{key: r.Key}
	material := &protobundle.VerificationMaterial{
		Content: &protobundle.VerificationMaterial_PublicKey{PublicKey: &protocommon.PublicKeyIdentifier{Hint: r.Hint}},
	}
	if r.Key == nil {
		signer = i.leaf(t, r.Certificate, when)
		carry(material, r.Version, signer.certificate.Raw)
	}
	b := &protobundle.Bundle{MediaType: mediaType(r.Version), VerificationMaterial: material}
	signed, body := content(t, b, r, signer)
	if !i.private && !r.WithoutLog {
		material.TlogEntries = []*protorekor.TransparencyLogEntry{i.enter(t, body, or(r.LogTime, when), r)}
	}
	if i.stamps && !r.WithoutStamp {
		material.TimestampVerificationData = &protobundle.TimestampVerificationData{
			Rfc3161Timestamps: []*protocommon.RFC3161SignedTimestamp{{SignedTimestamp: i.stamp(t, signed, or(r.StampTime, when))}},
		}
	}
	return b
}

// JSON encodes a bundle as its file is written.
func JSON(t testing.TB, b *protobundle.Bundle) []byte {
	t.Helper()
	data, err := protojson.Marshal(b)
	check(t, "encoding a bundle", err)
	var compact bytes.Buffer
	check(t, "compacting a bundle", json.Compact(&compact, data))
	return compact.Bytes()
}

func or(t, otherwise time.Time) time.Time {
	if t.IsZero() {
		return otherwise
	}
	return t
}

func mediaType(version string) string {
	switch version {
	case "", "0.3":
		return "application/vnd.dev.sigstore.bundle.v0.3+json"
	}
	return "application/vnd.dev.sigstore.bundle+json;version=" + version
}

// carry puts a certificate into m: alone since version 0.3, as a chain before.
func carry(m *protobundle.VerificationMaterial, version string, der []byte) {
	one := &protocommon.X509Certificate{RawBytes: der}
	if version == "" || version == "0.3" {
		m.Content = &protobundle.VerificationMaterial_Certificate{Certificate: one}
		return
	}
	m.Content = &protobundle.VerificationMaterial_X509CertificateChain{
		X509CertificateChain: &protocommon.X509CertificateChain{Certificates: []*protocommon.X509Certificate{one}},
	}
}

// content signs, puts what is signed into b, and returns the signature and the text that
// the log keeps of it.
func content(t testing.TB, b *protobundle.Bundle, r Recipe, by *authority) (signed []byte, body map[string]any) {
	t.Helper()
	verifier := base64.StdEncoding.EncodeToString(armour(t, by))
	if r.Statement == nil {
		sum := sha256.Sum256(r.Artifact)
		signed = sign256(t, by.key, r.Artifact)
		b.Content = &protobundle.Bundle_MessageSignature{MessageSignature: &protocommon.MessageSignature{
			MessageDigest: &protocommon.HashOutput{Algorithm: protocommon.HashAlgorithm_SHA2_256, Digest: sum[:]}, Signature: signed,
		}}
		return signed, map[string]any{"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": map[string]any{
			"data":      map[string]any{"hash": hashed(r.Artifact)},
			"signature": map[string]any{"content": signed, "publicKey": map[string]any{"content": verifier}},
		}}
	}
	kind := r.PayloadType
	if kind == "" {
		kind = "application/vnd.in-toto+json"
	}
	signed = sign256(t, by.key, encoded(kind, r.Statement))
	b.Content = &protobundle.Bundle_DsseEnvelope{DsseEnvelope: &protodsse.Envelope{
		Payload: r.Statement, PayloadType: kind, Signatures: []*protodsse.Signature{{Sig: signed}},
	}}
	return signed, map[string]any{"apiVersion": "0.0.1", "kind": "dsse", "spec": map[string]any{
		"envelopeHash": hashed(signed), "payloadHash": hashed(r.Statement),
		"signatures": []any{map[string]any{"signature": signed, "verifier": verifier}},
	}}
}

// encoded is what a DSSE signature is over.
// https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md
func encoded(kind string, payload []byte) []byte {
	head := "DSSEv1 " + strconv.Itoa(len(kind)) + " " + kind + " " + strconv.Itoa(len(payload)) + " "
	return append([]byte(head), payload...)
}

func hashed(data []byte) map[string]any {
	sum := sha256.Sum256(data)
	return map[string]any{"algorithm": "sha256", "value": hex.EncodeToString(sum[:])}
}

// armour is the PEM form of the signer, as logs keep it.
func armour(t testing.TB, by *authority) []byte {
	t.Helper()
	if by.certificate != nil {
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: by.certificate.Raw})
	}
	return PublicKey(t, by.key)
}

// PublicKey returns the PEM form of a key's public half.
func PublicKey(t testing.TB, k *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(k.Public())
	check(t, "encoding a public key", err)
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// sign256 signs data with ECDSA over SHA-256.
func sign256(t testing.TB, k *ecdsa.PrivateKey, data []byte) []byte {
	t.Helper()
	sum := sha256.Sum256(data)
	signed, err := ecdsa.SignASN1(rand.Reader, k, sum[:])
	check(t, "signing", err)
	return signed
}

// enter writes body into the log: a tree of two leaves, of which it is the second.
func (i *Instance) enter(t testing.TB, body map[string]any, when time.Time, r Recipe) *protorekor.TransparencyLogEntry {
	t.Helper()
	text, err := json.Marshal(body)
	check(t, "encoding a log entry", err)
	id := keyID(t, i.log)
	e := &protorekor.TransparencyLogEntry{
		LogIndex: 1_000_001, LogId: &protocommon.LogId{KeyId: id}, IntegratedTime: when.Unix(), CanonicalizedBody: text,
		KindVersion: &protorekor.KindVersion{Kind: body["kind"].(string), Version: body["apiVersion"].(string)},
	}
	if !r.WithoutPromise {
		promise, err := json.Marshal(map[string]any{
			"body": text, "integratedTime": e.IntegratedTime, "logID": hex.EncodeToString(id), "logIndex": e.LogIndex,
		})
		check(t, "encoding the log's promise", err)
		e.InclusionPromise = &protorekor.InclusionPromise{SignedEntryTimestamp: sign256(t, i.log, promise)}
	}
	if !r.WithoutProof {
		leaf, first := sha256.Sum256(append([]byte{0}, text...)), sha256.Sum256([]byte("the first leaf"))
		top := sha256.Sum256(append(append([]byte{1}, first[:]...), leaf[:]...))
		signer, err := signature.LoadECDSASignerVerifier(i.log, crypto.SHA256)
		check(t, "loading the log's key", err)
		checkpoint, err := util.CreateAndSignCheckpoint(t.Context(), "rekor.localhost", 7, 2, top[:], signer)
		check(t, "signing a checkpoint", err)
		e.InclusionProof = &protorekor.InclusionProof{
			LogIndex: 1, TreeSize: 2, RootHash: top[:], Hashes: [][]byte{first[:]}, Checkpoint: &protorekor.Checkpoint{Envelope: string(checkpoint)},
		}
	}
	return e
}

// stamp is a timestamp authority's answer about signed (RFC 3161).
func (i *Instance) stamp(t testing.TB, signed []byte, when time.Time) []byte {
	t.Helper()
	sum := sha256.Sum256(signed)
	stamp := timestamp.Timestamp{
		HashAlgorithm: crypto.SHA256, HashedMessage: sum[:], Time: when, Policy: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 2},
	}
	answer, err := stamp.CreateResponseWithOpts(i.stamper.certificate, i.stamper.key, crypto.SHA256)
	check(t, "making a timestamp", err)
	return answer
}
