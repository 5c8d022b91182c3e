package osv

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/osv/versions"
)

// advisories makes one Advisory of each problem among the hits.
//
// Records that name each other, or one third id, as aliases are one problem: as in
// OSV-Scanner. Its ID is the one that people on GitHub know: of the malware report, then
// of the GitHub advisory, then of the ecosystem's own database; the CVE comes last, since
// several packages share it. An id with a record of its own goes before a mere alias.
// The order does not depend on severity or text, so that a problem keeps its name.
func (m *matcher) advisories(order versions.Order, name string) ([]checks.Advisory, error) {
	m.group()
	out := make([]checks.Advisory, 0, len(m.hits))
	for i := range m.hits {
		if m.hits[i].group != i {
			continue
		}
		a, err := m.merge(i, order, name)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b checks.Advisory) int {
		return cmp.Or(boolOrder(b.Malware, a.Malware), cmp.Compare(b.Severity, a.Severity), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

// fewHits is how many hits are compared with each other; more go through a map.
const fewHits = 4

// group joins hits by their ids and aliases.
func (m *matcher) group() {
	if len(m.hits) <= fewHits {
		for i := range m.hits {
			for j := range i {
				if m.hits[i].rec.meets(&m.hits[j].rec) {
					m.unite(i, j)
				}
			}
		}
	} else {
		m.groupMany()
	}
	for i := range m.hits {
		m.hits[i].group = m.root(i)
	}
}

func (m *matcher) groupMany() {
	if m.first == nil {
		m.first = make(map[string]int)
	}
	clear(m.first)
	for i := range m.hits {
		m.join(m.hits[i].rec.id, i)
		for aliases := m.hits[i].rec.aliases; !aliases.done(); {
			m.join(aliases.text(), i)
		}
	}
}

// meets says whether two records bear one id, as their own or as an alias.
func (r *storedRecord) meets(other *storedRecord) bool {
	if other.bears(r.id) {
		return true
	}
	for aliases := r.aliases; !aliases.done(); {
		if other.bears(aliases.text()) {
			return true
		}
	}
	return false
}

func (r *storedRecord) bears(id string) bool {
	if r.id == id {
		return true
	}
	for aliases := r.aliases; !aliases.done(); {
		if aliases.text() == id {
			return true
		}
	}
	return false
}

// join puts hit i into the group of the first hit that bears id.
func (m *matcher) join(id string, i int) {
	j, ok := m.first[id]
	if !ok {
		m.first[id] = i
		return
	}
	m.unite(i, j)
}

// unite makes one group of those of i and j.
func (m *matcher) unite(i, j int) {
	a, b := m.root(i), m.root(j)
	m.hits[max(a, b)].group = min(a, b)
}

func (m *matcher) root(i int) int {
	for m.hits[i].group != i {
		i = m.hits[i].group
	}
	return i
}

// merge makes the Advisory of the hits of one group.
func (m *matcher) merge(group int, order versions.Order, name string) (checks.Advisory, error) {
	var a checks.Advisory
	m.ids, m.aliases, m.upstream, m.fixed = m.ids[:0], m.aliases[:0], m.upstream[:0], m.fixed[:0]
	for i := group; i < len(m.hits); i++ {
		h := &m.hits[i]
		if h.group != group {
			continue
		}
		m.ids = append(m.ids, h.rec.id)
		for c := h.rec.aliases; !c.done(); {
			m.aliases = append(m.aliases, c.text())
		}
		for c := h.rec.upstream; !c.done(); {
			m.upstream = append(m.upstream, c.text())
		}
		m.fixed = h.fixes(m.fixed)
		g, err := h.gradeOf()
		if err != nil {
			return a, err
		}
		raise(&a, g)
	}
	a.Malware = isMalware(m.ids) || m.malwareByAlias(m.aliases)
	if a.Severity == checks.SeverityUnknown {
		if err := m.gradeByAlias(&a, m.aliases); err != nil {
			return a, err
		}
	}
	m.gen.exploits.tell(&a, m.ids, m.aliases, m.upstream)
	a.ID = m.keepText(preferredID(m.ids, m.aliases, a.Malware))
	m.ids = append(m.ids, m.aliases...)
	a.Aliases = m.keepList(others(m.ids, a.ID))
	a.Fixed = m.keepList(order.Sort(m.fixed))
	a.Vector = m.keepText(a.Vector)
	a.URL = m.keepText(idPage(a.ID))
	var err error
	if a.Imports, err = m.imports(group); err != nil {
		return a, err
	}
	a.Summary, err = m.summary(group, a.ID, name)
	return a, err
}

// imports returns the Go packages that hold the problem. Only the Go database names them: a
// record of another one beside it says nothing against, but one of its own without them is
// about the whole module.
func (m *matcher) imports(group int) ([]string, error) {
	var paths []string
	for i := group; i < len(m.hits); i++ {
		h := &m.hits[i]
		if h.group != group {
			continue
		}
		if h.entry.imports.done() && strings.HasPrefix(h.rec.id, "GO-") {
			return nil, nil
		}
		list := listed{c: h.entry.imports}
		for list.next() {
			paths = append(paths, m.keep(list.word))
		}
		if list.c.bad {
			return nil, fmt.Errorf("%w: a list of imports", ErrCorrupt)
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths), nil
}

// gradeOf is how bad the record says the problem is for the package. The vector is a view.
func (h *hit) gradeOf() (grade, error) {
	if h.override {
		return h.grade, nil
	}
	vector, err := h.file.text(h.rec.vector)
	return grade{h.rec.severity, h.rec.tenths, vector}, err
}

// raise makes the severity of a that of g if it is worse, or tells the same more exactly.
func raise(a *checks.Advisory, g grade) {
	score := float64(g.tenths) / 10
	if g.severity > a.Severity || g.severity == a.Severity && score > a.Score {
		a.Severity, a.Vector, a.Score = g.severity, g.vector, score
	}
}

// gradeByAlias takes the severity from a record that is no hit but bears an alias: GO-
// records have none, the GitHub advisory of the same problem has.
func (m *matcher) gradeByAlias(a *checks.Advisory, aliases []string) error {
	for _, id := range aliases {
		r, f, ok := m.gen.find(id, "")
		if !ok || r.withdrawn {
			continue
		}
		vector, err := f.text(r.vector)
		if err != nil {
			return err
		}
		raise(a, grade{r.severity, r.tenths, vector})
	}
	return nil
}

// summary returns the summary of the record named id, else the first one there is.
func (m *matcher) summary(group int, id, name string) (string, error) {
	found := ""
	for i := group; i < len(m.hits); i++ {
		h := &m.hits[i]
		if h.group != group || found != "" && h.rec.id != id {
			continue
		}
		s, err := h.file.text(h.rec.summary)
		if err != nil {
			return "", err
		}
		if s != "" {
			found = s
		}
	}
	return m.keepText(strings.ReplaceAll(found, placeholder, name)), nil
}

// malwareByAlias says whether an alias is a report of malware, other than one that is known
// to be withdrawn.
func (m *matcher) malwareByAlias(aliases []string) bool {
	return slices.ContainsFunc(aliases, func(id string) bool {
		if !strings.HasPrefix(id, "MAL-") {
			return false
		}
		r, _, ok := m.gen.find(id, "")
		return !ok || !r.withdrawn
	})
}

func isMalware(ids []string) bool {
	return slices.ContainsFunc(ids, func(id string) bool { return strings.HasPrefix(id, "MAL-") })
}

// preferredID returns the id that the problem goes by.
func preferredID(ids, aliases []string, malware bool) string {
	best, bestRank := "", 1<<30
	for i, list := range [...][]string{ids, aliases} {
		for _, id := range list {
			rank := 2*idRank(id, malware) + i
			if rank < bestRank || rank == bestRank && id < best {
				best, bestRank = id, rank
			}
		}
	}
	return best
}

// others returns ids without id, sorted, each once. It uses the memory of ids.
func others(ids []string, id string) []string {
	slices.Sort(ids)
	return slices.DeleteFunc(slices.Compact(ids), func(s string) bool { return s == id || s == "" })
}
