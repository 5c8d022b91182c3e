package cage

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landwaiter/landwaiter/checks/inventory"
)

// systemTells are more that a child tries, on Linux.
var systemTells = map[string]func() string{
	"fork": func() string {
		_, _, errno := syscall.RawSyscall(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0)
		return said(errno)
	},
	"signal-parent": func() string { return said(syscall.Kill(os.Getppid(), 0)) },
	"read-key": func() string {
		text, err := os.ReadFile(v74Key)
		return said(err) + string(text)
	},
	"parents-memory": func() string {
		_, err := os.Open(fmt.Sprintf("/proc/%d/mem", os.Getppid()))
		return said(err)
	},
	"trace-parent": func() string { return said(unix.PtraceAttach(os.Getppid())) },
	"new-code": func() string {
		_, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_ANON|unix.MAP_PRIVATE)
		return said(err)
	},
	"raw-socket":  func() string { _, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0); return said(err) },
	"memory-file": func() string { _, err := unix.MemfdCreate("x", 0); return said(err) },
	"namespace":   func() string { return said(unix.Unshare(unix.CLONE_NEWUSER)) },
	"parents-limits": func() string {
		return said(unix.Prlimit(os.Getppid(), unix.RLIMIT_CORE, nil, &unix.Rlimit{}))
	},
	"larger-limit": func() string {
		err := unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: 1 << 40, Max: 1 << 40})
		return said(err)
	},
}

// v74Key stands for the key that signs summaries, at a place that a child could guess.
var v74Key = filepath.Join(os.TempDir(), fmt.Sprintf("landwaiter-v74-%d.key", os.Getuid()))

// TestV74Child: a child cannot read the key that signs summaries: not from its file, whatever
// its mode, nor out of its parent.
func TestV74Child(t *testing.T) {
	t.Parallel()
	if err := os.WriteFile(v74Key, []byte("canary-74"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(v74Key) })
	p := open(t, Config{file: time.Minute, wall: time.Minute})
	inv := p.Read(t.Context(), []inventory.File{file("read-key"), file("parents-memory"), file("trace-parent")})
	if len(inv.Manifests) != 3 {
		t.Fatalf("%d manifests", len(inv.Manifests))
	}
	for _, m := range inv.Manifests {
		if !strings.Contains(m.Gap, "operation not permitted") || strings.Contains(m.Gap, "canary") {
			t.Errorf("%s: %q", m.Path, m.Gap)
		}
	}
}

func said(err error) string {
	if err == nil || errors.Is(err, syscall.Errno(0)) {
		return "nothing held it back"
	}
	return err.Error()
}

// TestG20Calls lets a child try what a reader has no need of.
func TestG20Calls(t *testing.T) {
	t.Parallel()
	p := open(t, Config{file: time.Minute, wall: time.Minute})
	var files []inventory.File
	for name := range tells {
		files = append(files, file(name))
	}
	for name := range systemTells {
		if name == "larger-limit" && os.Geteuid() == 0 {
			continue // root may; the filter allows a process to set its own limits
		}
		files = append(files, file(name))
	}
	inv := p.Read(t.Context(), files)
	if len(inv.Manifests) != len(files) {
		t.Fatalf("%d manifests of %d", len(inv.Manifests), len(files))
	}
	for _, m := range inv.Manifests {
		switch name := filepath.Dir(m.Path); name {
		case "environ":
			if m.Gap != "nothing held it back" { // it looked, and found none
				t.Errorf("%s: %s", name, m.Gap)
			}
		case "resolve":
			if m.Gap == "nothing held it back" || m.Gap == "" {
				t.Errorf("%s: %q", name, m.Gap)
			}
		default:
			if !strings.Contains(m.Gap, "operation not permitted") {
				t.Errorf("%s: %q, want that it is not permitted", name, m.Gap)
			}
		}
	}
	if n := len(p.all); n != 1 {
		t.Errorf("%d children; one of them should have lived through it", n)
	}
}

// child returns the id of the one child of a pool that waits for a job.
func childID(t *testing.T, p *Pool) int {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) != 1 {
		t.Fatalf("%d children wait, want one", len(p.idle))
	}
	return p.idle[0].cmd.Process.Pid
}

// TestG14Environment: a child of a service that has secrets in its environment has none.
func TestG14Environment(t *testing.T) {
	const canary = "canary-5f1c"
	t.Setenv("LANDWAITER_GITHUB_WEBHOOK_SECRET", canary)
	t.Setenv("LANDWAITER_DATABASE_URL", "postgres://x:"+canary+"@db.example/x")
	p := open(t, Config{})
	wantWell(t, p)
	proc := fmt.Sprintf("/proc/%d/", childID(t, p))
	environ, err := os.ReadFile(proc + "environ")
	if err != nil {
		t.Fatal(err)
	}
	if len(environ) > 0 {
		t.Errorf("the environment is %q", environ)
	}
	if command, err := os.ReadFile(proc + "cmdline"); err != nil || strings.Contains(string(command), canary) {
		t.Errorf("the command is %q, %v", command, err)
	}
	if own, err := os.ReadFile("/proc/self/environ"); err != nil || len(own) == 0 {
		t.Errorf("the parent's environment cannot be read either: %v", err)
	}
	if folder, err := os.Readlink(proc + "cwd"); err != nil || folder != "/" {
		t.Errorf("stands in %q, %v", folder, err)
	}
}

// TestG15Descriptors: a child has its three pipes and what its own runtime made, even when the
// parent holds files that close not by themselves.
func TestG15Descriptors(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "app.pem")
	if err := os.WriteFile(secret, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Open(secret, unix.O_RDONLY, 0) // not O_CLOEXEC, as a parent's parent may leave it
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	p := open(t, Config{})
	wantWell(t, p)
	folder := fmt.Sprintf("/proc/%d/fd", childID(t, p))
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) < 3 {
		t.Errorf("%d open files; at least the pipes should be there", len(entries))
	}
	for _, e := range entries {
		target, err := os.Readlink(filepath.Join(folder, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		n, err := strconv.Atoi(e.Name())
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case n <= 2 && strings.HasPrefix(target, "pipe:"):
		case n > 2 && strings.HasPrefix(target, "anon_inode:[event"): // how Go waits
		case n > 2 && strings.HasPrefix(target, "/sys/fs/cgroup/"): // how Go counts processors
		default:
			t.Errorf("descriptor %d is %s", n, target)
		}
	}
}

// TestG20Limits reads from the system what a child may use.
func TestG20Limits(t *testing.T) {
	t.Parallel()
	p := open(t, Config{})
	wantWell(t, p)
	proc := fmt.Sprintf("/proc/%d/", childID(t, p))
	limits, err := os.ReadFile(proc + "limits")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for line := range strings.SplitSeq(string(limits), "\n") {
		if name, values, ok := strings.Cut(line, "  "); ok {
			if fields := strings.Fields(values); len(fields) >= 2 {
				rows[strings.TrimSpace(name)] = fields[1] // the hard limit
			}
		}
	}
	for name, want := range map[string]string{
		"Max data size": strconv.Itoa(512 << 20), "Max cpu time": strconv.Itoa(maxLifetime), "Max file size": "0",
		"Max core file size": "0", "Max open files": "16",
	} {
		if rows[name] != want {
			t.Errorf("%s is %q, want %s", name, rows[name], want)
		}
	}
	status, err := os.ReadFile(proc + "status")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"NoNewPrivs:\t1\n", "Seccomp:\t2\n"} {
		if !strings.Contains(string(status), want) {
			t.Errorf("the status lacks %q", want)
		}
	}
}

// TestG20Processor: the system ends a reader that takes too much processor time, and the
// parent says so. The limit is a second here; whole seconds are what the system counts.
func TestG20Processor(t *testing.T) {
	t.Parallel()
	p := open(t, Config{file: time.Minute, wall: time.Minute})
	wantWell(t, p)
	pid := childID(t, p)
	gap := make(chan string)
	go func() { gap <- readOne(t, p, file("spin")).Gap }()
	// The child sets its soft limit when it has the job; lower the hard one, which stays.
	if err := unix.Prlimit(pid, unix.RLIMIT_CPU, &unix.Rlimit{Cur: 1, Max: 1}, nil); err != nil {
		t.Fatal(err)
	}
	if got := <-gap; !strings.Contains(got, "processor time") && !strings.Contains(got, "the system ended its reader") {
		t.Errorf("gap %q", got)
	}
	wantWell(t, p)
}

// beParent is a parent that is killed while its child reads.
func beParent() {
	p := New(Config{Size: 1, as: hostileArgument, file: time.Minute, wall: time.Minute})
	p.Warm()
	fmt.Println(p.idle[0].cmd.Process.Pid)
	p.Read(context.Background(), []inventory.File{file("spin")}) // never comes back
}

// TestG20ParentDies: no child outlives its parent, not even one whose reader never ends.
func TestG20ParentDies(t *testing.T) {
	t.Parallel()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	if path == "" {
		path = "/proc/self/exe"
	}
	parent := exec.Command(path, "parent")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	child, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(child)
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // it was killed
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(child), Events: unix.POLLIN}}, 30_000)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n != 1 {
			t.Fatalf("the child lives on: %d, %v", n, err)
		}
		return
	}
}
