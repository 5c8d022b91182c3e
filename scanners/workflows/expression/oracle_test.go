package expression

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/rhysd/actionlint"
)

// expressions are those that both readers must understand alike, each up to its braces.
var expressions = []string{
	"github.head_ref }}",
	" github.event['issue'].Title}}",
	"github.event.commits.*.message }}",
	"github.event.commits[0].author.name }}",
	"matrix[inputs.which].name }}",
	"!a }}", "!!a.b }}", "a && b || c && d }}", "(a || b) && c }}", "a == b != c }}",
	"a < 1 && b >= -2.5e3 }}",
	"contains(fromJSON('[\"a\", \"it''s\"]'), github.actor) }}",
	"format('{0}}}', x) }}", "hashFiles('**/go.sum', 'x') }}", "always() }}", "join(a.*.b, ', ') }}",
	"null }}", "true && false }}", "'' }}", "0xff }}", "a-b.c_d }}", "toJSON(github)['event'] }}",
	"", "}}", "a", "a b }}", "a. }}", "a[ }}", "a[] }}", "f( }}", "f(a,) }}", "f(,a) }}", "(a }}", "a) }}", "'a }}", "\"a\" }}", "a = b }}",
	"a & b }}", "1x }}", "a }", "a.1 }}", "$a }}", "!}}", "a || }}", "&& a }}", "a..b }}", "a.*b }}", "1e+5 }}",
}

// agree compares our reading of an expression with actionlint's: the same tree, the same end, or
// both refuse it.
func agree(t *testing.T, s string) {
	t.Helper()
	lexer := actionlint.NewExprLexer(s)
	want, failed := actionlint.NewExprParser().Parse(lexer)
	got, n, err := Parse(s)
	switch {
	case failed != nil && err == nil && accepted(s):
	case (failed != nil) != (err != nil):
		t.Errorf("%q: our error is %v, actionlint's %v", s, err, failed)
	case err != nil:
	case n != lexer.Offset():
		t.Errorf("%q: we end at %d, actionlint at %d", s, n, lexer.Offset())
	default:
		if diff := cmp.Diff(theirs(want), written(got)); diff != "" {
			t.Errorf("%q (-actionlint +ours):\n%s", s, diff)
		}
	}
}

// accepted are texts that GitHub's reader takes and actionlint's does not: numbers above 32
// bits or written with a plus sign, leading zeros or without digits around the point, octal
// ones, NaN and infinity; and a[*].
//
// Source: Number and the tokens of LexicalAnalyzer in actions/runner.
func accepted(s string) bool { return strings.ContainsAny(s, "0123456789") || strings.Contains(s, "*") }

// theirs and written write a tree in brackets.
func theirs(n actionlint.ExprNode) string {
	switch n := n.(type) {
	case *actionlint.VariableNode:
		return n.Name
	case *actionlint.NullNode:
		return "null"
	case *actionlint.BoolNode:
		return strconv.FormatBool(n.Value)
	case *actionlint.IntNode:
		return number(strconv.Itoa(n.Value))
	case *actionlint.FloatNode:
		return number(strconv.FormatFloat(n.Value, 'g', -1, 64))
	case *actionlint.StringNode:
		return strconv.Quote(n.Value)
	case *actionlint.ObjectDerefNode:
		return "(. " + theirs(n.Receiver) + " " + n.Property + ")"
	case *actionlint.ArrayDerefNode:
		return "(. " + theirs(n.Receiver) + " *)"
	case *actionlint.IndexAccessNode:
		return "([] " + theirs(n.Operand) + " " + theirs(n.Index) + ")"
	case *actionlint.NotOpNode:
		return "(! " + theirs(n.Operand) + ")"
	case *actionlint.CompareOpNode:
		return "(compare " + strings.Join(compared(n), " ") + ")"
	case *actionlint.LogicalOpNode:
		return "(" + n.Kind.String() + " " + strings.Join(operands(n, n.Kind), " ") + ")"
	case *actionlint.FuncCallNode:
		parts := []string{strings.ToLower(n.Callee)}
		for _, arg := range n.Args {
			parts = append(parts, theirs(arg))
		}
		return "(call " + strings.Join(parts, " ") + ")"
	}
	return fmt.Sprintf("%T", n)
}

// compared flattens comparisons: actionlint hangs a chain of them on the right, GitHub on the left.
func compared(n *actionlint.CompareOpNode) []string {
	parts := []string{theirs(n.Left), strconv.Itoa(int(n.Kind))}
	if right, ok := n.Right.(*actionlint.CompareOpNode); ok {
		return append(parts, compared(right)...)
	}
	return append(parts, theirs(n.Right))
}

func operands(n *actionlint.LogicalOpNode, kind actionlint.LogicalOpNodeKind) []string {
	parts := []string{theirs(n.Left)}
	if right, ok := n.Right.(*actionlint.LogicalOpNode); ok && right.Kind == kind {
		return append(parts, operands(right, kind)...)
	}
	return append(parts, theirs(n.Right))
}

var compareKinds = map[string]actionlint.CompareOpNodeKind{
	"==": actionlint.CompareOpNodeKindEq, "!=": actionlint.CompareOpNodeKindNotEq, "<": actionlint.CompareOpNodeKindLess,
	"<=": actionlint.CompareOpNodeKindLessEq, ">": actionlint.CompareOpNodeKindGreater, ">=": actionlint.CompareOpNodeKindGreaterEq,
}

func written(e *Expr) string {
	var args []string
	for _, arg := range e.Args {
		args = append(args, written(arg))
	}
	all := strings.Join(args, " ")
	switch e.Kind {
	case Literal:
		switch {
		case e.Text:
			return strconv.Quote(e.Value)
		case e.Value == "true" || e.Value == "false" || e.Value == "null":
			return e.Value
		case e.Value == "NaN" || e.Value == "Infinity": // names to actionlint
			return strings.ToLower(e.Value)
		}
		return number(e.Value)
	case Name:
		return e.Value
	case Member:
		return "(. " + all + " " + e.Value + ")"
	case Index:
		return "([] " + all + ")"
	case Call:
		return "(call " + strings.TrimSpace(e.Value+" "+all) + ")"
	case Not:
		return "(! " + all + ")"
	case Compare:
		left, _ := strings.CutPrefix(args[0], "(compare ")
		if e.Args[0].Kind == Compare {
			left = strings.TrimSuffix(left, ")")
		} else {
			left = args[0]
		}
		return fmt.Sprintf("(compare %s %d %s)", left, compareKinds[e.Value], args[1])
	case And:
		return "(&& " + all + ")"
	case Or:
		return "(|| " + all + ")"
	}
	return ""
}

func number(s string) string {
	if i, err := strconv.ParseInt(s, 0, 64); err == nil {
		return fmt.Sprint(float64(i))
	}
	f, _ := strconv.ParseFloat(s, 64) // beyond its range it is infinite for both
	return fmt.Sprint(f)
}

func TestExpressionsAsActionlint(t *testing.T) {
	t.Parallel()
	for _, s := range expressions {
		agree(t, s)
	}
}

// FuzzExpression finds no text that breaks the reader of expressions or that it understands
// otherwise than actionlint.
func FuzzExpression(f *testing.F) {
	for _, s := range expressions {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 4096 || strings.ContainsAny(s, "\x00\ufeff") || !utf8.ValidString(s) {
			return // no such text gets here
		}
		agree(t, s)
		for _, found := range Templates("${{" + s) {
			if found.Err == nil {
				found.Expr.Path()
				found.Expr.Shown()
			}
		}
	})
}
