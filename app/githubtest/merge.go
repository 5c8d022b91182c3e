package githubtest

import (
	"fmt"
	"slices"

	"github.com/landwaiter/landwaiter/app/githubtest/git"
)

// MergeOptions say how a pull request is merged. The zero value is a merge commit by its author.
type MergeOptions struct {
	// Method is "merge", "squash" or "rebase"; "" means "merge".
	Method string
	// By is who presses the button; "" means the author.
	By string
}

// Merge merges the head into the base, with a merge commit unless options say otherwise, and
// returns the new tip of the base.
//
// GitHub signs what it makes itself, merge commits and squashed ones, as web-flow; what it
// rebases it does not sign.
func (p *Pull) Merge(options ...MergeOptions) string {
	p.g.mu.Lock()
	defer p.g.mu.Unlock()
	var o MergeOptions
	if len(options) > 0 {
		o = options[0]
	}
	by := p.author
	if o.By != "" {
		by = p.g.account(o.By, "User")
	}
	tip := p.r.refs["refs/heads/"+p.baseRef]
	var landed []string
	switch o.Method {
	case "", "merge":
		landed = []string{p.r.mergeOnto(tip, p)}
	case "squash":
		landed = []string{p.r.squashOnto(tip, p)}
	case "rebase":
		landed = p.r.rebaseOnto(tip, p, by)
	default:
		panic("githubtest: there is no way to merge called " + o.Method)
	}
	p.land(by, landed...)
	sha := landed[len(landed)-1]
	p.r.push("refs/heads/"+p.baseRef, sha, by)
	p.g.emit(p.event("closed", by, nil))
	return sha
}

// land notes that commits of p are on its base.
func (p *Pull) land(by *account, commits ...string) {
	p.state, p.merged, p.closed, p.updated = "closed", true, p.g.now(), p.g.now()
	p.landed, p.mergedBy = commits, by
}

// landPushed notes which open pull requests a push merged by itself, because their head is now
// on their base: GitHub shows those as merged.
func (r *Repo) landPushed(branch, before, sha string, by *account) {
	for _, p := range r.orderedPulls() {
		if p.state != "open" || p.baseRef != branch {
			continue
		}
		pushed := r.objects.Log(before, sha)
		if slices.ContainsFunc(pushed, func(c git.Commit) bool { return c.SHA == p.headSHA }) {
			p.land(by, sha)
			r.g.emit(p.event("closed", by, nil))
		}
	}
}

// laid is the files of tip with the changes between two commits laid over them. Where both
// sides changed a file, the changes win.
func (r *Repo) laid(tip, from, to string) string {
	changes, err := r.objects.Diff(r.mustCommit(from).Tree, r.mustCommit(to).Tree)
	if err != nil {
		panic(fmt.Sprintf("githubtest: merging %s: %v", to, err))
	}
	files := r.filesOf(tip)
	for _, c := range changes {
		delete(files, c.Previous)
		delete(files, c.Path)
		if c.Status != "removed" {
			files[c.Path] = c.New
		}
	}
	return r.objects.PutFiles(files)
}

func (r *Repo) mergeBase(tip string, p *Pull) string {
	base, err := r.objects.MergeBase(tip, p.headSHA)
	if err != nil {
		panic(fmt.Sprintf("githubtest: merging pull request %d: %v", p.Number, err))
	}
	return base
}

func (r *Repo) signature(login string) git.Signature {
	return git.Signature{Name: login, Email: login + "@users.noreply.example", When: r.g.now()}
}

// mergeOnto makes the merge commit of a pull request on tip.
func (r *Repo) mergeOnto(tip string, p *Pull) string {
	return r.made(git.Commit{
		Tree: r.laid(tip, r.mergeBase(tip, p), p.headSHA), Parents: []string{tip, p.headSHA},
		Message: fmt.Sprintf("Merge pull request #%d", p.Number), Author: r.signature(p.author.login),
	})
}

// squashOnto makes one commit on tip of all that a pull request changes.
func (r *Repo) squashOnto(tip string, p *Pull) string {
	return r.made(git.Commit{
		Tree: r.laid(tip, r.mergeBase(tip, p), p.headSHA), Parents: []string{tip},
		Message: fmt.Sprintf("%s (#%d)", p.title, p.Number), Author: r.signature(p.author.login),
	})
}

// made stores a commit that GitHub makes and signs.
func (r *Repo) made(c git.Commit) string {
	c.Committer = r.signature("web-flow")
	sha := r.objects.PutCommit(c)
	r.signed[sha] = true
	return sha
}

// rebaseOnto makes each commit of a pull request anew on tip, oldest first.
func (r *Repo) rebaseOnto(tip string, p *Pull, by *account) (made []string) {
	log := r.objects.Log(r.mergeBase(tip, p), p.headSHA)
	for _, c := range slices.Backward(log) {
		if len(c.Parents) != 1 {
			panic(fmt.Sprintf("githubtest: pull request %d holds a merge and cannot be rebased", p.Number))
		}
		tip = r.objects.PutCommit(git.Commit{
			Tree: r.laid(tip, c.Parents[0], c.SHA), Parents: []string{tip},
			Message: c.Message, Author: c.Author, Committer: r.signature(by.login),
		})
		made = append(made, tip)
	}
	return made
}

// Sign makes GitHub say that it verified the signature of a commit by its committer.
func (r *Repo) Sign(sha string) {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	r.signed[r.mustCommit(sha).SHA] = true
}

// MergeInto merges a commit into a branch as mona does on her own machine, without a pull
// request, and returns the merge commit. Files of the branch win.
func (r *Repo) MergeInto(branch, sha string) string {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	by := r.g.account("mona", "User")
	tip := r.refs["refs/heads/"+branch]
	merged := r.objects.PutCommit(git.Commit{
		Tree: r.mustCommit(tip).Tree, Parents: []string{tip, r.mustCommit(sha).SHA}, Message: "Merge " + sha,
		Author: r.signature(by.login), Committer: r.signature(by.login),
	})
	r.push("refs/heads/"+branch, merged, by)
	return merged
}

// PullByNumber returns a pull request, nil when there is none.
func (r *Repo) PullByNumber(number int) *Pull {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	return r.pulls[number]
}
