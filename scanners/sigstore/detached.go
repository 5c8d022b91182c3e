package sigstore

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"slices"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"

	"github.com/landwaiter/landwaiter/checks"
)

// oldBundle is the version whose rules fit evidence from before bundles: a promise of the
// log is enough.
const oldBundle = "application/vnd.dev.sigstore.bundle+json;version=0.1"

// detached is evidence from before bundles existed: a signature file, perhaps with a
// certificate, perhaps with the log entry that `cosign sign-blob --bundle` kept beside it.
type detached struct {
	signature   []byte
	certificate []byte // DER; nil when there is none
	entry       *protorekor.TransparencyLogEntry
}

// cosignBundle is the JSON that cosign wrote before Sigstore bundles. A file that is
// written beside a .sig may hold the part under rekorBundle alone.
// https://github.com/sigstore/cosign/blob/v2.2.0/pkg/cosign/common.go
type cosignBundle struct {
	Signature []byte       `json:"base64Signature"`
	Cert      []byte       `json:"cert"`
	Rekor     *cosignEntry `json:"rekorBundle"`
	cosignEntry
}

type cosignEntry struct {
	Promise []byte `json:"SignedEntryTimestamp"`
	Payload struct {
		Body           []byte `json:"body"`
		IntegratedTime int64  `json:"integratedTime"`
		LogIndex       int64  `json:"logIndex"`
		LogID          string `json:"logID"`
	} `json:"Payload"`
}

// readDetached collects the parts of evidence from before bundles.
func (c *candidate) readDetached() *checks.Reason {
	d := &detached{signature: unarmour(c.bundle.Signature), certificate: certificateDER(c.bundle.Certificate)}
	if c.form == formCosign {
		var old cosignBundle
		if err := json.Unmarshal(c.data, &old); err != nil {
			return notReadable("It is not a bundle of cosign: " + cut(err.Error()) + ".")
		}
		if len(d.signature) == 0 {
			d.signature = old.Signature
		}
		if d.certificate == nil {
			d.certificate = certificateDER(old.Cert)
		}
		entry := old.Rekor
		if entry == nil {
			entry = &old.cosignEntry
		}
		var problem *checks.Reason
		if d.entry, problem = entry.proto(); problem != nil {
			return problem
		}
	}
	if len(d.signature) == 0 {
		return notReadable("It holds no signature.")
	}
	if len(c.bundle.Certificate) > 0 && d.certificate == nil {
		return notReadable("The certificate beside the signature is neither PEM nor DER.")
	}
	c.pair = d
	return nil
}

// proto turns an entry into the form of a bundle; nil when there is no entry.
func (e *cosignEntry) proto() (*protorekor.TransparencyLogEntry, *checks.Reason) {
	if len(e.Promise) == 0 && len(e.Payload.Body) == 0 {
		return nil, nil
	}
	var body struct {
		Kind    string `json:"kind"`
		Version string `json:"apiVersion"`
	}
	id, err := hex.DecodeString(e.Payload.LogID)
	if err != nil || json.Unmarshal(e.Payload.Body, &body) != nil {
		return nil, logInvalid("it cannot be read")
	}
	return &protorekor.TransparencyLogEntry{
		LogIndex:          e.Payload.LogIndex,
		LogId:             &protocommon.LogId{KeyId: id},
		KindVersion:       &protorekor.KindVersion{Kind: body.Kind, Version: body.Version},
		IntegratedTime:    e.Payload.IntegratedTime,
		InclusionPromise:  &protorekor.InclusionPromise{SignedEntryTimestamp: e.Promise},
		CanonicalizedBody: e.Payload.Body,
	}, nil
}

// compareDetached finds the asset of a signature file, which names none: the one it stands
// beside, or the only one there is. A signature proves by itself whether it fits.
func (c *candidate) compareDetached(shelf *shelf) *checks.Reason {
	i, beside := shelf.beside(c.bundle)
	if !beside && (len(shelf.assets) != 1 || c.bundle.For != "") {
		return notReadable("A signature file names no asset, and none stands beside it. Name it like its asset with the ending .sig.")
	}
	if p := shelf.unusable(i); p != nil {
		return p
	}
	raw, err := hex.DecodeString(shelf.assets[i].SHA256)
	if err != nil {
		return digestInvalid("The digest of the asset is not a digest.")
	}
	c.digests = append(c.digests, digestOf(raw))
	c.signs(shelf, []int{i})
	return nil
}

// material says who signed.
func (d *detached) material() *protobundle.VerificationMaterial {
	m := &protobundle.VerificationMaterial{}
	if d.certificate == nil {
		m.Content = &protobundle.VerificationMaterial_PublicKey{PublicKey: &protocommon.PublicKeyIdentifier{}}
	} else {
		m.Content = &protobundle.VerificationMaterial_X509CertificateChain{X509CertificateChain: &protocommon.X509CertificateChain{
			Certificates: []*protocommon.X509Certificate{{RawBytes: d.certificate}},
		}}
	}
	if d.entry != nil {
		m.TlogEntries = []*protorekor.TransparencyLogEntry{d.entry}
	}
	return m
}

// bundle assembles a bundle over a SHA-256 digest. With key it is one that names a key,
// whatever certificate lies beside.
func (d *detached) bundle(digest []byte, key bool) *protobundle.Bundle {
	from := *d
	if key {
		from.certificate = nil
	}
	return &protobundle.Bundle{
		MediaType:            oldBundle,
		VerificationMaterial: from.material(),
		Content: &protobundle.Bundle_MessageSignature{MessageSignature: &protocommon.MessageSignature{
			MessageDigest: &protocommon.HashOutput{Algorithm: protocommon.HashAlgorithm_SHA2_256, Digest: digest},
			Signature:     d.signature,
		}},
	}
}

// bare is a DSSE envelope as JSON.
// https://github.com/secure-systems-lab/dsse/blob/v1.0.2/envelope.md
type bare struct {
	PayloadType string `json:"payloadType"`
	Payload     []byte `json:"payload"`
	Signatures  []struct {
		KeyID string `json:"keyid"`
		Sig   []byte `json:"sig"`
	} `json:"signatures"`
}

// readEnvelope puts a DSSE envelope into the form of a bundle that names a key. A
// certificate inside it is no use: without a log entry nothing says when it signed.
func (c *candidate) readEnvelope() *checks.Reason {
	var b bare
	if err := json.Unmarshal(c.data, &b); err != nil {
		return notReadable("It is not a DSSE envelope: " + cut(err.Error()) + ".")
	}
	e := &protodsse.Envelope{Payload: b.Payload, PayloadType: b.PayloadType}
	for _, s := range b.Signatures {
		e.Signatures = append(e.Signatures, &protodsse.Signature{Sig: s.Sig, Keyid: s.KeyID})
	}
	c.proto = &protobundle.Bundle{
		MediaType: oldBundle,
		VerificationMaterial: &protobundle.VerificationMaterial{
			Content: &protobundle.VerificationMaterial_PublicKey{PublicKey: &protocommon.PublicKeyIdentifier{}},
		},
		Content: &protobundle.Bundle_DsseEnvelope{DsseEnvelope: e},
	}
	return nil
}

// unarmour returns the raw signature of a .sig file, which cosign writes as base64 text.
func unarmour(data []byte) []byte {
	text := bytes.TrimSpace(data)
	if raw, err := base64.StdEncoding.DecodeString(string(text)); err == nil {
		return raw
	}
	return slices.Clone(data)
}

// certificateDER returns the first certificate of a .pem or .crt file: PEM, PEM in base64 as
// cosign writes it, or DER. It returns nil when there is none.
func certificateDER(data []byte) []byte {
	text := bytes.TrimSpace(data)
	if raw, err := base64.StdEncoding.DecodeString(string(text)); err == nil {
		text = raw
	}
	if block, _ := pem.Decode(text); block != nil {
		if block.Type != "CERTIFICATE" {
			return nil
		}
		return block.Bytes
	}
	if len(text) > 2 && text[0] == 0x30 {
		return text
	}
	return nil
}
