// Package goimports finds which Go packages the source of a repository imports.
//
// All files whose names end in .go count, whatever their build tags, tests and vendor folders
// included, because another platform or a test run builds them too; folders called testdata do
// not. It parses no more than the imports, bounds files, and never reads outside what it is
// given. What could not be read is told, so that a path that is missing says nothing then.
package goimports

import (
	"context"
	"fmt"
	"go/parser"
	"go/scanner"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/landwaiter/landwaiter/checks/inventory"
)

// The limits of one tree. They are guesses: the largest public repositories in Go have a tenth.
const (
	maxFiles = 200_000
	// maxFile is how much of a file is read, in bytes. Imports stand at its beginning.
	maxFile = 4 << 20
	// maxPaths is how many import paths are kept, and maxPath how long each may be, in bytes.
	maxPaths = 100_000
	maxPath  = 1024
	maxTotal = 2 << 30 // bytes of all files
)

// Wanted reports whether the file at path, slash-separated and relative to the root of the
// repository, is Go source that counts.
func Wanted(path string) bool {
	return strings.HasSuffix(path, ".go") && !strings.HasPrefix(path, "testdata/") && !strings.Contains(path, "/testdata/")
}

// Of returns the paths that one file imports, unsorted. An error says that they cannot be read.
func Of(source []byte) (paths []string, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			paths, err = nil, fmt.Errorf("stops its parser: %v", fault)
		}
	}()
	file, err := parser.ParseFile(token.NewFileSet(), "", source, parser.ImportsOnly|parser.SkipObjectResolution)
	if err != nil {
		if list, ok := err.(scanner.ErrorList); ok && len(list) > 0 {
			return nil, fmt.Errorf("line %d: %s", list[0].Pos.Line, list[0].Msg)
		}
		return nil, err
	}
	for _, spec := range file.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil || len(path) > maxPath {
			return nil, fmt.Errorf("an import is no path")
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// Read returns for each file a Manifest whose packages are the paths that it imports, by Name
// alone, or with a Gap. It is what runs in a child process, where the parser cannot hurt.
func Read(_ context.Context, files []inventory.File) inventory.Inventory {
	var inv inventory.Inventory
	for i := range files {
		m := inventory.Manifest{Path: files[i].Path}
		paths, err := Of(files[i].Data)
		switch {
		case files[i].Problem != "":
			m.Gap, paths = files[i].Problem, nil
		case err != nil:
			m.Gap = "is not valid Go: " + err.Error()
		}
		for _, p := range paths {
			m.Packages = append(m.Packages, inventory.Package{Name: p})
		}
		inv.Manifests = append(inv.Manifests, m)
	}
	return inv
}

// Collection gathers the imports of many files. The zero Collection is empty and reads them in
// this process; see New.
type Collection struct {
	ctx     context.Context
	read    func(ctx context.Context, files []inventory.File) inventory.Inventory
	waiting []inventory.File // not read yet
	size    int              // bytes of waiting
	paths   map[string]bool
	gap     string
	files   int
	bytes   int64
}

// New returns an empty Collection that reads files by read, such as the Read of a pool of child
// processes. ctx ends its reading.
func New(ctx context.Context, read func(ctx context.Context, files []inventory.File) inventory.Inventory) *Collection {
	return &Collection{ctx: ctx, read: read}
}

// Files are read together up to these bounds: handing over each by itself would take longer than
// to parse it.
const (
	batchFiles = 500
	batchBytes = 4 << 20
)

// Wanted is the function of the same name.
func (c *Collection) Wanted(path string) bool { return Wanted(path) }

// Add adds the file at path and keeps source until it is read. It reports false when no more
// files are taken.
func (c *Collection) Add(path string, source []byte) bool {
	c.files++
	c.bytes += int64(len(source))
	switch {
	case c.files > maxFiles:
		c.Gap("it has more than %d Go files", maxFiles)
		return false
	case c.bytes > maxTotal:
		c.Gap("its Go files have more than %d MiB", maxTotal>>20)
		return false
	case len(source) > maxFile:
		c.Gap("%.200q is larger than %d MiB", path, maxFile>>20)
		return true
	}
	c.waiting = append(c.waiting, inventory.File{Path: path, Data: source})
	c.size += len(source)
	if len(c.waiting) < batchFiles && c.size < batchBytes {
		return true
	}
	return c.flush()
}

// flush reads what waits. It reports false when no more paths are taken.
func (c *Collection) flush() bool {
	if len(c.waiting) == 0 {
		return true
	}
	ctx, read := c.ctx, c.read
	if read == nil {
		ctx, read = context.Background(), Read
	}
	inv := read(ctx, c.waiting)
	c.waiting, c.size = nil, 0
	if c.paths == nil {
		c.paths = map[string]bool{}
	}
	for i := range inv.Manifests {
		m := &inv.Manifests[i]
		if m.Gap != "" {
			c.Gap("%.200q %s", m.Path, m.Gap)
		}
		for j := range m.Packages {
			if len(c.paths) >= maxPaths {
				c.Gap("it imports more than %d packages", maxPaths)
				return false
			}
			c.paths[strings.Clone(m.Packages[j].Name)] = true
		}
	}
	return true
}

// Gap notes that not all was read. The first reason stays.
func (c *Collection) Gap(format string, args ...any) {
	if c.gap == "" {
		c.gap = fmt.Sprintf(format, args...)
	}
}

// Imports returns what was gathered.
func (c *Collection) Imports() *inventory.Imports {
	c.flush()
	return &inventory.Imports{Packages: slices.Sorted(maps.Keys(c.paths)), Gap: c.gap}
}

// ReadFolder gathers the imports of all Go source in a folder. Links are not followed; one that
// is named like Go source, and what cannot be read, is a Gap. The end of ctx ends the reading;
// read is as in New.
func ReadFolder(ctx context.Context, folder fs.FS, read func(ctx context.Context, files []inventory.File) inventory.Inventory) *inventory.Imports {
	c := New(ctx, read)
	err := fs.WalkDir(folder, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			c.Gap("%.200q cannot be read", name)
			return nil
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "testdata"):
			return fs.SkipDir
		case d.IsDir() || !Wanted(name):
			return nil
		case !d.Type().IsRegular():
			c.Gap("%.200q is a link or a special file", name)
			return nil
		}
		source, err := readFile(folder, name)
		if err != nil {
			c.Gap("%.200q cannot be read", name)
			return nil
		}
		if !c.Add(name, source) {
			return fs.SkipAll
		}
		return nil
	})
	if err != nil {
		c.Gap("the reading was ended: %v", err)
	}
	return c.Imports()
}

// readFile reads at most one byte more than a file may have.
func readFile(folder fs.FS, name string) ([]byte, error) {
	f, err := folder.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile+1))
}
