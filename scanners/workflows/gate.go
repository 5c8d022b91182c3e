package workflows

import (
	"slices"
	"strings"

	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
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

// gateKey is a job in a scene. What is known of it is asked for each step.
type gateKey struct {
	j          *job
	event      string
	authored   string
	weak, code bool
}

// gate is what is known of a job in a scene.
type gate struct {
	shut    bool // the job never runs
	refused int  // the position of the first step that surely ends it, or how many steps there are
}

// excluded reports whether j never reaches s in a scene.
func (a *analysis) excluded(j *job, s *step, c scene) bool {
	g := a.gate(j, c, 0)
	if g.shut {
		return true
	}
	condition, always := a.condition(s.node.Get("if"), c)
	return condition == no || !always && g.refused < s.at
}

// gate judges the condition of a job, those of the jobs that it needs, and its steps.
func (a *analysis) gate(j *job, c scene, depth int) gate {
	k := gateKey{j, c.event, strings.Join(c.authored, " "), c.weak, c.code}
	if g, ok := a.gates[k]; ok {
		return g
	}
	g := gate{refused: len(j.steps)}
	a.gates[k] = g // jobs that need each other never run; here they find this one open
	condition, always := a.condition(j.node.Get("if"), c)
	g.shut = condition == no
	for _, id := range j.needs {
		need := a.w.jobs[strings.ToLower(id)]
		if g.shut || always || need == nil || depth >= maxFollowed || !a.spend(1, j.node.Line()) {
			continue
		}
		before := a.gate(need, c, depth+1)
		g.shut = before.shut || before.refused < len(need.steps)
	}
	if !g.shut {
		if at := slices.IndexFunc(j.steps, func(s *step) bool { return a.refuses(s, c) }); at >= 0 {
			g.refused = at
		}
	}
	a.gates[k] = g
	return g
}

// refuses reports whether a step surely ends its job: it runs `exit 1` under a condition that
// holds for the stranger. In a weak scene a step that asks for the actor's permission does too.
func (a *analysis) refuses(s *step, c scene) bool {
	script := s.run.Text()
	if !a.spend(1+len(script)/64, s.node.Line()) || s.node.Get("continue-on-error").True() {
		return false
	}
	if c.weak && (asksPermission(s.uses) || strings.Contains(script, "/collaborators/") && strings.Contains(script, "permission")) {
		return true
	}
	if t, _ := a.condition(s.node.Get("if"), c); t != yes {
		return false
	}
	lines := strings.Split(strings.TrimSpace(script), "\n")
	last := strings.TrimSpace(lines[len(lines)-1])
	return last == "exit 1" || last == "false" || strings.HasSuffix(last, "; exit 1") || strings.HasSuffix(last, "&& exit 1")
}

// asksPermission knows actions that fail, or tell, when the actor has no write permission.
func asksPermission(uses string) bool {
	name, _, _ := strings.Cut(strings.ToLower(uses), "@")
	_, repository, _ := strings.Cut(name, "/")
	return strings.Contains(repository, "permission") || strings.Contains(repository, "team-member") ||
		strings.Contains(repository, "membership")
}

// condition judges an `if:`. Without one, nothing is known against it: yes. always is set when
// it asks for the state of earlier jobs or steps itself, so that their failure does not stop it.
func (a *analysis) condition(n syntax.Node, c scene) (t truth, always bool) {
	switch n.Kind() {
	case syntax.Absent, syntax.Null:
		return yes, false
	case syntax.Bool:
		return truthOf(n.True()), false
	case syntax.Text:
	default:
		return unknown, false
	}
	text := strings.TrimSpace(n.Text())
	if !a.spend(1+len(text)/64, n.Line()) {
		return unknown, false
	}
	var e *expr
	if strings.HasPrefix(text, "${{") {
		found := templates(text)
		if len(found) != 1 || found[0].err != nil || len(found[0].raw) != len(text) {
			return unknown, true // text around an expression makes the whole true, always
		}
		e = found[0].e
	} else {
		known, err := parseCondition(text)
		if err != nil || strings.Contains(text, "${{") {
			return unknown, true
		}
		e = known
	}
	return c.judge(e), e.callsStatus()
}

// callsStatus reports whether e calls one of the functions that replace the success() that
// GitHub puts before each condition without one.
func (e *expr) callsStatus() bool {
	if e.kind == exprCall && (e.value == "always" || e.value == "failure" || e.value == "cancelled") {
		return true
	}
	return slices.ContainsFunc(e.args, (*expr).callsStatus)
}

// judge says whether e holds in the scene.
func (c scene) judge(e *expr) truth {
	switch e.kind {
	case exprLiteral:
		return truthOf(e.value != "" && (e.text || e.value != "false" && e.value != "null" && e.value != "0" && e.value != "NaN"))
	case exprNot:
		return c.judge(e.args[0]).not()
	case exprAnd, exprOr:
		return c.chain(e)
	case exprCompare:
		return c.compare(e)
	case exprCall:
		return c.call(e)
	}
	p := e.path()
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

func (c scene) chain(e *expr) truth {
	stop := no
	if e.kind == exprOr {
		stop = yes
	}
	all := stop.not()
	for _, arg := range e.args {
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
func (c scene) compare(e *expr) truth {
	if e.value != "==" && e.value != "!=" {
		return unknown
	}
	t := c.equal(e.args[0], e.args[1])
	if t == unknown {
		t = c.equal(e.args[1], e.args[0])
	}
	if e.value == "!=" {
		return t.not()
	}
	return t
}

// equal reports whether the path on the left is what stands on the right.
func (c scene) equal(left, right *expr) truth {
	p := left.path()
	if p == nil {
		return unknown
	}
	literal := right.kind == exprLiteral
	value := strings.ToLower(right.value)
	switch {
	case isPath(p, "github.event_name") && literal && c.event != "":
		return truthOf(c.event == value)
	case isPath(p, "github.event.pull_request.head.repo.fork") && literal && c.wrote("pull_request"):
		return truthOf(value == "true")
	case isPath(p, "github.event.pull_request.merged") && literal && c.wrote("pull_request") && (c.code || c.weak):
		return truthOf(value == "false")
	case c.isFork(p) && (literal || ours(right.path())):
		return no
	case c.isAuthor(p) && (literal || ours(right.path())):
		return no
	case isPath(p, "github.event.workflow_run.event") && literal && c.wrote("workflow_run") && slices.Contains(insiders, value):
		return no
	case (isPath(p, "github.ref") || isPath(p, "github.ref_name")) && literal:
		return c.ref(value)
	case c.isAssociation(p) && literal && trusts(right.value):
		return no
	case c.weak && literal && (isActor(p) || isPath(p, "github.event.label.name")):
		return no
	case c.lacks(p) && literal && right.text && right.value != "":
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
func (c scene) call(e *expr) truth {
	switch {
	case e.value == "always":
		return yes
	case len(e.args) != 2:
		return unknown
	case e.value == "contains":
		return c.contains(e.args[0], e.args[1])
	case e.value == "startswith" && isPath(e.args[0].path(), "github.ref") && e.args[1].text:
		return c.ref(strings.ToLower(e.args[1].value))
	case e.value == "startswith" && isPath(e.args[0].path(), "github.event_name") && e.args[1].text && c.event != "":
		return truthOf(strings.HasPrefix(c.event, strings.ToLower(e.args[1].value)))
	case e.value == "startswith" && isPath(e.args[0].path(), "github.event.pull_request.head.label") && e.args[1].text && strings.Contains(e.args[1].value, ":") && c.wrote("pull_request"):
		return no
	}
	return unknown
}

func (c scene) contains(in, what *expr) truth {
	list := in
	if in.kind == exprCall && in.value == "fromjson" && len(in.args) == 1 {
		list = in.args[0]
	}
	p := what.path()
	switch {
	case p != nil && list.kind == exprLiteral && list.text:
		switch {
		case isPath(p, "github.event_name") && c.event != "" && list != in:
			return truthOf(strings.Contains(strings.ToLower(list.value), `"`+c.event+`"`))
		case c.isAssociation(p) && trusts(list.value), c.isAuthor(p), c.isFork(p), c.weak && isActor(p):
			return no
		}
	case c.weak && isPath(in.path(), "github.event.pull_request.labels.*.name"), c.weak && isPath(in.path(), "github.event.issue.labels.*.name"):
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
