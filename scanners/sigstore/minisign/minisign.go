// Package minisign reads and verifies signatures of files that minisign and signify make.
//
// It owns the two formats, which are one but for minisign's signed comment, and nothing
// else: the caller says which key is trusted, and gives the bytes or the digest of the file.
// Formats: https://jedisct1.github.io/minisign/ and signify(1) of OpenBSD. Start at Parse.
package minisign

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	maxBytes    = 64 << 10 // of the whole text
	comment     = "untrusted comment:"
	trusted     = "trusted comment: "
	maxComment  = 8 << 10 // bytes of a trusted comment; minisign writes up to 8 KiB
	plainMark   = "Ed"
	hashedMark  = "ED"
	sizeOfPiece = 2 + 8 + ed25519.SignatureSize
)

var (
	// ErrFormat says that the text is no signature.
	ErrFormat = errors.New("not a signature of minisign or signify")
	// ErrOtherKey says that the signature is by a key with another number.
	ErrOtherKey = errors.New("signed by another key")
	// ErrInvalid says that the key did not sign these bytes.
	ErrInvalid = errors.New("the signature does not fit")
	// ErrComment says that the bytes are signed but the trusted comment is not.
	ErrComment = errors.New("the trusted comment is not signed")
)

// Signature is a signature as read, not verified.
type Signature struct {
	Number [8]byte // of the key that it says it is by
	// Hashed says that the BLAKE2b-512 of the file is signed, not the file itself.
	Hashed bool
	// Signify says that there is no trusted comment, as signify writes it.
	Signify bool
	Comment string // the trusted comment. Hostile, and proven only by Verify

	signature, global []byte
}

// Parse reads one signature. Its error is ErrFormat.
func Parse(text []byte) (*Signature, error) {
	if len(text) > maxBytes {
		return nil, fmt.Errorf("%w: it is larger than 64 KiB", ErrFormat)
	}
	lines := strings.Split(strings.TrimRight(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n"), "\n")
	if len(lines) != 2 && len(lines) != 4 || !strings.HasPrefix(lines[0], comment) {
		return nil, fmt.Errorf("%w: it should have two lines, or four", ErrFormat)
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(lines[1]))
	if err != nil || len(raw) != sizeOfPiece {
		return nil, fmt.Errorf("%w: its second line is not base64 of %d bytes", ErrFormat, sizeOfPiece)
	}
	s := &Signature{Number: [8]byte(raw[2:10]), Hashed: string(raw[:2]) == hashedMark, Signify: len(lines) == 2, signature: raw[10:]}
	if mark := string(raw[:2]); mark != plainMark && mark != hashedMark || s.Signify && s.Hashed {
		return nil, fmt.Errorf("%w: its algorithm is %q", ErrFormat, mark)
	}
	if s.Signify {
		return s, nil
	}
	var ok bool
	if s.Comment, ok = strings.CutPrefix(lines[2], trusted); !ok || len(s.Comment) > maxComment || !utf8.ValidString(s.Comment) {
		return nil, fmt.Errorf("%w: its third line is no trusted comment", ErrFormat)
	}
	s.global, err = base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(lines[3]))
	if err != nil || len(s.global) != ed25519.SignatureSize {
		return nil, fmt.Errorf("%w: its fourth line is no signature", ErrFormat)
	}
	return s, nil
}

// Verify reports whether the key with this number signed message: the file, or its
// BLAKE2b-512 when s.Hashed. The trusted comment is verified with it. Its error is
// ErrOtherKey, ErrInvalid or ErrComment.
func (s *Signature) Verify(number [8]byte, public ed25519.PublicKey, message []byte) error {
	switch {
	case number != s.Number:
		return ErrOtherKey
	case len(public) != ed25519.PublicKeySize || !ed25519.Verify(public, message, s.signature):
		return ErrInvalid
	case s.Signify:
		return nil
	case !ed25519.Verify(public, bytes.Join([][]byte{s.signature, []byte(s.Comment)}, nil), s.global):
		return ErrComment
	}
	return nil
}
