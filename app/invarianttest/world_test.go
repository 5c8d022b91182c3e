package invarianttest

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/app"
	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/app/githubtest/contract"
	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store"
)

const policyText = `version: 1
extends: [landwaiter:recommended@1]
mode: enforce
issues: {enabled: true}
releases:
  gate: reactive
  settle: {window: 1s, max_wait: 10s}
  assets:
    - {match: "*.txt", require: [checksum]}
`

// healthy returns a world in which a pull request passed, one failed and a release failed, at
// rest, with the real engine and a scripted scanner.
func healthy(t *testing.T) World {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{URL: filepath.Join(t.TempDir(), "landwaiter.db"), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	g := githubtest.NewTest(t, githubtest.Options{
		AutoDeliver: true, Description: contract.Description{}, Events: []string{"pull_request", "check_run", "check_suite", "release"},
	})
	engine, err := app.New(app.Config{
		AppID: g.AppID(), PrivateKey: g.AppKey(), WebhookSecrets: []string{g.WebhookSecret()}, APIURL: g.APIURL(),
		Store: db, Scanners: []checks.Scanner{scanner{}}, Wanted: func(name string) bool { return path.Base(name) == "deps.lock" },
		ReadInventory: readLock, ParserVersion: "1", Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	hooks := httptest.NewServer(engine.Hooks())
	t.Cleanup(hooks.Close)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- engine.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	g.SetWebhookURL(hooks.URL)
	g.Org("acme").Member("mona", "admin")
	r := g.Repo("acme", "shop", githubtest.RepoOptions{Private: true})
	sha := r.Commit("main", "first", githubtest.Files{policyPath: policyText, "deps.lock": "left-pad 1.3.0\n", "CODEOWNERS": "* @mona\n"})
	g.Install("acme")
	w := World{DB: db, GitHub: g, Watcher: &Watcher{}, Scanners: []string{"osv"}, MaxAge: time.Hour, Canaries: []string{g.WebhookSecret()}, Want: map[string]string{}}
	for branch, conclusion := range map[string]string{"good": "success", "bad": "failure"} {
		p := r.OpenPull(githubtest.PullOptions{Head: branch, Files: githubtest.Files{"deps.lock": "left-pad 1.3.0\n" + branch + " 1.0.0\n"}})
		w.Want[Named("landwaiter/pr", p.HeadSHA())] = conclusion
	}
	r.Release(githubtest.ReleaseOptions{Tag: "v1.0.0", Assets: map[string][]byte{"notes.txt": []byte("notes\n")}})
	w.Want[Named("landwaiter/release", sha)] = "failure"
	rest(t, w)
	return w
}

// rest waits until no invariant is broken.
func rest(t *testing.T, w World) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if err := w.GitHub.Settle(ctx); err != nil {
			t.Fatal(err)
		}
		breaches, err := Check(ctx, w)
		if err == nil && len(breaches) == 0 {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("the baseline does not hold: %v\n%s", err, List(breaches))
		}
	}
}

// scanner finds packages named "bad".
type scanner struct{}

func (scanner) Name() string { return "osv" }

func (scanner) Scan(_ context.Context, m *checks.Material) (checks.Evidence, error) {
	e := checks.Evidence{DataTime: time.Now().UTC(), Complete: true}
	for _, manifest := range m.Head.Inventory.Manifests {
		for _, p := range manifest.Packages {
			if p.Name == "bad" {
				e.Matches = append(e.Matches, checks.Match{Side: checks.Head, Path: manifest.Path, Package: p, Advisory: checks.Advisory{
					ID: "GHSA-2222-2222-2222", Summary: "Made up for tests", Severity: checks.SeverityHigh, Fixed: []string{"2.0.0"}, Cure: "2.0.0",
				}})
			}
		}
	}
	return e, nil
}

// readLock reads lines of a name and a version.
func readLock(_ context.Context, files []checks.File) checks.Inventory {
	var inv checks.Inventory
	for _, f := range files {
		m := checks.Manifest{Path: f.Path, Digest: f.Digest, Format: "deps.lock", Gap: f.Problem}
		for i, line := range strings.Split(strings.TrimSpace(string(f.Data)), "\n") {
			name, version, _ := strings.Cut(line, " ")
			m.Packages = append(m.Packages, checks.Package{
				PURL: fmt.Sprintf("pkg:npm/%s@%s", name, version), Ecosystem: "npm", Name: name, Version: version,
				Line: i + 1, Scope: checks.ScopeRuntime, Relation: checks.Direct, Via: []string{name}, Manager: "npm",
			})
		}
		inv.Manifests = append(inv.Manifests, m)
	}
	return inv
}
