package checks

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// moved is the place of all manifests that only the base has: what was there before a
// manifest was moved or replaced by one of another format.
const moved = "\x00moved"

// place is where a package stands, for comparing the sides: a manifest, or moved.
type place struct{ path, ecosystem, name string }

// comparison tells what a change touches and what was there before.
type comparison struct {
	compared  bool
	base      map[string]*Manifest // by path
	head      map[string]*Manifest
	untouched map[string]bool // head paths whose content the base has too, with the same submodules
	arrived   map[string]bool // digests of untouched manifests that moved here
	advisory  map[place]map[string]bool
	malicious map[place]map[string]bool // versions with malware at the base
	versions  map[place][]*Package      // packages of the base
	cures     map[place]map[string]bool // versions that advisories of the base name as their cure
}

// newComparison indexes both sides of m and the base matches in evidence.
func newComparison(m *Material, evidence []Evidence) *comparison {
	c := &comparison{
		compared: m.Compared, base: byPath(m.Base.Inventory), head: byPath(m.Head.Inventory),
		untouched: map[string]bool{}, arrived: map[string]bool{}, advisory: map[place]map[string]bool{},
		malicious: map[place]map[string]bool{}, versions: map[place][]*Package{},
		cures: map[place]map[string]bool{},
	}
	if !m.Compared {
		return c
	}
	gone := map[string]bool{} // digests of manifests that only the base has
	for _, path := range slices.Sorted(maps.Keys(c.base)) {
		b := c.base[path]
		if c.head[path] == nil && b.Digest != "" {
			gone[b.Digest] = true
		}
		for i := range b.Packages {
			at := c.basePlace(path, &b.Packages[i])
			c.versions[at] = append(c.versions[at], &b.Packages[i])
		}
	}
	for path, h := range c.head {
		b := c.base[path]
		switch {
		case h.Digest == "":
		case b != nil && b.Digest == h.Digest && !bumped(b, h):
			c.untouched[path] = true
		case b == nil && gone[h.Digest]:
			c.untouched[path], c.arrived[h.Digest] = true, true
		}
	}
	c.indexMatches(evidence)
	return c
}

// submodules is the Format of the manifest that names submodules.
const submodules = ".gitmodules"

// bumped reports whether two manifests of the same content stand for other submodules: their
// commits are in the tree beside .gitmodules, not in the file.
func bumped(b, h *Manifest) bool {
	return h.Format == submodules && (b.Gap != h.Gap || !slices.EqualFunc(b.Packages, h.Packages, func(x, y Package) bool {
		return x.Name == y.Name && x.Commit == y.Commit
	}))
}

func (c *comparison) indexMatches(evidence []Evidence) {
	for _, e := range evidence {
		for _, m := range e.Matches {
			if m.Side != Base {
				continue
			}
			at := c.basePlace(m.Path, &m.Package)
			for _, id := range advisoryIDs(m.Advisory) {
				add(c.advisory, at, id)
			}
			if m.Advisory.Malware {
				add(c.malicious, at, m.Package.Version)
			}
			if m.Advisory.Cure != "" {
				add(c.cures, at, m.Advisory.Cure)
			}
		}
	}
}

func add(index map[place]map[string]bool, at place, value string) {
	if index[at] == nil {
		index[at] = map[string]bool{}
	}
	index[at][value] = true
}

func byPath(v Inventory) map[string]*Manifest {
	paths := make(map[string]*Manifest, len(v.Manifests))
	for i := range v.Manifests {
		paths[v.Manifests[i].Path] = &v.Manifests[i]
	}
	return paths
}

func advisoryIDs(a Advisory) []string { return append([]string{a.ID}, a.Aliases...) }

func (c *comparison) basePlace(path string, p *Package) place {
	if c.head[path] == nil {
		path = moved
	}
	return place{path, p.Ecosystem, p.Name}
}

func (c *comparison) headPlace(path string, p *Package) place {
	if c.base[path] == nil {
		path = moved
	}
	return place{path, p.Ecosystem, p.Name}
}

// introduced reports whether the change brought the match in: the base has no match of the same
// package, at the same place, that shares an identifier. An upgrade from one affected version to
// another therefore introduces only what the old one did not have. Malware is compared by
// version too, because another malicious version is another program.
func (c *comparison) introduced(m Match) bool {
	if !c.compared {
		return true
	}
	if c.untouched[m.Path] {
		return false
	}
	at := c.headPlace(m.Path, &m.Package)
	if m.Advisory.Malware && !c.malicious[at][m.Package.Version] {
		return true
	}
	before := c.advisory[at]
	return !slices.ContainsFunc(advisoryIDs(m.Advisory), func(id string) bool { return before[id] })
}

// touched counts the manifests that the change adds, edits or removes.
func (c *comparison) touched() int {
	n := 0
	for path := range c.head {
		if !c.untouched[path] {
			n++
		}
	}
	for path, b := range c.base {
		if c.head[path] == nil && !c.movedAway(b) {
			n++
		}
	}
	return n
}

// movedAway reports whether the head has the content of b, which is gone, at another path.
func (c *comparison) movedAway(b *Manifest) bool { return b.Digest != "" && c.arrived[b.Digest] }

// unresolved returns the packages without an exact version that the change brings in.
func (c *comparison) unresolved(v Inventory) []located {
	var found []located
	for _, m := range v.Manifests {
		if c.untouched[m.Path] {
			continue
		}
		for i := range m.Packages {
			p := &m.Packages[i]
			known := func(b *Package) bool { return !exact(b) && b.Constraint == p.Constraint }
			if !exact(p) && !Unadvised(p.Ecosystem) && !slices.ContainsFunc(c.versions[c.headPlace(m.Path, p)], known) {
				found = append(found, located{m.Path, p})
			}
		}
	}
	return found
}

// located is a package at a path.
type located struct {
	path string
	*Package
}

// exact reports whether p is one version and no other.
func exact(p *Package) bool { return p.Version != "" || p.Commit != "" }

// versionText is the version of p as people know it.
func versionText(p *Package) string { return cmp.Or(p.Version, p.Commit, p.Constraint) }

// arrival is a package version that the change brings in: a new package, or another version of
// one that was there. Without a base every package arrives.
type arrival struct {
	located
	// before is the version that it replaces at its place, nil when there is none.
	before *Package
}

func (a arrival) compare(b arrival) int {
	return cmp.Or(strings.Compare(a.path, b.path), a.Line-b.Line, strings.Compare(a.Name, b.Name), strings.Compare(versionText(a.Package), versionText(b.Package)))
}

// all returns every version of every package once, at its first place: what arrives where there
// is no base.
func (c *comparison) all() []arrival {
	type named struct{ ecosystem, name, version string }
	size := 0
	for _, m := range c.head {
		size += len(m.Packages)
	}
	seen, arrivals := make(map[named]bool, size), make([]arrival, 0, size)
	for _, path := range slices.Sorted(maps.Keys(c.head)) {
		for i := range c.head[path].Packages {
			p := &c.head[path].Packages[i]
			if key := (named{p.Ecosystem, p.Name, versionText(p)}); !seen[key] {
				seen[key] = true
				arrivals = append(arrivals, arrival{located: located{path, p}})
			}
		}
	}
	slices.SortFunc(arrivals, arrival.compare) // most are in order
	return arrivals
}

// coming returns the packages of touched manifests by their place.
func (c *comparison) coming() map[place][]located {
	packages := map[place][]located{}
	for _, path := range slices.Sorted(maps.Keys(c.head)) {
		if c.untouched[path] {
			continue
		}
		for i := range c.head[path].Packages {
			p := &c.head[path].Packages[i]
			at := c.headPlace(path, p)
			packages[at] = append(packages[at], located{path, p})
		}
	}
	return packages
}

// changes returns the packages that differ between the sides, sorted by path and name, and the
// arrivals among them, sorted by path and line. Versions of one package in one manifest are
// paired in order: one that goes and one that comes are an upgrade, a downgrade, or changed when
// their order is not known here. Without a base there are no changes.
func (c *comparison) changes() (found []Change, arrivals []arrival) {
	if !c.compared {
		return nil, c.all()
	}
	coming := c.coming()
	for at, heads := range coming {
		changes, arrived := pair(heads, c.versions[at])
		found, arrivals = append(found, changes...), append(arrivals, arrived...)
	}
	slices.SortFunc(arrivals, arrival.compare)
	for path, b := range c.base {
		if c.untouched[path] || c.head[path] == nil && c.movedAway(b) {
			continue
		}
		for i := range b.Packages {
			p := &b.Packages[i]
			if _, ok := coming[c.basePlace(path, p)]; !ok {
				found = append(found, change("removed", located{path, p}, versionText(p), ""))
			}
		}
	}
	slices.SortFunc(found, func(a, b Change) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Name, b.Name), strings.Compare(a.Ecosystem, b.Ecosystem),
			strings.Compare(a.From, b.From), strings.Compare(a.To, b.To), a.Line-b.Line)
	})
	return slices.CompactFunc(found, func(a, b Change) bool { a.Line = b.Line; return a == b }), arrivals
}

// pair compares the versions of one package at one place.
func pair(heads []located, bases []*Package) (found []Change, arrivals []arrival) {
	had, has := map[string]bool{}, map[string]bool{}
	for _, p := range bases {
		had[versionText(p)] = true
	}
	for _, p := range heads {
		has[versionText(p.Package)] = true
	}
	var added []located
	for _, p := range heads {
		if !had[versionText(p.Package)] {
			had[versionText(p.Package)] = true
			added = append(added, p)
		}
	}
	var dropped []*Package
	for _, p := range bases {
		if v := versionText(p); !has[v] {
			has[v] = true
			dropped = append(dropped, p)
		}
	}
	slices.SortFunc(added, func(a, b located) int { return byVersion(versionText(a.Package), versionText(b.Package)) })
	slices.SortFunc(dropped, func(a, b *Package) int { return byVersion(versionText(a), versionText(b)) })
	for i := range max(len(added), len(dropped)) {
		switch {
		case i >= len(dropped):
			found = append(found, change("new", added[i], "", versionText(added[i].Package)))
			arrivals = append(arrivals, arrival{located: added[i]})
		case i >= len(added):
			found = append(found, change("removed", heads[0], versionText(dropped[i]), ""))
		default:
			from, to := versionText(dropped[i]), versionText(added[i].Package)
			found = append(found, change(direction(from, to), added[i], from, to))
			arrivals = append(arrivals, arrival{added[i], dropped[i]})
		}
	}
	return found, arrivals
}

func change(kind string, p located, from, to string) Change {
	return Change{Type: kind, Path: p.path, Line: p.Line, Ecosystem: p.Ecosystem, Name: p.Name, From: from, To: to, Relation: string(p.Relation)}
}

func direction(from, to string) string {
	switch order, known := versionOrder(from, to); {
	case !known:
		return "changed"
	case order < 0:
		return "upgrade"
	default:
		return "downgrade"
	}
}

func byVersion(a, b string) int {
	if order, known := versionOrder(a, b); known && order != 0 {
		return order
	}
	return strings.Compare(a, b)
}

// String names the package and its version, for messages.
func (l located) String() string {
	return fmt.Sprintf("%s %s", l.Name, cmp.Or(versionText(l.Package), "(no version)"))
}
