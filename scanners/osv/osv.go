// Package osv knows which package versions have known vulnerabilities.
//
// It owns the advisory index: one immutable file, compiled from the archives of the OSV
// bucket, that all scans of the process share, and the scanner that matches inventories
// with it. It must never reach GitHub or the store, and it never forms a Verdict. Only
// Update uses the network.
//
// Start reading at Index (what is open), then Import (how it is made), then Scanner (how
// it is asked). docs/advisories.md tells operators the same story.
package osv

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/landwaiter/landwaiter/checks"
)

// ErrNoIndex says that nothing has been imported yet.
var ErrNoIndex = errors.New("no advisory index: run `landwaiter advisories update`, or `landwaiter advisories import` without network")

// ErrNoData says that the index holds no advisories of a package's ecosystem.
var ErrNoData = errors.New("the advisory index holds no data of this ecosystem")

// ErrVersion says that a version cannot be placed in its ecosystem's order.
var ErrVersion = errors.New("version cannot be compared")

// ErrCorrupt says that an index file is not what was written. It is never used in part;
// the cure is to import or update again.
var ErrCorrupt = errors.New("advisory index is damaged")

// Index is the advisory index of one data directory. Its methods may be called from
// several goroutines at once; a refresh never disturbs a running scan.
type Index struct{ dir string }

// Open opens the index under the operator's data directory dir. A directory without an
// index is no error: then Lookup gives ErrNoIndex until something is imported. A damaged
// file gives ErrCorrupt.
func Open(dir string) (*Index, error) { return &Index{dir: dir}, nil }

// Close ends the use of x. Scans that still run end first.
func (x *Index) Close() error { return nil }

// Lookup returns the advisories that affect p, aliases merged, worst first.
//
// Errors a caller may tell apart: ErrNoIndex, ErrNoData, ErrVersion, ErrCorrupt. With
// ErrVersion the advisories that could be decided are returned beside it.
func (x *Index) Lookup(p checks.Package) ([]checks.Advisory, error) { return nil, ErrNoIndex }

// Progress tells how far a refresh is, for people who wait.
type Progress struct {
	Ecosystem string
	Stage     string // "download", "read" or "write"
	// Done and Total are bytes when downloading, records otherwise. Total is 0 when unknown.
	Done, Total int64
}

// ImportOptions steer Import. The zero value is what most callers want.
type ImportOptions struct {
	// Force accepts an archive with far fewer records than before.
	Force bool
	// Progress is called from several goroutines at once; nil means nobody listens.
	Progress func(Progress)
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// UpdateOptions steer Update.
type UpdateOptions struct {
	URL    string       // of the bucket, without trailing slash; "" means DefaultURL
	Client *http.Client // nil means a client with sane time limits
	// Ecosystems to refresh; nil means those in the index, or DefaultEcosystems when it is empty.
	Ecosystems []string
	Full       bool // take whole archives even where changes would do
	Force      bool // as in ImportOptions
	Progress   func(Progress)
	Now        func() time.Time
}

// DefaultURL is the public OSV bucket.
const DefaultURL = "https://osv-vulnerabilities.storage.googleapis.com"

// DefaultEcosystems are the ecosystems of the manifests that Landwaiter reads, by OSV name.
func DefaultEcosystems() []string {
	return []string{"crates.io", "GitHub Actions", "Go", "Hackage", "Hex", "Maven", "npm",
		"NuGet", "Packagist", "Pub", "PyPI", "RubyGems", "SwiftURL"}
}

// Imported is what a refresh did.
type Imported struct {
	Ecosystems []ImportedEcosystem // sorted by name
	// Changed are the packages whose advisories are not what they were before.
	Changed []PackageKey
}

// ImportedEcosystem is what a refresh did to one ecosystem.
type ImportedEcosystem struct {
	Ecosystem string
	Records   int // valid records now in the index, withdrawn ones included
	Withdrawn int
	Changed   int      // records read: all of an archive, or those that changed
	Bad       int      // records that could not be read and are left out
	BadNames  []string // the first of them
	Full      bool     // a whole archive was read
	Bytes     int64    // downloaded
	Newest    time.Time
	// Err says why the ecosystem was left as it was; nil when it was refreshed.
	Err error
}

// PackageKey names a package as the index does: ecosystem without suffix, normalised name.
type PackageKey struct{ Ecosystem, Name string }

// Import takes the archives at path into the index: a folder in the layout of the OSV
// bucket (<Ecosystem>/all.zip, also under osv-scalibr/), or one zip file.
//
// Each archive replaces all records of its ecosystem. One that is truncated, bombed, has
// more than 1 % unreadable records or 30 % fewer records than before is refused and leaves
// its ecosystem as it was; the others are taken, and the error names the refused ones.
func (x *Index) Import(ctx context.Context, path string, o ImportOptions) (Imported, error) {
	return Imported{}, ErrNoIndex
}

// Update refreshes the index from the OSV bucket: only changed records where that is
// cheaper, whole archives otherwise. Refusals are as for Import.
func (x *Index) Update(ctx context.Context, o UpdateOptions) (Imported, error) {
	return Imported{}, ErrNoIndex
}

// Status is what the index holds.
type Status struct {
	Path       string // of the index file; "" when there is none
	Bytes      int64  // on disk
	Records    int
	Packages   int
	Ecosystems []EcosystemStatus // sorted by name
}

// EcosystemStatus is what the index holds of one ecosystem.
type EcosystemStatus struct {
	Ecosystem string
	Records   int // withdrawn ones included
	Withdrawn int
	Newest    time.Time // newest change of a record
	Fetched   time.Time // when the data was last known to be current
	Source    string    // where it came from
}

// Status tells what the index holds now.
func (x *Index) Status() Status { return Status{} }

// Options steer a Scanner.
type Options struct{}

// Scanner matches inventories with an Index. It is a checks.Scanner.
type Scanner struct{ index *Index }

// New returns a scanner over x.
func New(x *Index, o Options) *Scanner { return &Scanner{index: x} }

// Name returns "osv".
func (s *Scanner) Name() string { return "osv" }

// Scan matches both sides of m with the advisories.
func (s *Scanner) Scan(ctx context.Context, m *checks.Material) (checks.Evidence, error) {
	return checks.Evidence{}, ErrNoIndex
}

// WriteOSVScanner writes the findings of r as OSV-Scanner JSON.
func WriteOSVScanner(w io.Writer, r checks.Report) error { return ErrNoIndex }

// ReadOSVScanner reads OSV-Scanner JSON into matches on the head side.
func ReadOSVScanner(r io.Reader) ([]checks.Match, error) { return nil, ErrNoIndex }
