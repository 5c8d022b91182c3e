package workflows

import (
	"slices"
	"strings"

	"github.com/landwaiter/landwaiter/scanners/workflows/expression"
)

// truth is what is known of a condition. The zero truth is not known.
type truth int8

const (
	unknown truth = iota
	yes
	no
)

func (t truth) not() truth {
	switch t {
	case yes:
		return no
	case no:
		return yes
	}
	return unknown
}

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// scene is who does what when a condition is judged: a stranger, whose pull request comes from
// a fork, and one event.
type scene struct {
	event string // "" is the event of a caller, which is not known
	// authored are the parts of github.event that the stranger wrote: "pull_request", "comment".
	authored []string
	// weak believes conditions that keep most strangers out but can be got around: who acts,
	// which label there is, who commented, whether the pull request is merged.
	weak bool
	// code is set when the stranger's code is asked about: merged code has been accepted.
	code bool
}

// The parts of github.event that only some events have.
//
// Source: https://docs.github.com/webhooks/webhook-events-and-payloads.
var partEvents = map[string][]string{
	"pull_request":   {"pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment"},
	"issue":          {"issues", "issue_comment"},
	"comment":        {"issue_comment", "pull_request_review_comment", "commit_comment", "discussion_comment"},
	"review":         {"pull_request_review"},
	"review_comment": {"pull_request_review_comment"},
	"discussion":     {"discussion", "discussion_comment"},
	"pages":          {"gollum"},
	"commits":        {"push"},
	"head_commit":    {"push"},
	"workflow_run":   {"workflow_run"},
	"changes":        {"issues", "issue_comment", "pull_request", "pull_request_target", "discussion"},
	"inputs":         {"workflow_dispatch"},
	"client_payload": {"repository_dispatch"},
}

// judge says whether e holds in the scene.
func (c scene) judge(e *expression.Expr) truth {
	switch e.Kind {
	case expression.Literal:
		return truthOf(e.Value != "" && (e.Text || e.Value != "false" && e.Value != "null" && e.Value != "0" && e.Value != "NaN"))
	case expression.Not:
		return c.judge(e.Args[0]).not()
	case expression.And, expression.Or:
		return c.chain(e)
	case expression.Compare:
		return c.compare(e)
	case expression.Call:
		return c.call(e)
	}
	p := e.Path()
	switch {
	case p == nil:
	case isPath(p, "github.event.pull_request.head.repo.fork"):
		return truthOf(c.wrote("pull_request")).maybe()
	case isPath(p, "github.event.pull_request.merged") && c.wrote("pull_request") && (c.code || c.weak):
		return no
	case c.lacks(p):
		return no
	}
	return unknown
}

// maybe keeps a yes and makes a no unknown.
func (t truth) maybe() truth {
	if t == yes {
		return yes
	}
	return unknown
}

func (c scene) chain(e *expression.Expr) truth {
	stop := no
	if e.Kind == expression.Or {
		stop = yes
	}
	all := stop.not()
	for _, arg := range e.Args {
		switch c.judge(arg) {
		case stop:
			return stop
		case unknown:
			all = unknown
		}
	}
	return all
}

func (c scene) wrote(part string) bool { return slices.Contains(c.authored, part) }

// lacks reports whether the event surely has no such part, so that the path is null.
func (c scene) lacks(p []string) bool {
	if c.event == "" || len(p) < 2 || p[0] != "github" {
		return false
	}
	if p[1] == "head_ref" {
		return !strings.HasPrefix(c.event, "pull_request")
	}
	if p[1] != "event" || len(p) < 3 {
		return false
	}
	events, known := partEvents[p[2]]
	return known && p[2] != "changes" && !slices.Contains(events, c.event)
}

// compare judges a comparison of a path with a text or another path.
func (c scene) compare(e *expression.Expr) truth {
	if e.Value != "==" && e.Value != "!=" {
		return unknown
	}
	t := c.equal(e.Args[0], e.Args[1])
	if t == unknown {
		t = c.equal(e.Args[1], e.Args[0])
	}
	if e.Value == "!=" {
		return t.not()
	}
	return t
}

// equal reports whether the path on the left is what stands on the right.
func (c scene) equal(left, right *expression.Expr) truth {
	p := left.Path()
	if p == nil {
		return unknown
	}
	literal := right.Kind == expression.Literal
	value := strings.ToLower(right.Value)
	switch {
	case isPath(p, "github.event_name") && literal && c.event != "":
		return truthOf(c.event == value)
	case isPath(p, "github.event.pull_request.head.repo.fork") && literal && c.wrote("pull_request"):
		return truthOf(value == "true")
	case isPath(p, "github.event.pull_request.merged") && literal && c.wrote("pull_request") && (c.code || c.weak):
		return truthOf(value == "false")
	case c.isFork(p) && (literal || ours(right.Path())):
		return no
	case c.isAuthor(p) && (literal || ours(right.Path())):
		return no
	case isPath(p, "github.event.workflow_run.event") && literal && c.wrote("workflow_run") && slices.Contains(insiders, value):
		return no
	case (isPath(p, "github.ref") || isPath(p, "github.ref_name")) && literal:
		return c.ref(value)
	case c.isAssociation(p) && literal && trusts(right.Value):
		return no
	case c.weak && literal && (isActor(p) || isPath(p, "github.event.label.name")):
		return no
	case c.lacks(p) && literal && right.Text && right.Value != "":
		return no
	}
	return unknown
}

// insiders are events of a workflow run that no fork can cause.
var insiders = []string{"push", "schedule", "workflow_dispatch", "repository_dispatch", "release", "merge_group", "deployment", "create", "delete"}

// isFork reports whether the path names the repository or account that a stranger's pull
// request comes from. The name alone does not: a fork has the same.
func (c scene) isFork(p []string) bool {
	last := p[len(p)-1]
	identity := last == "full_name" || last == "id" || last == "node_id" || last == "login" || last == "html_url" || last == "url"
	return identity && (c.wrote("pull_request") && hasPrefix(p, "github.event.pull_request.head.") ||
		c.wrote("workflow_run") && hasPrefix(p, "github.event.workflow_run.head_repository."))
}

// isAuthor reports whether the path names the account that wrote what the stranger wrote.
func (c scene) isAuthor(p []string) bool {
	return len(p) == 5 && hasPrefix(p, "github.event.") && c.wrote(p[2]) && p[3] == "user" && (p[4] == "login" || p[4] == "id")
}

func (c scene) isAssociation(p []string) bool {
	return len(p) == 4 && hasPrefix(p, "github.event.") && p[3] == "author_association" && (c.weak || c.wrote(p[2]))
}

// isActor reports whether the path names who caused the event: not always who wrote what it
// is about.
func isActor(p []string) bool {
	return isPath(p, "github.actor") || isPath(p, "github.triggering_actor") || isPath(p, "github.actor_id") ||
		isPath(p, "github.event.sender.login") || isPath(p, "github.event.sender.id") ||
		len(p) == 5 && hasPrefix(p, "github.event.") && p[3] == "user" && p[4] == "login"
}

// ours reports whether a path names this repository or its owner.
func ours(p []string) bool {
	return isPath(p, "github.repository") || isPath(p, "github.repository_owner") || isPath(p, "github.repository_id") ||
		isPath(p, "github.repository_owner_id") || hasPrefix(p, "github.event.repository.") ||
		hasPrefix(p, "github.event.pull_request.base.") || hasPrefix(p, "github.event.workflow_run.repository.")
}

// associations are what GitHub calls the authors that have no rights. CONTRIBUTOR is whoever
// had one change accepted.
var associations = []string{"CONTRIBUTOR", "FIRST_TIMER", "FIRST_TIME_CONTRIBUTOR", "MANNEQUIN", "NONE"}

// trusts reports whether a text that names associations names only those with rights.
func trusts(text string) bool {
	return !slices.ContainsFunc(associations, func(name string) bool { return strings.Contains(strings.ToUpper(text), name) })
}

// ref judges github.ref and github.ref_name: of a pull request they are refs/pull/N/merge and
// N/merge, of comments and the like the default branch.
func (c scene) ref(value string) truth {
	if strings.HasPrefix(c.event, "pull_request") && c.event != "pull_request_target" && !strings.HasPrefix(value, "refs/pull/") && !strings.HasSuffix(value, "/merge") {
		return no
	}
	return unknown
}

// call judges the functions that conditions use to keep strangers out.
func (c scene) call(e *expression.Expr) truth {
	switch {
	case e.Value == "always":
		return yes
	case len(e.Args) != 2:
		return unknown
	case e.Value == "contains":
		return c.contains(e.Args[0], e.Args[1])
	case e.Value == "startswith" && isPath(e.Args[0].Path(), "github.ref") && e.Args[1].Text:
		return c.ref(strings.ToLower(e.Args[1].Value))
	case e.Value == "startswith" && isPath(e.Args[0].Path(), "github.event_name") && e.Args[1].Text && c.event != "":
		return truthOf(strings.HasPrefix(c.event, strings.ToLower(e.Args[1].Value)))
	case e.Value == "startswith" && isPath(e.Args[0].Path(), "github.event.pull_request.head.label") && e.Args[1].Text && strings.Contains(e.Args[1].Value, ":") && c.wrote("pull_request"):
		return no
	}
	return unknown
}

func (c scene) contains(in, what *expression.Expr) truth {
	list := in
	if in.Kind == expression.Call && in.Value == "fromjson" && len(in.Args) == 1 {
		list = in.Args[0]
	}
	p := what.Path()
	switch {
	case p != nil && list.Kind == expression.Literal && list.Text:
		switch {
		case isPath(p, "github.event_name") && c.event != "" && list != in:
			return truthOf(strings.Contains(strings.ToLower(list.Value), `"`+c.event+`"`))
		case c.isAssociation(p) && trusts(list.Value), c.isAuthor(p), c.isFork(p), c.weak && isActor(p):
			return no
		}
	case c.weak && isPath(in.Path(), "github.event.pull_request.labels.*.name"), c.weak && isPath(in.Path(), "github.event.issue.labels.*.name"):
		return no
	}
	return unknown
}

// isPath reports whether p is the dotted path. A filter in p stands only for itself.
func isPath(p []string, dotted string) bool { return p != nil && strings.Join(p, ".") == dotted }

// hasPrefix reports whether p lies below the dotted path, which ends with a dot.
func hasPrefix(p []string, dotted string) bool {
	return p != nil && strings.HasPrefix(strings.Join(p, "."), dotted)
}
