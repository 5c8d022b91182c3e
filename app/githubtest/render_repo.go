package githubtest

import "strings"

// links are the URLs every repository object has, below its own URL.
var links = [...][2]string{
	{"archive_url", "/{archive_format}{/ref}"}, {"assignees_url", "/assignees{/user}"}, {"blobs_url", "/git/blobs{/sha}"},
	{"branches_url", "/branches{/branch}"}, {"collaborators_url", "/collaborators{/collaborator}"},
	{"comments_url", "/comments{/number}"}, {"commits_url", "/commits{/sha}"}, {"compare_url", "/compare/{base}...{head}"},
	{"contents_url", "/contents/{+path}"}, {"contributors_url", "/contributors"}, {"deployments_url", "/deployments"},
	{"downloads_url", "/downloads"}, {"events_url", "/events"}, {"forks_url", "/forks"},
	{"git_commits_url", "/git/commits{/sha}"}, {"git_refs_url", "/git/refs{/sha}"}, {"git_tags_url", "/git/tags{/sha}"},
	{"hooks_url", "/hooks"}, {"issue_comment_url", "/issues/comments{/number}"}, {"issue_events_url", "/issues/events{/number}"},
	{"issues_url", "/issues{/number}"}, {"keys_url", "/keys{/key_id}"}, {"labels_url", "/labels{/name}"},
	{"languages_url", "/languages"}, {"merges_url", "/merges"}, {"milestones_url", "/milestones{/number}"},
	{"notifications_url", "/notifications{?since,all,participating}"}, {"pulls_url", "/pulls{/number}"},
	{"releases_url", "/releases{/id}"}, {"stargazers_url", "/stargazers"}, {"statuses_url", "/statuses/{sha}"},
	{"subscribers_url", "/subscribers"}, {"subscription_url", "/subscription"}, {"tags_url", "/tags"},
	{"teams_url", "/teams"}, {"trees_url", "/git/trees{/sha}"},
}

func (r *Repo) url() string { return r.g.apiRoot() + "/repos/" + r.fullName() }

func (r *Repo) html() string { return r.g.root() + "/" + r.fullName() }

// minimal renders the schema minimal-repository.
func (r *Repo) minimal() object {
	o := object{
		"id": r.id, "node_id": nodeID("Repository", r.id), "name": r.name, "full_name": r.fullName(),
		"owner": r.g.simpleUser(r.owner), "private": r.private, "html_url": r.html(), "description": nil,
		"fork": r.parent != nil, "url": r.url(),
	}
	for _, l := range links {
		o[l[0]] = r.url() + l[1]
	}
	return o
}

// object renders the schemas repository and repository-webhooks.
func (r *Repo) object() object {
	host := strings.TrimPrefix(r.g.root(), "http://")
	visibility := "public"
	if r.private {
		visibility = "private"
	}
	open := r.openIssues()
	return with(r.minimal(), object{
		"git_url": "git://" + host + "/" + r.fullName() + ".git", "ssh_url": "git@" + host + ":" + r.fullName() + ".git",
		"clone_url": r.html() + ".git", "svn_url": r.html(), "mirror_url": nil, "homepage": nil, "language": nil,
		"forks_count": 0, "stargazers_count": 0, "watchers_count": 0, "size": len(r.refs), "forks": 0, "watchers": 0,
		"default_branch": r.defaultBranch, "open_issues_count": open, "open_issues": open, "is_template": false, "topics": []string{},
		"has_issues": !r.issuesOff, "has_projects": true, "has_wiki": false, "has_pages": false, "has_downloads": true,
		"has_discussions": false, "archived": r.archived, "disabled": false, "visibility": visibility,
		"pushed_at": stamp(r.pushed), "created_at": stamp(r.created), "updated_at": stamp(r.pushed),
		"allow_rebase_merge": true, "allow_squash_merge": true, "allow_merge_commit": true, "allow_auto_merge": false,
		"delete_branch_on_merge": false, "allow_update_branch": false, "allow_forking": true,
		"web_commit_signoff_required": false, "license": nil, "custom_properties": object{},
	})
}

// full renders the schema full-repository.
func (r *Repo) full() object {
	o := with(r.object(), object{"subscribers_count": 0, "network_count": 0, "temp_clone_token": nil})
	if r.parent != nil {
		o["parent"], o["source"] = r.parent.object(), r.parent.object()
	}
	if r.owner.kind == "Organization" {
		o["organization"] = r.g.simpleUser(r.owner)
	}
	return o
}

// brief renders the five fields that installation events give of a repository.
func (r *Repo) brief() object {
	return only(r.minimal(), "id", "node_id", "name", "full_name", "private")
}

func (r *Repo) openIssues() int {
	n := 0
	for _, i := range r.issues {
		if i.State == "open" {
			n++
		}
	}
	for _, p := range r.pulls {
		if p.state == "open" {
			n++
		}
	}
	return n
}
