//go:build unix

package osv

import (
	"os"
	"syscall"
)

// mapFile maps the first size bytes of f into memory, shared with every process that has
// it open. The bytes must not be used after unmap.
func mapFile(f *os.File, size int) (data []byte, unmap func() error, err error) {
	data, err = syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, nil, err
	}
	return data, func() error { return syscall.Munmap(data) }, nil
}

// lockFile waits for the lock that keeps two processes from refreshing one index. Closing
// f, or the end of the process, gives it back.
func lockFile(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if err != syscall.EINTR {
			return err
		}
	}
}
