package manifests

import "strings"

// places is the folders of a JavaScript project that hold packages, as a tree: a package finds
// what it needs in its own node_modules, else in those of the folders above it.
//
// Names and folders are numbered, so that one lookup is one step in a map however long the
// paths in the file are.
type places struct {
	folders  []folder
	names    map[string]int32
	children map[uint64]int32 // folder and name to the folder below
	byPath   map[string]int32 // folders that are in no node_modules
	tooDeep  bool
}

type folder struct {
	above   int32 // -1 for the project itself, which is folder 0
	filled  int32 // position in source.packages plus one; 0: no package there
	modules bool  // it has a node_modules of its own
}

// newPlaces makes room for about n packages.
func newPlaces(n int) *places {
	return &places{
		folders:  append(make([]folder, 0, n+1), folder{above: -1}),
		names:    make(map[string]int32, n),
		children: make(map[uint64]int32, n),
		byPath:   map[string]int32{"": 0},
	}
}

// name returns the number of a name.
func (p *places) name(name string) int32 {
	n, ok := p.names[name]
	if !ok {
		n = int32(len(p.names))
		p.names[name] = n
	}
	return n
}

// below returns the folder of the package called name in the node_modules of a folder.
func (p *places) below(at int32, name string) int32 {
	key := uint64(at)<<32 | uint64(p.name(name))
	child, ok := p.children[key]
	if !ok {
		child = p.open(at)
		p.children[key] = child
		p.folders[at].modules = true
	}
	return child
}

func (p *places) open(above int32) int32 {
	p.folders = append(p.folders, folder{above: above})
	return int32(len(p.folders) - 1)
}

// maxSlashes is how many slashes the path of a folder may have. npm makes a few; each lookup
// walks up through the folders.
const maxSlashes = 60

// splitModules cuts "a/node_modules/@s/b" into the folder "a" and the name "@s/b". ok is false
// for a path that is in no node_modules.
func splitModules(path string) (folder, name string, ok bool) {
	const inside = "/node_modules/"
	if strings.Contains(path, inside) { // far faster than looking from the end, and rare
		i := strings.LastIndex(path, inside)
		return path[:i], path[i+len(inside):], true
	}
	name, ok = strings.CutPrefix(path, inside[1:])
	return "", name, ok
}

// at returns the folder with that path: "", "node_modules/a/node_modules/@s/b", "packages/x".
func (p *places) at(path string) int32 {
	if strings.Count(path, "/") > maxSlashes {
		p.tooDeep = true
		return 0
	}
	if in, name, ok := splitModules(path); ok {
		return p.below(p.at(in), name)
	}
	at, ok := p.byPath[path]
	if !ok {
		above := ""
		if i := strings.LastIndexByte(path, '/'); i >= 0 {
			above = path[:i]
		}
		at = p.open(p.at(above))
		p.byPath[path] = at
	}
	return at
}

// fill says that package i lies in a folder.
func (p *places) fill(at int32, i int) { p.folders[at].filled = int32(i) + 1 }

// find returns the package that a folder gets when it asks for the name with that number: its
// own, or that of the nearest folder above.
func (p *places) find(at int32, name int32) (int, bool) {
	for ; at >= 0; at = p.folders[at].above {
		if !p.folders[at].modules {
			continue
		}
		if child, ok := p.children[uint64(at)<<32|uint64(name)]; ok && p.folders[child].filled > 0 {
			return int(p.folders[child].filled) - 1, true
		}
	}
	return 0, false
}
