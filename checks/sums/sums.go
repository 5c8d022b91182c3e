// Package sums hashes a file once, in a stream, in every way that the evidence beside it
// needs, so that assets of any size can be verified without being held.
//
// Most evidence names a digest. OpenPGP does not: it hashes fields of the signature after
// the bytes of the file. For it the state of the hash function at the end of the file is
// kept, some hundred bytes, from which hashing can go on.
//
// It owns the choice of hash functions and imports no word of ours. Start reading at For.
package sums

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/sha512"
	"encoding"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"

	"golang.org/x/crypto/blake2b"
)

// Wanted says what is needed of a file beside its SHA-256, which always is.
type Wanted struct {
	SHA384, SHA512 bool
	BLAKE2b        bool // of 512 bits
	// Bytes says that no digest will do: plain Ed25519 signs the file itself.
	Bytes bool
}

// Or returns what is needed when w and v are.
func (w Wanted) Or(v Wanted) Wanted {
	return Wanted{w.SHA384 || v.SHA384, w.SHA512 || v.SHA512, w.BLAKE2b || v.BLAKE2b, w.Bytes || v.Bytes}
}

// For returns what a detached signature needs of the file that it signs. What cannot be read
// needs nothing: verification says why.
func For(signature []byte) Wanted {
	text := bytes.TrimSpace(signature)
	switch {
	case IsOpenPGP(text):
		// Which of them is inside the signature; hashing with all costs little for the few
		// files that people sign so.
		return Wanted{SHA384: true, SHA512: true}
	case bytes.HasPrefix(text, []byte("-----BEGIN SSH SIGNATURE-----")):
		return Wanted{SHA512: true}
	case bytes.HasPrefix(text, []byte("untrusted comment:")):
		_, rest, _ := bytes.Cut(text, []byte("\n"))
		line, _, _ := bytes.Cut(rest, []byte("\n"))
		raw, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(line)))
		if err == nil && bytes.HasPrefix(raw, []byte("ED")) {
			return Wanted{BLAKE2b: true}
		}
		return Wanted{Bytes: true}
	}
	return Wanted{}
}

// IsOpenPGP reports whether a signature is one of OpenPGP: armored, or a packet of a
// signature in one of its two binary forms (RFC 9580, section 4.2). Signatures in DER, as
// cosign writes them, begin with another byte.
func IsOpenPGP(signature []byte) bool {
	if bytes.HasPrefix(signature, []byte("-----BEGIN PGP ")) {
		return true
	}
	if len(signature) < 6 {
		return false
	}
	body := 2 // where the packet's own bytes begin
	switch first := signature[0]; {
	case first == 0x88:
	case first == 0x89, first == 0xc2 && signature[1] >= 192:
		body = 3
	case first == 0x8a:
		body = 5
	case first != 0xc2:
		return false
	}
	return signature[body] >= 3 && signature[body] <= 6 // the version
}

// ForList returns what a list of checksums needs of the files that it names.
func ForList(list []byte) Wanted {
	var w Wanted
	run := 0
	for _, c := range append(list[:len(list):len(list)], '\n') {
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' {
			run++
			continue
		}
		w.SHA384 = w.SHA384 || run == 2*sha512.Size384
		w.SHA512 = w.SHA512 || run == 2*sha512.Size
		run = 0
	}
	return w
}

// Sums is what is known of a file. Digests are lower-case hexadecimal, "" when not computed.
type Sums struct {
	SHA256, SHA384, SHA512, BLAKE2b string
	// States are those of the hash functions after the last byte; nil when not kept.
	States map[crypto.Hash][]byte
}

// Hasher computes Sums of what is written to it. It is used by one goroutine.
type Hasher struct {
	hashes map[crypto.Hash]hash.Hash
	order  []hash.Hash
}

// New returns a Hasher for SHA-256 and what is wanted.
func New(w Wanted) *Hasher {
	h := &Hasher{hashes: map[crypto.Hash]hash.Hash{}}
	add := func(name crypto.Hash, wanted bool, f func() hash.Hash) {
		if wanted {
			h.hashes[name] = f()
			h.order = append(h.order, h.hashes[name])
		}
	}
	add(crypto.SHA256, true, sha256.New)
	add(crypto.SHA384, w.SHA384, sha512.New384)
	add(crypto.SHA512, w.SHA512, sha512.New)
	add(crypto.BLAKE2b_512, w.BLAKE2b, func() hash.Hash {
		f, err := blake2b.New512(nil)
		if err != nil {
			panic("sums: BLAKE2b without a key never fails: " + err.Error())
		}
		return f
	})
	return h
}

// Write hashes b. It never fails.
func (h *Hasher) Write(b []byte) (int, error) {
	for _, f := range h.order {
		f.Write(b)
	}
	return len(b), nil
}

// Sums returns the digests and states of what was written so far.
func (h *Hasher) Sums() Sums {
	s := Sums{States: map[crypto.Hash][]byte{}}
	for name, f := range h.hashes {
		digest := hex.EncodeToString(f.Sum(nil))
		switch name {
		case crypto.SHA256:
			s.SHA256 = digest
		case crypto.SHA384:
			s.SHA384 = digest
		case crypto.SHA512:
			s.SHA512 = digest
		case crypto.BLAKE2b_512:
			s.BLAKE2b = digest
			continue
		}
		if m, ok := f.(encoding.BinaryMarshaler); ok {
			if state, err := m.MarshalBinary(); err == nil { // without a state, OpenPGP says that it lacks one
				s.States[name] = state
			}
		}
	}
	return s
}

// Of returns the Sums of data.
func Of(data []byte, w Wanted) Sums {
	h := New(w)
	h.Write(data)
	return h.Sums()
}

// Resume returns a hash function in a state of Sums, to go on after the end of the file.
func Resume(name crypto.Hash, state []byte) (hash.Hash, error) {
	var f hash.Hash
	switch name {
	case crypto.SHA256:
		f = sha256.New()
	case crypto.SHA384:
		f = sha512.New384()
	case crypto.SHA512:
		f = sha512.New()
	default:
		return nil, fmt.Errorf("no state is kept of %v", name)
	}
	u, ok := f.(encoding.BinaryUnmarshaler)
	if !ok {
		return nil, fmt.Errorf("%v cannot be resumed", name)
	}
	if err := u.UnmarshalBinary(state); err != nil {
		return nil, fmt.Errorf("resuming %v: %w", name, err)
	}
	return f, nil
}
