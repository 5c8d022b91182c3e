package pubkey

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// minRSA is the shortest RSA key that is accepted, in bits (NIST SP 800-57, part 1, table 2:
// below it is less than 112 bits of strength).
const minRSA = 2048

// readPEM reads one PEM block PUBLIC KEY.
func readPEM(text string) (Key, error) {
	b, rest := pem.Decode([]byte(text))
	switch {
	case b == nil || strings.TrimSpace(string(rest)) != "":
		return Key{}, errors.New("needs one PEM block `PUBLIC KEY`, and nothing else")
	case b.Type == "CERTIFICATE":
		return Key{}, errors.New("this is a certificate: give the public key in it (openssl x509 -pubkey -noout)")
	case b.Type != "PUBLIC KEY":
		return Key{}, fmt.Errorf("this is a PEM block %q; it should be `PUBLIC KEY`", b.Type)
	}
	public, err := x509.ParsePKIXPublicKey(b.Bytes)
	if err != nil {
		return Key{}, fmt.Errorf("the public key cannot be read: %w", err)
	}
	switch k := public.(type) {
	case *rsa.PublicKey:
		if err := checkRSA(k); err != nil {
			return Key{}, err
		}
	case *ecdsa.PublicKey, ed25519.PublicKey:
	default:
		return Key{}, errors.New("the algorithm of the public key is neither ECDSA, RSA nor Ed25519")
	}
	sum := sha256.Sum256(b.Bytes)
	return Key{Kind: PEM, Identity: PrefixPEM + hex.EncodeToString(sum[:]), Text: text + "\n"}, nil
}

func checkRSA(k *rsa.PublicKey) error {
	if bits := k.N.BitLen(); bits < minRSA {
		return fmt.Errorf("the RSA key has %d bits, which is too weak: use one of at least %d", bits, minRSA)
	}
	return nil
}
