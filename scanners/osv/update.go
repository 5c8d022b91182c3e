package osv

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// DefaultURL is the public OSV bucket (https://google.github.io/osv.dev/data/).
const DefaultURL = "https://osv-vulnerabilities.storage.googleapis.com"

// The public sources of what is exploited: CISA's catalogue
// (https://www.cisa.gov/known-exploited-vulnerabilities-catalog) and FIRST's daily scores
// (https://www.first.org/epss/data_stats).
const (
	DefaultKEVURL  = "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json"
	DefaultEPSSURL = "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz"
)

// DefaultEcosystems are the ecosystems of the manifests that Landwaiter reads, by OSV name.
func DefaultEcosystems() []string {
	return []string{"crates.io", "GitHub Actions", "Go", "Hackage", "Hex", "Maven", "npm",
		"NuGet", "Packagist", "Pub", "PyPI", "RubyGems", "SwiftURL"}
}

// UpdateOptions steer Update. The zero value refreshes what is there from the public bucket.
type UpdateOptions struct {
	URL    string       // of the bucket, or of a mirror with the same layout; "" means DefaultURL
	Client *http.Client // nil means one with time limits on each step
	// Ecosystems to refresh; nil means those in the index, or DefaultEcosystems when it is empty.
	Ecosystems []string
	// KEVURL and EPSSURL are where CISA's catalogue and FIRST's scores come from, such as
	// DefaultKEVURL; "" or "off" leaves what is there as it is.
	KEVURL, EPSSURL string
	// ExploitsAge is how old both may be before they are asked for again; 0 asks every time.
	ExploitsAge time.Duration
	Full        bool             // take whole archives even where changes would do
	Force       bool             // as in ImportOptions
	Progress    func(Progress)   // as in ImportOptions
	Now         func() time.Time // nil means time.Now
}

// Update refreshes the index from the OSV bucket: only what changed since the last time
// where that is little, whole archives otherwise. An interrupted download goes on where it
// stopped. Refusals are as for Import; an ecosystem that cannot be refreshed stays as it
// was, and the error names each.
func (x *Index) Update(ctx context.Context, o UpdateOptions) (Imported, error) {
	base := strings.TrimSuffix(o.URL, "/")
	if base == "" {
		base = DefaultURL
	}
	if u, err := url.Parse(base); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return Imported{}, fmt.Errorf("updating advisories: %q is no http(s) URL of an OSV bucket", base)
	}
	r, err := x.begin()
	if err != nil {
		return Imported{}, err
	}
	defer r.end()
	r.force, r.progress = o.Force, o.Progress
	u := &updater{refresh: r, bucket: bucket{base: base, client: o.Client}, full: o.Full, now: clock(o.Now)}
	if u.client == nil {
		u.client = patientClient()
	}
	for _, name := range u.wanted(o.Ecosystems) {
		note := &ImportedEcosystem{Ecosystem: name}
		if err := u.update(ctx, name, note); err != nil {
			note.Err = err
		}
		r.done[name] = note
		if err := ctx.Err(); err != nil {
			return Imported{}, err
		}
	}
	for _, s := range [...]exploitSource{{"KEV", o.KEVURL}, {"EPSS", o.EPSSURL}} {
		u.updateExploits(ctx, s, o.ExploitsAge)
	}
	if err := ctx.Err(); err != nil {
		return Imported{}, err
	}
	return r.commit()
}

// patientClient waits for large downloads but not for silence; see stallLimit.
func patientClient() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: 15 * time.Second}).DialContext
	t.ResponseHeaderTimeout = 30 * time.Second
	t.MaxIdleConnsPerHost = fetchers
	return &http.Client{Transport: t}
}

// updater is an Update under way.
type updater struct {
	*refresh
	bucket
	full bool
	now  func() time.Time
}

// wanted returns the ecosystems to refresh, without release or registry.
func (u *updater) wanted(names []string) []string {
	if names == nil {
		for name := range u.meta {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		names = DefaultEcosystems()
	}
	var out []string
	for _, name := range names {
		if name, _ = splitEcosystem(name); name != "" {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// update refreshes one ecosystem.
func (u *updater) update(ctx context.Context, name string, note *ImportedEcosystem) error {
	meta, known := u.meta[name]
	fetched := u.now()
	if known && !u.full && !meta.Newest.IsZero() {
		err := u.changes(ctx, name, meta, fetched, note)
		if !errors.Is(err, errWantsArchive) {
			return err
		}
	}
	return u.archive(ctx, name, fetched, note)
}

// archive downloads and reads the whole archive of one ecosystem.
func (u *updater) archive(ctx context.Context, name string, fetched time.Time, note *ImportedEcosystem) error {
	dir := filepath.Join(u.x.dir, "partial")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	path := filepath.Join(dir, url.PathEscape(name)+".zip")
	n, err := u.download(ctx, name+"/all.zip", path, func(done, total int64) { u.tell(name, "download", done, total) })
	note.Bytes += n
	if err != nil {
		return err
	}
	meta := ecosystemMeta{Fetched: fetched, Source: u.base}
	err = u.replace(ctx, found{path, name}, meta, note)
	// A refused archive would be refused again, and one that was read is in the index.
	if removeErr := os.Remove(path); err == nil && removeErr != nil {
		err = removeErr
	}
	if err == nil {
		err = note.Err
	}
	return err
}
