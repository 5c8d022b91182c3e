// Package powercut proves that what the store acknowledges outlives a power cut on SQLite. A
// killed process loses nothing that it wrote, since the kernel has it; a machine that stops loses
// what was not synced.
//
// disk_test.go puts itself between SQLite and the files and notes each write, sync and cut in their
// order; powercut_test.go works on a store meanwhile, then puts together what a disk may hold when the
// power goes at any point of that list, and opens it.
package powercut

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// kind is what was done to a file.
type kind int

const (
	write kind = iota
	synced
	truncate
	remove
)

// effect is one thing that was done to a file of the database, in the order in which it was done.
type effect struct {
	kind   kind
	file   string // base name
	data   []byte // written
	offset int64  // of a write; the new size after a truncation
	beside []byte // the file outside of the database, as it was before the effect
}

// disk notes what SQLite does to one database and its WAL.
type disk struct {
	path, beside string // of the database and of the file outside of it

	mu      sync.Mutex
	effects []effect
}

// now is a point between two effects.
func (d *disk) now() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.effects)
}

func (d *disk) note(e effect) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e.beside, _ = os.ReadFile(d.beside) // nil before it is there
	if n := len(d.effects); n > 0 && bytes.Equal(d.effects[n-1].beside, e.beside) {
		e.beside = d.effects[n-1].beside
	}
	d.effects = append(d.effects, e)
}

// sector is what a disk writes whole.
const sector = 512

// fate says what becomes of what was not synced.
type fate int

const (
	gone     fate = iota // all of it is lost
	kept                 // all of it is there
	some                 // each sector by chance, in any order
	earliest             // what was written first, up to some point
	fates
)

// image is the content of files after a power cut.
type image map[string][]byte

// after returns what the disk may hold when the power goes before the effect number at. counts says of
// which files syncs count.
func (d *disk) after(at int, f fate, random *rand.Rand, counts func(file string) bool) (files image, beside []byte) {
	done := d.effects[:at]
	safe := map[string]int{} // file -> effects before this one are on the disk
	for i, e := range done {
		if e.kind == synced && counts(e.file) {
			safe[e.file] = i
		}
	}
	files = image{}
	until := random.IntN(at + 1)
	for i, e := range done {
		switch {
		case i < safe[e.file], f == kept, f == earliest && i < until:
			files.apply(e, func() bool { return true })
		case f == some:
			files.apply(e, func() bool { return random.IntN(2) == 0 })
		}
	}
	if at < len(d.effects) {
		beside = d.effects[at].beside
	} else {
		beside, _ = os.ReadFile(d.beside)
	}
	return files, beside
}

// apply does to the files what e did, as far as survives says so of each sector of it.
func (files image) apply(e effect, survives func() bool) {
	content := files[e.file]
	switch e.kind {
	case write:
		for from := int64(0); from < int64(len(e.data)); {
			// Sectors are those of the disk, wherever the write begins.
			to := min(int64(len(e.data)), from+sector-(e.offset+from)%sector)
			if survives() {
				if grow := e.offset + to - int64(len(content)); grow > 0 {
					content = append(content, make([]byte, grow)...)
				}
				copy(content[e.offset+from:], e.data[from:to])
			}
			from = to
		}
	case truncate:
		if survives() && e.offset < int64(len(content)) {
			content = content[:e.offset:e.offset]
		}
	case remove:
		if survives() {
			delete(files, e.file)
			return
		}
	case synced:
	}
	files[e.file] = content
}

// save puts the files and the one outside of the database into folder.
func (files image) save(t *testing.T, folder string, besideName string, beside []byte) {
	t.Helper()
	if beside != nil {
		files[besideName] = beside
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// What follows is the file system of SQLite (sqlite3_vfs): the default one of this process, with a few
// of its functions replaced. Files that nobody records are passed on.

var (
	recording sync.Map // path -> *disk, for a database and its WAL
	opened    sync.Map // address of an open file -> recorded

	realVFS     sqlite3.Tsqlite3_vfs
	realVFSAt   uintptr
	installOnce sync.Once

	methodsMu sync.Mutex
	methods   = map[uintptr]uintptr{} // address of the real ones -> that of ours, which call them
)

// recorded is an open file that is recorded.
type recorded struct {
	disk *disk
	name string
	real *sqlite3.Tsqlite3_io_methods
}

// record begins to note what is done to the database at path, with besidePath as the file outside of it.
func record(path, besidePath string) *disk {
	installOnce.Do(install)
	d := &disk{path: path, beside: besidePath}
	recording.Store(path, d)
	recording.Store(path+"-wal", d)
	return d
}

// stop ends the recording. The database must be closed.
func (d *disk) stop() {
	recording.Delete(d.path)
	recording.Delete(d.path + "-wal")
}

func install() {
	tls := libc.NewTLS()
	realVFSAt = sqlite3.Xsqlite3_vfs_find(tls, 0)
	realVFS = *at[sqlite3.Tsqlite3_vfs](realVFSAt)
	vfs := realVFS
	name, err := libc.CString("recorder")
	if err != nil {
		panic(err)
	}
	vfs.FzName = name
	vfs.FxOpen = pointer(vfsOpen)
	vfs.FxDelete = pointer(vfsDelete)
	sqlite3.Xsqlite3_vfs_register(tls, inC(tls, vfs), 1)
}

func vfsOpen(tls *libc.TLS, _, name, file uintptr, flags int32, outFlags uintptr) int32 {
	rc := function[func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32](realVFS.FxOpen)(tls, realVFSAt, name, file, flags, outFlags)
	if rc != sqlite3.SQLITE_OK || name == 0 || flags&(sqlite3.SQLITE_OPEN_MAIN_DB|sqlite3.SQLITE_OPEN_WAL) == 0 {
		return rc
	}
	path := libc.GoString(name)
	d, ok := recording.Load(path)
	if !ok {
		return rc
	}
	f := at[sqlite3.Tsqlite3_file](file)
	opened.Store(file, recorded{d.(*disk), filepath.Base(path), at[sqlite3.Tsqlite3_io_methods](f.FpMethods)})
	f.FpMethods = recordingMethods(tls, f.FpMethods)
	return rc
}

// recordingMethods returns the address of methods of open files that note what they do and call those
// at real.
func recordingMethods(tls *libc.TLS, real uintptr) uintptr {
	methodsMu.Lock()
	defer methodsMu.Unlock()
	if methods[real] == 0 {
		ours := *at[sqlite3.Tsqlite3_io_methods](real)
		ours.FxWrite = pointer(fileWrite)
		ours.FxSync = pointer(fileSync)
		ours.FxTruncate = pointer(fileTruncate)
		ours.FxClose = pointer(fileClose)
		methods[real] = inC(tls, ours)
	}
	return methods[real]
}

func vfsDelete(tls *libc.TLS, _, name uintptr, syncDir int32) int32 {
	path := libc.GoString(name)
	if d, ok := recording.Load(path); ok && strings.HasSuffix(path, "-wal") {
		d.(*disk).note(effect{kind: remove, file: filepath.Base(path)})
	}
	return function[func(*libc.TLS, uintptr, uintptr, int32) int32](realVFS.FxDelete)(tls, realVFSAt, name, syncDir)
}

func fileWrite(tls *libc.TLS, file, data uintptr, n int32, offset int64) int32 {
	r := recordOf(file)
	r.note(effect{kind: write, data: bytes.Clone(libc.GoBytes(data, int(n))), offset: offset})
	return function[func(*libc.TLS, uintptr, uintptr, int32, int64) int32](r.real.FxWrite)(tls, file, data, n, offset)
}

func fileTruncate(tls *libc.TLS, file uintptr, size int64) int32 {
	r := recordOf(file)
	r.note(effect{kind: truncate, offset: size})
	return function[func(*libc.TLS, uintptr, int64) int32](r.real.FxTruncate)(tls, file, size)
}

// fileSync notes the sync once it has returned.
func fileSync(tls *libc.TLS, file uintptr, flags int32) int32 {
	r := recordOf(file)
	rc := function[func(*libc.TLS, uintptr, int32) int32](r.real.FxSync)(tls, file, flags)
	if rc == sqlite3.SQLITE_OK {
		r.note(effect{kind: synced})
	}
	return rc
}

func fileClose(tls *libc.TLS, file uintptr) int32 {
	r := recordOf(file)
	opened.Delete(file)
	return function[func(*libc.TLS, uintptr) int32](r.real.FxClose)(tls, file)
}

func recordOf(file uintptr) recorded {
	r, _ := opened.Load(file)
	return r.(recorded)
}

func (r recorded) note(e effect) {
	e.file = r.name
	r.disk.note(e)
}

// inC returns the address of a copy of v in memory that Go does not look after.
func inC[T any](tls *libc.TLS, v T) uintptr {
	address := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(v)))
	*at[T](address) = v
	return address
}

// at is the C value at an address.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

// function is the Go function behind a C function pointer, as modernc.org/sqlite calls them.
func function[F any](address uintptr) F { return *(*F)(unsafe.Pointer(&address)) }

// pointer is the C function pointer of a Go function that is not a closure.
func pointer[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&f)) }
