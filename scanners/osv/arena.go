package osv

// arena keeps many small texts in few pieces of memory. A text lives as long as anything
// of its piece does.
type arena struct {
	piece int // bytes that are asked for at a time; 0 means 16 KiB
	buf   []byte
	lists []string
}

// room makes sure that n bytes can be appended to buf where they can stay.
func (a *arena) room(n int) {
	if n > cap(a.buf)-len(a.buf) {
		a.buf = make([]byte, 0, max(a.piece, 16<<10, n))
	}
}

// keep copies b and returns the copy.
func (a *arena) keep(b []byte) string { return a.keepText(viewOf(b)) }

// keepText copies the parts and returns them as one text.
func (a *arena) keepText(parts ...string) string {
	n := 0
	for _, s := range parts {
		n += len(s)
	}
	if n == 0 {
		return ""
	}
	a.room(n)
	start := len(a.buf)
	for _, s := range parts {
		a.buf = append(a.buf, s...)
	}
	return viewOf(a.buf[start:])
}

// keepList copies a list of texts and the texts; nil for an empty one.
func (a *arena) keepList(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	if len(list) > cap(a.lists)-len(a.lists) {
		a.lists = make([]string, 0, max(256, len(list)))
	}
	start := len(a.lists)
	for _, s := range list {
		a.lists = append(a.lists, a.keepText(s))
	}
	return a.lists[start:len(a.lists):len(a.lists)]
}
