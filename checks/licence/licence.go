// Package licence reads SPDX licence expressions and says whether a list of allowed and
// denied licences lets them through.
//
// It is pure and total: any text gives an Outcome, in time linear in its length, and texts
// over 4 KiB or nested deeper than 64 parentheses are refused unread. The grammar is that of
// SPDX 2.3, annex D, with the operators in capitals or in small letters as SPDX 3.0 allows.
// The lists of identifiers are those of the SPDX licence list as github.com/github/go-spdx
// carries them. Its own evaluation is not used: it multiplies AND over OR out, which a few
// hundred bytes make endless, and drops a LicenseRef that stands in an OR.
//
// Start reading at Checker.Check; evaluate.go has the rules, alias.go what is no expression
// and yet met in the wild.
package licence

import (
	"fmt"
	"strings"
)

// Rules are the licences that a policy lets through. Each entry is one licence: an identifier
// ("MIT"), one with later versions ("GPL-2.0-or-later"), one with an exception
// ("GPL-2.0-only WITH Classpath-exception-2.0"), or a reference ("LicenseRef-Acme").
type Rules struct {
	Allow []string // empty allows what is not denied
	Deny  []string
}

// Status is how an expression stands under Rules. The zero Status is no answer.
type Status string

// The statuses.
const (
	Allowed Status = "allowed"
	Denied  Status = "denied"
	Unknown Status = "unknown" // there is no licence, or one that has no SPDX identifier
	Invalid Status = "invalid" // the text is no SPDX expression
)

// Outcome is what Check found.
type Outcome struct {
	Status Status
	// Expression is the text in its one normal form: identifiers as SPDX spells them, current
	// ones for deprecated ones, no needless parentheses. "" when there is none.
	Expression string
	// Part is the licence that decides when Status is Denied or Unknown: "GPL-3.0-only".
	Part string
	// Reason says in one sentence of plain text why Status is not Allowed. It may quote the
	// text, which is hostile.
	Reason string
	// Suggestion is the expression that was probably meant when Status is Invalid; "" when
	// that cannot be said. Nobody has agreed to it: it must not be judged in place of the text.
	Suggestion string
}

// Checker applies Rules to expressions. It may be used by several goroutines at once.
type Checker struct {
	allow, deny []licence
	any         bool // no licence is listed as allowed: what is not denied is
}

// New returns a Checker for r. It returns an error that names each entry that is no licence.
func New(r Rules) (*Checker, error) {
	c := &Checker{any: len(r.Allow) == 0}
	var err error
	if c.allow, err = entries(r.Allow); err != nil {
		return nil, err
	}
	c.deny, err = entries(r.Deny)
	return c, err
}

// Check applies r to expression. Rules that cannot be read let nothing through: the Outcome
// is then Unknown and says why.
func Check(expression string, r Rules) Outcome {
	c, err := New(r)
	if err != nil {
		return Outcome{Status: Unknown, Reason: fmt.Sprintf("the list of licences cannot be read: %v", err)}
	}
	return c.Check(expression)
}

// Check says how expression stands. It takes what package manifests and registries give as a
// licence: an SPDX expression, but also the words in their place (see alias.go).
func (c *Checker) Check(expression string) Outcome {
	text := strings.TrimSpace(expression)
	if len(text) > maxLength {
		return Outcome{Status: Invalid, Reason: fmt.Sprintf("the licence is a text of %d bytes, which is no SPDX expression", len(text))}
	}
	if reason := noLicence(text); reason != "" {
		return Outcome{Status: Unknown, Part: text, Reason: reason}
	}
	tree, err := parse(text)
	if err == nil {
		return c.judge(tree)
	}
	if meant, ok := otherForm(text); ok {
		if tree, err := parse(meant); err == nil {
			return c.judge(tree)
		}
	}
	o := Outcome{Status: Invalid, Reason: fmt.Sprintf("%q is no SPDX expression: %v", clip(text), err), Suggestion: suggest(text)}
	if o.Suggestion != "" {
		o.Reason += fmt.Sprintf("; perhaps %s is meant", o.Suggestion)
	}
	return o
}

// Normalise returns the one normal form of an expression, or an error that says where it is
// no SPDX expression.
func Normalise(expression string) (string, error) {
	tree, err := parse(strings.TrimSpace(expression))
	if err != nil {
		return "", err
	}
	return tree.String(), nil
}

func clip(text string) string {
	if len(text) > 200 {
		return text[:200] + "..."
	}
	return text
}
