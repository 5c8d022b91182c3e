package cage

import (
	"encoding/binary"
	"errors"
	"hash/maphash"
	"strings"
	"unicode/utf8"
)

// Parent and child are the same binary, so what they say to each other has no version and no
// names of fields: numbers in one part, the text of all strings in another. A string that was
// said before is a number. Against encoding/gob and encoding/json it takes a tenth of the time
// (BenchmarkWire).

// writer collects one message.
type writer struct {
	numbers, text []byte
	clean         bool   // replace what is not UTF-8
	said          uint64 // strings so far
	recent        [1 << 11]struct {
		s  string
		at uint64 // one-based; 0 means empty
	}
}

var seed = maphash.MakeSeed()

func (w *writer) num(n int) { w.numbers = binary.AppendUvarint(w.numbers, uint64(n)) }

// str writes 0 for "", an odd number for a new string of half that length, and an even number
// for the string that was the n-th new one.
func (w *writer) str(s string) {
	if s == "" {
		w.num(0)
		return
	}
	slot := &w.recent[maphash.String(seed, s)%uint64(len(w.recent))]
	if slot.at != 0 && slot.s == s {
		w.numbers = binary.AppendUvarint(w.numbers, slot.at<<1)
		return
	}
	if w.clean && !utf8.ValidString(s) {
		w.str(strings.ToValidUTF8(s, "\ufffd"))
		return
	}
	w.said++
	slot.s, slot.at = s, w.said
	w.numbers = binary.AppendUvarint(w.numbers, uint64(len(s))<<1|1)
	w.text = append(w.text, s...)
}

func (w *writer) size() int { return len(w.numbers) + len(w.text) }

// mark is a place to go back to.
type mark struct {
	numbers, text int
	said          uint64
}

func (w *writer) mark() mark { return mark{len(w.numbers), len(w.text), w.said} }

// back forgets what was written since m.
func (w *writer) back(m mark) {
	w.numbers, w.text, w.said = w.numbers[:m.numbers], w.text[:m.text], m.said
	clear(w.recent[:])
}

// reset forgets everything but keeps memory for the next message, unless it is much.
func (w *writer) reset() {
	const enough = 4 << 20
	if w.size() > enough {
		w.numbers, w.text = nil, nil
	}
	w.back(mark{})
}

// reader reads one message. After the first thing wrong all else is zero; err tells.
type reader struct {
	numbers []byte
	text    string
	strict  bool // text is valid UTF-8, and so must be each string
	heard   []string
	lists   int // strings in lists so far
	err     error
}

var (
	errShort  = errors.New("the message ends too early")
	errNumber = errors.New("a number is too large")
	errText   = errors.New("a text is not valid")
	errRest   = errors.New("the message goes on after its end")
)

// maxLists is how many strings all lists of a message may hold: 16 bytes of memory each for one
// byte of message.
const maxLists = 8 << 20

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.numbers = nil
}

// num reads a number of at most limit.
func (r *reader) num(limit int) int {
	n, size := binary.Uvarint(r.numbers)
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
	r.numbers = r.numbers[size:]
	return int(n)
}

// str reads what writer.str wrote.
func (r *reader) str() string {
	n := r.num(2*maxAnswer + 1)
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
	if n == 0 || n > len(r.text) || r.strict && n < len(r.text) && !utf8.RuneStart(r.text[n]) {
		r.fail(errText)
		return ""
	}
	s := r.text[:n]
	r.text = r.text[n:]
	r.heard = append(r.heard, s)
	return s
}

// count reads the length of a list of at most limit, whose elements take at least a byte.
func (r *reader) count(limit int) int {
	n := r.num(limit)
	if n > len(r.numbers) {
		r.fail(errShort)
		return 0
	}
	return n
}

// strs reads a list of strings, nil when it is empty.
func (r *reader) strs(limit int) []string {
	n := r.count(limit)
	if n == 0 {
		return nil
	}
	if r.lists += n; r.lists > maxLists {
		r.fail(errNumber)
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = r.str()
	}
	return list
}

// end returns what was wrong with the message, which must end here.
func (r *reader) end() error {
	if r.err == nil && (len(r.numbers) > 0 || r.text != "") {
		r.err = errRest
	}
	return r.err
}
