package githubtest

import (
	"slices"
	"time"
)

// ReleaseByID returns a release, or nil when there is none.
func (r *Repo) ReleaseByID(id int64) *Release {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	return r.release(id)
}

// Releases returns all releases, drafts included, oldest first.
func (r *Repo) Releases() []*Release {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	return slices.Clone(r.releases)
}

func (r *Repo) release(id int64) *Release {
	for _, rel := range r.releases {
		if rel.ID == id {
			return rel
		}
	}
	return nil
}

// ReleaseView is a release as a person sees it, a copy.
type ReleaseView struct {
	ID         int64
	Tag        string
	Target     string
	Name       string
	Body       string
	Draft      bool
	Prerelease bool
	Immutable  bool
	Published  time.Time
	Assets     []Asset
}

// View returns what the release looks like now.
func (rel *Release) View() ReleaseView {
	rel.g.mu.Lock()
	defer rel.g.mu.Unlock()
	v := ReleaseView{
		ID: rel.ID, Tag: rel.tag, Target: rel.target, Name: rel.name, Body: rel.body, Draft: rel.draft,
		Prerelease: rel.prerelease, Immutable: rel.frozen(), Published: rel.published,
	}
	for _, a := range rel.assets {
		v.Assets = append(v.Assets, Asset{
			ID: a.id, Name: a.name, State: a.state, Digest: a.digest, Size: a.size, Content: slices.Clone(a.content),
		})
	}
	return v
}

// Draft says whether the release is a draft now.
func (rel *Release) Draft() bool { return rel.View().Draft }
