package workflows

import (
	"slices"
	"strings"

	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
	"github.com/landwaiter/landwaiter/scanners/workflows/expression"
)

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
		g.shut = before.shut || before.refused < len(need.steps) && !forgiven(need.node)
	}
	if !g.shut {
		if at := slices.IndexFunc(j.steps, func(s *step) bool { return a.refuses(s, c) }); at >= 0 {
			g.refused = at
		}
	}
	a.gates[k] = g
	return g
}

// refuses reports whether a step surely ends its job: it says why and runs `exit 1`, under a
// condition that holds for the stranger. In a weak scene a step that asks for the actor's
// permission does too.
func (a *analysis) refuses(s *step, c scene) bool {
	script := s.run.Text()
	if !a.spend(1+len(script)/64, s.node.Line()) || forgiven(s.node) {
		return false
	}
	if c.weak && (asksPermission(s.uses) || strings.Contains(script, "/collaborators/") && strings.Contains(script, "permission")) {
		return true
	}
	if t, _ := a.condition(s.node.Get("if"), c); t != yes {
		return false
	}
	lines := strings.Split(strings.TrimSpace(script), "\n")
	for _, line := range lines[:len(lines)-1] {
		if !slices.Contains([]string{"", "#", "echo", "printf", "set"}, firstWord(line)) || strings.ContainsAny(line, "&|;`(") {
			return false // it may end another way
		}
	}
	said, last, several := strings.Cut(lines[len(lines)-1], ";")
	if !several {
		last = said
	} else if firstWord(said) != "echo" || strings.ContainsAny(said, "&|`(") {
		return false
	}
	last = strings.TrimSpace(last)
	return last == "exit 1" || last == "false"
}

func firstWord(line string) string {
	words := strings.Fields(line)
	if len(words) == 0 {
		return ""
	}
	return words[0]
}

// forgiven reports whether a step or job may fail without an effect on what follows.
func forgiven(n syntax.Node) bool {
	c := n.Get("continue-on-error")
	return c.Kind() != syntax.Absent && (c.Kind() != syntax.Bool || c.True())
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
	var e *expression.Expr
	if strings.HasPrefix(text, "${{") {
		found := expression.Templates(text)
		if len(found) != 1 || found[0].Err != nil || len(found[0].Raw) != len(text) {
			return unknown, true // text around an expression makes the whole true, always
		}
		e = found[0].Expr
	} else {
		known, err := expression.ParseCondition(text)
		if err != nil || strings.Contains(text, "${{") {
			return unknown, true
		}
		e = known
	}
	return c.judge(e), callsStatus(e)
}

// callsStatus reports whether e calls one of the functions that replace the success() that
// GitHub puts before each condition without one.
func callsStatus(e *expression.Expr) bool {
	if e.Kind == expression.Call && (e.Value == "always" || e.Value == "failure" || e.Value == "cancelled") {
		return true
	}
	return slices.ContainsFunc(e.Args, callsStatus)
}
