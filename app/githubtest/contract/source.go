package contract

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
)

// source is an unpacked description from which parts are read on demand.
type source struct {
	paths      map[string]json.RawMessage
	components map[string]map[string]json.RawMessage // kind -> name -> text

	mu    sync.Mutex
	parts map[string]*openapi3.T // guarded by mu
}

func unpack(packed []byte) (*source, error) {
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("unpacking: %w", err)
	}
	raw, err := io.ReadAll(unpacked)
	if err != nil {
		return nil, fmt.Errorf("unpacking: %w", err)
	}
	var doc struct {
		Paths      map[string]json.RawMessage            `json:"paths"`
		Components map[string]map[string]json.RawMessage `json:"components"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, fmt.Errorf("decoding: %w", err)
	}
	return &source{paths: doc.Paths, components: doc.Components, parts: map[string]*openapi3.T{}}, nil
}

// part returns the document made by read for a key, which is read once.
func (s *source) part(key string, read func() (*openapi3.T, error)) (*openapi3.T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if doc, ok := s.parts[key]; ok {
		return doc, nil
	}
	doc, err := read()
	if err != nil {
		return nil, fmt.Errorf("reading %s of GitHub's description: %w", key, err)
	}
	s.parts[key] = doc
	return doc, nil
}

// path returns a document with one path and what it refers to.
func (s *source) path(template string) (*openapi3.T, error) {
	return s.part(template, func() (*openapi3.T, error) {
		doc, err := s.read(map[string]json.RawMessage{template: s.paths[template]}, nil)
		if err != nil {
			return nil, err
		}
		return doc, amend(template, doc)
	})
}

// schema returns one schema with what it refers to.
func (s *source) schema(name string) (*openapi3.Schema, error) {
	doc, err := s.part(name, func() (*openapi3.T, error) {
		doc, err := s.read(map[string]json.RawMessage{}, [][2]string{{"schemas", name}})
		if err != nil {
			return nil, err
		}
		return doc, amend("", doc)
	})
	if err != nil {
		return nil, err
	}
	return doc.Components.Schemas[name].Value, nil
}

var reference = regexp.MustCompile(`"#/components/([\w-]+)/([\w.-]+)"`)

// read loads paths and components with everything they refer to, however far.
func (s *source) read(paths map[string]json.RawMessage, wanted [][2]string) (*openapi3.T, error) {
	kept := map[string]map[string]json.RawMessage{}
	follow := func(text []byte) {
		for _, m := range reference.FindAllSubmatch(text, -1) {
			wanted = append(wanted, [2]string{string(m[1]), string(m[2])})
		}
	}
	for _, text := range paths {
		follow(text)
	}
	for len(wanted) > 0 {
		kind, name := wanted[0][0], wanted[0][1]
		wanted = wanted[1:]
		if kept[kind] == nil {
			kept[kind] = map[string]json.RawMessage{}
		}
		if kept[kind][name] != nil {
			continue
		}
		text := s.components[kind][name]
		if kind == "examples" {
			text = json.RawMessage(`{}`) // half of the description, and read by nobody here
		}
		kept[kind][name] = text
		follow(text)
	}
	raw, err := json.Marshal(map[string]any{
		"openapi": "3.0.3", "info": map[string]string{"title": "GitHub", "version": "1"}, "paths": paths, "components": kept,
	})
	if err != nil {
		return nil, fmt.Errorf("putting the part together: %w", err)
	}
	return openapi3.NewLoader().LoadFromData(raw)
}
