package sigstore

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/pubkey"
)

// maxKeys bounds the keys of one Scan: each key-signed piece is tried with every key.
const maxKeys = 64

// trustedKey is one public key with the profiles that trust it: one for statements, one
// for signatures over the bytes of a file, which use other variants of some algorithms.
type trustedKey struct {
	id       string // "key:sha256:" and the hexadecimal SHA-256 of the DER public key
	hint     string // the only key hint it answers to; "" answers to all
	pure     bool   // plain Ed25519, which cannot be checked by digest
	envelope *profile
	message  *profile
}

// sortKeys reads the keys of one Scan, those of the operator first, and sorts them into
// those that the library verifies with and those of other tools.
func sortKeys(own []pubkey.Key, texts []string, root *trustRoot) ([]*trustedKey, []pubkey.Key, error) {
	all := slices.Clone(own)
	for i, text := range texts {
		k, err := pubkey.Read(text)
		if err != nil {
			return nil, nil, fmt.Errorf("public key %d of the policy: %w", i+1, err)
		}
		all = append(all, k)
	}
	if len(all) > maxKeys {
		return nil, nil, tooManyKeys(len(all))
	}
	var pems [][]byte
	var plain []pubkey.Key
	for _, k := range all {
		if k.Kind == pubkey.PEM {
			pems = append(pems, []byte(k.Text))
		} else {
			plain = append(plain, k)
		}
	}
	trusted, err := parseKeys(pems, root)
	return trusted, plain, err
}

func tooManyKeys(n int) error {
	return fmt.Errorf("%d public keys are configured, at most %d can be tried: remove old ones", n, maxKeys)
}

// parseKeys reads PEM public keys and builds their profiles.
//
// A key is its own trust root and needs no proof of time. When the operator's own root is
// in force as well, its log and timestamp authorities are asked for, as with certificates.
func parseKeys(pems [][]byte, own *trustRoot) ([]*trustedKey, error) {
	needs := proofs{none: true}
	if own != nil {
		n, err := derived(own)
		if err != nil {
			return nil, err
		}
		needs = proofs{log: n.log, signed: n.signed}
	}
	parsed := make([]*trustedKey, 0, len(pems))
	for i, data := range pems {
		public, err := cryptoutils.UnmarshalPEMToPublicKey(data)
		if err != nil {
			return nil, fmt.Errorf("public key %d is not a PEM public key: %w", i+1, err)
		}
		k, err := newKey(checks.RootKey, public, own, needs, time.Time{}, time.Time{})
		if err != nil {
			return nil, fmt.Errorf("public key %d: %w", i+1, err)
		}
		parsed = append(parsed, k)
	}
	return parsed, nil
}

// newKey trusts one key from start to end, zero times meaning for ever, beside the logs and
// timestamp authorities of t, which may be nil.
func newKey(name string, public crypto.PublicKey, t *trustRoot, n proofs, start, end time.Time) (*trustedKey, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("encoding the key: %w", err)
	}
	sum := sha256.Sum256(der)
	k := &trustedKey{id: "key:sha256:" + hex.EncodeToString(sum[:])}
	_, k.pure = public.(ed25519.PublicKey)
	for _, use := range []struct {
		slot **profile
		load func(crypto.PublicKey) (signature.Verifier, error)
	}{{&k.envelope, envelopeVerifier}, {&k.message, messageVerifier}} {
		v, err := use.load(public)
		if err != nil {
			return nil, fmt.Errorf("loading the key: %w", err)
		}
		p, err := keyProfile(name, v, t, n, start, end)
		if err != nil {
			return nil, err
		}
		p.signer, *use.slot = k.id, p
	}
	return k, nil
}

func keyProfile(name string, v signature.Verifier, t *trustRoot, n proofs, start, end time.Time) (*profile, error) {
	expiring := root.NewExpiringKey(v, start, end)
	var material root.TrustedMaterial = root.NewTrustedPublicKeyMaterial(
		func(string) (root.TimeConstrainedVerifier, error) { return expiring, nil })
	if t != nil {
		material = root.TrustedMaterialCollection{material, t.material}
	}
	return newProfile(name, t, material, n, verify.WithKey())
}

// envelopeVerifier is how statements are signed: the algorithm's default variant.
func envelopeVerifier(public crypto.PublicKey) (signature.Verifier, error) {
	return signature.LoadDefaultVerifier(public)
}

// messageVerifier is how bytes of files are signed, checked by SHA-256 digest. Ed25519 can
// be checked by digest in its prehashed variant only, and its plain variant must never be
// given a digest: it would check the signature of an empty message instead.
func messageVerifier(public crypto.PublicKey) (signature.Verifier, error) {
	switch k := public.(type) {
	case ed25519.PublicKey:
		return signature.LoadED25519phVerifier(k)
	case *ecdsa.PublicKey, *rsa.PublicKey:
		return signature.LoadVerifier(k, crypto.SHA256)
	}
	return nil, errors.New("its algorithm is neither ECDSA, RSA nor Ed25519")
}

// npmKeys reads the keys with which the npm registry signs publish attestations. They speak
// only beside the public log, so they belong to the public root.
func npmKeys(t *trustRoot) ([]*trustedKey, error) {
	data, err := snapshots.ReadFile("trust/npm/keys.json")
	if err != nil {
		return nil, fmt.Errorf("reading the embedded npm keys: %w", err)
	}
	var file struct {
		Keys []struct {
			KeyID     string `json:"keyId"`
			KeyUsage  string `json:"keyUsage"`
			PublicKey struct {
				RawBytes string                         `json:"rawBytes"`
				ValidFor struct{ Start, End time.Time } `json:"validFor"`
			} `json:"publicKey"`
		} `json:"keys"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, fmt.Errorf("parsing the embedded npm keys: %w", err)
	}
	var known []*trustedKey
	for _, f := range file.Keys {
		if f.KeyUsage != "npm:attestations" {
			continue
		}
		der, err := base64.StdEncoding.DecodeString(f.PublicKey.RawBytes)
		if err != nil {
			return nil, fmt.Errorf("decoding the npm key %s: %w", f.KeyID, err)
		}
		public, err := x509.ParsePKIXPublicKey(der)
		if err != nil {
			return nil, fmt.Errorf("parsing the npm key %s: %w", f.KeyID, err)
		}
		k, err := newKey(checks.RootPublicGood, public, t, proofs{log: true}, f.PublicKey.ValidFor.Start, f.PublicKey.ValidFor.End)
		if err != nil {
			return nil, fmt.Errorf("trusting the npm key %s: %w", f.KeyID, err)
		}
		k.hint = f.KeyID
		known = append(known, k)
	}
	return known, nil
}
