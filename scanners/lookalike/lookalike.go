// Package lookalike finds packages whose name looks like that of a popular one: what somebody
// who mistypes a name, or is made to, brings in. It is a checks.Scanner whose Evidence carries
// Observations. It needs no network.
//
// It owns the lists of popular names. It must stay quiet about honest names: a look-alike that
// is none costs more trust than one that is missed, so a difference counts only when it is the
// kind that a hand or an eye makes (similar.go), and names that much-used packages happen to have
// are listed as good. docs/lookalikes.md has the rules and what they were measured on.
//
// Start reading at Scanner.Scan; ecosystem.go has the table of ecosystems, index.go the search.
package lookalike

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/landwaiter/landwaiter/checks"
)

// Scanner compares names. It is a checks.Scanner. Its zero value is ready.
type Scanner struct{}

// New returns a Scanner. The lists are read at first use.
func New() *Scanner { return &Scanner{} }

// Prepare reads the lists of an ecosystem, which takes some milliseconds, so that Scan finds
// them read. An ecosystem without lists does nothing.
func Prepare(osv string) {
	if load, ok := loaders[osv]; ok {
		load()
	}
}

// Name returns "lookalike".
func (s *Scanner) Name() string { return "lookalike" }

// place is a name in a manifest.
type place struct{ path, ecosystem, name string }

// Scan compares the names of packages that the head has and the base has not, each once in each
// manifest. Without a base it compares all.
func (s *Scanner) Scan(ctx context.Context, m *checks.Material) (checks.Evidence, error) {
	e := checks.Evidence{Scanner: s.Name()}
	known := map[place]bool{} // by name alone: path is ""
	for i := range m.Base.Inventory.Manifests {
		for _, p := range m.Base.Inventory.Manifests[i].Packages {
			known[place{"", p.Ecosystem, p.Name}] = true
		}
	}
	var asked []seen
	var names []name // each once
	number := map[name]int{}
	for i := range m.Head.Inventory.Manifests {
		f := &m.Head.Inventory.Manifests[i]
		for j := range f.Packages {
			p := &f.Packages[j]
			key, here := place{"", p.Ecosystem, p.Name}, place{f.Path, p.Ecosystem, p.Name}
			if known[key] || known[here] {
				continue
			}
			known[here] = true
			n, ok := number[name{p.Ecosystem, p.Name}]
			if !ok {
				n = len(names)
				names = append(names, name{p.Ecosystem, p.Name})
				number[names[n]] = n
			}
			asked = append(asked, seen{f.Path, p, n})
		}
	}
	found, err := findAll(ctx, names)
	if err != nil {
		return checks.Evidence{}, err
	}
	for _, a := range asked {
		if f := found[a.number]; f.popular != "" {
			e.Observations = append(e.Observations, observed(a.path, a.Package, f))
		}
	}
	slices.SortFunc(e.Observations, func(a, b checks.Observed) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Subject, b.Subject))
	})
	e.Complete = true
	return e, nil
}

// name is a name that is compared.
type name struct{ ecosystem, name string }

// seen is a package in a manifest, and the number of its name.
type seen struct {
	path string
	*checks.Package
	number int
}

// findAll compares names, on all processors where there are many.
func findAll(ctx context.Context, names []name) ([]likeness, error) {
	found := make([]likeness, len(names))
	const part = 500 // names, a millisecond or so
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for from := 0; from < len(names); from += part {
		group.Go(func() (err error) {
			defer func() { // a fault costs this scanner's Evidence, not the process
				if fault := recover(); fault != nil {
					err = fmt.Errorf("comparing names: %v", fault)
				}
			}()
			for i := from; i < min(from+part, len(names)); i++ {
				found[i] = find(names[i].ecosystem, names[i].name)
			}
			return ctx.Err()
		})
	}
	return found, group.Wait()
}

// find compares one name. Ecosystems that are not in the table have no look-alikes; those with
// a suffix are other registries, with names of their own.
func find(osv, name string) likeness {
	load, ok := loaders[osv]
	if !ok || len(name) > maxCompared {
		return likeness{}
	}
	return load().find(name)
}

// maxCompared bounds a name that is looked at, in bytes: no popular one is longer.
const maxCompared = 200

// observed is what a judgment gets to see.
func observed(path string, p *checks.Package, found likeness) checks.Observed {
	copied := *p
	return checks.Observed{Side: checks.Head, Path: path, Observation: checks.Observation{
		Rule: checks.RuleLookalike, Severity: checks.SeverityMedium, Line: p.Line, Subject: p.Name, Package: &copied,
		Message: fmt.Sprintf("%s looks like the popular %s: %s", p.Name, found.popular, found.why),
		Remedy:  fmt.Sprintf("If %s is meant, correct the name. If %s is right, list it under dependencies.lookalikes.allow.", found.popular, p.Name),
	}}
}
