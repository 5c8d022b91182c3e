package githubtest

import (
	"slices"
	"time"
)

// Issue is an issue as stored. Readers get copies.
type Issue struct {
	// Number is unique among the pull requests and issues of the repository.
	Number      int
	Title       string
	Body        string
	State       string // "open" or "closed"
	StateReason string // "completed", "not_planned", "reopened", "duplicate" or ""
	Author      string
	Assignees   []string
	Labels      []string
	Comments    []Comment
	Created     time.Time
	Updated     time.Time
	Closed      time.Time

	id     int64
	locked bool
}

// Comment is a comment on an issue or pull request.
type Comment struct {
	ID        int64
	Author    string
	Body      string
	Created   time.Time
	Updated   time.Time
	Reactions []Reaction
}

// Reaction is an emoji somebody left on a comment: "+1", "eyes", "rocket" and so on.
type Reaction struct {
	ID      int64
	Author  string
	Content string
	Created time.Time
}

type label struct {
	id          int64
	name        string
	color       string
	description string
}

// Issues returns copies of all issues, by number. Pull requests are not among them.
func (r *Repo) Issues() []Issue {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	var list []Issue
	for _, i := range r.orderedIssues() {
		c := *i
		c.Assignees, c.Labels, c.Comments = slices.Clone(i.Assignees), slices.Clone(i.Labels), slices.Clone(i.Comments)
		list = append(list, c)
	}
	return list
}

func (r *Repo) orderedIssues() []*Issue {
	list := make([]*Issue, 0, len(r.issues))
	for _, i := range r.issues {
		list = append(list, i)
	}
	slices.SortFunc(list, func(a, b *Issue) int { return a.Number - b.Number })
	return list
}

// OpenIssue opens an issue as login and returns its number.
func (r *Repo) OpenIssue(login, title, body string, labels ...string) int {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	i := r.newIssue(r.g.account(login, "User"), title, body)
	r.setLabels(i, labels)
	r.g.emit(r.issueEvent("opened", i, r.g.account(login, "User"), nil))
	return i.Number
}

// CloseIssue closes an issue as login with a reason: "completed" or "not_planned".
func (r *Repo) CloseIssue(number int, login, reason string) {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	r.setIssueState(r.mustIssue(number), "closed", reason, r.g.account(login, "User"))
}

// ReopenIssue opens a closed issue again as login.
func (r *Repo) ReopenIssue(number int, login string) {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	r.setIssueState(r.mustIssue(number), "open", "reopened", r.g.account(login, "User"))
}

// Comment writes a comment on an issue or pull request as login and returns its id.
func (r *Repo) Comment(number int, login, body string) int64 {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	return r.comment(r.thread(number), r.g.account(login, "User"), body).ID
}

// EditComment changes a comment as login: what it was is lost.
func (r *Repo) EditComment(id int64, login, body string) {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	i, c := r.mustComment(id)
	before := c.Body
	c.Body, c.Updated = body, r.g.now()
	e := r.commentEvent("edited", i, c, r.g.account(login, "User"))
	e.body["changes"] = object{"body": object{"from": before}}
	r.g.emit(e)
}

// DeleteComment deletes a comment as login.
func (r *Repo) DeleteComment(id int64, login string) {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	i, c := r.mustComment(id)
	e := r.commentEvent("deleted", i, c, r.g.account(login, "User"))
	i.Comments = slices.DeleteFunc(i.Comments, func(x Comment) bool { return x.ID == id })
	r.g.emit(e)
}

func (r *Repo) mustComment(id int64) (*Issue, *Comment) {
	i, c := r.issueOf(id)
	if c == nil {
		panic("githubtest: no such comment in " + r.fullName())
	}
	return i, c
}

// Comments returns copies of the comments on an issue or pull request, oldest first.
func (r *Repo) Comments(number int) []Comment {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	return slices.Clone(r.thread(number).Comments)
}

// EditIssue changes the body of an issue as login.
func (r *Repo) EditIssue(number int, login, body string) {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	i := r.mustIssue(number)
	changes := object{"body": object{"from": i.Body}}
	i.Body, i.Updated = body, r.g.now()
	r.g.emit(r.issueEvent("edited", i, r.g.account(login, "User"), object{"changes": changes}))
}

// thread finds what comments on a number hang on; a pull request gets one when needed.
func (r *Repo) thread(number int) *Issue {
	p := r.pulls[number]
	if p == nil {
		return r.mustIssue(number)
	}
	if p.thread == nil {
		p.thread = &Issue{Number: p.Number, id: p.id}
	}
	return p.thread
}

func (r *Repo) mustIssue(number int) *Issue {
	i := r.issues[number]
	if i == nil {
		panic("githubtest: no such issue in " + r.fullName())
	}
	return i
}

func (r *Repo) newIssue(by *account, title, body string) *Issue {
	r.lastNumber++
	i := &Issue{
		Number: r.lastNumber, Title: title, Body: body, State: "open", Author: by.login,
		Created: r.g.now(), Updated: r.g.now(), id: r.g.id(),
	}
	r.issues[i.Number] = i
	return i
}

// setLabels replaces the labels of an issue, making those that do not exist, as GitHub
// does for users with write access.
func (r *Repo) setLabels(i *Issue, names []string) {
	i.Labels = nil
	for _, name := range names {
		if !slices.Contains(i.Labels, r.label(name).name) {
			i.Labels = append(i.Labels, r.label(name).name)
		}
	}
}

func (r *Repo) setIssueState(i *Issue, state, reason string, by *account) {
	if i.State == state {
		return
	}
	i.State, i.StateReason, i.Updated = state, reason, r.g.now()
	action := "reopened"
	i.Closed = time.Time{}
	if state == "closed" {
		action, i.Closed = "closed", r.g.now()
	}
	r.g.emit(r.issueEvent(action, i, by, nil))
}

func (r *Repo) comment(i *Issue, by *account, body string) *Comment {
	c := Comment{ID: r.g.id(), Author: by.login, Body: body, Created: r.g.now(), Updated: r.g.now()}
	i.Comments = append(i.Comments, c)
	i.Updated = r.g.now()
	r.g.emit(r.commentEvent("created", i, &c, by))
	return &i.Comments[len(i.Comments)-1]
}
