package githubtest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v62/github"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	const route = "POST /repos/{owner}/{repo}/check-runs"
	tests := map[string]struct {
		fault Fault
		runs  int    // check runs that exist afterwards
		want  string // part of the error
		code  int    // of the call log
	}{
		"500 before":          {Fault{Kind: Status}, 0, "500", 500},
		"500 after":           {Fault{When: AfterActing, Kind: Status}, 1, "500", 500},
		"503 with a body":     {Fault{Kind: Status, Status: 503, Body: "busy"}, 0, "503", 503},
		"a web page":          {Fault{Kind: HTML}, 0, "502", 502},
		"a web page with 200": {Fault{When: AfterActing, Kind: HTML, Status: 200}, 1, "invalid character", 200},
		"cut answer":          {Fault{Kind: CutBody}, 1, "unexpected EOF", 201},
		"nothing before":      {Fault{Kind: Nothing}, 0, "EOF", 0},
		"nothing after":       {Fault{When: AfterActing, Kind: Nothing}, 1, "EOF", 0},
		"slow":                {Fault{Kind: Delay, Delay: time.Millisecond}, 1, "", 201},
		"another route":       {Fault{Route: "GET /repos/{owner}/{repo}", Kind: Nothing}, 1, "", 201},
		"the next call":       {Fault{Skip: 1, Kind: Nothing}, 1, "", 201},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{})
			if _, err := w.auth.Token(w.ctx()); err != nil {
				t.Fatal(err)
			}
			if tt.fault.Route == "" {
				tt.fault.Route = route
			}
			w.Fail(tt.fault)
			_, _, err := w.client.Checks.CreateCheckRun(w.ctx(), "acme", "shop", github.CreateCheckRunOptions{Name: "n", HeadSHA: w.first})
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
			if n := len(w.repo.CheckRuns("")); n != tt.runs {
				t.Errorf("%d runs, want %d", n, tt.runs)
			}
			if calls := w.CallsTo(route); len(calls) != 1 || calls[0].Status != tt.code {
				t.Errorf("calls %+v, want one with %d", calls, tt.code)
			}
		})
	}
}

func TestFaultsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.get("/repos/acme/shop")
	w.Fail(Fault{Times: 2, Status: 500})
	var got []int
	for range 3 {
		got = append(got, w.call("GET", "/repos/acme/shop", nil).status)
	}
	w.Fail(Fault{Times: -1, Status: 503})
	got = append(got, w.call("GET", "/repos/acme/shop", nil).status, w.call("GET", "/repos/acme/shop", nil).status)
	w.Heal()
	got = append(got, w.call("GET", "/repos/acme/shop", nil).status)
	if diff := cmp.Diff([]int{500, 500, 200, 503, 503, 200}, got); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
}

func TestDelayEndsWithTheClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.get("/repos/acme/shop")
	w.Fail(Fault{Kind: Delay, Delay: time.Hour})
	ctx, cancel := context.WithTimeout(w.ctx(), 20*time.Millisecond)
	defer cancel()
	if _, _, err := w.client.Repositories.Get(ctx, "acme", "shop"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
}

func TestDelayEndsWithHeal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.Fail(Fault{Kind: Delay, Delay: time.Hour, Times: -1})
	answered := make(chan int)
	go func() { answered <- w.get("/repos/acme/shop").status }()
	select {
	case status := <-answered:
		t.Fatalf("answered %d without a delay", status)
	case <-time.After(20 * time.Millisecond):
	}
	w.Heal()
	if status := <-answered; status != 200 {
		t.Errorf("answered %d, want 200", status)
	}
}

func TestPrimaryLimit(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC().Truncate(time.Second)
	clock := now
	w := newWorld(t, Options{Now: func() time.Time { return clock }})
	reset := now.Add(20 * time.Minute)
	w.SetRate(Rate{Limit: 5000, Remaining: 1, Reset: reset})
	first := w.get("/repos/acme/shop")
	if got := first.header.Get("X-RateLimit-Remaining"); got != "0" {
		t.Errorf("remaining %s, want 0", got)
	}
	_, _, err := w.client.Repositories.Get(w.ctx(), "acme", "shop")
	var limited *github.RateLimitError
	if !errors.As(err, &limited) || !limited.Rate.Reset.Equal(github.Timestamp{Time: reset}) {
		t.Fatalf("got %v, want a rate limit until %v", err, reset)
	}
	if a := w.get("/rate_limit"); a.field(t, "resources", "core", "remaining") != float64(0) {
		t.Errorf("/rate_limit says %s", a.body)
	}
	clock = reset
	w.get("/repos/acme/shop")
}

// TestLimitsAreSeparate exhausts one installation and looks at another.
func TestLimitsAreSeparate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	other := w.Install("globex")
	w.Repo("globex", "tool", RepoOptions{Private: true})
	theirs, _ := installationClient(t, w.GitHub, other.ID)
	w.inst.SetRate(Rate{Limit: 5000, Reset: time.Now().Add(time.Hour)})
	w.want(w.call("GET", "/repos/acme/shop", nil), 403)
	if _, _, err := theirs.Repositories.Get(w.ctx(), "globex", "tool"); err != nil {
		t.Errorf("another installation: %v", err)
	}
	w.SetRate(Rate{Limit: 5000, Remaining: 5000, Reset: time.Now().Add(time.Hour)})
	w.Throttle(Throttle{InstallationID: other.ID, Times: 9})
	w.get("/repos/acme/shop")
	if _, _, err := theirs.Repositories.Get(w.ctx(), "globex", "tool"); err == nil {
		t.Error("the throttled installation is served")
	}
}

func TestSecondaryLimit(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusForbidden, http.StatusTooManyRequests} {
		w := newWorld(t, Options{})
		w.get("/repos/acme/shop")
		w.Throttle(Throttle{Status: status, RetryAfter: 30 * time.Second, Writes: true})
		w.get("/repos/acme/shop")
		a := w.call("POST", "/repos/acme/shop/check-runs", object{"name": "n", "head_sha": w.first})
		if a.status != status || a.header.Get("Retry-After") != "30" || !strings.Contains(string(a.body), "secondary rate limit") {
			t.Errorf("%d, Retry-After %q, %s", a.status, a.header.Get("Retry-After"), a.body)
		}
		w.want(w.call("POST", "/repos/acme/shop/check-runs", object{"name": "n", "head_sha": w.first}), 201)
	}
	w := newWorld(t, Options{})
	w.Throttle(Throttle{RetryAfter: time.Minute})
	_, _, err := w.client.Repositories.Get(w.ctx(), "acme", "shop")
	var abuse *github.AbuseRateLimitError
	if !errors.As(err, &abuse) || abuse.GetRetryAfter() != time.Minute {
		t.Errorf("got %v, want an abuse limit of a minute", err)
	}
}

func TestETag(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	first := w.get("/repos/acme/shop/pulls")
	tag := first.header.Get("ETag")
	before := first.header.Get("X-RateLimit-Remaining")
	same := w.want(w.call("GET", "/repos/acme/shop/pulls", nil, "If-None-Match", tag), http.StatusNotModified)
	if len(same.body) != 0 || same.header.Get("X-RateLimit-Remaining") != before {
		t.Errorf("304 with %d bytes, remaining %s after %s", len(same.body), same.header.Get("X-RateLimit-Remaining"), before)
	}
	w.repo.OpenPull(PullOptions{Head: "f", Files: Files{"a": "a"}})
	changed := w.want(w.call("GET", "/repos/acme/shop/pulls", nil, "If-None-Match", tag), 200)
	if changed.header.Get("ETag") == tag {
		t.Error("another answer has the same ETag")
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	a := w.get("/repos/acme/shop")
	for _, name := range []string{"X-GitHub-Request-Id", "X-GitHub-Media-Type", "X-RateLimit-Limit", "X-RateLimit-Used", "X-RateLimit-Reset", "ETag"} {
		if a.header.Get(name) == "" {
			t.Errorf("no header %s", name)
		}
	}
	// The same routes answer at the root, as api.github.com does.
	token, err := w.auth.Token(w.ctx())
	if err != nil {
		t.Fatal(err)
	}
	if a := send(t, "GET", w.URL()+"/repos/acme/shop", nil, "Authorization", "token "+token); a.status != 200 {
		t.Errorf("at the root: %d", a.status)
	}
}

func TestLatency(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Latency: 30 * time.Millisecond})
	start := time.Now()
	w.get("/repos/acme/shop")
	if took := time.Since(start); took < 60*time.Millisecond {
		t.Errorf("token and call took %v, want at least 60ms", took)
	}
	if n := w.RoundTrips(); n != 2 {
		t.Errorf("%d round trips, want 2", n)
	}
	w.ForgetCalls()
	if n := w.RoundTrips(); n != 0 {
		t.Errorf("%d round trips after forgetting", n)
	}
}

// readAll reads a download through the default client, which follows redirects.
func readAll(t *testing.T, url string, pairs ...string) (int, []byte, error) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(pairs); i += 2 {
		req.Header.Set(pairs[i], pairs[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, body, err
}
