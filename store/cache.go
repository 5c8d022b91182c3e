package store

import "context"

// Cached is one answer kept to save a call: the body with the ETag it came with.
type Cached struct {
	ETag string // "" when it needs none, such as a blob named by its digest
	Body []byte
}

// Cached returns what was saved under key, or ErrNotFound. Losing the cache loses time only.
func (db *DB) Cached(ctx context.Context, key string) (Cached, error) { return Cached{}, errUnbuilt }

// SaveCached keeps c under key in place of what was there. What was not used for longest goes
// when the bound of Config.CacheBytes is reached. A body over an eighth of the bound is not
// kept, which is no error.
func (db *DB) SaveCached(ctx context.Context, key string, c Cached) error { return errUnbuilt }
