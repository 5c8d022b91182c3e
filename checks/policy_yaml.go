package checks

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Limits of a policy file. The library's time grows with the square of keys and depth: with
// these it stays below a second (measured: 5,000 keys 0.3 s, 60,000 keys 60 s).
const (
	maxPolicyBytes = 256 << 10
	maxPolicyLines = 5_000
	maxPolicyDepth = 32 // open brackets, and "- " on one line
	maxPolicyKeys  = 5_000
)

// document reads one policy file strictly. The first problem is kept and ends the reading:
// every method does nothing once err is set.
type document struct {
	source string
	err    *PolicyError
}

// keys says what each key of a mapping does with its value.
type keys map[string]func(ast.Node)

// fail keeps the problem at n.
func (d *document) fail(n ast.Node, format string, args ...any) {
	line := 0
	if n != nil && n.GetToken() != nil {
		line = n.GetToken().Position.Line
	}
	d.failAt(line, format, args...)
}

func (d *document) failAt(line int, format string, args ...any) {
	if d.err == nil {
		d.err = &PolicyError{Source: d.source, Line: line, Message: fmt.Sprintf(format, args...)}
	}
}

// parse returns the one mapping that the file consists of, nil when there is none.
func (d *document) parse(data []byte) (root ast.Node) {
	if line, problem := tooComplex(data); problem != "" {
		d.failAt(line, "%s", problem)
		return nil
	}
	defer func() {
		if r := recover(); r != nil {
			d.failAt(0, "not readable as YAML")
			root = nil
		}
	}()
	file, err := parser.ParseBytes(data, 0)
	var syntax yaml.Error
	switch {
	case errors.As(err, &syntax) && syntax.GetToken() != nil:
		d.failAt(syntax.GetToken().Position.Line, "not valid YAML: %s", syntax.GetMessage())
	case err != nil:
		d.failAt(0, "not valid YAML")
	case len(file.Docs) != 1:
		d.failAt(0, "more than one document; keep one and remove `---`")
	case file.Docs[0].Body == nil:
		d.failAt(0, "the file is empty; start with `version: 1`, or remove it to use the built-in policy")
	default:
		return file.Docs[0].Body
	}
	return nil
}

// tooComplex says what exceeds the limits, before the library sees the data.
func tooComplex(data []byte) (line int, problem string) {
	if len(data) > maxPolicyBytes {
		return 0, fmt.Sprintf("the file has %d bytes, at most %d are read", len(data), maxPolicyBytes)
	}
	depth := 0
	for i, text := range bytes.Split(data, []byte("\n")) {
		depth += bytes.Count(text, []byte("[")) + bytes.Count(text, []byte("{"))
		if depth > maxPolicyDepth || bytes.Count(text, []byte("- ")) > maxPolicyDepth {
			return i + 1, "nested too deeply"
		}
		depth = max(0, depth-bytes.Count(text, []byte("]"))-bytes.Count(text, []byte("}")))
		if i >= maxPolicyLines {
			return i + 1, fmt.Sprintf("more than %d lines", maxPolicyLines)
		}
	}
	if bytes.Count(data, []byte(":"))+bytes.Count(data, []byte("?")) > maxPolicyKeys {
		return 0, fmt.Sprintf("more than %d keys", maxPolicyKeys)
	}
	return 0, ""
}

// section reads the mapping n, which stands at path, by the table k.
func (d *document) section(n ast.Node, path string, k keys) {
	seen := map[string]bool{}
	for _, pair := range d.pairs(n, path) {
		if d.err != nil {
			return
		}
		name := keyName(pair)
		read, known := k[name]
		switch {
		case seen[name]:
			d.fail(pair.Key, "key `%s` is there twice", shown(name))
		case known:
			read(pair.Value)
		case laterKeys[path+name]:
			d.fail(pair.Key, "key `%s%s` is not supported by this version", path, name)
		default:
			d.unknown(pair.Key, "key", name, k)
		}
		seen[name] = true
	}
}

func keyName(pair *ast.MappingValueNode) string {
	if s, ok := pair.Key.(*ast.StringNode); ok {
		return s.Value
	}
	return pair.Key.String()
}

// pairs returns the pairs of the mapping n.
func (d *document) pairs(n ast.Node, path string) []*ast.MappingValueNode {
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
func (d *document) wrong(n ast.Node, problem string) {
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		d.fail(n, "anchors and aliases are not allowed in a policy; write the value out")
	case *ast.TagNode:
		d.fail(n, "YAML tags are not allowed in a policy")
	case nil, *ast.NullNode:
		d.fail(n, "%s, not nothing", problem)
	default:
		d.fail(n, "%s, not %s", problem, nodeWord(n))
	}
}

func nodeWord(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "keys"
	case *ast.SequenceNode:
		return "a list"
	default:
		return "`" + shown(n.GetToken().Value) + "`"
	}
}

// unknown keeps the problem that name is not in the table, with the nearest name that is.
func (d *document) unknown(n ast.Node, what, name string, k keys) {
	names := make([]string, 0, len(k))
	for known := range k {
		names = append(names, known)
	}
	if near := nearest(name, names); near != "" {
		d.fail(n, "unknown %s `%s`, did you mean `%s`?", what, shown(name), near)
		return
	}
	slices.Sort(names)
	d.fail(n, "unknown %s `%s`; it can be %s", what, shown(name), strings.Join(names, ", "))
}

// text reads a string. Numbers and words that YAML reads as booleans are strings here too.
func (d *document) text(n ast.Node) string {
	switch v := n.(type) {
	case *ast.StringNode:
		return d.notEmpty(n, v.Value)
	case *ast.LiteralNode:
		return d.notEmpty(n, strings.TrimRight(v.Value.Value, "\n"))
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value
	}
	d.wrong(n, "needs a text")
	return ""
}

func (d *document) notEmpty(n ast.Node, s string) string {
	if strings.TrimSpace(s) == "" {
		d.fail(n, "needs a text, not an empty one")
	}
	return s
}

// number reads a whole number from low to high.
func (d *document) number(n ast.Node, low, high int) int {
	if v, ok := n.(*ast.IntegerNode); ok {
		i, err := strconv.Atoi(v.GetToken().Value)
		if err == nil && i >= low && i <= high {
			return i
		}
	}
	d.wrong(n, fmt.Sprintf("needs a whole number from %d to %d", low, high))
	return 0
}

func (d *document) boolean(n ast.Node) bool {
	if v, ok := n.(*ast.BoolNode); ok {
		return v.Value
	}
	d.wrong(n, "needs true or false")
	return false
}

// duration reads a whole number and a unit: s, m, h, d or w. It is at least 1 s and at most high.
func (d *document) duration(n ast.Node, high time.Duration) time.Duration {
	s := d.text(n)
	if d.err != nil {
		return 0
	}
	units := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	i, err := strconv.Atoi(s[:len(s)-1])
	unit := units[s[len(s)-1]]
	if err != nil || unit == 0 || i < 1 {
		d.fail(n, "bad duration `%s`; write a number and a unit, such as 60s, 30m, 12h, 2d or 1w", shown(s))
		return 0
	}
	if int64(i) > int64(high/unit) {
		d.fail(n, "`%s` is too long; at most %s", shown(s), durationText(high))
		return 0
	}
	return time.Duration(i) * unit
}

// durationText writes a duration as policies do, in the largest unit that fits.
func durationText(t time.Duration) string {
	switch {
	case t%(24*time.Hour) == 0:
		return fmt.Sprintf("%dd", t/(24*time.Hour))
	case t%time.Hour == 0:
		return fmt.Sprintf("%dh", t/time.Hour)
	default:
		return fmt.Sprintf("%ds", t/time.Second)
	}
}

// choice reads one of names. later are names of a later version.
func (d *document) choice(n ast.Node, names []string, later ...string) string {
	s := d.text(n)
	switch {
	case d.err != nil || slices.Contains(names, s):
		return s
	case slices.Contains(later, s):
		d.fail(n, "`%s` is not supported by this version", s)
	default:
		k := keys{}
		for _, name := range names {
			k[name] = nil
		}
		d.unknown(n, "value", s, k)
	}
	return ""
}

// list reads a list by calling read with each element.
func (d *document) list(n ast.Node, read func(ast.Node)) {
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		d.wrong(n, "needs a list")
		return
	}
	for _, v := range s.Values {
		if d.err == nil {
			read(v)
		}
	}
}

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

// shown returns the start of a text of the file, for messages.
func shown(s string) string {
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
