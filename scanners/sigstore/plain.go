package sigstore

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"time"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/pubkey"
	"github.com/landwaiter/landwaiter/checks/sums"
	"github.com/landwaiter/landwaiter/scanners/sigstore/minisign"
	"github.com/landwaiter/landwaiter/scanners/sigstore/pgp"
	"github.com/landwaiter/landwaiter/scanners/sigstore/sshsig"
)

// plain is a signature of a file by a tool that knows no certificates of Sigstore: OpenPGP,
// minisign, signify or SSH. It proves who signed, never when, and never what was built from.
type plain interface {
	// form is what checks.Attestation.Form shows.
	form() string
	// issuer names the key that the signature says it is by. Hostile.
	issuer() string
	// verify reports whether k signed f.
	verify(k pubkey.Key, f *file, now time.Time) error
}

// errOtherKey says that a signature is not by the key that was tried.
var errOtherKey = errors.New("signed by another key")

// plainText tells a signature of one of those tools by its first bytes.
func plainText(signature []byte) bool {
	text := bytes.TrimSpace(signature)
	return sums.IsOpenPGP(text) || bytes.HasPrefix(text, []byte("-----BEGIN SSH SIGNATURE-----")) || bytes.HasPrefix(text, []byte("untrusted comment:"))
}

// readPlain parses a signature of one of those tools.
func (c *candidate) readPlain() *checks.Reason {
	text := bytes.TrimSpace(c.bundle.Signature)
	var err error
	switch {
	case bytes.HasPrefix(text, []byte("-----BEGIN PGP SIGNED MESSAGE-----")):
		return notReadable("It is a text with a signature inside. Publish a detached signature beside the file (gpg --armor --detach-sign).")
	case sums.IsOpenPGP(text):
		var list openPGPSignatures
		list, err = pgp.Parse(c.bundle.Signature)
		c.plain = list
	case bytes.HasPrefix(text, []byte("untrusted comment:")):
		var s *minisign.Signature
		s, err = minisign.Parse(c.bundle.Signature)
		c.plain = minisignSignature{s}
	default:
		var s *sshsig.Signature
		s, err = sshsig.Parse(c.bundle.Signature)
		c.plain = sshSignature{s}
	}
	if err != nil {
		return plainProblem(err)
	}
	c.out.Form = c.plain.form()
	return nil
}

// provePlain tries every key of the right kind and completes what is reported.
func (s *Scanner) provePlain(c *candidate, shelf *shelf, t trusted) *checks.Reason {
	f := &file{&shelf.assets[c.assets[0]]}
	var refusal error
	for _, k := range t.plain {
		err := c.plain.verify(k, f, s.now())
		if err == nil {
			c.out.Root, c.out.Signer = checks.RootKey, checks.Signer{Identity: k.Identity}
			switch p := c.plain.(type) {
			case minisignSignature:
				c.out.Comment = p.Comment
			case openPGPSignatures:
				c.out.KeyMade = p.made(k)
			}
			return nil
		}
		if refusal == nil && !errors.Is(err, errOtherKey) {
			refusal = err
		}
	}
	if refusal == nil {
		return strangeKey(c.plain.issuer())
	}
	return plainProblem(refusal)
}

// plainProblem says in a reason what an error of one of the formats means.
func plainProblem(err error) *checks.Reason {
	text := cut(err.Error())
	switch {
	case errors.Is(err, pgp.ErrWeakHash), errors.Is(err, sshsig.ErrWeak):
		return because(checks.CodeDigestWeak, "The signature counts for nothing: it %s. Sign again.", text)
	case errors.Is(err, pgp.ErrKey):
		return because(checks.CodeKeyInvalid, "The key that signed is not accepted: %s. Sign with a key that is in force, and name that in the policy.", text)
	case errors.Is(err, pgp.ErrTime):
		return timeInvalid(text)
	case errors.Is(err, pgp.ErrUnsupported), errors.Is(err, pgp.ErrFormat), errors.Is(err, sshsig.ErrFormat), errors.Is(err, minisign.ErrFormat), errors.Is(err, errNotHeld):
		return notReadable("In short: " + text + ".")
	case errors.Is(err, sshsig.ErrNamespace):
		return because(checks.CodeSignatureInvalid, "The SSH signature is not for a file: it was %s.", text)
	case errors.Is(err, minisign.ErrComment):
		return because(checks.CodeSignatureInvalid, "The file is signed, but the trusted comment beside the signature was changed. Sign again; do not rely on it.")
	}
	return signatureInvalid()
}

// file is an asset as the formats need it.
type file struct{ asset *checks.Asset }

// errNotHeld says that something of a file is needed that was not kept.
var errNotHeld = errors.New("that was not kept of the file")

// hashed returns a hash function with the bytes of the file written to it.
func (f *file) hashed(name crypto.Hash) (hash.Hash, error) {
	state, ok := f.asset.States[name]
	if !ok {
		return nil, fmt.Errorf("its %v: %w", name, errNotHeld)
	}
	return sums.Resume(name, state)
}

// digest decodes a digest of the file.
func (f *file) digest(text, what string) ([]byte, error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) == 0 {
		return nil, fmt.Errorf("its %s: %w", what, errNotHeld)
	}
	return raw, nil
}

// openPGPSignatures are the signatures of one file, by one or several people.
type openPGPSignatures []pgp.Signature

func (l openPGPSignatures) form() string   { return "OpenPGP" }
func (l openPGPSignatures) issuer() string { return l[0].Issuer() }

// verify returns nil when one of the signatures is by k and holds.
func (l openPGPSignatures) verify(k pubkey.Key, f *file, now time.Time) error {
	if k.OpenPGP == nil {
		return errOtherKey
	}
	refusal := errOtherKey
	for _, s := range l {
		err := s.Verify(k.OpenPGP, pgp.File{Hashed: f.hashed, Bytes: f.asset.Data}, now)
		if err == nil {
			return nil
		}
		if !errors.Is(err, pgp.ErrOtherKey) {
			refusal = err
		}
	}
	return refusal
}

// made returns when the oldest key of k was made that a signature says it is by: whoever adds a
// signature that does not hold can make a key look older, never younger.
func (l openPGPSignatures) made(k pubkey.Key) time.Time {
	var oldest time.Time
	for _, s := range l {
		if at := s.KeyMade(k.OpenPGP); !at.IsZero() && (oldest.IsZero() || at.Before(oldest)) {
			oldest = at
		}
	}
	return oldest
}

type minisignSignature struct{ *minisign.Signature }

func (s minisignSignature) form() string {
	if s.Signify {
		return "signify"
	}
	return "minisign"
}
func (s minisignSignature) issuer() string {
	return pubkey.PrefixMinisign + pubkey.NumberText(s.Number)
}

func (s minisignSignature) verify(k pubkey.Key, f *file, _ time.Time) error {
	if k.Ed25519 == nil || k.Number != s.Number {
		return errOtherKey
	}
	message := f.asset.Data
	if s.Hashed {
		var err error
		if message, err = f.digest(f.asset.BLAKE2b, "BLAKE2b digest"); err != nil {
			return err
		}
	}
	if message == nil {
		return fmt.Errorf("the whole of it: %w, because it is large; sign with minisign -H, which hashes first", errNotHeld)
	}
	return s.Verify(k.Number, k.Ed25519, message)
}

type sshSignature struct{ *sshsig.Signature }

func (s sshSignature) form() string   { return "SSH" }
func (s sshSignature) issuer() string { return "ssh:" + s.Fingerprint }

func (s sshSignature) verify(k pubkey.Key, f *file, _ time.Time) error {
	if k.SSH == nil || k.Identity != s.issuer() {
		return errOtherKey
	}
	text := f.asset.SHA256
	if s.Hash == "sha512" {
		text = f.asset.SHA512
	}
	digest, err := f.digest(text, s.Hash)
	if err != nil {
		return err
	}
	return s.Verify(k.SSH, digest)
}
