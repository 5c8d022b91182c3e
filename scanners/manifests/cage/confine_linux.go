package cage

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// rootFolder is where a child stands.
const rootFolder = "/"

// attributes makes a child a group of its own, so that Ctrl-C is for the parent alone, and lets
// it end with the thread that started it.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// keepOwn makes sure that a child gets none of this process's open files, not even those that
// its own parent left open.
func keepOwn() {
	// Systems before Linux 5.11 lack it; there only what Go opened is known to be closed.
	_ = unix.CloseRange(3, ^uint(0), unix.CLOSE_RANGE_CLOEXEC)
}

// widen makes a pipe take what a usual job needs at once.
func widen(f *os.File) {
	if raw, err := f.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { // without it a job takes a little longer
			_, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, 1<<20)
		})
	}
}

// limits are the resource limits of a child. RLIMIT_AS is not among them: Go reserves more
// addresses than it uses. RLIMIT_NPROC neither: it counts the threads of all processes of the
// user, and the filter lets a child start none.
var limits = []struct {
	name     string
	resource int
	value    uint64
}{
	{"memory", unix.RLIMIT_DATA, dataLimit},
	{"processor time", unix.RLIMIT_CPU, maxLifetime},
	{"size of files", unix.RLIMIT_FSIZE, 0},
	{"open files", unix.RLIMIT_NOFILE, 16},
	{"core dumps", unix.RLIMIT_CORE, 0},
}

// confine gives up, for good, what a reader does not need. It returns what the system does not
// let it give up.
func confine() (missing []string) {
	overdrawn := make(chan os.Signal, 1)
	signal.Notify(overdrawn, unix.SIGXCPU)
	go func() {
		<-overdrawn
		os.Exit(exitProcessor)
	}()
	for _, l := range limits {
		if l.value == unlimited {
			missing = append(missing, "no limit of "+l.name+" in this build")
			continue
		}
		if err := unix.Setrlimit(l.resource, &unix.Rlimit{Cur: l.value, Max: l.value}); err != nil {
			missing = append(missing, fmt.Sprintf("no limit of %s: %v", l.name, err))
		}
	}
	if err := filter(); err != nil {
		missing = append(missing, fmt.Sprintf("no filter of system calls: %v", err))
	}
	return missing
}

const unlimited = ^uint64(0)

// allowProcessor gives the child maxProcessor seconds from now, within its lifetime.
func allowProcessor() {
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		return // the limit of the lifetime stays
	}
	soft := uint64(used.Utime.Sec+used.Stime.Sec) + 1 + maxProcessor
	// It fails only past the lifetime, which ends the child anyway.
	_ = unix.Setrlimit(unix.RLIMIT_CPU, &unix.Rlimit{Cur: min(soft, maxLifetime), Max: maxLifetime})
}

// endedByProcessor reports whether the system ended a child for its use of the processor.
func endedByProcessor(state *os.ProcessState) bool {
	return state.SystemTime()+state.UserTime() >= maxLifetime*1e9
}
