package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/landwaiter/landwaiter/store/engine"
)

// touchEvery is how much older than now the last use of a cached body must be to be written
// anew: reading should not cost a write.
const touchEvery = time.Hour

// Cached is one answer kept to save a call: the body with the ETag it came with.
type Cached struct {
	ETag string // "" when it needs none, such as a blob named by its digest
	Body []byte
}

// Cached returns what was saved under key, or ErrNotFound. Losing the cache loses time only.
func (db *DB) Cached(ctx context.Context, key string) (Cached, error) {
	var c Cached
	var frame []byte
	var used int64
	err := db.reader(ctx).One(`SELECT etag, body, used FROM cache WHERE key = $1`, []any{engine.Text(key)}, &c.ETag, &frame, &used)
	if err == nil {
		c.Body, err = db.bodies.Unpack(frame)
	}
	if err == nil && !db.readOnly && db.now().Sub(engine.FromMicros(used)) > touchEvery {
		err = db.change(ctx, func(t *tx) error {
			_, err := t.Exec(`UPDATE cache SET used = $2 WHERE key = $1`, engine.Text(key), engine.Micros(db.now()))
			return err
		})
	}
	if err != nil {
		return Cached{}, fmt.Errorf("reading %s from the cache: %w", key, err)
	}
	return c, nil
}

// SaveCached keeps c under key in place of what was there. What was not used for longest goes
// when the bound of Config.CacheBytes is reached. A body that packed is over an eighth of the
// bound is not kept, which is no error.
func (db *DB) SaveCached(ctx context.Context, key string, c Cached) error {
	if len(c.Body) > engine.MaxBody {
		return nil
	}
	frame := db.bodies.Pack(c.Body)
	size := int64(len(key) + len(c.ETag) + len(frame))
	if size > db.cacheBytes/8 {
		return nil
	}
	measure := db.cacheGrows(size)
	err := db.change(ctx, func(t *tx) error {
		_, err := t.Exec(`INSERT INTO cache (key, etag, body, size, used) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (key) DO UPDATE SET etag = excluded.etag, body = excluded.body, size = excluded.size, used = excluded.used`,
			engine.Text(key), engine.Text(c.ETag), frame, size, engine.Micros(db.now()))
		if err != nil || !measure {
			return err
		}
		return t.evict(db.cacheBytes - db.cacheBytes/16)
	})
	if err != nil {
		return fmt.Errorf("saving %s in the cache: %w", key, err)
	}
	return nil
}

// cacheGrows notes size bytes more and reports whether it is time to measure the cache: at
// first and after each 32nd part of the bound, because measuring reads all sizes.
func (db *DB) cacheGrows(size int64) bool {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.cacheAdded += size
	if db.cacheKnown && db.cacheAdded < db.cacheBytes/32 {
		return false
	}
	db.cacheAdded, db.cacheKnown = 0, true
	return true
}

// evict removes what was not used for longest until at most bound bytes are kept.
func (t *tx) evict(bound int64) error {
	var size int64
	if err := t.One(`SELECT COALESCE(sum(size), 0) FROM cache`, nil, &size); err != nil || size <= bound {
		return err
	}
	var keys []any
	err := t.Each(`SELECT key, size FROM cache ORDER BY used, size`, nil, func(rows *sql.Rows) error {
		var key string
		var n int64
		err := rows.Scan(&key, &n)
		keys = append(keys, key)
		if size -= n; err == nil && size <= bound {
			return errEnough
		}
		return err
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	return t.Batches(len(keys), 1, func(from, to int) error {
		_, err := t.Exec(`DELETE FROM cache WHERE key IN `+engine.List(to-from, 1), keys[from:to]...)
		return err
	})
}

// errEnough ends the reading of rows early.
var errEnough = errors.New("enough rows")
