package osv

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/landwaiter/landwaiter/checks"
)

// Options steer a Scanner. The zero value is usable.
type Options struct {
	// MaxAge is how old the advisories may be; older ones leave the Evidence incomplete. 0
	// means any age, for machines that are given their advisories by hand.
	MaxAge time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Scanner matches inventories with an Index. It is a checks.Scanner.
type Scanner struct {
	index  *Index
	maxAge time.Duration
	now    func() time.Time
}

// New returns a scanner over x.
func New(x *Index, o Options) *Scanner {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Scanner{index: x, maxAge: o.MaxAge, now: o.Now}
}

// Name returns "osv".
func (s *Scanner) Name() string { return "osv" }

// Scan matches both sides of m with the advisories.
//
// DataTime is when the data of the ecosystems concerned was last known to be current, that
// of the oldest. Gaps are told of the head only: what could not be matched in the base
// makes a problem of the head look new, which errs on the safe side. A package that could
// be matched no better in the same manifest of the base is not told of: the change does not
// bring it in. An inventory without packages asks nothing, so its Evidence is complete even
// without an index.
func (s *Scanner) Scan(ctx context.Context, m *checks.Material) (checks.Evidence, error) {
	e := checks.Evidence{Scanner: s.Name()}
	if !hasPackages(m) {
		e.Complete = true
		return e, nil
	}
	g, err := s.index.newest()
	if err != nil {
		e.Gaps = append(e.Gaps, checks.Gap{Reason: err.Error()})
		return e, nil
	}
	defer g.release()
	w := &scan{matcher: matcher{gen: g}, known: make(map[packageVersion][]checks.Advisory), gaps: make(map[checks.Gap]bool), evidence: &e, compared: m.Compared}
	for _, side := range [...]struct {
		side checks.Side
		tree *checks.Tree
	}{{checks.Base, &m.Base}, {checks.Head, &m.Head}} {
		if err := w.tree(ctx, side.side, side.tree); err != nil {
			return checks.Evidence{}, err
		}
	}
	e.DataTime = w.dataTime()
	e.ExploitedTime, e.EPSSTime = g.exploits.table.KEV().Fetched, g.exploits.table.EPSS().Fetched
	if age := s.now().Sub(e.DataTime); s.maxAge > 0 && !e.DataTime.IsZero() && age > s.maxAge {
		e.Gaps = append(e.Gaps, checks.Gap{Reason: fmt.Sprintf("the advisories are %d days old and may be at most %d; see why `landwaiter advisories update` fails",
			int(age.Hours()/24), int(s.maxAge.Hours()/24))})
	}
	e.Complete = len(e.Gaps) == 0
	return e, nil
}

func hasPackages(m *checks.Material) bool {
	for _, t := range [...]*checks.Tree{&m.Base, &m.Head} {
		if slices.ContainsFunc(t.Inventory.Manifests, holdsAdvised) {
			return true
		}
	}
	return false
}

// holdsAdvised reports whether a manifest names a package that there may be advisories about.
func holdsAdvised(f checks.Manifest) bool {
	return slices.ContainsFunc(f.Packages, func(p checks.Package) bool { return !checks.Unadvised(p.Ecosystem) })
}

// scan is one Scan under way.
type scan struct {
	matcher
	evidence *checks.Evidence
	// known are the answers about packages that have advisories: base and head share most.
	known      map[packageVersion][]checks.Advisory
	ecosystems []string // met so far
	gaps       map[checks.Gap]bool
	compared   bool       // the gaps of the base count
	hitList    []affected // of the manifest at hand
}

// affected is a package of a manifest, by its place, and what affects it.
type affected struct {
	pkg        int
	advisories []checks.Advisory
}

// packageVersion is what decides an answer.
type packageVersion struct{ ecosystem, name, version string }

func (w *scan) tree(ctx context.Context, side checks.Side, t *checks.Tree) error {
	for i := range t.Inventory.Manifests {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := w.manifest(side, &t.Inventory.Manifests[i]); err != nil {
			return err
		}
	}
	return nil
}

func (w *scan) manifest(side checks.Side, f *checks.Manifest) error {
	w.hitList = w.hitList[:0]
	matches := 0
	for i := range f.Packages {
		p := &f.Packages[i]
		if checks.Unadvised(p.Ecosystem) || w.unheld(p.Ecosystem) {
			continue // the report counts them as not compared with advisories
		}
		if !slices.Contains(w.ecosystems, p.Ecosystem) {
			w.ecosystems = append(w.ecosystems, p.Ecosystem)
		}
		advisories, err := w.ask(p)
		if len(advisories) > 0 {
			w.hitList = append(w.hitList, affected{i, advisories})
			matches += len(advisories)
		}
		if w.claimed && side == checks.Head {
			w.evidence.Claims = append(w.evidence.Claims, checks.Claim{Path: f.Path, Package: *p, Version: p.Constraint})
		}
		if err == nil {
			continue
		}
		gap := checks.Gap{Path: f.Path, Reason: gapReason(p, err)}
		if gap.Reason == "" {
			return fmt.Errorf("matching %s %s: %w", p.Name, p.Version, err)
		}
		w.gap(side, gap, errors.Is(err, ErrVersion))
	}
	w.evidence.Matches = slices.Grow(w.evidence.Matches, matches) // they are large: copied once
	for _, h := range w.hitList {
		for _, a := range h.advisories {
			w.evidence.Matches = append(w.evidence.Matches, checks.Match{Side: side, Path: f.Path, Package: f.Packages[h.pkg], Advisory: a})
		}
	}
	return nil
}

// unheld reports whether p's ecosystem is one that nobody has to keep advisories of and that the
// index has none of, and notes it. That is GIT alone: its archive is large and says something
// of submodules only, so an index without it is a choice and not a fault.
func (w *scan) unheld(ecosystem string) bool {
	if ecosystem != gitEcosystem {
		return false
	}
	if _, held := w.gen.ecosystem(gitEcosystem); held {
		return false
	}
	if !slices.Contains(w.evidence.Unheld, gitEcosystem) {
		w.evidence.Unheld = append(w.evidence.Unheld, gitEcosystem)
	}
	return true
}

// gap notes a gap of the head, once. ofPackage says that it is about one package version, not
// about all of an ecosystem that the manifest may hold.
func (w *scan) gap(side checks.Side, g checks.Gap, ofPackage bool) {
	switch {
	case w.gaps[g], side == checks.Base && !(w.compared && ofPackage):
		return
	case side == checks.Head:
		w.evidence.Gaps = append(w.evidence.Gaps, g)
	}
	w.gaps[g] = true
}

// ask matches p, once per package and version.
func (w *scan) ask(p *checks.Package) ([]checks.Advisory, error) {
	if w.claimed = false; p.Version == "" && p.Commit != "" {
		return w.match(p)
	}
	key := packageVersion{p.Ecosystem, p.Name, p.Version}
	if len(w.known) > 0 {
		if a, ok := w.known[key]; ok {
			return a, nil
		}
	}
	a, err := w.match(p)
	if err == nil && len(a) > 0 {
		w.known[key] = a
	}
	return a, err
}

// gapReason says in words what could not be seen, "" for an error that is no gap.
func gapReason(p *checks.Package, err error) string {
	ecosystem, _ := splitEcosystem(p.Ecosystem)
	switch {
	case errors.Is(err, ErrNoData) && ecosystem == "":
		return "packages without an ecosystem cannot be matched with advisories"
	case errors.Is(err, ErrNoData):
		return fmt.Sprintf("the advisory index holds no data of %.100s", ecosystem)
	case errors.Is(err, errRelative):
		return fmt.Sprintf("the repository %.200q of a submodule, at commit %.12s, is not known, because its address is relative; write the full address", p.Name, p.Commit)
	case errors.Is(err, errUnknownCommit) && ecosystem == actionsEcosystem:
		return fmt.Sprintf("%.200s has advisories, and the commit %.12s cannot be compared with them; write its full version behind it, such as # v1.2.3", p.Name, p.Commit)
	case errors.Is(err, ErrVersion) && p.Version == "":
		return fmt.Sprintf("%.200s has advisories, and the commit %.12s cannot be compared with them", p.Name, p.Commit)
	case errors.Is(err, ErrVersion):
		return fmt.Sprintf("%.200s has advisories, but its version %.100q cannot be compared with them", p.Name, p.Version)
	}
	return ""
}

// dataTime is the oldest time at which the data of a met ecosystem was current.
func (w *scan) dataTime() time.Time {
	var oldest time.Time
	for _, name := range w.ecosystems {
		name, _ = splitEcosystem(name)
		meta, ok := w.gen.ecosystem(name)
		if ok && (oldest.IsZero() || meta.Fetched.Before(oldest)) {
			oldest = meta.Fetched
		}
	}
	return oldest
}
