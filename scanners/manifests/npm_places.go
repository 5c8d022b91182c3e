package manifests

import "strings"

// places is the folders of a JavaScript project that hold packages, as a tree: a package finds
// what it needs in its own node_modules, else in those of the folders above it.
//
// Names and folders are numbered, so that one lookup is one step in a map however long the
// paths in the file are.
type places struct {
	above    []int32 // the folder above each; the project itself, 0, has -1
	filled   []int32 // position in source.packages plus one; 0: no package there
	byPath   map[string]int32
	names    map[string]int32
	children map[uint64]int32 // folder and name to the folder below
	tooDeep  bool
}

func newPlaces() *places {
	return &places{
		above:    []int32{-1},
		filled:   []int32{0},
		byPath:   map[string]int32{"": 0},
		names:    map[string]int32{},
		children: map[uint64]int32{},
	}
}

func (p *places) name(name string) int32 {
	n, ok := p.names[name]
	if !ok {
		n = int32(len(p.names))
		p.names[name] = n
	}
	return n
}

// below returns the folder of the package called name in the node_modules of folder.
func (p *places) below(folder int32, name string) int32 {
	key := uint64(folder)<<32 | uint64(p.name(name))
	at, ok := p.children[key]
	if !ok {
		at = p.open(folder)
		p.children[key] = at
	}
	return at
}

func (p *places) open(above int32) int32 {
	p.above = append(p.above, above)
	p.filled = append(p.filled, 0)
	return int32(len(p.above) - 1)
}

// maxSlashes is how many slashes the path of a folder may have. npm makes a few; each lookup
// walks up through the folders.
const maxSlashes = 60

// splitModules cuts "a/node_modules/@s/b" into the folder "a" and the name "@s/b". ok is false
// for a path that is in no node_modules.
func splitModules(path string) (folder, name string, ok bool) {
	const inside = "node_modules/"
	i := strings.LastIndex(path, "/"+inside)
	switch {
	case i >= 0:
		return path[:i], path[i+1+len(inside):], true
	case strings.HasPrefix(path, inside):
		return "", path[len(inside):], true
	}
	return "", "", false
}

// at returns the folder with that path: "", "node_modules/a/node_modules/@s/b", "packages/x".
func (p *places) at(path string) int32 {
	if at, ok := p.byPath[path]; ok {
		return at
	}
	if strings.Count(path, "/") > maxSlashes {
		p.tooDeep = true
		return 0
	}
	var at int32
	if folder, name, ok := splitModules(path); ok {
		at = p.below(p.at(folder), name)
	} else if i := strings.LastIndexByte(path, '/'); i >= 0 {
		at = p.open(p.at(path[:i]))
	} else {
		at = p.open(0)
	}
	p.byPath[path] = at
	return at
}

// fill says that package i lies in folder.
func (p *places) fill(folder int32, i int) { p.filled[folder] = int32(i) + 1 }

// find returns the package that folder gets when it asks for name: its own, or that of the
// nearest folder above.
func (p *places) find(folder int32, name string) (int, bool) {
	n, ok := p.names[name]
	if !ok {
		return 0, false
	}
	for ; folder >= 0; folder = p.above[folder] {
		if at, ok := p.children[uint64(folder)<<32|uint64(n)]; ok && p.filled[at] > 0 {
			return int(p.filled[at]) - 1, true
		}
	}
	return 0, false
}
