package store

import (
	"context"
	"time"
)

// Publication is what one surface shows for a key.
type Publication struct {
	Surface    string // "check", "issue", "gate"
	Key        string
	Generation int64  // of what is shown
	RemoteID   int64  // GitHub's number of the run or issue; 0 when none exists yet
	State      string // digest of what was shown
	Updated    time.Time
}

// Publication returns what surface shows for key, or ErrNotFound.
func (db *DB) Publication(ctx context.Context, surface, key string) (Publication, error) {
	return Publication{}, errUnbuilt
}

// SavePublication stores p in place of what was stored for its Surface and Key. It returns
// ErrStale when a newer generation is stored; an equal one is replaced. Updated is set to now.
func (db *DB) SavePublication(ctx context.Context, p Publication) error { return errUnbuilt }

// Publications returns up to limit publications of a surface that were updated before then,
// the longest ago first: what a sweep looks at.
func (db *DB) Publications(ctx context.Context, surface string, then time.Time, limit int) ([]Publication, error) {
	return nil, errUnbuilt
}
