// Package cage reads the manifests of strangers in child processes of the same binary
// (THREATS.md G20, G14, G15). A child has no environment, no network, no files and no way to
// start a program, and it is bounded in memory, processor time, time and output. A parser that
// a file makes run forever, eat memory or crash takes its child with it and nothing else: the
// manifest comes out with a Gap, and the next job finds a fresh child.
//
// The package owns the processes (process.go), what they give up before they read anything
// (confine_linux.go, filter_linux.go), the bytes between parent and child (wire.go, frame.go)
// and what is made of a child that dies (job.go). It must never believe a child: paths,
// digests and formats are the parent's own, and the rest of an answer is checked.
//
// A program that imports the package is its own child: it needs nothing in main.
//
// Start with Pool.Read, then read child, which is its other end.
package cage

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/landwaiter/landwaiter/checks/inventory"
)

// argument is the only argument of a process that is to be a child.
const argument = "caged-reader"

// isChild reports whether the process was started to be a child.
func isChild(args []string) bool { return len(args) == 2 && args[1] == argument }

// The limits of one job. Those of the child are in confine_linux.go.
const (
	// maxWall is how long one job may take in all, with what is tried again.
	maxWall = 30 * time.Second
	// maxFileWall is how long one manifest may take, so that the time of a job suffices to read
	// the others without it. It is more than manifests lets the library take.
	maxFileWall = 12 * time.Second
	// maxRounds is how often one job is tried, without the manifest that ended the last child.
	maxRounds = 5
	// maxInput is how many bytes of files one job may have; the service reads no more of a change.
	maxInput = 64 << 20
	// maxAnswer is how many bytes a child may answer. 250,000 packages take about 40 MiB.
	maxAnswer = 64 << 20

	// A child is replaced after so much time spent on jobs, so that its own limit of processor
	// time, which can only sink, stays above what a job may take.
	maxUse = 30 * time.Second
	// idleTime is how long a child without work is kept.
	idleTime = 5 * time.Minute
)

// Config says how to run children. The zero Config is the usual one.
type Config struct {
	Size int          // children at most; 0 means one for each processor that Go uses
	Log  *slog.Logger // what children print (at debug), why they died, and what does not hold; nil means nowhere

	program string        // what to start instead of this binary
	as      string        // its argument instead of argument
	wall    time.Duration // instead of maxWall
	file    time.Duration // instead of maxFileWall
	idle    time.Duration // instead of idleTime
}

// Pool is a number of children that are started when needed and kept for the next job. Its
// methods may be called by many at once.
type Pool struct {
	config Config
	slots  chan struct{} // one token for each child that may work
	ended  chan struct{} // closed by Close
	living sync.WaitGroup

	mu       sync.Mutex
	idle     []*process // the last one was used last; guarded by mu
	all      map[*process]bool
	closed   bool
	told     bool     // what does not hold was logged
	complete bool     // a child has said what holds
	missing  []string // what does not hold, as the last child said
}

// New returns a Pool without children. The caller closes it.
func New(c Config) *Pool {
	if c.Size <= 0 {
		c.Size = runtime.GOMAXPROCS(0)
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.as == "" {
		c.as = argument
	}
	if c.wall == 0 {
		c.wall = maxWall
	}
	if c.file == 0 {
		c.file = maxFileWall
	}
	if c.idle == 0 {
		c.idle = idleTime
	}
	return &Pool{config: c, slots: make(chan struct{}, c.Size), ended: make(chan struct{}), all: map[*process]bool{}}
}

// Warm starts a child unless one is waiting, so that the first job finds it running. It does
// not wait for it. A child that cannot be started is told by the job that needs it.
func (p *Pool) Warm() {
	p.mu.Lock()
	waiting := len(p.idle)
	p.mu.Unlock()
	if waiting > 0 {
		return
	}
	if child, err := p.start(); err == nil {
		p.keep(child)
	}
}

// Missing returns what the children lack of the cage, in words, because the system does not
// offer it; none when all holds. It asks a child, which takes as long as starting one.
func (p *Pool) Missing(ctx context.Context) ([]string, error) {
	p.mu.Lock()
	known, missing := p.complete, p.missing
	p.mu.Unlock()
	if known {
		return missing, nil
	}
	if err := p.slot(ctx); err != nil {
		return nil, err
	}
	defer func() { <-p.slots }()
	child, err := p.take()
	if err != nil {
		return nil, err
	}
	limit := time.AfterFunc(p.config.file, func() { child.kill(causeFile) })
	defer limit.Stop()
	if err := p.greet(child); err != nil {
		p.bury(child)
		return nil, fmt.Errorf("starting the reader of manifests: %w", err)
	}
	p.keep(child)
	return child.missing, nil
}

// Read is manifests.Read in a child. What a child does not survive comes out as a Gap of the
// manifest that it was reading; the others are read again without it.
func (p *Pool) Read(ctx context.Context, files []inventory.File) inventory.Inventory {
	j := newJob(files)
	if len(j.asked) == 0 {
		return inventory.Inventory{}
	}
	j.run(ctx, p)
	return j.inventory()
}

// Close ends all children and waits for their end. Jobs that are under way end with Gaps.
func (p *Pool) Close() {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		close(p.ended)
	}
	for _, child := range p.idle {
		child.expiry.Stop()
	}
	p.idle = nil
	for child := range p.all {
		child.kill(causeClosed)
	}
	p.mu.Unlock()
	p.living.Wait()
}

// programPath is what to start. On Linux it is the very file that this process runs, even
// when another version lies in its place by now.
func (c *Config) programPath() (string, error) {
	if c.program != "" {
		return c.program, nil
	}
	if self := "/proc/self/exe"; runtime.GOOS == "linux" {
		if _, err := os.Stat(self); err == nil {
			return self, nil
		}
	}
	return os.Executable()
}
