package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/landwaiter/landwaiter/store/entries"
	"github.com/landwaiter/landwaiter/store/ledger"
)

// ReadRotations reads the file that RotateLedgerKey writes; without a file there were none.
func ReadRotations(path string) ([]ledger.Rotation, error) { return entries.ReadRotations(path) }

// ParseRotations reads the bytes of such a file. It checks no signature: ledger.Successor does.
func ParseRotations(b []byte) ([]ledger.Rotation, error) { return entries.ParseRotations(b) }

// FormatRotations returns the bytes of such a file.
func FormatRotations(list []ledger.Rotation) ([]byte, error) { return entries.FormatRotations(list) }

// RotateLedgerKey replaces the ledger's key in keyFile by a new one and adds the rotation to
// rotationsFile. c says which database; its ledger keys are not used.
//
// Its steps, each durable before the next: the new key is written beside keyFile as
// keyFile+".next"; the newest checkpoint becomes one that both keys signed; the rotation is
// written to rotationsFile; the new key replaces the old one, which is gone then. After an
// interruption at any of them doing it again finishes the same rotation. Processes that still
// have the old key refuse to append from the second step on: they get ErrKeyRotated.
func RotateLedgerKey(ctx context.Context, c Config, keyFile, rotationsFile string) (ledger.Rotation, error) {
	var err error
	if c.LedgerKey, err = ReadLedgerKey(keyFile); err != nil {
		return ledger.Rotation{}, err
	}
	nextFile := keyFile + ".next"
	if c.nextKey, err = LedgerKey(nextFile, c.LedgerKey.Origin()); err != nil {
		return ledger.Rotation{}, fmt.Errorf("making the next ledger key: %w", err)
	}
	if c.LedgerRotations, err = ReadRotations(rotationsFile); err != nil {
		return ledger.Rotation{}, err
	}
	c.LedgerVerifiers, c.ReadOnly = nil, false
	r, err := rotate(ctx, c)
	if err != nil {
		return ledger.Rotation{}, err
	}
	if !slices.Contains(c.LedgerRotations, r) {
		if err := entries.SaveRotations(rotationsFile, append(c.LedgerRotations, r)); err != nil {
			return ledger.Rotation{}, err
		}
	}
	return r, entries.ReplaceKey(nextFile, keyFile)
}

// rotate passes the ledger in the database on from c's key to c's next one.
func rotate(ctx context.Context, c Config) (r ledger.Rotation, err error) {
	db, err := Open(ctx, c)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.ledger.Rotate(ctx)
}
