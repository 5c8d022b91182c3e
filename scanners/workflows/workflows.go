// Package workflows finds what in a GitHub workflow, or in the action.yml of a composite action,
// lets a stranger run code: actions that are not pinned, jobs with secrets that check out
// strangers' code, text of strangers inside scripts, and tokens that may do everything.
//
// It owns what is known about GitHub Actions: its expressions, its events and who can trigger
// them, and which values strangers choose. It is pure: a text in, Observations out. It must never
// guess that a file is fine: what cannot be read or followed comes back as a Problem.
//
// Observe is the way in; docs/workflows.md says what each rule finds and why. Package expression
// reads what stands in ${{ }}, flow.go follows values to who chose them, gate.go and scene.go
// decide whether a condition keeps strangers out.
//
// The reader of expressions is our own. github.com/rhysd/actionlint has one, and the tests compare
// the two on every expression, but importing it pulls in a table of 2.2 MB that is filled at each
// start: 47 ms on top of 27 ms for `landwaiter version`.
package workflows

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// The limits of one file. They are guesses, far above any workflow we know.
const (
	maxObservations = 500
	// maxSteps bounds following values: each expression looked at costs one, each 64 bytes of
	// a script searched too.
	maxSteps = 200_000
	// maxFollowed is how many names a value is followed over: a script may use an output of a
	// job that is an output of a step that is an environment variable.
	maxFollowed = 6
	// maxShown is how long a hostile text in a message may be, in bytes.
	maxShown = 80
)

// Problem says what kept a file from being looked at completely.
type Problem struct {
	Line int // one-based
	What string
}

// Error is the whole sentence without the name of the file: "line 7: the expression ...".
func (p *Problem) Error() string { return fmt.Sprintf("line %d: %s", p.Line, p.What) }

// Observe returns what is wrong with a workflow, or with an action.yml when action is set, in the
// order of its lines. root is the table that text holds.
//
// The Problem is nil when everything was looked at. With one, the Observations are right but
// may not be all.
func Observe(root syntax.Node, text string, action bool) ([]inventory.Observation, *Problem) {
	a := &analysis{lines: lineStarts(text), text: text, seen: map[[2]string]int{}, gates: map[gateKey]gate{}}
	if action {
		a.action(root)
	} else {
		a.workflow(root)
	}
	slices.SortStableFunc(a.found, func(x, y inventory.Observation) int { return cmp.Compare(x.Line, y.Line) })
	return a.found, a.problem
}

// analysis is one file while it is looked at.
type analysis struct {
	text    string
	lines   []int // where each line begins
	w       *workflow
	found   []inventory.Observation
	seen    map[[2]string]int // rule and subject to how often
	gates   map[gateKey]gate
	problem *Problem
	steps   int // of maxSteps
}

// fail notes the first problem.
func (a *analysis) fail(line int, format string, args ...any) {
	if a.problem == nil {
		a.problem = &Problem{Line: a.within(line), What: fmt.Sprintf(format, args...)}
	}
}

// within keeps a line inside the file. YAML counts lone carriage returns as line ends; GitHub and
// editors do not.
func (a *analysis) within(line int) int { return min(max(line, 1), len(a.lines)) }

// spend counts work and reports whether there may be more.
func (a *analysis) spend(n int, line int) bool {
	if a.steps += n; a.steps > maxSteps {
		a.fail(line, "its values refer to each other too often to follow")
		return false
	}
	return true
}

// add notes an observation. Texts may be hostile and parts of the file.
func (a *analysis) add(o inventory.Observation) {
	if len(a.found) >= maxObservations {
		a.fail(o.Line, "more than %d problems of workflows", maxObservations)
		return
	}
	o.Line = a.within(o.Line)
	o.Subject, o.Message, o.Remedy = clean(o.Subject), clean(o.Message), strings.Clone(o.Remedy)
	a.found = append(a.found, o)
}

// once reports whether a subject is new to a rule. Some problems are the same wherever they stand.
func (a *analysis) once(rule, subject string) bool {
	k := [2]string{rule, strings.Clone(subject)}
	a.seen[k]++
	return a.seen[k] == 1
}

// numbered makes the second and later of equal subjects of a rule differ by their number, so
// that one more of the same is new.
func (a *analysis) numbered(rule, subject string) string {
	k := [2]string{rule, strings.Clone(subject)}
	a.seen[k]++
	if n := a.seen[k]; n > 1 {
		return fmt.Sprintf("%s (%d)", subject, n)
	}
	return subject
}

// clean makes hostile text one line.
func clean(s string) string { return strings.Join(strings.Fields(s), " ") }

// cut shortens hostile text for a message.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "..."
}

// lineStarts returns where each line of text begins.
func lineStarts(text string) []int {
	starts := []int{0}
	for i := 0; i < len(text); i++ {
		if text[i] == '\n' {
			starts = append(starts, i+1)
		}
	}
	return starts
}

// place finds the lines of parts of a value that stands over several lines.
type place struct {
	a        *analysis
	line     int // of the key
	from, to int // where in the text the value may still be
	misses   int
}

// maxMisses is how often place looks in vain before it is content with the line of the key:
// folded texts and escapes do not stand in the file as they read.
const maxMisses = 3

// in returns where to look for parts of the value of n: its line, and those below that are
// further in.
func (a *analysis) in(n syntax.Node) *place {
	line := n.Line()
	p := &place{a: a, line: line}
	if line < 1 || line > len(a.lines) {
		return p
	}
	p.from, p.to = a.lines[line-1], len(a.text)
	column := indentation(a.text[p.from:], " -")
	for _, start := range a.lines[line:] {
		rest := a.text[start:]
		a.spend(1, line)
		if in := indentation(rest, " "); in <= column && in < len(rest) && rest[in] != '\n' && rest[in] != '\r' {
			p.to = start
			break
		}
	}
	return p
}

// indentation counts the leading characters of s that are in set.
func indentation(s, set string) int {
	n := 0
	for n < len(s) && strings.IndexByte(set, s[n]) >= 0 {
		n++
	}
	return n
}

// find returns the line of the next part that reads as given, else the line of the key.
func (p *place) find(part string) int {
	if p.misses >= maxMisses || part == "" {
		return p.line
	}
	p.a.spend((p.to-p.from)/64, p.line)
	at := strings.Index(p.a.text[p.from:p.to], part)
	if at < 0 {
		p.misses++
		return p.line
	}
	at += p.from
	p.from = at + len(part)
	line, exact := slices.BinarySearch(p.a.lines, at)
	if exact {
		line++
	}
	return line
}
