package store

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/landwaiter/landwaiter/store/ledger"
)

// Leaf is what one ledger entry says: which report, or which summaries of one, byte for byte,
// was recorded for which generation of which key under which policy. Its bytes are its JSON without white space,
// fields in this order.
type Leaf struct {
	Digest     string `json:"digest"` // "sha256:..." of the report's JSON
	Generation int64  `json:"generation"`
	Key        string `json:"key"`
	Policy     string `json:"policy"` // Report.Policy.Digest
	// Salt is random, so that nobody can find the report of a leaf's hash by trying: 32 hexadecimal
	// digits; "" in entries made before there were salts.
	Salt string `json:"salt,omitempty"`
	// Report is the report's JSON; nil when the leaf would be over ledger.MaxLeaf with it.
	Report json.RawMessage `json:"report,omitempty"`
	// Summarises is set in the entries of verification summaries: the ledger index of the report
	// that they are about. Digest is then of the file of summaries.
	Summarises *int64 `json:"summarises,omitempty"`
}

// ParseLeaf reads the bytes of an entry.
func ParseLeaf(b []byte) (Leaf, error) {
	var l Leaf
	if err := json.Unmarshal(b, &l); err != nil {
		return Leaf{}, fmt.Errorf("reading a ledger leaf: %w", err)
	}
	return l, nil
}

// leafFor returns the bytes of the entry of a report, and whether they hold the report.
func leafFor(r *Record) (leaf []byte, whole bool, err error) {
	l := Leaf{Digest: digestOf(r.ReportJSON), Generation: r.Generation, Key: r.Key, Policy: r.Report.Policy.Digest, Salt: newSalt(), Report: r.ReportJSON}
	if len(r.ReportJSON) < ledger.MaxLeaf {
		leaf, err = encode(l)
		if err != nil || len(leaf) <= ledger.MaxLeaf {
			return leaf, true, err
		}
	}
	l.Report = nil
	leaf, err = encode(l)
	return leaf, false, err
}

// newSalt returns 16 random bytes in hexadecimal.
func newSalt() string {
	var b [16]byte
	rand.Read(b[:]) // never fails; see crypto/rand
	return hex.EncodeToString(b[:])
}

// encode returns v as JSON in one line. Unlike json.Marshal it leaves the bytes of a
// RawMessage as they are, which is what the digest is of.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("writing JSON: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// digestOf returns "sha256:" and the hash in hexadecimal.
func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}
