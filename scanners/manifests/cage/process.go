package cage

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/landwaiter/landwaiter/checks/packed"
	"github.com/landwaiter/landwaiter/store/crash"
)

// cause is why the parent ended a child.
type cause int32

// The causes. The zero cause is that the parent did not.
const (
	causeNone    cause = iota
	causeFile          // one manifest took too long
	causeWall          // the job took too long
	causeContext       // nobody waits for the job any more
	causeAnswer        // what it answered is not an answer
	causeIdle          // nothing to do
	causeClosed        // the pool was closed
)

// process is one child. Between jobs it belongs to the pool, during a job to the job.
type process struct {
	cmd     *exec.Cmd
	in      *os.File      // jobs
	out     *bufio.Reader // answers
	stderr  *excerpt
	why     atomic.Int32  // the first cause of kill
	done    chan struct{} // closed after the child was waited for; then state may be read
	state   *os.ProcessState
	greeted bool          // it has said what holds
	missing []string      // what does not
	used    time.Duration // spent on jobs
	expiry  *time.Timer   // ends it when it is idle for long; nil before the first time
	spoiled bool          // it was told to end while it answered
	jobs    packed.Writer // what is sent with a job

	answers *os.File // what out reads from
	busy    bool     // a job reads out; guarded by Pool.mu
	ended   bool     // it was waited for; guarded by Pool.mu
}

var errClosed = errors.New("the pool of readers is closed")

// slot waits until one more child may work. The caller gives the slot back.
func (p *Pool) slot(ctx context.Context) error {
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-p.ended:
		return errClosed
	}
}

// take returns a child that waits for a job, or a new one. The caller has a slot, and gives the
// child to keep or bury.
func (p *Pool) take() (*process, error) {
	p.mu.Lock()
	for len(p.idle) > 0 {
		child := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		if child.expiry.Stop() && !child.ended {
			child.busy = true
			p.mu.Unlock()
			return child, nil
		}
	}
	p.mu.Unlock()
	return p.start()
}

// keep gives a child back to wait for the next job, or ends it when it was used for long.
func (p *Pool) keep(child *process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.release(child)
	if child.spoiled || p.closed || child.used > maxUse {
		child.kill(causeIdle)
		return
	}
	child.expiry = time.AfterFunc(p.config.idle, func() { p.expire(child) })
	p.idle = append(p.idle, child)
}

// bury ends a child that failed, unless it ended itself, and waits for its end.
func (p *Pool) bury(child *process) {
	child.kill(causeAnswer)
	<-child.done
	p.mu.Lock()
	defer p.mu.Unlock()
	p.release(child)
}

// release says that no job reads from the child any more. The caller holds p.mu.
func (p *Pool) release(child *process) {
	child.busy = false
	if child.ended {
		closeAll(child.answers)
	}
}

func (p *Pool) expire(child *process) {
	p.mu.Lock()
	p.idle = slices.DeleteFunc(p.idle, func(c *process) bool { return c == child })
	p.mu.Unlock()
	child.kill(causeIdle)
}

// start starts a child, as busy, and does not wait until it is ready.
func (p *Pool) start() (*process, error) {
	program, err := p.config.programPath()
	if err != nil {
		return nil, fmt.Errorf("finding the own program: %w", err)
	}
	jobs, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	out, answers, err := os.Pipe()
	if err != nil {
		jobs.Close()
		in.Close()
		return nil, err
	}
	widen(in)
	widen(out)
	child := &process{
		in: in, answers: out, out: bufio.NewReaderSize(out, 64<<10),
		stderr: new(excerpt), done: make(chan struct{}), busy: true,
	}
	child.cmd = &exec.Cmd{
		Path: program, Args: []string{os.Args[0], p.config.as},
		Env: []string{}, Dir: rootFolder, Stdin: jobs, Stdout: answers, Stderr: child.stderr,
		SysProcAttr: attributes(), WaitDelay: time.Second,
	}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		closeAll(jobs, answers, in, out)
		return nil, errClosed
	}
	p.living.Add(1)
	p.mu.Unlock()
	crash.Before(crash.ChildStart)
	started := make(chan error, 1)
	go p.attend(child, started, jobs, answers)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting the reader of manifests: %w", err)
	}
	crash.After(crash.ChildStart)
	return child, nil
}

// attend starts the child and waits for its end. Linux ends a child together with the thread
// that started it (PR_SET_PDEATHSIG), so the goroutine keeps its thread for as long.
func (p *Pool) attend(child *process, started chan<- error, jobs, answers *os.File) {
	defer p.living.Done()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	keepOwn()
	err := child.cmd.Start()
	closeAll(jobs, answers)
	if err != nil {
		closeAll(child.in, child.answers)
		started <- err
		return
	}
	p.mu.Lock()
	p.all[child] = true
	if p.closed {
		child.kill(causeClosed)
	}
	p.mu.Unlock()
	started <- nil
	_ = child.cmd.Wait() // how it ended is in the state
	child.state = child.cmd.ProcessState
	closeAll(child.in)
	p.mu.Lock()
	child.ended = true
	if !child.busy { // otherwise what it said last is still to be read
		closeAll(child.answers)
	}
	delete(p.all, child)
	p.mu.Unlock()
	close(child.done)
	p.config.Log.Debug("a reader of manifests ended", "state", child.state.String(), "printed", child.stderr.String())
}

// kill ends the child for that cause; a later cause changes nothing.
func (c *process) kill(why cause) {
	c.why.CompareAndSwap(int32(causeNone), int32(why))
	_ = c.cmd.Process.Kill() // fails only when it has ended already
}

func closeAll(files ...*os.File) {
	for _, f := range files {
		_ = f.Close() // a pipe loses nothing by closing
	}
}

// maxExcerpt is how much of what a child prints is kept, in bytes.
const maxExcerpt = 4 << 10

// excerpt keeps the beginning of what is written to it: Go says first why it dies.
type excerpt struct {
	mu   sync.Mutex
	text []byte
}

// Write never fails: a child must not wait for its own words.
func (e *excerpt) Write(b []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.text = append(e.text, b[:min(len(b), maxExcerpt-len(e.text))]...)
	return len(b), nil
}

// String returns what was kept.
func (e *excerpt) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return string(e.text)
}
