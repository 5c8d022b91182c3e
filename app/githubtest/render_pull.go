package githubtest

import (
	"fmt"

	"github.com/landwaiter/landwaiter/app/githubtest/git"
)

// object renders the schema pull-request-simple.
func (p *Pull) object() object {
	url := fmt.Sprintf("%s/pulls/%d", p.r.url(), p.Number)
	issue := fmt.Sprintf("%s/issues/%d", p.r.url(), p.Number)
	html := fmt.Sprintf("%s/pull/%d", p.r.html(), p.Number)
	statuses := p.r.url() + "/statuses/" + p.headSHA
	link := func(href string) object { return object{"href": href} }
	return object{
		"url": url, "id": p.id, "node_id": nodeID("PullRequest", p.id), "html_url": html,
		"diff_url": html + ".diff", "patch_url": html + ".patch", "issue_url": issue, "commits_url": url + "/commits",
		"review_comments_url": url + "/comments", "review_comment_url": p.r.url() + "/pulls/comments{/number}",
		"comments_url": issue + "/comments", "statuses_url": statuses, "number": p.Number, "state": p.state, "locked": false,
		"title": p.title, "user": p.g.simpleUser(p.author), "body": orNil(p.body), "labels": []object{}, "milestone": nil,
		"created_at": stamp(p.created), "updated_at": stamp(p.updated), "closed_at": stampOrNil(p.closed),
		"merged_at": p.mergedAt(), "merge_commit_sha": nil, "assignee": nil, "assignees": []object{},
		"requested_reviewers": []object{}, "requested_teams": []object{}, "active_lock_reason": nil, "draft": p.draft,
		"head": p.side(p.headOwner, p.headRepo, p.headRef, p.headSHA), "base": p.side(p.r.owner, p.r, p.baseRef, p.baseSHA),
		"_links": object{
			"self": link(url), "html": link(html), "issue": link(issue), "comments": link(issue + "/comments"),
			"review_comments": link(url + "/comments"), "review_comment": link(p.r.url() + "/pulls/comments{/number}"),
			"commits": link(url + "/commits"), "statuses": link(statuses),
		},
		"author_association": p.r.association(p.author.login), "auto_merge": nil,
	}
}

func (p *Pull) mergedAt() any {
	if !p.merged {
		return nil
	}
	return stamp(p.closed)
}

func (p *Pull) side(owner *account, r *Repo, ref, sha string) object {
	o := object{"label": owner.login + ":" + ref, "ref": ref, "sha": sha, "user": p.g.simpleUser(owner), "repo": nil}
	if r != nil {
		o["repo"] = r.object()
	}
	return o
}

// full renders the schema pull-request.
func (p *Pull) full() object {
	commits, changes := p.difference()
	additions, deletions := 0, 0
	for _, c := range changes {
		patch := p.r.patch(c)
		additions, deletions = additions+patch.additions, deletions+patch.deletions
	}
	o := with(p.object(), object{
		"merged": p.merged, "mergeable": true, "rebaseable": true, "mergeable_state": "clean", "merged_by": nil,
		"comments": 0, "review_comments": 0, "maintainer_can_modify": false, "commits": len(commits),
		"additions": additions, "deletions": deletions, "changed_files": len(changes),
	})
	if p.merged {
		o["merged_by"], o["mergeable"], o["mergeable_state"] = p.g.simpleUser(p.mergedBy), nil, "unknown"
	}
	return o
}

// difference is what the pull request brings in since its merge base. Histories that do
// not meet bring in everything.
func (p *Pull) difference() ([]git.Commit, []git.Change) {
	base := ""
	if sha, err := p.r.objects.MergeBase(p.baseSHA, p.headSHA); err == nil {
		base = p.r.mustCommit(sha).Tree
	}
	changes, err := p.r.objects.Diff(base, p.r.mustCommit(p.headSHA).Tree)
	if err != nil {
		panic(fmt.Sprintf("githubtest: difference of pull request %d: %v", p.Number, err))
	}
	return p.r.objects.Log(p.baseSHA, p.headSHA), changes
}

// minimal renders the schema pull-request-minimal.
func (p *Pull) minimal() object {
	side := func(r *Repo, ref, sha string) object {
		return object{"ref": ref, "sha": sha, "repo": object{"id": r.id, "url": r.url(), "name": r.name}}
	}
	return object{
		"id": p.id, "number": p.Number, "url": fmt.Sprintf("%s/pulls/%d", p.r.url(), p.Number),
		"head": side(p.headRepo, p.headRef, p.headSHA), "base": side(p.r, p.baseRef, p.baseSHA),
	}
}

// pullsOf lists the open pull requests whose head is a commit, without those from forks:
// GitHub leaves them out of check runs and suites.
func (r *Repo) pullsOf(sha string) []object {
	list := []object{}
	for _, p := range r.orderedPulls() {
		if p.headSHA == sha && p.state == "open" && p.headRepo == r {
			list = append(list, p.minimal())
		}
	}
	return list
}

// association says how a user relates to the repository, in the words of author-association.
func (r *Repo) association(login string) string {
	switch role := r.role(login); {
	case r.owner.login == login:
		return "OWNER"
	case r.owner.members[login] != "":
		return "MEMBER"
	case role != "" && role != "pull":
		return "COLLABORATOR"
	default:
		return "NONE"
	}
}
