package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/app/githubtest/contract"
	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store"
)

// world is the product against the stand-in: a signed webhook goes in at the front, and what
// a person would see on GitHub comes out. Only the scanner and the reader of manifests are
// scripted; the store is real.
type world struct {
	t       testing.TB
	github  *githubtest.GitHub
	app     *App
	db      *store.DB
	clock   *clock
	scanner *scanner
	log     *logBuffer
	hooks   *httptest.Server
	metrics *prometheus.Registry
	config  Config
	folder  string
}

// clock is a time that tests move by hand.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// logBuffer keeps the log for the test that looks for secrets in it.
type logBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

// newWorld returns a world with the App installed on acme, which delivers its webhooks by
// itself. change, when not nil, edits the configuration.
func newWorld(t testing.TB, o githubtest.Options, change func(*Config)) *world {
	t.Helper()
	// Tokens of the stand-in live on the real clock, so ours starts there.
	w := &world{t: t, clock: &clock{t: time.Now().UTC().Truncate(time.Second)}, scanner: &scanner{}, log: &logBuffer{}, metrics: prometheus.NewRegistry(), folder: t.TempDir()}
	o.Now = w.clock.Now
	o.AutoDeliver = true
	o.Description = contract.Description{}
	if o.Events == nil {
		o.Events = quiet()
	}
	w.github = githubtest.NewTest(t, o)
	w.config = Config{
		AppID: w.github.AppID(), PrivateKey: w.github.AppKey(), WebhookSecrets: []string{w.github.WebhookSecret()},
		APIURL: w.github.APIURL(), PublicURL: "https://landwaiter.example.com",
		Sign:     func(key string) string { return "proof-of-" + key },
		Scanners: []checks.Scanner{w.scanner}, Wanted: wantedLock, ReadInventory: readLocks, ParserVersion: "1",
		Now: w.clock.Now, Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})), Metrics: w.metrics,
	}
	if change != nil {
		change(&w.config)
	}
	w.open()
	w.hooks = httptest.NewServer(w.app.Hooks())
	t.Cleanup(w.hooks.Close)
	w.github.SetWebhookURL(w.hooks.URL)
	w.github.Install("acme")
	w.settle()
	return w
}

// quiet is every event of the table but push: the policy files with which tests set up their
// repositories would have them backfilled, beside what a test counts.
func quiet() []string {
	var names []string
	for _, e := range events {
		if e.name != "push" {
			names = append(names, e.name)
		}
	}
	return names
}

// open starts the product on the world's database.
func (w *world) open() {
	w.t.Helper()
	db, err := store.Open(context.Background(), store.Config{URL: filepath.Join(w.folder, "landwaiter.db"), Now: w.config.Now, Log: w.config.Log, Commit: w.config.Tracer.Around("store commit")})
	if err != nil {
		w.t.Fatalf("opening the store: %v", err)
	}
	w.t.Cleanup(func() { db.Close() })
	w.db = db
	w.config.Store = db
	if w.app, err = New(w.config); err != nil {
		w.t.Fatalf("making the App: %v", err)
	}
}

// settle waits until every webhook was delivered and every job that is due has run.
func (w *world) settle() {
	w.t.Helper()
	for range 200 {
		if err := w.github.Settle(context.Background()); err != nil {
			w.t.Fatalf("delivering webhooks: %v", err)
		}
		if !w.step() {
			return
		}
	}
	w.t.Fatal("the queue does not come to rest")
}

// step runs the jobs that are due now, and reports whether there were any.
func (w *world) step() bool {
	w.t.Helper()
	jobs, err := w.db.Claim(context.Background(), "test", 16, w.app.limits.lease)
	if err != nil {
		w.t.Fatalf("claiming jobs: %v", err)
	}
	for _, j := range jobs {
		w.app.work(context.Background(), j)
	}
	return len(jobs) > 0
}

// rest settles, and moves the clock on to what is due later, until nothing is due within the
// next hour.
func (w *world) rest() {
	w.t.Helper()
	for range 100 {
		w.settle()
		next, err := w.db.NextDue(context.Background())
		if err != nil || next.After(w.clock.Now().Add(time.Hour)) {
			return
		}
		w.clock.Add(max(next.Sub(w.clock.Now()), time.Millisecond))
	}
	w.t.Fatal("the queue does not come to rest in time")
}

// repo returns a repository of acme whose main branch holds files.
func (w *world) repo(name string, files githubtest.Files) *githubtest.Repo {
	w.t.Helper()
	r := w.github.Repo("acme", name, githubtest.RepoOptions{Private: true})
	r.Commit("main", "first", files)
	w.settle()
	return r
}

// run returns the newest check landwaiter/pr on a commit.
func (w *world) run(r *githubtest.Repo, sha string) githubtest.CheckRun {
	w.t.Helper()
	run, ok := r.CheckRun(sha, "landwaiter/pr")
	if !ok {
		w.t.Fatalf("there is no check landwaiter/pr on %s; buried: %s\nlog:\n%s", sha, w.buried(), w.log)
	}
	return run
}

// concluded fails the test unless the newest check on sha has the conclusion and a title that
// contains the words.
func (w *world) concluded(r *githubtest.Repo, sha, conclusion, words string) githubtest.CheckRun {
	w.t.Helper()
	run := w.run(r, sha)
	if run.Status != "completed" || run.Conclusion != conclusion || !strings.Contains(run.Output.Title, words) {
		w.t.Errorf("check on %s: status %q, conclusion %q, title %q\nwant completed, %q, a title with %q\nsummary:\n%s\nburied: %s\nlog:\n%s",
			sha, run.Status, run.Conclusion, run.Output.Title, conclusion, words, run.Output.Summary, w.buried(), w.log)
	}
	return run
}

// buried lists the causes of buried jobs.
func (w *world) buried() []string {
	w.t.Helper()
	jobs, err := w.db.Buried(context.Background(), 100)
	if err != nil {
		w.t.Fatalf("listing buried jobs: %v", err)
	}
	var list []string
	for _, j := range jobs {
		list = append(list, j.Step+" "+j.Key+": "+j.LastError)
	}
	return list
}

// reports lists all recorded reports, oldest first.
func (w *world) reports() []store.ReportSummary {
	w.t.Helper()
	all, err := w.db.Reports(context.Background(), store.ReportFilter{Limit: 500})
	if err != nil {
		w.t.Fatalf("listing reports: %v", err)
	}
	slices.Reverse(all)
	return all
}

// scanner knows two advisories out of the OSV database, and may be told to fail.
type scanner struct {
	mu    sync.Mutex
	calls int
	fail  func(ctx context.Context) error
}

func (s *scanner) Name() string { return "osv" }

func (s *scanner) Calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

func (s *scanner) Scan(ctx context.Context, m *checks.Material) (checks.Evidence, error) {
	s.mu.Lock()
	s.calls++
	fail := s.fail
	s.mu.Unlock()
	if fail != nil {
		if err := fail(ctx); err != nil {
			return checks.Evidence{}, err
		}
	}
	e := checks.Evidence{DataTime: time.Now().UTC()}
	e.Matches = append(matches(checks.Base, m.Base.Inventory), matches(checks.Head, m.Head.Inventory)...)
	for _, t := range []checks.Tree{m.Base, m.Head} {
		e.Gaps = append(e.Gaps, t.Gaps...)
		for _, manifest := range t.Inventory.Manifests {
			if manifest.Gap != "" {
				e.Gaps = append(e.Gaps, checks.Gap{Path: manifest.Path, Reason: manifest.Gap})
			}
		}
	}
	e.Complete = len(e.Gaps) == 0
	return e, nil
}

// known are real advisories, shortened: GHSA-35jh-r3h4-6jhm (lodash) and GHSA-xvch-5gv4-984h
// (minimist), GitHub Advisory Database, CC-BY-4.0; and GHSA-p6mc-m468-83gw (lodash).
var known = []struct {
	name, affected string
	advisory       checks.Advisory
}{
	{"lodash", "4.17.20", checks.Advisory{
		ID: "GHSA-35jh-r3h4-6jhm", Aliases: []string{"CVE-2021-23337"}, Summary: "Command Injection in lodash",
		Severity: checks.SeverityHigh, Fixed: []string{"4.17.21"}, Cure: "4.17.21",
	}},
	{"minimist", "1.2.5", checks.Advisory{
		ID: "GHSA-xvch-5gv4-984h", Aliases: []string{"CVE-2021-44906"}, Summary: "Prototype Pollution in minimist",
		Severity: checks.SeverityCritical, Fixed: []string{"1.2.6"}, Cure: "1.2.6",
	}},
}

func matches(side checks.Side, inv checks.Inventory) []checks.Match {
	var found []checks.Match
	for _, m := range inv.Manifests {
		for _, p := range m.Packages {
			for _, k := range known {
				if p.Name == k.name && p.Version == k.affected || strings.HasPrefix(p.Name, "bad-") && k.name == "lodash" {
					found = append(found, checks.Match{Side: side, Path: m.Path, Package: p, Advisory: k.advisory})
				}
			}
		}
	}
	return found
}

func wantedLock(name string) bool {
	return path.Base(name) == "package-lock.json" || path.Base(name) == "package.json"
}

// readLocks reads package-lock.json version 3 as npm writes it, one package a line block.
func readLocks(ctx context.Context, files []checks.File) checks.Inventory {
	var inv checks.Inventory
	for _, f := range files {
		if path.Base(f.Path) != "package-lock.json" {
			continue
		}
		m := checks.Manifest{Path: f.Path, Digest: f.Digest, Format: "package-lock.json"}
		var lock struct {
			Version  int `json:"lockfileVersion"`
			Packages map[string]struct {
				Version string `json:"version"`
			} `json:"packages"`
		}
		switch err := json.Unmarshal(f.Data, &lock); {
		case f.Problem != "":
			m.Gap = f.Problem
		case err != nil:
			m.Gap = "is not JSON"
		case lock.Version != 3:
			m.Gap = fmt.Sprintf("has the unknown version %d", lock.Version)
		}
		for key, p := range lock.Packages {
			name := strings.TrimPrefix(key, "node_modules/")
			if name == "" || m.Gap != "" {
				continue
			}
			line := 1 + bytes.Count(f.Data[:max(bytes.Index(f.Data, []byte(`"`+key+`"`)), 0)], []byte("\n"))
			m.Packages = append(m.Packages, checks.Package{
				PURL: "pkg:npm/" + name + "@" + p.Version, Ecosystem: "npm", Name: name, Version: p.Version,
				Line: line, Scope: checks.ScopeRuntime, Relation: checks.Direct, Via: []string{name}, Manager: "npm",
			})
		}
		slices.SortFunc(m.Packages, func(x, y checks.Package) int { return x.Line - y.Line })
		inv.Manifests = append(inv.Manifests, m)
	}
	return inv
}

// lock returns a package-lock.json with packages given as "name@version".
func lock(packages ...string) string {
	var b strings.Builder
	b.WriteString("{\n  \"name\": \"shop\",\n  \"lockfileVersion\": 3,\n  \"packages\": {\n    \"\": { \"name\": \"shop\" }")
	for _, p := range packages {
		name, version, _ := strings.Cut(p, "@")
		fmt.Fprintf(&b, ",\n    \"node_modules/%s\": {\n      \"version\": %q\n    }", name, version)
	}
	b.WriteString("\n  }\n}\n")
	return b.String()
}

// enforcing is a policy file that blocks.
const enforcing = "version: 1\nextends: [landwaiter:recommended@1]\nmode: enforce\n"

// shop is a repository that enforces, with one harmless package.
func (w *world) shop() *githubtest.Repo {
	return w.repo("shop", githubtest.Files{policyPath: enforcing, "package-lock.json": lock("left-pad@1.3.0"), "README.md": "shop\n"})
}

// pull opens a pull request from a new branch with files, and lets everything happen.
func (w *world) pull(r *githubtest.Repo, branch string, files githubtest.Files) *githubtest.Pull {
	w.t.Helper()
	p := r.OpenPull(githubtest.PullOptions{Head: branch, Files: files})
	w.settle()
	return p
}
