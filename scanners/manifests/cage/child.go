package cage

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/checks/packed"
	"github.com/landwaiter/landwaiter/scanners/manifests"
	"github.com/landwaiter/landwaiter/scanners/manifests/goimports"
)

// The limits of a child.
const (
	maxMemory    = 512 << 20 // bytes of writable memory
	softMemory   = 384 << 20 // where the garbage collector begins to work harder
	maxStack     = 128 << 20 // bytes of one goroutine's stack
	maxThreads   = 64
	maxProcessor = 20 // seconds of processor time for a job
	// maxLifetime is how many seconds of processor time a child has in all: two processors for
	// maxUse, and a last job.
	maxLifetime = 2*30 + maxProcessor + 5
)

// How a child ends.
const (
	exitDone      = 0
	exitTalk      = 3 // the parent speaks another language; somebody runs it by hand
	exitProcessor = 7 // a job took too much processor time
)

// readFunc is manifests.ReadNoting.
type readFunc func(ctx context.Context, files []inventory.File, begin func(path string)) inventory.Inventory

// init makes the process a child when it was started to be one, before packages that a reader
// does not need are initialised: they take longer than most jobs.
func init() {
	if isChild(os.Args) {
		os.Exit(child())
	}
}

// child is the other end of Pool: it gives up what a reader does not need, reads jobs from
// standard input and answers on standard output until there are no more. It returns the exit code.
func child() int { return serve(os.Stdin, os.Stdout, readAll) }

// readAll reads manifests, and Go source for what it imports. A job has files of one kind; a
// submodule may be called like Go source.
func readAll(ctx context.Context, files []inventory.File, begin func(path string)) inventory.Inventory {
	if len(files) == 0 || files[0].Link != "" || !goimports.Wanted(files[0].Path) {
		return manifests.ReadNoting(ctx, files, begin)
	}
	var inv inventory.Inventory
	for i := range files {
		begin(files[i].Path)
		read := goimports.Read(ctx, files[i:i+1])
		inv.Manifests = append(inv.Manifests, read.Manifests...)
	}
	return inv
}

func serve(in, out *os.File, read readFunc) int {
	os.Clearenv() // it is empty already
	runtime.GOMAXPROCS(min(2, runtime.GOMAXPROCS(0)))
	debug.SetGCPercent(200)
	debug.SetMemoryLimit(softMemory)
	debug.SetMaxStack(maxStack)
	debug.SetMaxThreads(maxThreads)
	missing := strings.Join(confine(), "\n")
	missing = missing[:min(len(missing), maxReady)]
	if _, err := out.Write(append(putHead(frameReady, len(missing)), missing...)); err != nil {
		return exitTalk
	}
	answer := &packed.Writer{Clean: true}
	jobs := make(chan []inventory.File)
	go receive(in, jobs)
	for files := range jobs {
		if err := work(out, answer, files, read); err != nil {
			return exitTalk
		}
	}
	return exitDone
}

// receive hands over job after job. It keeps reading while one runs: the end of the parent must
// end the child whatever the reader is doing.
func receive(in io.Reader, jobs chan<- []inventory.File) {
	for {
		files, err := getJob(in)
		switch {
		case errors.Is(err, io.EOF):
			os.Exit(exitDone)
		case err != nil:
			fmt.Fprintln(os.Stderr, "landwaiter: this command is for landwaiter's own use:", err)
			os.Exit(exitTalk)
		}
		jobs <- files
	}
}

// work reads one job's files and answers.
func work(out io.Writer, answer *packed.Writer, files []inventory.File, read readFunc) error {
	allowProcessor()
	fileOf := make(map[string]int, len(files))
	size := 0
	for i, f := range files {
		fileOf[f.Path] = i
		size += len(f.Data)
	}
	var wrong error
	inv := read(context.Background(), files, func(path string) {
		note := binary.LittleEndian.AppendUint32(putHead(frameReads, 4), uint32(fileOf[path]))
		if _, err := out.Write(note); err != nil {
			wrong = err
		}
	})
	if wrong != nil {
		return wrong
	}
	answer.Reset()
	putInventory(answer, inv, fileOf, maxAnswer-4)
	if err := putAnswer(out, answer); err != nil {
		return err
	}
	if size > 4<<20 { // an idle child keeps nothing of a large job
		answer.Reset()
		clear(files)
		inv.Manifests = nil
		debug.FreeOSMemory()
	}
	return nil
}
