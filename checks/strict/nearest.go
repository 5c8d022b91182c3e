package strict

import "strings"

// nearest returns the name closest to s, "" when none is close.
func nearest(s string, names []string) string {
	best, distance := "", len(s)/3+2
	for _, name := range names {
		if n := editDistance(s, name); n < distance || n == distance && best != "" && name < best {
			best, distance = name, n
		}
	}
	return best
}

// editDistance counts the insertions, deletions and replacements between a and b. Long texts
// are far from everything, so that hostile keys cost nothing.
func editDistance(a, b string) int {
	if len(a) > 64 {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := corner
			if a[i] != b[j] {
				change++
			}
			corner = row[j+1]
			row[j+1] = min(change, row[j]+1, corner+1)
		}
	}
	return row[len(b)]
}

// Shown returns the start of a text of the file, for messages.
func Shown(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == '`' {
			return ' '
		}
		return r
	}, s)
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}
