package app

import (
	"fmt"
	"time"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store"
)

// payloadRelease is what a release event says of its release; all else is read again.
type payloadRelease struct {
	ID int64 `json:"id"`
}

// onRelease judges a release. Every action leads to the same job, because the release is read
// again anyway: one that was deleted is found to be so. Only going back to draft, which our
// own gate causes, asks for nothing: the verdict stands, and publication asks again.
//
// The check cannot show "queued" here: the commit to show it on is not in the payload.
func (a *App) onRelease(d store.Delivery) ([]store.Job, error) {
	p, r, err := readPayloadOf(d)
	if err != nil {
		return nil, err
	}
	if p.Release == nil || p.Release.ID <= 0 {
		return nil, fmt.Errorf("%s %s has no release", d.Event, d.GUID)
	}
	if p.Action == "unpublished" {
		return nil, nil
	}
	s := subjectArgs{Repo: r, Kind: checks.KindRelease, ReleaseID: p.Release.ID}
	return []store.Job{a.judgeJob(s, d.Event+"."+p.Action)}, nil
}

// settling is what is remembered of a release whose assets are awaited.
type settling struct {
	Set    string    `json:"set"`    // the asset set last seen
	Since  time.Time `json:"since"`  // when it was first seen
	Began  time.Time `json:"began"`  // when the waiting began; zero when it has ended
	Judged string    `json:"judged"` // the asset set that the waiting ended with
	// Unsteady counts the times in a row that something could not be read.
	Unsteady int `json:"unsteady,omitempty"`
}

// settled is what a look found.
type settled struct {
	ready   bool
	until   time.Time // when to look again
	have    int       // assets that are whole
	want    int       // assets that are there or awaited
	missing []string  // patterns that Policy expects an asset for
}

// look says whether the assets of a release are all there: every expected asset exists, every
// upload is finished, and nothing changed for the settle window. After the longest wait they
// are judged as they are, and so is a set that was judged before. Uploads send no event, so
// nothing but looking again tells (GITHUB.md section 7).
func (was settling) look(rules checks.ReleaseRules, assets []releaseAsset, now time.Time) (settling, settled) {
	set := assetSet(assets, "") // a tag that moves needs no waiting
	is := was
	if was.Set != set {
		is = settling{Set: set, Since: now, Began: was.Began, Judged: was.Judged}
	}
	if is.Began.IsZero() {
		is.Began = now
	}
	var got settled
	var names []string
	for _, x := range assets {
		names = append(names, x.Name)
		if x.State == "uploaded" {
			got.have++
		}
	}
	got.missing = rules.MissingAssets(names)
	got.want = len(assets) + len(got.missing)
	calm, end := is.Since.Add(rules.SettleWindow), is.Began.Add(rules.MaxWait)
	whole := got.have == got.want && !now.Before(calm)
	if got.ready = whole || !now.Before(end) || set == was.Judged; got.ready {
		is.Began, is.Judged = time.Time{}, set
		return is, got
	}
	got.until = calm
	if got.have < got.want {
		got.until = now.Add(min(max(rules.SettleWindow, shortestLook), longestLook))
	}
	if end.Before(got.until) {
		got.until = end
	}
	return is, got
}

// The pause between two looks at a release whose assets are awaited is the settle window
// within these bounds.
const (
	shortestLook = time.Second
	longestLook  = time.Minute
)
