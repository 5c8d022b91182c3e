package osv

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/landwaiter/landwaiter/checks"
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
func (x *batch) add(r *osvRecord, ecosystem string) {
	if r.partial {
		x.partial++
	}
	x.scratch = x.scratch[:0]
	for _, alias := range r.aliases {
		x.scratch = appendText(x.scratch, alias)
	}
	w := row{
		ecosystem: ecosystem, modified: r.time().UnixMicro(), withdrawn: r.withdrawn,
		aliases: x.keep(x.scratch), id: x.keepText(r.id),
	}
	severity, vector := worst(r.severity, r.grade, r.informational)
	w.severity = uint8(severity)
	w.vector = x.share(vector)
	var only *osvAffected // the package, when there is one
	if !r.withdrawn {
		only = x.addEntries(r, ecosystem, severity != checks.SeverityUnknown)
	}
	w.summary = x.share(summaryOf(r, only))
	x.rows = append(x.rows, w)
}

// addEntries adds an entry for each affected package of ecosystem. Where the record is
// graded, a package's own grade counts only if it comes with a vector or a word for it.
func (x *batch) addEntries(r *osvRecord, ecosystem string, graded bool) (only *osvAffected) {
	n := 0
	for i := range r.affected {
		a := &r.affected[i]
		name, suffix := splitEcosystem(a.ecosystem)
		if name != ecosystem || a.name == "" || len(a.name) > maxID || len(suffix) > maxID {
			continue
		}
		if len(a.ranges) == 0 && len(a.versions) == 0 {
			continue
		}
		if graded {
			a.informational = ""
		}
		only = a
		n++
		body := x.entryBody(a, suffix)
		key := normalName(ecosystem, a.name)
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
func (x *batch) entryBody(a *osvAffected, suffix string) string {
	severity, vector := worst(a.severity, a.grade, a.informational)
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
	ecosystem, _ := splitEcosystem(a.ecosystem)
	b = appendRanges(b, orderingOf(ecosystem), a.ranges)
	b = x.appendVersions(b, a.versions)
	x.scratch = b
	return x.keep(b)
}

// appendRanges appends the ranges as one text, each with its events in order.
func appendRanges(b []byte, order ordering, ranges [][]event) []byte {
	var inner []byte
	for _, events := range ranges {
		sortEvents(order, events)
		inner = appendNumber(inner, len(events))
		for _, e := range events {
			inner = append(inner, e.kind)
			if e.kind != eventStart {
				inner = appendText(inner, e.version)
			}
		}
	}
	return append(appendNumber(b, len(inner)), inner...)
}

// sortEvents sorts by version, the start first. Equal ones keep the source's order: people
// write "introduced 1.0.0, last_affected 1.0.0" and "fixed 1.5, introduced 1.5" as meant.
func sortEvents(order ordering, events []event) {
	if len(events) < 2 || len(events) == 2 && events[0].kind == eventStart {
		return
	}
	slices.SortStableFunc(events, func(a, b event) int {
		if a.kind == eventStart || b.kind == eventStart {
			return boolOrder(a.kind != eventStart, b.kind != eventStart)
		}
		order.floats = false // versions of advisories do not move
		v := order.parse(a.version)
		n, _ := v.compare(b.version) // what cannot be compared stays where it is, and is told when it is met
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

// summaryOf returns the summary, or the first line of the details, as valid short text.
func summaryOf(r *osvRecord, only *osvAffected) string {
	s := r.summary
	if s == "" {
		details := (&decoder{s: r.details}).text()
		s, _, _ = strings.Cut(strings.TrimLeft(details, " #*\n"), "\n")
	}
	s = strings.ToValidUTF8(strings.ReplaceAll(s, placeholder, ""), "\uFFFD")
	if len(s) > maxSummary {
		cut := maxSummary - len("…")
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	if only != nil && strings.HasPrefix(r.id, "MAL-") {
		ecosystem, _ := splitEcosystem(only.ecosystem)
		s = strings.ReplaceAll(s, normalName(ecosystem, only.name), placeholder)
	}
	return s
}
