package licence

import (
	"fmt"
	"slices"
	"strings"
)

// The rules, in the order in which they decide about one licence:
//
//  1. Denied if Deny lists it, Allowed if Allow does. With an exception it is listed only by an
//     entry with the same exception.
//  2. An exception of the SPDX list widens what the licence permits, so "X WITH e" stands as X
//     does: allowing MIT-like terms needs no list of exceptions, and who denies X but accepts
//     it with e says so in Allow, which counts by rule 1.
//  3. "X or later" leaves the choice of the version to us: it stands as X and the later
//     versions known to SPDX stand, joined by OR.
//  4. A reference (LicenseRef-, AdditionRef-) is Unknown: its name says nothing.
//  5. Anything else is Denied, or Allowed when Allow is empty.
//
// An entry with later versions covers each of them: denying GPL-2.0-or-later denies
// GPL-3.0-only as well. Denying GPL-2.0-only does not deny GPL-2.0-or-later, since the choice
// of version 3 remains.
//
// OR takes the best of its parts and AND the worst, where Denied < Unknown < Allowed. So AND is
// as strict as its strictest part, and OR is denied only where every alternative is.

// entries reads entries.
func entries(list []string) ([]licence, error) {
	var found []licence
	for _, text := range list {
		n, err := parse(strings.TrimSpace(text))
		switch {
		case err != nil && suggest(text) != "":
			return nil, fmt.Errorf("%q is no licence of the SPDX list; perhaps %s is meant", clip(text), suggest(text))
		case err != nil:
			return nil, fmt.Errorf("%q is no licence of the SPDX list: %w", clip(text), err)
		case n.operator != "":
			return nil, fmt.Errorf("%q is more than one licence; list each", clip(text))
		}
		found = append(found, n.licence)
	}
	return found, nil
}

// covers reports whether l, an entry of Rules, names the licence id with exception.
func (l licence) covers(id, exception string) bool {
	if l.exception != exception {
		return false
	}
	return l.id == id || l.later && slices.Contains(spdx().later[l.id], id)
}

// standing is a Status in order: the higher the better.
type standing int

const (
	denied standing = iota
	unknown
	allowed
)

// judge evaluates an expression.
func (c *Checker) judge(tree *node) Outcome {
	s, decides := c.stands(tree)
	o := Outcome{Expression: tree.String(), Part: decides.String()}
	_, listed := c.listed(decides.id, "")
	switch {
	case s == allowed:
		o.Status, o.Part = Allowed, ""
	case s == unknown:
		o.Status = Unknown
		o.Reason = fmt.Sprintf("%s is not in the SPDX list, so what it permits cannot be told", o.Part)
	case listed:
		o.Status = Denied
		o.Reason = fmt.Sprintf("%s is a denied licence", o.Part)
	default:
		o.Status = Denied
		o.Reason = fmt.Sprintf("%s is not among the allowed licences", o.Part)
	}
	return o
}

// stands returns how n stands and the licence that decides it: of AND the first of the worst,
// of OR the first of the best.
func (c *Checker) stands(n *node) (best standing, decides licence) {
	if n.operator == "" {
		return c.licence(n.licence), n.licence
	}
	for i, p := range n.parts {
		s, l := c.stands(p)
		if i == 0 || n.operator == "OR" && s > best || n.operator == "AND" && s < best {
			best, decides = s, l
		}
	}
	return best, decides
}

// licence returns how one licence stands.
func (c *Checker) licence(l licence) standing {
	if !l.later || spdx().later[l.id] == nil {
		return c.version(l.id, l.exception)
	}
	best := denied
	for _, id := range spdx().later[l.id] {
		best = max(best, c.version(id, l.exception))
	}
	return best
}

// version returns how the licence id stands.
func (c *Checker) version(id, exception string) standing {
	if exception != "" {
		s, listed := c.listed(id, exception)
		switch {
		case listed:
			return s
		case isReference(exception):
			return min(unknown, c.version(id, ""))
		}
	}
	s, listed := c.listed(id, "")
	switch {
	case listed:
		return s
	case isReference(id):
		return unknown
	case c.any:
		return allowed
	}
	return denied
}

// listed returns how the Rules themselves name a licence, if they do.
func (c *Checker) listed(id, exception string) (s standing, listed bool) {
	covers := func(l licence) bool { return l.covers(id, exception) }
	switch {
	case slices.ContainsFunc(c.deny, covers):
		return denied, true
	case slices.ContainsFunc(c.allow, covers):
		return allowed, true
	}
	return denied, false
}
