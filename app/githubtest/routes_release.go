package githubtest

import (
	"net/http"
	"slices"
)

func releaseRoutes() []*route {
	return []*route{
		on("GET /repos/{owner}/{repo}/releases", "contents:read", listReleases),
		on("POST /repos/{owner}/{repo}/releases", "contents:write", createRelease),
		on("GET /repos/{owner}/{repo}/releases/latest", "contents:read", latestRelease),
		on("GET /repos/{owner}/{repo}/releases/tags/{tag}", "contents:read", releaseByTag),
		on("GET /repos/{owner}/{repo}/releases/{release_id}", "contents:read", getRelease),
		on("PATCH /repos/{owner}/{repo}/releases/{release_id}", "contents:write", updateRelease),
		on("DELETE /repos/{owner}/{repo}/releases/{release_id}", "contents:write", deleteRelease),
		on("GET /repos/{owner}/{repo}/releases/{release_id}/assets", "contents:read", listAssets),
		on("POST /repos/{owner}/{repo}/releases/{release_id}/assets", "contents:write", uploadAsset),
		on("GET /repos/{owner}/{repo}/releases/assets/{asset_id}", "contents:read", getAsset),
		on("DELETE /repos/{owner}/{repo}/releases/assets/{asset_id}", "contents:write", deleteAsset),
		on("GET /repos/{owner}/{repo}/attestations/{subject_digest}", "attestations:read", listAttestations),
		on("GET /orgs/{org}/attestations/{subject_digest}", "attestations:read", listAttestations),
	}
}

// shows says whether the asking party may see a release: drafts need write access,
// docs.github.com/rest/releases/releases#list-releases.
func (q *request) shows(rel *Release) bool {
	return rel != nil && (!rel.draft || q.token.covers(q.repo) && q.token.may("contents:write"))
}

// release finds the release of the path, when it may be seen.
func (q *request) release() *Release {
	rel := q.repo.release(q.number("release_id"))
	if !q.shows(rel) {
		return nil
	}
	return rel
}

func listReleases(q *request) reply {
	list := slices.DeleteFunc(slices.Clone(q.repo.releases), func(rel *Release) bool { return !q.shows(rel) })
	slices.Reverse(list)
	return listed(q, list, (*Release).object)
}

func latestRelease(q *request) reply {
	for _, rel := range slices.Backward(q.repo.releases) {
		if !rel.draft && !rel.prerelease {
			return ok(rel.object())
		}
	}
	return notFound()
}

// releaseByTag never finds a draft: it has no tag yet.
func releaseByTag(q *request) reply {
	for _, rel := range slices.Backward(q.repo.releases) {
		if !rel.draft && rel.tag == q.params["tag"] {
			return ok(rel.object())
		}
	}
	return notFound()
}

func getRelease(q *request) reply {
	rel := q.release()
	if rel == nil {
		return notFound()
	}
	return ok(rel.object())
}

// releaseRequest is the body of a create or update; absent fields are nil.
type releaseRequest struct {
	TagName    *string `json:"tag_name"`
	Target     *string `json:"target_commitish"`
	Name       *string `json:"name"`
	Body       *string `json:"body"`
	Draft      *bool   `json:"draft"`
	Prerelease *bool   `json:"prerelease"`
}

func createRelease(q *request) reply {
	var w releaseRequest
	if a, fine := q.decode(&w); !fine {
		return a
	}
	if w.TagName == nil {
		return invalid(problem{resource: "Release", field: "tag_name", code: "missing_field"})
	}
	if q.repo.burnt[*w.TagName] {
		return custom("Release", "tag_name", "tag_name was used by an immutable release")
	}
	if q.repo.taken(*w.TagName, nil) {
		return invalid(problem{resource: "Release", field: "tag_name", code: "already_exists"})
	}
	rel := &Release{
		g: q.g, r: q.repo, ID: q.g.id(), tag: *w.TagName, target: q.repo.defaultBranch, draft: true, author: q.actor(),
		created: q.g.now(), updated: q.g.now(),
	}
	draft := w.Draft != nil && *w.Draft
	set(&rel.target, w.Target)
	set(&rel.name, w.Name)
	set(&rel.body, w.Body)
	set(&rel.prerelease, w.Prerelease)
	q.repo.releases = append(q.repo.releases, rel)
	q.g.emit(rel.event("created", q.actor(), nil))
	if !draft {
		rel.publish(q.actor())
	}
	return created(rel.object())
}

// taken says whether a published release other than except carries a tag.
func (r *Repo) taken(tag string, except *Release) bool {
	return slices.ContainsFunc(r.releases, func(rel *Release) bool { return !rel.draft && rel.tag == tag && rel != except })
}

func updateRelease(q *request) reply {
	rel := q.release()
	if rel == nil {
		return notFound()
	}
	var w releaseRequest
	if a, fine := q.decode(&w); !fine {
		return a
	}
	if rel.frozen() && (w.TagName != nil && *w.TagName != rel.tag || w.Target != nil && *w.Target != rel.target || w.Draft != nil && *w.Draft) {
		return custom("Release", "base", "Cannot change the tag or draft state of an immutable release")
	}
	if w.TagName != nil && q.repo.taken(*w.TagName, rel) {
		return invalid(problem{resource: "Release", field: "tag_name", code: "already_exists"})
	}
	rel.apply(w, q.actor())
	return ok(rel.object())
}

// apply writes what was sent and sends the webhooks of what became of it. A draft whose
// update leaves out the tag is renamed, which has happened to people on GitHub.
func (rel *Release) apply(w releaseRequest, by *account) {
	changes := object{}
	if w.Name != nil && *w.Name != rel.name {
		changes["name"] = object{"from": rel.name}
	}
	if w.Body != nil && *w.Body != rel.body {
		changes["body"] = object{"from": rel.body}
	}
	if w.TagName == nil && rel.draft && rel.r.refs["refs/tags/"+rel.tag] == "" {
		rel.tag = rel.untagged()
	}
	set(&rel.tag, w.TagName)
	set(&rel.target, w.Target)
	set(&rel.name, w.Name)
	set(&rel.body, w.Body)
	set(&rel.prerelease, w.Prerelease)
	rel.updated = rel.g.now()
	switch {
	case w.Draft != nil && *w.Draft && !rel.draft:
		rel.unpublish(by)
	case w.Draft != nil && !*w.Draft && rel.draft:
		rel.publish(by)
	case !rel.draft:
		rel.g.emit(rel.event("edited", by, object{"changes": changes}))
	}
}

func deleteRelease(q *request) reply {
	rel := q.release()
	if rel == nil {
		return notFound()
	}
	rel.remove(q.actor())
	return noContent()
}

func listAssets(q *request) reply {
	rel := q.release()
	if rel == nil {
		return notFound()
	}
	return listed(q, rel.assets, (*asset).object)
}

func uploadAsset(q *request) reply {
	rel := q.release()
	if rel == nil {
		return notFound()
	}
	name := q.URL.Query().Get("name")
	if rel.frozen() {
		return custom("ReleaseAsset", "base", "Cannot upload assets to an immutable release.")
	}
	if slices.ContainsFunc(rel.assets, func(a *asset) bool { return a.name == name }) {
		return invalid(problem{resource: "ReleaseAsset", field: "name", code: "already_exists"})
	}
	a := rel.addAsset(name, q.body, q.actor(), AssetOptions{})
	a.label = q.URL.Query().Get("label")
	if kind := q.Header.Get("Content-Type"); kind != "" {
		a.contentType = kind
	}
	return created(a.object())
}

// asset finds the asset of the path, when its release may be seen.
func (q *request) asset() *asset {
	a := q.g.uploads[q.number("asset_id")]
	if a == nil || a.rel.r != q.repo || !q.shows(a.rel) || !slices.Contains(a.rel.assets, a) {
		return nil
	}
	return a
}

// getAsset describes an asset, or sends a client that wants its bytes to the blob store.
func getAsset(q *request) reply {
	a := q.asset()
	if a == nil {
		return notFound()
	}
	if q.Header.Get("Accept") != "application/octet-stream" {
		return ok(a.object())
	}
	if a.state != "uploaded" {
		return notFound()
	}
	a.downloads++
	return reply{status: http.StatusFound, header: http.Header{"Location": {a.blobURL()}, "Content-Type": {"text/html;charset=utf-8"}}}
}

func deleteAsset(q *request) reply {
	a := q.asset()
	if a == nil {
		return notFound()
	}
	if a.rel.frozen() {
		return custom("ReleaseAsset", "base", "Cannot delete assets of an immutable release.")
	}
	a.rel.assets = slices.DeleteFunc(a.rel.assets, func(x *asset) bool { return x == a })
	return noContent()
}
