//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package engine

import (
	"errors"
	"os"
)

// lockFile has no lock to take on this system. Who wants the database alone is refused, since
// nothing could tell whether the service runs.
func lockFile(_ *os.File, exclusive bool) error {
	if exclusive {
		return errors.New("this system has no file locks that tell whether the service runs; do it on Linux, macOS or a BSD")
	}
	return nil
}
