package workflows

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
	"github.com/landwaiter/landwaiter/scanners/workflows/expression"
)

// privileged are the events that run in the name of the repository, with its secrets and a
// token that may write, although strangers cause them with a pull request at hand.
//
// Source: https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows.
var privileged = []string{"pull_request_target", "workflow_run", "issue_comment"}

// taken is a step that puts the code of a pull request on the disk.
type taken struct {
	step   *step
	source source
	line   int
	folder string // below the workspace; "" is the workspace itself
	// rest is what the same script does after that.
	rest []command
	// byName is set when only the name of the stranger's branch is taken: a branch of that name
	// in this repository, or the pull request itself when the name is refs/pull/N/head.
	byName bool
}

// checkout tells of jobs that take a stranger's code on a privileged event, the first time for
// each name of the code.
func (a *analysis) checkout(j *job) {
	for _, e := range a.w.events {
		if !slices.Contains(privileged, e.name) {
			continue
		}
		for _, s := range j.steps {
			t, ok := a.takes(j, s, e.name)
			if !ok {
				continue
			}
			scene := t.source.sceneOf(e.name)
			scene.code = true
			if a.excluded(j, s, scene) {
				continue
			}
			subject := j.label + ": " + t.source.shown()
			if a.once(inventory.RuleCheckout, subject) {
				scene.weak = true
				a.addCheckout(j, t, e, subject, a.excluded(j, s, scene) || a.gated(j, e))
			}
		}
	}
}

// isBranch reports whether a head is the name of a branch.
func (s source) isBranch() bool {
	return strings.HasSuffix(s.path, "head_ref") || strings.HasSuffix(s.path, ".head.ref") || strings.HasSuffix(s.path, ".head_branch")
}

func (s source) shown() string {
	if s.via != "" {
		return s.via
	}
	return s.path
}

// takes reports whether a step takes a stranger's code.
func (a *analysis) takes(j *job, s *step, event string) (taken, bool) {
	c := cursor{j: j, s: s, event: event}
	action, _, _ := strings.Cut(strings.ToLower(s.uses), "@")
	if _, name, ok := strings.Cut(action, "/"); ok && strings.Contains(name, "checkout") {
		for _, key := range []string{"ref", "repository", "commit"} {
			n := member(s.with, key)
			if found := a.headIn(n.Text(), c); len(found) > 0 {
				return taken{
					step: s, source: found[0], line: a.in(n).find("${{"), folder: folder(member(s.with, "path").Text()),
					byName: found[0].isBranch() && key == "ref" && len(a.headIn(member(s.with, "repository").Text(), c)) == 0,
				}, true
			}
		}
		return taken{}, false
	}
	if s.run.Kind() == syntax.Text {
		return a.takesByScript(s, c)
	}
	return taken{}, false
}

// headIn returns the heads of pull requests that a text names: by commit or branch, or as
// refs/pull/N.
func (a *analysis) headIn(text string, c cursor) []source {
	found := a.flowText(text, &heads, c)
	if len(found) == 0 && strings.Contains(text, "pull/") {
		found = a.flowText(text, &numbers, c)
		for i := range found {
			found[i].path = "refs/pull/" + found[i].path
			if found[i].via != "" {
				found[i].via = "refs/pull/" + found[i].via
			}
		}
	}
	return found
}

// folder normalises where a checkout goes.
func folder(path string) string {
	return strings.Trim(strings.TrimPrefix(strings.TrimSpace(path), "./"), "/")
}

// takesByScript looks for commands that fetch a pull request and put its files on the disk.
// A fetch alone does not: a later diff or log only reads.
func (a *analysis) takesByScript(s *step, c cursor) (taken, bool) {
	script := s.run.Text()
	if !a.spend(1+len(script)/16, s.node.Line()) || !strings.Contains(script, "git") && !strings.Contains(script, "gh ") && !strings.Contains(script, "hub ") {
		return taken{}, false
	}
	fetched := ""
	all := commands(script)
	for i, cmd := range all {
		source, ok := a.headOf(cmd, c)
		switch {
		case cmd.is("gh", "pr", "checkout"), cmd.is("hub", "pr", "checkout"), cmd.is("gh", "co"):
			if !supplied("pull_request", c.event) && !supplied("issue", c.event) && !supplied("workflow_run", c.event) {
				continue
			}
			source.path, ok = strings.Join(cmd.words[:min(3, len(cmd.words))], " "), true
			source.via = ""
		case !ok && fetched == "":
			continue
		case cmd.is("git", "fetch"), cmd.is("git", "remote"):
			if ok {
				fetched = source.shown()
			}
			continue
		case !cmd.git("checkout", "switch", "pull", "clone", "merge", "reset", "worktree", "rebase", "cherry-pick"):
			continue
		case !ok:
			source = a.partOf(c.event, fetched)
		}
		if source.part == "" {
			source = a.partOf(c.event, source.shown())
		}
		return taken{step: s, source: source, line: a.in(s.run).find(cmd.line), rest: all[i+1:]}, true
	}
	return taken{}, false
}

// partOf is the head of a pull request that a script names in its own way.
func (a *analysis) partOf(event, name string) source {
	part := "pull_request"
	switch event {
	case "issue_comment":
		part = "issue"
	case "workflow_run":
		part = "workflow_run"
	}
	return source{path: name, part: part}
}

// headOf returns the head that a git command names: by an expression, by a variable that the
// step's environment sets to one, or as pull/N.
func (a *analysis) headOf(cmd command, c cursor) (source, bool) {
	if cmd.words[0] != "git" {
		return source{}, false
	}
	if found := a.headIn(cmd.line, c); len(found) > 0 {
		return found[0], true
	}
	for _, name := range variables(cmd.line) {
		switch value := a.variable(name, c); {
		case name == "GITHUB_HEAD_REF" && strings.HasPrefix(c.event, "pull_request"):
			return source{path: name, part: "pull_request"}, true
		case value.Kind() == syntax.Text:
			text := value.Text()
			if strings.Contains(cmd.line, "pull/") {
				text = "pull/" + text
			}
			if found := a.headIn(text, c); len(found) > 0 {
				found[0].via = "$" + cut(name, maxShown)
				return found[0], true
			}
		}
	}
	// A number from anywhere names the code of a pull request all the same.
	if pull := pullRef.FindString(cmd.line); len(cmd.line) <= maxCommand && pull != "" {
		return source{path: cut(pull, maxShown)}, true
	}
	return source{}, false
}

// pullRef is the ref of a pull request whose number a script fills in.
var pullRef = regexp.MustCompile(`pull/["'{$\w}]*\$[\w"'{}$]+/(?:head|merge)`)

// maxCommand is how long a command may be that pullRef is tried on, in bytes.
const maxCommand = 4096

// gated reports whether a person has to act first: a label, or the approval that an
// environment may ask for. Neither is sure: a label stays when new commits come.
func (a *analysis) gated(j *job, e event) bool {
	types := texts(e.node.Get("types"))
	if len(types) > 0 && !slices.ContainsFunc(types, func(t string) bool { return t != "labeled" }) {
		return true
	}
	if j.node.Get("environment").Kind() != syntax.Absent {
		return true
	}
	return slices.ContainsFunc(j.needs, func(id string) bool {
		need := a.w.jobs[strings.ToLower(id)]
		return need != nil && need.node.Get("environment").Kind() != syntax.Absent
	})
}

// addCheckout says how bad it is: critical when the job also runs the code, or holds secrets or
// a token that writes; high when it neither runs the code nor, as far as the file tells, holds
// any, and when it runs the code with nothing to take.
func (a *analysis) addCheckout(j *job, t taken, e event, subject string, weak bool) {
	runs := a.runs(j, t)
	power, secrets := a.w.powerOf(j), a.secretsOf(j)
	var holds []string
	if secrets != "" {
		holds = append(holds, secrets)
	}
	switch {
	case power == powerWrite:
		holds = append(holds, "a token that may write")
	case power == powerUnsaid && e.name != "workflow_run":
		holds = append(holds, "a token that may write, as no permissions narrow it")
	}
	severity := inventory.SeverityHigh
	if len(holds) > 0 && (runs != "" || secrets != "" || power == powerWrite) || runs != "" && power != powerRead {
		severity = inventory.SeverityCritical
	}
	message := fmt.Sprintf("on %s this job checks out the code of a pull request", e.name)
	if runs != "" {
		message += fmt.Sprintf(" and runs it (%s)", runs)
	}
	if len(holds) > 0 {
		message += " while it holds " + strings.Join(holds, " and ")
	}
	message += ": whoever opens one "
	switch {
	case runs != "" && len(holds) > 0:
		message += "can take them"
	case runs != "":
		message += "runs commands in the name of this repository, and can poison its caches"
	default:
		message += "chooses the files that its steps work on"
	}
	if t.byName {
		severity--
		message += "; only the name of the branch is used, which must be there in this repository or begin with refs/"
	}
	if weak {
		severity--
		message += "; a condition, label or environment keeps most strangers out, not all"
	}
	a.add(inventory.Observation{
		Rule: inventory.RuleCheckout, Severity: severity, Line: t.line, Subject: subject, Message: message, Remedy: checkoutRemedy(e.name),
	})
}

func checkoutRemedy(event string) string {
	const read = "permissions:\n  contents: read"
	switch event {
	case "pull_request_target":
		return "on: pull_request # runs a stranger's code without secrets\n" + read + "\n# what needs secrets goes into a second workflow, which takes only results:\n# on: { workflow_run: { workflows: [<this one>], types: [completed] } }"
	case "issue_comment":
		return "if: contains(fromJSON('[\"OWNER\",\"MEMBER\",\"COLLABORATOR\"]'), github.event.comment.author_association)\n" + read + "\n# and check out the commit that the commenter has seen, in a job without secrets"
	}
	return "if: github.event.workflow_run.event == 'push' # or head_repository.full_name == github.repository\n" + read + "\n# build strangers' code in the first workflow, on pull_request, and only read its results here"
}

// secretsOf names a secret that the job uses beside its own token, "" when it uses none.
func (a *analysis) secretsOf(j *job) string {
	if s := a.secretIn(a.w.env); s != "" {
		return s
	}
	return a.secretIn(j.node)
}

func (a *analysis) secretIn(n syntax.Node) string {
	if !a.spend(1, n.Line()) {
		return ""
	}
	if n.Kind() == syntax.Text && strings.Contains(strings.ToLower(n.Text()), "secrets") {
		for _, t := range expression.Templates(n.Text()) {
			if t.Err == nil {
				if s := secret(t.Expr); s != "" {
					return s
				}
			}
		}
	}
	for child := range n.All() {
		if s := a.secretIn(child); s != "" {
			return s
		}
	}
	return ""
}

// secret names the first secret in e other than the job's token.
func secret(e *expression.Expr) string {
	if p := e.Path(); p != nil && p[0] == "secrets" {
		if len(p) == 2 && p[1] == "github_token" {
			return ""
		}
		return cut(clean(e.Shown()), maxShown)
	}
	for _, arg := range e.Args {
		if s := secret(arg); s != "" {
			return s
		}
	}
	return ""
}
