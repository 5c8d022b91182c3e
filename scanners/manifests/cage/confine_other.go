//go:build !linux

package cage

import (
	"os"
	"syscall"
)

// rootFolder is where a child stands: where its parent does.
const rootFolder = ""

func attributes() *syscall.SysProcAttr { return nil }

func keepOwn() {} // Go opens files for itself alone

func widen(*os.File) {}

// confine can do nothing here. A child still is a process of its own that is ended in time.
func confine() (missing []string) {
	return []string{"no limits of memory and processor time, no filter of system calls: they need Linux"}
}

func allowProcessor() {}

func endedByProcessor(*os.ProcessState) bool { return false }
