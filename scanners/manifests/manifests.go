// Package manifests reads the files that name packages, lock files and manifests, into an
// Inventory with line numbers.
//
// It owns what is known about each format: its file names, its grammar, how it says which
// package is direct, what it is for, and what brings it in. It must never form a Verdict,
// reach the network or the disk, or leave out a file without saying so: a file that was not
// read completely comes out as a Manifest with a Gap.
//
// Formats is the table to start with; its comment says how to add one. Read takes files and
// gives an Inventory, plain values both, so that it can run in a child process.
package manifests

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// ParserVersion names the behaviour of this package. A stored Inventory is valid only for the
// version that made it; every change that can alter an Inventory raises it.
const ParserVersion = "4"

// Wanted reports whether path is a manifest, or a companion needed to read one. path is
// slash-separated and relative to the root of the repository.
func Wanted(path string) bool { return formatOf(path) != nil }

// FormatName returns the name of the format that path is read as, "" when it is not Wanted.
func FormatName(path string) string {
	if format := formatOf(path); format != nil {
		return format.Name
	}
	return ""
}

// EcosystemOf returns the OSV name of the ecosystem whose packages a file at path names, "" when
// it is not Wanted or names those of several.
func EcosystemOf(path string) string {
	if format := formatOf(path); format != nil {
		return format.Ecosystem
	}
	return ""
}

// Read returns the packages that files name. Files that are not Wanted are used only where
// another file includes them.
//
// files are one side of a change: to judge a lock file rightly Read needs the companions in
// its folder and above, and to call a manifest unresolved it must be able to trust that no
// lock file was left out. So give it every Wanted file of the tree, or at least those in the
// folders of the changed ones and above. Nothing in files can make Read fail, panic or read
// anything else; what could not be read completely is told in Manifest.Gap.
func Read(ctx context.Context, files []inventory.File) inventory.Inventory {
	return ReadNoting(ctx, files, func(string) {})
}

// ReadNoting is Read, and calls begin with the path of each manifest before it reads it, so that
// whoever has to end a reading knows which one it was.
func ReadNoting(ctx context.Context, files []inventory.File, begin func(path string)) inventory.Inventory {
	t := newTree(files)
	var inv inventory.Inventory
	// Lock files come first: they say which companions they resolve.
	for _, companions := range []bool{false, true} {
		for i := range files {
			f := &files[i]
			format := formatOf(f.Path)
			if format == nil || f.Link != "" || format.Companion != companions || t.files[f.Path] != f {
				continue
			}
			begin(f.Path)
			inv.Manifests = append(inv.Manifests, t.read(ctx, f, format))
		}
	}
	slices.SortFunc(inv.Manifests, func(a, b inventory.Manifest) int { return cmp.Compare(a.Path, b.Path) })
	return inv
}

// tree is the files given to one Read.
type tree struct {
	files  map[string]*inventory.File
	links  []*inventory.File      // submodules, which are no files
	wanted func(path string) bool // Wanted, which the table of formats may not name itself
	// resolved tells, for the folder of each lock file that says so, which folders' manifests
	// the lock file resolves. Written while lock files are read, used for companions.
	resolved map[string]map[string]bool

	// What was read of files that several others need, by path. Without it a tree of a
	// thousand lock files and a thousand companions would be a million readings.
	wants    map[string][]want
	crates   map[string]crate
	pins     map[string]map[string]string
	xmls     map[string]syntax.Node
	xmlBytes int
	msbuild  map[string]*msbuildFile
	folders  map[string][]string // by name of file, made when first asked for
}

func newTree(files []inventory.File) *tree {
	t := &tree{
		files: make(map[string]*inventory.File, len(files)), wanted: Wanted, resolved: map[string]map[string]bool{},
		wants: map[string][]want{}, crates: map[string]crate{}, pins: map[string]map[string]string{}, xmls: map[string]syntax.Node{}, msbuild: map[string]*msbuildFile{},
	}
	for i := range files {
		switch f := &files[i]; {
		case f.Link != "":
			t.links = append(t.links, f)
		case t.files[f.Path] == nil:
			t.files[f.Path] = f
		}
	}
	return t
}

// maxXMLBytes is how many bytes of XML that other files refer to are read for one Read; what
// stands in further ones stays unknown.
const maxXMLBytes = 16 << 20

// xml returns the root element of a file that was given, an Absent one when it cannot be read.
func (t *tree) xml(file string) syntax.Node {
	root, ok := t.xmls[file]
	if !ok {
		if text := t.text(file); t.xmlBytes+len(text) <= maxXMLBytes {
			t.xmlBytes += len(text)
			if n, err := syntax.XML(text); err == nil {
				root = n
			}
		}
		t.xmls[file] = root
	}
	return root
}

// holders returns the folders that hold a file of that name, sorted.
func (t *tree) holders(name string) []string {
	if t.folders == nil {
		t.folders = make(map[string][]string, len(t.files))
		for file := range t.files {
			base := path.Base(file)
			t.folders[base] = append(t.folders[base], path.Dir(file))
		}
		for _, dirs := range t.folders {
			slices.Sort(dirs)
		}
	}
	return t.folders[name]
}

// read reads one file. A panic of a parser becomes the Manifest's Gap.
func (t *tree) read(ctx context.Context, f *inventory.File, format *Format) (m inventory.Manifest) {
	m = inventory.Manifest{Path: f.Path, Digest: f.Digest, Format: format.Name}
	defer func() {
		if r := recover(); r != nil {
			m.Packages, m.Observations = nil, nil
			m.Gap = gapText(fmt.Errorf("stops its parser: %v", r), format)
		}
	}()
	text, err := checkedText(f)
	if err == nil && ctx.Err() == nil {
		s := &source{ctx: ctx, path: f.Path, text: text, format: format, tree: t}
		err = s.read()
		m.Packages, m.Observations = unique(s.packages), s.observations
		if s.full {
			err = gap{what: fmt.Sprintf("names more than %d packages", maxPackages), todo: "split the project"}
		}
	}
	if ctx.Err() != nil { // then any part may be missing
		err = gap{what: "was not read in time", todo: "run the check again"}
	}
	if err != nil {
		m.Gap = gapText(err, format)
		if known := (gap{}); !errors.As(err, &known) || !known.partial {
			m.Packages, m.Observations = nil, nil
		}
	}
	return m
}

// source is one file while it is read.
type source struct {
	ctx      context.Context
	path     string
	text     string // valid UTF-8 without byte order mark
	format   *Format
	tree     *tree
	packages []inventory.Package
	full     bool // more than maxPackages were added

	observations []inventory.Observation
	seen         map[string]bool // what observations are about, of images
}

func (s *source) read() error {
	switch {
	case strings.TrimSpace(s.text) == "":
		switch {
		case !s.format.blank:
			return errEmpty
		case s.path == submodulesFile: // the tree may have some all the same
			return s.format.read(s)
		}
		return nil
	case s.format.wants != nil:
		return s.readCompanion()
	}
	return s.format.read(s)
}

// dir is the folder of the file, "." for the root.
func (s *source) dir() string { return path.Dir(s.path) }

// beside returns the text of the file with that name in the same folder, "" when it was not
// given or has a problem; its own Manifest tells that.
func (s *source) beside(name string) string { return s.tree.text(path.Join(s.dir(), name)) }

// text returns the text of a file that was given, "" when it was not or has a problem.
func (t *tree) text(path string) string {
	f, ok := t.files[path]
	if !ok {
		return ""
	}
	text, err := checkedText(f)
	if err != nil {
		return ""
	}
	return text
}

// add appends a package and returns its position in s.packages. line is one-based, 0 when
// unknown. Past maxPackages it appends nothing more.
func (s *source) add(name, version string, line int) int {
	if len(s.packages) >= maxPackages {
		s.full = true
		return len(s.packages) - 1
	}
	i := len(s.packages)
	if i == cap(s.packages) { // append grows a long list by a quarter and copies it too often
		s.packages = slices.Grow(s.packages, max(i, 16))
	}
	s.packages = append(s.packages, inventory.Package{Ecosystem: s.format.Ecosystem, Line: line, Manager: s.format.Manager})
	s.name(i, name, version)
	return i
}

// name gives package i its name and version. A package that keeps no name is dropped.
func (s *source) name(i int, name, version string) {
	p := &s.packages[i]
	p.PURL = purlOf(p.Ecosystem, name, version)
	// A part of the file's text would keep the whole text in memory. A part of the package URL
	// needs no memory of its own.
	rest := p.PURL
	p.Version, rest = ending(rest, version)
	if p.Ecosystem == "Go" {
		rest = strings.TrimSuffix(rest, "v")
	}
	p.Name, _ = ending(strings.TrimSuffix(rest, "@"), name)
}

// ending returns a copy of end: the last part of text where text ends so, and what is before it.
func ending(text, end string) (kept, before string) {
	if before, ok := strings.CutSuffix(text, end); ok {
		return text[len(before):], before
	}
	return strings.Clone(end), text
}

// direct says that the project needs package i itself.
func (s *source) direct(i int, scope inventory.Scope) {
	p := &s.packages[i]
	p.Relation, p.Scope, p.Via = inventory.Direct, scope, []string{p.Name}
}

// unique merges packages that are there several times: the first line stays, the strongest
// scope and the most direct relation win.
func unique(packages []inventory.Package) []inventory.Package {
	seen := make(map[string]int32, len(packages))
	kept := packages[:0]
	for i := range packages {
		p := &packages[i]
		if p.Name == "" {
			continue
		}
		id := p.PURL
		if p.Version == "" || p.Commit != "" {
			id += "\x00" + p.Constraint + "\x00" + p.Commit
		}
		if at, again := seen[id]; again {
			merge(&kept[at], p)
			continue
		}
		seen[id] = int32(len(kept))
		kept = append(kept, *p)
	}
	if len(kept) == 0 {
		return nil
	}
	return kept
}

// merge adds to p what another place of the same package tells. A place that nothing was
// found to need tells nothing about one that is needed.
func merge(p, other *inventory.Package) {
	if other.Line != 0 && (p.Line == 0 || other.Line < p.Line) {
		p.Line = other.Line
	}
	if p.Licence == "" {
		p.Licence = other.Licence
	}
	p.Requirers = moreRequirers(p.Requirers, other.Requirers)
	switch {
	case other.Relation == "" && p.Relation != "":
		return
	case p.Relation == "" && other.Relation != "", strength(other.Scope) > strength(p.Scope):
		p.Scope, p.Via = other.Scope, other.Via
	case other.Scope == p.Scope && other.Via != nil && (p.Via == nil || len(other.Via) < len(p.Via)):
		p.Via = other.Via
	}
	if other.Relation == inventory.Direct || p.Relation == "" {
		p.Relation = other.Relation
	}
}

// strength orders scopes by how strictly they are judged. An unknown one is like runtime.
func strength(s inventory.Scope) int {
	switch s {
	case inventory.ScopeDevelopment:
		return 0
	case inventory.ScopeOptional:
		return 1
	case "":
		return 2
	}
	return 3
}
