// Package differential_test runs OSV-Scanner beside scanners/osv. It lies apart because the
// engine is ten times larger than what it is compared with.
package differential_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/osv-scalibr/extractor"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/metadata"
	"github.com/google/osv-scanner/v2/pkg/models"
	"github.com/google/osv-scanner/v2/pkg/osvscanner"
	"github.com/ossf/osv-schema/bindings/go/osvschema"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/osv"
)

// The differential tests run OSV-Scanner's own engine beside ours. It extracts; both match
// what it extracted. docs/differences.md explains each difference that they allow.

// bucketOf reads folders of <Ecosystem>/all.zip or <Ecosystem>.jsonl, and returns the
// records of each ecosystem by id. A later folder adds to an earlier one.
func bucketOf(t testing.TB, dirs ...string) map[string]map[string][]byte {
	t.Helper()
	all := make(map[string]map[string][]byte)
	add := func(ecosystem string, data []byte) {
		var r struct{ ID string }
		if err := json.Unmarshal(data, &r); err != nil {
			t.Fatal(err)
		}
		if all[ecosystem] == nil {
			all[ecosystem] = make(map[string][]byte)
		}
		all[ecosystem][r.ID] = data
	}
	for _, dir := range dirs {
		zips, _ := filepath.Glob(filepath.Join(dir, "*", "all.zip")) // the pattern is right
		lists, _ := filepath.Glob(filepath.Join(dir, "*.jsonl"))
		if len(zips)+len(lists) == 0 {
			t.Fatalf("%s holds no advisories", dir)
		}
		for _, file := range lists {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for line := range bytes.Lines(data) {
				add(strings.TrimSuffix(filepath.Base(file), ".jsonl"), line)
			}
		}
		for _, file := range zips {
			for _, record := range unzipped(t, file) {
				add(filepath.Base(filepath.Dir(file)), record)
			}
		}
	}
	return all
}

// unzipped returns the contents of a zip file.
func unzipped(t testing.TB, path string) [][]byte {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	var out [][]byte
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, data)
	}
	return out
}

// zipped returns a zip file of records, by id.
func zipped(t testing.TB, records map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for id, record := range records {
		w, err := z.Create(id + ".json")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(record)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// put writes data as <dir>/<ecosystem>/all.zip.
func put(t testing.TB, dir, ecosystem string, data []byte) {
	t.Helper()
	path := filepath.Join(dir, ecosystem, "all.zip")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// oracle is OSV-Scanner on the same records as an index of ours.
type oracle struct {
	index   *osv.Index
	local   string            // folder with osv-scalibr/<Ecosystem>/all.zip
	records map[string][]byte // by id
	empty   string            // a configuration that says nothing
}

func newOracle(t testing.TB, dirs ...string) *oracle {
	t.Helper()
	o := &oracle{local: t.TempDir(), records: make(map[string][]byte), empty: filepath.Join(t.TempDir(), "osv-scanner.toml")}
	if err := os.WriteFile(o.empty, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for ecosystem, records := range bucketOf(t, dirs...) {
		texts := make(map[string]string)
		for id, record := range records {
			if protojson.Unmarshal(record, &osvschema.Vulnerability{}) != nil {
				continue // OSV-Scanner passes over it in silence; see docs/differences.md
			}
			texts[id], o.records[id] = string(record), record
		}
		put(t, filepath.Join(o.local, "osv-scalibr"), ecosystem, zipped(t, texts))
	}
	// Without a database of an ecosystem that a lock file names, the engine stops matching
	// in the middle: a git dependency is of the ecosystem GIT.
	defer func() {
		for _, ecosystem := range [...]string{"GIT", "CRAN", "ConanCenter"} {
			put(t, filepath.Join(o.local, "osv-scalibr"), ecosystem, zipped(t, nil))
		}
	}()
	var err error
	if o.index, err = osv.Open(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.index.Close() })
	if _, err := o.index.Import(t.Context(), o.local, osv.ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	return o
}

// actions are what OSV-Scanner is asked: the lock files under dirs, nothing else of it.
func (o *oracle) actions(dirs []string) osvscanner.ScannerActions {
	a := osvscanner.ScannerActions{
		DirectoryPaths: dirs, Recursive: true, NoIgnore: true, ConfigOverridePath: o.empty,
		ShowAllPackages: true, ShowAllVulns: true,
	}
	a.PluginsEnabled, a.PluginsNoDefaults = []string{"lockfile"}, true
	a.TransitiveScanning.Disabled = true
	return a
}

func rawScan(t testing.TB, a osvscanner.ScannerActions) models.VulnerabilityResults {
	t.Helper()
	quiet.Do(func() { osvscanner.SetLogger(slog.DiscardHandler) })
	out, err := osvscanner.DoScan(a)
	if err != nil && !errors.Is(err, osvscanner.ErrVulnerabilitiesFound) && !errors.Is(err, osvscanner.ErrNoPackagesFound) {
		t.Fatal(err)
	}
	return out
}

var quiet sync.Once

// offline runs it on the zips, whose records it matches itself. It reads them all each time.
func (o *oracle) offline(t testing.TB, dirs ...string) results {
	a := o.actions(dirs)
	a.CompareOffline, a.LocalDBPath = true, o.local
	return foundBy(rawScan(t, a))
}

// overIndex runs it with our index in the place of the API of osv.dev.
func (o *oracle) overIndex(t testing.TB, dirs ...string) models.VulnerabilityResults {
	a := o.actions(dirs)
	a.HTTPClient = &http.Client{Transport: o}
	return rawScan(t, a)
}

// RoundTrip answers as api.osv.dev does: POST /v1/querybatch and GET /v1/vulns/<id>.
func (o *oracle) RoundTrip(req *http.Request) (*http.Response, error) {
	if id, ok := strings.CutPrefix(req.URL.Path, "/v1/vulns/"); ok && req.Method == http.MethodGet {
		if record, ok := o.records[id]; ok {
			return answer(req, http.StatusOK, record), nil
		}
		return answer(req, http.StatusNotFound, []byte(`{}`)), nil
	}
	if req.Method != http.MethodPost || req.URL.Path != "/v1/querybatch" {
		return nil, fmt.Errorf("nothing else is answered: %s %s", req.Method, req.URL)
	}
	var in struct{ Queries []osvQuery }
	if err := json.NewDecoder(req.Body).Decode(&in); err != nil {
		return nil, err
	}
	var out struct {
		Results []osvResult `json:"results"`
	}
	for _, q := range in.Queries {
		ids, err := o.recordsOf(checks.Package{Ecosystem: q.Package.Ecosystem, Name: q.Package.Name, Version: q.Version})
		if err != nil {
			return nil, err
		}
		var r osvResult
		for _, id := range ids {
			r.Vulns = append(r.Vulns, osvID{id})
		}
		out.Results = append(out.Results, r)
	}
	body, err := json.Marshal(out)
	return answer(req, http.StatusOK, body), err
}

type osvQuery struct {
	Package struct{ Ecosystem, Name, PURL string }
	Version string
	Commit  string
}

type osvResult struct {
	Vulns []osvID `json:"vulns,omitempty"`
}

type osvID struct {
	ID string `json:"id"`
}

func answer(req *http.Request, status int, body []byte) *http.Response {
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body)),
	}
}

// recordsOf are the ids of the records that affect p, sorted. What cannot be matched has none.
func (o *oracle) recordsOf(p checks.Package) ([]string, error) {
	ids, err := o.index.Records(p)
	if errors.Is(err, osv.ErrNoData) || errors.Is(err, osv.ErrVersion) {
		err = nil
	}
	return ids, err
}

// named is a package as OSV-Scanner names it.
type named struct{ path, ecosystem, name, version string }

func (n named) pkg() checks.Package {
	return checks.Package{Ecosystem: n.ecosystem, Name: n.name, Version: n.version}
}

// found is what OSV-Scanner says of each package: the ids of the records, and its groups.
// A package that a lock file names at two places is one: the engine attaches what it finds
// to one of them.
func foundBy(out models.VulnerabilityResults) results {
	all := make(results)
	for _, source := range out.Results {
		for _, p := range source.Packages {
			n := named{source.Source.Path, p.Package.Ecosystem, p.Package.Name, p.Package.Version}
			if all[n] == nil {
				all[n] = &foundOf{}
			}
			all[n].local = all[n].local || isLocal(p.Package.Inventory)
			for _, v := range p.Vulnerabilities {
				all[n].ids = append(all[n].ids, v.GetId())
			}
			for _, g := range p.Groups {
				all[n].groups = append(all[n].groups, together(g.Aliases, g.IDs...))
			}
		}
	}
	for _, f := range all {
		slices.Sort(f.ids)
		f.ids = slices.Compact(f.ids)
		slices.SortFunc(f.groups, slices.Compare)
		f.groups = slices.CompactFunc(f.groups, slices.Equal)
	}
	return all
}

// results are what OSV-Scanner found, by package.
type results map[named]*foundOf

// below are the results about files below dir.
func (r results) below(dir string) results {
	out := make(results)
	for n, f := range r {
		if strings.HasPrefix(n.path, dir+string(filepath.Separator)) {
			out[n] = f
		}
	}
	return out
}

type foundOf struct {
	ids    []string
	groups [][]string
	local  bool // it lies in the project, or in the package above it, not in the registry
}

// isLocal says whether OSV-Scanner takes an npm package for one that no advisory is about:
// one that is linked, or bundled with another package. We match bundled ones.
func isLocal(p *extractor.Package) bool {
	if p == nil {
		return false
	}
	m, ok := p.Metadata.(interface {
		PackageSource() metadata.NPMPackageSource
	})
	return ok && m.PackageSource() == metadata.Local
}

// compare matches every package that OSV-Scanner extracted with our index, and fails on
// each record that only one of the two finds without a cause.
func (o *oracle) compare(t testing.TB, all results) {
	t.Helper()
	for n, theirs := range all {
		ours, err := o.recordsOf(n.pkg())
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range together(theirs.ids, ours...) {
			d := difference{
				found: found{n.path, n.ecosystem, normalName(n.ecosystem, n.name), n.version, id},
				ours:  slices.Contains(ours, id), pkg: n.pkg(), record: o.records[id], theirs: theirs,
			}
			if both := d.ours && slices.Contains(theirs.ids, id); !both && !explained(d) {
				t.Error(d)
			}
		}
	}
}

// together are the texts of both lists, sorted, each once.
func together(a []string, b ...string) []string {
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}

// compareGroups checks that our Advisories are OSV-Scanner's groups.
func (o *oracle) compareGroups(t testing.TB, all results) {
	t.Helper()
	for n, theirs := range all {
		if theirs.local && len(theirs.groups) == 0 {
			continue
		}
		advisories, err := o.index.Lookup(n.pkg())
		if err != nil && !errors.Is(err, osv.ErrNoData) && !errors.Is(err, osv.ErrVersion) {
			t.Fatal(err)
		}
		var ours [][]string
		for _, a := range advisories {
			ours = append(ours, together(a.Aliases, a.ID))
		}
		slices.SortFunc(ours, slices.Compare)
		if diff := cmp.Diff(theirs.groups, ours); diff != "" {
			t.Errorf("%v: groups of OSV-Scanner (-) and ours (+):\n%s", n, diff)
		}
	}
}

// corpus is the folder of the large samples, where there is one.
func corpus(t testing.TB, parts ...string) string {
	t.Helper()
	dir := os.Getenv("LANDWAITER_CORPUS")
	if dir == "" {
		t.Skip("needs LANDWAITER_CORPUS, the folder of the large samples")
	}
	return filepath.Join(append([]string{dir}, parts...)...)
}

// pair is one row of the corpus' pairs.json.
type pair struct {
	ID        string
	Reference struct {
		Note       string
		VulnsBase  int        `json:"vulns_base"`
		VulnsHead  int        `json:"vulns_head"`
		Fixed      [][]string `json:"fixed_by_head"`
		Introduced [][]string `json:"introduced_by_head"`
	}
}

func pairs(t testing.TB, file string) []pair {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var list struct{ Pairs []pair }
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	return list.Pairs
}

// TestDifferential is TestDifferentialCorpus on the samples in testdata.
func TestDifferential(t *testing.T) {
	t.Parallel()
	o := newOracle(t, filepath.Join("testdata", "advisories"))
	root, err := filepath.Abs(filepath.Join("testdata", "pairs"))
	if err != nil {
		t.Fatal(err)
	}
	o.comparePairs(t, root, pairs(t, filepath.Join(root, "pairs.json")), 1)
}

// TestDifferentialCorpus: on every lock file of the corpus OSV-Scanner and we find the same
// records for the same packages, whoever extracted them, make the same groups of them (looked
// at on every fifth), and agree with what OSV-Scanner 2.5.1 is recorded to have found.
func TestDifferentialCorpus(t *testing.T) {
	t.Parallel()
	o := newOracle(t, corpus(t, "osv"), corpus(t, "osv-converted"))
	list := pairs(t, corpus(t, "lockfiles", "pairs.json"))
	if raceDetector { // ten times slower, and no more than the sample to see
		var some []pair
		for i := 0; i < len(list); i += 10 {
			some = append(some, list[i])
		}
		list = some
	}
	o.comparePairs(t, corpus(t, "lockfiles", "pairs"), list, 5)
}

// comparePairs compares on all pairs below root, and the groups of every nth one.
//
// The engine runs once for a handful of pairs: it reads its whole database each time, and
// then compares each record with each package.
func (o *oracle) comparePairs(t *testing.T, root string, list []pair, nth int) {
	const handful = 5
	for first := 0; first < len(list); first += handful {
		some := list[first:min(first+handful, len(list))]
		t.Run(some[0].ID, func(t *testing.T) {
			t.Parallel()
			var all, grouped []string
			for i, p := range some {
				dir := filepath.Join(root, p.ID)
				if all = append(all, dir); (first+i)%nth == 0 {
					grouped = append(grouped, dir)
				}
			}
			offline := o.offline(t, all...)
			for i, p := range some {
				t.Run(p.ID, func(t *testing.T) { o.check(t, all[i], p, offline.below(all[i])) })
			}
			o.compareGroups(t, foundBy(o.overIndex(t, grouped...)))
		})
	}
}

// check compares on the lock files of one pair, which lie in base and head under dir.
func (o *oracle) check(t *testing.T, dir string, p pair, offline results) {
	t.Helper()
	o.compare(t, offline)
	o.sameFindings(t, dir, offline)
	if p.Reference.Note != "" {
		return // OSV-Scanner could not read the file
	}
	base, head := o.ours(t, offline.below(filepath.Join(dir, "base"))), o.ours(t, offline.below(filepath.Join(dir, "head")))
	if len(base) != p.Reference.VulnsBase || len(head) != p.Reference.VulnsHead {
		t.Errorf("%d and %d records, the reference has %d and %d", len(base), len(head), p.Reference.VulnsBase, p.Reference.VulnsHead)
	}
	if diff := cmp.Diff(joined(p.Reference.Fixed), only(base, head)); diff != "" {
		t.Errorf("fixed by the head, the reference (-) and ours (+):\n%s", diff)
	}
	if diff := cmp.Diff(joined(p.Reference.Introduced), only(head, base)); diff != "" {
		t.Errorf("introduced by the head, the reference (-) and ours (+):\n%s", diff)
	}
}

// ours is what we find in what OSV-Scanner extracted: for each record and each package with
// its version, one "<id> <ecosystem> <name>".
func (o *oracle) ours(t *testing.T, all results) []string {
	t.Helper()
	var out []string
	for n := range all {
		ids, err := o.recordsOf(n.pkg())
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range ids {
			out = append(out, id+" "+n.ecosystem+" "+n.name)
		}
	}
	return out
}

func joined(list [][]string) []string {
	var out []string
	for _, l := range list {
		out = append(out, strings.Join(l, " "))
	}
	slices.Sort(out)
	return out
}

// only are the texts of a that are not in b, sorted, each once.
func only(a, b []string) []string {
	var out []string
	for _, s := range a {
		if !slices.Contains(b, s) {
			out = append(out, s)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
