package registry_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/registry"
	"github.com/landwaiter/landwaiter/scanners/registry/registrytest"
)

// clock is a clock that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// bench is a scanner beside a stand-in.
type bench struct {
	*registry.Scanner
	api   *registrytest.API
	clock *clock
	url   string
	dir   string
}

func newBench(t *testing.T, change ...func(*registry.Options)) *bench {
	t.Helper()
	b := &bench{api: registrytest.New(), clock: newClock(), dir: filepath.Join(t.TempDir(), "registry")}
	server := httptest.NewServer(b.api)
	t.Cleanup(server.Close)
	b.url = server.URL
	b.Scanner = b.scanner(t, change...)
	return b
}

// scanner returns another scanner with the same stand-in and cache.
func (b *bench) scanner(t *testing.T, change ...func(*registry.Options)) *registry.Scanner {
	t.Helper()
	o := registry.Options{URL: b.url, Dir: b.dir, Now: b.clock.now, Deadline: 5 * time.Minute}
	for _, f := range change {
		f(&o)
	}
	s, err := registry.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func offline(o *registry.Options) { o.URL = "" }

func (b *bench) scan(t *testing.T, m *checks.Material) checks.Evidence {
	t.Helper()
	return scan(t, b.Scanner, m)
}

func scan(t *testing.T, s *registry.Scanner, m *checks.Material) checks.Evidence {
	t.Helper()
	e, err := s.Scan(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// tree is a tree with one manifest of packages: "npm left-pad 1.3.0".
func tree(packages ...string) checks.Tree {
	m := checks.Manifest{Path: "lock"}
	for _, text := range packages {
		f := strings.Fields(text)
		m.Packages = append(m.Packages, checks.Package{Ecosystem: f[0], Name: f[1], Version: strings.Join(f[2:], "")})
	}
	return checks.Tree{Inventory: checks.Inventory{Manifests: []checks.Manifest{m}}}
}

// brings is a change that brings in packages.
func brings(packages ...string) *checks.Material {
	return &checks.Material{Compared: true, Head: tree(packages...), AskRegistry: true}
}

func date(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

func TestFacts(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := b.scan(t, brings(
		"npm left-pad 1.3.0", "npm request 2.88.2", "npm @sigstore/bundle 2.2.0", "npm unproven 1.0.0", "PyPI quarantined 1.0", "PyPI archived 1.0",
		"Go github.com/gorilla/mux 1.8.1", "Maven io.grpc:grpc-core 1.80.0", "crates.io serde 1.0.200", "NuGet Newtonsoft.Json 13.0.3", "RubyGems json 2.7.2",
		"npm nobody-knows-this 1.0.0"))
	host := strings.TrimPrefix(b.url, "http://")
	fact := func(ecosystem, name, version string, f checks.Fact) checks.Fact {
		f.Ecosystem, f.Name, f.Version, f.Source, f.Time = ecosystem, name, version, host, b.clock.now()
		return f
	}
	want := checks.Evidence{
		Scanner: "registry", Complete: true,
		Facts: []checks.Fact{
			fact("Go", "github.com/gorilla/mux", "1.8.1", checks.Fact{Licence: "BSD-3-Clause", Published: date("2023-10-18T11:23:00Z")}),
			fact("Maven", "io.grpc:grpc-core", "1.80.0", checks.Fact{Licence: "Apache-2.0", Published: date("2026-03-17T14:01:05Z")}),
			// Published in 1900: not told.
			fact("NuGet", "Newtonsoft.Json", "13.0.3", checks.Fact{Licence: "MIT"}),
			fact("PyPI", "archived", "1.0", checks.Fact{Licence: "MIT", Published: date("2025-01-01T00:00:00Z"), Deprecated: "moved to another name", Provenance: checks.No}),
			fact("PyPI", "quarantined", "1.0", checks.Fact{Licence: "MIT", Published: date("2025-01-01T00:00:00Z"), Yanked: true, Provenance: checks.No}),
			fact("RubyGems", "json", "2.7.2", checks.Fact{Licence: "(Ruby) AND (BSD-2-Clause OR MIT) AND LicenseRef-non-standard", Published: date("2024-04-04T00:00:00Z")}),
			fact("crates.io", "serde", "1.0.200", checks.Fact{Licence: "Apache-2.0 OR MIT", Published: date("2024-05-01T06:28:42Z")}),
			fact("npm", "@sigstore/bundle", "2.2.0", checks.Fact{Licence: "Apache-2.0", Published: date("2024-02-16T15:00:00Z"), Provenance: checks.Yes}),
			fact("npm", "left-pad", "1.3.0", checks.Fact{Licence: "WTFPL", Published: date("2018-04-09T00:17:14Z"), Deprecated: "use String.prototype.padStart()", Provenance: checks.No}),
			// Nothing but the source and the time: it knows no such version.
			fact("npm", "nobody-knows-this", "1.0.0", checks.Fact{}),
			fact("npm", "request", "2.88.2", checks.Fact{Licence: "Apache-2.0", Published: date("2020-02-11T16:35:34Z"), Deprecated: "deprecated", Provenance: checks.No}),
			// Attestations that are not genuine say nothing.
			fact("npm", "unproven", "1.0.0", checks.Fact{Licence: "MIT", Published: date("2024-02-16T15:00:00Z")}),
		},
	}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, calls := b.api.Asked(); calls != 1 {
		t.Errorf("%d calls, want one for all", calls)
	}
}

func TestNewestVersion(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	packages := []string{"npm request 2.88.2", "Maven io.grpc:grpc-core 1.80.0", "npm left-pad 1.2.0", "npm left-pad 1.3.0", "npm nobody-knows-this 1.0.0", "crates.io serde 1.0.200"}
	newest := func(e checks.Evidence) map[string]string {
		found := map[string]string{}
		for _, f := range e.Facts {
			found[f.Name+" "+f.Version] = f.Newest.Format(time.RFC3339)
		}
		return found
	}
	const none = "0001-01-01T00:00:00Z"
	got := newest(b.scan(t, brings(packages...)))
	for name, at := range got {
		if at != none {
			t.Errorf("nobody asked for the newest version of %s, told %s", name, at)
		}
	}
	b.api.Forget()
	m := brings(packages...)
	m.AskNewest = true
	want := map[string]string{
		"request 2.88.2": "2020-02-11T16:35:34Z", "left-pad 1.2.0": "2018-04-09T00:17:14Z", "left-pad 1.3.0": "2018-04-09T00:17:14Z",
		"io.grpc:grpc-core 1.80.0": "2026-03-17T14:01:05Z",
		"nobody-knows-this 1.0.0":  none, "serde 1.0.200": none, // the stand-in has no list of serde's versions
	}
	if diff := cmp.Diff(want, newest(b.scan(t, m))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	asked, _ := b.api.Asked()
	// grpc-core is 15 days old: younger than any package that counts as abandoned.
	wantAsked := []registrytest.Key{{System: "CARGO", Name: "serde"}, {System: "NPM", Name: "left-pad"}, {System: "NPM", Name: "request"}}
	if diff := cmp.Diff(wantAsked, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

func TestOnlyWhatAChangeBringsInIsAsked(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := brings("npm same 1.0.0", "npm left-pad 1.3.0", "npm no-version", "Packagist acme/x 1.0.0", "Go stdlib 1.22.0", "Go corp/tool 1.0.0",
		"Maven artifact-alone 1.0", "npm zero\u200bwidth 1.0.0")
	m.Base = tree("npm same 1.0.0", "npm left-pad 1.2.0", "npm gone 1.0.0")
	e := b.scan(t, m)
	asked, _ := b.api.Asked()
	want := []registrytest.Key{{System: "NPM", Name: "left-pad", Version: "1.2.0"}, {System: "NPM", Name: "left-pad", Version: "1.3.0"}}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	if !e.Complete || len(e.Facts) != 2 {
		t.Errorf("complete %v, facts %v", e.Complete, e.Facts)
	}
}

func TestNothingIsAskedWithoutARule(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := brings("npm left-pad 1.3.0")
	if e := b.scan(t, m); len(e.Facts) != 1 {
		t.Fatalf("the baseline has %d facts", len(e.Facts))
	}
	b.api.Forget()
	m = brings("npm left-pad 1.2.0")
	m.AskRegistry, m.AskNewest = false, true
	e := b.scan(t, m)
	if _, calls := b.api.Asked(); calls != 0 || !e.Complete || len(e.Facts) != 0 {
		t.Errorf("%d calls, evidence %+v", calls, e)
	}
}

// TestG32PrivateNamesStayInside is the promise of docs/registry.md: what LANDWAITER_PRIVATE_PACKAGES
// covers is in no request.
func TestG32PrivateNamesStayInside(t *testing.T) {
	t.Parallel()
	private, err := registry.ParsePrivate("npm:@acme/*, maven:com.acme.*,pypi:Acme_Tools\ngo:git.acme.example/*,go:*.corp.example, cargo:acme-*,nuget:Acme.*,gem:acme")
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, func(o *registry.Options) { o.Private = private })
	var seen strings.Builder
	b.api.Fail(func(w http.ResponseWriter, r *http.Request) bool {
		fmt.Fprintln(&seen, r.URL, r.Header)
		return false
	})
	e := b.scan(t, brings(
		"npm @acme/billing 1.0.0", "npm @ACME/Other 1.0.0", "Maven com.acme.pay:core 1.0", "PyPI acme-tools 1.0", "PyPI acme.tools 1.0",
		"Go git.acme.example/secret/module 1.0.0", "Go x.corp.example/tool/v2 2.0.0", "crates.io acme-core 1.0.0", "NuGet acme.Web 1.0.0", "RubyGems acme 1.0",
		"npm acme 1.0.0", "PyPI acme-tools-public 1.0", "Go git.acme.example.org/x 1.0.0", "RubyGems acme2 1.0"))
	asked, _ := b.api.Asked()
	want := []registrytest.Key{
		{System: "GO", Name: "git.acme.example.org/x", Version: "v1.0.0"}, {System: "NPM", Name: "acme", Version: "1.0.0"},
		{System: "PYPI", Name: "acme-tools-public", Version: "1.0"}, {System: "RUBYGEMS", Name: "acme2", Version: "1.0"},
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	var withheld []string
	for _, f := range e.Facts {
		if f.Withheld {
			withheld = append(withheld, f.Name)
			if diff := cmp.Diff(checks.Fact{Ecosystem: f.Ecosystem, Name: f.Name, Version: f.Version, Withheld: true}, f); diff != "" {
				t.Errorf("more is told of a private package (-want +got):\n%s", diff)
			}
		}
	}
	if !e.Complete || len(withheld) != 10 || len(e.Facts) != 14 {
		t.Errorf("complete %v, %d facts, withheld %v", e.Complete, len(e.Facts), withheld)
	}
	if strings.Contains(seen.String(), "secret") {
		t.Errorf("a private name went out:\n%s", seen.String())
	}
}

func TestPatternsThatAreNone(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"@acme/*":      `"@acme/*" names no ecosystem; write it as in npm:@acme/*, with one of cargo, gem, go, golang, maven, npm, nuget, pypi`,
		"composer:x/y": `"composer:x/y" names no ecosystem; write it as in npm:@acme/*, with one of cargo, gem, go, golang, maven, npm, nuget, pypi`,
		"npm:":         `"npm:" is no pattern; write a name, or its start with a * at the end`,
		"npm:*-acme":   `"npm:*-acme" is no pattern; write a name, or its start with a * at the end`,
		"go:[":         `"go:[" is no pattern of module paths: syntax error in pattern`,
	} {
		if _, err := registry.ParsePrivate(text); err == nil || err.Error() != want {
			t.Errorf("ParsePrivate(%q) = %v\nwant %s", text, err, want)
		}
	}
}

func TestLargeChangesAreAskedInPages(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.api.PageSize = 30
	var packages []string
	for i := range 2100 {
		packages = append(packages, fmt.Sprintf("npm package-%04d 1.0.0", i))
	}
	e := b.scan(t, brings(packages...))
	if len(e.Facts) != 2000 || e.Complete {
		t.Errorf("%d facts, complete %v", len(e.Facts), e.Complete)
	}
	want := []checks.Gap{{Reason: "registries are asked about 2000 packages at once, and 100 more are to be judged"}}
	if diff := cmp.Diff(want, e.Gaps); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if asked, calls := b.api.Asked(); len(asked) != 2000 || calls != 20*4 {
		t.Errorf("%d asked in %d calls", len(asked), calls)
	}
	m := brings(packages[:1900]...)
	m.AskNewest = true
	b.api.Forget()
	if e := b.scan(t, m); !e.Complete {
		t.Errorf("packages that nobody knows have no newest version to ask for: %v", e.Gaps)
	}
}

func TestCacheOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := brings("npm left-pad 1.3.0", "npm nobody-knows-this 1.0.0")
	first := b.scan(t, m)
	b.api.Forget()
	for name, s := range map[string]*registry.Scanner{"the same": b.Scanner, "another": b.scanner(t), "offline": b.scanner(t, offline)} {
		if diff := cmp.Diff(first, scan(t, s, m)); diff != "" {
			t.Errorf("%s (-first +again):\n%s", name, diff)
		}
	}
	if _, calls := b.api.Asked(); calls != 0 {
		t.Fatalf("%d calls for what is in the cache", calls)
	}
	b.clock.pass(2 * time.Hour)
	b.api.Set(registrytest.Key{System: "NPM", Name: "nobody-knows-this", Version: "1.0.0"}, `{"versionKey":{"system":"NPM","name":"nobody-knows-this","version":"1.0.0"},"licenses":["MIT"]}`)
	e := scan(t, b.scanner(t), m)
	asked, _ := b.api.Asked()
	if want := []registrytest.Key{{System: "NPM", Name: "nobody-knows-this", Version: "1.0.0"}}; !cmp.Equal(asked, want) || e.Facts[1].Licence != "MIT" {
		t.Errorf("after two hours asked for %v, told %+v: an unknown version is asked for again after an hour", asked, e.Facts[1])
	}
	b.clock.pass(23 * time.Hour)
	b.api.Forget()
	if e = scan(t, b.scanner(t), m); len(e.Facts) != 2 {
		t.Fatal(e)
	}
	if asked, _ := b.api.Asked(); len(asked) != 2 && asked[0].Name != "left-pad" {
		t.Errorf("after a day asked for %v", asked)
	}
}

func TestDamagedCacheIsNoVerdict(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := brings("npm left-pad 1.3.0", "npm request 2.88.2")
	want := b.scan(t, m)
	file := filepath.Join(b.dir, "facts.jsonl")
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"half a line":       good[:len(good)/2],
		"garbage":           []byte("\x00\xff{{{\n"),
		"a very long line":  append(append([]byte(nil), strings.Repeat("x", 1<<20)...), good...),
		"no source":         []byte(`{"e":"npm","m":"left-pad","v":"1.3.0","t":"2026-04-01T12:00:00Z","k":true,"l":"MIT"}` + "\n"),
		"from the future":   []byte(`{"e":"npm","m":"left-pad","v":"1.3.0","t":"2036-04-01T12:00:00Z","s":"x","k":true,"l":"MIT"}` + "\n"),
		"older than a week": []byte(`{"e":"npm","m":"left-pad","v":"1.3.0","t":"2026-03-24T12:00:00Z","s":"x","k":true,"l":"MIT"}` + "\n"),
	} {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, scan(t, b.scanner(t), m)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(file, 0o700); err != nil { // now it cannot be written either
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, scan(t, b.scanner(t), m)); diff != "" {
		t.Errorf("not writable (-want +got):\n%s", diff)
	}
}
