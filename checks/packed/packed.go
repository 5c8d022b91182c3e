// Package packed writes what was read of manifests as bytes and reads it back: between the service
// and the child processes that read manifests, and in the store's cache. Against encoding/json it
// takes a tenth of the time.
//
// The bytes have no names of fields and are for the same version of Landwaiter only; whoever keeps
// them keeps the version of the reader beside them. Reading never believes them: every length is
// bounded and all that is wrong is an error. Start at Encode, which is the whole for one Manifest.
package packed

import (
	"encoding/binary"
	"errors"
	"hash/maphash"
	"strings"
	"unicode/utf8"
)

// Writer collects one message: numbers in one part, the text of all strings in another. A string
// that was said before is a number. The zero Writer is empty.
type Writer struct {
	Numbers, Text []byte
	Clean         bool   // replace what is not UTF-8
	said          uint64 // strings so far
	recent        [1 << 11]struct {
		s  string
		at uint64 // one-based; 0 means empty
	}
}

var seed = maphash.MakeSeed()

// Num writes a number that is not negative.
func (w *Writer) Num(n int) { w.Numbers = binary.AppendUvarint(w.Numbers, uint64(n)) }

// Str writes 0 for "", an odd number for a new string of half that length, and an even number
// for the string that was the n-th new one.
func (w *Writer) Str(s string) {
	if s == "" {
		w.Num(0)
		return
	}
	slot := &w.recent[maphash.String(seed, s)%uint64(len(w.recent))]
	if slot.at != 0 && slot.s == s {
		w.Numbers = binary.AppendUvarint(w.Numbers, slot.at<<1)
		return
	}
	if w.Clean && !utf8.ValidString(s) {
		w.Str(strings.ToValidUTF8(s, "\ufffd"))
		return
	}
	w.said++
	slot.s, slot.at = s, w.said
	w.Numbers = binary.AppendUvarint(w.Numbers, uint64(len(s))<<1|1)
	w.Text = append(w.Text, s...)
}

// Size is how many bytes were written.
func (w *Writer) Size() int { return len(w.Numbers) + len(w.Text) }

// Place is where a Writer was.
type Place struct {
	numbers, text int
	said          uint64
}

// Mark returns where the Writer is.
func (w *Writer) Mark() Place { return Place{len(w.Numbers), len(w.Text), w.said} }

// Back forgets what was written since m.
func (w *Writer) Back(m Place) {
	w.Numbers, w.Text, w.said = w.Numbers[:m.numbers], w.Text[:m.text], m.said
	clear(w.recent[:])
}

// Reset forgets everything but keeps memory for the next message, unless it is much.
func (w *Writer) Reset() {
	const enough = 4 << 20
	if w.Size() > enough {
		w.Numbers, w.Text = nil, nil
	}
	w.Back(Place{})
}

// Reader reads one message. After the first thing wrong all else is zero; End tells.
type Reader struct {
	Numbers                []byte
	Text                   string
	Strict                 bool // Text is valid UTF-8, and so must be each string
	at, spoken             int  // where Numbers and Text are read next
	heard                  []string
	spare                  []string // memory for lists
	lists                  int      // strings in lists so far, and so on
	packages, observations int
	err                    error
}

var (
	errShort  = errors.New("the message ends too early")
	errNumber = errors.New("a number is too large")
	errText   = errors.New("a text is not valid")
	errRest   = errors.New("the message goes on after its end")
)

// MaxText is how long a string may be, in bytes.
const MaxText = 64 << 20

// maxLists is how many strings all lists of a message may hold: 16 bytes of memory each for one
// byte of message.
const maxLists = 8 << 20

func (r *Reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.at = len(r.Numbers)
}

// Failed reports whether something was wrong.
func (r *Reader) Failed() bool { return r.err != nil }

// Num reads a number of at most limit.
func (r *Reader) Num(limit int) int {
	if r.at < len(r.Numbers) {
		if n := int(r.Numbers[r.at]); n < 0x80 && n <= limit {
			r.at++
			return n
		}
	}
	return r.long(limit)
}

// long is Num for a number of several bytes, and for what is wrong.
func (r *Reader) long(limit int) int {
	n, size := binary.Uvarint(r.Numbers[r.at:])
	switch {
	case r.err != nil:
		return 0
	case size <= 0:
		r.fail(errShort)
		return 0
	case n > uint64(limit):
		r.fail(errNumber)
		return 0
	}
	r.at += size
	return int(n)
}

// Str reads what Writer.Str wrote.
func (r *Reader) Str() string {
	n := r.Num(2*MaxText + 1)
	switch {
	case n == 0:
		return ""
	case n&1 == 0:
		if n>>1 > len(r.heard) {
			r.fail(errText)
			return ""
		}
		return r.heard[n>>1-1]
	}
	n >>= 1
	rest := len(r.Text) - r.spoken
	if n == 0 || n > rest || r.Strict && n < rest && !utf8.RuneStart(r.Text[r.spoken+n]) {
		r.fail(errText)
		return ""
	}
	s := r.Text[r.spoken : r.spoken+n]
	r.spoken += n
	r.heard = append(r.heard, s)
	return s
}

// Count reads the length of a list of at most limit, whose elements take at least a byte.
func (r *Reader) Count(limit int) int {
	n := r.Num(limit)
	if n > len(r.Numbers)-r.at {
		r.fail(errShort)
		return 0
	}
	return n
}

// strs reads a list of strings, nil when it is empty.
func (r *Reader) strs(limit int) []string {
	n := r.Count(limit)
	if n == 0 {
		return nil
	}
	if r.lists += n; r.lists > maxLists {
		r.fail(errNumber)
		return nil
	}
	const chunk = 1024 // lists are short and many
	if n > len(r.spare) {
		r.spare = make([]string, max(n, min(chunk, len(r.Numbers)-r.at)))
	}
	list := r.spare[:n:n]
	r.spare = r.spare[n:]
	for i := range list {
		list[i] = r.Str()
	}
	return list
}

// End returns what was wrong with the message, which must end here.
func (r *Reader) End() error {
	if r.err == nil && (r.at < len(r.Numbers) || r.spoken < len(r.Text)) {
		r.err = errRest
	}
	return r.err
}
