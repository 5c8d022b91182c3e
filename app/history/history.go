// Package history reads from GitHub what package duties judges: the commits of a release that
// no release before had, the pull requests that brought them in, and who approved those.
//
// It asks for nothing that no rule needs, and it is bounded: what is beyond a bound is a Problem
// of the Facts, which makes the rules unknown. It follows git's own links where they prove
// something (a merge names the head it merged) and asks GitHub where they do not (squash,
// rebase). Names and addresses in commits are never looked at (THREATS G09).
//
// Start reading at Reader.Read.
package history

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/landwaiter/landwaiter/checks/duties"
)

// The bounds of one release. Releases of busy projects hold some hundred commits; all these are
// our choice, such that the calls of one release stay below a tenth of the hourly limit.
const (
	maxCommits = 1000 // commits of a range, 100 a call
	maxAsked   = 300  // commits of which the pull request is asked for, one call each
	maxPulls   = 150  // pull requests, up to two calls each
	maxPeople  = 50   // reviewers whose role is asked for, one call each
	maxBases   = 5    // earlier releases that are compared with, one call each
	maxLooked  = 10   // protected branches that are compared with, one call each
	maxReviews = 10   // pages of reviews of one pull request
	perPage    = 100
	// width is how many calls are under way at once. The App's own limits hold besides.
	width = 8
)

// longAgo is how old a release without a record of ours has to be to count as one before:
// younger ones may just be waiting for their verdict, and would lend what nobody looked at.
// Every release is judged within a day, the longest releases.settle.max_wait.
const longAgo = 24 * time.Hour

// ErrMissing says that GitHub does not have what was asked for (404).
var ErrMissing = errors.New("not found")

// Refused says that GitHub does not let the App see something, and why, in words for people.
type Refused struct{ Why string }

func (r *Refused) Error() string { return r.Why }

// Reader reads from one repository. All fields are needed.
type Reader struct {
	// Get asks for a path below the repository, with a query, and reads the JSON answer into v.
	// more says that there is a next page. Its errors are ErrMissing, a *Refused, or, for what
	// may pass, others, which end the reading.
	Get func(ctx context.Context, path string, v any) (more bool, err error)
	// TagCommit returns the commit that a tag points at, "" when there is none.
	TagCommit func(ctx context.Context, tag string) (string, error)
	// Judged returns what is on record of a release. Without a record it is the zero Past.
	Judged func(ctx context.Context, release int64) (Past, error)
	// Passed reports whether the newest record of ours on a pull request at head is a Pass.
	Passed func(ctx context.Context, pull int, head string) (bool, error)
	// RunOf returns the pull request that a check run of ours is about, by its external id.
	RunOf func(externalID, head string) (pull int, ok bool)

	AppID         int64 // our own App
	RepositoryID  int64
	DefaultBranch string
	Rules         duties.Rules
	Now           time.Time
}

// Past is what is on record of a release.
type Past struct {
	Commit string // that it was judged at
	// Open says that what came into it broke a rule, or could not be told. Then it is not one
	// that later releases may start from.
	Open bool
}

// Release is the release to read about.
type Release struct {
	ID        int64
	Tag       string
	Commit    string    // full name
	Published time.Time // zero for a draft
	Releaser  duties.Person
}

// Read reads what the rules need to know of a release.
func (r *Reader) Read(ctx context.Context, rel Release) (*duties.Facts, error) {
	f := &duties.Facts{Head: rel.Commit, Releaser: rel.Releaser}
	if !r.Rules.Asked() {
		return f, nil
	}
	if rel.Commit == "" {
		f.Problem = "the commit of the release is not known"
		f.Branch.Problem = f.Problem
		return f, nil
	}
	counts, err := r.branch(ctx, f)
	if err != nil {
		return nil, err
	}
	if !r.Rules.AsksCommits() {
		return f, nil
	}
	commits, err := r.commits(ctx, f, rel)
	if why := missing(err); why != "" {
		f.Problem = why
		return f, nil
	}
	if err != nil {
		return nil, err
	}
	if f.Problem != "" {
		return f, nil
	}
	return f, r.changes(ctx, f, commits, counts)
}

// changes fills in the commits and the pull requests of f.
func (r *Reader) changes(ctx context.Context, f *duties.Facts, commits []commit, counts map[string]bool) error {
	w := newWalk(commits)
	if r.Rules.AsksPulls() {
		if err := r.attribute(ctx, w, f.Head, counts, f.Branch.Name); err != nil {
			return err
		}
	}
	f.Commits, f.Pulls = w.facts()
	if len(f.Pulls) > maxPulls {
		f.Problem = fmt.Sprintf("%d pull requests were merged, at most %d are looked at; set releases.duties.since to a commit up to which you looked yourself", len(f.Pulls), maxPulls)
		f.Commits, f.Pulls = nil, nil
		return nil
	}
	return r.pulls(ctx, f)
}

// missing says in words why something is not known when err says that GitHub has it not, or does
// not show it. It is "" for nil and for faults that may pass.
func missing(err error) string {
	var refused *Refused
	switch {
	case errors.As(err, &refused):
		return refused.Why
	case errors.Is(err, ErrMissing):
		return strings.TrimSuffix(err.Error(), ": "+ErrMissing.Error()) + ": GitHub does not have it"
	}
	return ""
}

// all reads all pages of a list, up to bound entries. over says that there were more.
func all[T any](ctx context.Context, r *Reader, path string, pages int) (list []T, over bool, err error) {
	glue := "?"
	if strings.Contains(path, "?") {
		glue = "&"
	}
	for page := 1; page <= pages; page++ {
		var part []T
		more, err := r.Get(ctx, fmt.Sprintf("%s%sper_page=%d&page=%d", path, glue, perPage, page), &part)
		if err != nil {
			return nil, false, err
		}
		list = append(list, part...)
		if !more {
			return list, false, nil
		}
	}
	return list, true, nil
}
