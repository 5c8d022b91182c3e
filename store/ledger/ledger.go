// Package ledger is a Merkle tree of entries that cannot be changed quietly: leaves, hashes,
// signed checkpoints and proofs.
//
// It knows bytes and hashes only. It keeps nothing: the caller stores the hashes that Append
// returns, in the order of golang.org/x/mod/sumdb/tlog, and gives them back through a
// HashReader. Hashing follows RFC 6962, section 2.1; checkpoints follow C2SP tlog-checkpoint
// and signatures C2SP signed-note.
//
// Start reading at Append.
package ledger

import "golang.org/x/mod/sumdb/tlog"

// MaxLeaf is the limit of a leaf in bytes: an entry bundle of C2SP tlog-tiles has a length of
// 16 bits before each entry.
const MaxLeaf = 1<<16 - 1

// Hash is a SHA-256 hash of a leaf or of a part of the tree.
type Hash = tlog.Hash

// Key signs checkpoints.
type Key struct{}

// Checkpoint is the size and root of the ledger at one moment.
type Checkpoint struct {
	Origin string // the ledger's name
	Size   int64  // entries
	Root   Hash
}
