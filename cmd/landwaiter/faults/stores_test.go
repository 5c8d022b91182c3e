//go:build linux

package faults

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	_ "modernc.org/sqlite" // the driver named "sqlite", for a stranger who holds the lock

	"github.com/landwaiter/landwaiter/store/storetest"
)

// refusedOnce waits until a webhook was answered 503: not stored, and said so.
func (w *world) refusedOnce() {
	w.t.Helper()
	before := len(w.github.Deliveries())
	w.until("a webhook is refused", func() bool {
		for _, d := range w.github.Deliveries()[before:] {
			if d.StatusCode == 503 {
				return true
			}
		}
		return false
	})
}

// limitFiles bounds the size of every file that the service writes, as a full disk does; its
// writes fail from then on. unix.RLIM_INFINITY takes the bound away.
func (w *world) limitFiles(bytes uint64) {
	w.t.Helper()
	for _, r := range w.replicas {
		limit := unix.Rlimit{Cur: bytes, Max: unix.RLIM_INFINITY}
		if err := unix.Prlimit(r.command.Process.Pid, unix.RLIMIT_FSIZE, &limit, nil); err != nil {
			w.t.Fatalf("bounding the files of the service: %v", err)
		}
	}
}

// TestFilesCannotGrow lets every write of the database fail in the middle of work: webhooks are
// refused and asked for again, and what was begun is finished once there is room.
func TestFilesCannotGrow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sqlite", 1)
	for range 3 {
		violation(w)
		w.limitFiles(1)
		violation(w)
		w.refusedOnce()
		w.limitFiles(unix.RLIM_INFINITY)
		w.fault = "files cannot grow"
		w.rest()
	}
}

// onTmpfs mounts a small file system for the data of a world, and skips the test where that is
// not allowed. flags changes the mount later.
func onTmpfs(t *testing.T) (folder string, remount func(flags uintptr)) {
	t.Helper()
	folder = t.TempDir()
	if err := unix.Mount("tmpfs", folder, "tmpfs", 0, "size=48m"); err != nil {
		t.Skipf("needs the right to mount a file system (root): %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(folder, unix.MNT_DETACH); err != nil {
			t.Errorf("unmounting: %v", err)
		}
	})
	return folder, func(flags uintptr) {
		t.Helper()
		if err := unix.Mount("tmpfs", folder, "tmpfs", unix.MS_REMOUNT|flags, "size=48m"); err != nil {
			t.Fatalf("mounting again: %v", err)
		}
	}
}

// fill takes all the room there is, and returns what gives it back.
func fill(t *testing.T, folder string) (free func()) {
	t.Helper()
	ballast := filepath.Join(folder, "ballast")
	f, err := os.Create(ballast)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; size /= 16 {
		chunk := make([]byte, size)
		for {
			if _, err := f.Write(chunk); err != nil {
				break
			}
		}
	}
	return func() {
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDiskFull fills the disk, lets the service be killed and started on the full disk, and makes
// room again.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	folder, _ := onTmpfs(t)
	w := bareWorldIn(t, folder, 1)
	w.begin()
	for _, killed := range []bool{false, true} {
		violation(w)
		free := fill(t, folder)
		violation(w)
		w.refusedOnce()
		if killed {
			w.replicas[0].kill()
			w.restart() // it may refuse to start: there is no room even for what it must write then
		}
		free()
		w.restart()
		w.fault = "disk full"
		w.rest()
	}
}

// TestReadOnlyDisk starts the service on a file system that cannot be written: it refuses, says
// what is wrong, and goes on as before once it can.
func TestReadOnlyDisk(t *testing.T) {
	t.Parallel()
	folder, remount := onTmpfs(t)
	w := bareWorldIn(t, folder, 1)
	w.begin()
	violation(w)
	w.rest()
	w.replicas[0].stop()
	remount(unix.MS_RDONLY)
	violation(w)
	w.restart()
	if r := w.replicas[0]; r.alive() || r.command.ProcessState.ExitCode() != 2 {
		t.Errorf("the service ended with %v, want exit code 2", r.command.ProcessState)
	}
	if said := w.log.tail(1); !strings.Contains(said, "LANDWAITER_") {
		t.Errorf("it says %q, want the setting that names the file", said)
	}
	remount(0)
	w.restart()
	w.fault = "disk read-only at start"
	w.rest()
}

// TestLockHeld holds the lock of the database for longer than anybody waits for it.
func TestLockHeld(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sqlite", 1)
	violation(w)
	stranger, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(w.url, "sqlite:")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	lock, err := stranger.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	violation(w)
	w.heldUp()
	w.pass(8 * time.Second) // with the 5 that the balancer waits: longer than the service's 10
	if _, err := lock.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	w.fault = "lock held past the timeout"
	w.rest()
}

// heldUp waits until a webhook failed: refused by the service, or given up by GitHub, which waits
// for 10 seconds, as the service does for the lock.
func (w *world) heldUp() {
	w.t.Helper()
	before := len(w.github.Deliveries())
	w.until("a webhook fails", func() bool {
		for _, d := range w.github.Deliveries()[before:] {
			if d.StatusCode < 200 || d.StatusCode > 299 {
				return true
			}
		}
		return false
	})
}

// TestPostgresStoppedHard ends the database in the middle of work and starts it again, with two
// replicas of the service, which stay up.
func TestPostgresStoppedHard(t *testing.T) {
	t.Parallel()
	server := storetest.OwnServer(t)
	w := bareWorldOn(t, server.URL(), 2)
	w.begin()
	for n := range 4 {
		violation(w)
		w.pass(time.Duration(100+150*n) * time.Millisecond)
		server.Crash(t)
		violation(w)
		if n%2 == 1 {
			w.heldUp()
		}
		server.Restart(t)
		w.fault = "PostgreSQL stopped hard"
		w.rest()
		for i, r := range w.replicas {
			if !r.alive() {
				t.Errorf("replica %d ended: %v", i, r.command.ProcessState)
			}
		}
	}
}

// TestConnectionsCut cuts all connections to PostgreSQL again and again while work is done: a
// commit may have happened or not when its answer is lost.
func TestConnectionsCut(t *testing.T) {
	t.Parallel()
	server := storetest.OwnServer(t)
	w := bareWorldOn(t, server.URL(), 2)
	w.begin()
	cut := 0
	for n := range 12 {
		violation(w)
		failing(w)
		for range 3 {
			w.pass(time.Duration(20+30*n) * time.Millisecond)
			cut += server.Cut(t, "landwaiter")
		}
		w.fault = "connections to PostgreSQL cut"
		w.rest()
	}
	if cut < 12 {
		t.Errorf("%d connections were cut, want at least one each time", cut)
	}
}

// TestOlderBackup puts an older copy of the database in the place of the newer: the service
// refuses to go on from there, because its checkpoint outside is ahead, and says so. With the
// newer one back it goes on.
func TestOlderBackup(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sqlite", 1)
	file := strings.TrimPrefix(w.url, "sqlite:")
	violation(w)
	w.rest()
	w.replicas[0].stop()
	older := readFile(t, file)
	w.restart()
	violation(w)
	w.rest()
	w.replicas[0].stop()
	newer := readFile(t, file)
	writeFile(t, file, older)
	w.restart()
	if r := w.replicas[0]; r.alive() || r.command.ProcessState.ExitCode() != 2 {
		t.Fatalf("the service goes on from an older backup: %v", r.command.ProcessState)
	}
	if said := w.log.tail(3); !strings.Contains(said, "an older copy was restored") {
		t.Errorf("it says %q, want that an older copy was restored", said)
	}
	writeFile(t, file, newer)
	w.restart()
	w.fault = "older backup refused, newer one put back"
	violation(w)
	w.rest()
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// writeFile puts b in the place of a database at rest, which has no WAL.
func writeFile(t *testing.T, name string, b []byte) {
	t.Helper()
	for _, beside := range []string{"-wal", "-shm"} {
		if err := os.Remove(name + beside); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
