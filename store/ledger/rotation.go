package ledger

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// nextKey begins the extension line of a checkpoint that names the key that follows.
const nextKey = "next-key "

// Rotation is the passing of the ledger from one key to the next: a checkpoint that names the
// next key and is signed by both. Who trusts the old key can trust the new one by it, and knows
// from which size on the old one counts no more.
type Rotation struct {
	Old  string `json:"old"` // public keys, in Key.Verifier's form
	New  string `json:"new"`
	Note string `json:"note"` // the checkpoint
}

// Rotate signs the checkpoint c with both keys and names next in it. Both are keys of c.Origin.
func Rotate(c Checkpoint, old, next *Key) (Rotation, error) {
	if old.Verifier() == next.Verifier() {
		return Rotation{}, errors.New("rotating a ledger key: the new key is the old one")
	}
	if old.Origin() != c.Origin || next.Origin() != c.Origin {
		return Rotation{}, fmt.Errorf("rotating a ledger key: a checkpoint of %q, keys of %q and %q", c.Origin, old.Origin(), next.Origin())
	}
	signed, err := note.Sign(&note.Note{Text: c.Text() + nextKey + next.Verifier() + "\n"}, old.signer, next.signer)
	if err != nil {
		return Rotation{}, fmt.Errorf("signing the rotation at size %d: %w", c.Size, err)
	}
	return Rotation{Old: old.Verifier(), New: next.Verifier(), Note: string(signed)}, nil
}

// Check returns the checkpoint of the rotation when both keys signed it and it names the new
// one.
func (r Rotation) Check() (Checkpoint, error) {
	origin, _, _ := strings.Cut(r.Old, "+")
	c, err := OpenCheckpoint(r.Note, origin, r.Old)
	if err == nil {
		_, err = OpenCheckpoint(r.Note, origin, r.New)
	}
	if err != nil {
		return Checkpoint{}, fmt.Errorf("rotation from %s to %s: %w", r.Old, r.New, err)
	}
	if got := NextKey(r.Note); got != r.New {
		return Checkpoint{}, fmt.Errorf("rotation from %s: its checkpoint names %q as the next key, not %s", r.Old, got, r.New)
	}
	return c, nil
}

// NextKey returns the public key that a signed checkpoint names as the next one, or "". It does
// not check signatures.
func NextKey(signed string) string {
	text, _, _ := strings.Cut(signed, "\n\n")
	for i, line := range strings.Split(text, "\n") {
		if key, ok := strings.CutPrefix(line, nextKey); ok && i > 2 {
			return key
		}
	}
	return ""
}

// Successor follows rotations from key and returns the newest key that it leads to: key itself
// when there is none. A rotation that is not signed as it should be is an error.
func Successor(key string, rotations []Rotation) (string, error) {
	seen := []string{key}
	for {
		i := slices.IndexFunc(rotations, func(r Rotation) bool { return r.Old == key })
		if i < 0 {
			return key, nil
		}
		if _, err := rotations[i].Check(); err != nil {
			return "", err
		}
		key = rotations[i].New
		if slices.Contains(seen, key) {
			return "", fmt.Errorf("rotations lead back to the key %s", key)
		}
		seen = append(seen, key)
	}
}
