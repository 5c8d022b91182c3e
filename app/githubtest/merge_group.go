package githubtest

import (
	"fmt"

	"github.com/landwaiter/landwaiter/app/githubtest/git"
)

// MergeGroup is a candidate of the merge queue: the base branch with pull requests merged.
type MergeGroup struct {
	r *Repo
	// HeadSHA is the commit to check, BaseSHA what it was built on.
	HeadSHA, BaseSHA string
	// HeadRef and BaseRef are full ref names.
	HeadRef, BaseRef string
}

// MergeGroup builds a merge group of pull requests with one base, in order, makes its
// branch and asks for checks.
func (r *Repo) MergeGroup(pulls ...*Pull) *MergeGroup {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	if len(pulls) == 0 {
		panic("githubtest: a merge group needs a pull request")
	}
	last := pulls[len(pulls)-1]
	base := r.refs["refs/heads/"+last.baseRef]
	tip := base
	for _, p := range pulls {
		tip = r.mergeOnto(tip, p)
	}
	m := &MergeGroup{
		r: r, HeadSHA: tip, BaseSHA: base, BaseRef: "refs/heads/" + last.baseRef,
		HeadRef: fmt.Sprintf("refs/heads/gh-readonly-queue/%s/pr-%d-%s", last.baseRef, last.Number, base),
	}
	r.push(m.HeadRef, tip, r.g.account("github-merge-queue[bot]", "Bot"))
	r.g.emit(m.event("checks_requested"))
	return m
}

// Destroy takes the group out of the queue; reason is "merged", "invalidated" or "dequeued".
func (m *MergeGroup) Destroy(reason string) {
	m.r.g.mu.Lock()
	defer m.r.g.mu.Unlock()
	delete(m.r.refs, m.HeadRef)
	e := m.event("destroyed")
	e.body["reason"] = reason
	m.r.g.emit(e)
}

// mergeCommit merges a pull request into the tip of its base and returns the commit.
func (r *Repo) mergeCommit(p *Pull) string {
	return r.mergeOnto(r.refs["refs/heads/"+p.baseRef], p)
}

// mergeOnto lays the changes of a pull request, since its merge base, over a commit.
// Where both sides changed a file, the pull request wins.
func (r *Repo) mergeOnto(tip string, p *Pull) string {
	base, err := r.objects.MergeBase(tip, p.headSHA)
	if err != nil {
		panic(fmt.Sprintf("githubtest: merging pull request %d: %v", p.Number, err))
	}
	changes, err := r.objects.Diff(r.mustCommit(base).Tree, r.mustCommit(p.headSHA).Tree)
	if err != nil {
		panic(fmt.Sprintf("githubtest: merging pull request %d: %v", p.Number, err))
	}
	files := r.filesOf(tip)
	for _, c := range changes {
		delete(files, c.Previous)
		delete(files, c.Path)
		if c.Status != "removed" {
			files[c.Path] = c.New
		}
	}
	who := git.Signature{Name: p.author.login, Email: p.author.login + "@users.noreply.example", When: r.g.now()}
	return r.objects.PutCommit(git.Commit{
		Tree: r.objects.PutFiles(files), Parents: []string{tip, p.headSHA},
		Message: fmt.Sprintf("Merge pull request #%d", p.Number), Author: who, Committer: who,
	})
}
