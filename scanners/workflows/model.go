package workflows

import (
	"strings"

	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// workflow is what a file says that more than one rule needs.
type workflow struct {
	events      []event
	env         syntax.Node
	permissions syntax.Node
	jobs        map[string]*job
	order       []*job
	// inputs are those of a workflow that others call or people start, or of an action, by
	// name in lower case.
	inputs map[string]input
}

// event is one trigger. The one without a name stands for whatever runs a reusable workflow
// or an action: the context is that of its caller.
type event struct {
	name string
	node syntax.Node // its filters
}

// input is one input with who gives it.
type input struct {
	free   bool   // any text; else a number, a truth value or one of some choices
	caller string // who gives it and what that lets them do: one of the constants below
}

// job is one job; also the one run of a composite action.
type job struct {
	id    string
	label string // "job build", "action": begins the Subject of an Observation
	node  syntax.Node
	steps []*step
	needs []string
}

// step is one step of a job.
type step struct {
	node syntax.Node
	at   int // in its job
	uses string
	run  syntax.Node
	with syntax.Node
}

// The callers, who give inputs.
const (
	startedBy = "whoever starts the workflow can"
	calledBy  = "a workflow that calls this one with a text of strangers lets them"
	usedBy    = "a workflow that uses this action with a text of strangers lets them"
)

func (a *analysis) workflow(root syntax.Node) {
	w := &workflow{
		env: root.Get("env"), permissions: root.Get("permissions"), jobs: map[string]*job{}, inputs: map[string]input{},
	}
	a.w = w
	w.readEvents(root.Get("on"))
	for n := range root.Get("jobs").All() {
		j := &job{id: strings.ToLower(n.Key()), label: "job " + cut(n.Key(), maxShown), node: n, needs: texts(n.Get("needs"))}
		j.readSteps(n.Get("steps"))
		w.jobs[j.id] = j
		w.order = append(w.order, j)
	}
	a.writeAll()
	for _, j := range w.order {
		a.unpinned(j.node.Get("uses"))
		a.look(j)
	}
}

func (a *analysis) action(root syntax.Node) {
	j := &job{label: "action", node: root.Get("runs")}
	j.readSteps(j.node.Get("steps"))
	a.w = &workflow{events: []event{{}}, jobs: map[string]*job{}, inputs: map[string]input{}, order: []*job{j}}
	for n := range root.Get("inputs").All() {
		a.w.inputs[strings.ToLower(n.Key())] = input{free: true, caller: usedBy}
	}
	if image := j.node.Get("image"); strings.HasPrefix(image.Text(), "docker://") {
		a.unpinned(image)
	}
	a.look(j)
}

// look applies the rules that are about steps.
func (a *analysis) look(j *job) {
	for _, s := range j.steps {
		a.unpinned(s.node.Get("uses"))
		a.injection(j, s)
	}
	a.checkout(j)
}

func (j *job) readSteps(steps syntax.Node) {
	for n := range steps.All() {
		j.steps = append(j.steps, &step{node: n, at: len(j.steps), uses: n.String("uses"), run: n.Get("run"), with: n.Get("with")})
	}
}

// readEvents reads `on:` in its three forms, and the inputs that some events have.
func (w *workflow) readEvents(on syntax.Node) {
	for _, name := range texts(on) {
		w.events = append(w.events, event{name: name})
	}
	if on.Kind() == syntax.Table {
		for n := range on.All() {
			w.events = append(w.events, event{n.Key(), n})
		}
	}
	for i, e := range w.events {
		switch e.name {
		case "workflow_dispatch":
			w.readInputs(e.node, startedBy)
		case "workflow_call":
			w.readInputs(e.node, calledBy)
			w.events[i].name = "" // the event of the caller
		}
	}
}

// readInputs reads inputs. One that two events have is free when it is so for either.
func (w *workflow) readInputs(n syntax.Node, caller string) {
	for in := range n.Get("inputs").All() {
		name := strings.ToLower(in.Key())
		kind := in.String("type")
		free := kind == "" || kind == "string"
		if known, ok := w.inputs[name]; !ok || free && !known.free {
			w.inputs[name] = input{free, caller}
		}
	}
}

// texts returns a text, or the texts of a list.
func texts(n syntax.Node) []string {
	switch n.Kind() {
	case syntax.Text:
		return []string{n.Text()}
	case syntax.List:
		var all []string
		for c := range n.All() {
			if c.Kind() == syntax.Text {
				all = append(all, c.Text())
			}
		}
		return all
	}
	return nil
}
