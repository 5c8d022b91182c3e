package manifests

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/google/osv-scalibr/binary/proto/config_go_proto"
	"github.com/google/osv-scalibr/extractor"
	"github.com/google/osv-scalibr/extractor/filesystem"
	spdxmeta "github.com/google/osv-scalibr/extractor/filesystem/sbom/spdx/metadata"
	"github.com/google/osv-scalibr/log"
)

// newExtractor makes an extractor of osv-scalibr.
type newExtractor func(*config_go_proto.PluginConfig) (filesystem.Extractor, error)

// quietLibrary stops the library from logging through the standard logger: what it logs are
// parts of hostile files, and what matters it returns.
var quietLibrary = sync.OnceFunc(func() { log.SetLogger(silence{}) })

// extract reads the file through an extractor of the library, in memory, within a limit of
// bytes and time.
//
// A parser does not look at ctx while it works, so its goroutine may outlive the limit. It
// holds only this file and ends by itself or with the process; the cage around Read ends it
// for good. The byte limit keeps even a quadratic parser within minutes.
func (s *source) extract(open newExtractor) error {
	if len(s.text) > maxLibraryBytes {
		return gap{what: fmt.Sprintf("is larger than %d MiB", maxLibraryBytes>>20), todo: "split the project, or remove the file from the repository"}
	}
	quietLibrary()
	e, err := open(&config_go_proto.PluginConfig{})
	if err != nil {
		return fmt.Errorf("cannot be read: opening the extractor: %w", err)
	}
	ctx, cancel := context.WithTimeout(s.ctx, libraryTime)
	defer cancel()
	type answer struct {
		packages []*extractor.Package
		err      error
	}
	done := make(chan answer, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil {
				done <- answer{err: fmt.Errorf("stops its parser: %v", r)}
			}
		}()
		found, err := e.Extract(ctx, s.input())
		done <- answer{found.Packages, err}
	}()
	select {
	case a := <-done:
		if a.err != nil {
			return fmt.Errorf("is not valid as %s: %w", s.format.Name, a.err)
		}
		return s.take(a.packages)
	case <-ctx.Done():
		return gap{what: fmt.Sprintf("takes longer than %v to read", libraryTime), todo: "split the project, or remove the file from the repository"}
	}
}

// take adds what the library found, in a fixed order. It finds nothing in a file that it does
// not understand; that is no sign that there is nothing.
func (s *source) take(found []*extractor.Package) error {
	if len(found) == 0 {
		return errors.New("names no package in a way that is known")
	}
	slices.SortStableFunc(found, func(a, b *extractor.Package) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
	})
	b := &sbom{s: s, byRef: map[string]int{}}
	for _, f := range found {
		c := component{code: true}
		if m, ok := f.Metadata.(*spdxmeta.Metadata); ok && m.PURL != nil {
			c.purl = m.PURL.String()
		}
		b.add(c)
	}
	return b.nameless.gap()
}

func (s *source) input() *filesystem.ScanInput {
	f := newMemoryFile(path.Base(s.path), []byte(s.text))
	return &filesystem.ScanInput{FS: memory{s.path: []byte(s.text)}, Path: s.path, Info: f, Reader: f}
}

// memory is a file system that holds the files of a map and nothing else, so that no extractor
// can reach the disk.
type memory map[string][]byte

// Open returns the file.
func (m memory) Open(name string) (fs.File, error) {
	data, ok := m[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return newMemoryFile(path.Base(name), data), nil
}

// Stat tells about the file.
func (m memory) Stat(name string) (fs.FileInfo, error) {
	data, ok := m[name]
	if !ok {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
	}
	return newMemoryFile(path.Base(name), data), nil
}

// ReadDir lists nothing.
func (m memory) ReadDir(name string) ([]fs.DirEntry, error) {
	return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
}

// memoryFile is an open file of memory, and what is known of it.
type memoryFile struct {
	*bytes.Reader
	name string
}

func newMemoryFile(name string, data []byte) *memoryFile {
	return &memoryFile{bytes.NewReader(data), name}
}

func (f *memoryFile) Close() error               { return nil }
func (f *memoryFile) Stat() (fs.FileInfo, error) { return f, nil }
func (f *memoryFile) Name() string               { return f.name }
func (f *memoryFile) Mode() fs.FileMode          { return 0o444 }
func (f *memoryFile) ModTime() time.Time         { return time.Time{} }
func (f *memoryFile) IsDir() bool                { return false }
func (f *memoryFile) Sys() any                   { return nil }

// silence is a logger of the library that drops everything.
type silence struct{}

func (silence) Errorf(string, ...any) {}
func (silence) Error(...any)          {}
func (silence) Warnf(string, ...any)  {}
func (silence) Warn(...any)           {}
func (silence) Infof(string, ...any)  {}
func (silence) Info(...any)           {}
func (silence) Debugf(string, ...any) {}
func (silence) Debug(...any)          {}
