// Package pubkey reads the public keys that a policy or an operator names: PEM, OpenPGP,
// minisign, signify and SSH. It tells them apart by their text, refuses what is too weak to
// sign a release, and gives each the identity under which reports show its signatures.
//
// It owns the rules about keys and nothing else: it verifies no signature, and imports no
// word of ours. Start reading at Read.
package pubkey

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"
	"golang.org/x/crypto/ssh"
)

// maxText bounds the text of one key, in bytes. OpenPGP keys with many certifications of
// others are the largest that people have; such a key is exported with export-minimal.
const maxText = 64 << 10

// Kind says which tool made a key.
type Kind string

// The kinds of keys.
const (
	PEM      Kind = "PEM"      // a PEM block PUBLIC KEY, as cosign and openssl write it
	OpenPGP  Kind = "OpenPGP"  // an armored block with one primary key
	Minisign Kind = "minisign" // a key of minisign or signify
	SSH      Kind = "SSH"      // a line of allowed_signers, authorized_keys or of a .pub file
)

// The starts of the identities of each kind.
const (
	PrefixPEM      = "key:sha256:" // and the hexadecimal SHA-256 of the DER public key
	PrefixOpenPGP  = "pgp:"        // and the fingerprint of the primary key, upper case
	PrefixMinisign = "minisign:"   // and the key's number as minisign prints it
	PrefixSSH      = "ssh:SHA256:" // and the fingerprint as ssh-keygen prints it
)

// Key is one public key. Only the field of its Kind is set.
type Key struct {
	Kind     Kind
	Identity string // as checks.Signer.Identity shows it: "pgp:0123...", "ssh:SHA256:..."

	Text    string // the PEM text
	OpenPGP *openpgp.Entity
	Ed25519 ed25519.PublicKey // of minisign and signify
	Number  [8]byte           // of minisign and signify: which key a signature says it is by
	SSH     ssh.PublicKey
	// Principals are the names that a line of allowed_signers gives the key, for people.
	Principals []string
}

// ErrUnknown says that a text is a key of no kind that is known here.
var ErrUnknown = errors.New("this is no public key: it should be a PEM block PUBLIC KEY, an armored OpenPGP key, a key of minisign or signify, or a line with an SSH key")

// ErrPrivate says that a private key was given where a public one belongs.
var ErrPrivate = errors.New("this is a private key: keep it secret, and give the public key")

// Read reads one public key of any kind. Its errors say what to do instead.
func Read(text string) (k Key, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			k, err = Key{}, fmt.Errorf("the key cannot be read: %v", fault)
		}
	}()
	if len(text) > maxText {
		return Key{}, fmt.Errorf("the key has %d bytes, at most %d are read: export it without the certifications of others", len(text), maxText)
	}
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	switch first, _, _ := strings.Cut(text, "\n"); {
	case strings.HasPrefix(first, "-----BEGIN ") && strings.Contains(first, "PRIVATE KEY"),
		strings.HasPrefix(first, "untrusted comment:") && strings.Contains(first, "secret key"):
		return Key{}, ErrPrivate
	case strings.HasPrefix(first, "-----BEGIN PGP "):
		return readOpenPGP(text)
	case strings.HasPrefix(first, "-----BEGIN "):
		return readPEM(text)
	case strings.HasPrefix(first, "untrusted comment:"), len(text) == minisignLength && !strings.ContainsAny(text, " \n"):
		return readMinisign(text)
	case isSSH(text):
		return readSSH(text)
	}
	return Key{}, ErrUnknown
}

// Split returns the keys in a file that may hold several lines with SSH keys, as
// allowed_signers and authorized_keys do. A file of any other kind is one key.
func Split(file string) []string {
	var lines []string
	for line := range strings.Lines(file) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if !isSSH(line) {
			return []string{file}
		}
		lines = append(lines, line)
	}
	if len(lines) == 0 {
		return []string{file}
	}
	return lines
}

// IsIdentity reports whether an identity is that of a key, whole: no pattern, no shortened
// fingerprint.
func IsIdentity(identity string) bool {
	for _, form := range []struct {
		prefix, digits string
		lengths        []int
	}{
		{PrefixPEM, "0123456789abcdef", []int{64}},
		{PrefixOpenPGP, "0123456789ABCDEF", []int{40, 64}},
		{PrefixMinisign, "0123456789ABCDEF", []int{16}},
		{PrefixSSH, base64Digits, []int{43}},
	} {
		rest, ok := strings.CutPrefix(identity, form.prefix)
		if !ok {
			continue
		}
		for _, n := range form.lengths {
			if len(rest) == n && strings.Trim(rest, form.digits) == "" {
				return true
			}
		}
	}
	return false
}

// HasPrefix reports whether an identity claims to be that of a key, whole or not.
func HasPrefix(identity string) bool {
	for _, prefix := range []string{"key:", "pgp:", "minisign:", "ssh:"} {
		if strings.HasPrefix(identity, prefix) {
			return true
		}
	}
	return false
}

const base64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
