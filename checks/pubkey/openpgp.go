package pubkey

import (
	"crypto/rsa"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// readOpenPGP reads an armored block that holds one primary key with its subkeys.
func readOpenPGP(text string) (Key, error) {
	const begin = "-----BEGIN PGP PUBLIC KEY BLOCK-----"
	switch {
	case strings.HasPrefix(text, "-----BEGIN PGP SIGNATURE"), strings.HasPrefix(text, "-----BEGIN PGP SIGNED MESSAGE"):
		return Key{}, errors.New("this is a signature: give the public key (gpg --armor --export FINGERPRINT)")
	case !strings.HasPrefix(text, begin):
		return Key{}, errors.New("needs an armored block `PGP PUBLIC KEY BLOCK` (gpg --armor --export FINGERPRINT)")
	case strings.Count(text, "-----BEGIN ") > 1:
		return Key{}, errors.New("there are several blocks: give each key by itself")
	}
	list, err := openpgp.ReadArmoredKeyRing(strings.NewReader(text))
	if err != nil {
		return Key{}, fmt.Errorf("the OpenPGP key cannot be read: %w", err)
	}
	if len(list) != 1 {
		return Key{}, fmt.Errorf("the block holds %d keys: give each key by itself", len(list))
	}
	e := list[0]
	if e.PrivateKey != nil {
		return Key{}, ErrPrivate
	}
	if err := checkPublic(e.PrimaryKey); err != nil {
		return Key{}, err
	}
	return Key{Kind: OpenPGP, Identity: PrefixOpenPGP + Fingerprint(e), OpenPGP: e}, nil
}

// Fingerprint returns the whole fingerprint of the primary key of e, upper case.
func Fingerprint(e *openpgp.Entity) string {
	return strings.ToUpper(hex.EncodeToString(e.PrimaryKey.Fingerprint))
}

// Strong reports whether signatures by k can be relied on.
func Strong(k *packet.PublicKey) bool { return checkPublic(k) == nil }

// checkPublic refuses keys that are too weak: DSA, short RSA, and keys of before version 4.
func checkPublic(k *packet.PublicKey) error {
	if k.Version < 4 {
		return fmt.Errorf("the OpenPGP key is of version %d, which is broken: make a new one", k.Version)
	}
	switch k.PubKeyAlgo {
	case packet.PubKeyAlgoRSA, packet.PubKeyAlgoRSASignOnly:
		r, ok := k.PublicKey.(*rsa.PublicKey)
		if !ok {
			return errors.New("the OpenPGP key holds no RSA key, although it says so")
		}
		return checkRSA(r)
	case packet.PubKeyAlgoECDSA, packet.PubKeyAlgoEdDSA, packet.PubKeyAlgoEd25519, packet.PubKeyAlgoEd448:
		return nil
	}
	return fmt.Errorf("the OpenPGP key uses algorithm %d, which is too weak or cannot sign: use Ed25519, ECDSA or RSA", k.PubKeyAlgo)
}
