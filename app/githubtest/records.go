package githubtest

import (
	"cmp"
	"maps"
	"slices"
)

// What follows lists what is there, for harnesses that check all of it.

// Repos returns every repository, by id.
func (g *GitHub) Repos() []*Repo {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.SortedFunc(maps.Values(g.repos), func(a, b *Repo) int { return cmp.Compare(a.id, b.id) })
}

// InstallationID returns the installation that covers the repository and works, 0 when none does.
func (r *Repo) InstallationID() int64 {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	if i := r.g.installationOf(r); i != nil && i.suspended.IsZero() {
		return i.ID
	}
	return 0
}

// Archived reports whether the repository is read-only.
func (r *Repo) Archived() bool {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	return r.archived
}

// PullView is a pull request as a person sees it, a copy.
type PullView struct {
	Number        int
	Open, Draft   bool
	HeadSHA, Base string // Base is a branch
}

// Pulls returns copies of all pull requests, by number.
func (r *Repo) Pulls() []PullView {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	var list []PullView
	for _, n := range slices.Sorted(maps.Keys(r.pulls)) {
		p := r.pulls[n]
		list = append(list, PullView{Number: n, Open: p.state == "open", Draft: p.draft, HeadSHA: p.headSHA, Base: p.baseRef})
	}
	return list
}

// Deployments returns the jobs that wait or waited for the App's rule, oldest first.
func (r *Repo) Deployments() []*Deployment {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	return slices.Clone(r.deployments)
}

// SHA is the commit whose workflow run waits.
func (d *Deployment) SHA() string {
	d.r.g.mu.Lock()
	defer d.r.g.mu.Unlock()
	return d.run.sha
}

// FileAt returns the file at path in a commit, and false when there is none.
func (r *Repo) FileAt(sha, path string) (string, bool) {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	c, err := r.objects.Commit(sha)
	if err != nil {
		return "", false
	}
	entry, err := r.objects.Lookup(c.Tree, path)
	if err != nil {
		return "", false
	}
	content, err := r.objects.Blob(entry.SHA)
	return string(content), err == nil
}

// OnBranch reports whether a branch leads to the commit.
func (r *Repo) OnBranch(branch, sha string) bool {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	tip := r.refs["refs/heads/"+branch]
	base, err := r.objects.MergeBase(tip, sha)
	return err == nil && base == sha
}
