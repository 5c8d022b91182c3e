package osv

import (
	"cmp"
	"slices"
	"strings"

	"github.com/landwaiter/landwaiter/checks"
)

// advisories makes one Advisory of each problem among the hits.
//
// Records that name each other, or one third id, as aliases are one problem: as in
// OSV-Scanner. Its ID is the one that people on GitHub know: of the malware report, then
// of the GitHub advisory, then of the ecosystem's own database; the CVE comes last, since
// several packages share it. An id with a record of its own goes before a mere alias.
// The order does not depend on severity or text, so that a problem keeps its name.
func (m *matcher) advisories(order ordering, name string) ([]checks.Advisory, error) {
	m.group()
	var out []checks.Advisory
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

// group joins hits by their ids and aliases.
func (m *matcher) group() {
	if len(m.hits) < 2 {
		return
	}
	first := make(map[string]int, 3*len(m.hits)) // an id to the first hit that has it
	for i := range m.hits {
		m.join(first, m.hits[i].rec.id, i)
		for aliases := m.hits[i].rec.aliases; !aliases.done(); {
			m.join(first, aliases.text(), i)
		}
	}
	for i := range m.hits {
		m.hits[i].group = m.root(i)
	}
}

func (m *matcher) join(first map[string]int, id string, i int) {
	j, ok := first[id]
	if !ok {
		first[id] = i
		return
	}
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
func (m *matcher) merge(group int, order ordering, name string) (checks.Advisory, error) {
	var a checks.Advisory
	var ids, aliases, fixed []string
	for i := group; i < len(m.hits); i++ {
		h := &m.hits[i]
		if h.group != group {
			continue
		}
		ids = append(ids, h.rec.id)
		for c := h.rec.aliases; !c.done(); {
			aliases = append(aliases, c.text())
		}
		h.fixes(func(v string) { fixed = append(fixed, v) })
		if err := h.grade(&a); err != nil {
			return a, err
		}
	}
	a.Malware = isMalware(ids) || isMalware(aliases)
	if a.Severity == checks.SeverityUnknown {
		if err := m.gradeByAlias(&a, aliases); err != nil {
			return a, err
		}
	}
	a.ID = strings.Clone(preferredID(ids, aliases, a.Malware))
	a.Aliases = others(append(ids, aliases...), a.ID)
	a.Fixed = cloned(order.sorted(fixed))
	a.URL = idURL(a.ID)
	summary, err := m.summary(group, a.ID, name)
	a.Summary = summary
	return a, err
}

// grade raises a to the severity that h gives the package.
func (h *hit) grade(a *checks.Advisory) error {
	severity, vector := h.severity, h.vector
	if !h.override {
		severity = h.rec.severity
		var err error
		if vector, err = h.file.text(h.rec.vector); err != nil {
			return err
		}
	}
	if severity > a.Severity || severity == a.Severity && a.Vector == "" {
		a.Severity, a.Vector = severity, strings.Clone(vector)
	}
	return nil
}

// gradeByAlias takes the severity from a record that is no hit but bears an alias: GO-
// records have none, the GitHub advisory of the same problem has.
func (m *matcher) gradeByAlias(a *checks.Advisory, aliases []string) error {
	for _, id := range aliases {
		r, f, ok := m.gen.find(id, "")
		if !ok || r.withdrawn || r.severity <= a.Severity {
			continue
		}
		vector, err := f.text(r.vector)
		if err != nil {
			return err
		}
		a.Severity, a.Vector = r.severity, strings.Clone(vector)
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
			found = strings.Clone(strings.ReplaceAll(s, placeholder, name))
		}
	}
	return found, nil
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

// others returns ids without id, sorted, each once, as copies. It reorders ids.
func others(ids []string, id string) []string {
	slices.Sort(ids)
	ids = slices.DeleteFunc(slices.Compact(ids), func(s string) bool { return s == id || s == "" })
	return cloned(ids)
}

// cloned replaces views of a file by copies, in place.
func cloned(list []string) []string {
	for i, s := range list {
		list[i] = strings.Clone(s)
	}
	return list
}
