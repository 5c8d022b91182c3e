package vsa

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/pubkey"
	"github.com/landwaiter/landwaiter/checks/summary"
	"github.com/landwaiter/landwaiter/scanners/sigstore/intoto"
)

// maxKeys is the most public keys that are tried.
const maxKeys = 64

// Key is a public key that may sign summaries.
type Key struct {
	// ID is pubkey.KeyID of the key, as envelopes name it.
	ID     string
	public crypto.PublicKey
}

// ReadKeys reads PEM blocks PUBLIC KEY, one after the other: the key in force and those that
// it replaced. Text around the blocks is left out.
func ReadKeys(text []byte) ([]Key, error) {
	var keys []Key
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		// The rules about which keys are too weak are those of every other key.
		if _, err := pubkey.Read(string(pem.EncodeToMemory(block))); err != nil {
			return nil, err
		}
		public, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("the public key cannot be read: %w", err)
		}
		id, err := pubkey.KeyID(public)
		if err != nil {
			return nil, err
		}
		keys = append(keys, Key{id, public})
		if text = rest; len(keys) > maxKeys {
			return nil, fmt.Errorf("more than %d public keys", maxKeys)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("needs a PEM block `PUBLIC KEY`, as landwaiter summary key prints it")
	}
	return keys, nil
}

// holds reports whether k signed message: Ed25519 over the message, ECDSA and RSA over its
// SHA-256.
func (k Key) holds(message, signature []byte) bool {
	sum := sha256.Sum256(message)
	switch public := k.public.(type) {
	case ed25519.PublicKey:
		return ed25519.Verify(public, message, signature)
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(public, sum[:], signature)
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], signature) == nil ||
			rsa.VerifyPSS(public, crypto.SHA256, sum[:], signature, nil) == nil
	}
	return false
}

// split cuts a file into the JSON texts in it.
func split(file []byte) ([]json.RawMessage, *checks.Reason) {
	if len(file) > maxFile {
		return nil, because(checks.CodeTooLarge, "the file has more than %d MiB", maxFile>>20)
	}
	if err := intoto.CheckShape(file); err != nil {
		return nil, because(checks.CodeTooLarge, "the file is %v", err)
	}
	var texts []json.RawMessage
	for d := json.NewDecoder(bytes.NewReader(file)); ; {
		var text json.RawMessage
		err := d.Decode(&text)
		switch {
		case errors.Is(err, io.EOF) && len(texts) > 0:
			return texts, nil
		case errors.Is(err, io.EOF):
			return nil, because(checks.CodeNotReadable, "the file is empty")
		case err != nil:
			return nil, because(checks.CodeNotReadable, "the file is not made of DSSE envelopes, one on each line")
		case len(texts) == maxEnvelopes:
			return nil, because(checks.CodeTooLarge, "the file holds more than %d summaries", maxEnvelopes)
		}
		texts = append(texts, text)
	}
}

// envelope is a DSSE envelope that was read strictly.
type envelope struct {
	keyID              string
	payload, signature []byte
}

// open reads an envelope. One signature is asked for: of two, nobody could tell which counts.
func open(text []byte) (envelope, *checks.Reason) {
	var raw struct {
		PayloadType *string           `json:"payloadType"`
		Payload     *string           `json:"payload"`
		Signatures  []json.RawMessage `json:"signatures"`
	}
	if err := exact(text, map[string]any{"payloadType": &raw.PayloadType, "payload": &raw.Payload, "signatures": &raw.Signatures}); err != nil || raw.PayloadType == nil || raw.Payload == nil {
		return envelope{}, because(checks.CodeNotReadable, "it is not a DSSE envelope")
	}
	if *raw.PayloadType != summary.PayloadType {
		return envelope{}, because(checks.CodeStatementInvalid, "the payload is of type %q, not %s", cut(*raw.PayloadType), summary.PayloadType)
	}
	if len(raw.Signatures) != 1 {
		return envelope{}, because(checks.CodeStatementInvalid, "the envelope carries %d signatures, not one", len(raw.Signatures))
	}
	var e envelope
	var signature string
	err := exact(raw.Signatures[0], map[string]any{"keyid": &e.keyID, "sig": &signature})
	if err == nil {
		e.signature, err = decode64(signature)
	}
	if err == nil {
		e.payload, err = decode64(*raw.Payload)
	}
	if err != nil {
		return envelope{}, because(checks.CodeStatementInvalid, "the envelope is damaged")
	}
	return e, nil
}

// decode64 reads base64 in either alphabet, as DSSE allows.
func decode64(text string) ([]byte, error) {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		b, err = base64.URLEncoding.DecodeString(text)
	}
	return b, err
}

// exact reads fields of an object whose keys are spelled exactly so; other keys are left out.
// encoding/json by itself takes keys in any case.
func exact(text []byte, fields map[string]any) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	for name, into := range fields {
		if raw, ok := all[name]; ok {
			if err := json.Unmarshal(raw, into); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}

func cut(s string) string {
	if len(s) > 200 {
		return s[:200]
	}
	return s
}
