package ledger

import (
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// ErrProof says that a proof does not prove what it was given for.
var ErrProof = errors.New("the proof does not hold")

// ProveInclusion returns the hashes that prove, with a leaf, that it is the entry with that
// zero-based index of the tree of size entries (RFC 6962, section 2.1.1). r holds that tree
// or a later one.
func ProveInclusion(index, size int64, r HashReader) ([]Hash, error) {
	if index < 0 || index >= size {
		return nil, fmt.Errorf("proving inclusion: no entry %d in a tree of size %d", index, size)
	}
	proof, err := tlog.ProveRecord(size, index, r)
	if err != nil {
		return nil, fmt.Errorf("proving that entry %d is in the tree of size %d: %w", index, size, err)
	}
	return proof, nil
}

// VerifyInclusion checks what ProveInclusion returned. It returns ErrProof when leaf is not
// that entry of the tree that c names.
func VerifyInclusion(leaf []byte, index int64, c Checkpoint, proof []Hash) error {
	if index < 0 || index >= c.Size {
		return fmt.Errorf("%w: no entry %d in a tree of size %d", ErrProof, index, c.Size)
	}
	if err := tlog.CheckRecord(proof, c.Size, c.Root, index, LeafHash(leaf)); err != nil {
		return fmt.Errorf("%w: entry %d in the tree of size %d: %v", ErrProof, index, c.Size, err)
	}
	return nil
}

// ProveConsistency returns the hashes that prove that the tree of size newer begins with the
// tree of size older (RFC 6962, section 2.1.2). It is empty for older 0 and for equal sizes.
func ProveConsistency(older, newer int64, r HashReader) ([]Hash, error) {
	if older < 0 || older > newer {
		return nil, fmt.Errorf("proving consistency: size %d is not within 0 and %d", older, newer)
	}
	if older == 0 || older == newer {
		return nil, nil
	}
	proof, err := tlog.ProveTree(newer, older, r)
	if err != nil {
		return nil, fmt.Errorf("proving that the tree of size %d begins with that of size %d: %w", newer, older, err)
	}
	return proof, nil
}

// VerifyConsistency checks what ProveConsistency returned. It returns ErrProof when newer is
// not a continuation of older.
func VerifyConsistency(older, newer Checkpoint, proof []Hash) error {
	switch {
	case older.Origin != newer.Origin:
		return fmt.Errorf("%w: %q and %q are different ledgers", ErrProof, older.Origin, newer.Origin)
	case older.Size < 0 || older.Size > newer.Size:
		return fmt.Errorf("%w: size %d is not within 0 and %d", ErrProof, older.Size, newer.Size)
	case older.Size == 0 || older.Size == newer.Size:
		return verifyWithoutProof(older, newer, proof)
	}
	if err := tlog.CheckTree(proof, newer.Size, newer.Root, older.Size, older.Root); err != nil {
		return fmt.Errorf("%w: from size %d to %d: %v", ErrProof, older.Size, newer.Size, err)
	}
	return nil
}

// verifyWithoutProof covers the two cases that need no hashes: an empty older tree, which is
// the beginning of every tree, and equal sizes, whose roots must be equal.
func verifyWithoutProof(older, newer Checkpoint, proof []Hash) error {
	if len(proof) != 0 {
		return fmt.Errorf("%w: %d hashes where none is needed", ErrProof, len(proof))
	}
	want := newer.Root
	if older.Size == 0 {
		empty, err := tlog.TreeHash(0, nil)
		if err != nil {
			return fmt.Errorf("root of the empty tree: %w", err)
		}
		want = empty
	}
	if older.Root != want {
		return fmt.Errorf("%w: two roots for size %d", ErrProof, older.Size)
	}
	return nil
}
