package githubtest

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxText is how long a body may be, in characters; GitHub answers 422 beyond.
const maxText = 65536

// maxAssignees is how many users one issue can be assigned to,
// docs.github.com/rest/issues/assignees#add-assignees-to-an-issue.
const maxAssignees = 10

func issueRoutes() []*route {
	return []*route{
		on("GET /repos/{owner}/{repo}/issues", "issues:read", tracked(listIssues)),
		on("POST /repos/{owner}/{repo}/issues", "issues:write", tracked(createIssue)),
		on("GET /repos/{owner}/{repo}/issues/{issue_number}", "issues:read", tracked(getIssue)),
		on("PATCH /repos/{owner}/{repo}/issues/{issue_number}", "issues:write", tracked(updateIssue)),
		on("GET /repos/{owner}/{repo}/issues/{issue_number}/comments", "issues:read|pull_requests:read", tracked(listComments)),
		on("POST /repos/{owner}/{repo}/issues/{issue_number}/comments", "issues:write|pull_requests:write", tracked(createComment)),
		on("GET /repos/{owner}/{repo}/issues/comments/{comment_id}", "issues:read|pull_requests:read", tracked(getComment)),
		on("PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}", "issues:write|pull_requests:write", tracked(updateComment)),
		on("GET /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions", "issues:read|pull_requests:read", tracked(listReactions)),
		on("POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions", "issues:write|pull_requests:write", tracked(createReaction)),
	}
}

// tracked refuses everything while the repository has no issue tracker.
func tracked(handle func(*request) reply) func(*request) reply {
	return func(q *request) reply {
		if q.repo.issuesOff {
			return refuse(http.StatusGone, "Issues has been disabled in this repository.")
		}
		return handle(q)
	}
}

func (q *request) issue() *Issue { return q.repo.issues[int(q.number("issue_number"))] }

// listIssues filters as GitHub does; pull requests are among the answers, newest first.
func listIssues(q *request) reply {
	query := q.URL.Query()
	var list []*Issue
	for _, i := range q.repo.orderedIssues() {
		if i.matches(query.Get("state"), query.Get("labels"), query.Get("creator"), query.Get("assignee"), query.Get("since")) {
			list = append(list, i)
		}
	}
	for _, p := range q.repo.orderedPulls() {
		i := &Issue{Number: p.Number, State: p.state, Author: p.author.login, Created: p.created, Updated: p.updated}
		if i.matches(query.Get("state"), query.Get("labels"), query.Get("creator"), query.Get("assignee"), query.Get("since")) {
			list = append(list, i)
		}
	}
	slices.SortFunc(list, func(a, b *Issue) int {
		if query.Get("sort") == "updated" {
			return cmp.Or(a.Updated.Compare(b.Updated), a.Number-b.Number)
		}
		return a.Number - b.Number
	})
	if query.Get("direction") != "asc" {
		slices.Reverse(list)
	}
	return listed(q, list, q.repo.issueOrPull)
}

func (i *Issue) matches(state, labels, creator, assignee, since string) bool {
	if state = cmp.Or(state, "open"); state != "all" && state != i.State {
		return false
	}
	if labels != "" {
		for name := range strings.SplitSeq(labels, ",") {
			if !slices.ContainsFunc(i.Labels, func(l string) bool { return strings.EqualFold(l, name) }) {
				return false
			}
		}
	}
	if creator != "" && !strings.EqualFold(creator, i.Author) {
		return false
	}
	if assignee != "" && assignee != "*" && !slices.ContainsFunc(i.Assignees, func(a string) bool { return strings.EqualFold(a, assignee) }) {
		return false
	}
	after, err := time.Parse(time.RFC3339, since)
	return err != nil || !i.Updated.Before(after)
}

// issueRequest is the body of a create or update; absent fields are nil.
type issueRequest struct {
	Title       any       `json:"title"`
	Body        *string   `json:"body"`
	State       *string   `json:"state"`
	StateReason *string   `json:"state_reason"`
	Labels      *[]any    `json:"labels"`
	Assignees   *[]string `json:"assignees"`
}

func (w *issueRequest) title() string {
	switch t := w.Title.(type) {
	case string:
		return t
	case float64:
		return strconv.FormatFloat(t, 'f', -1, 64)
	default:
		return ""
	}
}

func (w *issueRequest) labels() []string {
	var names []string
	for _, l := range *w.Labels {
		switch l := l.(type) {
		case string:
			names = append(names, l)
		case object:
			if name, ok := l["name"].(string); ok {
				names = append(names, name)
			}
		}
	}
	return names
}

// check refuses what GitHub refuses: long bodies, and people who cannot be assigned.
func (q *request) check(w *issueRequest) (reply, bool) {
	if w.Body != nil && len([]rune(*w.Body)) > maxText {
		return invalid(problem{resource: "Issue", field: "body", code: "custom", message: "body is too long (maximum is 65536 characters)"}), false
	}
	if w.Assignees == nil {
		return reply{}, true
	}
	for _, login := range *w.Assignees {
		if !q.repo.assignable(login) {
			return invalid(problem{resource: "Issue", field: "assignees", code: "invalid", value: login}), false
		}
	}
	if len(*w.Assignees) > maxAssignees {
		return invalid(problem{resource: "Issue", field: "assignees", code: "invalid", message: "at most 10 assignees"}), false
	}
	return reply{}, true
}

// assignable says whether a user can be given an issue: users with push access, members
// of the organisation that owns the repository.
func (r *Repo) assignable(login string) bool {
	a := r.g.accounts[strings.ToLower(login)]
	if a == nil || a.kind != "User" {
		return false
	}
	role := r.role(login)
	return role != "" && role != "pull" || r.owner.members[strings.ToLower(login)] != "" || r.collaborators[strings.ToLower(login)] != ""
}

func createIssue(q *request) reply {
	var w issueRequest
	if a, fine := q.decode(&w); !fine {
		return a
	}
	if w.title() == "" {
		return invalid(problem{resource: "Issue", field: "title", code: "missing_field"})
	}
	if a, fine := q.check(&w); !fine {
		return a
	}
	i := q.repo.newIssue(q.actor(), w.title(), "")
	set(&i.Body, w.Body)
	if w.Labels != nil {
		q.repo.setLabels(i, w.labels())
	}
	if w.Assignees != nil {
		i.Assignees = *w.Assignees
	}
	q.g.emit(q.repo.issueEvent("opened", i, q.actor(), nil))
	return created(q.repo.issue(i))
}

func getIssue(q *request) reply {
	if p := q.repo.pulls[int(q.number("issue_number"))]; p != nil {
		return ok(q.repo.pullIssue(p))
	}
	i := q.issue()
	if i == nil {
		return notFound()
	}
	return ok(q.repo.issue(i))
}

func updateIssue(q *request) reply {
	i := q.issue()
	if i == nil {
		return notFound()
	}
	var w issueRequest
	if a, fine := q.decode(&w); !fine {
		return a
	}
	if a, fine := q.check(&w); !fine {
		return a
	}
	changes := object{}
	if t := w.title(); t != "" && t != i.Title {
		changes["title"], i.Title = object{"from": i.Title}, t
	}
	if w.Body != nil && *w.Body != i.Body {
		changes["body"], i.Body = object{"from": i.Body}, *w.Body
	}
	if w.Labels != nil {
		q.repo.setLabels(i, w.labels())
	}
	if w.Assignees != nil {
		i.Assignees = *w.Assignees
	}
	i.Updated = q.g.now()
	if len(changes) > 0 {
		q.g.emit(q.repo.issueEvent("edited", i, q.actor(), object{"changes": changes}))
	}
	if w.State != nil {
		reason := map[string]string{"open": "reopened", "closed": "completed"}[*w.State]
		set(&reason, w.StateReason)
		q.repo.setIssueState(i, *w.State, reason, q.actor())
	}
	return ok(q.repo.issue(i))
}
