// Package ledger is a Merkle tree of entries that cannot be changed quietly: leaves, hashes,
// signed checkpoints and proofs.
//
// It knows bytes and hashes only, and it keeps nothing: the caller stores the hashes that
// Append returns under the indexes of golang.org/x/mod/sumdb/tlog, and gives them back through
// a HashReader. Hashing follows RFC 6962, section 2.1; checkpoints follow C2SP tlog-checkpoint
// and their signatures C2SP signed-note, so that other people's tools can follow the ledger.
//
// Start reading at Frontier, which is the state that an append needs.
package ledger

import (
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// MaxLeaf is the limit of a leaf in bytes: an entry bundle of C2SP tlog-tiles writes the
// length of each entry in 16 bits.
const MaxLeaf = 1<<16 - 1

// ErrTooLarge says that a leaf is over MaxLeaf.
var ErrTooLarge = errors.New("leaf is over 65,535 bytes")

// Hash is the SHA-256 hash of a leaf or of a part of the tree.
type Hash = tlog.Hash

// HashReader gives back stored hashes by their tlog index.
type HashReader = tlog.HashReader

// LeafHash returns the hash that the tree keeps for leaf.
func LeafHash(leaf []byte) Hash { return tlog.RecordHash(leaf) }

// LeafIndex returns the index under which the hash of the entry with that zero-based index is
// stored. The hashes that an append returns are stored from there on.
func LeafIndex(index int64) int64 { return tlog.StoredHashIndex(0, index) }

// HashCount returns how many hashes are stored for a tree of size entries.
func HashCount(size int64) int64 { return tlog.StoredHashCount(size) }

// Frontier is the part of a tree that its root and the next append are computed from: at most
// 64 hashes. It is not safe for concurrent use.
type Frontier struct {
	size   int64
	hashes map[int64]Hash // by tlog index; exactly FrontierIndexes(size)
}

// FrontierIndexes returns the indexes of the stored hashes that LoadFrontier reads for a tree
// of size entries, ascending.
func FrontierIndexes(size int64) []int64 {
	var indexes []int64
	// TreeHash asks for exactly these and combines what it gets; the value does not matter.
	_, err := tlog.TreeHash(size, tlog.HashReaderFunc(func(want []int64) ([]Hash, error) {
		indexes = append(indexes, want...)
		return make([]Hash, len(want)), nil
	}))
	if err != nil {
		panic(fmt.Sprintf("ledger: tree of size %d: %v", size, err))
	}
	return indexes
}

// LoadFrontier reads the frontier of the tree of size entries. The zero size reads nothing.
func LoadFrontier(size int64, r HashReader) (*Frontier, error) {
	if size < 0 {
		return nil, fmt.Errorf("reading the frontier: negative size %d", size)
	}
	f := &Frontier{size: size, hashes: make(map[int64]Hash)}
	indexes := FrontierIndexes(size)
	if len(indexes) == 0 {
		return f, nil
	}
	hashes, err := r.ReadHashes(indexes)
	if err != nil {
		return nil, fmt.Errorf("reading the frontier of size %d: %w", size, err)
	}
	if len(hashes) != len(indexes) {
		return nil, fmt.Errorf("reading the frontier of size %d: %d hashes for %d indexes", size, len(hashes), len(indexes))
	}
	for i, index := range indexes {
		f.hashes[index] = hashes[i]
	}
	return f, nil
}

// Size returns the number of entries.
func (f *Frontier) Size() int64 { return f.size }

// Root returns the root of the tree.
func (f *Frontier) Root() (Hash, error) { return tlog.TreeHash(f.size, f) }

// ReadHashes gives back hashes of the frontier; it makes Frontier a HashReader.
func (f *Frontier) ReadHashes(indexes []int64) ([]Hash, error) {
	hashes := make([]Hash, len(indexes))
	for i, index := range indexes {
		h, ok := f.hashes[index]
		if !ok {
			return nil, fmt.Errorf("hash %d is not in the frontier of size %d", index, f.size)
		}
		hashes[i] = h
	}
	return hashes, nil
}

// Append adds leaf as the entry with index Size() and returns the hashes to store under
// LeafIndex(index), LeafIndex(index)+1 and so on. It returns ErrTooLarge, and changes
// nothing, when leaf is over MaxLeaf.
func (f *Frontier) Append(leaf []byte) ([]Hash, error) {
	if len(leaf) > MaxLeaf {
		return nil, ErrTooLarge
	}
	stored, err := tlog.StoredHashes(f.size, leaf, f)
	if err != nil {
		return nil, fmt.Errorf("hashing entry %d: %w", f.size, err)
	}
	first := LeafIndex(f.size)
	for i, h := range stored {
		f.hashes[first+int64(i)] = h
	}
	f.size++
	f.trim()
	return stored, nil
}

// trim forgets hashes that the tree of the new size does not need, so that the frontier stays
// small over any number of appends.
func (f *Frontier) trim() {
	indexes := FrontierIndexes(f.size)
	if len(f.hashes) == len(indexes) {
		return
	}
	kept := make(map[int64]Hash, len(indexes))
	for _, index := range indexes {
		kept[index] = f.hashes[index]
	}
	f.hashes = kept
}
