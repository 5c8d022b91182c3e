// Package syntax reads JSON, TOML, YAML and XML texts into one kind of tree in which every
// value knows its line.
//
// It owns the grammar of untrusted text and nothing else: it knows no lock file and no
// package. All readers are linear in the length of the text, refuse duplicate keys, stop at
// MaxDepth levels and at MaxValues values, and never follow a reference out of the text.
// Strings of a tree are parts of the text: who keeps one longer than the text clones it.
//
// Start with Node, then JSON. Reader is the JSON reader without a tree, for big files.
package syntax

import (
	"fmt"
	"iter"
)

// MaxDepth is how many lists and tables may lie inside each other.
const MaxDepth = 100

// MaxValues is how many values a tree may have: about 110 MB of memory.
const MaxValues = 2_000_000

// Error is a text that breaks its grammar or a limit.
type Error struct {
	Line int // one-based; 0 when it concerns the whole text
	What string
}

// Error says what is wrong, and where.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.What
	}
	return fmt.Sprintf("line %d: %s", e.Line, e.What)
}

// Kind says what a Node is.
type Kind uint8

// The kinds. Absent is the kind of a Node that is not there.
const (
	Absent Kind = iota
	Null
	Bool
	Number // also the dates of TOML
	Text
	List
	Table // also an element of XML
)

// value is one value in the arena of a tree. Children hang on it as a linked list, so that a
// tree is one allocation however many tables it has. 0 means none: 0 is the root.
type value struct {
	key, text         string
	first, last, next int32
	line              int32
	kind              Kind
}

type tree struct {
	values []value
	full   bool
}

// newTree makes a tree for a text of the given length with its root.
func newTree(length int, root Kind) *tree {
	t := &tree{values: make([]value, 0, min(length/24+16, MaxValues))}
	t.values = append(t.values, value{kind: root, line: 1})
	return t
}

// add hangs v on parent and returns its position. Past MaxValues it changes nothing, returns
// the root, and remembers it in full.
func (t *tree) add(parent int32, v value) int32 {
	if len(t.values) >= MaxValues {
		t.full = true
		return 0
	}
	at := int32(len(t.values))
	t.values = append(t.values, v)
	if p := &t.values[parent]; p.first == 0 {
		p.first, p.last = at, at
	} else {
		t.values[p.last].next = at
		p.last = at
	}
	return at
}

// Node is one value of a tree. The zero Node is Absent, and everything asked of it is empty,
// so a path through a text can be followed without asking at each step.
type Node struct {
	t  *tree
	at int32
}

// Kind says what n is.
func (n Node) Kind() Kind {
	if n.t == nil {
		return Absent
	}
	return n.t.values[n.at].kind
}

// Line is the one-based line of n: of its key when it has one, else of its first character.
// 0 for an Absent one.
func (n Node) Line() int {
	if n.t == nil {
		return 0
	}
	return int(n.t.values[n.at].line)
}

// Key is the key of n in its table, or the name of an XML element.
func (n Node) Key() string {
	if n.t == nil {
		return ""
	}
	return n.t.values[n.at].key
}

// Text is what a Text holds, decoded; what a Number or Bool looks like in the text; the
// character data of an XML element. Else "".
func (n Node) Text() string {
	if n.t == nil {
		return ""
	}
	return n.t.values[n.at].text
}

// True reports whether n is the Bool true.
func (n Node) True() bool { return n.Kind() == Bool && n.Text() == "true" }

// Get returns the first child with that key. It looks at each child, so keys taken from the
// text must be looked up in a map instead.
func (n Node) Get(key string) Node {
	for c := range n.All() {
		if c.Key() == key {
			return c
		}
	}
	return Node{}
}

// String returns the Text of the child with that key, "" when it is not a Text.
func (n Node) String(key string) string {
	if c := n.Get(key); c.Kind() == Text {
		return c.Text()
	}
	return ""
}

// All yields the children of n in the order of the text.
func (n Node) All() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		if n.t == nil {
			return
		}
		for c := n.t.values[n.at].first; c != 0; c = n.t.values[c].next {
			if !yield(Node{n.t, c}) {
				return
			}
		}
	}
}

// Empty reports whether n has no children.
func (n Node) Empty() bool { return n.t == nil || n.t.values[n.at].first == 0 }

// fewKeys is how many keys are cheaper to compare with each other than through a map.
const fewKeys = 24

// repeated returns a key that is there twice. Programs differ in which of the two they take,
// so a text that has one cannot be trusted to mean what we read.
func repeated(keys []string) (string, bool) {
	if len(keys) <= fewKeys {
		for i, k := range keys {
			for _, l := range keys[:i] {
				if k == l {
					return k, true
				}
			}
		}
		return "", false
	}
	seen := make(map[string]struct{}, len(keys))
	for _, k := range keys {
		if _, ok := seen[k]; ok {
			return k, true
		}
		seen[k] = struct{}{}
	}
	return "", false
}
