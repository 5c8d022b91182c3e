//go:build unix && !linux

package storetest

import "syscall"

// attributes gives the server a process group of its own, so that a terminal's Ctrl-C does not
// end it before the tests.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
