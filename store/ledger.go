package store

import (
	"context"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/landwaiter/landwaiter/store/ledger"
)

// LedgerKey reads the ledger's signing key from the file path, or makes one with the name
// origin and writes it there, durably and with mode 0600, when there is no file. It refuses a
// file that others may read. origin is the ledger's name, such as "landwaiter.example.org/ledger".
func LedgerKey(path, origin string) (*ledger.Key, error) { return nil, errUnbuilt }

// LedgerHead returns the newest checkpoint: its fields and its signed text. A ledger without
// entries has size 0 and a signed text too.
func (db *DB) LedgerHead(ctx context.Context) (ledger.Checkpoint, string, error) {
	return ledger.Checkpoint{}, "", errUnbuilt
}

// LedgerCheckpoint returns the signed checkpoint of that size, or ErrNotFound.
func (db *DB) LedgerCheckpoint(ctx context.Context, size int64) (string, error) {
	return "", errUnbuilt
}

// LedgerEntries returns up to limit leaves from index on, as they were hashed.
func (db *DB) LedgerEntries(ctx context.Context, index int64, limit int) ([][]byte, error) {
	return nil, errUnbuilt
}

// LedgerHashes reads stored hashes by their tlog index, for proofs and tiles. It is valid
// until ctx ends.
func (db *DB) LedgerHashes(ctx context.Context) tlog.HashReader { return nil }

// ProveInclusion returns the proof that the entry with that index is in the tree of that size.
func (db *DB) ProveInclusion(ctx context.Context, index, size int64) ([]ledger.Hash, error) {
	return nil, errUnbuilt
}

// ProveConsistency returns the proof that the tree of size newer begins with that of size older.
func (db *DB) ProveConsistency(ctx context.Context, older, newer int64) ([]ledger.Hash, error) {
	return nil, errUnbuilt
}

// VerifyLedger reads the whole ledger and checks every leaf, hash, checkpoint and stored
// report against the others. It returns a TamperedError that names the first entry that is
// wrong. progress, which may be nil, is called now and then with entries done and in all.
func (db *DB) VerifyLedger(ctx context.Context, progress func(done, total int64)) error {
	return errUnbuilt
}
