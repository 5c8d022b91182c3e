// Package sshsig reads and verifies signatures of files that `ssh-keygen -Y sign` makes.
//
// It owns the format (PROTOCOL.sshsig of OpenSSH) and nothing else: the caller says which
// key is trusted, and gives the digest of the file. A key inside a signature is compared and
// never believed. Start reading at Parse.
package sshsig

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"

	"golang.org/x/crypto/ssh"

	"github.com/landwaiter/landwaiter/checks/pubkey"
)

const (
	magic    = "SSHSIG"
	maxBytes = 64 << 10 // of the whole text; signatures have some hundred bytes
)

var (
	// ErrFormat says that the text is no signature.
	ErrFormat = errors.New("not an SSH signature")
	// ErrNamespace says that it was made for something else than files.
	ErrNamespace = errors.New("made for another namespace")
	// ErrWeak says that it rests on SHA-1 or an unknown hash function.
	ErrWeak = errors.New("rests on a hash function that is not accepted")
	// ErrOtherKey says that the signature is by another key.
	ErrOtherKey = errors.New("signed by another key")
	// ErrInvalid says that the key did not sign these bytes.
	ErrInvalid = errors.New("the signature does not fit")
)

// Signature is a signature as read, not verified.
type Signature struct {
	// Fingerprint is of the key that the signature says it is by: "SHA256:...".
	Fingerprint string
	// Hash is the function over the file: "sha256" or "sha512".
	Hash string

	key       []byte
	namespace string
	reserved  string
	signature ssh.Signature
}

// blob is the signature on the wire, after its magic.
type blob struct {
	Version   uint32
	PublicKey []byte
	Namespace string
	Reserved  string
	Hash      string
	Signature []byte
}

// signed is what the key signs, after the magic.
type signed struct {
	Namespace string
	Reserved  string
	Hash      string
	Digest    []byte
}

// Parse reads one armored signature. Its error is ErrFormat, ErrNamespace or ErrWeak.
func Parse(text []byte) (*Signature, error) {
	if len(text) > maxBytes {
		return nil, fmt.Errorf("%w: it is larger than 64 KiB", ErrFormat)
	}
	block, rest := pem.Decode(bytes.TrimSpace(text))
	if block == nil || block.Type != "SSH SIGNATURE" || len(block.Headers) > 0 || len(bytes.TrimSpace(rest)) > 0 {
		return nil, fmt.Errorf("%w: it is not one block SSH SIGNATURE", ErrFormat)
	}
	data, ok := bytes.CutPrefix(block.Bytes, []byte(magic))
	if !ok {
		return nil, fmt.Errorf("%w: its first bytes are others", ErrFormat)
	}
	var b blob
	if err := ssh.Unmarshal(data, &b); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	s := &Signature{Hash: b.Hash, key: b.PublicKey, namespace: b.Namespace, reserved: b.Reserved}
	if err := ssh.Unmarshal(b.Signature, &s.signature); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	public, err := ssh.ParsePublicKey(b.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("%w: its key cannot be read: %w", ErrFormat, err)
	}
	s.Fingerprint = ssh.FingerprintSHA256(public)
	switch {
	case b.Version != 1:
		return nil, fmt.Errorf("%w: it is of version %d, not 1", ErrFormat, b.Version)
	case b.Namespace != pubkey.Namespace:
		return nil, fmt.Errorf("%w: %q, not %q; sign with ssh-keygen -Y sign -n %s", ErrNamespace, b.Namespace, pubkey.Namespace, pubkey.Namespace)
	case b.Hash != "sha256" && b.Hash != "sha512":
		return nil, fmt.Errorf("%w: %q; use sha512", ErrWeak, b.Hash)
	case s.signature.Format == ssh.KeyAlgoRSA || s.signature.Format == "ssh-dss":
		return nil, fmt.Errorf("%w: the algorithm %s signs with SHA-1; use rsa-sha2-512 or Ed25519", ErrWeak, s.signature.Format)
	}
	return s, nil
}

// Verify reports whether public signed the file whose digest, by s.Hash, is given. Its error
// is ErrOtherKey or ErrInvalid.
func (s *Signature) Verify(public ssh.PublicKey, digest []byte) error {
	if !bytes.Equal(public.Marshal(), s.key) {
		return ErrOtherKey
	}
	data := append([]byte(magic), ssh.Marshal(signed{s.namespace, s.reserved, s.Hash, digest})...)
	if err := public.Verify(data, &s.signature); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}
