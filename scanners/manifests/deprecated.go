package manifests

import (
	"strings"

	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// maxDeprecation is how many bytes of a maintainer's words on a deprecation are kept.
const maxDeprecation = 500

// deprecation is what a lock file says of the deprecation of a package: a text, or true, or what
// to use instead.
func deprecation(n syntax.Node) string {
	if n.Kind() == syntax.Bool && !n.True() || n.Kind() == syntax.Null || n.Kind() == syntax.Absent {
		return ""
	}
	return deprecationText(n.Text(), n.Kind() == syntax.Text)
}

// deprecationText is a maintainer's words without what a line cannot hold, "deprecated" when
// there are none.
func deprecationText(words string, written bool) string {
	words = strings.Join(strings.Fields(cut(words, maxDeprecation)), " ")
	if !written || words == "" {
		return "deprecated"
	}
	return words
}
