package manifests

import "github.com/landwaiter/landwaiter/checks/inventory"

// maxVia is how long a path from a direct dependency may be to be told. Real ones have fewer
// than ten steps; without a bound a hostile chain would cost the square of its length.
const maxVia = 20

// graph is who needs whom in one lock file. Its nodes are the positions of packages in
// source.packages; which ones the project needs itself are roots.
type graph struct {
	edges []edge
	roots []root
}

type edge struct {
	from, to int32
	optional bool
	accepts  string // versions, as the ecosystem writes them; "" when not told. A part of the file's text
}

type root struct {
	to      int32
	scope   inventory.Scope
	accepts string
}

func (g *graph) need(from, to int, optional bool) { g.needRange(from, to, optional, "") }

// needRange is need with the versions that are accepted.
func (g *graph) needRange(from, to int, optional bool, accepts string) {
	g.edges = append(g.edges, edge{int32(from), int32(to), optional, bounded(accepts)})
}

func (g *graph) direct(to int, scope inventory.Scope) { g.directRange(to, scope, "") }

// directRange is direct with the versions that the project accepts.
func (g *graph) directRange(to int, scope inventory.Scope, accepts string) {
	g.roots = append(g.roots, root{int32(to), scope, bounded(accepts)})
}

// reach is how a node is reached from the roots.
type reach struct {
	scope inventory.Scope // "" when it is not
	prev  int32           // the node before it, itself for a direct one
	depth int32
}

// apply tells the packages who needs them, their relation, scope and shortest path. A package
// that several scopes need gets the strongest: runtime before optional before development.
// Without roots it tells only who needs them: the file does not say what is direct.
func (g *graph) apply(packages []inventory.Package) {
	g.tellRequirers(packages)
	if len(g.roots) == 0 {
		return
	}
	reached := g.search(len(packages))
	isDirect := make([]bool, len(packages))
	for _, r := range g.roots {
		isDirect[r.to] = true
	}
	for i := range packages {
		p, r := &packages[i], reached[i]
		switch {
		case isDirect[i]:
			p.Relation = inventory.Direct
		case r.scope != "":
			p.Relation = inventory.Transitive
		}
		if r.scope == "" {
			continue
		}
		if p.Scope == "" || strength(r.scope) > strength(p.Scope) {
			p.Scope = r.scope
		}
		p.Via = g.via(packages, reached, int32(i))
	}
}

// search visits the nodes breadth first, once per scope in falling strength, so that each
// node keeps the shortest path of the strongest scope that needs it.
func (g *graph) search(n int) []reach {
	first, next := g.lists(n)
	reached := make([]reach, n)
	var levels [][]int32
	visit := func(to, from int32, depth int32, scope inventory.Scope) {
		if reached[to].scope != "" {
			return
		}
		reached[to] = reach{scope, from, depth}
		for int(depth) >= len(levels) {
			levels = append(levels, nil)
		}
		levels[depth] = append(levels[depth], to)
	}
	for _, scope := range []inventory.Scope{inventory.ScopeRuntime, inventory.ScopeOptional, inventory.ScopeDevelopment} {
		for _, r := range g.roots {
			if r.scope == scope {
				visit(r.to, r.to, 0, scope)
			}
		}
		if scope == inventory.ScopeOptional { // what runtime packages may go without
			for _, e := range g.edges {
				if e.optional && reached[e.from].scope == inventory.ScopeRuntime {
					visit(e.to, e.from, reached[e.from].depth+1, scope)
				}
			}
		}
		for depth := 0; depth < len(levels); depth++ {
			for _, from := range levels[depth] {
				for i := first[from]; i != 0; i = next[i-1] {
					if e := g.edges[i-1]; !e.optional || scope != inventory.ScopeRuntime {
						visit(e.to, from, int32(depth)+1, scope)
					}
				}
			}
			levels[depth] = levels[depth][:0]
		}
	}
	return reached
}

// lists links the edges that leave each node: first holds the number of an edge plus one per
// node, next the following one per edge, 0 ends a list.
func (g *graph) lists(n int) (first, next []int32) {
	first, next = make([]int32, n), make([]int32, len(g.edges))
	for i := len(g.edges) - 1; i >= 0; i-- {
		from := g.edges[i].from
		next[i] = first[from]
		first[from] = int32(i) + 1
	}
	return first, next
}

// via is the names from the direct dependency down to node i.
func (g *graph) via(packages []inventory.Package, reached []reach, i int32) []string {
	n := int(reached[i].depth) + 1
	if n > maxVia {
		return nil
	}
	names := make([]string, n)
	for k := n - 1; k >= 0; k-- {
		names[k] = packages[i].Name
		i = reached[i].prev
	}
	return names
}
