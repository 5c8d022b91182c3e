package githubtest

import (
	"maps"
	"slices"
	"strings"
)

func labelRoutes() []*route {
	return []*route{
		on("GET /repos/{owner}/{repo}/labels", "issues:read|pull_requests:read", listLabels),
		on("POST /repos/{owner}/{repo}/labels", "issues:write|pull_requests:write", createLabel),
		on("GET /repos/{owner}/{repo}/labels/{name}", "issues:read|pull_requests:read", getLabel),
		on("PATCH /repos/{owner}/{repo}/labels/{name}", "issues:write|pull_requests:write", updateLabel),
		on("GET /repos/{owner}/{repo}/issues/{issue_number}/labels", "issues:read|pull_requests:read", tracked(listIssueLabels)),
		on("POST /repos/{owner}/{repo}/issues/{issue_number}/labels", "issues:write|pull_requests:write", tracked(addIssueLabels)),
		on("PUT /repos/{owner}/{repo}/issues/{issue_number}/labels", "issues:write|pull_requests:write", tracked(setIssueLabels)),
		on("DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}", "issues:write|pull_requests:write", tracked(removeIssueLabel)),
		on("POST /repos/{owner}/{repo}/issues/{issue_number}/assignees", "issues:write|pull_requests:write", tracked(addAssignees)),
		on("DELETE /repos/{owner}/{repo}/issues/{issue_number}/assignees", "issues:write|pull_requests:write", tracked(removeAssignees)),
	}
}

func listLabels(q *request) reply {
	var list []*label
	for _, key := range slices.Sorted(maps.Keys(q.repo.labels)) {
		list = append(list, q.repo.labels[key])
	}
	return listed(q, list, q.repo.labelObject)
}

// labelRequest is the body of a new or changed label; absent fields are nil.
type labelRequest struct {
	Name        *string `json:"name"`
	NewName     *string `json:"new_name"`
	Color       *string `json:"color"`
	Description *string `json:"description"`
}

func createLabel(q *request) reply {
	var w labelRequest
	if a, fine := q.decode(&w); !fine {
		return a
	}
	if w.Name == nil || *w.Name == "" {
		return invalid(problem{resource: "Label", field: "name", code: "missing_field"})
	}
	if q.repo.labels[strings.ToLower(*w.Name)] != nil {
		return invalid(problem{resource: "Label", field: "name", code: "already_exists"})
	}
	if a, fine := w.check(); !fine {
		return a
	}
	l := q.repo.label(*w.Name)
	set(&l.color, w.Color)
	set(&l.description, w.Description)
	return created(q.repo.labelObject(l))
}

// check refuses colours that are not six hexadecimal digits and descriptions above 100
// characters, docs.github.com/rest/issues/labels#create-a-label.
func (w *labelRequest) check() (reply, bool) {
	if w.Color != nil && (len(*w.Color) != 6 || strings.Trim(strings.ToLower(*w.Color), "0123456789abcdef") != "") {
		return invalid(problem{resource: "Label", field: "color", code: "invalid"}), false
	}
	if w.Description != nil && len([]rune(*w.Description)) > 100 {
		return invalid(problem{resource: "Label", field: "description", code: "invalid"}), false
	}
	return reply{}, true
}

func getLabel(q *request) reply {
	l := q.repo.labels[strings.ToLower(q.params["name"])]
	if l == nil {
		return notFound()
	}
	return ok(q.repo.labelObject(l))
}

func updateLabel(q *request) reply {
	key := strings.ToLower(q.params["name"])
	l := q.repo.labels[key]
	if l == nil {
		return notFound()
	}
	var w labelRequest
	if a, fine := q.decode(&w); !fine {
		return a
	}
	if a, fine := w.check(); !fine {
		return a
	}
	old := l.name
	set(&l.name, w.NewName)
	set(&l.color, w.Color)
	set(&l.description, w.Description)
	delete(q.repo.labels, key)
	q.repo.labels[strings.ToLower(l.name)] = l
	for _, i := range q.repo.issues {
		if at := slices.Index(i.Labels, old); at >= 0 {
			i.Labels[at] = l.name
		}
	}
	return ok(q.repo.labelObject(l))
}

func (q *request) labelsOf(i *Issue) []object {
	return each(i.Labels, func(name string) object { return q.repo.labelObject(q.repo.label(name)) })
}

func listIssueLabels(q *request) reply {
	i := q.issue()
	if i == nil {
		return notFound()
	}
	return ok(q.labelsOf(i))
}

// labelNames reads a body that is {"labels": [...]} or a bare list, as GitHub takes both.
func (q *request) labelNames() ([]string, reply, bool) {
	var wrapped struct {
		Labels []string `json:"labels"`
	}
	if strings.HasPrefix(strings.TrimSpace(string(q.body)), "[") {
		a, fine := q.decode(&wrapped.Labels)
		return wrapped.Labels, a, fine
	}
	a, fine := q.decode(&wrapped)
	return wrapped.Labels, a, fine
}

func addIssueLabels(q *request) reply { return q.relabel(func(i *Issue) []string { return i.Labels }) }

func setIssueLabels(q *request) reply { return q.relabel(func(*Issue) []string { return nil }) }

// relabel sets the labels that keep returns and those of the body.
func (q *request) relabel(keep func(*Issue) []string) reply {
	i := q.issue()
	if i == nil {
		return notFound()
	}
	names, a, fine := q.labelNames()
	if !fine {
		return a
	}
	q.repo.setLabels(i, append(slices.Clone(keep(i)), names...))
	i.Updated = q.g.now()
	return ok(q.labelsOf(i))
}

func removeIssueLabel(q *request) reply {
	i := q.issue()
	if i == nil {
		return notFound()
	}
	before := len(i.Labels)
	i.Labels = slices.DeleteFunc(i.Labels, func(l string) bool { return strings.EqualFold(l, q.params["name"]) })
	if len(i.Labels) == before {
		return refuse(404, "Label does not exist")
	}
	return ok(q.labelsOf(i))
}

// addAssignees leaves out, without a word, people who cannot be assigned.
func addAssignees(q *request) reply {
	return q.reassign(func(i *Issue, login string) {
		if q.repo.assignable(login) && !slices.Contains(i.Assignees, login) && len(i.Assignees) < maxAssignees {
			i.Assignees = append(i.Assignees, login)
		}
	}, created)
}

func removeAssignees(q *request) reply {
	return q.reassign(func(i *Issue, login string) {
		i.Assignees = slices.DeleteFunc(i.Assignees, func(a string) bool { return strings.EqualFold(a, login) })
	}, ok)
}

func (q *request) reassign(change func(*Issue, string), answer func(any) reply) reply {
	i := q.issue()
	if i == nil {
		return notFound()
	}
	var w struct {
		Assignees []string `json:"assignees"`
	}
	if a, fine := q.decode(&w); !fine {
		return a
	}
	for _, login := range w.Assignees {
		change(i, login)
	}
	i.Updated = q.g.now()
	return answer(q.repo.issue(i))
}
