package osv

import (
	"errors"
	"fmt"
	"slices"
	"strings"

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

	// claimed says that a record was decided by the version that a comment claims.
	claimed bool

	first               map[string]int // an id to the first hit that bears it
	ids, aliases, fixed []string       // views
	upstream            []string       // views
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
	if ecosystem == gitEcosystem && relative(p.Name) {
		return nil, errRelative
	}
	name := normalName(ecosystem, p.Name)
	m.hits, m.claimed = m.hits[:0], false
	if err := m.find(ecosystem, suffix, name); err != nil || len(m.entries) == 0 {
		return nil, err
	}
	order := versions.Of(ecosystem)
	v := order.Parse(p.Version)
	var unclear error
	var err error
	if p.Version == "" && p.Commit != "" {
		unclear, err = m.decideCommit(p.Commit, claimOf(order, p))
	} else {
		unclear, err = m.decide(&v)
	}
	if err != nil || len(m.hits) == 0 {
		return nil, errors.Join(err, unclear)
	}
	advisories, err := m.advisories(order, name)
	if err != nil {
		return nil, err
	}
	if m.claimed {
		v = order.Fixed().Parse(p.Constraint)
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
			if err := m.hit(e); err != nil {
				return nil, err
			}
		case errors.Is(err, ErrVersion):
			unclear = err
		case err != nil:
			return nil, err
		}
	}
	return unclear, nil
}

// hit notes that e affects the package.
func (m *matcher) hit(e *sourced) error {
	r, err := e.file.record(e.record)
	if err == nil {
		m.hits = append(m.hits, hit{sourced: *e, rec: r, group: len(m.hits)})
	}
	return err
}

// claim is the version that somebody says a commit is. A comment such as "# v4" was true of
// some release of v4 when it was written: what the first and the last of them have in common
// is all that can be said.
type claim struct{ first, last versions.Version }

// claimOf returns the claim behind a pinned action; its Version is "" when there is none.
func claimOf(order versions.Order, p *checks.Package) claim {
	if p.Ecosystem != actionsEcosystem {
		return claim{}
	}
	return claim{order.Fixed().Parse(p.Constraint), order.Parse(p.Constraint)}
}

// affects says whether the claimed version is affected by e, ErrVersion when that is open.
func (c *claim) affects(e *entry) (bool, error) {
	if c.first.Raw() == "" || !e.comparesVersions() {
		return false, errUnknownCommit
	}
	first, err := e.affects(&c.first)
	if err != nil {
		return false, err
	}
	last, err := e.affects(&c.last)
	if err == nil && first != last {
		err = errUnknownCommit
	}
	return first && err == nil, err
}

// errUnknownCommit says that only the repository could tell whether a commit is affected.
var errUnknownCommit = fmt.Errorf("%w: only its repository knows what a commit contains", ErrVersion)

// errRelative says that the address of a repository is relative to one that is not known, so that
// nobody can look for its advisories.
var errRelative = fmt.Errorf("%w: the address of its repository is relative", ErrVersion)

// decideCommit is decide for a package that is pinned to a commit: by what the records say
// of that commit, else by what is claimed of it.
func (m *matcher) decideCommit(commit string, c claim) (unclear, err error) {
	commit = strings.ToLower(commit)
	for i := range m.entries {
		e := &m.entries[i]
		said, err := e.knowsCommit(commit)
		if err != nil {
			return nil, err
		}
		affected := said == knownAffected
		if said == knownNothing {
			affected, err = c.affects(&e.entry)
			m.claimed = m.claimed || err == nil
		}
		switch {
		case affected:
			err = m.hit(e)
		case errors.Is(err, ErrVersion):
			unclear, err = err, nil
		}
		if err != nil {
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
