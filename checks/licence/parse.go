package licence

import (
	"fmt"
	"strings"
)

const (
	maxLength = 4 << 10 // bytes of an expression; the longest in use have a few hundred
	maxDepth  = 64      // parentheses within one another
)

// node is a licence, or an operator over parts.
type node struct {
	operator string  // "AND", "OR"; "" for a licence
	parts    []*node // of an operator, at least two, none with the same operator
	licence  licence
}

// licence is one licence of an expression.
type licence struct {
	id        string // as SPDX spells it, current, "-only" where SPDX has it; or a reference
	later     bool   // or any later version
	exception string // "" when there is none
}

// parse reads an expression. Errors say what is wrong and at which byte, one-based.
func parse(text string) (*node, error) {
	if len(text) > maxLength {
		return nil, fmt.Errorf("it has %d bytes, more than %d", len(text), maxLength)
	}
	p := &parser{text: text}
	p.next()
	n, err := p.either(0)
	if err == nil && p.word != "" {
		err = p.unexpected("AND, OR or the end")
	}
	return n, err
}

// parser is a text being read. word is the word at hand, "" at the end.
type parser struct {
	text   string
	word   string
	at     int // where word begins
	offset int // behind word
}

// next takes the next word: a parenthesis, or what stands up to white space or a parenthesis.
func (p *parser) next() {
	for p.offset < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.offset]) >= 0 {
		p.offset++
	}
	p.at = p.offset
	if p.offset == len(p.text) {
		p.word = ""
		return
	}
	length := strings.IndexAny(p.text[p.at:], " \t\r\n()")
	switch length {
	case -1:
		length = len(p.text) - p.at
	case 0:
		length = 1
	}
	p.offset += length
	p.word = p.text[p.at:p.offset]
}

func (p *parser) unexpected(wanted string) error {
	if p.word == "" {
		return fmt.Errorf("it ends where %s should follow", wanted)
	}
	return fmt.Errorf("%q at byte %d is not %s", clip(p.word), p.at+1, wanted)
}

// is takes the operator if it is the word at hand.
func (p *parser) is(operator string) bool {
	if p.word != operator && p.word != strings.ToLower(operator) {
		return false
	}
	p.next()
	return true
}

// either reads alternatives; both what must hold together; one a licence or what stands in
// parentheses. AND binds closer than OR.
func (p *parser) either(depth int) (*node, error) {
	return p.chain("OR", func() (*node, error) { return p.both(depth) })
}

func (p *parser) both(depth int) (*node, error) {
	return p.chain("AND", func() (*node, error) { return p.one(depth) })
}

func (p *parser) chain(operator string, part func() (*node, error)) (*node, error) {
	first, err := part()
	if err != nil {
		return nil, err
	}
	n := &node{operator: operator}
	n.add(first)
	for p.is(operator) {
		more, err := part()
		if err != nil {
			return nil, err
		}
		n.add(more)
	}
	if len(n.parts) == 1 {
		return n.parts[0], nil
	}
	return n, nil
}

// add takes a part, or its parts when it has the same operator.
func (n *node) add(part *node) {
	if part.operator == n.operator {
		n.parts = append(n.parts, part.parts...)
	} else {
		n.parts = append(n.parts, part)
	}
}

func (p *parser) one(depth int) (*node, error) {
	if p.word != "(" {
		return p.simple()
	}
	if depth == maxDepth {
		return nil, fmt.Errorf("its parentheses are nested deeper than %d", maxDepth)
	}
	p.next()
	n, err := p.either(depth + 1)
	if err != nil {
		return nil, err
	}
	if p.word != ")" {
		return nil, p.unexpected("a closing parenthesis")
	}
	p.next()
	return n, nil
}

// simple reads a licence and its exception.
func (p *parser) simple() (*node, error) {
	l, ok := findLicence(p.word)
	if !ok {
		return nil, p.unexpected("a licence of the SPDX list")
	}
	p.next()
	if !p.is("WITH") {
		return &node{licence: l}, nil
	}
	exception, ok := findException(p.word)
	switch {
	case !ok:
		return nil, p.unexpected("an exception of the SPDX list")
	case l.exception != "":
		return nil, fmt.Errorf("%s has an exception already", l)
	}
	l.exception = exception
	p.next()
	return &node{licence: l}, nil
}

// String returns the normal form.
func (n *node) String() string {
	var b strings.Builder
	n.write(&b)
	return b.String()
}

func (n *node) write(b *strings.Builder) {
	if n.operator == "" {
		b.WriteString(n.licence.String())
		return
	}
	for i, part := range n.parts {
		if i > 0 {
			b.WriteString(" " + n.operator + " ")
		}
		if n.operator == "AND" && part.operator == "OR" {
			b.WriteByte('(')
			part.write(b)
			b.WriteByte(')')
		} else {
			part.write(b)
		}
	}
}

// String returns the licence as SPDX writes it.
func (l licence) String() string {
	text := l.id
	if l.later {
		if base, gnu := strings.CutSuffix(text, "-only"); gnu {
			text = base + "-or-later"
		} else {
			text += "+"
		}
	}
	if l.exception != "" {
		text += " WITH " + l.exception
	}
	return text
}
