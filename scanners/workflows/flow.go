package workflows

import (
	"slices"
	"strings"

	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
	"github.com/landwaiter/landwaiter/scanners/workflows/expression"
)

// cursor is where a value is used: names mean what they mean there.
type cursor struct {
	j     *job
	s     *step // nil outside steps
	event string
	depth int // names followed so far
}

// text returns the sources in the expressions of a text.
func (a *analysis) flowText(text string, h *hunt, c cursor) []source {
	if !strings.Contains(text, "${{") || !a.spend(1+len(text)/64, c.j.node.Line()) {
		return nil
	}
	var found []source
	for _, t := range expression.Templates(text) {
		if t.Err == nil { // a broken one never runs; where it matters injection tells of it
			found = append(found, a.flow(t.Expr, h, c, false)...)
		}
	}
	return found
}

// flow returns the sources whose text the value of e may hold. whole is set inside toJSON, where
// a table shows all that is in it.
//
// A comparison, and the functions that answer yes or no, hold nothing of what they are given.
// `a && b` is b, or an a that is empty, false or zero.
func (a *analysis) flow(e *expression.Expr, h *hunt, c cursor, whole bool) []source {
	if !a.spend(1, c.j.node.Line()) {
		return nil
	}
	facts := scene{event: c.event}
	switch e.Kind {
	case expression.And:
		for _, arg := range e.Args[:len(e.Args)-1] {
			if facts.judge(arg) == no {
				return nil
			}
		}
		return a.flow(e.Args[len(e.Args)-1], h, c, whole)
	case expression.Or:
		var found []source
		for _, arg := range e.Args {
			found = append(found, a.flow(arg, h, c, whole)...)
			if facts.judge(arg) == yes {
				break
			}
		}
		return found
	case expression.Call:
		return a.flowCall(e, h, c, whole)
	case expression.Name, expression.Member, expression.Index:
		if p := e.Path(); p != nil {
			return a.flowPath(p, cut(clean(e.Shown()), maxShown), h, c, whole)
		}
		for e.Kind == expression.Member || e.Kind == expression.Index { // of what a function gives
			e = e.Args[0]
		}
		return a.flow(e, h, c, true)
	}
	return nil
}

// answering are the functions whose value holds no text of their arguments.
var answering = []string{"contains", "startswith", "endswith", "hashfiles", "always", "success", "failure", "cancelled"}

func (a *analysis) flowCall(e *expression.Expr, h *hunt, c cursor, whole bool) []source {
	if slices.Contains(answering, e.Value) {
		return nil
	}
	var found []source
	for _, arg := range e.Args {
		found = append(found, a.flow(arg, h, c, whole || e.Value == "tojson")...)
	}
	return found
}

// flowPath returns the sources that a path names, in the github context or by another name.
// shown is the path for messages.
func (a *analysis) flowPath(p []string, shown string, h *hunt, c cursor, whole bool) []source {
	if c.depth >= maxFollowed {
		return nil
	}
	further := c
	further.depth++
	switch {
	case p[0] == "github" && len(p) == 4 && p[1] == "event" && p[2] == "inputs":
		return a.flowInput(p[3], shown, h, c)
	case p[0] == "github":
		return flowContext(p, shown, h, c, whole)
	case p[0] == "inputs" && len(p) == 2:
		return a.flowInput(p[1], shown, h, c)
	case p[0] == "env" && len(p) == 2:
		return named(a.flowEnv(p[1], h, further), shown)
	case p[0] == "steps" && len(p) == 4 && p[2] == "outputs":
		return named(a.flowOutput(p[1], p[3], h, further), shown)
	case p[0] == "needs" && len(p) == 4 && p[2] == "outputs":
		if j := a.w.jobs[p[1]]; j != nil {
			further.j, further.s = j, nil
			return named(a.flowText(member(j.node.Get("outputs"), p[3]).Text(), h, further), shown)
		}
	case p[0] == "matrix" && len(p) >= 2:
		return named(a.flowMatrix(p[1], h, further), shown)
	}
	return nil
}

func flowContext(p []string, shown string, h *hunt, c cursor, whole bool) []source {
	var found []source
	for _, known := range h.paths {
		if !known.matches(p, whole) {
			continue
		}
		part := known.part
		if !supplied(part, c.event) {
			continue
		}
		if !slices.ContainsFunc(found, func(s source) bool { return s.part == part }) {
			found = append(found, source{path: shown, part: part})
		}
	}
	return found
}

// named marks sources as used by another name.
func named(found []source, name string) []source {
	for i := range found {
		found[i].via = name
	}
	return found
}

func (a *analysis) flowInput(name, shown string, h *hunt, c cursor) []source {
	in, ok := a.w.inputs[name]
	if !h.inputs || !ok || !in.free || c.event != "" && c.event != "workflow_dispatch" {
		return nil
	}
	return []source{{path: shown, input: &in}}
}

// member returns the child with that key, whatever its case.
func member(n syntax.Node, key string) syntax.Node {
	for c := range n.All() {
		if strings.EqualFold(c.Key(), key) {
			return c
		}
	}
	return syntax.Node{}
}

// flowEnv follows an environment variable: of the step, written by an earlier step, of the job,
// of the workflow; the first that is set counts.
func (a *analysis) flowEnv(name string, h *hunt, c cursor) []source {
	var found []source
	take := func(n syntax.Node) bool {
		if n.Kind() == syntax.Absent {
			return false
		}
		found = a.flowText(n.Text(), h, c)
		for i := range found {
			found[i].variable = n.Key()
		}
		return true
	}
	if c.s != nil && take(member(c.s.node.Get("env"), name)) {
		return found
	}
	for _, before := range c.earlier() {
		found = append(found, a.written(before, name, "GITHUB_ENV", h, c)...)
	}
	if len(found) > 0 {
		for i := range found {
			found[i].variable = strings.ToUpper(name)
		}
		return found
	}
	if take(member(c.j.node.Get("env"), name)) || take(member(a.w.env, name)) {
		return found
	}
	return nil
}

// earlier are the steps before the one at hand.
func (c cursor) earlier() []*step {
	if c.s == nil {
		return nil
	}
	return c.j.steps[:c.s.at]
}

// flowOutput follows an output of a step of the same job.
func (a *analysis) flowOutput(id, name string, h *hunt, c cursor) []source {
	for _, s := range c.j.steps {
		if !a.spend(1, s.node.Line()) {
			return nil
		}
		if !strings.EqualFold(s.node.String("id"), id) {
			continue
		}
		action, _, _ := strings.Cut(strings.ToLower(s.uses), "@")
		if known, ok := h.outputs[action]; ok && slices.Contains(known.names, name) && supplied(known.part, c.event) {
			return []source{{path: "an output of " + cut(action, maxShown), part: known.part}}
		}
		return append(a.written(s, name, "GITHUB_OUTPUT", h, c), a.marked(s, name, h, c)...)
	}
	return nil
}

// flowMatrix follows a value of the job's matrix.
func (a *analysis) flowMatrix(name string, h *hunt, c cursor) []source {
	matrix := c.j.node.Get("strategy").Get("matrix")
	if matrix.Kind() == syntax.Text {
		return a.flowText(matrix.Text(), h, c)
	}
	values := member(matrix, name)
	found := a.flowText(values.Text(), h, c)
	for v := range values.All() {
		found = append(found, a.flowText(v.Text(), h, c)...)
	}
	return found
}

// written returns the sources in lines of a script that set name in the file of outputs or
// variables. Only plain ones count, `echo "name=$TITLE" >> "$GITHUB_OUTPUT"`: what goes through
// another program first may come out clean.
func (a *analysis) written(s *step, name, file string, h *hunt, c cursor) []source {
	script := s.run.Text()
	if !a.spend(1+len(script)/64, s.node.Line()) || !strings.Contains(script, file) && !strings.Contains(script, "::set-") {
		return nil
	}
	here := c
	here.s = s
	var found []source
	for line := range strings.Lines(script) {
		_, value, ok := cutFold(line, name+"=")
		if !ok {
			_, value, ok = cutFold(line, "name="+name+"::")
		}
		if !ok {
			continue
		}
		found = append(found, a.flowText(value, h, here)...)
		if strings.Contains(value, "$(") || strings.Contains(value, "|") || strings.Contains(value, "`") {
			continue
		}
		for _, variable := range variables(value) {
			if n := a.variable(variable, here); n.Kind() == syntax.Text {
				found = append(found, a.flowText(n.Text(), h, here)...)
			}
		}
	}
	return found
}

// cutFold cuts s behind the first separator, which is in lower case and begins a word there.
func cutFold(s, separator string) (before, after string, ok bool) {
	lower := strings.ToLower(s)
	if len(lower) != len(s) {
		return s, "", false
	}
	for from := 0; ; {
		at := strings.Index(lower[from:], separator)
		if at < 0 {
			return s, "", false
		}
		at += from
		if at == 0 || !isLetter(s[at-1]) && !isDigit(s[at-1]) && s[at-1] != '-' {
			return s[:at], s[at+len(separator):], true
		}
		from = at + 1
	}
}

// variable returns the value that env gives an environment variable at a step.
func (a *analysis) variable(name string, c cursor) syntax.Node {
	for _, env := range []syntax.Node{c.s.node.Get("env"), c.j.node.Get("env"), a.w.env} {
		if n := env.Get(name); n.Kind() != syntax.Absent {
			return n
		}
	}
	return syntax.Node{}
}

// variables are the names of the shell variables in a text: $A, ${A}, $env:A.
func variables(s string) []string {
	var names []string
	for i := 0; i < len(s); i++ {
		if s[i] != '$' {
			continue
		}
		rest := strings.TrimPrefix(strings.TrimPrefix(s[i+1:], "env:"), "{")
		n := 0
		for n < len(rest) && (isLetter(rest[n]) || isDigit(rest[n])) {
			n++
		}
		if n > 0 {
			names = append(names, rest[:n])
		}
	}
	return names
}

// marked finds outputs whose script reads the head of a pull request from GitHub's API.
func (a *analysis) marked(s *step, name string, h *hunt, c cursor) []source {
	script := s.run.Text() + s.with.String("script")
	if !a.spend(1+len(script)/64, s.node.Line()) || !supplied("issue", c.event) && !supplied("pull_request", c.event) && !supplied("workflow_run", c.event) {
		return nil
	}
	lower := strings.ToLower(script)
	sets := strings.Contains(lower, name+"=") || strings.Contains(lower, "setoutput('"+name+"'") ||
		strings.Contains(lower, `setoutput("`+name+`"`) || name == "result"
	if !sets || !slices.ContainsFunc(h.marks, func(mark string) bool { return strings.Contains(script, mark) }) {
		return nil
	}
	part := "issue"
	if c.event == "workflow_run" || strings.HasPrefix(c.event, "pull_request") {
		part = strings.TrimSuffix(c.event, "_target")
	}
	return []source{{path: "the head that step " + cut(s.node.String("id"), maxShown) + " asks for", part: part}}
}
