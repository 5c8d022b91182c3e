package storetest

import "syscall"

// attributes makes the kernel interrupt the server when the test process dies without having
// stopped it. A process group of its own keeps a terminal's Ctrl-C from ending it first.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGINT, Setpgid: true}
}
