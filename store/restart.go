package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/landwaiter/landwaiter/store/entries"
	"github.com/landwaiter/landwaiter/store/ledger"
)

// ErrNothingLost says that a ledger need not be started again: no entry is lacking.
var ErrNothingLost = entries.ErrNothingLost

// LostError says that another number of entries is lacking than a person said.
type LostError = entries.LostError

// LedgerFiles are the files of a data folder that the ledger has beside its database.
type LedgerFiles struct {
	Key        string // private
	Rotations  string // how the key was replaced
	Checkpoint string // the newest checkpoint
	Endings    string // ledgers that ended, and what followed them
}

// ended is one element of LedgerFiles.Endings: the ending, and the rotations that led to its key.
type ended struct {
	ledger.Ending
	Rotations []ledger.Rotation `json:"rotations"`
}

// maxEndings bounds the file of endings in bytes; one takes about 1000, and its rotations.
const maxEndings = 4 << 20

// RestartLedger lets the service go on after an older database was restored, whose ledger lacks
// entries that the checkpoint file tells of. The key that signed those must never sign another
// tree, so its ledger ends and a new one begins, with a name and a key of its own and with the
// entries that are left. lost is how many entries are given up, said by a person who knows.
//
// Its steps, each durable before the next: the new key is written beside the old one; the
// checkpoints in the database become the new key's; the ending is written; the rotations are
// emptied; the checkpoint file becomes the new key's; the new key replaces the old one, which is
// gone then. After an interruption at any of them doing it again finishes the same.
//
// It returns ErrInUse while the service runs, ErrNothingLost when no entry is lacking, and a
// TamperedError when what is left is not what was signed. c says which database; its keys are not
// used.
func RestartLedger(ctx context.Context, c Config, files LedgerFiles, lost int64, p Progress) (e ledger.Ending, err error) {
	if c.LedgerKey, err = ReadLedgerKey(files.Key); err != nil {
		return e, err
	}
	nextFile := files.Key + ".next"
	if c.nextKey, err = LedgerKey(nextFile, nextOrigin(c.LedgerKey.Origin())); err != nil {
		return e, fmt.Errorf("making the key of the new ledger: %w", err)
	}
	if c.nextKey.Origin() == c.LedgerKey.Origin() {
		return e, fmt.Errorf("%s is left of a key rotation that was interrupted: move it away", nextFile)
	}
	if c.LedgerRotations, err = ReadRotations(files.Rotations); err != nil {
		return e, err
	}
	c.LedgerVerifiers, c.CheckpointFile, c.ReadOnly, c.bare, c.alone = nil, files.Checkpoint, false, true, true
	list, err := readEndings(files.Endings)
	if err != nil {
		return e, err
	}
	db, err := Open(ctx, c)
	if err != nil {
		return e, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if n := len(list); n > 0 && list[n-1].New == c.nextKey.Verifier() {
		e = list[n-1].Ending // an interrupted one, which got as far as here
	} else {
		if e, err = db.ledger.Restart(ctx, lost, p.of("verifying ledger entries")); err != nil {
			return e, forget(err, nextFile)
		}
		if err := saveEndings(files.Endings, append(list, ended{e, c.LedgerRotations})); err != nil {
			return e, err
		}
	}
	return e, db.settleRestart(ctx, files, nextFile)
}

// forget removes the key of a new ledger that does not begin, since it was refused.
func forget(err error, nextFile string) error {
	var lost *LostError
	var tampered *TamperedError
	if errors.Is(err, ErrNothingLost) || errors.As(err, &lost) || errors.As(err, &tampered) {
		return errors.Join(err, os.Remove(nextFile))
	}
	return err // its outcome may be unknown
}

// settleRestart makes the files in the data folder those of the new ledger, its key last.
func (db *DB) settleRestart(ctx context.Context, files LedgerFiles, nextFile string) error {
	if err := entries.SaveRotations(files.Rotations, nil); err != nil {
		return err
	}
	var signed string
	err := db.engine.Reader(ctx).One(`SELECT note FROM ledger_checkpoint ORDER BY size DESC LIMIT 1`, nil, &signed)
	if err == nil {
		err = entries.WriteFile(files.Checkpoint, []byte(signed))
	}
	if err != nil {
		return fmt.Errorf("writing the checkpoint file: %w", err)
	}
	return entries.ReplaceKey(nextFile, files.Key)
}

// nextOrigin returns the name of the ledger that follows: "host/ledger", "host/ledger/2", ".../3".
func nextOrigin(origin string) string {
	i := strings.LastIndex(origin, "/")
	if n, err := strconv.Atoi(origin[i+1:]); err == nil && n > 1 {
		return origin[:i+1] + strconv.Itoa(n+1)
	}
	return origin + "/2"
}

func readEndings(path string) ([]ended, error) {
	stat, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && stat.Size() > maxEndings {
		err = fmt.Errorf("it is over %d bytes", maxEndings)
	}
	var b []byte
	if err == nil {
		b, err = os.ReadFile(path)
	}
	var list []ended
	if err == nil {
		err = json.Unmarshal(b, &list)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the ledgers that ended: %w", err)
	}
	return list, nil
}

func saveEndings(path string, list []ended) error {
	b, err := json.MarshalIndent(list, "", "  ")
	if err == nil {
		err = entries.WriteFile(path, append(b, '\n'))
	}
	if err != nil {
		return fmt.Errorf("writing the ledgers that ended: %w", err)
	}
	return nil
}
