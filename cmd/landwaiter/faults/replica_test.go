package faults

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// hurry divides the times of the service that are not GitHub's: a lease lasts 0.6 s instead of
// 60 s, a sweep comes every 6 s.
const hurry = "100"

// patience is how long a test waits for what must come, before it gives up.
const patience = 90 * time.Second

// replica is one process of the service.
type replica struct {
	command *exec.Cmd
	listen  string        // host:port
	ended   chan struct{} // closed when it has ended; then command.ProcessState may be read
}

// logBuffer keeps what all processes wrote, for the test of canaries and for people.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b.WriteString(line + "\n")
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// tail returns the last n lines.
func (l *logBuffer) tail(n int) string {
	lines := strings.Split(strings.TrimSpace(l.String()), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// start starts a replica and waits until it listens, or has ended.
func start(t testing.TB, program string, env []string, log *logBuffer) *replica {
	t.Helper()
	r := &replica{command: exec.Command(program, "serve"), ended: make(chan struct{})}
	r.command.Env = env
	// A test that dies takes it along.
	r.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := r.command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.command.Start(); err != nil {
		t.Fatalf("starting the service: %v", err)
	}
	ready := make(chan string, 1)
	go func() {
		follow(out, ready, log)
		_ = r.command.Wait() // how it ended is in its state
		close(r.ended)
	}()
	select {
	case r.listen = <-ready:
	case <-r.ended:
	case <-time.After(patience):
		t.Fatalf("the service does not start:\n%s", log.tail(20))
	}
	return r
}

// follow copies the log and tells once where the service listens.
func follow(out io.Reader, ready chan<- string, log *logBuffer) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		log.add(lines.Text())
		var said struct{ Msg, Listen string }
		if json.Unmarshal(lines.Bytes(), &said) == nil && said.Listen != "" {
			select {
			case ready <- said.Listen:
			default:
			}
		}
	}
}

// alive reports whether the process runs, frozen or not.
func (r *replica) alive() bool {
	select {
	case <-r.ended:
		return false
	default:
		return true
	}
}

// kill ends it as the kernel does when memory is short.
func (r *replica) kill() {
	r.signal(syscall.SIGKILL)
	<-r.ended
}

// stop asks it to end and waits; what does not end is killed.
func (r *replica) stop() {
	r.signal(syscall.SIGTERM)
	select {
	case <-r.ended:
	case <-time.After(patience):
		r.kill()
	}
}

// signal sends s; a process that has ended does not mind.
func (r *replica) signal(s os.Signal) { _ = r.command.Process.Signal(s) }

// killed reports whether SIGKILL ended it.
func (r *replica) killed() bool {
	status, ok := r.command.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// routes returns the routes of GitHub that the replica has called, as its metric names them.
func (r *replica) routes(t testing.TB) map[string]bool {
	t.Helper()
	resp, err := http.Get("http://" + r.listen + "/metrics")
	if err != nil {
		t.Fatalf("reading the metrics: %v", err)
	}
	defer resp.Body.Close()
	all := map[string]bool{}
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if _, rest, ok := strings.Cut(lines.Text(), `route="`); ok && strings.HasPrefix(lines.Text(), "landwaiter_github_requests_total") {
			route, _, _ := strings.Cut(rest, `"`)
			all[route] = true
		}
	}
	return all
}
