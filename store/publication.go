package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/landwaiter/landwaiter/store/crash"
	"github.com/landwaiter/landwaiter/store/engine"
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
	p := Publication{Surface: surface, Key: key}
	var updated int64
	err := db.reader(ctx).One(`SELECT generation, remote_id, state, updated FROM publication WHERE surface = $1 AND key = $2`,
		[]any{engine.Text(surface), engine.Text(key)}, &p.Generation, &p.RemoteID, &p.State, &updated)
	if err != nil {
		return Publication{}, fmt.Errorf("reading what %s shows for %s: %w", surface, key, err)
	}
	p.Updated = engine.FromMicros(updated)
	return p, nil
}

// SavePublication stores p in place of what was stored for its Surface and Key. It returns
// ErrStale when a newer generation is stored; an equal one is replaced. Updated is set to now.
func (db *DB) SavePublication(ctx context.Context, p Publication) error {
	err := db.change(ctx, func(t *tx) error {
		var generation int64
		err := t.One(`INSERT INTO publication (surface, key, generation, remote_id, state, updated) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (surface, key) DO UPDATE SET generation = excluded.generation, remote_id = excluded.remote_id,
				state = excluded.state, updated = excluded.updated
			WHERE publication.generation <= excluded.generation RETURNING generation`,
			[]any{engine.Text(p.Surface), engine.Text(p.Key), p.Generation, p.RemoteID, engine.Text(p.State), engine.Micros(db.now())}, &generation)
		if errors.Is(err, ErrNotFound) {
			return engine.Unchanged(ErrStale)
		}
		crash.Before(crash.Publication)
		return err
	})
	if err != nil {
		return fmt.Errorf("saving what %s shows for generation %d of %s: %w", p.Surface, p.Generation, p.Key, err)
	}
	crash.After(crash.Publication)
	return nil
}

// Publications returns up to limit publications of a surface that were updated before then,
// the longest ago first: what a sweep looks at.
func (db *DB) Publications(ctx context.Context, surface string, then time.Time, limit int) ([]Publication, error) {
	var list []Publication
	err := db.reader(ctx).Each(`SELECT key, generation, remote_id, state, updated FROM publication
		WHERE surface = $1 AND updated < $2 ORDER BY updated LIMIT $3`, []any{engine.Text(surface), engine.Micros(then), limit},
		func(rows *sql.Rows) error {
			p := Publication{Surface: surface}
			var updated int64
			err := rows.Scan(&p.Key, &p.Generation, &p.RemoteID, &p.State, &updated)
			p.Updated = engine.FromMicros(updated)
			list = append(list, p)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("listing what %s shows: %w", surface, err)
	}
	return list, nil
}
