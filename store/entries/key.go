package entries

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/landwaiter/landwaiter/store/ledger"
)

// Key reads the ledger's signing key from the file path, or makes one with the name origin and
// writes it there, durably and with mode 0600, when there is no file. It refuses a file that
// others may read. origin is the ledger's name, such as "landwaiter.example.org/ledger".
func Key(path, origin string) (*ledger.Key, error) {
	key, err := ReadKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if key, err = ledger.NewKey(origin); err != nil {
		return nil, err
	}
	err = writeWhole(path, []byte(key.Text()+"\n"), os.Link)
	if errors.Is(err, fs.ErrExist) {
		// Another process that starts at the same moment was first: its key counts.
		return ReadKey(path)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	if err != nil {
		return nil, fmt.Errorf("writing the ledger key: %w", err)
	}
	return key, nil
}

// ReadKey reads the ledger's signing key. It refuses a file that others may read.
func ReadKey(path string) (*ledger.Key, error) {
	stat, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading the ledger key: %w", err)
	}
	if stat.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("ledger key %s may be read by others (mode %04o): run chmod 600 on it", path, stat.Mode().Perm())
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the ledger key: %w", err)
	}
	key, err := ledger.ParseKey(string(content))
	if err != nil {
		return nil, fmt.Errorf("ledger key %s: %w", path, err)
	}
	return key, nil
}

// writeWhole writes a file of mode 0600 so that after a crash the path holds all of content
// or what it held before. put moves the finished file to path: os.Rename replaces what is
// there, os.Link fails with fs.ErrExist. Only after syncFolder it is certain to be content.
func writeWhole(path string, content []byte, put func(from, to string) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	// After os.Rename there is nothing left to remove, and after a fault the fault is told.
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return put(f.Name(), path)
}

// WriteFile writes a file of mode 0600 durably: the path holds all of content, or after a fault
// what it held before.
func WriteFile(path string, content []byte) error {
	if err := writeWhole(path, content, os.Rename); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

func syncFolder(folder string) error {
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
