package cage

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/scanners/manifests"
	"github.com/landwaiter/landwaiter/scanners/manifests/goimports"
	"github.com/landwaiter/landwaiter/store/crash"
)

// job is the reading of one set of files, in one child after another if need be.
type job struct {
	files []inventory.File
	asked []int          // the files that are manifests, as numbers of files
	gaps  map[int]string // why a manifest was given up
	rest  string         // why what has no other Gap was not read; "" when all was
	found map[int]inventory.Manifest
}

func newJob(files []inventory.File) *job {
	j := &job{gaps: map[int]string{}, found: map[int]inventory.Manifest{}}
	seen := make(map[string]bool, len(files))
	total := 0
	for _, f := range files {
		if seen[f.Path] { // manifests.Read takes the first
			continue
		}
		seen[f.Path] = true
		if total+len(f.Data) > maxInput {
			f.Data, f.Problem = nil, fmt.Sprintf("is beyond the %d MiB of manifests that are read at once", maxInput>>20)
		}
		total += len(f.Data)
		if f.Link == "" && (manifests.Wanted(f.Path) || goimports.Wanted(f.Path)) {
			j.asked = append(j.asked, len(j.files))
		}
		j.files = append(j.files, f)
	}
	return j
}

// run reads the files. A child that dies names the manifest that it was reading; the others are
// read again without it, within the time of one job.
func (j *job) run(ctx context.Context, p *Pool) {
	if err := p.slot(ctx); err != nil {
		j.rest = "was not read: " + whyNot(err) + "; run the check again"
		return
	}
	defer func() { <-p.slots }()
	deadline := time.Now().Add(p.config.wall)
	nameless := 0 // deaths before any manifest was begun
	for round := 1; ; round++ {
		child, err := p.take()
		if err != nil {
			p.config.Log.Error("no reader of manifests", "error", err.Error())
			j.rest = "could not be read: " + whyNot(err) + "; run the check again"
			return
		}
		at, err := j.ask(ctx, p, child, deadline)
		if err == nil {
			p.keep(child)
			return
		}
		why := cause(child.why.Load())
		p.bury(child)
		if why == causeNone && !ended(err) {
			why = causeAnswer
		}
		died := causeOfDeath(child, why, p.config)
		p.config.Log.Warn("a reader of manifests failed", "cause", died, "error", err.Error(),
			"state", child.state.String(), "printed", firstLine(child.stderr.String()), "manifest", j.pathOf(at), "round", round)
		if at >= 0 {
			j.blame(at, died)
		} else {
			nameless++
		}
		j.rest = "was not read: other manifests of the change used up the time or the readers; run the check again"
		switch {
		case why == causeContext, why == causeClosed, nameless > 1:
			j.rest = "could not be read: " + died
			return
		case round >= maxRounds, time.Until(deadline) <= 0:
			return
		}
	}
}

// ended reports whether err says that the child is gone, and not that it said something wrong.
func ended(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, os.ErrClosed) || errors.Is(err, syscall.EPIPE)
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

func (j *job) pathOf(file int) string {
	if file < 0 {
		return ""
	}
	return j.files[file].Path
}

// blame gives a manifest up. As a companion of others it is like one that could not be fetched.
func (j *job) blame(file int, died string) {
	j.gaps[file] = "could not be read: " + died
	j.files[file].Data, j.files[file].Problem = nil, j.gaps[file]
}

// ask sends the files to the child and takes its answer. at is the file it was reading when it
// failed, -1 when none.
func (j *job) ask(ctx context.Context, p *Pool, child *process, deadline time.Time) (at int, err error) {
	started := time.Now()
	defer crash.After(crash.ChildEnd)
	late := time.AfterFunc(time.Until(deadline), func() { // until it begins a manifest it may be starting
		if time.Until(deadline) <= 0 {
			child.kill(causeWall)
			return
		}
		child.kill(causeFile)
	})
	unwanted := context.AfterFunc(ctx, func() { child.kill(causeContext) })
	defer func() {
		child.used += time.Since(started)
		// Either may have come at the very end of a good answer; then the child is dying.
		child.spoiled = !late.Stop() || !unwanted()
	}()
	at = -1
	if err := putJob(child.in, &child.jobs, j.files); err != nil {
		return at, fmt.Errorf("sending the files: %w", err)
	}
	if err := p.greet(child); err != nil {
		return at, err
	}
	for {
		kind, body, err := getFrame(child.out, maxAnswer)
		if err != nil {
			return at, fmt.Errorf("reading the answer: %w", err)
		}
		switch kind {
		case frameReads:
			n := binary.LittleEndian.Uint32(body)
			if uint64(n) >= uint64(len(j.files)) {
				return at, errFrame
			}
			at = int(n)
			late.Reset(min(p.config.file, time.Until(deadline)))
		case frameAnswer:
			crash.Before(crash.ChildEnd)
			return at, j.take(body)
		default:
			return at, errFrame
		}
	}
}

// greet reads what the child says before its first job.
func (p *Pool) greet(child *process) error {
	if child.greeted {
		return nil
	}
	kind, body, err := getFrame(child.out, maxAnswer)
	switch {
	case err != nil:
		return fmt.Errorf("waiting for the reader: %w", err)
	case kind != frameReady:
		return errFrame
	}
	child.greeted, child.missing = true, getReady(body)
	p.mu.Lock()
	tell := !p.told && len(child.missing) > 0
	p.complete, p.missing, p.told = true, child.missing, p.told || tell
	p.mu.Unlock()
	if tell {
		p.config.Log.Warn("the system does not offer all of the cage that manifests are read in", "missing", strings.Join(child.missing, "; "))
	}
	return nil
}

var errAnswer = errors.New("the answer is about other files than those asked for")

// take checks an answer and keeps it.
func (j *job) take(body []byte) error {
	asked := make(map[int]bool, len(j.asked))
	for _, i := range j.asked {
		asked[i] = true
	}
	found := make(map[int]inventory.Manifest, len(j.asked))
	err := getAnswer(body, len(j.files), func(file int, m inventory.Manifest) error {
		if !asked[file] {
			return errAnswer
		}
		delete(asked, file)
		found[file] = m
		return nil
	})
	switch {
	case err != nil:
		return fmt.Errorf("checking the answer: %w", err)
	case len(asked) > 0:
		return errAnswer
	}
	j.found, j.rest = found, ""
	return nil
}

// inventory returns what came of it: each manifest that was asked for, once.
func (j *job) inventory() inventory.Inventory {
	list := make([]inventory.Manifest, 0, len(j.asked))
	for _, i := range j.asked {
		m := j.found[i] // the zero Manifest when nothing was read
		m.Path, m.Digest, m.Format = j.files[i].Path, j.files[i].Digest, manifests.FormatName(j.files[i].Path)
		switch {
		case j.gaps[i] != "":
			m.Gap, m.Packages, m.Observations = j.gaps[i], nil, nil
		case j.rest != "":
			m.Gap, m.Packages, m.Observations = j.rest, nil, nil
		}
		list = append(list, m)
	}
	sortByPath(list)
	return inventory.Inventory{Manifests: list}
}
