package osv

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"time"
	"unsafe"

	"github.com/landwaiter/landwaiter/checks"
)

// cursor reads numbers and texts one after another, never outside of s. After the first
// impossible read it is bad and gives zeros.
type cursor struct {
	s   string
	i   int
	bad bool
}

func (c *cursor) done() bool { return c.bad || c.i >= len(c.s) }

func (c *cursor) byte() byte {
	if c.i >= len(c.s) {
		c.bad = true
		return 0
	}
	c.i++
	return c.s[c.i-1]
}

// number reads a number of at most 31 bits.
func (c *cursor) number() int {
	var n uint32
	for shift := 0; shift < 32; shift += 7 {
		b := c.byte()
		n |= uint32(b&0x7f) << shift
		if b < 0x80 {
			if n > 1<<31-1 || shift == 28 && b > 7 {
				break
			}
			return int(n)
		}
	}
	c.bad = true
	return 0
}

// text reads a length and as many bytes. The result is a view.
func (c *cursor) text() string {
	n := c.number()
	if c.bad || n > len(c.s)-c.i {
		c.bad = true
		return ""
	}
	c.i += n
	return c.s[c.i-n : c.i]
}

func appendNumber(b []byte, n int) []byte { return binary.AppendUvarint(b, uint64(n)) }

// numberSize is how many bytes appendNumber appends.
func numberSize(n int) int { return max(1, (bits.Len(uint(n))+6)/7) }

func appendText(b []byte, s string) []byte { return append(appendNumber(b, len(s)), s...) }

// storedRecord is one row: what is known of an advisory whichever package it is about. Its
// strings are views of the file.
type storedRecord struct {
	id, ecosystem string
	withdrawn     bool
	severity      checks.Severity
	tenths        uint8 // base score of vector, in tenths
	modified      time.Time
	aliases       cursor // of texts
	upstream      cursor // of texts
	others        string // both, as stored
	vector        int    // number of a string
	summary       int    // number of a string; placeholder stands for the package's name
}

const flagWithdrawn = 1

// placeholder stands in a stored summary for the name of the only package of its record:
// two hundred thousand reports of malware then share a handful of texts.
const placeholder = "\x00"

// record returns the i-th row.
func (x *file) record(i int) (storedRecord, error) {
	at, err := x.word(secRecordStarts, i)
	if err != nil {
		return storedRecord{}, err
	}
	rows := x.sections[secRecords]
	if int(at) > len(rows) {
		return storedRecord{}, fmt.Errorf("%w: row %d", ErrCorrupt, i)
	}
	c := cursor{s: rows[at:]}
	r := storedRecord{id: c.text()}
	ecosystem := c.number()
	flags := c.byte()
	r.severity, r.tenths = checks.Severity(c.byte()), c.byte()
	r.modified = time.UnixMicro(int64(c.fixed64())).UTC()
	r.vector, r.summary = c.number(), c.number()
	start := c.i
	r.aliases = cursor{s: c.text()}
	r.upstream = cursor{s: c.text()}
	if !c.bad {
		r.others = c.s[start:c.i]
	}
	if c.bad || ecosystem >= len(x.meta.Ecosystems) {
		return storedRecord{}, fmt.Errorf("%w: row %d", ErrCorrupt, i)
	}
	r.withdrawn = flags&flagWithdrawn != 0
	r.ecosystem = x.meta.Ecosystems[ecosystem].Name
	return r, nil
}

func (c *cursor) fixed64() uint64 {
	if c.bad || len(c.s)-c.i < 8 {
		c.bad = true
		return 0
	}
	var n uint64
	for k := range 8 {
		n |= uint64(c.s[c.i+k]) << (8 * k)
	}
	c.i += 8
	return n
}

// entry is what one record says of one package. Its strings are views of the file.
type entry struct {
	record   int // row in the same file
	suffix   string
	grade    // of this package, when override
	override bool
	ranges   cursor
	versions cursor
	commits  cursor // ranges of them; see knowsCommit
	imports  cursor // stored as versions are
}

const (
	entrySuffix = 1 << iota
	entrySeverity
	entryCommits
	entryImports
)

// nextEntry reads the next entry of a block.
func nextEntry(c *cursor) (entry, error) {
	e := entry{record: c.number()}
	body := cursor{s: c.text()}
	flags := body.byte()
	if flags&entrySuffix != 0 {
		e.suffix = body.text()
	}
	if flags&entrySeverity != 0 {
		e.override, e.grade = true, grade{checks.Severity(body.byte()), body.byte(), body.text()}
	}
	e.ranges = cursor{s: body.text()}
	e.versions = cursor{s: body.text()}
	if flags&entryCommits != 0 {
		e.commits = cursor{s: body.text()}
	}
	if flags&entryImports != 0 {
		e.imports = cursor{s: body.text()}
	}
	if c.bad || body.bad {
		return entry{}, fmt.Errorf("%w: an entry of a package", ErrCorrupt)
	}
	return e, nil
}

// viewOf returns b as a string without copying it. b must not change any more.
func viewOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
