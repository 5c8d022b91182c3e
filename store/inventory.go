package store

import (
	"context"

	"github.com/landwaiter/landwaiter/checks"
)

// CachedInventory returns the manifest saved for a blob, or ErrNotFound. Its Path is that of
// the file it was first read from; the caller sets its own.
//
// blobDigest is the git object name. parser is the version of the reader and everything else
// that decides the outcome: the file's base name and the digests of companion files.
func (db *DB) CachedInventory(ctx context.Context, blobDigest, parser string) (checks.Manifest, error) {
	return checks.Manifest{}, errUnbuilt
}

// SaveInventory saves what a reader made of a blob, within the bound of the cache: it may be
// gone later. m may be shared by other goroutines for reading.
func (db *DB) SaveInventory(ctx context.Context, blobDigest, parser string, m checks.Manifest) error {
	return errUnbuilt
}

// UsedVersion is one version of a package that some recorded inventory contains.
type UsedVersion struct {
	ID      int64
	Version string
}

// UsedVersions returns the versions of a package in recorded inventories; none when the
// package was never seen. It costs one index lookup then.
func (db *DB) UsedVersions(ctx context.Context, ecosystem, name string) ([]UsedVersion, error) {
	return nil, errUnbuilt
}

// ReportsUsing returns the ids of reports whose head inventory contains one of the versions,
// ascending. Its cost is proportional to the number of answers.
func (db *DB) ReportsUsing(ctx context.Context, versionIDs ...int64) ([]int64, error) {
	return nil, errUnbuilt
}
