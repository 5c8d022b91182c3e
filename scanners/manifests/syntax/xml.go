package syntax

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// XML reads text, which must be valid UTF-8, as one XML document and returns its root
// element. An element is a Table whose Key is its local name and whose children are its
// attributes, keyed "@name", and its elements, of which several may have one name. The Text
// of an element without elements is its character data without white space around it.
//
// Entities that the document declares itself are not known, so they cannot grow.
func XML(text string) (Node, error) {
	d := xml.NewDecoder(strings.NewReader(text))
	// The text has been found to be UTF-8, whatever else its declaration says.
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	b := &xmlBuilder{t: newTree(len(text), Table), d: d}
	for {
		b.line, _ = d.InputPos()
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = b.take(token)
		}
		if err != nil {
			return Node{}, b.located(err)
		}
	}
	root := Node{b.t, b.t.values[0].first}
	if len(b.open) > 0 || root.at == 0 {
		return Node{}, b.located(errors.New("the document ends before its root element"))
	}
	return root, nil
}

type xmlBuilder struct {
	t    *tree
	d    *xml.Decoder
	line int // where the token at hand begins
	open []openElement
	data strings.Builder // character data since the last tag
}

type openElement struct {
	at   int32
	name string
	leaf bool // no element in it so far
}

func (b *xmlBuilder) located(err error) error {
	var known *xml.SyntaxError
	if errors.As(err, &known) {
		return &Error{Line: known.Line, What: known.Msg}
	}
	line, _ := b.d.InputPos()
	return &Error{Line: line, What: err.Error()}
}

func (b *xmlBuilder) take(token xml.Token) error {
	switch x := token.(type) {
	case xml.StartElement:
		return b.start(x)
	case xml.EndElement:
		return b.end(x)
	case xml.CharData:
		if len(b.open) > 0 {
			b.data.Write(x)
		} else if strings.TrimSpace(string(x)) != "" {
			return errors.New("text stands outside of the root element")
		}
	}
	return nil
}

func (b *xmlBuilder) start(x xml.StartElement) error {
	parent := int32(0)
	if n := len(b.open); n > 0 {
		parent = b.open[n-1].at
		b.open[n-1].leaf = false
	} else if b.t.values[0].first != 0 {
		return errors.New("a second root element begins")
	}
	if len(b.open) >= MaxDepth {
		return fmt.Errorf("elements are nested deeper than %d levels", MaxDepth)
	}
	at := b.t.add(parent, value{key: x.Name.Local, kind: Table, line: int32(b.line)})
	names := make([]string, 0, len(x.Attr))
	for _, a := range x.Attr {
		names = append(names, a.Name.Space+":"+a.Name.Local)
		b.t.add(at, value{key: "@" + a.Name.Local, text: a.Value, kind: Text, line: int32(b.line)})
	}
	if twice, ok := repeated(names); ok {
		return fmt.Errorf("the attribute %q is there twice", strings.TrimPrefix(twice, ":"))
	}
	if b.t.full {
		return fmt.Errorf("more than %d values", MaxValues)
	}
	b.open = append(b.open, openElement{at, x.Name.Local, true})
	b.data.Reset()
	return nil
}

func (b *xmlBuilder) end(x xml.EndElement) error {
	n := len(b.open)
	if n == 0 || b.open[n-1].name != x.Name.Local {
		return fmt.Errorf("</%s> closes an element that is not open", x.Name.Local)
	}
	if e := b.open[n-1]; e.leaf {
		b.t.values[e.at].text = strings.TrimSpace(b.data.String())
	}
	b.open = b.open[:n-1]
	b.data.Reset()
	return nil
}
