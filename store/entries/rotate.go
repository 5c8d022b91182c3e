package entries

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/landwaiter/landwaiter/store/engine"
	"github.com/landwaiter/landwaiter/store/ledger"
)

// ErrKeyRotated says that the ledger was passed on to another key than this process has: it
// must be started again with the new key, or a rotation that was interrupted be finished.
var ErrKeyRotated = errors.New("the ledger's key was rotated: start again with the new key, or run 'landwaiter ledger rotate-key' again when it was interrupted")

// maxRotations bounds the file of rotations in bytes; one takes about 700.
const maxRotations = 1 << 20

// retired is a key of the past: it counts up to the size at which it was replaced.
type retired struct {
	verifier string
	size     int64
}

// retire reads the rotations that led to the first of verifiers, or to next when it is not nil.
// A rotation that does not is an error: its keys would be believed for nothing.
func retire(rotations []ledger.Rotation, verifiers []string, next *ledger.Key) ([]retired, error) {
	if len(verifiers) == 0 {
		return nil, nil // nothing will be verified
	}
	var list []retired
	for _, r := range rotations {
		c, err := r.Check()
		if err != nil {
			return nil, err
		}
		newest, err := ledger.Successor(r.Old, rotations)
		if err != nil {
			return nil, err
		}
		if newest != verifiers[0] && (next == nil || newest != next.Verifier()) {
			return nil, fmt.Errorf("rotations lead to the key %s: %w", newest, ErrKeyRotated)
		}
		list = append(list, retired{r.Old, c.Size})
	}
	return list, nil
}

// verifiersFor returns the public keys whose checkpoints of that size are accepted.
func (k *Keeper) verifiersFor(size int64) []string {
	list := k.verifiers[:len(k.verifiers):len(k.verifiers)]
	for _, r := range k.retired {
		if size <= r.size && !slices.Contains(list, r.verifier) {
			list = append(list, r.verifier)
		}
	}
	return list
}

// openAny checks a checkpoint whose size is not known from elsewhere.
func (k *Keeper) openAny(signed string) (ledger.Checkpoint, error) {
	c, err := ledger.OpenCheckpoint(signed, k.origin, k.verifiersFor(0)...)
	if err != nil || len(k.retired) == 0 {
		return c, err
	}
	return ledger.OpenCheckpoint(signed, k.origin, k.verifiersFor(c.Size)...)
}

// checkSuccession returns ErrKeyRotated when a checkpoint passes the ledger on to a key that
// this process does not have.
func (k *Keeper) checkSuccession(signed string) error {
	switch heir := ledger.NextKey(signed); {
	case heir == "", k.key != nil && heir == k.key.Verifier(), k.next != nil && heir == k.next.Verifier():
		return nil
	}
	return ErrKeyRotated
}

// Rotate passes the ledger on to the next key: the newest checkpoint becomes one that names it
// and that both keys signed. From then on this Keeper, and all with the old key, refuse to
// append. Doing it again returns the same rotation.
func (k *Keeper) Rotate(ctx context.Context) (ledger.Rotation, error) {
	var r ledger.Rotation
	err := k.db.Change(ctx, func(t *engine.Tx) error {
		if err := t.Lock(writerLock); err != nil {
			return fmt.Errorf("locking the ledger: %w", err)
		}
		c, signed, err := k.look(t)
		if err != nil {
			return err
		}
		if ledger.NextKey(signed) == k.next.Verifier() {
			r = ledger.Rotation{Old: k.key.Verifier(), New: k.next.Verifier(), Note: signed}
			_, err := r.Check()
			return err
		}
		if _, err := k.frontierOf(t, c); err != nil {
			return err
		}
		if r, err = ledger.Rotate(c, k.key, k.next); err != nil {
			return err
		}
		_, err = t.Exec(`UPDATE ledger_checkpoint SET note = $1 WHERE size = $2`, r.Note, c.Size)
		return err
	})
	if err != nil {
		return ledger.Rotation{}, fmt.Errorf("rotating the ledger's key: %w", err)
	}
	return r, nil
}

// ReadRotations reads the file of rotations; without a file there were none.
func ReadRotations(path string) ([]ledger.Rotation, error) {
	stat, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && stat.Size() > maxRotations {
		err = fmt.Errorf("it is over %d bytes", maxRotations)
	}
	var content []byte
	if err == nil {
		content, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the rotations of the ledger's key: %w", err)
	}
	return ParseRotations(content)
}

// ParseRotations reads the bytes of a file of rotations. It does not check them.
func ParseRotations(b []byte) ([]ledger.Rotation, error) {
	var list []ledger.Rotation
	if err := json.Unmarshal(b, &list); err != nil {
		return nil, fmt.Errorf("reading the rotations of the ledger's key: %w", err)
	}
	return list, nil
}

// FormatRotations returns the bytes of a file of rotations.
func FormatRotations(list []ledger.Rotation) ([]byte, error) {
	if list == nil {
		list = []ledger.Rotation{}
	}
	b, err := json.MarshalIndent(list, "", "  ")
	return append(b, '\n'), err
}

// SaveRotations writes the file of rotations durably.
func SaveRotations(path string, list []ledger.Rotation) error {
	b, err := FormatRotations(list)
	if err == nil {
		err = WriteFile(path, b)
	}
	if err != nil {
		return fmt.Errorf("writing the rotations of the ledger's key: %w", err)
	}
	return nil
}

// ReplaceKey makes the key file next the one at path, durably. The old private key is gone then.
func ReplaceKey(next, path string) error {
	err := os.Rename(next, path)
	if err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("replacing the ledger key: %w", err)
	}
	return nil
}
