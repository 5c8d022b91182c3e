package workflows

import (
	"fmt"
	"strings"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
	"github.com/landwaiter/landwaiter/scanners/workflows/expression"
)

// scripts are inputs of actions that run what they are given, by action in lower case.
//
// Source: the documentation of each action.
var scripts = map[string][]string{
	"actions/github-script":                  {"script"},
	"addnab/docker-run-action":               {"run", "options"},
	"amadevus/pwsh-script":                   {"script"},
	"appleboy/ssh-action":                    {"script"},
	"azure/cli":                              {"inlinescript"},
	"azure/powershell":                       {"inlinescript"},
	"cardinalby/js-eval-action":              {"expression"},
	"cloudflare/wrangler-action":             {"command", "precommands", "postcommands"},
	"devcontainers/ci":                       {"runcmd"},
	"google-github-actions/ssh-compute":      {"command"},
	"jannekem/run-python-script-action":      {"script"},
	"mikefarah/yq":                           {"cmd"},
	"nick-fields/retry":                      {"command", "on_retry_command"},
	"nick-invision/retry":                    {"command", "on_retry_command"},
	"reactivecircus/android-emulator-runner": {"script", "pre-emulator-launch-script"},
	"satackey/action-js-inline":              {"script"},
	"wandalen/wretry.action":                 {"command"},
	"gautamkrishnar/blog-post-workflow":      {"item_exec"},
	"vmactions/freebsd-vm":                   {"run", "prepare"},
	"vmactions/openbsd-vm":                   {"run", "prepare"},
	"uraimo/run-on-arch-action":              {"run", "install", "setup"},
	"pguyot/arm-runner-action":               {"commands"},
	"cross-platform-actions/action":          {"run"},
}

// sink is a text that becomes part of a program.
type sink struct {
	node syntax.Node
	name string // "run", "script"
	js   bool   // the program is JavaScript
}

// sinks are the programs in a step.
func (s *step) sinks() []sink {
	var all []sink
	if s.run.Kind() == syntax.Text {
		all = append(all, sink{node: s.run, name: "run"})
	}
	action, _, _ := strings.Cut(strings.ToLower(s.uses), "@")
	for _, name := range scripts[action] {
		if n := member(s.with, name); n.Kind() == syntax.Text {
			all = append(all, sink{node: n, name: n.Key(), js: action == "actions/github-script"})
		}
	}
	return all
}

// injection tells of expressions that put what others write into a program: GitHub replaces
// them in the text before any shell sees it.
func (a *analysis) injection(j *job, s *step) {
	for _, k := range s.sinks() {
		text := k.node.Text()
		found := expression.Templates(text)
		if len(found) == 0 {
			continue
		}
		where := a.in(k.node)
		for _, t := range found {
			line := where.find(t.Raw)
			if t.Err != nil {
				a.fail(line, "the expression %s %s", cut(clean(t.Raw), maxShown), clean(t.Err.Error()))
				continue
			}
			if k.js && safeJSON(t, text) {
				continue
			}
			if worst, ok := a.worst(j, s, t); ok {
				a.addInjection(j, k, t, line, worst)
			}
		}
	}
}

// safeJSON reports whether an expression in JavaScript is toJSON outside quotes: what it gives
// is a value of JavaScript, whatever is in it.
func safeJSON(t expression.Template, text string) bool {
	return t.Expr.Kind == expression.Call && t.Expr.Value == "tojson" && (t.At == 0 || strings.IndexByte("'\"`", text[t.At-1]) < 0)
}

// hit is a source that reaches a program on an event.
type hit struct {
	source
	event    string
	severity inventory.Severity
	weak     bool // a condition keeps most strangers out
}

// worst returns the most severe way in which strangers or callers choose what t becomes.
func (a *analysis) worst(j *job, s *step, t expression.Template) (hit, bool) {
	var most hit
	any := false
	for _, e := range a.w.events {
		for _, src := range a.flow(t.Expr, &words, cursor{j: j, s: s, event: e.name}, false) {
			h := hit{source: src, event: e.name, severity: injectionSeverity(src, e.name)}
			scene := src.sceneOf(e.name)
			if a.excluded(j, s, scene) {
				continue
			}
			scene.weak = true
			if h.severity > inventory.SeverityLow && a.excluded(j, s, scene) {
				h.weak, h.severity = true, h.severity-1
			}
			if !any || h.severity > most.severity {
				most, any = h, true
			}
		}
	}
	return most, any
}

// injectionSeverity says how bad it is to run a stranger's commands on an event: high where the
// job has secrets and a token of the repository, medium where it does not or where a writer has
// to accept the text first, low where callers choose.
func injectionSeverity(s source, event string) inventory.Severity {
	if s.input != nil || s.part == "client_payload" {
		return inventory.SeverityLow
	}
	switch event {
	case "", "push", "pull_request", "pull_request_review", "pull_request_review_comment":
		return inventory.SeverityMedium
	}
	return inventory.SeverityHigh
}

func (a *analysis) addInjection(j *job, k sink, t expression.Template, line int, h hit) {
	name := h.path
	if h.via != "" {
		name = h.via
	}
	holds := name
	if h.via != "" {
		holds += " holds " + h.path + " and"
	}
	message := fmt.Sprintf("%s stands in the program as it was written: %s in this %s%s", holds, h.who(), kindOf(j), h.reach())
	rule, subject := inventory.RuleInjection, j.label+": "+name
	if h.input == nil && h.part != "client_payload" {
		subject = a.numbered(rule, subject)
	} else if rule = inventory.RuleScriptInput; !a.once(rule, subject) {
		return // who may choose it once gains nothing by the second place
	}
	a.add(inventory.Observation{
		Rule: rule, Severity: h.severity, Line: line, Subject: subject,
		Message: message, Remedy: injectionRemedy(k, t, h),
	})
}

func kindOf(j *job) string {
	if j.label == "action" {
		return "action"
	}
	return "job"
}

// who says who can do what by a source.
func (h hit) who() string {
	if h.input != nil {
		return h.input.caller + " run commands"
	}
	return writer(h.part, h.event) + " can run commands"
}

// writer says who writes a part of an event.
func writer(part, event string) string {
	switch part {
	case "issue":
		if event == "issue_comment" {
			return "whoever opens an issue or pull request"
		}
		return "whoever opens an issue"
	case "comment", "review_comment":
		return "whoever writes a comment"
	case "review":
		return "whoever writes a review"
	case "discussion":
		return "whoever opens a discussion"
	case "changes":
		return "whoever edits their text"
	case "pages":
		return "whoever edits the wiki"
	case "commits", "head_commit":
		return "whoever gets a commit into a branch"
	case "client_payload":
		return "whoever sends a repository_dispatch"
	}
	return "whoever opens a pull request"
}

// reach says what the commands come by.
func (h hit) reach() string {
	text := ""
	switch {
	case h.severity >= inventory.SeverityHigh || h.weak && h.event != "" && injectionSeverity(h.source, h.event) == inventory.SeverityHigh:
		text = ", which has the token and secrets of the repository on " + h.event
	case strings.HasPrefix(h.event, "pull_request"):
		text = " on " + h.event + ", without secrets when it comes from a fork"
	}
	if h.weak {
		text += "; a condition keeps most strangers out, not all"
	}
	return text
}

// injectionRemedy writes the way round: an environment variable, which no shell reads as code.
func injectionRemedy(k sink, t expression.Template, h hit) string {
	variable := h.variable
	env := ""
	if variable == "" {
		variable = variableFor(h)
		env = fmt.Sprintf("env:\n  %s: %s\n", variable, cut(clean(t.Raw), 2*maxShown))
	}
	switch {
	case k.js:
		return fmt.Sprintf("%swith:\n  script: ... process.env.%s ...", env, variable)
	case k.name == "run":
		return fmt.Sprintf("%srun: ... \"$%s\" ... # in PowerShell $env:%[2]s", env, variable)
	}
	return fmt.Sprintf("%swith:\n  %s: ... \"$%s\" ... # and hand the variable on to where it runs", env, k.name, variable)
}

// variableFor makes a name for a variable of the last words of a path.
func variableFor(h hit) string {
	path := h.path
	if h.via != "" {
		path = h.via
	}
	var words []string
	for word := range strings.SplitSeq(path, ".") {
		word = strings.Map(func(r rune) rune {
			switch {
			case r < 0x80 && (isLetter(byte(r)) || isDigit(byte(r))):
				return r
			case r == '-':
				return '_'
			}
			return -1
		}, strings.ToUpper(word))
		// GITHUB_ names are GitHub's own and cannot be set.
		if word == "INPUTS" {
			word = "INPUT"
		}
		if word != "" && word != "OUTPUTS" && word != "GITHUB" {
			words = append(words, word)
		}
	}
	if len(words) == 0 {
		return "VALUE"
	}
	name := strings.Join(words[max(0, len(words)-2):], "_")
	if isDigit(name[0]) {
		name = "_" + name
	}
	return name
}
