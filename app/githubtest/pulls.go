package githubtest

import (
	"fmt"
	"time"
)

// PullOptions describe a new pull request.
type PullOptions struct {
	// Head is the branch to merge; it must exist in the fork, or in the repository
	// when there is no fork.
	Head string
	// Base is the branch to merge into; "" means the default branch.
	Base string
	// Fork names the owner of the fork that holds Head; "" means the repository itself.
	// The fork is made when there is none, and Files are committed there.
	Fork string
	// Files are committed on Head first, when set.
	Files Files
	// Author is the user who opens it; "" means mona.
	Author string
	// Title and Body are texts; an empty Title is made up.
	Title, Body string
	// Draft opens it as a draft.
	Draft bool
}

// Pull is a pull request.
type Pull struct {
	g *GitHub
	r *Repo
	// Number is unique among the pull requests and issues of the repository.
	Number int

	id        int64
	author    *account
	title     string
	body      string
	state     string // "open" or "closed"
	draft     bool
	merged    bool
	headRepo  *Repo // nil when the fork was deleted
	headRef   string
	headSHA   string
	baseRef   string
	baseSHA   string
	created   time.Time
	updated   time.Time
	closed    time.Time
	headOwner *account
	landed    []string // commits that merging put on the base branch
	mergedBy  *account
	reviews   []*review
	thread    *Issue // holds the comments, nil until the first
}

// OpenPull opens a pull request and makes refs/pull/N/head.
func (r *Repo) OpenPull(o PullOptions) *Pull {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	if o.Author == "" {
		o.Author = "mona"
	}
	if o.Base == "" {
		o.Base = r.defaultBranch
	}
	head := r
	if o.Fork != "" {
		head = r.fork(o.Fork)
	}
	author := r.g.account(o.Author, "User")
	r.lastNumber++
	if o.Title == "" {
		o.Title = fmt.Sprintf("Change %d", r.lastNumber)
	}
	if len(o.Files) > 0 {
		head.commitOn(o.Head, author, o.Title, "", o.Files)
	}
	p := &Pull{
		g: r.g, r: r, Number: r.lastNumber, id: r.g.id(), author: author, title: o.Title, body: o.Body,
		state: "open", draft: o.Draft, headRepo: head, headOwner: head.owner, headRef: o.Head,
		headSHA: head.mustCommit(head.refs["refs/heads/"+o.Head]).SHA,
		baseRef: o.Base, baseSHA: r.mustCommit(r.refs["refs/heads/"+o.Base]).SHA,
		created: r.g.now(), updated: r.g.now(),
	}
	r.pulls[p.Number] = p
	r.refs[p.ref()] = p.headSHA
	r.g.emit(p.event("opened", author, nil))
	return p
}

func (p *Pull) ref() string { return fmt.Sprintf("refs/pull/%d/head", p.Number) }

// follow moves the head after a push.
func (p *Pull) follow(sha string, by *account) {
	before := p.headSHA
	p.headSHA, p.updated = sha, p.g.now()
	p.baseSHA = p.r.refs["refs/heads/"+p.baseRef]
	p.r.refs[p.ref()] = sha
	p.g.emit(p.event("synchronize", by, object{"before": before, "after": sha}))
}

// Push commits files on the head branch, wherever it is, and returns the new head.
func (p *Pull) Push(files Files) string {
	p.g.mu.Lock()
	defer p.g.mu.Unlock()
	return p.headRepo.commitOn(p.headRef, p.author, "Change "+p.headRef, "", files)
}

// HeadSHA is the newest commit of the head.
func (p *Pull) HeadSHA() string {
	p.g.mu.Lock()
	defer p.g.mu.Unlock()
	return p.headSHA
}

// BaseSHA is the tip of the base branch when the head last moved.
func (p *Pull) BaseSHA() string {
	p.g.mu.Lock()
	defer p.g.mu.Unlock()
	return p.baseSHA
}

// Close closes the pull request without merging it.
func (p *Pull) Close() {
	p.g.mu.Lock()
	defer p.g.mu.Unlock()
	p.state, p.closed, p.updated = "closed", p.g.now(), p.g.now()
	p.g.emit(p.event("closed", p.author, nil))
}

// Reopen opens a closed pull request again.
func (p *Pull) Reopen() {
	p.g.mu.Lock()
	defer p.g.mu.Unlock()
	p.state, p.closed, p.updated = "open", time.Time{}, p.g.now()
	p.g.emit(p.event("reopened", p.author, nil))
}

// SetDraft turns it into a draft, or says that it is ready for review.
func (p *Pull) SetDraft(draft bool) {
	p.g.mu.Lock()
	defer p.g.mu.Unlock()
	p.draft, p.updated = draft, p.g.now()
	action := "ready_for_review"
	if draft {
		action = "converted_to_draft"
	}
	p.g.emit(p.event(action, p.author, nil))
}

// SetBase changes the branch to merge into, which sends "edited".
func (p *Pull) SetBase(branch string) {
	p.g.mu.Lock()
	defer p.g.mu.Unlock()
	changes := object{"base": object{"ref": object{"from": p.baseRef}, "sha": object{"from": p.baseSHA}}}
	p.baseRef, p.updated = branch, p.g.now()
	p.baseSHA = p.r.mustCommit(p.r.refs["refs/heads/"+branch]).SHA
	p.g.emit(p.event("edited", p.author, object{"changes": changes}))
}

// SetTitle changes the title, which sends "edited".
func (p *Pull) SetTitle(title string) {
	p.g.mu.Lock()
	defer p.g.mu.Unlock()
	changes := object{"title": object{"from": p.title}}
	p.title, p.updated = title, p.g.now()
	p.g.emit(p.event("edited", p.author, object{"changes": changes}))
}

// DeleteFork forgets the head repository, as when its owner deletes it. The commits stay
// readable through refs/pull/N/head.
func (p *Pull) DeleteFork() {
	p.g.mu.Lock()
	defer p.g.mu.Unlock()
	if p.headRepo == nil || p.headRepo == p.r {
		return
	}
	delete(p.g.repos, p.headRepo.id)
	p.headRepo = nil
}
