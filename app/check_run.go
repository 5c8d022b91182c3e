package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/landwaiter/landwaiter/checks/output"
	"github.com/landwaiter/landwaiter/store"
)

// annotationBatch is how many annotations one request may carry (GITHUB.md section 2).
const annotationBatch = 50

// The marks of what a check run shows, beside a Report's "".
const (
	markQueued     = "queued"
	markDraft      = "draft"
	markSuperseded = "superseded"
	markFailed     = "failed"
	markWaiting    = "waiting"
)

// showing is something to show on a check run.
type showing struct {
	run        output.CheckRun
	mark       string
	generation int64
	since      time.Time // when the work that led here began
}

func (w showing) done() bool { return w.run.Status == "completed" }

// digest names all that is shown, notes the annotations alone.
func (w showing) digest() string { return digestOf(w.run) }
func (w showing) notes() string {
	if len(w.run.Annotations) == 0 {
		return ""
	}
	return digestOf(w.run.Annotations)
}

func digestOf(v any) string {
	sum := sha256.Sum256(encode(v))
	return hex.EncodeToString(sum[:])
}

// runState is what is known of a Subject's newest check run: Publication.State in JSON.
type runState struct {
	Run    string `json:"run"`  // external id
	Head   string `json:"head"` // the commit it stands on
	Mark   string `json:"mark,omitempty"`
	Done   bool   `json:"done,omitempty"`
	Digest string `json:"digest,omitempty"` // of what is shown
	Notes  string `json:"notes,omitempty"`  // digest of its annotations, "" without
	Sent   int    `json:"sent,omitempty"`   // how many annotations the run carries
	// Begun says that a request was about to be sent whose answer is not known: look first.
	Begun bool `json:"begun,omitempty"`
}

// publishCheck shows a Report on the Subject's check run.
func (a *App) publishCheck(ctx context.Context, c *installation, s subjectArgs, r store.StoredReport) error {
	if r.Report.Subject.Commit != "" {
		s.Commit = r.Report.Subject.Commit
	}
	unheld, err := a.unheld(ctx, r)
	if err != nil {
		return err
	}
	run := output.ForCheck(r.Report, output.Options{
		DetailsURL: a.detailsURL(s), LedgerIndex: r.LedgerIndex, Checkpoint: r.Checkpoint, Unheld: unheld,
	})
	if run, err = a.withTwins(ctx, c, s, run); err != nil {
		return err
	}
	return a.show(ctx, c, s, showing{run: run, generation: r.Generation, since: r.Report.Time})
}

// show brings the Subject's check run to w, opening one when there is none, or when the one
// there is must not be written to any more. What is already shown costs no call.
//
// The intention to write is stored before every request that must not happen twice: after a
// lost answer the next attempt finds it and looks on GitHub first.
func (a *App) show(ctx context.Context, c *installation, s subjectArgs, w showing) error {
	if s.Commit == "" {
		return nil // a draft release without a commit has no place for a check
	}
	pub, prior, err := a.shown(ctx, s)
	if err != nil {
		return err
	}
	run := chooseRun(s, w, pub, prior)
	switch {
	case pub.Generation > w.generation:
		return nil // a newer one shows already
	case prior.Mark == markSuperseded && prior.Done && w.generation <= pub.Generation:
		return nil // the head was left before this came about
	case w.mark == markSuperseded && (prior.Run == "" || prior.Done):
		return nil // nothing is open
	case run == prior.Run && w.mark == markQueued && (prior.Done || pub.RemoteID != 0 && !prior.Begun):
		return nil // something is shown that a verdict will replace
	case run == prior.Run && pub.RemoteID != 0 && !prior.Begun && prior.Digest == w.digest():
		return nil
	}
	if run != prior.Run {
		if err := c.concludeOpen(ctx, s, pub.RemoteID, prior); err != nil {
			return err
		}
		pub.RemoteID, prior = 0, runState{}
	}
	pub.Generation = w.generation
	next := runState{
		Run: run, Head: s.Commit, Mark: w.mark, Done: w.done(), Digest: w.digest(), Notes: w.notes(), Sent: prior.Sent, Begun: true,
	}
	if err := a.saveShown(ctx, pub, next); err != nil {
		return err
	}
	pub.RemoteID, next.Sent, err = c.write(ctx, s, w, pub.RemoteID, prior, run)
	if err != nil {
		return err
	}
	next.Begun = false
	if err := a.saveShown(ctx, pub, next); err != nil {
		return err
	}
	a.metrics.shown(phase(w), w.run.Conclusion, a.now().Sub(w.since))
	return nil
}

func phase(w showing) string {
	if w.done() {
		return "verdict"
	}
	return "first"
}

// chooseRun returns the external id of the check run to write to.
func chooseRun(s subjectArgs, w showing, pub store.Publication, prior runState) string {
	switch {
	case s.Rerun:
		return s.runID(s.Cause)
	case prior.Run == "":
		return s.runID("")
	case prior.Head != s.Commit:
		return s.runID(prior.Run) // a tag moved: the check stands on another commit
	case prior.Done && (prior.Mark == markDraft || prior.Mark == markSuperseded) && w.mark != prior.Mark && w.generation > pub.Generation:
		// skipped and cancelled must not turn into a verdict unseen: a required check would
		// have been satisfied meanwhile.
		return s.runID(prior.Run)
	case (prior.Sent > 0 || prior.Begun && prior.Notes != "") && prior.Notes != w.notes() && w.mark != markQueued && w.generation > pub.Generation:
		return s.runID(prior.Run) // annotations cannot be taken back
	}
	return prior.Run
}

// shown returns what is known of the Subject's check run; zero when there is none.
func (a *App) shown(ctx context.Context, s subjectArgs) (store.Publication, runState, error) {
	pub, err := a.store.Publication(ctx, surfaceCheck, s.key())
	if errors.Is(err, store.ErrNotFound) {
		return store.Publication{Surface: surfaceCheck, Key: s.key()}, runState{}, nil
	}
	if err != nil {
		return pub, runState{}, fmt.Errorf("reading what is shown of %s: %w", s.key(), err)
	}
	var prior runState
	if err := json.Unmarshal([]byte(pub.State), &prior); err != nil {
		return pub, runState{}, fmt.Errorf("reading what is shown of %s: %w", s.key(), err)
	}
	return pub, prior, nil
}

func (a *App) saveShown(ctx context.Context, pub store.Publication, st runState) error {
	pub.State = string(encode(st))
	if err := a.store.SavePublication(ctx, pub); err != nil {
		return fmt.Errorf("storing what is shown of %s: %w", pub.Key, err)
	}
	return nil
}

// write creates or updates the run and returns its number and how many annotations it has.
func (c *installation) write(ctx context.Context, s subjectArgs, w showing, id int64, prior runState, run string) (int64, int, error) {
	sent := prior.Sent // the run has these very annotations: chooseRun saw to it
	if prior.Begun {
		found, err := c.findRun(ctx, s, run)
		if err != nil {
			return 0, 0, err
		}
		if id = found.GetID(); id == 0 && w.mark == markSuperseded {
			return 0, 0, nil // nothing came to be: nothing to conclude
		}
		sent = found.GetOutput().GetAnnotationsCount()
		if prior.Digest == w.digest() && found.GetStatus() == w.run.Status && found.GetConclusion() == w.run.Conclusion && sent == len(w.run.Annotations) {
			return id, sent, nil
		}
	}
	for first := true; first || sent < len(w.run.Annotations); first = false {
		batch := w.run.Annotations[min(sent, len(w.run.Annotations)):]
		batch = batch[:min(len(batch), annotationBatch)]
		var err error
		if id == 0 {
			id, err = c.createRun(ctx, s, w, run, batch)
		} else {
			err = c.updateRun(ctx, s, w, id, batch)
		}
		if err != nil {
			return 0, 0, err
		}
		sent += len(batch)
	}
	return id, sent, nil
}

// concludeOpen ends a run that gives way to a new one of the same Subject.
func (c *installation) concludeOpen(ctx context.Context, s subjectArgs, id int64, prior runState) error {
	if prior.Run == "" || prior.Done && !prior.Begun {
		return nil
	}
	s.Commit = prior.Head
	if id == 0 {
		found, err := c.findRun(ctx, s, prior.Run)
		if err != nil {
			return err
		}
		if id = found.GetID(); id == 0 {
			return nil
		}
	}
	ended := showing{run: output.CheckRun{
		Name: s.check(), Status: "completed", Conclusion: "cancelled", Title: "Superseded by a newer run",
		Summary: "A newer run of this check is on the same commit.",
	}}
	return c.updateRun(ctx, s, ended, id, nil)
}
