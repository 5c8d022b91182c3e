package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/app/invarianttest"
	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store"
)

// everything is a policy under which everything that the App can do is done.
const everything = enforcing + `issues: {enabled: true, max_open: 50}
releases:
  gate: reactive
  settle: {window: 1s, max_wait: 1m}
  assets:
    - {match: "*.txt", require: [checksum]}
`

// lists is a scanner that reads lists of SHA-256 checksums as sha256sum writes them.
type lists struct{}

func (lists) Name() string { return "sigstore" }

func (lists) Scan(_ context.Context, m *checks.Material) (checks.Evidence, error) {
	e := checks.Evidence{Complete: true}
	if m.Release == nil {
		return e, nil
	}
	for _, a := range m.Release.Assets {
		if _, ok := checks.ChecksumFile(a.Name); !ok {
			continue
		}
		l := checks.ChecksumList{Asset: a.Name, SHA256: a.SHA256}
		for line := range strings.Lines(string(a.Data)) {
			sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
			l.Entries = append(l.Entries, checks.Checksum{Name: name, Algorithm: "sha256", Digest: sum, Line: len(l.Entries) + 1})
		}
		e.Lists = append(e.Lists, l)
	}
	return e, nil
}

// player is a world in which things happen to repositories of their own, one after the other,
// while calls are disturbed.
type player struct {
	*world
	serial int
	want   map[string]string // conclusions, as in invarianttest.World
	about  map[string]string // what was disturbed, by the commit that it was about
	route  string
}

func newPlayer(t testing.TB) *player {
	t.Helper()
	w := newWorld(t, githubtest.Options{Contract: githubtest.Off}, func(c *Config) { c.Scanners = append(c.Scanners, lists{}) })
	return &player{world: w, want: map[string]string{}, about: map[string]string{}}
}

// expect says what the newest check on a commit must become.
func (p *player) expect(check, sha, conclusion string) {
	p.want[invarianttest.Named(check, sha)] = conclusion
	p.about[sha] = p.route
}

// fresh returns a repository that nothing is known of.
func (p *player) fresh() *githubtest.Repo {
	p.serial++
	r := p.github.Repo("acme", fmt.Sprintf("shop-%d", p.serial), githubtest.RepoOptions{Private: true})
	r.Commit("main", "first", githubtest.Files{
		policyPath: everything, "CODEOWNERS": "* @mona\n", "package-lock.json": lock(fmt.Sprintf("pkg-%d@1.0.0", p.serial)),
	})
	r.Collaborator("mona", "admin")
	return r
}

// scene is something that happens to a fresh repository. fault is called when the calls that it
// is about may begin.
type scene struct {
	name string
	play func(p *player, r *githubtest.Repo, fault func())
}

func scenes() []scene {
	return []scene{
		{"violations on two pages", func(p *player, r *githubtest.Repo, fault func()) {
			fault()
			p.bad(r, 60)
		}},
		{"a check pressed again", func(p *player, r *githubtest.Repo, fault func()) {
			pull := p.bad(r, 1)
			p.calm()
			fault()
			r.RerequestSuite(pull.HeadSHA(), "mona")
		}},
		{"a check run whose answer is lost", func(p *player, r *githubtest.Repo, fault func()) {
			p.github.Fail(githubtest.Fault{Route: "POST /repos/{owner}/{repo}/check-runs", Kind: githubtest.Nothing, When: githubtest.AfterActing})
			fault()
			p.bad(r, 1)
		}},
		{"a release that fails", func(p *player, r *githubtest.Repo, fault func()) {
			fault()
			p.failed(r)
		}},
		{"a release that is cured", func(p *player, r *githubtest.Repo, fault func()) {
			rel := p.failed(r)
			p.calm()
			fault()
			notes := []byte("notes\n")
			sum := sha256.Sum256(notes)
			rel.AddAsset("SHA256SUMS", fmt.Appendf(nil, "%s  notes.txt\n", hex.EncodeToString(sum[:])))
			p.expect("landwaiter/release", r.Head("refs/heads/main"), "success")
			rel.Publish()
		}},
		{"a release that approvers let out", func(p *player, r *githubtest.Repo, fault func()) {
			p.asked(r)
			p.clock.Add(time.Minute)
			fault()
			number := r.Issues()[len(r.Issues())-1].Number
			r.Comment(number, "bo", "/landwaiter release approve v1.0.0 because the notes are fine")
			r.Comment(number, "kim", "/landwaiter release approve v1.0.0 because they are")
			p.expect("landwaiter/release", r.Head("refs/heads/main"), "success")
		}},
		{"a webhook that was lost", func(p *player, r *githubtest.Repo, fault func()) {
			p.github.SetWebhookURL("")
			p.bad(r, 1)
			if err := p.github.Settle(context.Background()); err != nil {
				p.t.Fatal(err)
			}
			p.github.SetWebhookURL(p.hooks.URL)
			fault()
			if err := p.app.startClock(context.Background()); err != nil {
				p.t.Fatal(err)
			}
		}},
	}
}

// bad opens a pull request with n violations.
func (p *player) bad(r *githubtest.Repo, n int) *githubtest.Pull {
	var packages []string
	for i := range n {
		packages = append(packages, fmt.Sprintf("bad-%d@1.0.0", i))
	}
	pull := r.OpenPull(githubtest.PullOptions{Head: "change", Files: githubtest.Files{"package-lock.json": lock(packages...)}})
	p.expect("landwaiter/pr", pull.HeadSHA(), "failure")
	return pull
}

// failed publishes a release whose file nothing proves.
func (p *player) failed(r *githubtest.Repo) *githubtest.Release {
	p.expect("landwaiter/release", r.Head("refs/heads/main"), "failure")
	return r.Release(githubtest.ReleaseOptions{Tag: "v1.0.0", Assets: map[string][]byte{"notes.txt": []byte("notes\n")}})
}

// asked makes a draft that passes and waits for two approvers, bo of a team and kim.
func (p *player) asked(r *githubtest.Repo) {
	p.github.Org("acme").Team("release", "bo")
	r.Collaborator("kim", "pull")
	r.Commit("main", "policy", githubtest.Files{policyPath: strings.Replace(everything, "gate: reactive", "gate: draft\n  publish: manual", 1) +
		"approvers: {releases: {teams: [acme/release], users: [kim], count: 2}}\n"})
	p.clock.Add(time.Minute) // the policy is there for all readers
	notes := []byte("notes\n")
	sum := sha256.Sum256(notes)
	r.Release(githubtest.ReleaseOptions{Tag: "v1.0.0", Draft: true, Assets: map[string][]byte{
		"notes.txt": notes, "SHA256SUMS": fmt.Appendf(nil, "%s  notes.txt\n", hex.EncodeToString(sum[:])),
	}})
	p.calm()
}

// calm works on what is due, and moves the clock to what is due later, until only the clock's
// own rounds are left.
func (p *player) calm() {
	p.t.Helper()
	for range 300 {
		p.settle()
		stats, err := p.db.Stats(context.Background())
		if err != nil {
			p.t.Fatal(err)
		}
		waiting := int64(0)
		for _, q := range stats.Queue {
			if q.Step != stepCatchUp && q.Step != stepSweep {
				waiting += q.Ready + q.Later + q.Running
			}
		}
		next, err := p.db.NextDue(context.Background())
		if err != nil || waiting == 0 {
			return
		}
		p.clock.Add(max(next.Sub(p.clock.Now()), time.Millisecond))
	}
	p.t.Fatal("the queue does not come to rest")
}

// rounds lets the clock go on for a while, so that what was missed is found.
func (p *player) rounds(d time.Duration) {
	p.t.Helper()
	if err := p.app.startClock(context.Background()); err != nil {
		p.t.Fatal(err)
	}
	for passed := time.Duration(0); passed <= d; passed += time.Minute {
		p.settle()
		p.clock.Add(time.Minute)
	}
	p.calm()
}

// holds fails the test with every invariant that does not hold.
func (p *player) holds(mayBury func(store.Job) bool) {
	p.t.Helper()
	breaches, err := invarianttest.Check(context.Background(), invarianttest.World{
		DB: p.db, GitHub: p.github, Now: p.clock.Now(), Scanners: []string{"osv"}, Want: p.want, MayBury: mayBury, Restarts: 1,
		Texts: []string{p.log.String()}, Canaries: []string{p.github.WebhookSecret(), "ghs_", "Bearer", "PRIVATE KEY"},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	for _, b := range breaches {
		p.t.Error(b)
		for sha, route := range p.about {
			if strings.Contains(b.Detail, sha) {
				p.t.Errorf("  where %s was disturbed", route)
			}
		}
	}
}

// sceneRoutes plays every scene undisturbed and returns the first that calls each route.
func sceneRoutes(t *testing.T) map[string]scene {
	t.Helper()
	p := newPlayer(t)
	first := map[string]scene{}
	for _, s := range scenes() {
		p.github.ExpireTokens()
		p.github.ForgetCalls()
		s.play(p, p.fresh(), func() { p.github.ForgetCalls() })
		p.calm()
		for _, c := range p.github.Calls() {
			route := c.Method + " " + c.Route
			if _, known := first[route]; !known && c.Route != "" {
				first[route] = s
			}
		}
	}
	p.holds(nil)
	return first
}

// TestEveryRouteDisturbed disturbs each call that the App makes to GitHub, in each way, before and
// after it acted: what was asked for comes all the same, once, and the invariants hold.
func TestEveryRouteDisturbed(t *testing.T) {
	t.Parallel()
	routes := sceneRoutes(t)
	names := slices.Sorted(maps.Keys(routes))
	t.Logf("%d routes:\n  %s", len(names), strings.Join(names, "\n  "))
	page, err := os.ReadFile("../docs/reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range disturbances() {
		if !strings.Contains(string(page), "| "+f.name+" |") {
			t.Errorf("docs/reliability.md does not list the fault %q", f.name)
		}
		for _, when := range []githubtest.When{githubtest.BeforeActing, githubtest.AfterActing} {
			name := f.name + ", before acting"
			if when == githubtest.AfterActing {
				name = f.name + ", after acting"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				p := newPlayer(t)
				for _, route := range names {
					// Reading has no effect to lose the answer of.
					if when == githubtest.AfterActing && strings.HasPrefix(route, "GET ") {
						continue
					}
					p.disturb(route, when, f.fault, routes[route])
				}
				p.rounds(25 * time.Minute)
				p.holds(nil)
			})
		}
	}
}

// disturb plays a scene in which the next call to a route is disturbed.
func (p *player) disturb(route string, when githubtest.When, fault githubtest.Fault, s scene) {
	p.t.Helper()
	p.route = route
	fault.Route, fault.When = route, when
	p.github.ExpireTokens()
	p.github.ForgetCalls()
	s.play(p, p.fresh(), func() { p.github.Fail(fault) })
	p.calm()
	disturbed := func() bool {
		return slices.ContainsFunc(p.github.CallsTo(route), func(c githubtest.Call) bool { return c.Fault })
	}
	if !disturbed() {
		p.rounds(12 * time.Minute) // the App itself may have to wait for a limit
	}
	if !disturbed() {
		p.t.Errorf("%s was not disturbed in the scene of %s", route, s.name)
	}
	p.github.Heal()
}

// disturbance is one way in which GitHub goes wrong (THREATS.md section 5).
type disturbance struct {
	name  string
	fault githubtest.Fault
}

func disturbances() []disturbance {
	const message = `{"message":"%s","documentation_url":"https://docs.github.com/rest"}`
	status := func(code int, text string, header http.Header) githubtest.Fault {
		return githubtest.Fault{Status: code, Body: fmt.Sprintf(message, text), Header: header}
	}
	return []disturbance{
		{name: "401", fault: status(401, "Bad credentials", nil)},
		{name: "403 primary", fault: status(403, "API rate limit exceeded", http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Limit": {"5000"}, "X-Ratelimit-Reset": {"1"}})},
		{name: "403 secondary", fault: status(403, "You have exceeded a secondary rate limit.", http.Header{"Retry-After": {"30"}})},
		{name: "403 secondary without Retry-After", fault: status(403, "You have exceeded a secondary rate limit.", nil)},
		{name: "409", fault: status(409, "Conflict", nil)},
		{name: "429", fault: status(429, "Too many requests", nil)},
		{name: "500", fault: status(500, "Server Error", nil)},
		{name: "502 in HTML", fault: githubtest.Fault{Kind: githubtest.HTML}},
		{name: "200 in HTML", fault: githubtest.Fault{Kind: githubtest.HTML, Status: 200}},
		{name: "503", fault: status(503, "Service unavailable", nil)},
		{name: "cut body", fault: githubtest.Fault{Kind: githubtest.CutBody}},
		{name: "no answer", fault: githubtest.Fault{Kind: githubtest.Nothing}},
	}
}
