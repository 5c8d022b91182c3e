package osv

import (
	"errors"
	"fmt"
	"time"
)

// The limits of one record. Real ones are far smaller: the largest known lists some ten
// thousand versions.
const (
	maxRecord  = 16 << 20 // bytes of JSON
	maxID      = 256      // bytes of an id, an alias, a package name or a version
	maxSummary = 300      // bytes that are kept
)

// osvRecord is what matters of one OSV record (https://ossf.github.io/osv-schema/). Its
// strings may be views of the JSON text.
type osvRecord struct {
	id                   string
	modified, published  string
	withdrawn            bool
	aliases              []string
	summary              string
	details              string // JSON: wanted only where there is no summary
	severity             []cvssVector
	affected             []osvAffected
	grade, informational string // database_specific: GHSA's severity, RUSTSEC's kind
	partial              bool   // a field had to be left out; see decodeAffected
}

type cvssVector struct{ kind, vector string }

type osvAffected struct {
	ecosystem, name      string // ecosystem with its suffix
	severity             []cvssVector
	ranges               [][]event
	commits              bool // there are ranges of git commits, which are not kept
	versions             []string
	grade, informational string
}

var errNoID = errors.New("it has no id")

// decodeRecord reads one record from its JSON text into r, whose slices it uses again.
func decodeRecord(text string, r *osvRecord) error {
	*r = osvRecord{aliases: r.aliases[:0], severity: r.severity[:0], affected: r.affected[:0]}
	d := &decoder{s: text}
	if d.peek() != '{' {
		d.fail()
	}
	d.object(func(key string) { r.field(d, key) })
	if err := d.finish(); err != nil {
		return err
	}
	if r.id == "" || len(r.id) > maxID {
		return errNoID
	}
	return nil
}

func (r *osvRecord) field(d *decoder, key string) {
	switch key {
	case "id":
		r.id = d.text()
	case "modified":
		r.modified = d.text()
	case "published":
		r.published = d.text()
	case "withdrawn":
		r.withdrawn = d.text() != ""
	case "aliases":
		d.array(func() {
			if s := d.text(); s != "" && len(s) <= maxID {
				r.aliases = append(r.aliases, s)
			}
		})
	case "summary":
		r.summary = d.text()
	case "details":
		d.space()
		start := d.i
		d.skip()
		r.details = d.s[min(start, d.i):d.i]
	case "severity":
		r.severity = decodeSeverity(d, r.severity)
	case "affected":
		d.array(func() { r.affected = append(r.affected, r.decodeAffected(d)) })
	case "database_specific":
		r.grade, r.informational = decodeSpecific(d)
	default:
		d.skip()
	}
}

func decodeSeverity(d *decoder, list []cvssVector) []cvssVector {
	d.array(func() {
		var s cvssVector
		d.object(func(key string) {
			switch key {
			case "type":
				s.kind = d.text()
			case "score":
				s.vector = d.text()
			default:
				d.skip()
			}
		})
		list = append(list, s)
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
func (r *osvRecord) decodeAffected(d *decoder) osvAffected {
	var a osvAffected
	d.object(func(key string) {
		switch key {
		case "package":
			d.object(func(key string) {
				switch key {
				case "ecosystem":
					a.ecosystem = d.text()
				case "name":
					a.name = d.text()
				default:
					d.skip()
				}
			})
		case "ranges":
			d.array(func() {
				events, commits := decodeRange(d)
				if a.commits = a.commits || commits; len(events) > 0 {
					a.ranges = append(a.ranges, events)
				}
			})
		case "versions":
			r.partial = !d.array(func() {
				if s := d.text(); s != "" && len(s) <= maxID {
					a.versions = append(a.versions, s)
				}
			}) || r.partial
		case "severity":
			a.severity = decodeSeverity(d, nil)
		case "database_specific":
			a.grade, a.informational = decodeSpecific(d)
		default:
			d.skip()
		}
	})
	return a
}

// decodeRange reads one range. Commits have no order without their repository: of a range
// of them nothing is returned.
func decodeRange(d *decoder) (events []event, commits bool) {
	var kind string
	d.object(func(key string) {
		switch key {
		case "type":
			kind = d.text()
		case "events":
			d.array(func() { events = decodeEvents(d, events) })
		default:
			d.skip()
		}
	})
	if kind != "SEMVER" && kind != "ECOSYSTEM" {
		return nil, kind == "GIT"
	}
	return events, false
}

func decodeEvents(d *decoder, events []event) []event {
	d.object(func(key string) {
		v := d.text()
		if v == "" || len(v) > maxID {
			return
		}
		switch {
		case key == "introduced" && v == "0":
			events = append(events, event{kind: eventStart})
		case key == "introduced":
			events = append(events, event{eventIntroduced, v})
		case key == "fixed":
			events = append(events, event{eventFixed, v})
		case key == "last_affected":
			events = append(events, event{eventLastAffected, v})
		case key == "limit":
			events = append(events, event{eventLimit, v})
		}
	})
	return events
}

// time is when r last changed, UTC; zero when it says nothing readable.
func (r *osvRecord) time() time.Time {
	for _, s := range [...]string{r.modified, r.published} {
		if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
			return t.UTC().Truncate(time.Microsecond)
		}
	}
	return time.Time{}
}

// check says what makes a part of a decoded record unusable: an affected package that
// nothing readable is said of.
func (r *osvRecord) check() error {
	if !r.partial {
		return nil
	}
	for i := range r.affected {
		if a := &r.affected[i]; len(a.ranges) == 0 && len(a.versions) == 0 && !a.commits {
			return fmt.Errorf("its versions are no list")
		}
	}
	return nil
}
