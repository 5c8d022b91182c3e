package app

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/app/githubtest"
)

// TestG13Pin follows no redirect to another host with credentials, and sends no token there
// when asked to directly.
func TestG13Pin(t *testing.T) {
	t.Parallel()
	stolen := make(chan string, 10)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		stolen <- r.Header.Get("Authorization")
		_, _ = w.Write([]byte("{}"))
	}))
	defer other.Close()
	w := newWorld(t, githubtest.Options{Contract: githubtest.Off}, nil)
	r := w.shop()
	c := w.app.installation(w.repoOf(r), permissions{"contents": "read"})
	for _, code := range []int{301, 302, 307, 308} {
		w.github.Fail(githubtest.Fault{Route: "GET /repos/{owner}/{repo}", Status: code, Header: http.Header{"Location": {other.URL + "/repositories/1"}}})
		if _, _, err := c.Repositories.Get(context.Background(), "acme", "shop"); err == nil {
			t.Errorf("%d to another host gave an answer", code)
		}
	}
	req, err := c.NewRequest(http.MethodGet, other.URL+"/steal", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Do(context.Background(), req, nil); !errors.Is(err, errForeign) {
		t.Errorf("a request for another host: %v, want errForeign", err)
	}
	select {
	case header := <-stolen:
		t.Errorf("the other host was called with the header %q", header)
	default:
	}
}

// repoOf names a repository of the stand-in as the product does.
func (w *world) repoOf(r *githubtest.Repo) repo {
	owner, name, _ := strings.Cut(r.FullName(), "/")
	for _, d := range w.github.Deliveries() {
		if d.InstallationID != 0 {
			return repo{InstallationID: d.InstallationID, ID: r.ID(), Owner: owner, Name: name}
		}
	}
	w.t.Fatal("no delivery names the installation")
	return repo{}
}

// TestG27Renamed works on under the old name until GitHub tells the new one.
func TestG27Renamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, nil)
	r := w.shop()
	p := r.OpenPull(githubtest.PullOptions{Head: "change", Files: githubtest.Files{"README.md": "x\n"}})
	if err := w.github.Settle(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.step()
	w.only("publish:check")
	r.Rename("store")
	w.settle()
	w.rest()
	w.concluded(r, p.HeadSHA(), "success", "No dependency changes")
}

// TestG13LeastToken looks at every token that was made: one repository, no more permissions
// than the tables name.
func TestG13LeastToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{TokenLength: 520}, nil)
	r := w.shop()
	w.repo("other", githubtest.Files{"README.md": "x\n"})
	p := w.pull(r, "change", githubtest.Files{"package-lock.json": lock("lodash@4.17.20")})
	w.concluded(r, p.HeadSHA(), "failure", "1 violation")
	made := w.github.Tokens()
	if len(made) == 0 {
		t.Fatal("no token was made")
	}
	for _, token := range made {
		if len(token.Repositories) != 1 {
			t.Errorf("a token covers the repositories %v, want one", token.Repositories)
		}
		for name, level := range token.Permissions {
			if level == "write" && name != "checks" {
				t.Errorf("a token may write %s", name)
			}
		}
	}
	if n := len(w.github.CallsTo("POST /app/installations/{installation_id}/access_tokens")); n > 2 {
		t.Errorf("%d tokens were made, want each kept until it ends", n)
	}
	w.github.ExpireTokens()
	p.Push(githubtest.Files{"package-lock.json": lock("lodash@4.17.21")})
	w.settle()
	w.concluded(r, p.HeadSHA(), "success", "no violations")
}

// TestRouteLabels turns paths into labels with a bounded number of values.
func TestRouteLabels(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"repos/acme/shop/pulls/7":                             "GET /repos/{}/{}/pulls/{}",
		"repos/acme/shop/contents/.github/landwaiter.yml":     "GET /repos/{}/{}/contents/{}",
		"repos/acme/shop/compare/a...b":                       "GET /repos/{}/{}/compare/{}",
		"repos/acme/shop/git/trees/0123abc":                   "GET /repos/{}/{}/git/trees/{}",
		"repos/acme/shop/commits/0123abc/check-runs":          "GET /repos/{}/{}/commits/{}/check-runs",
		"repos/acme/shop/collaborators/mona/permission":       "GET /repos/{}/{}/collaborators/{}/permission",
		"repos/acme/shop/assignees/mona":                      "GET /repos/{}/{}/assignees/{}",
		"repos/acme/shop/labels/landwaiter:high":              "GET /repos/{}/{}/labels/{}",
		"app/installations/12/access_tokens":                  "GET /app/installations/{}/access_tokens",
		"repos/contents/contents/releases/tags/v1.0/anything": "GET /repos/{}/{}/releases/tags/{}",
	}
	for path, want := range tests {
		if got := routeOf(http.MethodGet, path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

// TestLimitedUntil reads refusals for limits as GitHub documents them.
func TestLimitedUntil(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	tests := []struct {
		name    string
		status  int
		header  http.Header
		body    string
		limited bool
		wait    time.Duration
	}{
		{"primary", 403, http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"1800000600"}}, "", true, 10 * time.Minute},
		{"secondary with Retry-After", 403, http.Header{"Retry-After": {"30"}}, "", true, 30 * time.Second},
		{"secondary by its text", 403, nil, `{"message":"You have exceeded a secondary rate limit"}`, true, time.Minute},
		{"429 alone", 429, nil, "", true, time.Minute},
		{"forbidden", 403, http.Header{"X-Ratelimit-Remaining": {"4000"}}, `{"message":"Resource not accessible by integration"}`, false, 0},
		{"not found", 404, http.Header{"X-Ratelimit-Remaining": {"0"}}, "", false, 0},
		{"reset in the past", 403, http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"5"}}, "", true, time.Second},
		{"reset in a year", 403, http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"1831536000"}}, "", true, longestPark},
	}
	for _, tt := range tests {
		answer := httptest.NewRecorder()
		_, _ = answer.WriteString(tt.body)
		resp := answer.Result()
		resp.StatusCode = tt.status
		if tt.header != nil {
			resp.Header = tt.header
		}
		until, limited := limitedUntil(resp, now)
		if limited != tt.limited || limited && until.Sub(now) != tt.wait {
			t.Errorf("%s: limited %v for %s, want %v for %s", tt.name, limited, until.Sub(now), tt.limited, tt.wait)
		}
	}
}

// TestFloors lets less urgent work wait when little of the limit is left.
func TestFloors(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	tests := []struct {
		remaining, priority int
		ok                  bool
	}{
		{1000, priorityBackfill, true}, {999, priorityBackfill, false},
		{1000, priorityBackfill - 1, true}, {999, priorityBackfill - 1, false}, // what the sweep asks for
		{500, priorityIssue, true}, {499, priorityIssue, false},
		{250, priorityRelease, true}, {249, priorityRelease, false},
		{1, priorityPull, true}, {1, priorityGroup, true}, {1, priorityGate, true},
	}
	for _, tt := range tests {
		l := &lane{limit: 5000, remaining: tt.remaining, reset: now.Add(time.Minute)}
		if _, ok := l.allows(tt.priority, now); ok != tt.ok {
			t.Errorf("%d left, priority %d: %v, want %v", tt.remaining, tt.priority, ok, tt.ok)
		}
		if _, ok := l.allows(tt.priority, now.Add(time.Hour)); !ok {
			t.Errorf("%d left before the reset stop work after it", tt.remaining)
		}
	}
}
