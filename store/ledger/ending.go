package ledger

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// nextLedger begins the extension line of a checkpoint that ends its ledger: the public key of the
// ledger that follows, and how many entries that one took over.
const nextLedger = "next-ledger "

// Ending says that a ledger ends, because its newest entries were lost, and which other ledger goes
// on: one with a name and a key of its own, that begins with the entries that were left. It is the
// last checkpoint known of the old ledger, with one line more, signed by both keys: the old key
// signs no tree that it had not signed before.
type Ending struct {
	Old  string `json:"old"` // public keys, in Key.Verifier's form
	New  string `json:"new"`
	Kept int64  `json:"kept"` // entries of the old ledger that the new one begins with
	Note string `json:"note"` // the checkpoint
}

// End ends the ledger whose last checkpoint known is c. kept entries of it are left.
func End(c Checkpoint, kept int64, old, next *Key) (Ending, error) {
	switch {
	case old.Origin() != c.Origin:
		return Ending{}, fmt.Errorf("ending a ledger: a checkpoint of %q, a key of %q", c.Origin, old.Origin())
	case next.Origin() == c.Origin:
		return Ending{}, errors.New("ending a ledger: the one that follows needs another name")
	case kept < 0 || kept >= c.Size:
		return Ending{}, fmt.Errorf("ending a ledger of %d entries of which %d are left: nothing was lost", c.Size, kept)
	}
	text := fmt.Sprintf("%s%s%s %d\n", c.Text(), nextLedger, next.Verifier(), kept)
	signed, err := note.Sign(&note.Note{Text: text}, old.signer, next.signer)
	if err != nil {
		return Ending{}, fmt.Errorf("signing the end of a ledger: %w", err)
	}
	return Ending{Old: old.Verifier(), New: next.Verifier(), Kept: kept, Note: string(signed)}, nil
}

// Check returns the last checkpoint known of the ledger that ended, when both keys signed it and it
// says what the Ending says.
func (e Ending) Check() (Checkpoint, error) {
	origin, _, _ := strings.Cut(e.Old, "+")
	c, err := OpenCheckpoint(e.Note, origin, e.Old)
	if err == nil {
		_, err = OpenCheckpoint(e.Note, origin, e.New)
	}
	if err != nil {
		return Checkpoint{}, fmt.Errorf("end of the ledger of %s: %w", e.Old, err)
	}
	text, _, _ := strings.Cut(e.Note, "\n\n")
	lines := strings.Split(text, "\n")
	if want := nextLedger + e.New + " " + strconv.FormatInt(e.Kept, 10); len(lines) != 4 || lines[3] != want {
		return Checkpoint{}, fmt.Errorf("end of the ledger of %s: its checkpoint says something else", e.Old)
	}
	return c, nil
}
