package osv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Progress tells how far a refresh is, for people who wait.
type Progress struct {
	Ecosystem string
	Stage     string // "download", "read" or "write"
	// Done and Total are bytes when downloading, records otherwise. Total is 0 when unknown.
	Done, Total int64
}

// ImportOptions steer Import. The zero value is what most callers want.
type ImportOptions struct {
	// Force takes an archive although it has far fewer records than before.
	Force bool
	// Progress is called from several goroutines at once; nil means nobody listens.
	Progress func(Progress)
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Imported is what a refresh did.
type Imported struct {
	Ecosystems []ImportedEcosystem // sorted by name
	// Changed are the packages about which the index may say something else than before,
	// sorted: records that changed, and those whose CVE became known as exploited or ceased to
	// be. Ecosystems that were not there before are left out. A change of scores is none: they
	// all change daily.
	Changed []PackageKey
	// Exploited are the CVEs that the catalogue of exploited vulnerabilities now names and did
	// not before, or the other way round, sorted; none when there was no catalogue before.
	Exploited []string
	// Sources are KEV and EPSS, those of them that were asked for.
	Sources []ImportedSource
}

// ImportedSource is what a refresh did to one source of what is exploited.
type ImportedSource struct {
	Name      string // "KEV" or "EPSS"
	CVEs      int    // now in the table
	Bytes     int64  // downloaded
	Unchanged bool   // it is what was there before
	// Err says why it stays as it was; nil when it was refreshed.
	Err error
}

// ImportedEcosystem is what a refresh did to one ecosystem.
type ImportedEcosystem struct {
	Ecosystem string
	Records   int // now in the index, withdrawn ones included
	Withdrawn int
	Changed   int      // records read: all of an archive, or those that changed
	Partial   int      // records taken although a part of them could not be read
	Bad       int      // records left out because they could not be read
	BadNames  []string // the first of them
	First     bool     // there was no data of it before
	Full      bool     // a whole archive was read
	Bytes     int64    // downloaded
	Newest    time.Time
	// Err says why the ecosystem stays as it was; nil when it was refreshed.
	Err error
}

// PackageKey names a package as the index does: ecosystem without suffix, normalised name.
type PackageKey struct{ Ecosystem, Name string }

// The measure of suspicion: an archive that has lost this share of its records is refused.
// Below minSuspicion records a share says nothing.
const (
	suspiciousPercent = 30
	minSuspicion      = 10
)

// Import takes the archives at path into the index: a folder in the layout of the OSV
// bucket (<Ecosystem>/all.zip, also under osv-scalibr/), or one zip file. In the folder, or
// by itself, known_exploited_vulnerabilities.json is taken for CISA's catalogue, and the last
// by name of epss_scores-*.csv and .csv.gz for EPSS scores.
//
// Each archive replaces all records of its ecosystem. Data counts as current at the time
// its file was last written. An archive that is truncated, bombed, has more than 1 %
// unreadable records or 30 % fewer records than before is refused and leaves its ecosystem
// as it was; the others are taken, and the error (ErrRefused) names those refused.
func (x *Index) Import(ctx context.Context, path string, o ImportOptions) (Imported, error) {
	list, err := findArchives(path)
	kev, epss := findExploits(path)
	if err != nil && kev == "" && epss == "" {
		return Imported{}, fmt.Errorf("importing advisories: %w", err)
	}
	now := clock(o.Now)
	r, err := x.begin()
	if err != nil {
		return Imported{}, err
	}
	defer r.end()
	r.force, r.progress = o.Force, o.Progress
	written := func(path string) time.Time {
		fetched := now()
		if info, err := os.Stat(path); err == nil && info.ModTime().Before(fetched) {
			fetched = info.ModTime().UTC()
		}
		return fetched
	}
	for _, f := range list {
		fetched := written(f.path)
		if err := r.replace(ctx, f, ecosystemMeta{Fetched: fetched, Source: f.path}, nil); err != nil {
			return Imported{}, err
		}
	}
	for _, path := range [...]string{kev, epss} {
		if path != "" {
			r.importExploits(path, path == kev, written(path))
		}
	}
	return r.commit()
}

func clock(now func() time.Time) func() time.Time {
	if now == nil {
		now = time.Now
	}
	return func() time.Time { return now().UTC() }
}

// refresh is one change of the index, from the lock to the swap.
type refresh struct {
	x        *Index
	lock     *os.File
	old      *generation // nil when there was none
	force    bool
	progress func(Progress)

	full    map[string]*archive      // whole ecosystems to replace
	partial map[string]*batch        // changed records to put over the old ones
	meta    map[string]ecosystemMeta // of every ecosystem, as it will be
	done    map[string]*ImportedEcosystem

	exploitRefresh
}

// begin takes the lock of the index and reads what another process may have done to it.
// A damaged index counts as none: the refresh is its cure.
func (x *Index) begin() (*refresh, error) {
	x.writing.Lock()
	r := &refresh{x: x, full: map[string]*archive{}, partial: map[string]*batch{}, meta: map[string]ecosystemMeta{}, done: map[string]*ImportedEcosystem{}}
	if err := r.open(); err != nil {
		r.end()
		return nil, fmt.Errorf("preparing to refresh the advisories: %w", err)
	}
	return r, nil
}

func (r *refresh) open() error {
	if err := os.MkdirAll(r.x.dir, 0o755); err != nil {
		return err
	}
	var err error
	if r.lock, err = os.OpenFile(filepath.Join(r.x.dir, "lock"), os.O_RDWR|os.O_CREATE, 0o644); err != nil {
		return err
	}
	if err := lockFile(r.lock); err != nil {
		return fmt.Errorf("locking %s: %w", r.lock.Name(), err)
	}
	r.was = r.x.openExploits().table
	r.old, err = r.x.newest()
	if errors.Is(err, ErrNoIndex) || errors.Is(err, ErrCorrupt) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range r.old.newestFile().meta.Ecosystems {
		r.meta[e.Name] = e
	}
	return nil
}

func (r *refresh) end() {
	if r.old != nil {
		r.old.release()
	}
	if r.lock != nil {
		_ = r.lock.Close() // gives the lock back, whatever it says
	}
	r.x.writing.Unlock()
}

// tell reports progress if anybody listens.
func (r *refresh) tell(ecosystem, stage string, done, total int64) {
	if r.progress != nil {
		r.progress(Progress{ecosystem, stage, done, total})
	}
}

// replace reads the archive f, to replace all of its ecosystem at commit. meta says where
// the data is from. A refusal is noted, and is not returned: other ecosystems go on.
func (r *refresh) replace(ctx context.Context, f found, meta ecosystemMeta, note *ImportedEcosystem) error {
	a, err := readArchive(ctx, f.path, f.ecosystem, func(done, total int64) { r.tell(f.ecosystem, "read", done, total) })
	if ctx.Err() != nil {
		return ctx.Err()
	}
	name := f.ecosystem
	if a != nil {
		name = a.ecosystem
	}
	if note == nil {
		note = &ImportedEcosystem{}
	}
	_, known := r.meta[name]
	note.Ecosystem, note.Full, note.First = name, true, !known
	r.done[name] = note
	if a != nil {
		note.Bad, note.BadNames, note.Partial = a.bad, a.badNames, a.partial
	}
	if err == nil {
		err = r.suspicious(a)
	}
	if err != nil {
		note.Err = err
		return nil
	}
	r.full[name] = a
	meta.Name, meta.Records, meta.Withdrawn, meta.Newest = name, a.records, a.withdrawn, a.newest
	r.meta[name] = meta
	note.Records, note.Withdrawn, note.Newest, note.Changed = a.records, a.withdrawn, a.newest, a.records
	return nil
}

// suspicious refuses an archive that has lost too much. Withdrawn records count as lost.
func (r *refresh) suspicious(a *archive) error {
	before, known := r.meta[a.ecosystem]
	if !known {
		return nil
	}
	after := ecosystemMeta{Records: a.records, Withdrawn: a.withdrawn}
	if r.lostTooMuch(before, after) {
		return fmt.Errorf("%w: %s: %d records in force instead of %d before; if that is right, force it",
			ErrRefused, a.ecosystem, after.inForce(), before.inForce())
	}
	return nil
}

func (e *ecosystemMeta) inForce() int { return e.Records - e.Withdrawn }

func (r *refresh) lostTooMuch(before, after ecosystemMeta) bool {
	had := before.inForce()
	return !r.force && had >= minSuspicion && after.inForce()*100 <= had*(100-suspiciousPercent)
}

// commit writes what was gathered and makes it current. The error joins the refusals.
func (r *refresh) commit() (Imported, error) {
	out := Imported{Sources: r.sources}
	if err := r.writeExploits(); err != nil {
		return Imported{}, err
	}
	var err error
	if r.changed() {
		if out.Changed, err = r.write(); err != nil {
			return Imported{}, err
		}
	}
	if err := r.tellExploits(&out); err != nil {
		return Imported{}, err
	}
	var refused []error
	for _, s := range out.Sources {
		if s.Err != nil {
			refused = append(refused, fmt.Errorf("%s: %w", s.Name, s.Err))
		}
	}
	for _, e := range r.done {
		out.Ecosystems = append(out.Ecosystems, *e)
	}
	slices.SortFunc(out.Ecosystems, func(a, b ImportedEcosystem) int { return strings.Compare(a.Ecosystem, b.Ecosystem) })
	for _, e := range out.Ecosystems {
		if e.Err != nil {
			refused = append(refused, fmt.Errorf("advisories of %s: %w", orPath(e.Ecosystem), e.Err))
		}
	}
	return out, errors.Join(refused...)
}

// changed says whether there is anything to write: records, or only that the old ones are
// still current.
func (r *refresh) changed() bool {
	if len(r.full)+len(r.partial) > 0 {
		return true
	}
	return r.old != nil && !slices.Equal(r.sortedMeta().Ecosystems, r.old.newestFile().meta.Ecosystems)
}

func orPath(ecosystem string) string {
	if ecosystem == "" {
		return "the archive"
	}
	return ecosystem
}
