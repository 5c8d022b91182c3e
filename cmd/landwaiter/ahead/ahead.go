// Package ahead starts the reader of manifests before the rest of the program is initialised.
//
// Go initialises packages one after the other, and those of the libraries for signatures and
// metrics take longer than reading a lock file. Started here, which is as soon as package cage
// is ready, the child gets ready on another processor meanwhile.
package ahead

import (
	"os"
	"strings"

	"github.com/landwaiter/landwaiter/scanners/manifests/cage"
)

// readers is the pool of a command that will read manifests, nil for others.
var readers *cage.Pool

func init() {
	if wanted(os.Args) {
		readers = cage.New(cage.Config{})
		readers.Warm()
	}
}

// wanted reports whether the command is scan. A wrong guess costs one process, which ends
// with this one.
func wanted(args []string) bool {
	for _, a := range args[min(1, len(args)):] {
		if !strings.HasPrefix(a, "-") {
			return a == "scan"
		}
	}
	return false
}

// Readers returns a pool of readers, of which one is started already. The caller closes it.
func Readers() *cage.Pool {
	pool := readers
	if readers = nil; pool == nil {
		pool = cage.New(cage.Config{})
		pool.Warm()
	}
	return pool
}
