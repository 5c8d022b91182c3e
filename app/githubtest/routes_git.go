package githubtest

import (
	"net/http"
	"slices"
	"strings"

	"github.com/landwaiter/landwaiter/app/githubtest/git"
)

// maxTree is how many entries a recursive tree shows,
// docs.github.com/rest/git/trees#get-a-tree.
const maxTree = 100_000

func gitRoutes() []*route {
	return []*route{
		on("GET /repos/{owner}/{repo}/tarball/{ref}", "contents:read", getTarball),
		on("POST /repos/{owner}/{repo}/code-scanning/sarifs", "security_events:write", uploadSARIF),
		on("GET /repos/{owner}/{repo}/git/blobs/{file_sha}", "contents:read", getBlob),
		on("GET /repos/{owner}/{repo}/git/trees/{tree_sha}", "contents:read", getTree),
		on("GET /repos/{owner}/{repo}/git/commits/{commit_sha}", "contents:read", getGitCommit),
		on("GET /repos/{owner}/{repo}/git/tags/{tag_sha}", "contents:read", getGitTag),
		on("GET /repos/{owner}/{repo}/git/ref/{ref}", "contents:read", getRef),
		on("GET /repos/{owner}/{repo}/git/matching-refs/{ref}", "contents:read", matchRefs),
	}
}

func getBlob(q *request) reply {
	sha := q.params["file_sha"]
	content, err := q.repo.objects.Blob(sha)
	if err != nil {
		return notFound()
	}
	if strings.Contains(q.Header.Get("Accept"), "raw") {
		return reply{status: http.StatusOK, raw: content, header: http.Header{"Content-Type": {"application/vnd.github.raw; charset=utf-8"}}}
	}
	return ok(object{
		"sha": sha, "node_id": nodeID("Blob", sha), "size": len(content), "encoding": "base64",
		"url": q.repo.url() + "/git/blobs/" + sha, "content": wrapped(content),
	})
}

// getTree takes a tree, a commit or a ref, as GitHub does.
func getTree(q *request) reply {
	r, sha := q.repo, q.params["tree_sha"]
	if c, err := r.resolve(sha); err == nil {
		sha = c.Tree
	}
	limit := maxTree
	if r.treeLimit > 0 {
		limit = r.treeLimit
	}
	list := []object{}
	truncated := false
	add := func(e git.Entry) {
		if truncated = len(list) >= limit; !truncated {
			list = append(list, r.treeItem(e))
		}
	}
	var err error
	if recursive := q.URL.Query().Get("recursive"); recursive != "" {
		err = r.objects.Walk(sha, add)
	} else {
		var entries []git.Entry
		entries, err = r.objects.Tree(sha)
		for _, e := range entries {
			list = append(list, r.treeItem(e))
		}
	}
	if err != nil {
		return notFound()
	}
	return ok(object{"sha": sha, "url": r.url() + "/git/trees/" + sha, "tree": list, "truncated": truncated})
}

func (r *Repo) treeItem(e git.Entry) object {
	o := object{"path": e.Name, "mode": e.Mode, "type": e.Type(), "sha": e.SHA}
	switch e.Type() {
	case "blob":
		o["size"], o["url"] = len(r.content(e)), r.url()+"/git/blobs/"+e.SHA
	case "tree":
		o["url"] = r.url() + "/git/trees/" + e.SHA
	}
	return o
}

func getGitCommit(q *request) reply {
	c, err := q.repo.objects.Commit(q.params["commit_sha"])
	if err != nil {
		return notFound()
	}
	return ok(q.repo.gitCommit(c))
}

func getGitTag(q *request) reply {
	t, err := q.repo.objects.Tag(q.params["tag_sha"])
	if err != nil {
		return notFound()
	}
	part := "commits"
	if t.Type == "tag" {
		part = "tags"
	}
	return ok(object{
		"node_id": nodeID("Tag", t.SHA), "tag": t.Name, "sha": t.SHA, "url": q.repo.url() + "/git/tags/" + t.SHA,
		"message": t.Message, "tagger": gitUser(t.Tagger), "verification": unverified(),
		"object": object{"sha": t.Object, "type": t.Type, "url": q.repo.url() + "/git/" + part + "/" + t.Object},
	})
}

func getRef(q *request) reply {
	ref := "refs/" + q.params["ref"]
	if _, ok := q.repo.refs[ref]; !ok {
		return notFound()
	}
	return ok(q.repo.refObject(ref))
}

func matchRefs(q *request) reply {
	prefix := "refs/" + q.params["ref"]
	var names []string
	for ref := range q.repo.refs {
		if strings.HasPrefix(ref, prefix) {
			names = append(names, ref)
		}
	}
	slices.Sort(names)
	return ok(each(names, q.repo.refObject))
}

// refObject renders the schema git-ref.
func (r *Repo) refObject(ref string) object {
	sha := r.refs[ref]
	kind, part := "commit", "commits"
	if _, err := r.objects.Tag(sha); err == nil {
		kind, part = "tag", "tags"
	}
	return object{
		"ref": ref, "node_id": nodeID("Ref", ref), "url": r.url() + "/git/" + ref,
		"object": object{"type": kind, "sha": sha, "url": r.url() + "/git/" + part + "/" + sha},
	}
}
