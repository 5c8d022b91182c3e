package osv

import "fmt"

// The events of a range, as stored. A range is the number of its events and the events,
// sorted by the ecosystem's order when they were compiled.
const (
	eventStart        = iota // introduced at "0": every version from the first on
	eventIntroduced          // with the version
	eventFixed               // with the version
	eventLastAffected        // with the version
	eventLimit               // with the version, or "*"
)

// event is one event of a range.
type event struct {
	kind    byte
	version string
}

// nextEvent reads the next event of a range.
func nextEvent(c *cursor) event {
	e := event{kind: c.byte()}
	if e.kind != eventStart {
		e.version = c.text()
	}
	return e
}

// affects says whether v lies in one of the ranges of e, or is one of its versions. A
// version that is not known ("") is affected where all are. With ErrVersion nothing can
// be said; another error is damage.
func (e *entry) affects(v *version) (bool, error) {
	if v.raw == "" {
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
func inRange(c *cursor, n int, v *version) (bool, error) {
	inside, limited, below := false, false, false
	var first error
	for range n {
		e := nextEvent(c)
		if c.bad {
			return false, nil
		}
		order := +1
		var err error
		if e.kind != eventStart && e.version != "*" && first == nil {
			if order, err = v.compare(e.version); err != nil {
				first = err
			}
		}
		switch e.kind {
		case eventStart:
			inside = true
		case eventIntroduced:
			inside = inside || order >= 0
		case eventFixed:
			inside = inside && order < 0
		case eventLastAffected:
			inside = inside && (order <= 0 || v.raw == e.version)
		case eventLimit:
			limited, below = true, below || order < 0 || e.version == "*"
		default:
			c.bad = true
		}
	}
	return first == nil && inside && (!limited || below), first
}

// lists says whether the versions that e enumerates hold v. They are stored sorted, each
// as the number of bytes it shares with the one before, and the rest.
func (e *entry) lists(v *version) (bool, error) {
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
		if v.same(string(word)) {
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
			k := nextEvent(&c).kind
			starts = starts || k == eventStart
			ends = ends || k == eventFixed || k == eventLastAffected || k == eventLimit
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
			if ev := nextEvent(&c); ev.kind == eventFixed && !c.bad {
				list = append(list, ev.version)
			}
			if c.bad {
				return list
			}
		}
	}
	return list
}
