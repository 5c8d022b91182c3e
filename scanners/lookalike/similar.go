package lookalike

import (
	"fmt"
	"strings"
)

// edit is a single difference between two names, as a person makes it.
type edit int

const (
	same    edit = iota
	other        // more than one difference
	swapped      // two neighbouring characters are swapped
	doubled      // a character is written twice, or once instead of twice
	omitted      // a character is missing
	added        // there is one more
	slipped      // another character, which lies beside the right one on a keyboard
	changed      // another character
)

// difference finds the single edit that makes name of popular, in bytes. at is where it is.
func difference(name, popular string) (kind edit, at int) {
	for at < len(name) && at < len(popular) && name[at] == popular[at] {
		at++
	}
	a, b := name[at:], popular[at:]
	switch {
	case a == "" && b == "":
		return same, at
	case len(a) == len(b)+1 && a[1:] == b:
		if at > 0 && a[0] == name[at-1] {
			return doubled, at
		}
		return added, at
	case len(b) == len(a)+1 && b[1:] == a:
		if at > 0 && b[0] == popular[at-1] {
			return doubled, at
		}
		return omitted, at
	case len(a) != len(b):
		return other, at
	case a[1:] == b[1:]:
		if neighbours(a[0], b[0]) {
			return slipped, at
		}
		return changed, at
	case len(a) > 1 && a[0] == b[1] && a[1] == b[0] && a[2:] == b[2:]:
		return swapped, at
	}
	return other, at
}

// rows of a keyboard; a key also touches those above and below it.
var rows = [...]string{"1234567890-", "qwertyuiop", "asdfghjkl", "zxcvbnm"}

// neighbours reports whether two keys lie beside each other.
func neighbours(a, b byte) bool {
	for i, row := range rows {
		x := strings.IndexByte(row, a)
		if x < 0 {
			continue
		}
		for j := max(i-1, 0); j <= min(i+1, len(rows)-1); j++ {
			y := strings.IndexByte(rows[j], b)
			// A row is half a key to the right of the one above.
			if y >= 0 && (i == j && (y == x-1 || y == x+1) || j == i-1 && (y == x || y == x+1) || j == i+1 && (y == x || y == x-1)) {
				return true
			}
		}
	}
	return false
}

// telling reports whether a single edit makes name look like popular, rather than be another
// name. Short names and short words have many honest neighbours, the first letter is hardly ever
// mistaken, and another number or a plural is an honest name. With famous, which says that popular
// is one of the most popular of all, less is enough.
func telling(name, popular string, kind edit, at int, famous bool) bool {
	if kind == same || kind == other || numbered(name, popular, kind, at) {
		return false
	}
	n, word := len(popular), wordAt(popular, at)
	switch {
	case n < shortName || word < shortWord:
		return false
	case kind == swapped:
		return n >= middleName || at > 0
	case kind == doubled:
		return n >= middleName || at < n-1 || famous
	case plural(name, popular, kind, at):
		return famous && n >= middleName
	case famous && kind != changed, famous && sounds(name[at], popular[at]):
		return kind == slipped || at > 0
	case n < middleName || word < middleWord || at == 0:
		return false
	case kind == slipped, kind == changed && sounds(name[at], popular[at]):
		return n >= longName || kind == slipped && at < n-1
	case kind == omitted, kind == added:
		return n >= longName || at < n-1
	}
	return false
}

// Lengths in characters from which edits count: of popular names, and of the word of it, between
// separators, in which the edit is.
const (
	shortName  = 5
	middleName = 6
	longName   = 8
	shortWord  = 4
	middleWord = 5
)

// wordAt is the length of the word of name around the character at.
func wordAt(name string, at int) int {
	at = min(at, len(name))
	start := strings.LastIndexAny(name[:at], separators) + 1
	end := strings.IndexAny(name[at:], separators)
	if end < 0 {
		end = len(name) - at
	}
	return at + end - start
}

// sounds reports whether two letters are taken for one another by ear.
func sounds(a, b byte) bool {
	for _, group := range [...]string{"aeiouy", "ckqs", "sz", "fv", "bp", "dt", "gj", "mn", "vw", "lr"} {
		if strings.IndexByte(group, a) >= 0 && strings.IndexByte(group, b) >= 0 {
			return true
		}
	}
	return false
}

// numbered reports whether the difference is a digit: base32 is not a misspelt base64.
func numbered(name, popular string, kind edit, at int) bool {
	digit := func(s string, i int) bool { return i < len(s) && s[i] >= '0' && s[i] <= '9' }
	switch kind {
	case added:
		return digit(name, at)
	case omitted:
		return digit(popular, at)
	case doubled:
		return digit(name, at-1)
	case swapped:
		return digit(name, at) || digit(name, at+1)
	}
	return digit(name, at) && digit(popular, at)
}

// plural reports whether the difference is an s or a letter at the end of the name or of a word.
func plural(name, popular string, kind edit, at int) bool {
	end := func(s string, i int) bool { return i == len(s)-1 || i+1 < len(s) && separator(s[i+1]) }
	switch kind {
	case added:
		return name[at] == 's' && end(name, at)
	case omitted:
		return popular[at] == 's' && end(popular, at)
	}
	return false
}

const separators = "-_."

func separator(c byte) bool { return c == '-' || c == '_' || c == '.' }

// squash drops separators: cross-env and crossenv are one.
func squash(name string) string {
	return strings.Map(func(r rune) rune {
		if r < 128 && separator(byte(r)) {
			return -1
		}
		return r
	}, name)
}

// pair returns the character that many fonts show like a and b beside each other, 0 for none.
func pair(a, b byte) byte {
	switch {
	case a == 'r' && b == 'n':
		return 'm'
	case a == 'v' && b == 'v':
		return 'w'
	case a == 'c' && b == 'l':
		return 'd'
	}
	return 0
}

// shape makes characters one that many fonts show alike.
func shape(c byte) byte {
	switch c {
	case '0':
		return 'o'
	case '1', 'i':
		return 'l'
	case '5':
		return 's'
	}
	return c
}

// alike makes characters and pairs of them one that many fonts show alike.
func alike(name string) string {
	shown := make([]byte, 0, len(name))
	for i := 0; i < len(name); i++ {
		c := name[i]
		if i+1 < len(name) {
			if one := pair(c, name[i+1]); one != 0 {
				c = one
				i++
			}
		}
		shown = append(shown, shape(c))
	}
	return string(shown)
}

// words says in words what the edit is.
func words(name, popular string, kind edit, at int) string {
	switch kind {
	case swapped:
		return fmt.Sprintf("%q and %q are swapped", popular[at:at+1], popular[at+1:at+2])
	case doubled:
		if len(name) > len(popular) {
			return fmt.Sprintf("%q is written once more", name[at:at+1])
		}
		return fmt.Sprintf("%q is written once less", popular[at:at+1])
	case omitted:
		return fmt.Sprintf("%q is missing", popular[at:at+1])
	case added:
		return fmt.Sprintf("%q is added", name[at:at+1])
	}
	return fmt.Sprintf("%q stands for %q", name[at:at+1], popular[at:at+1])
}
