//go:build !unix

package osv

import (
	"io"
	"os"
)

// mapFile reads f: without mmap each process has its own copy.
func mapFile(f *os.File, size int) (data []byte, unmap func() error, err error) {
	data = make([]byte, size)
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, nil, err
	}
	return data, func() error { return nil }, nil
}

// lockFile does nothing: on such systems only one process may refresh an index.
func lockFile(*os.File) error { return nil }
