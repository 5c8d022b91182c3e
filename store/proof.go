package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/landwaiter/landwaiter/store/ledger"
)

// ProofFormat is the value of Proof.Format.
const ProofFormat = "landwaiter-ledger-proof/1"

// maxProof bounds a proof in bytes: a report of MaxReport in base64, a leaf, and the rest.
const maxProof = MaxReport/3*4 + 1<<20

// Proof is all that is needed to show somebody without the database that a report is in the
// ledger: they need the ledger's public key from elsewhere. docs/ledger.md has the form.
type Proof struct {
	Format string `json:"format"`
	// Key is the public key that signed Checkpoint, to tell keys apart. A proof that brings its
	// own key proves nothing: Verify does not use it.
	Key        string        `json:"key"`
	Index      int64         `json:"index"`
	Leaf       []byte        `json:"leaf"`      // as it was hashed
	Inclusion  []ledger.Hash `json:"inclusion"` // RFC 6962, section 2.1.1
	Checkpoint string        `json:"checkpoint"`
	Report     []byte        `json:"report,omitempty"` // when it is too large for Leaf
}

// Proven is what a Proof shows.
type Proven struct {
	Leaf       Leaf
	Index      int64
	Checkpoint ledger.Checkpoint
	Report     []byte // the report's JSON, byte for byte what Leaf.Digest is of
}

// Prove returns the proof that a stored report is in the ledger of the newest checkpoint, or
// ErrNotFound.
func (db *DB) Prove(ctx context.Context, reportID int64) (Proof, error) {
	r, err := db.Report(ctx, reportID)
	if err != nil {
		return Proof{}, err
	}
	head, signed, err := db.LedgerHead(ctx)
	if err != nil {
		return Proof{}, err
	}
	leaves, err := db.LedgerEntries(ctx, r.LedgerIndex, 1)
	if err != nil {
		return Proof{}, err
	}
	if len(leaves) != 1 {
		return Proof{}, &TamperedError{Index: r.LedgerIndex, Detail: "it is missing"}
	}
	p := Proof{Format: ProofFormat, Index: r.LedgerIndex, Leaf: leaves[0], Checkpoint: signed, Key: db.ledger.SignedBy(signed)}
	if p.Inclusion, err = db.ProveInclusion(ctx, p.Index, head.Size); err != nil {
		return Proof{}, err
	}
	leaf, err := ParseLeaf(p.Leaf)
	if err != nil {
		return Proof{}, err
	}
	if len(leaf.Report) == 0 {
		p.Report = r.JSON
	}
	if _, err := p.Verify(p.Key); err != nil {
		return Proof{}, &TamperedError{Index: p.Index, Detail: err.Error()}
	}
	return p, nil
}

// ReadProof reads a proof in JSON. It does not verify it.
func ReadProof(r io.Reader) (Proof, error) {
	limited := &io.LimitedReader{R: r, N: maxProof + 1}
	d := json.NewDecoder(limited)
	d.DisallowUnknownFields()
	var p Proof
	err := d.Decode(&p)
	if limited.N <= 0 {
		return Proof{}, fmt.Errorf("a proof is at most %d bytes", int64(maxProof))
	}
	if err != nil {
		return Proof{}, fmt.Errorf("not a ledger proof: %w", err)
	}
	if p.Format != ProofFormat {
		return Proof{}, fmt.Errorf("not a ledger proof: its format is %q, not %q", p.Format, ProofFormat)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Proof{}, errors.New("not a ledger proof: something follows it")
	}
	return p, nil
}

// Verify checks the whole proof without a database: that one of verifiers signed the checkpoint,
// that the leaf is the entry with that index of its tree, and that the report is the one that
// the leaf binds. The first verifier names the ledger.
func (p Proof) Verify(verifiers ...string) (Proven, error) {
	if len(verifiers) == 0 {
		return Proven{}, errors.New("a proof is verified with a public key")
	}
	origin, _, _ := strings.Cut(verifiers[0], "+")
	c, err := ledger.OpenCheckpoint(p.Checkpoint, origin, verifiers...)
	if err != nil {
		return Proven{}, err
	}
	if err := ledger.VerifyInclusion(p.Leaf, p.Index, c, p.Inclusion); err != nil {
		return Proven{}, err
	}
	leaf, err := ParseLeaf(p.Leaf)
	if err != nil {
		return Proven{}, err
	}
	if leaf.Summarises != nil {
		return Proven{}, errors.New("the entry holds verification summaries, not a report")
	}
	proven := Proven{Leaf: leaf, Index: p.Index, Checkpoint: c, Report: leaf.Report}
	if len(leaf.Report) == 0 {
		proven.Report = p.Report
	} else if len(p.Report) > 0 && !bytes.Equal(p.Report, leaf.Report) {
		return Proven{}, errors.New("the proof brings another report than its entry")
	}
	if digestOf(proven.Report) != leaf.Digest {
		return Proven{}, errors.New("the report does not give the digest in the entry")
	}
	return proven, nil
}

// Binds says whether report, a file as somebody was given it, is byte for byte the report that
// was entered. A line break at its end does not count.
func (p Proven) Binds(report []byte) bool {
	return digestOf(bytes.TrimRight(report, "\r\n")) == p.Leaf.Digest
}
