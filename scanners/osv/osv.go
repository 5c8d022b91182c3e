// Package osv knows which package versions have known vulnerabilities.
//
// It owns the advisory index: one immutable file, compiled from the archives of the OSV
// bucket, that all scans of the process share, and the scanner that matches inventories
// with it. It must never reach GitHub or the store, and it never forms a Verdict. Only
// Update uses the network.
//
// Start reading at Index (what is open), then Import (how it is made), Scanner (how it is
// asked) and file.go (how it lies on disk). docs/advisories.md tells operators the same.
package osv

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/osv/versions"
)

// ErrNoIndex says that nothing has been imported yet.
var ErrNoIndex = errors.New("there is no advisory index; run `landwaiter advisories update`, or `landwaiter advisories import` without network")

// ErrNoData says that the index holds no advisories of a package's ecosystem.
var ErrNoData = errors.New("the advisory index holds no data of the ecosystem")

// ErrVersion says that a version has no place in its ecosystem's order.
var ErrVersion = versions.ErrUnordered

// ErrCorrupt says that an index file is not what was written. Nothing is read from it;
// importing or updating again makes a new one.
var ErrCorrupt = errors.New("advisory index is damaged")

// Index is the advisory index of one data directory. Its methods may be called from
// several goroutines at once; a refresh never disturbs a running scan, and a refresh by
// another process is seen by the next scan.
type Index struct {
	dir     string
	current atomic.Pointer[generation] // nil when there is no index
	writing sync.Mutex                 // held by a refresh
	loading sync.Mutex                 // held while current changes
}

// folder is where the index lies in the operator's data directory.
const folder = "advisories"

func (x *Index) basePath() string     { return filepath.Join(x.dir, "base.index") }
func (x *Index) overlayPath() string  { return filepath.Join(x.dir, "changes.index") }
func (x *Index) exploitsPath() string { return filepath.Join(x.dir, "exploits.table") }

// Open opens the index under the operator's data directory dir. A directory without an
// index is no error: then Lookup gives ErrNoIndex until something is imported.
//
// A damaged file gives ErrCorrupt. Only then an Index is returned beside the error, for
// Import and Update, which replace what is damaged; until they have, Lookup gives ErrCorrupt.
func Open(dir string) (*Index, error) {
	x := &Index{dir: filepath.Join(dir, folder)}
	err := x.load()
	switch {
	case err == nil, errors.Is(err, ErrNoIndex):
		return x, nil
	case errors.Is(err, ErrCorrupt):
		return x, err
	}
	return nil, err
}

// Close ends the use of x; scans that still run end first. Afterwards Lookup gives ErrNoIndex.
func (x *Index) Close() error {
	x.swap(nil)
	return nil
}

// swap makes g the current generation and lets go of the one before.
func (x *Index) swap(g *generation) {
	if old := x.current.Swap(g); old != nil {
		old.release()
	}
}

// load opens what lies on disk, if it is not what is open.
func (x *Index) load() error {
	x.loading.Lock()
	defer x.loading.Unlock()
	if x.isCurrent() {
		return nil
	}
	base, err := x.openBase()
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNoIndex
	}
	if err != nil {
		return fmt.Errorf("opening the advisory index: %w", err)
	}
	overlay, err := x.openOverlay(base)
	if err != nil {
		base.release()
		return fmt.Errorf("opening the advisory index: %w", err)
	}
	g, err := newGeneration(base, overlay)
	if err != nil {
		return err
	}
	g.exploits = x.openExploits()
	x.swap(g)
	return nil
}

// openBase opens the base, or shares the one that is open when it is that file still: most
// refreshes add an overlay, and mapping and checking the base anew would cost every scan of that moment
// several milliseconds. A file that is mapped keeps its number, so no other can be taken for it.
func (x *Index) openBase() (*file, error) {
	old := x.current.Load()
	if old == nil || !old.hold() {
		return openFile(x.basePath())
	}
	defer old.release()
	if !sameFile(x.basePath(), old.base) {
		return openFile(x.basePath())
	}
	old.base.users.Add(1)
	return old.base, nil
}

// openOverlay opens the overlay if there is one of base. One of another base is the rest
// of a refresh that was cut short, or is about to be removed.
func (x *Index) openOverlay(base *file) (*file, error) {
	overlay, err := openFile(x.overlayPath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // no changes since the base
	}
	if err != nil {
		return nil, err
	}
	if !overlay.overlay || overlay.base != base.id {
		overlay.release()
		return nil, nil
	}
	return overlay, nil
}

// isCurrent says whether the files on disk are those that are open.
func (x *Index) isCurrent() bool {
	g := x.current.Load()
	if g == nil || !sameFile(x.basePath(), g.base) || !sameInfo(x.exploitsPath(), g.exploits.info) {
		return false
	}
	return sameFile(x.overlayPath(), g.overlay) || g.overlay == nil && x.foreignOverlay(g.base)
}

// foreignOverlay says whether what lies at the overlay's place belongs to another base.
func (x *Index) foreignOverlay(base *file) bool {
	overlay, err := x.openOverlay(base)
	if overlay != nil {
		overlay.release()
	}
	return overlay == nil && err == nil
}

// sameFile says whether f, nil for none, is what lies at path.
func sameFile(path string, f *file) bool {
	if f == nil {
		return sameInfo(path, nil)
	}
	return sameInfo(path, f.info)
}

// sameInfo says whether what lies at path is what opened told of, nil for nothing.
func sameInfo(path string, opened os.FileInfo) bool {
	info, err := os.Stat(path)
	if err != nil || opened == nil {
		return err != nil && opened == nil
	}
	return os.SameFile(info, opened) && info.ModTime().Equal(opened.ModTime()) && info.Size() == opened.Size()
}

// hold returns the current generation for reading; the caller releases it.
func (x *Index) hold() (*generation, error) {
	for {
		g := x.current.Load()
		if g == nil {
			return nil, ErrNoIndex
		}
		if g.hold() {
			return g, nil
		}
	}
}

// newest is hold after a look at the disk, where another process may have refreshed. What
// is open stays in use when what lies there cannot be opened: it was good.
func (x *Index) newest() (*generation, error) {
	if !x.isCurrent() {
		if err := x.load(); err != nil && x.current.Load() == nil {
			return nil, err
		}
	}
	return x.hold()
}

// Lookup returns the advisories that affect p, aliases merged, worst first.
//
// Errors a caller may tell apart: ErrNoIndex, ErrNoData, ErrVersion, ErrCorrupt. With
// ErrVersion the advisories that could be decided are returned beside it.
func (x *Index) Lookup(p checks.Package) ([]checks.Advisory, error) {
	g, err := x.newest()
	if err != nil {
		return nil, err
	}
	defer g.release()
	m := &matcher{gen: g}
	return m.match(&p)
}

// Records returns the ids of the records that affect p, sorted: what Lookup merges. Its
// errors are those of Lookup. It is what an answer of api.osv.dev consists of.
func (x *Index) Records(p checks.Package) ([]string, error) {
	g, err := x.newest()
	if err != nil {
		return nil, err
	}
	defer g.release()
	m := &matcher{gen: g}
	if _, err = m.match(&p); err != nil && !errors.Is(err, ErrVersion) {
		return nil, err
	}
	var ids []string
	for i := range m.hits {
		ids = append(ids, m.keepText(m.hits[i].rec.id))
	}
	slices.Sort(ids)
	return slices.Compact(ids), err
}

// Status is what the index holds.
type Status struct {
	Path       string // of the index file; "" when there is none
	Bytes      int64  // on disk
	Records    int
	Packages   int               // of the base, and of the changes since
	Ecosystems []EcosystemStatus // sorted by name
	// KEV and EPSS are what is known of exploitation; without data they are zero.
	KEV, EPSS ExploitStatus
}

// ExploitStatus is what is held of CISA's catalogue or of the EPSS scores. Times are UTC.
type ExploitStatus struct {
	CVEs      int
	Published time.Time // as the source says
	Fetched   time.Time // when the data was last known to be current; zero when there is none
	Source    string    // the URL or the path it came from
}

// EcosystemStatus is what the index holds of one ecosystem. Times are UTC.
type EcosystemStatus struct {
	Ecosystem string
	Records   int // withdrawn ones included
	Withdrawn int
	Newest    time.Time // newest change of a record
	Fetched   time.Time // when the data was last known to be current
	Source    string    // the bucket or the path it came from
}

// Status tells what the index holds now; its zero value is an index that holds nothing.
func (x *Index) Status() Status {
	g, err := x.newest()
	if err != nil {
		return Status{}
	}
	defer g.release()
	s := Status{Path: g.base.path, KEV: statusOf(g.exploits.table.KEV()), EPSS: statusOf(g.exploits.table.EPSS())}
	for _, f := range g.files() {
		s.Bytes += int64(len(f.data))
		s.Packages += f.numKeys()
	}
	for _, e := range g.newestFile().meta.Ecosystems {
		s.Records += e.Records
		s.Ecosystems = append(s.Ecosystems, EcosystemStatus{
			Ecosystem: e.Name, Records: e.Records, Withdrawn: e.Withdrawn,
			Newest: e.Newest, Fetched: e.Fetched, Source: e.Source,
		})
	}
	slices.SortFunc(s.Ecosystems, func(a, b EcosystemStatus) int { return strings.Compare(a.Ecosystem, b.Ecosystem) })
	return s
}
