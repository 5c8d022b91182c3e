package githubtest

import "fmt"

// MergeGroup is a candidate of the merge queue: the base branch with pull requests merged.
type MergeGroup struct {
	r *Repo
	// HeadSHA is the commit to check, BaseSHA what it was built on.
	HeadSHA, BaseSHA string
	// HeadRef and BaseRef are full ref names.
	HeadRef, BaseRef string

	pulls  []*Pull
	merges []string // the merge commit of each
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
	var merges []string
	for _, p := range pulls {
		tip = r.mergeOnto(tip, p)
		merges = append(merges, tip)
	}
	m := &MergeGroup{
		r: r, HeadSHA: tip, BaseSHA: base, BaseRef: "refs/heads/" + last.baseRef,
		HeadRef: fmt.Sprintf("refs/heads/gh-readonly-queue/%s/pr-%d-%s", last.baseRef, last.Number, base),
		pulls:   pulls, merges: merges,
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

// Merge puts the group on the base branch and closes its pull requests as merged, which is how
// the queue ends well. Destroy is not needed then.
func (m *MergeGroup) Merge() {
	m.r.g.mu.Lock()
	defer m.r.g.mu.Unlock()
	queue := m.r.g.account("github-merge-queue[bot]", "Bot")
	for i, p := range m.pulls {
		p.land(queue, m.merges[i])
	}
	delete(m.r.refs, m.HeadRef)
	m.r.push(m.BaseRef, m.HeadSHA, queue)
	for _, p := range m.pulls {
		p.g.emit(p.event("closed", queue, nil))
	}
	e := m.event("destroyed")
	e.body["reason"] = "merged"
	m.r.g.emit(e)
}
