package githubtest

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// label finds or makes a label; names are equal without regard to case.
func (r *Repo) label(name string) *label {
	key := strings.ToLower(name)
	if r.labels[key] == nil {
		r.labels[key] = &label{id: r.g.id(), name: name, color: "ededed"}
	}
	return r.labels[key]
}

// labelObject renders the schema label.
func (r *Repo) labelObject(l *label) object {
	return object{
		"id": l.id, "node_id": nodeID("Label", l.id), "url": r.url() + "/labels/" + url.PathEscape(l.name),
		"name": l.name, "description": orNil(l.description), "color": l.color, "default": false,
	}
}

// issue renders the schema issue.
func (r *Repo) issue(i *Issue) object {
	u := fmt.Sprintf("%s/issues/%d", r.url(), i.Number)
	assignees := each(i.Assignees, func(login string) object { return r.g.simpleUser(r.g.account(login, "User")) })
	o := object{
		"id": i.id, "node_id": nodeID("Issue", i.id), "url": u, "repository_url": r.url(), "labels_url": u + "/labels{/name}",
		"comments_url": u + "/comments", "events_url": u + "/events", "timeline_url": u + "/timeline",
		"html_url": fmt.Sprintf("%s/issues/%d", r.html(), i.Number), "number": i.Number, "state": i.State,
		"state_reason": orNil(i.StateReason), "title": i.Title, "body": orNil(i.Body), "user": r.g.userObject(i.Author),
		"labels":   each(i.Labels, func(name string) object { return r.labelObject(r.label(name)) }),
		"assignee": nil, "assignees": assignees, "milestone": nil, "locked": i.locked, "active_lock_reason": nil,
		"comments": len(i.Comments), "closed_at": stampOrNil(i.Closed), "created_at": stamp(i.Created), "updated_at": stamp(i.Updated),
		"author_association": r.association(i.Author), "reactions": reactions(u, nil), "performed_via_github_app": r.g.viaApp(i.Author),
	}
	if len(assignees) > 0 {
		o["assignee"] = assignees[0]
	}
	return o
}

// pullIssue renders a pull request in the shape of the schema issue.
func (r *Repo) pullIssue(p *Pull) object {
	i := &Issue{
		Number: p.Number, Title: p.title, Body: p.body, State: p.state, Author: p.author.login,
		Created: p.created, Updated: p.updated, Closed: p.closed, id: p.id,
	}
	if p.thread != nil {
		i.Comments = p.thread.Comments
	}
	pull := p.object()
	return with(r.issue(i), object{
		"html_url": pull["html_url"], "draft": p.draft,
		"pull_request": only(pull, "url", "html_url", "diff_url", "patch_url", "merged_at"),
	})
}

// commentObject renders the schema issue-comment.
func (r *Repo) commentObject(number int, c *Comment) object {
	u := fmt.Sprintf("%s/issues/comments/%d", r.url(), c.ID)
	return object{
		"id": c.ID, "node_id": nodeID("IssueComment", c.ID), "url": u, "body": c.Body, "user": r.g.userObject(c.Author),
		"html_url":   fmt.Sprintf("%s/issues/%d#issuecomment-%d", r.html(), number, c.ID),
		"created_at": stamp(c.Created), "updated_at": stamp(c.Updated), "issue_url": fmt.Sprintf("%s/issues/%d", r.url(), number),
		"author_association": r.association(c.Author), "reactions": reactions(u, c.Reactions),
		"performed_via_github_app": r.g.viaApp(c.Author),
	}
}

// emoji are the reactions GitHub knows.
var emoji = [...]string{"+1", "-1", "laugh", "confused", "heart", "hooray", "eyes", "rocket"}

func reactions(of string, list []Reaction) object {
	o := object{"url": of + "/reactions", "total_count": len(list)}
	for _, e := range emoji {
		o[e] = 0
	}
	for _, r := range list {
		n, _ := o[r.Content].(int)
		o[r.Content] = n + 1
	}
	return o
}

// reactionObject renders the schema reaction.
func (r *Repo) reactionObject(x Reaction) object {
	return object{
		"id": x.ID, "node_id": nodeID("Reaction", x.ID), "user": r.g.userObject(x.Author), "content": x.Content,
		"created_at": stamp(x.Created),
	}
}

// userObject renders an author by login; one whose account is gone is GitHub's ghost.
func (g *GitHub) userObject(login string) object {
	a := g.accounts[strings.ToLower(login)]
	if a == nil {
		a = g.account("ghost", "User")
	}
	return g.simpleUser(a)
}

// viaApp is the App for what it wrote itself, null for people.
func (g *GitHub) viaApp(login string) any {
	if login != g.bot().login {
		return nil
	}
	return g.app(false)
}

// issueOf finds a comment and the issue, or thread of a pull request, it is on.
func (r *Repo) issueOf(comment int64) (*Issue, *Comment) {
	threads := slices.Collect(maps.Values(r.issues))
	for _, p := range r.pulls {
		if p.thread != nil {
			threads = append(threads, p.thread)
		}
	}
	for _, i := range threads {
		at := slices.IndexFunc(i.Comments, func(c Comment) bool { return c.ID == comment })
		if at >= 0 {
			return i, &i.Comments[at]
		}
	}
	return nil, nil
}
