package manifests

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// The limits of one file. They are guesses: ten times the largest lock file we know of.
const (
	maxBytes    = 32 << 20
	maxPackages = 250_000
	// maxGap is how long the sentence in a Gap may be, in bytes: parts of it are hostile.
	maxGap = 400
)

// gap says what is wrong with a file and what a person does about it. Any other error of a
// parser gets the remedy of its format.
type gap struct {
	what, todo string
	// partial says that the packages that were read are right, only not all. Those of a file
	// that breaks its grammar are dropped: half a file may say the opposite of the whole.
	partial bool
}

// Error is the whole sentence.
func (g gap) Error() string { return g.what + "; " + g.todo }

// gapText is the sentence for Manifest.Gap: it continues the path of the file.
func gapText(err error, f *Format) string {
	text := err.Error()
	if known := (gap{}); !errors.As(err, &known) && f.remedy != "" {
		text += "; " + f.remedy
	}
	if len(text) > maxGap {
		cut := maxGap
		for !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut] + "..."
	}
	return strings.ToValidUTF8(text, "?")
}

// invalid is an error of a syntax reader as a sentence: "is not valid JSON: line 3: ...".
func invalid(language string, err error) error {
	var known *syntax.Error
	if errors.As(err, &known) && known.Line == 0 {
		return fmt.Errorf("cannot be read as %s: %s", language, known.What)
	}
	return fmt.Errorf("is not valid %s: %w", language, err)
}

// errEmpty is a file that holds nothing where an empty list of packages would still be a text.
var errEmpty = errors.New("is empty")

// checkedText returns the text of f after the checks that need no parser (THREATS G23).
func checkedText(f *inventory.File) (string, error) {
	if f.Problem != "" {
		return "", gap{what: f.Problem, todo: "keep the manifest itself in the repository, as a plain file"}
	}
	if len(f.Data) > maxBytes {
		return "", gap{what: fmt.Sprintf("is larger than %d MiB", maxBytes>>20), todo: "split the project, or remove the file from the repository"}
	}
	text := strings.TrimPrefix(string(f.Data), "\ufeff")
	switch {
	case strings.IndexByte(text, 0) >= 0:
		return "", gap{what: "holds NUL bytes, so it is not a text", todo: "store it as UTF-8"}
	case !utf8.ValidString(text):
		return "", gap{what: "is not valid UTF-8", todo: "store it as UTF-8"}
	}
	if line := conflict(text); line > 0 {
		return "", gap{what: fmt.Sprintf("holds a merge conflict in line %d", line), todo: "resolve it"}
	}
	return text, nil
}

// maxMatched is how long a text may be that an expression is tried on, in bytes. Names, versions
// and addresses are shorter, and expressions are slow.
const maxMatched = 4096

// match returns what re finds in s with its groups, nil when it finds nothing or s is too long
// to be what it looks for.
func match(re func() *regexp.Regexp, s string) []string {
	if len(s) > maxMatched {
		return nil
	}
	return re().FindStringSubmatch(s)
}

// conflict returns the line of the first marker that git leaves in a file when a merge
// fails, 0 when there is none.
func conflict(text string) int {
	const marker = "<<<<<<< "
	at := strings.Index(text, marker) // without the line end, which is everywhere
	if at < 0 || at > 0 && text[at-1] != '\n' || !strings.Contains(text[at:], "\n>>>>>>> ") {
		return 0
	}
	return strings.Count(text[:at], "\n") + 1
}

// maxShown is how many bytes of hostile text a message shows.
const maxShown = 80

// cut shortens hostile text for a message.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "..."
}
