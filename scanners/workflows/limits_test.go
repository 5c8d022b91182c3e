package workflows

import (
	"fmt"
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/scanners/workflows/expression"
)

// wantProblem looks for a Problem in a line, and returns what was found besides.
func wantProblem(t *testing.T, text string, line int, what string) []inventory.Observation {
	t.Helper()
	found, problem := observe(t, text)
	if problem == nil || problem.Line != line || !strings.Contains(problem.What, what) {
		t.Errorf("problem %v, want one in line %d that says %q", problem, line, what)
	}
	return found
}

// TestG23BrokenExpression says where an expression cannot be read: GitHub would refuse it, and what
// it holds is not known.
func TestG23BrokenExpression(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ expression, what string }{
		"open":      {"${{ github.actor", "is not closed by }}"},
		"quotes":    {`${{ "a" }}`, `has a character '"' where none may stand`},
		"two":       {"${{ a b }}", `has "b" behind its end`},
		"empty":     {"${{ }}", `has "}}" where a value must stand`},
		"half":      {"${{ a && }}", `has "}}" where a value must stand`},
		"bracket":   {"${{ f(a }}", `has "}}" where "," must stand`},
		"open text": {"${{ 'a }}", "has a text without its closing quote"},
		"too long":  {"${{ '" + strings.Repeat("a", expression.MaxLength) + "' }}", "has a text without its closing quote"},
		"too deep":  {"${{ " + strings.Repeat("(", expression.MaxDepth+1) + "a" + strings.Repeat(")", expression.MaxDepth+1) + " }}", "is nested deeper than 100 levels"},
		"many nots": {"${{ " + strings.Repeat("!", 1000) + "a }}", "is nested deeper than 100 levels"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantObservations(t, change(t, quiet, "echo done", "echo ${{ github.actor }}"))
			wantProblem(t, change(t, quiet, "echo done", "echo "+c.expression), 19, c.what)
		})
	}
	t.Run("the rest is still looked at", func(t *testing.T) {
		t.Parallel()
		found := wantProblem(t, change(t, change(t, quiet, "echo done", "echo ${{ a b }}"), "echo bye", "echo ${{ github.event.issue.body }}"), 19, "behind its end")
		if len(found) != 1 || found[0].Line != 20 {
			t.Errorf("found %+v, want one in line 20", found)
		}
	})
	t.Run("as long as GitHub allows", func(t *testing.T) {
		t.Parallel()
		wantObservations(t, change(t, quiet, "echo done", "echo ${{ '"+strings.Repeat("a", expression.MaxLength-10)+"' }}"))
	})
	t.Run("chains are not depth", func(t *testing.T) {
		t.Parallel()
		wantObservations(t, change(t, quiet, "echo done", "echo ${{ "+strings.Repeat("a == b && ", 1000)+"c }}"))
		wantObservations(t, change(t, quiet, "echo done", "echo ${{ a"+strings.Repeat(".a", 5000)+" }}"))
	})
}

func TestG23TooManyObservations(t *testing.T) {
	t.Parallel()
	many := func(n int) string {
		return "on: issues\njobs:\n  a:\n    steps:\n" + strings.Repeat("      - run: echo ${{ github.event.issue.body }}\n", n)
	}
	if found, problem := observe(t, many(maxObservations)); problem != nil || len(found) != maxObservations {
		t.Errorf("%d found, problem %v", len(found), problem)
	}
	found := wantProblem(t, many(maxObservations+1), 5+maxObservations, "more than 500 problems")
	if len(found) != maxObservations {
		t.Errorf("%d found, want %d", len(found), maxObservations)
	}
}

// TestG20Entangled builds texts in which names lead to names that lead to names, and in which one
// long text is searched for each of many names. They must end, and say when that was too much.
func TestG20Entangled(t *testing.T) {
	t.Parallel()
	t.Run("environment", func(t *testing.T) {
		t.Parallel()
		var b strings.Builder
		b.WriteString("on: issues\nenv:\n")
		for i := range 40 {
			fmt.Fprintf(&b, "  V%d: '%s'\n", i, strings.Repeat(fmt.Sprintf("${{ env.V%d }}", i+1), 40))
		}
		b.WriteString("jobs:\n  a:\n    steps:\n      - run: echo ${{ env.V0 }}\n")
		wantProblem(t, b.String(), 44, "too often to follow")
	})
	t.Run("outputs", func(t *testing.T) {
		t.Parallel()
		script := strings.Repeat("          echo one >> $GITHUB_OUTPUT\n", 5000)
		text := "on: issues\njobs:\n  a:\n    steps:\n      - id: s\n        run: |\n" + script + "      - run: |\n" +
			strings.Repeat("          echo ${{ steps.s.outputs.x }}\n", 5000)
		wantProblem(t, text, 5, "too often to follow")
	})
	t.Run("needs", func(t *testing.T) {
		t.Parallel()
		var b strings.Builder
		b.WriteString("on: issues\njobs:\n")
		for i := range 60 {
			var needs []string
			for j := range 60 {
				needs = append(needs, fmt.Sprintf("j%d", j))
			}
			fmt.Fprintf(&b, "  j%d:\n    needs: [%s]\n    steps: [{run: 'echo ${{ github.event.issue.body }}'}]\n", i, strings.Join(needs, ", "))
		}
		found, problem := observe(t, b.String())
		if problem != nil || len(found) != 60 { // each job is judged once, however many need it
			t.Errorf("%d found, problem %v", len(found), problem)
		}
	})
	t.Run("conditions of a million bytes", func(t *testing.T) {
		t.Parallel()
		text := change(t, change(t, quiet, "echo done", "echo ${{ github.event.issue.body }}"), "      - id: first\n", "      - id: first\n        if: "+strings.Repeat("(", 1<<20)+"\n")
		wantObservations(t, text, "20 high script-injection: job greet: github.event.issue.body")
	})
}

// TestG22LongTexts gives each reader a text of a million bytes that it looks for something in.
func TestG22LongTexts(t *testing.T) {
	t.Parallel()
	const n = 1 << 20
	for name, text := range map[string]string{
		"uses":     change(t, pinned, "octo/setup@8f4b7f84864484a7bf31766abe9204da3cbe65b3", "octo/"+strings.Repeat("a/", n/2)+"@v1"),
		"script":   change(t, pinned, "run: make", "run: make "+strings.Repeat("a;", n/2)),
		"openings": change(t, pinned, "run: make", "run: make "+strings.Repeat("$", n)+"{"),
		"words":    change(t, taking, "wc -l README.md", strings.Repeat("a ", n/2)),
		"key":      change(t, pinned, "  build:", "  "+strings.Repeat("b", 900)+":"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, problem := observe(t, text); problem != nil {
				t.Errorf("problem: %v", problem)
			}
		})
	}
}
