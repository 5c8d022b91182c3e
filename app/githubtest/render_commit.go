package githubtest

import (
	"github.com/landwaiter/landwaiter/app/githubtest/git"
)

func gitUser(s git.Signature) object {
	return object{"name": s.Name, "email": s.Email, "date": stamp(s.When)}
}

// verification renders the schema verification.
func (r *Repo) verification(c git.Commit) object {
	if r.signed[c.SHA] {
		return object{"verified": true, "reason": "valid", "signature": "-----BEGIN PGP SIGNATURE-----", "payload": "tree " + c.Tree, "verified_at": stamp(c.Committer.When)}
	}
	return unverified()
}

func unverified() object {
	return object{"verified": false, "reason": "unsigned", "signature": nil, "payload": nil, "verified_at": nil}
}

// author finds the account behind a signature; our commits carry the login as the name.
func (r *Repo) author(s git.Signature) object {
	return r.g.simpleUser(r.g.account(s.Name, "User"))
}

// commit renders the schema commit.
func (r *Repo) commit(c git.Commit) object {
	url := r.url() + "/commits/" + c.SHA
	parents := each(c.Parents, func(p string) object {
		return object{"sha": p, "url": r.url() + "/commits/" + p, "html_url": r.html() + "/commit/" + p}
	})
	return object{
		"sha": c.SHA, "node_id": nodeID("Commit", c.SHA), "url": url, "html_url": r.html() + "/commit/" + c.SHA,
		"comments_url": url + "/comments", "author": r.author(c.Author), "committer": r.author(c.Committer), "parents": parents,
		"commit": object{
			"url": r.url() + "/git/commits/" + c.SHA, "author": gitUser(c.Author), "committer": gitUser(c.Committer),
			"message": c.Message, "comment_count": 0, "tree": object{"sha": c.Tree, "url": r.url() + "/git/trees/" + c.Tree},
			"verification": r.verification(c),
		},
	}
}

// gitCommit renders the schema git-commit.
func (r *Repo) gitCommit(c git.Commit) object {
	return object{
		"sha": c.SHA, "node_id": nodeID("Commit", c.SHA), "url": r.url() + "/git/commits/" + c.SHA,
		"html_url": r.html() + "/commit/" + c.SHA, "author": gitUser(c.Author), "committer": gitUser(c.Committer),
		"message": c.Message, "tree": object{"sha": c.Tree, "url": r.url() + "/git/trees/" + c.Tree},
		"parents": each(c.Parents, func(p string) object {
			return object{"sha": p, "url": r.url() + "/git/commits/" + p, "html_url": r.html() + "/commit/" + p}
		}),
		"verification": r.verification(c),
	}
}

// simpleCommit renders the schema simple-commit.
func (r *Repo) simpleCommit(sha string) object {
	c, err := r.objects.Peel(sha)
	if err != nil {
		return nil
	}
	return object{
		"id": c.SHA, "tree_id": c.Tree, "message": c.Message, "timestamp": stamp(c.Committer.When),
		"author":    object{"name": c.Author.Name, "email": c.Author.Email},
		"committer": object{"name": c.Committer.Name, "email": c.Committer.Email},
	}
}

// pushCommit renders a commit of a push event.
func (r *Repo) pushCommit(c git.Commit) object {
	o := with(r.simpleCommit(c.SHA), object{"distinct": true, "url": r.html() + "/commit/" + c.SHA})
	added, removed, modified := []string{}, []string{}, []string{}
	parent := ""
	if len(c.Parents) > 0 {
		if p, err := r.objects.Commit(c.Parents[0]); err == nil {
			parent = p.Tree
		}
	}
	changes, err := r.objects.Diff(parent, c.Tree)
	if err != nil {
		changes = nil // a push event without file names is still a push event
	}
	for _, ch := range changes {
		switch ch.Status {
		case "added":
			added = append(added, ch.Path)
		case "removed":
			removed = append(removed, ch.Path)
		case "renamed":
			added, removed = append(added, ch.Path), append(removed, ch.Previous)
		default:
			modified = append(modified, ch.Path)
		}
	}
	o["added"], o["removed"], o["modified"] = added, removed, modified
	return o
}

// diffEntry renders the schema diff-entry for a change up to the commit head.
func (r *Repo) diffEntry(c git.Change, head string) object {
	sha := c.New.SHA
	if c.Status == "removed" {
		sha = c.Old.SHA
	}
	o := object{
		"sha": sha, "filename": c.Path, "status": c.Status,
		"blob_url":     r.html() + "/blob/" + head + "/" + c.Path,
		"raw_url":      r.html() + "/raw/" + head + "/" + c.Path,
		"contents_url": r.url() + "/contents/" + c.Path + "?ref=" + head,
	}
	if isLink := c.New.Mode == git.ModeSubmodule || c.Status == "removed" && c.Old.Mode == git.ModeSubmodule; isLink {
		o["blob_url"], o["raw_url"] = nil, nil // see contract.amendDiffEntry
	}
	if c.Previous != "" {
		o["previous_filename"] = c.Previous
	}
	patch := r.patch(c)
	o["additions"], o["deletions"], o["changes"] = patch.additions, patch.deletions, patch.additions+patch.deletions
	if patch.text != "" {
		o["patch"] = patch.text
	}
	return o
}
