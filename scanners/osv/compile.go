package osv

import (
	"slices"
	"strings"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/osv/record"
	"github.com/landwaiter/landwaiter/scanners/osv/versions"
)

// row is one record of one ecosystem on its way into a file.
type row struct {
	id, ecosystem   string
	vector, summary string
	others          string // aliases and upstream ids, as stored
	modified        int64  // microseconds since 1970
	severity        uint8
	score           uint8 // tenths of a CVSS base score
	withdrawn       bool
}

// keyed is one entry on its way into a file.
type keyed struct {
	hash            uint64
	ecosystem, name string
	body            string // as stored
	row             int32  // in the same batch
}

// batch is rows and entries that do not lie in a file yet, or are about to be copied into
// another. What it needs to keep lies in few large pieces of memory.
type batch struct {
	rows    []row
	entries []keyed
	partial int // records with a part left out
	arena
	texts    map[string]string // what many rows share, once
	scratch  []byte
	versions []string
}

// newBatch has room for about n records of one package each.
func newBatch(n int) *batch {
	n += n / 8
	return &batch{rows: make([]row, 0, n), entries: make([]keyed, 0, n), arena: arena{piece: 1 << 20}}
}

// share returns one copy for all equal texts.
func (x *batch) share(s string) string {
	if s == "" {
		return ""
	}
	if x.texts == nil {
		x.texts = make(map[string]string)
	}
	if kept, ok := x.texts[s]; ok {
		return kept
	}
	kept := x.keepText(s)
	x.texts[kept] = kept
	return kept
}

// add compiles what r says of ecosystem. A withdrawn record leaves a row, so that it is
// known, and no entries.
func (x *batch) add(r *record.Record, ecosystem string) {
	if r.Partial {
		x.partial++
	}
	// One problem upstream is the same problem. Several of them are not one, and an exception
	// for the first must not hide the others: those are kept apart.
	aliases, upstream := r.Aliases, r.Upstream
	if len(upstream) == 1 {
		aliases, upstream = append(aliases, upstream...), nil
	}
	w := row{
		ecosystem: ecosystem, modified: r.Time().UnixMicro(), withdrawn: r.Withdrawn,
		others: x.keepLists(aliases, upstream), id: x.keepText(r.ID),
	}
	g := worst(r.Grading)
	w.severity, w.score = uint8(g.severity), g.tenths
	w.vector = x.share(g.vector)
	var only *record.Affected // the package, when there is one
	if !r.Withdrawn {
		only = x.addEntries(r, ecosystem, g.severity != checks.SeverityUnknown)
	}
	w.summary = x.share(storedSummary(r, only))
	x.rows = append(x.rows, w)
}

// keepLists keeps lists of texts as stored.
func (x *batch) keepLists(lists ...[]string) string {
	x.scratch = x.scratch[:0]
	for _, list := range lists {
		n := 0
		for _, s := range list {
			n += numberSize(len(s)) + len(s)
		}
		x.scratch = appendNumber(x.scratch, n)
		for _, s := range list {
			x.scratch = appendText(x.scratch, s)
		}
	}
	return x.keep(x.scratch)
}

// addEntries adds an entry for each affected package of ecosystem. Where the record is
// graded, a package's own grade counts only if it comes with a vector or a word for it.
func (x *batch) addEntries(r *record.Record, ecosystem string, graded bool) (only *record.Affected) {
	n := 0
	for i := range r.Affected {
		a := &r.Affected[i]
		if ecosystem == gitEcosystem {
			x.addRepositories(a)
			continue
		}
		name, suffix := splitEcosystem(a.Ecosystem)
		if name != ecosystem || a.Name == "" || len(a.Name) > record.MaxText || len(suffix) > record.MaxText {
			continue
		}
		if len(a.Ranges) == 0 && len(a.Versions) == 0 && len(a.Commits) == 0 {
			continue
		}
		if graded {
			a.Informational = ""
		}
		only = a
		n++
		x.addEntry(a, ecosystem, normalName(ecosystem, a.Name), suffix)
	}
	if n != 1 {
		return nil
	}
	return only
}

// addRepositories adds an entry for each repository of the commits of a. Its versions are
// tags of them.
func (x *batch) addRepositories(a *record.Affected) {
	for i, c := range a.Commits {
		same := func(other record.CommitRange) bool { return other.Repo == c.Repo }
		if c.Repo == "" || slices.IndexFunc(a.Commits, same) < i {
			continue
		}
		one := *a
		one.Ranges, one.Imports = nil, nil
		one.Commits = slices.DeleteFunc(slices.Clone(a.Commits), func(other record.CommitRange) bool { return !same(other) })
		x.addEntry(&one, gitEcosystem, normalName(gitEcosystem, c.Repo), "")
	}
}

// addEntry adds what a says of one package, for the row that is added next.
func (x *batch) addEntry(a *record.Affected, ecosystem, name, suffix string) {
	body := x.entryBody(a, ecosystem, suffix)
	x.entries = append(x.entries, keyed{
		hash: hashKey(ecosystem, name), ecosystem: ecosystem, row: int32(len(x.rows)),
		name: x.keepText(name), body: body,
	})
}

// entryBody encodes what nextEntry reads.
func (x *batch) entryBody(a *record.Affected, ecosystem, suffix string) string {
	g := worst(a.Grading)
	flags := entrySuffix*one(suffix != "") | entrySeverity*one(g.severity != checks.SeverityUnknown) |
		entryCommits*one(len(a.Commits) > 0) | entryImports*one(len(a.Imports) > 0)
	b := append(x.scratch[:0], byte(flags))
	if suffix != "" {
		b = appendText(b, suffix)
	}
	if g.severity != checks.SeverityUnknown {
		b = appendText(append(b, byte(g.severity), g.tenths), g.vector)
	}
	b = appendRanges(b, versions.Of(ecosystem), a.Ranges)
	b = x.appendVersions(b, a.Versions)
	if len(a.Commits) > 0 {
		b = appendCommits(b, a.Commits)
	}
	if len(a.Imports) > 0 {
		b = x.appendVersions(b, a.Imports)
	}
	x.scratch = b
	return x.keep(b)
}

// appendRanges appends the ranges as one text, each with its events in order.
func appendRanges(b []byte, order versions.Order, ranges [][]record.Event) []byte {
	var inner []byte
	for _, events := range ranges {
		sortEvents(order, events)
		inner = appendEvents(inner, events)
	}
	return append(appendNumber(b, len(inner)), inner...)
}

// appendEvents appends one range; see nextEvent.
func appendEvents(b []byte, events []record.Event) []byte {
	b = appendNumber(b, len(events))
	for _, e := range events {
		b = append(b, e.Kind)
		if e.Kind != record.Start {
			b = appendText(b, e.Version)
		}
	}
	return b
}

// sortEvents sorts by version, the start first. Equal ones keep the source's order: people
// write "introduced 1.0.0, last_affected 1.0.0" and "fixed 1.5, introduced 1.5" as meant.
func sortEvents(order versions.Order, events []record.Event) {
	if len(events) < 2 || len(events) == 2 && events[0].Kind == record.Start {
		return
	}
	slices.SortStableFunc(events, func(a, b record.Event) int {
		if a.Kind == record.Start || b.Kind == record.Start {
			return boolOrder(a.Kind != record.Start, b.Kind != record.Start)
		}
		v := order.Fixed().Parse(a.Version)
		n, _ := v.Compare(b.Version) // what cannot be compared stays where it is, and is told when it is met
		return n
	})
}

// appendVersions appends the versions as one text; see entry.lists.
func (x *batch) appendVersions(b []byte, versions []string) []byte {
	x.versions = append(x.versions[:0], versions...)
	slices.Sort(x.versions)
	before := ""
	var inner []byte
	for _, v := range x.versions {
		shared := 0
		for shared < len(v) && shared < len(before) && v[shared] == before[shared] {
			shared++
		}
		inner = appendText(appendNumber(inner, shared), v[shared:])
		before = v
	}
	return append(appendNumber(b, len(inner)), inner...)
}

// storedSummary is the summary of r; of a report of malware with one package, with the
// placeholder for its name.
func storedSummary(r *record.Record, only *record.Affected) string {
	s := r.Summary()
	if only == nil || !strings.HasPrefix(r.ID, "MAL-") {
		return s
	}
	ecosystem, _ := splitEcosystem(only.Ecosystem)
	return strings.ReplaceAll(s, normalName(ecosystem, only.Name), placeholder)
}
