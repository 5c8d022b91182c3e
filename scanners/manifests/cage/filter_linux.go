//go:build amd64 || arm64

package cage

import (
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// allowed are the system calls that the Go runtime needs to read, compute and write. All others
// are refused with EPERM: to open or make a file or socket, to start or look into a process.
// The list is for Go 1.26; TestG20Calls and the tests of the cage fail when a later one needs
// more.
var allowed = []uintptr{
	unix.SYS_READ, unix.SYS_WRITE, unix.SYS_CLOSE, unix.SYS_PREAD64,
	unix.SYS_FUTEX, unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_CLOCK_GETTIME, unix.SYS_SCHED_YIELD,
	unix.SYS_MUNMAP, unix.SYS_MADVISE, unix.SYS_MINCORE, unix.SYS_BRK,
	unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_SIGALTSTACK, unix.SYS_RESTART_SYSCALL,
	unix.SYS_EPOLL_CREATE1, unix.SYS_EPOLL_CTL, unix.SYS_EPOLL_PWAIT, unix.SYS_EVENTFD2,
	unix.SYS_GETPID, unix.SYS_GETTID, unix.SYS_GETRUSAGE, unix.SYS_GETRANDOM, unix.SYS_SCHED_GETAFFINITY,
	unix.SYS_EXIT, unix.SYS_EXIT_GROUP,
	unix.SYS_SET_ROBUST_LIST, unix.SYS_RSEQ, // what the C library does for a new thread, in a build with cgo
}

// condition allows a call depending on the lower 32 bits of one argument; the upper half is not
// looked at, so each value must be one where it has no meaning.
type condition struct {
	call     uintptr
	argument int
	mask     uint32
	want     uint32 // the argument under the mask
}

// conditions are calls that are allowed only in part.
func conditions() []condition {
	return []condition{
		{unix.SYS_CLONE, 0, unix.CLONE_THREAD, unix.CLONE_THREAD}, // a thread, no process
		{unix.SYS_MMAP, 2, unix.PROT_EXEC, 0},                     // no new code
		{unix.SYS_MPROTECT, 2, unix.PROT_EXEC, 0},
		{unix.SYS_TGKILL, 0, ^uint32(0), uint32(os.Getpid())}, // signals to itself
		{unix.SYS_PRLIMIT64, 0, ^uint32(0), 0},                // its own limits, which only sink
		{unix.SYS_PRCTL, 0, ^uint32(0), unix.PR_SET_VMA},      // names of memory areas
	}
}

// Offsets in the kernel's struct seccomp_data, in bytes; its fields are little-endian here.
const (
	offsetCall      = 0
	offsetArch      = 4
	offsetArguments = 16
)

const (
	// clone3 keeps its flags where a filter cannot look. The C library uses clone where the
	// system does not have it.
	unknown = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	refuse  = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	// What uses another architecture's calls, such as 32-bit ones, is no Go program.
	kill = unix.SECCOMP_RET_KILL_PROCESS
)

// instructions returns the filter: a jump over each call's answer unless it is that call.
func instructions() []unix.SockFilter {
	load := func(offset uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
	}
	unless := func(value uint32, skip uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: value, Jf: skip}
	}
	answer := func(value uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: value}
	}
	p := []unix.SockFilter{
		load(offsetArch),
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: architecture, Jt: 1},
		answer(kill),
		load(offsetCall),
	}
	for _, call := range allowed {
		p = append(p, unless(uint32(call), 1), answer(unix.SECCOMP_RET_ALLOW))
	}
	p = append(p, unless(uint32(unix.SYS_CLONE3), 1), answer(unknown))
	for _, c := range conditions() {
		p = append(p,
			unless(uint32(c.call), 5),
			load(offsetArguments+8*uint32(c.argument)),
			unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: c.mask},
			unless(c.want, 1),
			answer(unix.SECCOMP_RET_ALLOW),
			answer(refuse),
		)
	}
	return append(p, answer(refuse))
}

// filter lets this process, with all its threads, make no other system calls, for good.
func filter() error {
	p := instructions()
	runtime.LockOSThread() // both calls are about this thread; the second spreads to all
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	code := unix.SockFprog{Len: uint16(len(p)), Filter: &p[0]}
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&code)))
	switch {
	case errno != 0:
		return errno
	case thread != 0:
		return fmt.Errorf("thread %d has another one", thread)
	}
	runtime.KeepAlive(p)
	return nil
}
