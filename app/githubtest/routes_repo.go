package githubtest

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/landwaiter/landwaiter/app/githubtest/git"
)

func repoRoutes() []*route {
	return []*route{
		on("GET /repos/{owner}/{repo}", "metadata:read", func(q *request) reply { return ok(q.repo.full()) }),
		on("GET /repos/{owner}/{repo}/contents/{path}", "contents:read", getContents),
		on("GET /repos/{owner}/{repo}/branches", "contents:read", listBranches),
		on("GET /repos/{owner}/{repo}/branches/{branch}", "contents:read", getBranch),
		on("GET /repos/{owner}/{repo}/tags", "contents:read", listTags),
		on("GET /repos/{owner}/{repo}/commits", "contents:read", listCommits),
		on("GET /repos/{owner}/{repo}/commits/{ref}", "contents:read", getCommit),
		on("GET /repos/{owner}/{repo}/compare/{basehead}", "contents:read", compare),
	}
}

// getContents serves a file or directory. Files above 1 MB come without content, above
// 100 MB not at all, docs.github.com/rest/repos/contents#get-repository-content.
func getContents(q *request) reply {
	ref := q.URL.Query().Get("ref")
	c, err := q.repo.resolve(ref)
	if err != nil {
		return refuse(http.StatusNotFound, "No commit found for the ref "+ref)
	}
	at := strings.Trim(q.params["path"], "/")
	e, err := q.repo.objects.Lookup(c.Tree, at)
	if err != nil {
		return notFound()
	}
	if ref == "" {
		ref = q.repo.defaultBranch
	}
	raw := strings.Contains(q.Header.Get("Accept"), "raw")
	switch {
	case e.Mode == git.ModeTree:
		return listDirectory(q, e, at, ref)
	case e.Mode == git.ModeSubmodule:
		o := q.repo.contentsItem(e, at, ref)
		o["type"], o["submodule_git_url"] = "submodule", q.repo.html()
		return ok(o)
	}
	content := q.repo.content(e)
	if len(content) > 100<<20 {
		return refuse(http.StatusForbidden, "This API returns blobs up to 100 MB in size.")
	}
	if raw {
		return reply{status: http.StatusOK, raw: content, header: http.Header{"Content-Type": {"application/vnd.github.raw; charset=utf-8"}}}
	}
	o := q.repo.contentsItem(e, at, ref)
	if e.Mode == git.ModeSymlink {
		return q.linkContents(c, e, at, ref)
	}
	o["encoding"], o["content"] = "base64", wrapped(content)
	if len(content) > 1<<20 {
		o["encoding"], o["content"] = "none", ""
	}
	return ok(o)
}

// linkContents serves a symbolic link: the file it points to when that is in the
// repository, the link itself otherwise.
func (q *request) linkContents(c git.Commit, e git.Entry, at, ref string) reply {
	target := string(q.repo.content(e))
	to := path.Join(path.Dir(at), target)
	if pointed, err := q.repo.objects.Lookup(c.Tree, to); err == nil && pointed.Type() == "blob" && pointed.Mode != git.ModeSymlink {
		content := q.repo.content(pointed)
		o := q.repo.contentsItem(pointed, at, ref)
		o["encoding"], o["content"] = "base64", wrapped(content)
		return ok(o)
	}
	o := q.repo.contentsItem(e, at, ref)
	o["type"], o["target"] = "symlink", target
	return ok(o)
}

// wrapped is base64 in lines of 60, as GitHub sends it.
func wrapped(content []byte) string {
	var b strings.Builder
	for part := range slices.Chunk([]byte(base64.StdEncoding.EncodeToString(content)), 60) {
		b.Write(part)
		b.WriteByte('\n')
	}
	return b.String()
}

func listDirectory(q *request, dir git.Entry, at, ref string) reply {
	entries, err := q.repo.objects.Tree(dir.SHA)
	if err != nil {
		return notFound()
	}
	return ok(each(entries, func(e git.Entry) object { return q.repo.contentsItem(e, path.Join(at, e.Name), ref) }))
}

// contentsItem renders what files and directories share.
func (r *Repo) contentsItem(e git.Entry, at, ref string) object {
	kinds := map[string]string{git.ModeTree: "dir", git.ModeSubmodule: "submodule", git.ModeSymlink: "symlink"}
	u := r.url() + "/contents/" + at + "?ref=" + ref
	part := map[string]string{"tree": "trees", "blob": "blobs", "commit": "trees"}[e.Type()]
	gitURL := r.url() + "/git/" + part + "/" + e.SHA
	html := r.html() + "/blob/" + ref + "/" + at
	var download any = r.html() + "/raw/" + ref + "/" + at
	if e.Mode == git.ModeTree || e.Mode == git.ModeSubmodule {
		download = nil
	}
	return object{
		"type": cmp.Or(kinds[e.Mode], "file"), "size": len(r.content(e)), "name": path.Base(at), "path": at, "sha": e.SHA,
		"url": u, "git_url": gitURL, "html_url": html, "download_url": download,
		"_links": object{"self": u, "git": gitURL, "html": html},
	}
}

// refsBelow lists the short names of refs under a prefix, sorted.
func (r *Repo) refsBelow(prefix string) []string {
	var names []string
	for ref := range r.refs {
		if name, ok := strings.CutPrefix(ref, prefix); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func listBranches(q *request) reply {
	names := slices.DeleteFunc(q.repo.refsBelow("refs/heads/"), func(name string) bool {
		only := q.URL.Query().Get("protected")
		return only != "" && (only == "true") != q.repo.protected[name]
	})
	return listed(q, names, func(name string) object {
		sha := q.repo.refs["refs/heads/"+name]
		return object{"name": name, "protected": q.repo.protected[name], "commit": object{"sha": sha, "url": q.repo.url() + "/commits/" + sha}}
	})
}

func getBranch(q *request) reply {
	name := q.params["branch"]
	c, err := q.repo.objects.Commit(q.repo.refs["refs/heads/"+name])
	if err != nil {
		return refuse(http.StatusNotFound, "Branch not found")
	}
	u := q.repo.url() + "/branches/" + name
	return ok(object{
		"name": name, "commit": q.repo.commit(c), "_links": object{"self": u, "html": q.repo.html() + "/tree/" + name},
		"protected": q.repo.protected[name], "protection": object{"enabled": q.repo.protected[name]}, "protection_url": u + "/protection",
	})
}

func listTags(q *request) reply {
	return listed(q, q.repo.refsBelow("refs/tags/"), func(name string) object {
		c := q.repo.mustCommit(q.repo.refs["refs/tags/"+name])
		return object{
			"name": name, "node_id": nodeID("Ref", name), "commit": object{"sha": c.SHA, "url": q.repo.url() + "/commits/" + c.SHA},
			"zipball_url": q.repo.url() + "/zipball/refs/tags/" + name, "tarball_url": q.repo.url() + "/tarball/refs/tags/" + name,
		}
	})
}

func listCommits(q *request) reply {
	c, err := q.repo.resolve(q.URL.Query().Get("sha"))
	if err != nil {
		return notFound()
	}
	return listed(q, q.repo.objects.Log("", c.SHA), q.repo.commit)
}

func getCommit(q *request) reply {
	c, err := q.repo.resolve(q.params["ref"])
	if err != nil {
		return refuse(http.StatusUnprocessableEntity, "No commit found for SHA: "+q.params["ref"])
	}
	if strings.Contains(q.Header.Get("Accept"), ".sha") {
		return reply{status: http.StatusOK, raw: []byte(c.SHA), header: http.Header{"Content-Type": {"application/vnd.github.sha; charset=utf-8"}}}
	}
	o := q.repo.commit(c)
	parent := ""
	if len(c.Parents) > 0 {
		if p, err := q.repo.objects.Commit(c.Parents[0]); err == nil {
			parent = p.Tree
		}
	}
	changes, err := q.repo.objects.Diff(parent, c.Tree)
	if err != nil {
		return refuse(http.StatusInternalServerError, err.Error())
	}
	files := paged(q, changes)
	o["files"] = each(files, func(ch git.Change) object { return q.repo.diffEntry(ch, c.SHA) })
	o["stats"] = object{"additions": 0, "deletions": 0, "total": 0}
	return ok(o)
}
