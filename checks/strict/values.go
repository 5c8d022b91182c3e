package strict

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// Text reads a string. Numbers and words that YAML reads as booleans are strings here too.
func (d *Document) Text(n Node) string {
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

func (d *Document) notEmpty(n Node, s string) string {
	if strings.TrimSpace(s) == "" {
		d.Fail(n, "needs a text, not an empty one")
	}
	return s
}

// Number reads a whole number from low to high.
func (d *Document) Number(n Node, low, high int) int {
	if v, ok := n.(*ast.IntegerNode); ok {
		i, err := strconv.Atoi(v.GetToken().Value)
		if err == nil && i >= low && i <= high {
			return i
		}
	}
	d.wrong(n, fmt.Sprintf("needs a whole number from %d to %d", low, high))
	return 0
}

// Decimal reads a number above low, up to high.
func (d *Document) Decimal(n Node, low, high float64) float64 {
	switch n.(type) {
	case *ast.FloatNode, *ast.IntegerNode:
		f, err := strconv.ParseFloat(n.GetToken().Value, 64)
		if err == nil && f > low && f <= high {
			return f
		}
	}
	d.wrong(n, fmt.Sprintf("needs a number above %v, at most %v", low, high))
	return 0
}

// Boolean reads true or false.
func (d *Document) Boolean(n Node) bool {
	if v, ok := n.(*ast.BoolNode); ok {
		return v.Value
	}
	d.wrong(n, "needs true or false")
	return false
}

// Duration reads a whole number and a unit: s, m, h, d or w. It is at least 1 s and at most high.
func (d *Document) Duration(n Node, high time.Duration) time.Duration {
	s := d.Text(n)
	if d.err != nil {
		return 0
	}
	units := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	i, err := strconv.Atoi(s[:len(s)-1])
	unit := units[s[len(s)-1]]
	if err != nil || unit == 0 || i < 1 {
		d.Fail(n, "bad duration `%s`; write a number and a unit, such as 60s, 30m, 12h, 2d or 1w", Shown(s))
		return 0
	}
	if int64(i) > int64(high/unit) {
		d.Fail(n, "`%s` is too long; at most %s", Shown(s), DurationText(high))
		return 0
	}
	return time.Duration(i) * unit
}

// DurationText writes a duration as policies do, in the largest unit that fits.
func DurationText(t time.Duration) string {
	switch {
	case t%(24*time.Hour) == 0:
		return fmt.Sprintf("%dd", t/(24*time.Hour))
	case t%time.Hour == 0:
		return fmt.Sprintf("%dh", t/time.Hour)
	default:
		return fmt.Sprintf("%ds", t/time.Second)
	}
}

// Choice reads one of names. later are names of a later version.
func (d *Document) Choice(n Node, names []string, later ...string) string {
	s := d.Text(n)
	switch {
	case d.err != nil || slices.Contains(names, s):
		return s
	case slices.Contains(later, s):
		d.Fail(n, "`%s` is not supported by this version", s)
	default:
		k := Keys{}
		for _, name := range names {
			k[name] = nil
		}
		d.unknown(n, "value", s, k)
	}
	return ""
}

// List reads a list by calling read with each element.
func (d *Document) List(n Node, read func(Node)) {
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
