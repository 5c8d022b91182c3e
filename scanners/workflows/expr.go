package workflows

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The limits of one expression. The length is GitHub's own (MaxLength of ExpressionConstants in
// actions/runner), counted here in bytes; the depth is twice GitHub's 50.
const (
	maxExpression = 21_000
	maxDepth      = 100
)

// exprKind says what an expr is.
type exprKind uint8

// The kinds of expressions.
const (
	exprLiteral exprKind = iota // value is text, number, or a word: true, false, null
	exprName                    // a context or the start of a path
	exprMember                  // args[0].value; value "*" is the filter
	exprIndex                   // args[0][args[1]]
	exprCall                    // value(args...)
	exprNot                     // !args[0]
	exprCompare                 // args[0] value args[1]
	exprAnd                     // all args, in order
	exprOr
)

// expr is an expression as a tree. Names are in lower case: GitHub does not tell their case apart.
type expr struct {
	kind    exprKind
	value   string
	written string // of a name or member: as it stands in the file
	text    bool   // of a literal: it stood in quotes
	args    []*expr
}

// parser reads one expression by the grammar at
// https://docs.github.com/actions/reference/workflows-and-actions/expressions.
type parser struct {
	lexer
	tok   token
	depth int
	err   error
}

// parseExpr reads the expression at the start of s, up to its closing braces, and returns how
// many bytes it takes with them.
func parseExpr(s string) (*expr, int, error) {
	limited := len(s) > maxExpression
	p := &parser{lexer: lexer{s: s[:min(len(s), maxExpression)]}}
	p.advance()
	e := p.or()
	if p.err == nil && p.tok.kind != "}}" {
		p.err = fmt.Errorf("has %q behind its end", cut(p.tok.shown(), maxShown))
	}
	if limited && errors.Is(p.err, errOpen) {
		p.err = fmt.Errorf("is longer than %d bytes", maxExpression)
	}
	return e, p.pos, p.err
}

// parseCondition reads an expression that stands without braces, as `if:` allows.
func parseCondition(s string) (*expr, error) {
	if len(s) > maxExpression {
		return nil, fmt.Errorf("is longer than %d bytes", maxExpression)
	}
	e, n, err := parseExpr(s + "}}")
	if err == nil && n != len(s)+2 {
		err = errors.New("goes on behind its end")
	}
	return e, err
}

func (t token) shown() string {
	if t.text != "" {
		return t.text
	}
	return t.kind
}

func (p *parser) advance() {
	if p.err == nil {
		p.tok, p.err = p.next()
	}
	if p.err != nil {
		p.tok = token{}
	}
}

// take moves over a sign when it is the next token.
func (p *parser) take(sign string) bool {
	if p.err != nil || p.tok.kind != sign {
		return false
	}
	p.advance()
	return true
}

func (p *parser) need(sign string) {
	if !p.take(sign) && p.err == nil {
		p.err = fmt.Errorf("has %q where %q must stand", cut(p.tok.shown(), maxShown), sign)
	}
}

func (p *parser) or() *expr  { return p.chain("||", exprOr, p.and) }
func (p *parser) and() *expr { return p.chain("&&", exprAnd, p.compare) }

// chain reads operands between signs into one expr, so that long ones are not deep.
func (p *parser) chain(sign string, kind exprKind, operand func() *expr) *expr {
	first := operand()
	if p.tok.kind != sign {
		return first
	}
	e := &expr{kind: kind, args: []*expr{first}}
	for p.take(sign) {
		e.args = append(e.args, operand())
	}
	return e
}

func (p *parser) compare() *expr {
	e, before := p.not(), p.depth
	defer func() { p.depth = before }()
	for p.err == nil {
		switch sign := p.tok.kind; sign {
		case "==", "!=", "<", "<=", ">", ">=":
			p.advance()
			e = &expr{kind: exprCompare, value: sign, args: []*expr{e, p.not()}}
		default:
			return e
		}
		p.deeper() // each comparison stands on the one before
	}
	return e
}

func (p *parser) not() *expr {
	if !p.take("!") {
		return p.postfix()
	}
	p.deeper()
	e := &expr{kind: exprNot, args: []*expr{p.not()}}
	p.depth--
	return e
}

// deeper counts a level and fails when there are too many.
func (p *parser) deeper() {
	if p.depth++; p.depth > maxDepth && p.err == nil {
		p.err = fmt.Errorf("is nested deeper than %d levels", maxDepth)
		p.tok = token{}
	}
}

// postfix reads a value and the members and elements taken from it.
func (p *parser) postfix() *expr {
	e := p.primary()
	for p.err == nil {
		switch {
		case p.take("."):
			member := &expr{kind: exprMember, value: "*", args: []*expr{e}}
			if p.tok.kind == tokenName {
				member.value, member.written = strings.ToLower(p.tok.text), p.tok.text
				p.advance()
			} else {
				p.need("*")
			}
			e = member
		case p.take("["):
			p.deeper()
			index := &expr{kind: exprIndex, args: []*expr{e, nil}}
			if p.take("*") {
				index.args[1] = &expr{kind: exprName, value: "*"}
			} else {
				index.args[1] = p.or()
			}
			p.need("]")
			p.depth--
			e = index
		default:
			return e
		}
	}
	return e
}

func (p *parser) primary() *expr {
	t := p.tok
	switch t.kind {
	case tokenText, tokenNumber:
		p.advance()
		return &expr{kind: exprLiteral, value: t.text, text: t.kind == tokenText}
	case tokenName:
		p.advance()
		switch {
		case p.take("("):
			return p.call(strings.ToLower(t.text))
		case t.text == "true", t.text == "false", t.text == "null", t.text == "NaN", t.text == "Infinity":
			return &expr{kind: exprLiteral, value: t.text}
		}
		return &expr{kind: exprName, value: strings.ToLower(t.text), written: t.text}
	case "(":
		p.advance()
		p.deeper()
		e := p.or()
		p.depth--
		p.need(")")
		return e
	}
	if p.err == nil {
		p.err = fmt.Errorf("has %q where a value must stand", cut(t.shown(), maxShown))
		p.tok = token{}
	}
	return &expr{kind: exprLiteral, value: "null"}
}

// call reads the arguments of a function behind its opening bracket.
func (p *parser) call(name string) *expr {
	e := &expr{kind: exprCall, value: name}
	p.deeper()
	for p.err == nil && !p.take(")") {
		if len(e.args) > 0 {
			p.need(",")
		}
		e.args = append(e.args, p.or())
	}
	p.depth--
	return e
}

// path returns the names of a path like github.event.commits.*.message, nil when e is no path
// from a context. A filter and an element that is computed or a number are "*".
func (e *expr) path() []string {
	var back []string
	for {
		switch e.kind {
		case exprName:
			back = append(back, e.value)
			slices.Reverse(back)
			return back
		case exprMember:
			back = append(back, e.value)
		case exprIndex:
			name := "*"
			if i := e.args[1]; i.kind == exprLiteral && i.text {
				name = strings.ToLower(i.value)
			}
			back = append(back, name)
		default:
			return nil
		}
		e = e.args[0]
	}
}

// shown is a path as it stands in the file, but elements in brackets as members, shortened for
// a message.
func (e *expr) shown() string {
	var back []string
	for ; e.kind == exprMember || e.kind == exprIndex; e = e.args[0] {
		switch i := e.args[len(e.args)-1]; {
		case e.kind == exprIndex && i.kind == exprLiteral && i.text:
			back = append(back, i.value)
		case e.kind == exprIndex || e.written == "":
			back = append(back, "*")
		default:
			back = append(back, e.written)
		}
	}
	back = append(back, e.written)
	slices.Reverse(back)
	return cut(clean(strings.Join(back, ".")), maxShown)
}

// template is one ${{ }} in a text.
type template struct {
	at  int    // position in the text
	raw string // with the braces
	e   *expr  // nil when err is set
	err error
}

// templates returns the expressions in a text, in its order.
func templates(text string) []template {
	var found []template
	for at := 0; ; {
		next := strings.Index(text[at:], "${{")
		if next < 0 {
			return found
		}
		at += next
		t := template{at: at}
		e, n, err := parseExpr(text[at+3:])
		if err == nil {
			t.e, t.raw = e, text[at:at+3+n]
		} else {
			t.err = err
			n = closing(text[at+3:])
			t.raw = text[at : at+3+n]
		}
		found = append(found, t)
		at += 3 + n
	}
}

// closing is how many bytes GitHub takes for an expression at the start of s, whatever it
// says: up to the first closing braces outside quotes.
func closing(s string) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\'':
			quoted = !quoted
		case !quoted && strings.HasPrefix(s[i:], "}}"):
			return i + 2
		}
	}
	return len(s)
}
