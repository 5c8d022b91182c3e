package dump

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/landwaiter/landwaiter/store/engine"
)

// batchRows and batchBytes bound the rows that are inserted together.
const (
	batchRows  = 256
	batchBytes = 8 << 20
)

// NotEmptyError says that a database has rows already. Nothing was changed.
type NotEmptyError struct{ Table string }

func (e *NotEmptyError) Error() string {
	return fmt.Sprintf("the database is not empty: table %s has rows; import into a new one", e.Table)
}

// Empty returns a NotEmptyError when a table has rows.
func Empty(t *engine.Tx) error {
	tables, err := Tables(t)
	if err != nil {
		return err
	}
	for _, table := range tables {
		var one int64
		err := t.One(`SELECT 1 FROM `+quote(table.Name)+` LIMIT 1`, nil, &one)
		if err == nil {
			return &NotEmptyError{table.Name}
		}
		if !errors.Is(err, engine.ErrNotFound) {
			return fmt.Errorf("looking into table %s: %w", table.Name, err)
		}
	}
	return nil
}

// Read inserts all rows of the dump r into the empty database of t, whose schema must be the one
// of the dump, and reads them back: it returns an error unless each table then holds exactly what
// the dump says. The caller rolls back after any error. Memory does not grow with the number of
// rows. progress, which may be nil, is told rows done; how many there will be is not known.
func Read(t *engine.Tx, r io.Reader, schema int64, progress func(done int64)) ([]Counted, error) {
	if err := Empty(t); err != nil {
		return nil, err
	}
	unpacked, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(2*window), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, fmt.Errorf("preparing compression: %w", err)
	}
	defer unpacked.Close()
	in := &reader{lines: newLines(unpacked), progress: progress}
	tables, err := in.header(t, schema)
	if err != nil {
		return nil, err
	}
	var counted []Counted
	for _, table := range tables {
		c, err := in.table(t, table)
		if err != nil {
			return nil, fmt.Errorf("reading table %s: %w", table.Name, err)
		}
		counted = append(counted, c)
	}
	return counted, in.finish()
}

// reader reads one dump.
type reader struct {
	lines    *bufio.Reader
	line     []byte // the one that next returned
	progress func(done int64)
	done     int64
}

func newLines(r io.Reader) *bufio.Reader { return bufio.NewReaderSize(r, 1<<20) }

// next returns the next line with its end, valid until the next call. It returns
// io.ErrUnexpectedEOF at the end of the stream.
func (r *reader) next() ([]byte, error) {
	r.line = r.line[:0]
	for {
		part, err := r.lines.ReadSlice('\n')
		if len(r.line)+len(part) > maxLine {
			return nil, fmt.Errorf("a line of the export is over %d bytes", maxLine)
		}
		r.line = append(r.line, part...)
		switch {
		case err == nil:
			return r.line, nil
		case errors.Is(err, io.EOF):
			return nil, io.ErrUnexpectedEOF
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("reading the export: %w", err)
		}
	}
}

// mark reads a line that must be a mark.
func (r *reader) mark() (mark, error) {
	line, err := r.next()
	if err != nil {
		return mark{}, err
	}
	return parseMark(line)
}

func parseMark(line []byte) (mark, error) {
	var m mark
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return mark{}, fmt.Errorf("reading a line of the export: %w", err)
	}
	return m, nil
}

// header reads the first line and returns the tables in its order, as the database knows them.
func (r *reader) header(t *engine.Tx, schema int64) ([]Table, error) {
	line, err := r.next()
	if err != nil {
		return nil, fmt.Errorf("this is no export: %w", err)
	}
	var h Header
	if err := json.Unmarshal(line, &h); err != nil {
		return nil, fmt.Errorf("this is no export: %w", err)
	}
	if err := h.check(); err != nil {
		return nil, err
	}
	if h.Schema != schema {
		return nil, fmt.Errorf("the export was made with schema %d and this Landwaiter has %d: run landwaiter migrate on the old database with this version and export again, or use the newer version", h.Schema, schema)
	}
	here, err := Tables(t)
	if err != nil {
		return nil, err
	}
	if d := differences(h.Tables, here); d != "" {
		return nil, fmt.Errorf("the export does not fit the database: %s", d)
	}
	for i, table := range h.Tables {
		n := slices.IndexFunc(here, func(own Table) bool { return own.Name == table.Name })
		h.Tables[i].identity = here[n].identity
	}
	return h.Tables, nil
}

// table reads one table, inserts it and reads it back.
func (r *reader) table(t *engine.Tx, table Table) (Counted, error) {
	begin, err := r.mark()
	if err != nil {
		return Counted{}, err
	}
	if begin != (mark{Table: table.Name}) {
		return Counted{}, errors.New("the export goes on with something else")
	}
	end, err := r.rows(t, table)
	if err != nil {
		return Counted{}, err
	}
	if err := renumber(t, table); err != nil {
		return Counted{}, err
	}
	got, err := eachLine(t, table, func([]byte) error { return nil })
	if err != nil {
		return Counted{}, fmt.Errorf("reading it back: %w", err)
	}
	want := Counted{Table: end.End, Rows: end.Rows, Digest: end.Digest}
	if got != want {
		return Counted{}, fmt.Errorf("the database holds %d rows with digest %s, the export says %d with %s", got.Rows, got.Digest, want.Rows, want.Digest)
	}
	return got, nil
}

// rows inserts rows up to the mark that ends the table, and returns that mark.
func (r *reader) rows(t *engine.Tx, table Table) (mark, error) {
	b := batch{t: t, table: table}
	for {
		line, err := r.next()
		if err != nil {
			return mark{}, err
		}
		if line[0] != '[' {
			end, err := parseMark(line)
			if err != nil {
				return mark{}, err
			}
			return end, b.flush()
		}
		if err := b.add(line); err != nil {
			return mark{}, err
		}
		if r.done++; r.progress != nil && r.done%progressEvery == 0 {
			r.progress(r.done)
		}
	}
}

// finish reads the last line, after which nothing may follow.
func (r *reader) finish() error {
	last, err := r.mark()
	if err != nil {
		return err
	}
	if last != (mark{Complete: true, Rows: r.done}) {
		return fmt.Errorf("the export is not complete: %d rows were read, it says %d", r.done, last.Rows)
	}
	if _, err := r.lines.ReadByte(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the end of the export")
	}
	return nil
}

// batch gathers rows of one table and inserts them together.
type batch struct {
	t     *engine.Tx
	table Table
	args  []any
	bytes int
}

func (b *batch) add(line []byte) error {
	row, err := parseRow(b.table.Columns, line)
	if err != nil {
		return err
	}
	b.args = append(b.args, row...)
	b.bytes += len(line)
	if len(b.args) >= batchRows*len(b.table.Columns) || b.bytes >= batchBytes {
		return b.flush()
	}
	return nil
}

func (b *batch) flush() error {
	width := len(b.table.Columns)
	overriding := ""
	if b.t.Postgres() {
		overriding = " OVERRIDING SYSTEM VALUE" // the rows keep their numbers
	}
	err := b.t.Batches(len(b.args)/max(width, 1), width, func(from, to int) error {
		_, err := b.t.Exec(`INSERT INTO `+quote(b.table.Name)+` (`+b.table.quoted()+`)`+overriding+` VALUES `+engine.Rows(to-from, width),
			b.args[from*width:to*width]...)
		return err
	})
	b.args, b.bytes = b.args[:0], 0
	return err
}

// parseRow reads the line of a row.
func parseRow(columns []Column, line []byte) ([]any, error) {
	var parts []json.RawMessage
	if err := json.Unmarshal(line, &parts); err != nil {
		return nil, fmt.Errorf("reading a row of the export: %w", err)
	}
	if len(parts) != len(columns) {
		return nil, fmt.Errorf("a row of the export has %d values for %d columns", len(parts), len(columns))
	}
	row := make([]any, len(parts))
	for i, part := range parts {
		value, err := columns[i].parse(part)
		if err == nil {
			err = columns[i].fits(value)
		}
		if err != nil {
			return nil, fmt.Errorf("reading column %s of the export: %w", columns[i].Name, err)
		}
		row[i] = value
	}
	return row, nil
}

// parse reads one value. Anything but what Write writes is an error.
func (c Column) parse(part json.RawMessage) (any, error) {
	if string(part) == "null" {
		return nil, nil
	}
	if c.Kind == Integer {
		return strconv.ParseInt(string(part), 10, 64)
	}
	var text string
	if err := json.Unmarshal(part, &text); err != nil {
		return nil, err
	}
	if c.Kind == Text {
		return text, nil
	}
	if strings.ContainsAny(text, "\r\n") { // which the decoder would pass over
		return nil, errors.New("line ends in base64")
	}
	return base64.StdEncoding.Strict().DecodeString(text)
}

// renumber makes PostgreSQL number new rows from where the imported ones end.
func renumber(t *engine.Tx, table Table) error {
	if table.identity == "" {
		return nil
	}
	_, err := t.Exec(`SELECT setval(pg_get_serial_sequence($1, $2), max(`+quote(table.identity)+`)) FROM `+quote(table.Name)+
		` HAVING max(`+quote(table.identity)+`) IS NOT NULL`, quote(table.Name), table.identity)
	if err != nil {
		return fmt.Errorf("numbering: %w", err)
	}
	return nil
}
