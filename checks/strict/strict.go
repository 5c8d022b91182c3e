// Package strict reads YAML files that people write and that decide something: every key is
// known or an error with its line and the nearest name, every value has the type asked for,
// and nothing is there twice. Anchors, aliases and tags are refused.
//
// It knows no key itself: the caller hands in tables of Keys. It imports nothing of ours, does
// no I/O, and bounds the work before the YAML library sees the file. Start at Document.
package strict

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Limits of a file. The library's time grows with the square of keys and depth: with
// these it stays below a second (measured: 5,000 keys 0.3 s, 60,000 keys 60 s).
const (
	maxBytes = 256 << 10
	maxLines = 5_000
	maxDepth = 32 // open brackets, and "- " on one line
	maxKeys  = 5_000
)

// Node is a place in the file. Only this package looks into it.
type Node = ast.Node

// Document reads one file strictly. The first problem is kept and ends the reading: every
// method does nothing of use once Err is set, so callers look at Err once, at the end.
type Document struct {
	// Later names keys, with their path ("releases.publish"), that a later version reads. They
	// are errors of their own. Nil means none.
	Later map[string]bool
	err   *Problem
}

// Problem is what is wrong in a file, and where.
type Problem struct {
	Line    int // one-based; 0 when unknown
	Message string
}

// Err returns the first problem, nil when there is none.
func (d *Document) Err() *Problem { return d.err }

// Keys says what each key of a mapping does with its value.
type Keys map[string]func(Node)

// Line returns the one-based line of n.
func Line(n Node) int { return n.GetToken().Position.Line }

// Mapping reports whether n is keys with values.
func Mapping(n Node) bool {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return true
	}
	return false
}

// Fail keeps the problem at n.
func (d *Document) Fail(n Node, format string, args ...any) {
	line := 0
	if n != nil && n.GetToken() != nil {
		line = n.GetToken().Position.Line
	}
	d.FailAt(line, format, args...)
}

// FailAt keeps the problem at a line, 0 when it is at none.
func (d *Document) FailAt(line int, format string, args ...any) {
	if d.err == nil {
		d.err = &Problem{Line: line, Message: fmt.Sprintf(format, args...)}
	}
}

// Parse returns the one mapping that the file consists of, nil when there is none.
func (d *Document) Parse(data []byte) (root Node) {
	if line, problem := tooComplex(data); problem != "" {
		d.FailAt(line, "%s", problem)
		return nil
	}
	defer func() {
		if r := recover(); r != nil {
			d.FailAt(0, "not readable as YAML")
			root = nil
		}
	}()
	file, err := parser.ParseBytes(data, 0)
	var syntax yaml.Error
	switch {
	case errors.As(err, &syntax) && syntax.GetToken() != nil:
		d.FailAt(syntax.GetToken().Position.Line, "not valid YAML: %s", syntax.GetMessage())
	case err != nil:
		d.FailAt(0, "not valid YAML")
	case len(file.Docs) != 1:
		d.FailAt(0, "more than one document; keep one and remove `---`")
	case file.Docs[0].Body == nil:
		d.FailAt(0, "the file is empty; start with `version: 1`, or remove it to use the built-in policy")
	default:
		return file.Docs[0].Body
	}
	return nil
}

// tooComplex says what exceeds the limits, before the library sees the data.
func tooComplex(data []byte) (line int, problem string) {
	if len(data) > maxBytes {
		return 0, fmt.Sprintf("the file has %d bytes, at most %d are read", len(data), maxBytes)
	}
	depth := 0
	for i, text := range bytes.Split(data, []byte("\n")) {
		depth += bytes.Count(text, []byte("[")) + bytes.Count(text, []byte("{"))
		if depth > maxDepth || bytes.Count(text, []byte("- ")) > maxDepth {
			return i + 1, "nested too deeply"
		}
		depth = max(0, depth-bytes.Count(text, []byte("]"))-bytes.Count(text, []byte("}")))
		if i >= maxLines {
			return i + 1, fmt.Sprintf("more than %d lines", maxLines)
		}
	}
	if bytes.Count(data, []byte(":"))+bytes.Count(data, []byte("?")) > maxKeys {
		return 0, fmt.Sprintf("more than %d keys", maxKeys)
	}
	return 0, ""
}

// Section reads the mapping n by the table k. path is where it stands, with a dot at the end
// ("releases.trust."), or "" for the whole file.
func (d *Document) Section(n Node, path string, k Keys) {
	seen := map[string]bool{}
	for _, pair := range d.pairs(n, path) {
		if d.err != nil {
			return
		}
		name := keyName(pair)
		read, known := k[name]
		switch {
		case seen[name]:
			d.Fail(pair.Key, "key `%s` is there twice", Shown(name))
		case known:
			read(pair.Value)
		case d.Later[path+name]:
			d.Fail(pair.Key, "key `%s%s` is not supported by this version", path, name)
		default:
			d.unknown(pair.Key, "key", name, k)
		}
		seen[name] = true
	}
}

// Entries calls read with each key of the mapping n and its value: for keys that people make
// up. path is as in Section.
func (d *Document) Entries(n Node, path string, read func(name string, key, value Node)) {
	seen := map[string]bool{}
	for _, pair := range d.pairs(n, path) {
		name := keyName(pair)
		if seen[name] {
			d.Fail(pair.Key, "key `%s` is there twice", Shown(name))
		}
		if d.err != nil {
			return
		}
		seen[name] = true
		read(name, pair.Key, pair.Value)
	}
}

// Value returns the key and the value of name in the mapping root, nil when it has none.
func (d *Document) Value(root Node, name string) (key, value Node) {
	for _, pair := range d.pairs(root, "") {
		if keyName(pair) == name {
			return pair.Key, pair.Value
		}
	}
	return nil, nil
}

func keyName(pair *ast.MappingValueNode) string {
	if s, ok := pair.Key.(*ast.StringNode); ok {
		return s.Value
	}
	return pair.Key.String()
}

// pairs returns the pairs of the mapping n.
func (d *Document) pairs(n Node, path string) []*ast.MappingValueNode {
	switch m := n.(type) {
	case *ast.MappingNode:
		return m.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{m}
	}
	where := "the file"
	if path != "" {
		where = "`" + strings.TrimSuffix(path, ".") + "`"
	}
	d.wrong(n, where+" needs keys with values")
	return nil
}

// wrong keeps the problem that n is not what it should be, naming what YAML made of it.
func (d *Document) wrong(n Node, problem string) {
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		d.Fail(n, "anchors and aliases are not allowed in a policy; write the value out")
	case *ast.TagNode:
		d.Fail(n, "YAML tags are not allowed in a policy")
	case nil, *ast.NullNode:
		d.Fail(n, "%s, not nothing", problem)
	default:
		d.Fail(n, "%s, not %s", problem, nodeWord(n))
	}
}

func nodeWord(n Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "keys"
	case *ast.SequenceNode:
		return "a list"
	default:
		return "`" + Shown(n.GetToken().Value) + "`"
	}
}

// unknown keeps the problem that name is not in the table, with the nearest name that is.
func (d *Document) unknown(n Node, what, name string, k Keys) {
	names := make([]string, 0, len(k))
	for known := range k {
		names = append(names, known)
	}
	if near := nearest(name, names); near != "" {
		d.Fail(n, "unknown %s `%s`, did you mean `%s`?", what, Shown(name), near)
		return
	}
	slices.Sort(names)
	d.Fail(n, "unknown %s `%s`; it can be %s", what, Shown(name), strings.Join(names, ", "))
}
