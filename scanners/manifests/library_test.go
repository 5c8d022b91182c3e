package manifests

import (
	"bytes"
	"io/fs"
	"path"
	"sync"
	"time"

	"github.com/google/osv-scalibr/binary/proto/config_go_proto"
	"github.com/google/osv-scalibr/extractor/filesystem"
	"github.com/google/osv-scalibr/log"
)

// newExtractor makes an extractor of osv-scalibr.
type newExtractor func(*config_go_proto.PluginConfig) (filesystem.Extractor, error)

// quietLibrary stops the library from logging through the standard logger: what it logs are
// parts of hostile files, and what matters it returns.
var quietLibrary = sync.OnceFunc(func() { log.SetLogger(silence{}) })

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
