package engine

import (
	"strconv"
	"strings"
	"time"
)

// Rows returns "($1,$2),($3,$4)" for n rows of width parameters.
func Rows(n, width int) string {
	rows := make([]string, n)
	for i := range rows {
		rows[i] = List(width, i*width+1)
	}
	return strings.Join(rows, ",")
}

// List returns "($3,$4)" for two parameters from the third on.
func List(n, first int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = "$" + strconv.Itoa(first+i)
	}
	return "(" + strings.Join(names, ",") + ")"
}

// Batches calls fn with the bounds of consecutive parts of n rows with width parameters each.
// Parts are powers of two, so that few different statement texts arise: of at most maxBatch
// rows on PostgreSQL, where each statement is a round trip, and of about 128 parameters on
// SQLite, which looks each one up by its name in a list.
func (t *Tx) Batches(n, width int, fn func(from, to int) error) error {
	most := maxBatch
	if !t.db.postgres {
		most = 128 / width
	}
	for from := 0; from < n; {
		size := 1
		for size*2 <= min(most, n-from) {
			size *= 2
		}
		if err := fn(from, from+size); err != nil {
			return err
		}
		from += size
	}
	return nil
}

// Micros is how times are stored: microseconds UTC since 1970, 0 for the zero time.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// FromMicros returns the time that Micros stored.
func FromMicros(v int64) time.Time {
	if v == 0 {
		return time.Time{}
	}
	return time.UnixMicro(v).UTC()
}

// Text makes s storable on both engines: PostgreSQL refuses NUL and invalid UTF-8, which
// hostile names and messages may hold. Both become U+FFFD.
func Text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
