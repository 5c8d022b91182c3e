package expression

import (
	"errors"
	"fmt"
	"strings"
)

// The limits of one expression. MaxLength is GitHub's own (MaxLength of ExpressionConstants in
// actions/runner), counted here in bytes; MaxDepth is twice GitHub's 50.
const (
	MaxLength = 21_000
	MaxDepth  = 100
)

// parser reads one expression by the grammar at
// https://docs.github.com/actions/reference/workflows-and-actions/expressions.
type parser struct {
	lexer
	tok   token
	depth int
	err   error
}

// Parse reads the expression at the start of s, up to its closing braces, and returns how
// many bytes it takes with them.
func Parse(s string) (*Expr, int, error) {
	limited := len(s) > MaxLength
	p := &parser{lexer: lexer{s: s[:min(len(s), MaxLength)]}}
	p.advance()
	e := p.or()
	if p.err == nil && p.tok.kind != "}}" {
		p.err = fmt.Errorf("has %q behind its end", p.tok.shown())
	}
	if limited && errors.Is(p.err, errOpen) {
		p.err = fmt.Errorf("is longer than %d bytes", MaxLength)
	}
	return e, p.pos, p.err
}

// ParseCondition reads an expression that stands without braces, as `if:` allows.
func ParseCondition(s string) (*Expr, error) {
	if len(s) > MaxLength {
		return nil, fmt.Errorf("is longer than %d bytes", MaxLength)
	}
	e, n, err := Parse(s + "}}")
	if err == nil && n != len(s)+2 {
		err = errors.New("goes on behind its end")
	}
	return e, err
}

// shown is the token for a message, at most 80 bytes of it.
func (t token) shown() string {
	if t.text == "" {
		return t.kind
	}
	return short(t.text)
}

func short(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
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
		p.err = fmt.Errorf("has %q where %q must stand", p.tok.shown(), sign)
	}
}

func (p *parser) or() *Expr  { return p.chain("||", Or, p.and) }
func (p *parser) and() *Expr { return p.chain("&&", And, p.compare) }

// chain reads operands between signs into one expr, so that long ones are not deep.
func (p *parser) chain(sign string, kind Kind, operand func() *Expr) *Expr {
	first := operand()
	if p.tok.kind != sign {
		return first
	}
	e := &Expr{Kind: kind, Args: []*Expr{first}}
	for p.take(sign) {
		e.Args = append(e.Args, operand())
	}
	return e
}

func (p *parser) compare() *Expr {
	e, before := p.not(), p.depth
	defer func() { p.depth = before }()
	for p.err == nil {
		switch sign := p.tok.kind; sign {
		case "==", "!=", "<", "<=", ">", ">=":
			p.advance()
			e = &Expr{Kind: Compare, Value: sign, Args: []*Expr{e, p.not()}}
		default:
			return e
		}
		p.deeper() // each comparison stands on the one before
	}
	return e
}

func (p *parser) not() *Expr {
	if !p.take("!") {
		return p.postfix()
	}
	p.deeper()
	e := &Expr{Kind: Not, Args: []*Expr{p.not()}}
	p.depth--
	return e
}

// deeper counts a level and fails when there are too many.
func (p *parser) deeper() {
	if p.depth++; p.depth > MaxDepth && p.err == nil {
		p.err = fmt.Errorf("is nested deeper than %d levels", MaxDepth)
		p.tok = token{}
	}
}

// postfix reads a value and the members and elements taken from it.
func (p *parser) postfix() *Expr {
	e := p.primary()
	for p.err == nil {
		switch {
		case p.take("."):
			member := &Expr{Kind: Member, Value: "*", Args: []*Expr{e}}
			if p.tok.kind == tokenName {
				member.Value, member.Written = strings.ToLower(p.tok.text), p.tok.text
				p.advance()
			} else {
				p.need("*")
			}
			e = member
		case p.take("["):
			p.deeper()
			index := &Expr{Kind: Index, Args: []*Expr{e, nil}}
			if p.take("*") {
				index.Args[1] = &Expr{Kind: Name, Value: "*"}
			} else {
				index.Args[1] = p.or()
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

func (p *parser) primary() *Expr {
	t := p.tok
	switch t.kind {
	case tokenText, tokenNumber:
		p.advance()
		return &Expr{Kind: Literal, Value: t.text, Text: t.kind == tokenText}
	case tokenName:
		p.advance()
		switch {
		case p.take("("):
			return p.call(strings.ToLower(t.text))
		case t.text == "true", t.text == "false", t.text == "null", t.text == "NaN", t.text == "Infinity":
			return &Expr{Kind: Literal, Value: t.text}
		}
		return &Expr{Kind: Name, Value: strings.ToLower(t.text), Written: t.text}
	case "(":
		p.advance()
		p.deeper()
		e := p.or()
		p.depth--
		p.need(")")
		return e
	}
	if p.err == nil {
		p.err = fmt.Errorf("has %q where a value must stand", t.shown())
		p.tok = token{}
	}
	return &Expr{Kind: Literal, Value: "null"}
}

// call reads the arguments of a function behind its opening bracket.
func (p *parser) call(name string) *Expr {
	e := &Expr{Kind: Call, Value: name}
	p.deeper()
	for p.err == nil && !p.take(")") {
		if len(e.Args) > 0 {
			p.need(",")
		}
		e.Args = append(e.Args, p.or())
	}
	p.depth--
	return e
}
