package pubkey

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
)

// minisignLength is the length of a key in base64: 2 bytes of algorithm, 8 of number, 32 of key.
const minisignLength = 56

// readMinisign reads a key of minisign or signify, which write the same: a line of comment and
// one of base64, or the latter alone.
// https://jedisct1.github.io/minisign/#public-key-format
func readMinisign(text string) (Key, error) {
	lines := strings.Split(text, "\n")
	line := strings.TrimSpace(lines[len(lines)-1])
	raw, err := base64.StdEncoding.Strict().DecodeString(line)
	switch {
	case len(lines) > 2:
		return Key{}, errors.New("needs two lines, a comment and the key; this is a signature or several keys")
	case err != nil || len(raw) != 42:
		return Key{}, errors.New("the second line is no key of minisign or signify: 56 characters of base64 that begin with RW")
	case string(raw[:2]) != "Ed":
		return Key{}, errors.New("the key is not of the algorithm Ed25519, the only one of minisign and signify")
	}
	k := Key{Kind: Minisign, Number: [8]byte(raw[2:10]), Ed25519: ed25519.PublicKey(raw[10:])}
	k.Identity = PrefixMinisign + NumberText(k.Number)
	return k, nil
}

// NumberText writes the number of a key of minisign as minisign does: the bytes are of a
// little-endian number.
func NumberText(number [8]byte) string {
	bytes := slices.Clone(number[:])
	slices.Reverse(bytes)
	return strings.ToUpper(hex.EncodeToString(bytes))
}
