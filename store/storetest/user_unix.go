//go:build unix

package storetest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// server returns the user that runs the server when the tests run as root, which PostgreSQL
// refuses: "postgres", which Debian's package creates, or else "nobody". ok is false when the
// tests do not run as root.
func server() (uid, gid uint32, ok bool, err error) {
	if os.Geteuid() != 0 {
		return 0, 0, false, nil
	}
	var errs []error
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		id, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return 0, 0, false, err
		}
		group, err := strconv.ParseUint(u.Gid, 10, 32)
		return uint32(id), uint32(group), true, err
	}
	return 0, 0, false, fmt.Errorf("finding a user for PostgreSQL: %w", errors.Join(errs...))
}

// giveAway makes the folder the server's own.
func giveAway(folder string) error {
	uid, gid, ok, err := server()
	if err != nil || !ok {
		return err
	}
	return os.Chown(folder, int(uid), int(gid))
}

// asOther makes the command run as the server's user and end with this process.
func asOther(command *exec.Cmd) error {
	uid, gid, ok, err := server()
	if err != nil {
		return err
	}
	command.SysProcAttr = attributes()
	if ok {
		command.SysProcAttr.Credential = &syscall.Credential{Uid: uid, Gid: gid}
	}
	return nil
}
