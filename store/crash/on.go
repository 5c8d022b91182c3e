//go:build faults

package crash

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Before is called before the effect at p.
func Before(p Point) { reach("before", p) }

// After is called after the effect at p.
func After(p Point) {
	if p == Answer {
		// net/http sends the answer after the handler has returned.
		time.AfterFunc(50*time.Millisecond, func() { reach("after", p) })
		return
	}
	reach("after", p)
}

// BeforeCall is called before a request is sent to GitHub.
func BeforeCall(route string) { reach("before", CallName(route)) }

// AfterCall is called when its answer has begun to arrive, or did not.
func AfterCall(route string) { reach("after", CallName(route)) }

// Hurry shortens waiting in tests: d divided by the number in HurryVariable.
func Hurry(d time.Duration) time.Duration {
	if n, err := strconv.Atoi(os.Getenv(HurryVariable)); err == nil && n > 0 {
		return d / time.Duration(n)
	}
	return d
}

// passes counts how often the armed point was reached by this process.
var passes struct {
	mu    sync.Mutex
	armed string
	n     int
}

// reach kills the process when the point is the armed one and was reached often enough.
func reach(when string, p Point) {
	file := os.Getenv(Variable)
	if file == "" {
		return
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return // nothing is armed
	}
	times, point, ok := strings.Cut(strings.TrimSpace(string(text)), " ")
	if !ok || point != when+" "+string(p) {
		return
	}
	n, err := strconv.Atoi(times)
	if err != nil {
		panic(fmt.Sprintf("%s holds %q", file, text))
	}
	passes.mu.Lock()
	defer passes.mu.Unlock()
	if passes.armed != string(text) {
		passes.armed, passes.n = string(text), 0
	}
	if passes.n++; passes.n < n {
		return
	}
	if os.Remove(file) != nil {
		return // another process was faster
	}
	// It cannot fail: the process is our own.
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}
