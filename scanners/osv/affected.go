package osv

import (
	"fmt"

	"github.com/landwaiter/landwaiter/scanners/osv/record"
	"github.com/landwaiter/landwaiter/scanners/osv/versions"
)

// nextEvent reads the next event of a range: its kind, and the version where it has one.
func nextEvent(c *cursor) record.Event {
	e := record.Event{Kind: c.byte()}
	if e.Kind != record.Start {
		e.Version = c.text()
	}
	return e
}

// affects says whether v lies in one of the ranges of e, or is one of its versions. A
// version that is not known ("") is affected where all are. With ErrVersion nothing can
// be said; another error is damage.
func (e *entry) affects(v *versions.Version) (bool, error) {
	if v.Raw() == "" {
		return e.affectsAll(), nil
	}
	var unclear error
	ranges := e.ranges
	for !ranges.done() {
		n := ranges.number()
		in, err := inRange(&ranges, n, v)
		if ranges.bad {
			return false, fmt.Errorf("%w: a range", ErrCorrupt)
		}
		if in {
			return true, nil
		}
		if err != nil {
			unclear = err
		}
	}
	listed, err := e.lists(v)
	if listed || err != nil {
		return listed, err
	}
	return false, unclear
}

// inRange consumes n events and evaluates them as the OSV schema says
// (https://ossf.github.io/osv-schema/#evaluation): the last event at or below v decides,
// and where there are limits v must be below one.
func inRange(c *cursor, n int, v *versions.Version) (bool, error) {
	inside, limited, below := false, false, false
	var first error
	for range n {
		e := nextEvent(c)
		if c.bad {
			return false, nil
		}
		order := +1
		var err error
		if e.Kind != record.Start && e.Version != "*" && first == nil {
			if order, err = v.Compare(e.Version); err != nil {
				first = err
			}
		}
		switch e.Kind {
		case record.Start:
			inside = true
		case record.Introduced:
			inside = inside || order >= 0
		case record.Fixed:
			inside = inside && order < 0
		case record.LastAffected:
			inside = inside && (order <= 0 || v.Raw() == e.Version)
		case record.Limit:
			limited, below = true, below || order < 0 || e.Version == "*"
		default:
			c.bad = true
		}
	}
	return first == nil && inside && (!limited || below), first
}

// lists says whether the versions that e enumerates hold v. They are stored sorted, each
// as the number of bytes it shares with the one before, and the rest.
func (e *entry) lists(v *versions.Version) (bool, error) {
	var space [64]byte
	word := space[:0]
	c := e.versions
	for !c.done() {
		shared, rest := c.number(), c.text()
		if shared > len(word) {
			c.bad = true
			break
		}
		word = append(word[:shared], rest...)
		if v.Same(string(word)) {
			return true, nil
		}
	}
	if c.bad {
		return false, fmt.Errorf("%w: a list of versions", ErrCorrupt)
	}
	return false, nil
}

// affectsAll says whether every version is affected: a range that starts at the first one
// and never ends. That holds for a package whose version is not known, too.
func (e *entry) affectsAll() bool {
	c := e.ranges
	for !c.done() {
		starts, ends := false, false
		for range c.number() {
			k := nextEvent(&c).Kind
			starts = starts || k == record.Start
			ends = ends || k == record.Fixed || k == record.LastAffected || k == record.Limit
			if c.bad {
				return false
			}
		}
		if starts && !ends {
			return true
		}
	}
	return false
}

// fixes appends the versions that fix e. They are views.
func (e *entry) fixes(list []string) []string {
	c := e.ranges
	for !c.done() {
		for range c.number() {
			if ev := nextEvent(&c); ev.Kind == record.Fixed && !c.bad {
				list = append(list, ev.Version)
			}
			if c.bad {
				return list
			}
		}
	}
	return list
}
