// Package registry asks deps.dev what package registries say of the packages that a change
// brings in: licence, age, deprecation, provenance. It is a checks.Scanner whose Evidence
// carries Facts.
//
// It owns the one client that names packages to the outside, and the cache of its answers.
// It must never send a name that Options.Private covers, nor turn a failure into a Fact: what
// could not be asked is a Gap. docs/registry.md says what leaves the house.
//
// Start reading at Scanner.Scan; wanted.go chooses the packages, source.go asks, answer.go
// reads the answers, cache.go keeps them.
package registry

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/landwaiter/landwaiter/checks"
)

const (
	// DefaultURL is deps.dev's API (https://docs.deps.dev/api/).
	DefaultURL = "https://api.deps.dev"
	// DefaultDeadline bounds all questions of one Scan. A check has 20 seconds in the 95th
	// percentile, and the packages of most changes are answered in one call of 100 ms.
	DefaultDeadline = 5 * time.Second
)

const (
	maxVersions = 2000 // package versions in one Scan
	maxNewest   = 300  // packages in one Scan whose newest version is asked for
	width       = 6    // questions under way at once in one Scan
	// batch is how many versions are asked for at once. The API takes 5,000, and answers with
	// pages of 100.
	batch = 100
	// settled is the age from which a package may count as abandoned: the newest version of one
	// that had a younger version is not asked for.
	settled = 90 * 24 * time.Hour
)

// Options steer a Scanner. The zero value asks nobody and keeps nothing.
type Options struct {
	// URL is the root of the API: DefaultURL, or a mirror. "" is offline: the cache alone answers.
	URL string
	// Dir is the folder of the cache; "" keeps answers in memory only.
	Dir string
	// Private are names that must not be sent out: "npm:@acme/*". See ParsePrivate.
	Private Private
	// Deadline bounds all questions of one Scan; 0 means DefaultDeadline.
	Deadline time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Called, when not nil, is told of each call and what became of it: "ok", "not-found",
	// "limited", "timeout" or "failed". It is called from several goroutines.
	Called func(outcome string)
}

// Scanner asks. It is a checks.Scanner.
type Scanner struct {
	source   *source // nil when offline
	cache    *cache
	private  Private
	deadline time.Duration
	now      func() time.Time

	mu    sync.Mutex
	until time.Time // the source is left alone until then
	fault *fault    // why
}

// New returns a Scanner. The URL must be https, or http on a loopback address.
func New(o Options) (*Scanner, error) {
	s := &Scanner{private: o.Private, deadline: cmp.Or(o.Deadline, DefaultDeadline), now: o.Now}
	if s.now == nil {
		s.now = time.Now
	}
	s.cache = newCache(o.Dir, s.now)
	if o.URL == "" {
		return s, nil
	}
	var err error
	s.source, err = newSource(o.URL, s.deadline, o.Called)
	return s, err
}

// Name returns "registry".
func (s *Scanner) Name() string { return "registry" }

// Scan asks about the packages that m brings in when m.AskRegistry says so.
//
// A package that deps.dev does not know is a Fact that says nothing, a private one a Fact that
// says so; one that could not be asked about is counted in a Gap. An answer younger than a day counts as current; older ones
// are used for a week while nobody answers, and then DataTime is the time of the oldest. It is
// zero while all answers are current; each Fact has the time of its own.
func (s *Scanner) Scan(ctx context.Context, m *checks.Material) (checks.Evidence, error) {
	e := checks.Evidence{Scanner: s.Name()}
	if !m.AskRegistry {
		e.Complete = true
		return e, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.deadline)
	defer cancel()
	w := s.wanted(m)
	a := &asking{s: s, versions: map[version]answer{}, newest: map[version]answer{}, failed: map[string]int{}}
	a.askVersions(ctx, w.all())
	if m.AskNewest {
		a.askNewest(ctx, w.head)
	}
	s.cache.flush()
	e.Facts = a.facts(w.withheld)
	e.Gaps = a.gaps(w)
	e.DataTime = a.stale
	e.Complete = len(e.Gaps) == 0
	return e, nil
}

// asking is one Scan under way.
type asking struct {
	s *Scanner

	mu       sync.Mutex // of all below
	versions map[version]answer
	newest   map[version]answer // by package: version is ""
	failed   map[string]int     // packages without an answer, by cause
	over     int                // packages over maxNewest
	stale    time.Time          // of the oldest answer that is used although it is not current
}

// askVersions finds answers about versions: from the cache, else from the source.
func (a *asking) askVersions(ctx context.Context, wanted []version) {
	group := errgroup.Group{}
	group.SetLimit(width)
	for part := range slices.Chunk(a.missing(wanted, a.versions), batch) {
		group.Go(func() error {
			found, fault := a.s.ask(ctx, func(ctx context.Context) (map[version]answer, *fault) {
				return a.s.source.versions(ctx, part)
			})
			a.took(part, found, fault, a.versions)
			return nil
		})
	}
	group.Wait() // the functions return no errors: faults are counted
}

// askNewest finds when the newest version of each package was published.
func (a *asking) askNewest(ctx context.Context, head []version) {
	missing := a.missing(a.unsettled(head), a.newest)
	if a.over = len(missing) - maxNewest; a.over > 0 {
		missing = missing[:maxNewest]
	}
	group := errgroup.Group{}
	group.SetLimit(width)
	for _, p := range missing {
		group.Go(func() error {
			found, fault := a.s.ask(ctx, func(ctx context.Context) (map[version]answer, *fault) {
				return a.s.source.newest(ctx, p)
			})
			a.took([]version{p}, found, fault, a.newest)
			return nil
		})
	}
	group.Wait() // as above
}

// unsettled returns the packages of head that are known and whose newest version has to be
// asked for, each once.
func (a *asking) unsettled(head []version) []version {
	var packages []version
	seen := map[version]bool{}
	for _, v := range head {
		known, p := a.versions[v], v.pkg()
		switch {
		case !known.Known || seen[p]:
			continue
		case a.s.now().Sub(known.Published) < settled:
			a.newest[p] = answer{Known: true, Newest: known.Published}
		default:
			packages = append(packages, p)
		}
		seen[p] = true
	}
	return packages
}

// missing puts what the cache has into answers and returns the rest.
func (a *asking) missing(wanted []version, answers map[version]answer) []version {
	var missing []version
	for _, v := range wanted {
		if known, ok := a.s.cache.current(v); ok {
			answers[v] = known
		} else {
			missing = append(missing, v)
		}
	}
	return missing
}

// took keeps what was found about asked, and falls back on older answers for the rest.
func (a *asking) took(asked []version, found map[version]answer, f *fault, answers map[version]answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, v := range asked {
		if known, ok := found[v]; ok {
			answers[v] = a.s.cache.put(v, known)
			continue
		}
		if known, ok := a.s.cache.stale(v); ok {
			answers[v] = known
			if a.stale.IsZero() || known.Time.Before(a.stale) {
				a.stale = known.Time
			}
			continue
		}
		cause := "the answer leaves them out"
		if f != nil {
			cause = f.reason
		}
		a.failed[cause]++
	}
}

// facts returns what was found, and what was not asked for on purpose, sorted.
func (a *asking) facts(withheld []version) []checks.Fact {
	facts := make([]checks.Fact, 0, len(a.versions)+len(withheld))
	for _, v := range withheld {
		facts = append(facts, checks.Fact{Ecosystem: v.ecosystem, Name: v.name, Version: v.version, Withheld: true})
	}
	for v, known := range a.versions {
		f := checks.Fact{
			Ecosystem: v.ecosystem, Name: v.name, Version: v.version,
			Licence: known.Licence, Published: known.Published, Deprecated: known.Deprecated, Yanked: known.Yanked,
			Provenance: known.Provenance, Source: known.Source, Time: known.Time,
		}
		if known.Known {
			f.Newest = a.newest[v.pkg()].Newest
		}
		facts = append(facts, f)
	}
	slices.SortFunc(facts, func(x, y checks.Fact) int {
		return cmp.Or(strings.Compare(x.Ecosystem, y.Ecosystem), strings.Compare(x.Name, y.Name), strings.Compare(x.Version, y.Version))
	})
	return facts
}

// gaps says what could not be asked.
func (a *asking) gaps(w wanted) []checks.Gap {
	var gaps []checks.Gap
	for _, cause := range slices.Sorted(maps.Keys(a.failed)) {
		gaps = append(gaps, checks.Gap{Reason: fmt.Sprintf("%s: nothing is known of %d packages", cause, a.failed[cause])})
	}
	if w.dropped > 0 {
		gaps = append(gaps, checks.Gap{Reason: fmt.Sprintf("registries are asked about %d packages at once, and %d more are to be judged", maxVersions, w.dropped)})
	}
	if a.over > 0 {
		gaps = append(gaps, checks.Gap{Reason: fmt.Sprintf("registries are asked for the newest version of %d packages at once, and %d more are to be judged; check again to ask about those", maxNewest, a.over)})
	}
	return gaps
}

// retryAfter is how long the source is left alone after a question that failed for good, so
// that an outage does not delay every check by the deadline.
const retryAfter = 30 * time.Second

// ask puts a question, once more if it fails in a way that may pass.
func (s *Scanner) ask(ctx context.Context, question func(context.Context) (map[version]answer, *fault)) (map[version]answer, *fault) {
	if s.source == nil {
		return nil, &fault{reason: "registries are not asked here (offline)"}
	}
	if f := s.resting(); f != nil {
		return nil, f
	}
	found, f := question(ctx)
	if f != nil && f.passing && ctx.Err() == nil {
		found, f = question(ctx)
	}
	// A change that asks for too much must not silence the source for others.
	if f != nil && f.outage && ctx.Err() == nil {
		s.rest(f)
	}
	return found, f
}

// resting returns why the source is left alone, nil when it is not.
func (s *Scanner) resting() *fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now().Before(s.until) {
		return s.fault
	}
	return nil
}

func (s *Scanner) rest(f *fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.until, s.fault = s.now().Add(max(retryAfter, f.wait)), f
}
