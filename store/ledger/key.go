package ledger

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// algEd25519 is the key type byte of C2SP signed-note for Ed25519.
const algEd25519 = 1

// Key signs checkpoints with Ed25519. Its name is the ledger's origin. It never prints its
// private half unless Text is called.
type Key struct {
	text     string
	verifier string
	signer   note.Signer
}

// NewKey makes a key for the ledger named origin, which holds no space and no plus sign:
// by custom a URL without its scheme, "landwaiter.example.org/ledger".
func NewKey(origin string) (*Key, error) {
	text, _, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		return nil, fmt.Errorf("making a ledger key: %w", err)
	}
	return ParseKey(text)
}

// ParseKey reads what Text returned. Its errors never hold the text.
func ParseKey(text string) (*Key, error) {
	text = strings.TrimSpace(text)
	signer, err := note.NewSigner(text)
	if err != nil {
		return nil, errors.New("not a ledger key: want a line that begins with PRIVATE+KEY+")
	}
	public, err := publicHalf(text)
	if err != nil {
		return nil, err
	}
	verifier, err := note.NewEd25519VerifierKey(signer.Name(), public)
	if err != nil {
		return nil, fmt.Errorf("public half of ledger key %s: %w", signer.Name(), err)
	}
	return &Key{text: text, verifier: verifier, signer: signer}, nil
}

// publicHalf takes the public key out of the text form, whose last field is the base64 of the
// algorithm byte and the seed.
func publicHalf(text string) (ed25519.PublicKey, error) {
	fields := strings.SplitN(text, "+", 5)
	raw, err := base64.StdEncoding.DecodeString(fields[len(fields)-1])
	if err != nil || len(raw) != 1+ed25519.SeedSize || raw[0] != algEd25519 {
		return nil, errors.New("not an Ed25519 ledger key")
	}
	return ed25519.NewKeyFromSeed(raw[1:]).Public().(ed25519.PublicKey), nil
}

// Text returns the private key as one line. It is a secret.
func (k *Key) Text() string { return k.text }

// Verifier returns the public key as one line, in the form that note.NewVerifier reads.
func (k *Key) Verifier() string { return k.verifier }

// Origin returns the name of the ledger that the key signs for.
func (k *Key) Origin() string { return k.signer.Name() }

// String returns the public key, so that a key that is logged by mistake gives nothing away.
func (k *Key) String() string { return k.verifier }

// GoString is String, for the verb %#v.
func (k *Key) GoString() string { return k.verifier }

// OriginOf returns the name of the ledger whose public key verifier is, in Key.Verifier's form.
// It fails when verifier is no such key; its error never holds a private key.
func OriginOf(verifier string) (string, error) {
	if strings.HasPrefix(verifier, "PRIVATE+KEY+") {
		return "", errors.New("it is a private key; give the public one, which landwaiter ledger key prints")
	}
	v, err := note.NewVerifier(verifier)
	if err != nil {
		return "", errors.New("not a ledger's public key: want a line such as landwaiter.example.org/ledger+1a2b3c4d+Base64")
	}
	return v.Name(), nil
}
