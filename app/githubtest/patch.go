package githubtest

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/landwaiter/landwaiter/app/githubtest/git"
)

// patch is how many lines a change adds and removes, and the change as a unified diff.
// text is empty for binary and large files, as on GitHub.
type patch struct {
	additions, deletions int
	text                 string
}

// maxPatch is the size of a file, in bytes, from which the stand-in shows no diff.
// GitHub's own limits differ by the whole diff's size; clients must cope with none.
const maxPatch = 100_000

// patch compares the two sides line by line: what is equal at the start and at the end
// stays, everything between is replaced. That is a correct diff and not always the shortest.
func (r *Repo) patch(c git.Change) patch {
	old, now := r.content(c.Old), r.content(c.New)
	if bytes.IndexByte(old, 0) >= 0 || bytes.IndexByte(now, 0) >= 0 {
		return patch{}
	}
	a, b := lines(old), lines(now)
	start := 0
	for start < len(a) && start < len(b) && a[start] == b[start] {
		start++
	}
	end := 0
	for end < len(a)-start && end < len(b)-start && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	gone, come := a[start:len(a)-end], b[start:len(b)-end]
	p := patch{additions: len(come), deletions: len(gone)}
	if len(old) > maxPatch || len(now) > maxPatch || p.additions+p.deletions == 0 {
		return p
	}
	var text strings.Builder
	fmt.Fprintf(&text, "@@ -%s +%s @@", span(start, len(gone)), span(start, len(come)))
	for _, l := range gone {
		text.WriteString("\n-" + l)
	}
	for _, l := range come {
		text.WriteString("\n+" + l)
	}
	p.text = text.String()
	return p
}

// span writes the range of a hunk; an empty one names the line before it.
func span(start, n int) string {
	if n == 0 {
		return fmt.Sprintf("%d,0", start)
	}
	return fmt.Sprintf("%d,%d", start+1, n)
}

func lines(content []byte) []string {
	if len(content) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(content), "\n"), "\n")
}

// content returns the bytes of an entry, of a submodule the line that git shows for it. An absent
// side has none.
func (r *Repo) content(e git.Entry) []byte {
	if e.Mode == git.ModeSubmodule {
		return []byte("Subproject commit " + e.SHA + "\n")
	}
	b, err := r.objects.Blob(e.SHA)
	if err != nil {
		return nil
	}
	return b
}
