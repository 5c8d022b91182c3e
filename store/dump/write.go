package dump

import (
	"bufio"
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"

	"github.com/landwaiter/landwaiter/store/engine"
)

// progressEvery is how many rows lie between two calls of progress.
const progressEvery = 10_000

// Write writes all rows that t sees to w and returns what they were. t must be one snapshot.
// Memory does not grow with the number of rows. progress, which may be nil, is told rows done and
// rows in all.
func Write(t *engine.Tx, w io.Writer, schema int64, made time.Time, progress func(done, total int64)) ([]Counted, error) {
	tables, err := Tables(t)
	if err != nil {
		return nil, err
	}
	total, err := countAll(t, tables)
	if err != nil {
		return nil, err
	}
	packed, err := zstd.NewWriter(w, zstd.WithWindowSize(window), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true))
	if err != nil {
		return nil, fmt.Errorf("preparing compression: %w", err)
	}
	out := &writer{lines: bufio.NewWriterSize(packed, 1<<20), progress: progress, total: total}
	counted, err := out.all(t, Header{Format: Format, Schema: schema, Made: made.UTC(), Tables: tables})
	if err == nil {
		err = out.lines.Flush()
	}
	return counted, errors.Join(err, packed.Close())
}

func countAll(t *engine.Tx, tables []Table) (int64, error) {
	var total int64
	for _, table := range tables {
		var n int64
		if err := t.One(`SELECT count(*) FROM `+quote(table.Name), nil, &n); err != nil {
			return 0, fmt.Errorf("counting %s: %w", table.Name, err)
		}
		total += n
	}
	return total, nil
}

// writer writes one dump.
type writer struct {
	lines       *bufio.Writer
	progress    func(done, total int64)
	done, total int64
}

func (w *writer) all(t *engine.Tx, h Header) ([]Counted, error) {
	if err := w.json(h); err != nil {
		return nil, err
	}
	var counted []Counted
	for _, table := range h.Tables {
		if err := w.json(mark{Table: table.Name}); err != nil {
			return nil, err
		}
		c, err := eachLine(t, table, func(line []byte) error {
			w.tick()
			_, err := w.lines.Write(line)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("writing table %s: %w", table.Name, err)
		}
		if err := w.json(mark{End: table.Name, Rows: c.Rows, Digest: c.Digest}); err != nil {
			return nil, err
		}
		counted = append(counted, c)
	}
	return counted, w.json(mark{Complete: true, Rows: w.done})
}

func (w *writer) tick() {
	w.done++
	if w.progress != nil && (w.done%progressEvery == 0 || w.done == w.total) {
		w.progress(w.done, w.total)
	}
}

func (w *writer) json(v any) error {
	line, err := json.Marshal(v)
	if err == nil {
		_, err = w.lines.Write(append(line, '\n'))
	}
	return err
}

// eachLine calls fn with each row of a table as its line in a dump, and counts them. The line is
// valid until fn returns.
func eachLine(t *engine.Tx, table Table, fn func(line []byte) error) (Counted, error) {
	c := Counted{Table: table.Name}
	var sum digest
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	values := make([]any, len(table.Columns))
	into := make([]any, len(values))
	for i := range values {
		into[i] = &values[i]
	}
	err := t.Each(`SELECT `+table.quoted()+` FROM `+quote(table.Name), nil, func(rows *sql.Rows) error {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		c.Rows++
		for i, column := range table.Columns {
			if err := column.fits(values[i]); err != nil {
				return fmt.Errorf("row %d: %w", c.Rows, err)
			}
		}
		line.Reset()
		if err := encoder.Encode(values); err != nil {
			return err
		}
		sum.add(line.Bytes())
		return fn(line.Bytes())
	})
	c.Digest = sum.String()
	return c, err
}

// fits says whether a value is of the column's kind. What is not would be changed on its way.
func (c Column) fits(value any) error {
	ok := value == nil
	switch v := value.(type) {
	case int64:
		ok = c.Kind == Integer
	case string:
		ok = c.Kind == Text && utf8.ValidString(v) && strings.IndexByte(v, 0) < 0
	case []byte:
		ok = c.Kind == Bytes
	}
	if !ok {
		return fmt.Errorf("column %s holds a value that is no %s: an export cannot carry it", c.Name, c.Kind)
	}
	return nil
}
