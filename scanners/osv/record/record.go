// Package record reads OSV records (https://ossf.github.io/osv-schema/): the few fields that
// decide a match, out of many that do not.
package record

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// The limits of one record. Real ones are far smaller: the largest known lists some ten
// thousand versions.
const (
	MaxSize    = 16 << 20 // bytes of JSON
	MaxText    = 256      // bytes of an id, an alias, a package name or a version
	maxSummary = 300      // bytes that are kept
)

// Record is what matters of one OSV record (https://ossf.github.io/osv-schema/). Its
// strings may be views of the JSON text.
type Record struct {
	ID        string
	Withdrawn bool
	Aliases   []string
	Upstream  []string // problems of others that this one consists of, as distributions name them
	Affected  []Affected
	Grading
	// Partial says that a part could not be read: a versions member that is no list, where
	// ranges say the same, or an event.
	Partial bool

	modified, published string
	summary             string
	details             string // JSON: wanted only where there is no summary
}

// Grading is what a source says of how bad something is.
type Grading struct {
	Vectors       []string // CVSS of any version
	Grade         string   // in words, as GitHub writes it into database_specific
	Informational string   // RustSec's word for what is no vulnerability, such as "unmaintained"
}

// Affected is what a record says of one package.
type Affected struct {
	Ecosystem string // with its suffix: "Debian:12"
	Name      string
	Ranges    [][]Event // of versions
	Versions  []string
	Commits   []CommitRange
	Imports   []string // Go: paths of the packages that hold the problem
	Grading
}

// CommitRange is a range of git commits. Only the repository knows what lies between them.
type CommitRange struct {
	Repo   string // its address
	Events []Event
}

// Event is one event of a range.
type Event struct {
	Kind    byte
	Version string // "" for Start
}

// The kinds of event, as the schema names them.
const (
	Start byte = iota // introduced at "0": every version from the first on
	Introduced
	Fixed
	LastAffected
	Limit // "*" is no limit
)

var errNoID = errors.New("it has no id")

// Decode reads one record from its JSON text into r, whose slices it uses again.
func Decode(text string, r *Record) error {
	*r = Record{Aliases: r.Aliases[:0], Upstream: r.Upstream[:0], Affected: r.Affected[:0], Grading: Grading{Vectors: r.Vectors[:0]}}
	d := &decoder{s: text}
	if d.peek() != '{' {
		d.fail()
	}
	d.object(func(key string) { r.field(d, key) })
	if err := d.finish(); err != nil {
		return err
	}
	if r.ID == "" || len(r.ID) > MaxText {
		return errNoID
	}
	return nil
}

func (r *Record) field(d *decoder, key string) {
	switch key {
	case "id":
		r.ID = d.text()
	case "modified":
		r.modified = d.text()
	case "published":
		r.published = d.text()
	case "withdrawn":
		r.Withdrawn = d.text() != ""
	case "aliases":
		r.Aliases = decodeTexts(d, r.Aliases)
	case "upstream":
		r.Upstream = decodeTexts(d, r.Upstream)
	case "summary":
		r.summary = d.text()
	case "details":
		d.space()
		start := d.i
		d.skip()
		r.details = d.s[min(start, d.i):d.i]
	case "severity":
		r.Vectors = decodeVectors(d, r.Vectors)
	case "affected":
		d.array(func() { r.Affected = append(r.Affected, r.decodeAffected(d)) })
	case "database_specific":
		r.Grade, r.Informational = decodeSpecific(d)
	default:
		d.skip()
	}
}

// decodeTexts appends the texts of a list that are not too long.
func decodeTexts(d *decoder, list []string) []string {
	d.array(func() {
		if s := d.text(); s != "" && len(s) <= MaxText {
			list = append(list, s)
		}
	})
	return list
}

func decodeVectors(d *decoder, list []string) []string {
	d.array(func() {
		d.object(func(key string) {
			if key != "score" {
				d.skip()
			} else if v := d.text(); v != "" {
				list = append(list, v)
			}
		})
	})
	return list
}

// decodeSpecific reads the two members of database_specific that sources use to grade.
func decodeSpecific(d *decoder) (grade, informational string) {
	d.object(func(key string) {
		switch key {
		case "severity":
			grade = d.text()
		case "informational":
			informational = d.text()
		default:
			d.skip()
		}
	})
	return grade, informational
}

// decodeAffected reads one member of affected. A versions member that is no list is left
// out where ranges say the same, and the record counts as partial.
func (r *Record) decodeAffected(d *decoder) Affected {
	var a Affected
	d.object(func(key string) {
		switch key {
		case "package":
			d.object(func(key string) {
				switch key {
				case "ecosystem":
					a.Ecosystem = d.text()
				case "name":
					a.Name = d.text()
				default:
					d.skip()
				}
			})
		case "ranges":
			d.array(func() { r.decodeRange(d, &a) })
		case "versions":
			r.Partial = !d.array(func() {
				if s := d.text(); s != "" && len(s) <= MaxText {
					a.Versions = append(a.Versions, s)
				}
			}) || r.Partial
		case "severity":
			a.Vectors = decodeVectors(d, nil)
		case "database_specific":
			a.Grade, a.Informational = decodeSpecific(d)
		case "ecosystem_specific":
			d.object(func(key string) {
				if key == "imports" {
					a.Imports = decodeImports(d)
				} else {
					d.skip()
				}
			})
		default:
			d.skip()
		}
	})
	return a
}

// maxImports is how many import paths of one package are kept; more count as none known,
// which is the safe side. The most that a record names is below a hundred.
const maxImports = 1000

// decodeImports reads the packages that a Go record names
// (https://go.dev/doc/security/vuln/database#schema). An entry without a path makes the list
// worth nothing: then it does not name all packages.
func decodeImports(d *decoder) []string {
	var paths []string
	whole := d.array(func() {
		path := ""
		d.object(func(key string) {
			if key == "path" {
				path = d.text()
			} else {
				d.skip()
			}
		})
		paths = append(paths, path)
	})
	if !whole || len(paths) > maxImports || slices.ContainsFunc(paths, func(p string) bool { return p == "" || len(p) > MaxText }) {
		return nil
	}
	return paths
}

// decodeRange reads one range. One of a kind that is not known is left out.
func (r *Record) decodeRange(d *decoder, a *Affected) {
	var kind, repo string
	var events []Event
	d.object(func(key string) {
		switch key {
		case "type":
			kind = d.text()
		case "repo":
			repo = d.text()
		case "events":
			d.array(func() { events = r.decodeEvents(d, events) })
		default:
			d.skip()
		}
	})
	switch {
	case kind == "GIT" && len(repo) <= MaxText:
		a.Commits = append(a.Commits, CommitRange{repo, events})
	case (kind == "SEMVER" || kind == "ECOSYSTEM") && len(events) > 0:
		a.Ranges = append(a.Ranges, events)
	}
}

// decodeEvents appends the events of one member of events. One that cannot be read errs on
// the side of more versions, and the record counts as partial.
func (r *Record) decodeEvents(d *decoder, events []Event) []Event {
	d.object(func(key string) {
		kind, ok := eventKinds[key]
		if !ok {
			d.skip()
			return
		}
		v := d.text()
		readable := v != "" && len(v) <= MaxText
		r.Partial = r.Partial || !readable
		switch {
		case kind == Introduced && (v == "0" || !readable):
			events = append(events, Event{Kind: Start})
		case readable:
			events = append(events, Event{kind, v})
		}
	})
	return events
}

var eventKinds = map[string]byte{"introduced": Introduced, "fixed": Fixed, "last_affected": LastAffected, "limit": Limit}

// Time is when r last changed, UTC; zero when it says nothing readable.
func (r *Record) Time() time.Time {
	for _, s := range [...]string{r.modified, r.published} {
		if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
			return t.UTC().Truncate(time.Microsecond)
		}
	}
	return time.Time{}
}

// Check says what makes a part of a decoded record unusable: an affected package that
// nothing readable is said of.
func (r *Record) Check() error {
	if !r.Partial {
		return nil
	}
	for i := range r.Affected {
		if a := &r.Affected[i]; len(a.Ranges) == 0 && len(a.Versions) == 0 && len(a.Commits) == 0 {
			return fmt.Errorf("its versions are no list")
		}
	}
	return nil
}

// Summary returns the summary, or the first line of the details, as valid short text.
func (r *Record) Summary() string {
	s := r.summary
	if s == "" {
		details := (&decoder{s: r.details}).text()
		s, _, _ = strings.Cut(strings.TrimLeft(details, " #*\n"), "\n")
	}
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "\uFFFD")
	if len(s) <= maxSummary {
		return s
	}
	cut := maxSummary - len("…")
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
