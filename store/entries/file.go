package entries

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"github.com/landwaiter/landwaiter/store/crash"
	"github.com/landwaiter/landwaiter/store/engine"
)

// checkpointFile keeps the newest checkpoint outside the database, where restoring or changing
// the database does not reach it.
type checkpointFile struct {
	path string // "": kept nowhere
	// sizeOf returns the size in a checkpoint of ours, -1 for any other text.
	sizeOf func(signed string) int64

	mu     sync.Mutex
	size   int64 // of the checkpoint that this process wrote; -1: none yet
	wanted int64 // of the newest checkpoint that should be in the file; -1: none yet
}

// save writes the checkpoint unless a newer one is there. After a power loss an older one may
// be in the file, which is as good: the ledger must continue it all the same.
func (f *checkpointFile) save(size int64, signed string) error {
	if f.path == "" {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wanted = max(f.wanted, size)
	if size <= f.size {
		return nil
	}
	if err := writeWhole(f.path, []byte(signed), f.putUnlessNewer(size)); err != nil {
		return fmt.Errorf("keeping the checkpoint of size %d outside the database: %w", size, err)
	}
	f.size = size
	return nil
}

// putUnlessNewer returns os.Rename for a checkpoint of that size, which does nothing when another
// process has written a newer one meanwhile. Between its look and the renaming there are
// microseconds; a file that is behind by that is no worse than after a power loss.
func (f *checkpointFile) putUnlessNewer(size int64) func(from, to string) error {
	return func(from, to string) error {
		if signed, err := f.read(); err == nil && f.sizeOf(signed) > size {
			return nil
		}
		crash.Before(crash.CheckpointFile)
		err := os.Rename(from, to)
		crash.After(crash.CheckpointFile)
		return err
	}
}

// read returns the signed text in the file, or engine.ErrNotFound.
func (f *checkpointFile) read() (string, error) {
	if f.path == "" {
		return "", engine.ErrNotFound
	}
	content, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", engine.ErrNotFound
	}
	if err != nil {
		return "", fmt.Errorf("reading the checkpoint file: %w", err)
	}
	return string(content), nil
}

// behind is how many entries the file lacks because it could not be written.
func (f *checkpointFile) behind() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.wanted - f.size
}

// KeepOutside writes a committed checkpoint to the file, unless a newer one is there. When it
// fails the ledger is no worse: the next one writes the file again, and Behind shows the gap.
func (k *Keeper) KeepOutside(size int64, signed string) error { return k.outside.save(size, signed) }

// Behind is how many entries the file lacks because it could not be written.
func (k *Keeper) Behind() int64 { return k.outside.behind() }
