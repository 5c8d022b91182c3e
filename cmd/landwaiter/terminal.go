package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// wantsColour reports whether output on c may be coloured: it is a terminal, and neither
// the flag nor NO_COLOR (https://no-color.org) says otherwise.
func wantsColour(c *console, never bool) bool {
	if v, ok := c.env("NO_COLOR"); never || (ok && v != "") {
		return false
	}
	return isTerminal(c.out)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// progressAfter is how long work may last before it shows progress.
const progressAfter = 2 * time.Second

// progress shows on stderr what long work is doing: one line that is rewritten on a
// terminal, a line every ten seconds elsewhere. Work under two seconds shows nothing.
type progress struct {
	w        io.Writer
	terminal bool
	quiet    bool
	start    time.Time

	mu    sync.Mutex
	last  time.Time
	shown bool
}

func newProgress(c *console) *progress {
	return &progress{w: c.err, terminal: isTerminal(c.err), quiet: c.quiet, start: time.Now()}
}

// say shows what is being done. It may be called often and from several goroutines.
func (p *progress) say(format string, args ...any) {
	if p == nil || p.quiet {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now, every := time.Now(), 10*time.Second
	if p.terminal {
		every = 100 * time.Millisecond
	}
	if now.Sub(p.start) < progressAfter || now.Sub(p.last) < every {
		return
	}
	p.last, p.shown = now, true
	text := fmt.Sprintf(format, args...)
	if p.terminal {
		fmt.Fprintf(p.w, "\r\x1b[K%s (%ds)", text, int(now.Sub(p.start).Seconds()))
		return
	}
	fmt.Fprintf(p.w, "%s (%ds)\n", text, int(now.Sub(p.start).Seconds()))
}

// done removes the line from a terminal.
func (p *progress) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown && p.terminal {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
