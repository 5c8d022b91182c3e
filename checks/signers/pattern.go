package signers

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

const (
	// maxName bounds the name of one asset, in bytes; longer ones are compared as they are.
	maxName = 512
	// MaxNames is the most names of one release that are remembered. GitHub takes 1,000 assets.
	MaxNames = 1000
	// minCommit is how many digits of a commit a name has to carry to be that of a commit. git
	// abbreviates to no fewer than seven.
	minCommit = 7
)

// dotted is a version or a date as file names carry it: numbers joined by dots, with what
// comes before or after a version; or a date written with dashes.
var dotted = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)[0-9]+(?:\.[0-9]+)+(?:[-._~+]?(?:alpha|beta|rc|pre|preview|dev|snapshot|nightly|canary|post)[-._]?[0-9]*(?:\.[0-9]+)*)?|20[0-9]{2}[-_]?[01][0-9][-_]?[0-3][0-9]`)
})

// Pattern returns name with its version parts replaced by "*", so that the same file of two
// releases has one pattern: "tool_1.2.3_linux_amd64.tar.gz" of v1.2.3 and the one of v1.2.4 are
// both "tool_*_linux_amd64.tar.gz".
//
// Replaced are the version in tag, the start of commit, numbers joined by dots, and dates,
// each where it is a word of its own or follows the letter v. A number alone, such as that of an
// architecture, stays. tag and commit may be empty.
func Pattern(name, tag, commit string) string {
	if len(name) > maxName {
		return name
	}
	for _, v := range versions(tag) {
		name = replaceWord(name, v)
	}
	if len(commit) >= minCommit {
		name = replaceCommit(name, strings.ToLower(commit))
	}
	at := 0
	for {
		found := dotted().FindStringIndex(name[at:])
		if found == nil {
			return name
		}
		start, end := at+found[0], at+found[1]
		if !word(name, start, end) {
			at = end
			continue
		}
		name, at = name[:start]+"*"+name[end:], start+1
	}
}

// versions returns how file names write the version in tag, the longest first: "v1.2.0-rc.1"
// gives itself, "1.2.0-rc.1", "1.2.0_rc.1", "1.2.0~rc.1", "1.2.0.rc.1" and "1.2.0". A tag without
// a digit, such as "nightly", has none.
func versions(tag string) []string {
	if len(tag) > maxName || !strings.ContainsAny(tag, "0123456789") {
		return nil
	}
	start := -1
	for i := range len(tag) {
		if digit(tag[i]) && word(tag, i, len(tag)) {
			start = i
			break
		}
	}
	if start < 0 {
		return []string{tag}
	}
	whole := tag[start:]
	list := []string{tag, whole}
	for _, dash := range []string{"_", "~", "."} {
		list = append(list, strings.NewReplacer("-", dash, "+", dash).Replace(whole))
	}
	if core, _, cut := strings.Cut(strings.ReplaceAll(whole, "+", "-"), "-"); cut && strings.Contains(core, ".") {
		list = append(list, core)
	}
	return list
}

// replaceWord replaces v in name where it is a word.
func replaceWord(name, v string) string {
	at := 0
	for {
		i := strings.Index(name[at:], v)
		if i < 0 {
			return name
		}
		start, end := at+i, at+i+len(v)
		if !word(name, start, end) {
			at = start + 1
			continue
		}
		name, at = name[:start]+"*"+name[end:], start+1
	}
}

// replaceCommit replaces words of name that are the start of commit.
func replaceCommit(name, commit string) string {
	for i := 0; i < len(name); i++ {
		n := 0
		for n < len(commit) && i+n < len(name) && name[i+n]|0x20 == commit[n]|0x20 {
			n++
		}
		if n >= minCommit && word(name, i, i+n) {
			name = name[:i] + "*" + name[i+n:]
		}
	}
	return name
}

// word reports whether s[start:end] is a word of its own, or one but for a letter v before it.
func word(s string, start, end int) bool {
	if end < len(s) && alphanumeric(s[end]) {
		return false
	}
	if start > 0 && s[start-1]|0x20 == 'v' {
		start--
	}
	return start == 0 || !alphanumeric(s[start-1])
}

func digit(b byte) bool        { return b >= '0' && b <= '9' }
func alphanumeric(b byte) bool { return digit(b) || b|0x20 >= 'a' && b|0x20 <= 'z' || b >= 0x80 }

// Patterns returns the patterns of the names, sorted, each once. It returns nil when there are
// more than MaxNames: then nothing can be said of a name that is not among them.
func Patterns(names []string, tag, commit string) []string {
	if len(names) > MaxNames {
		return nil
	}
	list := make([]string, 0, len(names))
	for _, n := range names {
		list = append(list, Pattern(n, tag, commit))
	}
	slices.Sort(list)
	return slices.Compact(list)
}
