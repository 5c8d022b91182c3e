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
	aliases         string // texts, as stored
	modified        int64  // microseconds since 1970
	severity        uint8
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
	x.scratch = x.scratch[:0]
	for _, alias := range r.Aliases {
		x.scratch = appendText(x.scratch, alias)
	}
	w := row{
		ecosystem: ecosystem, modified: r.Time().UnixMicro(), withdrawn: r.Withdrawn,
		aliases: x.keep(x.scratch), id: x.keepText(r.ID),
	}
	severity, vector := worst(r.Grading)
	w.severity = uint8(severity)
	w.vector = x.share(vector)
	var only *record.Affected // the package, when there is one
	if !r.Withdrawn {
		only = x.addEntries(r, ecosystem, severity != checks.SeverityUnknown)
	}
	w.summary = x.share(storedSummary(r, only))
	x.rows = append(x.rows, w)
}

// addEntries adds an entry for each affected package of ecosystem. Where the record is
// graded, a package's own grade counts only if it comes with a vector or a word for it.
func (x *batch) addEntries(r *record.Record, ecosystem string, graded bool) (only *record.Affected) {
	n := 0
	for i := range r.Affected {
		a := &r.Affected[i]
		name, suffix := splitEcosystem(a.Ecosystem)
		if name != ecosystem || a.Name == "" || len(a.Name) > record.MaxText || len(suffix) > record.MaxText {
			continue
		}
		if len(a.Ranges) == 0 && len(a.Versions) == 0 {
			continue
		}
		if graded {
			a.Informational = ""
		}
		only = a
		n++
		body := x.entryBody(a, suffix)
		key := normalName(ecosystem, a.Name)
		x.entries = append(x.entries, keyed{
			hash: hashKey(ecosystem, key), ecosystem: ecosystem, row: int32(len(x.rows)),
			name: x.keepText(key), body: body,
		})
	}
	if n != 1 {
		return nil
	}
	return only
}

// entryBody encodes what nextEntry reads.
func (x *batch) entryBody(a *record.Affected, suffix string) string {
	severity, vector := worst(a.Grading)
	flags := byte(0)
	if suffix != "" {
		flags |= entrySuffix
	}
	if severity != checks.SeverityUnknown {
		flags |= entrySeverity
	}
	b := append(x.scratch[:0], flags)
	if suffix != "" {
		b = appendText(b, suffix)
	}
	if severity != checks.SeverityUnknown {
		b = appendText(append(b, byte(severity)), vector)
	}
	ecosystem, _ := splitEcosystem(a.Ecosystem)
	b = appendRanges(b, versions.Of(ecosystem), a.Ranges)
	b = x.appendVersions(b, a.Versions)
	x.scratch = b
	return x.keep(b)
}

// appendRanges appends the ranges as one text, each with its events in order.
func appendRanges(b []byte, order versions.Order, ranges [][]record.Event) []byte {
	var inner []byte
	for _, events := range ranges {
		sortEvents(order, events)
		inner = appendNumber(inner, len(events))
		for _, e := range events {
			inner = append(inner, e.Kind)
			if e.Kind != record.Start {
				inner = appendText(inner, e.Version)
			}
		}
	}
	return append(appendNumber(b, len(inner)), inner...)
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
