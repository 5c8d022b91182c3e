// Package pgp reads and verifies detached OpenPGP signatures of files.
//
// It owns the rules about when a signature counts: the key's life, revocation, subkeys and
// hash functions. The caller says which key is trusted, and gives the hash of the file up to
// its end. The signature's own time is what its signer says and is not proven; it is only
// held against the life of the key. Start reading at Parse.
package pgp

import (
	"bytes"
	"crypto"
	_ "crypto/sha256" // so that the library can compute it
	_ "crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"github.com/landwaiter/landwaiter/checks/pubkey"
)

const (
	maxBytes      = 64 << 10 // of the whole text
	maxSignatures = 16       // in one file: several people may sign one release
	// skew is how far a signature's time may lie ahead of our clock.
	skew = 5 * time.Minute
)

var (
	// ErrFormat says that the data is no detached signature.
	ErrFormat = errors.New("not a detached OpenPGP signature")
	// ErrOtherKey says that the signature is by another key.
	ErrOtherKey = errors.New("signed by another key")
	// ErrInvalid says that the key did not sign these bytes.
	ErrInvalid = errors.New("the signature does not fit")
	// ErrWeakHash says that it rests on MD5, SHA-1 or another hash function that is broken.
	ErrWeakHash = errors.New("rests on a hash function that is not accepted")
	// ErrKey says that the key may not make this signature: revoked, too weak, or not meant
	// for signing.
	ErrKey = errors.New("the key does not count")
	// ErrTime says that the signature's time does not fit the key or our clock.
	ErrTime = errors.New("the time does not fit")
	// ErrUnsupported says that the bytes of the file would be needed and are not held.
	ErrUnsupported = errors.New("cannot be checked by digest")
)

// Signature is a signature as read, not verified.
type Signature struct {
	p *packet.Signature
}

// Parse reads the signatures in a file, armored or binary. Its error is ErrFormat.
func Parse(data []byte) ([]Signature, error) {
	if len(data) > maxBytes {
		return nil, fmt.Errorf("%w: it is larger than 64 KiB", ErrFormat)
	}
	var body io.Reader = bytes.NewReader(data)
	if text := bytes.TrimSpace(data); bytes.HasPrefix(text, []byte("-----BEGIN ")) {
		block, err := armor.Decode(bytes.NewReader(text))
		if err != nil || block.Type != openpgp.SignatureType {
			return nil, fmt.Errorf("%w: it is not one block PGP SIGNATURE", ErrFormat)
		}
		body = block.Body
	}
	var found []Signature
	for r := packet.NewReader(body); ; {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrFormat, err)
		}
		s, ok := p.(*packet.Signature)
		if !ok || s.SigType != packet.SigTypeBinary && s.SigType != packet.SigTypeText {
			return nil, fmt.Errorf("%w: it holds something else than signatures of a file", ErrFormat)
		}
		if found = append(found, Signature{s}); len(found) > maxSignatures {
			return nil, fmt.Errorf("%w: it holds more than %d signatures", ErrFormat, maxSignatures)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%w: it is empty", ErrFormat)
	}
	return found, nil
}

// Issuer names the key that the signature says it is by, as far as it says.
func (s Signature) Issuer() string {
	switch {
	case len(s.p.IssuerFingerprint) >= 20:
		return pubkey.PrefixOpenPGP + strings.ToUpper(hex.EncodeToString(s.p.IssuerFingerprint))
	case s.p.IssuerKeyId != nil:
		return fmt.Sprintf("the OpenPGP key %016X", *s.p.IssuerKeyId)
	}
	return "an OpenPGP key that it does not name"
}

// File gives what a signature needs of the file that it signs.
type File struct {
	// Hashed returns the hash function with the bytes of the file written to it, or an error
	// when that was not kept.
	Hashed func(crypto.Hash) (hash.Hash, error)
	// Bytes are the bytes of the file, nil when they are not held. Signatures of texts and
	// salted ones need them.
	Bytes []byte
}

// hashes are the hash functions that are accepted.
var hashes = map[crypto.Hash]bool{crypto.SHA256: true, crypto.SHA384: true, crypto.SHA512: true}

// Verify reports whether e, or a subkey of it, signed the file, at the time now. Its error is
// one of those above but ErrFormat.
func (s Signature) Verify(e *openpgp.Entity, f File, now time.Time) error {
	key, bound, revocations := s.keyOf(e)
	if key == nil {
		return ErrOtherKey
	}
	if !hashes[s.p.Hash] {
		return fmt.Errorf("%w: %v; sign with SHA-256 or SHA-512 (gpg --digest-algo SHA512)", ErrWeakHash, s.p.Hash)
	}
	if err := s.counts(e, key, bound, revocations); err != nil {
		return err
	}
	if err := s.timely(e, key, bound, now); err != nil {
		return err
	}
	h, err := s.hashed(f)
	if err != nil {
		return err
	}
	if err := key.VerifySignature(h, s.p); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

// keyOf returns the key of e that the signature says it is by, with the signature that binds
// it to e and its own revocations; nil when there is none.
func (s Signature) keyOf(e *openpgp.Entity) (key *packet.PublicKey, bound *packet.Signature, revocations []*packet.Signature) {
	if s.p.CheckKeyIdOrFingerprint(e.PrimaryKey) {
		self, _ := e.PrimarySelfSignature()
		return e.PrimaryKey, self, nil
	}
	for _, k := range e.Subkeys {
		if s.p.CheckKeyIdOrFingerprint(k.PublicKey) {
			return k.PublicKey, k.Sig, k.Revocations
		}
	}
	return nil, nil, nil
}

// KeyMade returns when the key of e was made that the signature says it is by, the primary key
// or a subkey, UTC; zero when it is by none of e.
func (s Signature) KeyMade(e *openpgp.Entity) time.Time {
	if key, _, _ := s.keyOf(e); key != nil {
		return key.CreationTime.UTC()
	}
	return time.Time{}
}

// counts holds what does not depend on time.
func (s Signature) counts(e *openpgp.Entity, key *packet.PublicKey, bound *packet.Signature, revocations []*packet.Signature) error {
	self, identity := e.PrimarySelfSignature()
	switch {
	case bound == nil || self == nil:
		return fmt.Errorf("%w: it carries no signature of its own", ErrKey)
	case s.revoked(e.Revocations) || identity != nil && s.revoked(identity.Revocations):
		return fmt.Errorf("%w: it was revoked", ErrKey)
	case s.revoked(revocations):
		return fmt.Errorf("%w: the subkey that signed was revoked", ErrKey)
	case !pubkey.Strong(key):
		return fmt.Errorf("%w: the key that signed is too weak", ErrKey)
	case bound.FlagsValid && !bound.FlagSign, key != e.PrimaryKey && !bound.FlagSign:
		return fmt.Errorf("%w: the key that signed is not meant for signing", ErrKey)
	}
	for _, n := range s.p.Notations {
		if n.IsCritical {
			return fmt.Errorf("%w: the signature makes a condition that is not known here (%q)", ErrKey, n.Name)
		}
	}
	return nil
}

// revoked reports whether a revocation takes the signature with it. One that says that the
// key was replaced or is no longer used leaves older signatures as they are (RFC 9580,
// section 5.2.3.31); any other, and one without a reason, takes all.
func (s Signature) revoked(revocations []*packet.Signature) bool {
	for _, r := range revocations {
		soft := r.RevocationReason != nil && (*r.RevocationReason == packet.KeySuperseded || *r.RevocationReason == packet.KeyRetired)
		if !soft || !s.p.CreationTime.Before(r.CreationTime) {
			return true
		}
	}
	return false
}

// timely holds the time that the signature states against the life of its keys.
func (s Signature) timely(e *openpgp.Entity, key *packet.PublicKey, bound *packet.Signature, now time.Time) error {
	at := s.p.CreationTime
	self, _ := e.PrimarySelfSignature()
	switch {
	case at.After(now.Add(skew)):
		return fmt.Errorf("%w: it lies in the future", ErrTime)
	case at.Before(key.CreationTime), at.Before(e.PrimaryKey.CreationTime):
		return fmt.Errorf("%w: the key was made after the signature", ErrTime)
	case e.PrimaryKey.KeyExpired(self, at), key.KeyExpired(bound, at):
		return fmt.Errorf("%w: the key had expired when it signed; if its maker prolonged it, take the new copy of the key into the policy", ErrTime)
	case s.p.SigExpired(later(at, now)):
		return fmt.Errorf("%w: the signature has expired", ErrTime)
	}
	return nil
}

// later returns the later of two times, so that a clock that is a little behind makes no
// signature expire.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// hashed returns the hash of the file, to which the library adds the signature's own fields.
func (s Signature) hashed(f File) (hash.Hash, error) {
	if s.p.SigType == packet.SigTypeBinary && s.p.Version < 6 {
		h, err := f.Hashed(s.p.Hash)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrUnsupported, err)
		}
		return h, nil
	}
	if f.Bytes == nil {
		return nil, fmt.Errorf("%w: it is a signature of a text, or of OpenPGP version 6; sign the file as binary with a key of version 4", ErrUnsupported)
	}
	h, err := s.p.PrepareVerify()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	if s.p.SigType == packet.SigTypeText {
		_, _ = openpgp.NewCanonicalTextHash(h).Write(f.Bytes) // a hash never fails
		return h, nil
	}
	h.Write(f.Bytes)
	return h, nil
}
