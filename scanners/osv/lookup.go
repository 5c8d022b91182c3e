package osv

import (
	"errors"
	"fmt"
	"slices"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/osv/versions"
)

// matcher looks packages up in one generation. It keeps its scratch space from package to
// package and must not be shared between goroutines.
type matcher struct {
	gen     *generation
	entries []sourced // about the package at hand
	hits    []hit
	arena   // what is given away

	first               map[string]int // an id to the first hit that bears it
	ids, aliases, fixed []string       // views
}

// hit is one record that affects the package at hand.
type hit struct {
	sourced
	rec   storedRecord
	group int // hits of one problem share the smallest index among them
}

// match returns the advisories that affect p, worst first. With ErrVersion they are those
// that could be decided.
func (m *matcher) match(p *checks.Package) ([]checks.Advisory, error) {
	ecosystem, suffix := splitEcosystem(p.Ecosystem)
	if _, ok := m.gen.ecosystem(ecosystem); !ok {
		return nil, fmt.Errorf("%w: %q", ErrNoData, ecosystem)
	}
	name := normalName(ecosystem, p.Name)
	m.hits = m.hits[:0]
	if err := m.find(ecosystem, suffix, name); err != nil || len(m.entries) == 0 {
		return nil, err
	}
	order := versions.Of(ecosystem)
	v := order.Parse(p.Version)
	unclear, err := m.decide(&v)
	if err != nil || len(m.hits) == 0 {
		return nil, errors.Join(err, unclear)
	}
	advisories, err := m.advisories(order, name)
	if err != nil {
		return nil, err
	}
	if v.Raw() != "" && v.Unclear() == nil {
		cure := m.cure(order, &v)
		for i := range advisories {
			advisories[i].Cure = cure
		}
	}
	return advisories, unclear
}

// find gathers the entries about a package.
func (m *matcher) find(ecosystem, suffix, name string) error {
	var err error
	m.entries, err = m.gen.entries(m.entries[:0], ecosystem, name)
	if err != nil {
		return err
	}
	if repository := repositoryOf(ecosystem, name); repository != "" {
		if m.entries, err = m.gen.entries(m.entries, ecosystem, repository); err != nil {
			return err
		}
	}
	if suffix == "" {
		return nil
	}
	m.entries = slices.DeleteFunc(m.entries, func(e sourced) bool { return !suffixesMeet(e.suffix, suffix) })
	return nil
}

// decide fills hits with what affects v. unclear is ErrVersion when an entry could not be
// decided and is not among them.
func (m *matcher) decide(v *versions.Version) (unclear, err error) {
	for i := range m.entries {
		e := &m.entries[i]
		affected, err := e.affects(v)
		switch {
		case affected:
			r, err := e.file.record(e.record)
			if err != nil {
				return nil, err
			}
			m.hits = append(m.hits, hit{sourced: *e, rec: r, group: len(m.hits)})
		case errors.Is(err, ErrVersion):
			unclear = err
		case err != nil:
			return nil, err
		}
	}
	return unclear, nil
}

// cure returns the smallest version above v that no entry of the package affects, out of
// the versions that fix something: a release if there is one, else an early version. An
// entry that cannot be decided counts as affecting.
func (m *matcher) cure(order versions.Order, v *versions.Version) string {
	m.fixed = m.fixed[:0]
	for i := range m.entries {
		m.fixed = m.entries[i].fixes(m.fixed)
	}
	m.fixed = slices.DeleteFunc(m.fixed, func(s string) bool {
		n, err := v.Compare(s)
		return err != nil || n >= 0
	})
	early := ""
	ownEarly := order.Prerelease(v.Raw())
	for _, s := range order.Sort(m.fixed) {
		isEarly := !ownEarly && order.Prerelease(s)
		if isEarly && early != "" || m.anyAffects(s, order) {
			continue
		}
		if !isEarly {
			return m.keepText(s)
		}
		early = s
	}
	return m.keepText(early)
}

func (m *matcher) anyAffects(s string, order versions.Order) bool {
	v := order.Fixed().Parse(s)
	for i := range m.entries {
		if affected, err := m.entries[i].affects(&v); affected || err != nil {
			return true
		}
	}
	return false
}

// boolOrder sorts false before true.
func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
