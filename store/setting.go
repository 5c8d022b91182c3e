package store

import "context"

// Setting returns the value of a setting, or ErrNotFound.
func (db *DB) Setting(ctx context.Context, name string) (string, error) { return "", errUnbuilt }

// SetSetting sets a setting, whatever it was.
func (db *DB) SetSetting(ctx context.Context, name, value string) error { return errUnbuilt }

// SwapSetting sets a setting from old to value; old "" means that it is not set yet. It
// returns ErrConflict when it is something else by now, such as when another process was first.
func (db *DB) SwapSetting(ctx context.Context, name, old, value string) error { return errUnbuilt }
