package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/landwaiter/landwaiter/store/engine"
)

// SchemaState says how far the schema of a database is. Numbers are those of the schema files.
type SchemaState struct {
	Have  int64 // of the database; 0 when it is empty or not there
	Known int64 // the newest that this program knows
}

// Schema looks at the schema of c's database and changes nothing.
func Schema(ctx context.Context, c Config) (state SchemaState, err error) {
	c.ReadOnly = true
	db, err := openSchema(ctx, c)
	if errors.Is(err, fs.ErrNotExist) {
		// There is no file yet; what is known does not need one.
		state.Known, err = engine.KnownSchema(schema, engine.IsPostgres(c.URL))
		return state, err
	}
	if err != nil {
		return state, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	state.Have, state.Known, err = db.Schema(ctx)
	return state, err
}

// Migrate brings the schema of c's database up to date and does nothing else. Open does the same
// at its start. It only goes forward; several processes may do it at once.
func Migrate(ctx context.Context, c Config) error {
	c.ReadOnly = false
	db, err := openSchema(ctx, c)
	if err != nil {
		return err
	}
	return db.Close()
}

// openSchema opens the database without a look at the ledger.
func openSchema(ctx context.Context, c Config) (*engine.DB, error) {
	db, err := engine.Open(ctx, engine.Config{
		URL: c.URL, ReadOnly: c.ReadOnly, Alone: c.alone, Schema: schema, Log: c.Log,
		Together:  func(*engine.Tx, []any) error { return errors.New("nothing is received while the schema is looked at") },
		Committed: func(*engine.Tx) {},
	})
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	return db, nil
}
