package manifests

import (
	"slices"
	"strings"

	"github.com/landwaiter/landwaiter/checks/inventory"
)

// The bounds of Package.Requirers. A range of more bytes is not told.
const (
	maxRequirers  = 8
	maxConstraint = 256
)

// tellRequirers tells the packages who needs them, the project first. All of a file lies in one
// slice and one text: there are three edges for each package, and most are never asked for.
func (g *graph) tellRequirers(packages []inventory.Package) {
	counts := make([]uint8, len(packages))
	total, text := 0, 0
	count := func(to int32, accepts string) {
		if counts[to] < maxRequirers {
			counts[to]++
			total++
			text += len(accepts)
		}
	}
	for i := range g.roots {
		count(g.roots[i].to, g.roots[i].accepts)
	}
	for i := range g.edges {
		count(g.edges[i].to, g.edges[i].accepts)
	}
	if total == 0 {
		return
	}
	t := telling{packages: packages, counts: counts, room: make([]inventory.Requirer, total)}
	t.text.Grow(text)
	for i := range g.roots {
		t.tell(g.roots[i].to, inventory.Requirer{Constraint: g.roots[i].accepts})
	}
	for i := range g.edges {
		e := &g.edges[i]
		by := &packages[e.from]
		t.tell(e.to, inventory.Requirer{Name: by.Name, Version: by.Version, Constraint: e.accepts})
	}
}

// telling is one tellRequirers under way.
type telling struct {
	packages []inventory.Package
	counts   []uint8              // how many requirers a package has room for
	room     []inventory.Requirer // that no package has yet
	text     strings.Builder      // of the constraints
}

// tell adds a requirer of package to, unless it is there or there is no room.
func (t *telling) tell(to int32, r inventory.Requirer) {
	p := &t.packages[to]
	if p.Requirers == nil {
		n := t.counts[to]
		p.Requirers, t.room = t.room[:0:n], t.room[n:]
	}
	if len(p.Requirers) == cap(p.Requirers) || slices.Contains(p.Requirers, r) {
		return
	}
	// A part of the file's text would keep the whole text in memory.
	start := t.text.Len()
	t.text.WriteString(r.Constraint)
	r.Constraint = t.text.String()[start:]
	p.Requirers = append(p.Requirers, r)
}

// moreRequirers adds to the requirers of one place of a package those of another place.
func moreRequirers(list, more []inventory.Requirer) []inventory.Requirer {
	for _, r := range more {
		if len(list) < maxRequirers && !slices.Contains(list, r) {
			list = append(slices.Clip(list), r)
		}
	}
	return list
}

// bounded is a constraint that may be told.
func bounded(constraint string) string {
	if len(constraint) > maxConstraint {
		return ""
	}
	return constraint
}
