package store

import (
	"context"
	"fmt"

	"github.com/landwaiter/landwaiter/store/engine"
)

// LinksSetting names the setting that says since when links to pages about a repository hold.
func LinksSetting(repositoryID int64) string { return fmt.Sprintf("links:%d", repositoryID) }

// Setting returns the value of a setting, or ErrNotFound.
func (db *DB) Setting(ctx context.Context, name string) (string, error) {
	var value string
	if err := db.reader(ctx).One(`SELECT value FROM setting WHERE name = $1`, []any{engine.Text(name)}, &value); err != nil {
		return "", fmt.Errorf("reading setting %s: %w", name, err)
	}
	return value, nil
}

// SetSetting sets a setting, whatever it was. NUL and invalid UTF-8 become U+FFFD.
func (db *DB) SetSetting(ctx context.Context, name, value string) error {
	err := db.change(ctx, func(t *tx) error {
		_, err := t.Exec(`INSERT INTO setting (name, value) VALUES ($1, $2)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value`, engine.Text(name), engine.Text(value))
		return err
	})
	if err != nil {
		return fmt.Errorf("writing setting %s: %w", name, err)
	}
	return nil
}

// SwapSetting sets a setting from old to value; old "" means that it is not set yet. It
// returns ErrConflict when it is something else by now, such as when another process was first.
func (db *DB) SwapSetting(ctx context.Context, name, old, value string) error {
	err := db.change(ctx, func(t *tx) error {
		query, args := `UPDATE setting SET value = $2 WHERE name = $1 AND value = $3`, []any{engine.Text(name), engine.Text(value), engine.Text(old)}
		if old == "" {
			query, args = `INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING`, args[:2]
		}
		n, err := t.Exec(query, args...)
		if err == nil && n == 0 {
			return engine.Unchanged(ErrConflict)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("changing setting %s: %w", name, err)
	}
	return nil
}
