package output

import (
	"html"
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// maxPiece is the most characters of one piece of foreign text that are shown.
const maxPiece = 300

// Escape makes s safe within Markdown that is posted to GitHub; it is the one function for
// that (THREATS G16). It returns a code span: entities decoded first, on one line, without
// invisible characters, at most 300 characters. Within a code span GitHub renders no mention,
// link, image, HTML, issue or commit reference. Backquotes become apostrophes, and vertical
// bars broken bars, because both would end the span or the table cell that holds it. Empty
// text stays empty.
func Escape(s string) string {
	s = spanBreakers.Replace(Plain(s, maxPiece))
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

var spanBreakers = strings.NewReplacer("`", "'", "|", "¦")

// Plain makes s safe where GitHub and terminals show text as it is: titles, annotations,
// tables. It decodes entities, puts everything on one line, drops invisible characters, and
// cuts after max characters.
func Plain(s string, max int) string {
	if simple(s) {
		return cut(s, max)
	}
	s = decode(s)
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), r == utf8.RuneError:
			return ' '
		case unicode.IsControl(r), unicode.In(r, unicode.Cf, unicode.Co, unicode.Cs), unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
			return -1
		}
		return r
	}, s)
	return cut(strings.Join(strings.Fields(s), " "), max)
}

// simple reports whether s is printable ASCII without entities and without spaces, as nearly
// all names and versions are.
func simple(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' || s[i] == '&' {
			return false
		}
	}
	return true
}

// decode decodes entities until none is left, at most four times: text that is nested deeper
// stays as it is, which is harmless within a code span and in plain text.
func decode(s string) string {
	for range 4 {
		d := html.UnescapeString(s)
		if d == s {
			break
		}
		s = d
	}
	return s
}

// cut returns the first max characters of s, with an ellipsis when it had more.
func cut(s string, max int) string {
	if utf8.RuneCountInString(s) <= max {
		return s
	}
	i := 0
	for n := range s {
		if i == max-1 {
			return strings.TrimRight(s[:n], " ") + "…"
		}
		i++
	}
	return s
}

// The words of a sentence that are shown as they are: no character that Markdown, GitHub or
// HTML gives a meaning, and nothing that becomes a link by itself.
var (
	calmWord = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^[A-Za-z0-9.,;:()'"/+=%?-]*[A-Za-z0-9][A-Za-z0-9.,;:()'"/+=%?-]*$`)
	})
	linkWord = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)://|www\.|\bgh-\d|\b[0-9a-f]{7,}\b`) })
	listMark = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([0-9]+[.)]|[-+=·]+)$`) })
	tail     = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[.,;:)]*$`) })
)

// Prose makes a sentence of ours safe that may hold foreign words: those that are not plain
// words become code spans, the rest stays readable. Text between backquotes becomes a code
// span as a whole.
func Prose(s string) string {
	parts := strings.Split(Plain(s, 4*maxPiece), "`")
	if !spans(parts) {
		parts = []string{strings.Join(parts, "'")}
	}
	var b strings.Builder
	for i, part := range parts {
		if i%2 == 1 {
			b.WriteString(Escape(part))
			continue
		}
		b.WriteString(proseWords(part))
	}
	return b.String()
}

// spans reports whether the odd parts of a sentence cut at backquotes stand on their own, as
// in our sentences. Where they touch a word, a renderer may pair the backquotes otherwise.
func spans(parts []string) bool {
	if len(parts)%2 == 0 {
		return false
	}
	for i := 1; i < len(parts); i += 2 {
		before, after := parts[i-1], parts[i+1]
		opens := before == "" && i == 1 || strings.HasSuffix(before, " ") || strings.HasSuffix(before, "(")
		closes := after == "" && i == len(parts)-2 || after != "" && strings.ContainsRune(" .,;:)?", rune(after[0]))
		if !opens || !closes || strings.TrimSpace(parts[i]) == "" {
			return false
		}
	}
	return true
}

func proseWords(s string) string {
	words := strings.Split(s, " ")
	for i, w := range words {
		if w == "" || calm(w) && (i > 0 || !listMark().MatchString(w)) {
			continue
		}
		end := tail().FindString(w)
		if i == 0 {
			end = ""
		}
		words[i] = Escape(strings.TrimSuffix(w, end)) + end
	}
	return strings.Join(words, " ")
}

func calm(w string) bool {
	return w == "-" || w == "·" || strings.Trim(w, ".,;:()'\"?") == "" || calmWord().MatchString(w) && !linkWord().MatchString(w)
}

// MaxBody is the most bytes of a body that is sent to GitHub: its limit is 65,535 for the
// output of checks and 65,536 characters for issues (GITHUB.md section 2).
const MaxBody = 60_000

// Truncate cuts s at the end of a line so that it has at most maxBytes bytes, the notice
// included, which says so to the reader. Open code blocks and collapsed sections are closed
// before the notice. Text that fits stays as it is. The result is valid UTF-8.
func Truncate(s string, maxBytes int, notice string) string {
	s = strings.ToValidUTF8(s, "?")
	if len(s) <= maxBytes {
		return s
	}
	const closing = "\n```\n\n</details>\n\n"
	room := maxBytes - len(closing) - len(notice)
	if room <= 0 {
		return cutBytes(notice, maxBytes)
	}
	kept := cutBytes(s, room)
	if i := strings.LastIndexByte(kept, '\n'); i > 0 {
		kept = kept[:i]
	}
	if strings.Count("\n"+kept, "\n```")%2 == 1 {
		kept += "\n```"
	}
	if strings.Count(kept, "<details>") > strings.Count(kept, "</details>") {
		kept += "\n\n</details>"
	}
	return kept + "\n\n" + notice
}

// cutBytes returns at most n bytes of s, whole characters only.
func cutBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
