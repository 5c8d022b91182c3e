// Package dump writes all rows of a database as a stream that both engines can read, and reads
// them into an empty one: nothing is left out, nothing is changed.
//
// What is carried follows from the schema of the database itself, so a new table or column is
// carried without a line here; one of a kind that a dump cannot carry is an error. The package
// knows no table and no meaning; package store verifies the ledger in the rows.
//
// A dump is a zstd stream of lines, each a JSON value. The first is a Header; then for each table
// {"table": NAME}, its rows as arrays in the order of the header's columns, and {"end": NAME,
// "rows": N, "digest": HEX}; the last is {"complete": true, "rows": N}. Integers are numbers, text
// is a string, bytes are base64. The digest of a table is the sum of the SHA-256 of its lines, as
// numbers of 256 bits, so that it does not depend on the order of rows.
//
// Start reading at Write, then at Read.
package dump

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/bits"
	"slices"
	"time"
)

// Format names the first version of the format. A reader refuses any other.
const Format = "landwaiter-export/1"

// Limits of what is read.
const (
	// maxLine bounds a line in bytes: the largest body is 32 MiB, and base64 makes it a third longer.
	maxLine = 64 << 20
	// maxTables and maxColumns bound the header.
	maxTables, maxColumns = 1000, 1000
	// window bounds what the compression looks back at, in bytes, and so the memory of a reader.
	window = 4 << 20
)

// Header is the first line of a dump.
type Header struct {
	Format string    `json:"format"` // Format
	Schema int64     `json:"schema"` // number of the newest schema file of the database
	Made   time.Time `json:"made"`
	Tables []Table   `json:"tables"` // in an order in which references lead to earlier ones
}

// Table is one table of a database.
type Table struct {
	Name    string   `json:"name"`
	Columns []Column `json:"columns"`

	identity string   // the column that PostgreSQL numbers; "" when there is none
	parents  []string // the tables that it refers to
}

// Column is one column of a table.
type Column struct {
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
}

// Kind is what a column holds, whatever the engine calls it.
type Kind string

// The kinds that a dump carries. Any of them may be null.
const (
	Integer Kind = "integer" // 64 bits, signed
	Text    Kind = "text"    // valid UTF-8 without NUL
	Bytes   Kind = "bytes"
)

// Counted is how much of a table was carried.
type Counted struct {
	Table  string
	Rows   int64
	Digest string // in hexadecimal
}

// mark is a line that is no row.
type mark struct {
	Table    string `json:"table,omitempty"`
	End      string `json:"end,omitempty"`
	Rows     int64  `json:"rows,omitempty"`
	Digest   string `json:"digest,omitempty"`
	Complete bool   `json:"complete,omitempty"`
}

// digest sums the SHA-256 of lines as numbers of 256 bits.
type digest [4]uint64

func (d *digest) add(line []byte) {
	sum := sha256.Sum256(line)
	var carry uint64
	for i := 3; i >= 0; i-- {
		d[i], carry = bits.Add64(d[i], binary.BigEndian.Uint64(sum[8*i:]), carry)
	}
}

func (d *digest) String() string {
	var b []byte
	for _, part := range d {
		b = binary.BigEndian.AppendUint64(b, part)
	}
	return hex.EncodeToString(b)
}

// check refuses a header that this version does not read.
func (h Header) check() error {
	if h.Format != Format {
		return fmt.Errorf("the export has the format %q, and this version reads %q", h.Format, Format)
	}
	if len(h.Tables) > maxTables {
		return fmt.Errorf("the export has %d tables", len(h.Tables))
	}
	for _, t := range h.Tables {
		if len(t.Columns) > maxColumns {
			return fmt.Errorf("the table %.80q of the export has %d columns", t.Name, len(t.Columns))
		}
	}
	return nil
}

// differences says what two lists of tables do not have in common, "" when they are the same. The
// order of tables and columns does not count.
func differences(dumped, here []Table) string {
	names := func(tables []Table) []string {
		var list []string
		for _, t := range tables {
			for _, c := range t.Columns {
				list = append(list, t.Name+"."+c.Name+" ("+string(c.Kind)+")")
			}
		}
		slices.Sort(list)
		return list
	}
	a, b := names(dumped), names(here)
	for _, name := range a {
		if !slices.Contains(b, name) {
			return "the database has no " + name
		}
	}
	for _, name := range b {
		if !slices.Contains(a, name) {
			return "the export has no " + name
		}
	}
	if len(a) != len(b) {
		return "a column is named twice"
	}
	return ""
}
