package store

import (
	"context"
	"errors"
)

// OpenQueue opens a database to look at its jobs and to revive buried ones, beside a service that
// runs or without one. The ledger is neither begun nor checked. The caller closes it.
func OpenQueue(ctx context.Context, c Config) (*DB, error) {
	c.ReadOnly, c.bare, c.alone = false, true, false
	state, err := Schema(ctx, c)
	switch {
	case err != nil:
		return nil, err
	case state.Have == 0:
		return nil, errors.New("there is no database of Landwaiter")
	case state.Have != state.Known:
		return nil, errors.New("the schema is of another version of Landwaiter; see landwaiter migrate --status")
	}
	return Open(ctx, c)
}
