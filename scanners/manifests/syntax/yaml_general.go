package syntax

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// MaxGeneralYAML is the length in bytes up to which the general library reads a text.
const MaxGeneralYAML = 1 << 20

// generalYAML reads any YAML through the library.
//
// The library is go.yaml.in/yaml/v3 and not the one that reads policies: that one takes
// quadratic time for tables and nested lists (90 KB of keys: 1.8 s).
func generalYAML(text string, merges bool) ([]Node, error) {
	if len(text) > MaxGeneralYAML {
		return nil, &Error{What: fmt.Sprintf("is longer than %d bytes and not written the plain way tools write it", MaxGeneralYAML)}
	}
	d := yaml.NewDecoder(strings.NewReader(text))
	var docs []Node
	for {
		var root yaml.Node
		if err := d.Decode(&root); errors.Is(err, io.EOF) {
			return docs, nil
		} else if err != nil {
			return nil, libraryError(err)
		}
		if len(docs) >= maxDocuments {
			return nil, &Error{Line: root.Line, What: fmt.Sprintf("more than %d documents", maxDocuments)}
		}
		b := &yamlBuilder{t: newTree(len(text), Null), most: 4*len(text) + 1000, lines: strings.Count(text, "\n") + 1, merges: merges}
		b.fill(0, root.Content[0], 0)
		if b.err != nil {
			return nil, b.err
		}
		docs = append(docs, Node{t: b.t})
	}
}

var libraryLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// libraryError takes the line out of the library's message.
func libraryError(err error) error {
	message := err.Error()
	found := libraryLine.FindStringSubmatch(message)
	if found == nil {
		return &Error{What: message}
	}
	line, _ := strconv.Atoi(found[1]) // "" is 0, no line
	return &Error{Line: line, What: message[len(found[0]):]}
}

// yamlBuilder copies the library's tree into ours and puts values in the place of aliases.
type yamlBuilder struct {
	t    *tree
	most int // values; a text without aliases has fewer than bytes
	// lines of the text. The library also ends lines where nothing else does, such as at U+2028.
	lines int
	// merges says that a merge key is kept as a member of that name.
	merges bool
	err    error
}

func (b *yamlBuilder) fail(n *yaml.Node, format string, args ...any) {
	if b.err == nil {
		b.err = &Error{Line: n.Line, What: fmt.Sprintf(format, args...)}
	}
}

// fill copies n into the value at.
func (b *yamlBuilder) fill(at int32, n *yaml.Node, depth int) {
	if b.err != nil {
		return
	}
	if depth > MaxDepth {
		b.fail(n, "lists and tables are nested deeper than %d levels", MaxDepth)
		return
	}
	v := &b.t.values[at]
	switch n.Kind {
	case yaml.MappingNode:
		v.kind = Table
		b.members(at, n, depth)
	case yaml.SequenceNode:
		v.kind = List
		for _, e := range n.Content {
			b.fill(b.add(at, "", e), e, depth+1)
		}
	case yaml.AliasNode:
		b.fill(at, n.Alias, depth+1)
	case yaml.ScalarNode:
		v.kind, v.text = Text, n.Value
		if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle|yaml.TaggedStyle) == 0 {
			v.kind, v.text = scalar(n.Value)
		}
	}
}

func (b *yamlBuilder) members(at int32, n *yaml.Node, depth int) {
	keys := make([]string, 0, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if k.Kind == yaml.AliasNode {
			k = k.Alias
		}
		if k.Kind != yaml.ScalarNode {
			b.fail(k, "a key is not a text")
			return
		}
		if k.Tag == "!!merge" && !b.merges {
			b.fail(k, "a merge key (<<) is not read; write its values out")
			return
		}
		keys = append(keys, k.Value)
		b.fill(b.add(at, k.Value, n.Content[i]), n.Content[i+1], depth+1)
	}
	if key, twice := repeated(keys); twice {
		b.fail(n, "the key %q is there twice in the table that begins here", key)
	}
}

func (b *yamlBuilder) add(parent int32, key string, n *yaml.Node) int32 {
	at := b.t.add(parent, value{key: key, kind: Null, line: int32(min(n.Line, b.lines))})
	if b.t.full || len(b.t.values) > b.most {
		b.fail(n, "more than %d values", min(b.most, MaxValues))
	}
	return at
}
