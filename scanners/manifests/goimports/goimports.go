// Package goimports finds which Go packages the source of a repository imports.
//
// All files whose names end in .go count, whatever their build tags, tests and vendor folders
// included, because another platform or a test run builds them too; folders called testdata do
// not. It parses no more than the imports, bounds files, and never reads outside what it is
// given. What could not be read is told, so that a path that is missing says nothing then.
package goimports

import (
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

	"github.com/landwaiter/landwaiter/checks"
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

// Collection gathers the imports of many files. The zero Collection is empty and ready.
type Collection struct {
	paths map[string]bool
	gap   string
	files int
	bytes int64
}

// Wanted is the function of the same name.
func (c *Collection) Wanted(path string) bool { return Wanted(path) }

// Add adds the file at path. It reports false when no more files are taken.
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
	imported, err := Of(source)
	if err != nil {
		c.Gap("%.200q is not valid Go: %v", path, err)
	}
	if c.paths == nil {
		c.paths = map[string]bool{}
	}
	for _, p := range imported {
		if len(c.paths) >= maxPaths {
			c.Gap("it imports more than %d packages", maxPaths)
			return false
		}
		c.paths[strings.Clone(p)] = true
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
func (c *Collection) Imports() *checks.Imports {
	return &checks.Imports{Packages: slices.Sorted(maps.Keys(c.paths)), Gap: c.gap}
}

// ReadFolder gathers the imports of all Go source in a folder. Links are not followed; one that
// is named like Go source, and what cannot be read, is a Gap. stop, when it returns an error,
// ends the reading.
func ReadFolder(folder fs.FS, stop func() error) *checks.Imports {
	var c Collection
	err := fs.WalkDir(folder, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case stop() != nil:
			return stop()
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
