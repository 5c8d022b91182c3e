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

// lists says whether the versions that e enumerates hold v.
func (e *entry) lists(v *versions.Version) (bool, error) {
	list := listed{c: e.versions}
	var space [64]byte
	list.word = space[:0]
	for list.next() {
		if v.Same(viewOf(list.word)) {
			return true, nil
		}
	}
	if list.c.bad {
		return false, fmt.Errorf("%w: a list of versions", ErrCorrupt)
	}
	return false, nil
}

// listed reads a list of texts that is stored sorted, each as the number of bytes it shares
// with the one before, and the rest.
type listed struct {
	c    cursor
	word []byte // valid until the next call
}

func (l *listed) next() bool {
	if l.c.done() {
		return false
	}
	shared, rest := l.c.number(), l.c.text()
	if l.c.bad || shared > len(l.word) {
		l.c.bad = true
		return false
	}
	l.word = append(l.word[:shared], rest...)
	return true
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

// known says what a record tells of a commit without its repository.
type known int

const (
	knownNothing known = iota
	knownAffected
	knownFixed
)

// knowsCommit says what e tells of a commit: affected when the record lists it, when the
// problem came in with it or it is the last one affected, or when no commit fixes it; fixed
// when it is the fix. What lies between them only the repository knows.
func (e *entry) knowsCommit(commit string) (known, error) {
	said := knownNothing
	c := e.commits
	for !c.done() {
		starts, ends := false, false
		for range c.number() {
			ev := nextEvent(&c)
			if c.bad {
				return said, fmt.Errorf("%w: a range of commits", ErrCorrupt)
			}
			starts = starts || ev.Kind == record.Start
			ends = ends || ev.Kind != record.Start && ev.Kind != record.Introduced
			switch {
			case ev.Version != commit:
			case ev.Kind == record.Introduced, ev.Kind == record.LastAffected:
				return knownAffected, nil
			case ev.Kind == record.Fixed:
				said = knownFixed
			}
		}
		if starts && !ends {
			return knownAffected, nil
		}
	}
	if e.affectsAll() {
		return knownAffected, nil
	}
	v := versions.Of(gitEcosystem).Parse(commit)
	if listed, err := e.lists(&v); listed || err != nil {
		return knownAffected, err
	}
	return said, nil
}

// comparesVersions says whether e tells anything of versions.
func (e *entry) comparesVersions() bool { return !e.ranges.done() || !e.versions.done() }

// appendCommits appends ranges of commits as appendRanges does those of versions. Their
// order means nothing.
func appendCommits(b []byte, ranges []record.CommitRange) []byte {
	var inner []byte
	for _, r := range ranges {
		inner = appendEvents(inner, r.Events)
	}
	return append(appendNumber(b, len(inner)), inner...)
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
