package faults

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/app/githubtest/contract"
	"github.com/landwaiter/landwaiter/app/invarianttest"
	"github.com/landwaiter/landwaiter/store"
	"github.com/landwaiter/landwaiter/store/crash"
	"github.com/landwaiter/landwaiter/store/storetest"
)

// world is the stand-in, which lives as long as the test, and the service beside it, which dies
// and comes back. Webhooks reach the service through a balancer, as many replicas want it.
type world struct {
	t       testing.TB
	github  *githubtest.GitHub
	program string
	folder  string // the service's data
	url     string // of the database
	armed   string // the file that arms a crash point
	env     []string
	log     *logBuffer
	watcher *invarianttest.Watcher

	mu       sync.Mutex // guards replicas for the balancer
	replicas []*replica
	down     atomic.Bool // the balancer refuses webhooks

	fault   string // what was done to the service since it was at rest
	starts  int
	serial  int               // makes names unique
	want    map[string]string // as in invarianttest.World
	pending map[string]string // what of it was not seen yet
	gone    map[string]bool   // keys of jobs that may be buried
	shops   []*githubtest.Repo
	vault   *githubtest.Repo    // releases
	failed  *githubtest.Release // the last that failed
	drafts  *githubtest.Repo    // where the last draft is that waits for approvers
	asking  *githubtest.Release // that draft

	deployments []deployment
}

// newWorld returns a world on a new database with n replicas running, at rest.
func newWorld(t testing.TB, engine string, n int) *world {
	t.Helper()
	w := bareWorld(t, engine, n)
	w.begin()
	return w
}

// bareWorld returns a world whose service was never started and which has no database yet.
func bareWorld(t testing.TB, engine string, n int) *world {
	t.Helper()
	if engine == "postgres" {
		return bareWorldOn(t, storetest.Postgres(t), n)
	}
	return bareWorldIn(t, t.TempDir(), n)
}

// bareWorldOn is bareWorld on a PostgreSQL database.
func bareWorldOn(t testing.TB, url string, n int) *world {
	t.Helper()
	return bareWorldAt(t, t.TempDir(), url, n)
}

// bareWorldIn is bareWorld with SQLite in a folder.
func bareWorldIn(t testing.TB, folder string, n int) *world {
	t.Helper()
	return bareWorldAt(t, folder, "sqlite:"+filepath.Join(folder, "landwaiter.db"), n)
}

func bareWorldAt(t testing.TB, folder, database string, n int) *world {
	t.Helper()
	w := &world{
		t: t, program: service(t), folder: folder, url: database, log: &logBuffer{}, watcher: &invarianttest.Watcher{},
		want: map[string]string{}, pending: map[string]string{}, gone: map[string]bool{},
	}
	w.armed = filepath.Join(w.folder, "armed")
	w.github = githubtest.NewTest(t, githubtest.Options{
		AutoDeliver: true, Description: contract.Description{}, Events: []string{"pull_request", "merge_group", "check_run", "check_suite", "release", "deployment_protection_rule", "issue_comment"},
	})
	w.setEnv()
	w.importAdvisories(2)
	balancer := httptest.NewServer(http.HandlerFunc(w.balance))
	t.Cleanup(balancer.Close)
	t.Cleanup(func() {
		w.down.Store(true)
		for _, r := range w.replicas {
			if r != nil {
				r.kill()
			}
		}
		if t.Failed() {
			t.Logf("the last lines of the log:\n%s", w.log.tail(60))
		}
	})
	w.seed()
	w.replicas = make([]*replica, n)
	w.github.SetWebhookURL(balancer.URL + "/hooks")
	return w
}

// begin starts the service and installs the App.
func (w *world) begin() {
	w.t.Helper()
	w.restart()
	for _, org := range []string{"acme", "globex"} {
		w.github.Install(org)
	}
	w.rest()
}

// setEnv writes the configuration of the service.
func (w *world) setEnv() {
	key := filepath.Join(w.folder, "app.pem")
	if err := os.WriteFile(key, w.github.AppKey(), 0o600); err != nil {
		w.t.Fatal(err)
	}
	settings := map[string]string{
		"PUBLIC_URL": "https://landwaiter.example.com", "LISTEN": "127.0.0.1:0", "METRICS_LISTEN": "off",
		"DATA_DIR": w.folder, "DATABASE_URL": w.url, "GITHUB_APP_ID": strconv.FormatInt(w.github.AppID(), 10),
		"GITHUB_PRIVATE_KEY": key, "GITHUB_WEBHOOK_SECRET": w.github.WebhookSecret(), "GITHUB_URL": w.github.APIURL(),
		"ADVISORY_REFRESH": "off", "TRUST_REFRESH": "off", "DEPSDEV_URL": "off", "KEV_URL": "off", "EPSS_URL": "off", "IMAGE_REGISTRIES": "off",
	}
	w.env = []string{"PATH=" + os.Getenv("PATH"), crash.Variable + "=" + w.armed, crash.HurryVariable + "=" + hurry}
	for name, value := range settings {
		w.env = append(w.env, "LANDWAITER_"+name+"="+value)
	}
}

// policy is that of all repositories.
const policy = `version: 1
extends: [landwaiter:recommended@1]
mode: enforce
issues: {enabled: true, max_open: 100}
releases:
  gate: reactive
  settle: {window: 1s, max_wait: 1m}
  assets:
    - {match: "*.txt", require: [checksum]}
environments:
  production: {require: [release_passed]}
`

// seed makes the repositories: two of one installation and one of another.
func (w *world) seed() {
	for _, owner := range []string{"acme", "globex"} {
		w.github.Org(owner).Member("mona", "admin")
	}
	w.shops = []*githubtest.Repo{w.found("acme/shop"), w.found("globex/store")}
	w.vault = w.found("acme/vault")
}

// found makes a repository of which nothing is known.
func (w *world) found(name string) *githubtest.Repo {
	owner, short, _ := strings.Cut(name, "/")
	r := w.github.Repo(owner, short, githubtest.RepoOptions{Private: true})
	r.Commit("main", "first", githubtest.Files{
		".github/landwaiter.yml": policy, "CODEOWNERS": "* @mona\n", "package-lock.json": lock("left-pad@1.3.0"), "README.md": name + "\n",
	})
	return r.Collaborator("mona", "admin")
}

// balance passes a webhook on to a replica.
func (w *world) balance(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	var alive []string
	for _, one := range w.replicas {
		if one != nil && one.alive() {
			alive = append(alive, one.listen)
		}
	}
	w.mu.Unlock()
	if len(alive) == 0 || w.down.Load() {
		rw.WriteHeader(http.StatusBadGateway)
		return
	}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: alive[rand.IntN(len(alive))]})
	proxy.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	proxy.Transport = &http.Transport{DisableKeepAlives: true, ResponseHeaderTimeout: 5 * time.Second}
	proxy.ServeHTTP(rw, r)
}

// restart starts every replica that does not run.
func (w *world) restart() {
	w.t.Helper()
	for i := range w.replicas {
		w.mu.Lock()
		old := w.replicas[i]
		w.mu.Unlock()
		if old != nil && old.alive() {
			continue
		}
		fresh := start(w.t, w.program, w.env, w.log)
		w.starts++
		w.mu.Lock()
		w.replicas[i] = fresh
		w.mu.Unlock()
	}
}

// revive starts what killed itself at an armed point, as a supervisor does. What ends in another way
// fails the test.
func (w *world) revive() {
	w.t.Helper()
	for _, r := range w.replicas {
		if !r.alive() && (!r.killed() || w.isArmed()) {
			w.t.Fatalf("the service ended by itself: %v\n%s", r.command.ProcessState, w.log.tail(20))
		}
	}
	w.restart()
}

// open opens the database as somebody who only reads.
func (w *world) open() *store.DB {
	w.t.Helper()
	key, err := store.ReadLedgerKey(filepath.Join(w.folder, "ledger.key"))
	if err != nil {
		w.t.Fatalf("reading the ledger's key: %v", err)
	}
	db, err := store.Open(context.Background(), store.Config{URL: w.url, ReadOnly: true, LedgerKey: key, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		w.t.Fatalf("opening the database to look at it: %v", err)
	}
	return db
}

// rest waits until everything that was wanted has come and the invariants hold, and fails the
// test with what does not hold when that does not come.
func (w *world) rest() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := w.github.Settle(ctx); err != nil {
		w.t.Fatal(err)
	}
	db := w.open()
	defer db.Close()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var wrong []string
	for {
		w.revive()
		now := w.unrest(ctx, db)
		if len(now) == 0 {
			if w.fault != "" {
				held(w.fault)
				w.fault = ""
			}
			return
		}
		if ctx.Err() == nil { // afterwards nothing can be read any more
			wrong = now
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			w.t.Fatalf("after %v this does not hold:\n%s", patience, strings.Join(wrong, "\n"))
		}
	}
}

// unrest says what is not as it should be, the cheap things first.
func (w *world) unrest(ctx context.Context, db *store.DB) []string {
	var wrong []string
	for named, conclusion := range w.pending {
		if got := w.conclusion(named); got != conclusion {
			wrong = append(wrong, fmt.Sprintf("%s is %q, want %q", named, got, conclusion))
			continue
		}
		delete(w.pending, named)
	}
	for _, d := range w.deployments {
		if !d.answered() {
			wrong = append(wrong, fmt.Sprintf("deployment %d was told %+v, want %s", d.ID, d.Reports(), d.want))
		}
	}
	if len(wrong) > 0 {
		return wrong
	}
	if err := w.github.Settle(ctx); err != nil {
		return []string{err.Error()}
	}
	breaches, err := invarianttest.Check(ctx, w.checked(db))
	if err != nil {
		return []string{err.Error()}
	}
	for _, b := range breaches {
		wrong = append(wrong, b.String())
	}
	return wrong
}

func (w *world) checked(db *store.DB) invarianttest.World {
	return invarianttest.World{
		DB: db, GitHub: w.github, Watcher: w.watcher, Scanners: []string{"osv"}, Want: w.want, Restarts: w.starts,
		MayBury: func(j store.Job) bool { return w.gone[j.Key] },
		Texts:   []string{w.log.String()}, Canaries: []string{w.github.WebhookSecret(), "PRIVATE KEY", "ghs_", "Bearer "},
	}
}

// conclusion returns that of the newest check, by invarianttest.Named.
func (w *world) conclusion(named string) string {
	check, sha, _ := strings.Cut(named, " ")
	for _, r := range w.github.Repos() {
		if run, ok := r.CheckRun(sha, check); ok {
			return run.Conclusion
		}
	}
	return ""
}

// expect notes what the newest check on a commit must become.
func (w *world) expect(check, sha, conclusion string) {
	named := invarianttest.Named(check, sha)
	w.want[named], w.pending[named] = conclusion, conclusion
}

// next returns a number that no earlier call returned.
func (w *world) next() int { w.serial++; return w.serial }

// calls returns all routes that were called, by all replicas.
func (w *world) calls() map[string]bool {
	all := map[string]bool{}
	for _, r := range w.replicas {
		maps.Copy(all, r.routes(w.t))
	}
	return all
}
