package githubtest

// Event makes a pull_request event that shows the pull request as it is now.
func (p *Pull) Event(action string) Event {
	p.g.mu.Lock()
	defer p.g.mu.Unlock()
	parts := object{}
	switch action {
	case "synchronize":
		before := p.headSHA
		if c := p.r.mustCommit(p.headSHA); len(c.Parents) > 0 {
			before = c.Parents[0]
		}
		parts = object{"before": before, "after": p.headSHA}
	case "edited":
		parts = object{"changes": object{"title": object{"from": p.title}}}
	}
	return p.event(action, p.author, parts)
}

// PushEvent makes a push event for the last commit of a branch or tag, by its full ref name.
func (r *Repo) PushEvent(ref string) Event {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	before := ""
	if c := r.mustCommit(r.refs[ref]); len(c.Parents) > 0 {
		before = c.Parents[0]
	}
	return r.pushEvent(ref, before, r.refs[ref], r.g.account("mona", "User"))
}

// Event makes a merge_group event: "checks_requested" or "destroyed".
func (m *MergeGroup) Event(action string) Event {
	m.r.g.mu.Lock()
	defer m.r.g.mu.Unlock()
	e := m.event(action)
	if action == "destroyed" {
		e.body["reason"] = "invalidated"
	}
	return e
}

// CheckRunEvent makes a check_run event by login: "created", "completed", "rerequested" or
// "requested_action".
func (r *Repo) CheckRunEvent(id int64, action, login string) Event {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	parts := object{}
	if action == "requested_action" {
		parts["requested_action"] = object{"identifier": "recheck"}
	}
	return r.runEvent(action, r.mustRun(id), r.g.account(login, "User"), parts)
}

// CheckSuiteEvent makes a check_suite event by mona: "requested", "rerequested" or "completed".
func (r *Repo) CheckSuiteEvent(sha, action string) Event {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	s, _ := r.suite(r.mustCommit(sha).SHA, "")
	return r.suiteEvent(action, s, r.g.account("mona", "User"))
}

// Event makes a repository event: "renamed", "transferred", "privatized", "publicized",
// "archived", "unarchived", "deleted" or "created".
func (r *Repo) Event(action string) Event {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	parts := object{}
	switch action {
	case "renamed":
		parts["changes"] = object{"repository": object{"name": object{"from": r.name}}}
	case "transferred":
		parts["changes"] = object{"owner": object{"from": object{"user": r.g.simpleUser(r.owner)}}}
	}
	return r.event("repository", action, r.owner, parts)
}

// Event makes a release event: "created", "published", "released", "prereleased", "edited",
// "deleted" or "unpublished".
func (rel *Release) Event(action string) Event {
	rel.g.mu.Lock()
	defer rel.g.mu.Unlock()
	parts := object{}
	if action == "edited" {
		parts["changes"] = object{"body": object{"from": rel.body}}
	}
	return rel.event(action, rel.author, parts)
}

// Event makes an installation event: "created", "deleted", "suspend", "unsuspend" or
// "new_permissions_accepted".
func (i *Installation) Event(action string) Event {
	i.g.mu.Lock()
	defer i.g.mu.Unlock()
	return i.event("installation", action, object{"repositories": i.brief(i.repositories()), "requester": nil})
}

// RepositoriesEvent makes an installation_repositories event, "added" or "removed", about
// every repository of the installation.
func (i *Installation) RepositoriesEvent(action string) Event {
	i.g.mu.Lock()
	defer i.g.mu.Unlock()
	parts := object{
		"repository_selection": "selected", "requester": nil,
		"repositories_added": []object{}, "repositories_removed": []object{},
	}
	parts["repositories_"+action] = i.brief(i.repositories())
	return i.event("installation_repositories", action, parts)
}

// IssueEvent makes an issues event by login: "opened", "edited", "closed", "reopened",
// "deleted", "labeled" and so on.
func (r *Repo) IssueEvent(number int, action, login string) Event {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	parts := object{}
	if action == "edited" {
		parts["changes"] = object{}
	}
	return r.issueEvent(action, r.mustIssue(number), r.g.account(login, "User"), parts)
}

// CommentEvent makes an issue_comment event by the comment's author: "created", "edited" or "deleted".
func (r *Repo) CommentEvent(id int64, action string) Event {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	i, c := r.issueOf(id)
	if c == nil {
		panic("githubtest: no such comment in " + r.fullName())
	}
	e := r.commentEvent(action, i, c, r.g.account(c.Author, "User"))
	if action == "edited" {
		e.body["changes"] = object{"body": object{"from": ""}}
	}
	return e
}

// Event makes the deployment_protection_rule event, "requested".
func (d *Deployment) Event() Event {
	d.r.g.mu.Lock()
	defer d.r.g.mu.Unlock()
	return d.event()
}

// PingEvent makes the ping that GitHub sends when the App's webhook is set up.
func (g *GitHub) PingEvent() Event {
	g.mu.Lock()
	defer g.mu.Unlock()
	return Event{Name: "ping", body: object{
		"zen": "Keep it logically awesome.", "hook_id": hookID,
		"hook": object{
			"type": "App", "id": hookID, "name": "web", "active": true, "events": g.events(), "app_id": g.opts.AppID,
			"config":     object{"content_type": "json", "insecure_ssl": "0", "secret": "********", "url": g.hooks.url},
			"updated_at": stamp(g.appCreated), "created_at": stamp(g.appCreated),
			"deliveries_url": g.apiRoot() + "/app/hook/deliveries",
		},
	}}
}
