package invarianttest

import (
	"fmt"
	"strings"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store"
	"github.com/landwaiter/landwaiter/store/ledger"
)

// acknowledged is I1.
func acknowledged(_ World, f *facts) []string {
	var wrong []string
	seen := map[string]bool{}
	for _, d := range f.sent {
		// "Nothing to do" is an answer as well: the event is not in the table.
		if d.StatusCode < 200 || d.StatusCode > 299 || strings.HasPrefix(d.Response, "Nothing to do") || seen[d.GUID] {
			continue
		}
		seen[d.GUID] = true
		kept, ok := f.kept[d.GUID]
		switch {
		case !ok:
			wrong = append(wrong, fmt.Sprintf("delivery %s (%s.%s) was answered %d and is not kept", d.GUID, d.Event, d.Action, d.StatusCode))
		case kept.State == store.DeliveryWaiting:
			wrong = append(wrong, fmt.Sprintf("delivery %s (%s.%s) still waits: %s", d.GUID, d.Event, d.Action, kept.LastError))
		case kept.State == store.DeliveryBuried && kept.LastError == "":
			wrong = append(wrong, fmt.Sprintf("delivery %s (%s.%s) is buried without a cause", d.GUID, d.Event, d.Action))
		}
	}
	return wrong
}

// oneEntry is I7.
func oneEntry(_ World, f *facts) []string {
	var wrong []string
	if f.tampered != nil {
		wrong = append(wrong, f.tampered.Error())
	}
	seen := map[string]int{}
	reports := 0
	for i, leaf := range f.leaves {
		revision := fmt.Sprintf("generation %d of %s", leaf.Generation, leaf.Key)
		if leaf.Summarises != nil {
			revision = "summaries of " + revision
		} else {
			reports++
		}
		if first, twice := seen[revision]; twice {
			wrong = append(wrong, fmt.Sprintf("entries %d and %d are both %s", first, i, revision))
		}
		seen[revision] = i
	}
	if reports != len(f.reports) {
		wrong = append(wrong, fmt.Sprintf("%d entries of reports and %d reports", reports, len(f.reports)))
	}
	return wrong
}

// Watcher is somebody outside who keeps every checkpoint that was ever seen.
type Watcher struct {
	seen map[int64]ledger.Checkpoint
}

// consistent is I8. The watcher proves each checkpoint that it knows against the newest.
func consistent(w World, f *facts) []string {
	watcher := w.Watcher
	if watcher == nil {
		watcher = &Watcher{}
	}
	if watcher.seen == nil {
		watcher.seen = map[int64]ledger.Checkpoint{}
	}
	var wrong []string
	if known, ok := watcher.seen[f.head.Size]; ok && known.Root != f.head.Root {
		wrong = append(wrong, fmt.Sprintf("two roots for size %d: %s and %s", f.head.Size, known.Root, f.head.Root))
	}
	for size, older := range watcher.seen {
		if size > f.head.Size {
			wrong = append(wrong, fmt.Sprintf("the ledger has %d entries, and a checkpoint of %d was seen", f.head.Size, size))
			continue
		}
		proof, err := f.proof(size, f.head.Size)
		if err == nil {
			err = ledger.VerifyConsistency(older, f.head, proof)
		}
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("the tree of size %d does not begin with that of size %d: %v", f.head.Size, size, err))
		}
	}
	if len(wrong) == 0 {
		watcher.seen[f.head.Size] = f.head
	}
	return wrong
}

// passedOnly is I10: no signed summary goes out that has no entry, and each entry of summaries names
// the entry of a Pass.
func passedOnly(_ World, f *facts) []string {
	var wrong []string
	for i, leaf := range f.leaves {
		if leaf.Summarises == nil {
			continue
		}
		r := f.report(*leaf.Summarises)
		if r == nil || r.Key != leaf.Key || r.Generation != leaf.Generation || r.Report.Verdict != checks.Pass {
			wrong = append(wrong, fmt.Sprintf("entry %d is of a signed PASSED for %s, and entry %d is no Pass of it", i, leaf.Key, *leaf.Summarises))
		}
	}
	return wrong
}

// noOldGeneration is I14: a worker whose lease is lost would record or show an older generation
// after a newer one.
func noOldGeneration(_ World, f *facts) []string {
	var wrong []string
	last := map[string]int64{}
	for _, r := range f.reports {
		if r.Generation <= last[r.Key] {
			wrong = append(wrong, fmt.Sprintf("entry %d is generation %d of %s, after generation %d", r.LedgerIndex, r.Generation, r.Key, last[r.Key]))
		}
		last[r.Key] = r.Generation
		if r.Generation > f.newest[r.Key] {
			wrong = append(wrong, fmt.Sprintf("entry %d is generation %d of %s, whose newest is %d", r.LedgerIndex, r.Generation, r.Key, f.newest[r.Key]))
		}
	}
	for key, s := range f.shown {
		if s.Generation > f.newest[key] {
			wrong = append(wrong, fmt.Sprintf("generation %d of %s is shown, whose newest is %d", s.Generation, key, f.newest[key]))
		}
	}
	return wrong
}

// clockSteps are the steps that begin again for ever.
var clockSteps = map[string]bool{"catch-up": true, "sweep": true, "backfill": true}

// emptied is I16.
func emptied(w World, f *facts) []string {
	var wrong []string
	for _, q := range f.queue {
		if n := q.Ready + q.Later + q.Running; n > 0 && !clockSteps[q.Step] {
			wrong = append(wrong, fmt.Sprintf("%d jobs of step %s are not done", n, q.Step))
		}
	}
	for _, j := range f.buried {
		if w.MayBury == nil || !w.MayBury(j) {
			wrong = append(wrong, fmt.Sprintf("job %s of %s was buried: %s", j.Step, j.Key, j.LastError))
		}
	}
	return wrong
}
