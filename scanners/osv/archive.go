package osv

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/landwaiter/landwaiter/scanners/osv/record"
	"github.com/landwaiter/landwaiter/scanners/osv/unzip"
)

// The limits of an archive. The largest one of the bucket that Landwaiter reads (npm) had
// about 220,000 records, 300 MB unpacked, at a ratio of 2, in November 2026.
const (
	maxUnpacked = 16 << 30 // bytes
	maxRatio    = 100      // unpacked to packed, of an entry that unpacks to more than minBomb
	minBomb     = 1 << 20  // bytes
	maxBadNames = 10       // unreadable records that are named
)

// ErrRefused says that an archive was not taken and that what was there before stays.
var ErrRefused = errors.New("refused")

// archive is what was read from one zip file.
type archive struct {
	ecosystem string
	batches   []*batch
	records   int
	withdrawn int
	partial   int
	bad       int
	badNames  []string
	newest    time.Time
}

// archiveReader reads the records of one zip file with several workers. The shared fields
// are behind mu.
type archiveReader struct {
	zip       *unzip.File
	path      string
	ecosystem string
	progress  func(done, total int64)
	done      atomic.Int64
	unpacked  atomic.Int64

	mu  sync.Mutex
	out archive
}

// readArchive reads the zip file at path, taking what it says of ecosystem; "" means the
// one ecosystem that its records name. Gives ErrRefused for what cannot be trusted whole.
func readArchive(ctx context.Context, path, ecosystem string, progress func(done, total int64)) (*archive, error) {
	z, err := unzip.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s is truncated or no zip file: %w", ErrRefused, path, err)
	}
	defer z.Close()
	r := &archiveReader{zip: z, path: path, ecosystem: ecosystem, progress: progress}
	if ecosystem == "" {
		if r.ecosystem, err = r.soleEcosystem(); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrRefused, path, err)
		}
	}
	if err := r.readAll(ctx); err != nil {
		return nil, err
	}
	r.out.ecosystem = r.ecosystem
	return &r.out, r.judge()
}

// judge refuses an archive as a whole.
func (r *archiveReader) judge() error {
	a := &r.out
	total := a.records + a.bad
	switch {
	case total == 0:
		return fmt.Errorf("%w: %s holds no records", ErrRefused, r.path)
	case a.bad*100 > total:
		return fmt.Errorf("%w: %s: %d of %d records cannot be read, such as %s",
			ErrRefused, r.path, a.bad, total, strings.Join(a.badNames, ", "))
	}
	for _, b := range a.batches {
		if len(b.entries) > 0 {
			return nil
		}
	}
	if a.withdrawn < a.records {
		return fmt.Errorf("%w: %s says nothing of a package of %s", ErrRefused, r.path, r.ecosystem)
	}
	return nil
}

// readAll gives each worker a share of the entries, in small lots so that all end together.
func (r *archiveReader) readAll(ctx context.Context) error {
	const lot = 256
	files := r.zip.Entries
	var next atomic.Int64
	workers := min(runtime.GOMAXPROCS(0), 8, len(files)/lot+1)
	g, ctx := errgroup.WithContext(ctx)
	for range workers {
		g.Go(func() error {
			w := &archiveWorker{r: r, batch: newBatch(len(files) / workers)}
			for {
				from := int(next.Add(lot)) - lot
				if from >= len(files) {
					w.finish()
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := w.read(files[from:min(from+lot, len(files))]); err != nil {
					return err
				}
				if r.progress != nil {
					r.progress(r.done.Add(lot), int64(len(files)))
				}
			}
		})
	}
	return g.Wait()
}

// archiveWorker compiles records into a batch of its own.
type archiveWorker struct {
	r         *archiveReader
	batch     *batch
	record    record.Record
	reader    unzip.Reader
	withdrawn int
	newest    int64 // as row.modified
}

func (w *archiveWorker) finish() {
	w.r.mu.Lock()
	defer w.r.mu.Unlock()
	a := &w.r.out
	a.batches = append(a.batches, w.batch)
	a.records += len(w.batch.rows)
	a.withdrawn += w.withdrawn
	a.partial += w.batch.partial
	if at := time.UnixMicro(w.newest).UTC(); at.After(a.newest) {
		a.newest = at
	}
}

// read reads some entries. A record that cannot be read is counted; a bomb ends it all.
func (w *archiveWorker) read(entries []unzip.Entry) error {
	for i := range entries {
		e := &entries[i]
		if !strings.HasSuffix(e.Name, ".json") {
			continue
		}
		if err := w.r.checkSize(e); err != nil {
			return err
		}
		if err := w.readOne(e); err != nil {
			w.r.bad(e.Name)
		}
	}
	return nil
}

// checkSize refuses an archive with an entry that is made to exhaust its reader. The sizes
// are those announced; reading stops at them.
func (r *archiveReader) checkSize(e *unzip.Entry) error {
	size := e.Unpacked
	if size > record.MaxSize {
		return fmt.Errorf("%w: %s: %.100q unpacks to %d bytes", ErrRefused, r.path, e.Name, size)
	}
	if size > minBomb && size/maxRatio > e.Packed {
		return fmt.Errorf("%w: %s: %.100q unpacks to %d times its size", ErrRefused, r.path, e.Name, size/max(1, e.Packed))
	}
	if r.unpacked.Add(int64(size)) > maxUnpacked {
		return fmt.Errorf("%w: %s unpacks to more than %d bytes", ErrRefused, r.path, int64(maxUnpacked))
	}
	return nil
}

func (w *archiveWorker) readOne(e *unzip.Entry) error {
	text, err := w.reader.Read(w.r.zip, e)
	if err != nil {
		return err
	}
	if err := w.batch.compile(text, &w.record, w.r.ecosystem); err != nil {
		return err
	}
	added := &w.batch.rows[len(w.batch.rows)-1]
	if added.withdrawn {
		w.withdrawn++
	}
	w.newest = max(w.newest, added.modified)
	return nil
}

// compile decodes one record and adds it. A panic in a library is a bad record.
func (x *batch) compile(text string, r *record.Record, ecosystem string) (err error) {
	rows, entries := len(x.rows), len(x.entries)
	defer func() {
		if p := recover(); p != nil {
			x.rows, x.entries = x.rows[:rows], x.entries[:entries]
			err = fmt.Errorf("stopped by an internal fault: %v", p)
		}
	}()
	if err := record.Decode(text, r); err != nil {
		return err
	}
	if err := r.Check(); err != nil {
		return err
	}
	x.add(r, ecosystem)
	return nil
}

func (r *archiveReader) bad(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.out.bad++
	if len(r.out.badNames) < maxBadNames {
		r.out.badNames = append(r.out.badNames, fmt.Sprintf("%.100q", name))
	}
}

// soleEcosystem returns the one ecosystem that the first records all name.
func (r *archiveReader) soleEcosystem() (string, error) {
	const enough = 200
	counts := make(map[string]int)
	read := 0
	var reader unzip.Reader
	var rec record.Record
	for i := range r.zip.Entries {
		e := &r.zip.Entries[i]
		if read == enough || e.Unpacked > record.MaxSize {
			break
		}
		text, err := reader.Read(r.zip, e)
		if err != nil || record.Decode(text, &rec) != nil {
			continue // counted when it is read for good
		}
		read++
		seen := make(map[string]bool)
		for i := range rec.Affected {
			name, _ := splitEcosystem(rec.Affected[i].Ecosystem)
			if name != "" && !seen[name] {
				seen[name] = true
				counts[strings.Clone(name)]++
			}
		}
	}
	var sole []string
	for name, n := range counts {
		if n == read {
			sole = append(sole, name)
		}
	}
	if len(sole) != 1 {
		return "", fmt.Errorf("its records are not of one ecosystem; put it at <Ecosystem>/all.zip and import the folder")
	}
	return sole[0], nil
}

// findArchives lists the zip files at path with the ecosystem of each ("" when the zip is
// named itself). Where a folder has one of an ecosystem twice, the first is taken.
func findArchives(path string) ([]found, error) {
	if strings.HasSuffix(path, ".zip") {
		return []found{{path, ""}}, nil
	}
	var list []found
	seen := make(map[string]bool)
	for _, dir := range [...]string{path, filepath.Join(path, "osv-scalibr")} {
		entries, err := os.ReadDir(dir)
		if err != nil && dir == path {
			return nil, err
		}
		for _, e := range entries {
			file := filepath.Join(dir, e.Name(), "all.zip")
			if _, err := os.Stat(file); err == nil && !seen[e.Name()] {
				seen[e.Name()] = true
				list = append(list, found{file, e.Name()})
			}
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s holds no <Ecosystem>/all.zip", path)
	}
	return list, nil
}

// found is one archive on disk.
type found struct{ path, ecosystem string }
