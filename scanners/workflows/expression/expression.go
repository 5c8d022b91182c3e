// Package expression reads the expressions of GitHub Actions, ${{ }}, into trees.
//
// It owns their grammar and its limits, and knows nothing of what their names mean. It reads
// untrusted text in one pass, and never more than MaxLength bytes of it for one expression.
// Start with Templates.
package expression

import (
	"slices"
	"strings"
)

// Kind says what an Expr is.
type Kind uint8

// The kinds of expressions.
const (
	Literal Kind = iota // Value is text, number, or a word: true, false, null
	Name                // a context or the start of a path
	Member              // Args[0].Value; Value "*" is the filter
	Index               // Args[0][Args[1]]
	Call                // Value(Args...)
	Not                 // !Args[0]
	Compare             // Args[0] Value Args[1]
	And                 // all Args, in order
	Or
)

// Expr is an expression as a tree. Value is in lower case for names, members and functions:
// GitHub does not tell their case apart.
type Expr struct {
	Kind    Kind
	Value   string
	Written string // of a name or member: as it stands in the file
	Text    bool   // of a literal: it stood in quotes
	Args    []*Expr
}

// Path returns the names of a path like github.event.commits.*.message, nil when e is no path
// from a context. A filter and an element that is computed or a number are "*".
func (e *Expr) Path() []string {
	var back []string
	for {
		switch e.Kind {
		case Name:
			back = append(back, e.Value)
			slices.Reverse(back)
			return back
		case Member:
			back = append(back, e.Value)
		case Index:
			name := "*"
			if i := e.Args[1]; i.Kind == Literal && i.Text {
				name = strings.ToLower(i.Value)
			}
			back = append(back, name)
		default:
			return nil
		}
		e = e.Args[0]
	}
}

// Shown is a path as it stands in the file, but elements in brackets as members. Hostile.
func (e *Expr) Shown() string {
	var back []string
	for ; e.Kind == Member || e.Kind == Index; e = e.Args[0] {
		switch i := e.Args[len(e.Args)-1]; {
		case e.Kind == Index && i.Kind == Literal && i.Text:
			back = append(back, i.Value)
		case e.Kind == Index || e.Written == "":
			back = append(back, "*")
		default:
			back = append(back, e.Written)
		}
	}
	back = append(back, e.Written)
	slices.Reverse(back)
	return strings.Join(back, ".")
}

// Template is one ${{ }} in a text.
type Template struct {
	At   int    // position in the text, in bytes
	Raw  string // with the braces
	Expr *Expr  // nil when Err is set
	Err  error
}

// Templates returns the expressions in a text, in its order.
func Templates(text string) []Template {
	var found []Template
	for at := 0; ; {
		next := strings.Index(text[at:], "${{")
		if next < 0 {
			return found
		}
		at += next
		t := Template{At: at}
		e, n, err := Parse(text[at+3:])
		if err == nil {
			t.Expr, t.Raw = e, text[at:at+3+n]
		} else {
			t.Err = err
			n = closing(text[at+3:])
			t.Raw = text[at : at+3+n]
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
