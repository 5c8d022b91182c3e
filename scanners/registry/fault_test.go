package registry_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/registry"
)

// TestFaultsAreGaps breaks one thing each. A failure is never a Fact, its wording names the
// host and what a person may see, and it does not vary.
func TestFaultsAreGaps(t *testing.T) {
	t.Parallel()
	status := func(code int, header ...string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(code)
			return true
		}
	}
	body := func(kind, text string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Content-Type", kind)
			io.WriteString(w, text)
			return true
		}
	}
	for _, test := range []struct {
		name  string
		fault func(http.ResponseWriter, *http.Request) bool
		want  string // behind the host
		calls int
	}{
		{"HTTP 500", status(500), " answered HTTP 500 Internal Server Error: nothing is known of 2 packages", 2},
		{"HTTP 503", status(503), " answered HTTP 503 Service Unavailable: nothing is known of 2 packages", 2},
		{"HTTP 429", status(429, "Retry-After", "120"), " answered HTTP 429 Too Many Requests: nothing is known of 2 packages", 1},
		{"HTTP 403", status(403), " answered HTTP 403 Forbidden: nothing is known of 2 packages", 1},
		{"HTTP 400, also for one", status(400), " answered HTTP 400 Bad Request: nothing is known of 2 packages", 3},
		{"redirect", status(302, "Location", "https://elsewhere.example/"), " answered HTTP 302 Found: nothing is known of 2 packages", 1},
		{"HTML", body("text/html", "<html>please sign in</html>"), " answered with something that is not JSON: nothing is known of 2 packages", 1},
		{"no type", body("", `{"responses":[]}`), " answered with something that is not JSON: nothing is known of 2 packages", 1},
		{"JSON of another form", body("application/json", `{"responses":"many"}`), " answered with JSON of another form: nothing is known of 2 packages", 1},
		{"JSON, cut", body("application/json", `{"responses":[`), " answered with JSON of another form: nothing is known of 2 packages", 1},
		{"JSON that tells nothing", body("application/json", `{}`), "the answer leaves them out: nothing is known of 2 packages", 1},
		{"answers about others", body("application/json", `{"responses":[{"request":{"versionKey":{"system":"NPM","name":"other","version":"1"}},"version":{"versionKey":{"name":"other"}}}]}`),
			"the answer leaves them out: nothing is known of 2 packages", 1},
		{"HTTP 404 for everything", status(404), " answers HTTP 404 Not Found to everything; its address may be wrong: nothing is known of 2 packages", 3},
		{"too large", body("application/json", `{"nextPageToken":"`+strings.Repeat("x", 17<<20)+`"}`), " answered with more than 16 MiB: nothing is known of 2 packages", 1},
		{"cut off", func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, "{")
			return true
		}, " ended its answer early: nothing is known of 2 packages", 2},
		{"connection closed", func(w http.ResponseWriter, r *http.Request) bool { panic(http.ErrAbortHandler) }, " cannot be reached: nothing is known of 2 packages", 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.api.Fail(test.fault)
			e := b.scan(t, brings("npm left-pad 1.3.0", "npm request 2.88.2"))
			want := test.want
			if strings.HasPrefix(want, " ") {
				want = strings.TrimPrefix(b.url, "http://") + want
			}
			if diff := cmp.Diff([]checks.Gap{{Reason: want}}, e.Gaps); diff != "" {
				t.Errorf("gaps (-want +got):\n%s", diff)
			}
			if e.Complete || len(e.Facts) > 0 {
				t.Errorf("complete %v, facts %v", e.Complete, e.Facts)
			}
			if _, calls := b.api.Asked(); calls != test.calls {
				t.Errorf("%d calls, want %d", calls, test.calls)
			}
			b.api.Fail(nil)
			b.clock.pass(10 * time.Minute)
			if e := b.scan(t, brings("npm left-pad 1.3.0", "npm request 2.88.2")); !e.Complete || len(e.Facts) != 2 {
				t.Errorf("after the fault: %+v", e)
			}
		})
	}
}

func TestOneFailureIsTriedAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var calls atomic.Int32
	b.api.Fail(func(w http.ResponseWriter, r *http.Request) bool {
		if calls.Add(1) > 1 {
			return false
		}
		w.WriteHeader(http.StatusBadGateway)
		return true
	})
	if e := b.scan(t, brings("npm left-pad 1.3.0")); !e.Complete || len(e.Facts) != 1 {
		t.Errorf("%+v", e)
	}
}

// TestAnOutageDoesNotSlowEveryCheck leaves a source alone that has failed, and comes back.
func TestAnOutageDoesNotSlowEveryCheck(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.api.Fail(func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Retry-After", "100")
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	})
	first := b.scan(t, brings("npm left-pad 1.3.0"))
	b.api.Fail(nil)
	b.api.Forget()
	b.clock.pass(99 * time.Second)
	if diff := cmp.Diff(first.Gaps, b.scan(t, brings("npm left-pad 1.3.0")).Gaps); diff != "" {
		t.Errorf("while it rests (-first +second):\n%s", diff)
	}
	if _, calls := b.api.Asked(); calls != 0 {
		t.Errorf("%d calls before Retry-After", calls)
	}
	b.clock.pass(2 * time.Second)
	if e := b.scan(t, brings("npm left-pad 1.3.0")); !e.Complete {
		t.Errorf("after Retry-After: %v", e.Gaps)
	}
}

// TestG28SlowSource bounds a Scan, and a change that asks for too much does not silence the
// source for the next one.
func TestG28SlowSource(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(o *registry.Options) { o.Deadline = 50 * time.Millisecond })
	b.api.Fail(func(w http.ResponseWriter, r *http.Request) bool {
		io.Copy(io.Discard, r.Body) // only then a server sees that its client has gone
		<-r.Context().Done()
		return true
	})
	e := b.scan(t, brings("npm left-pad 1.3.0"))
	want := []checks.Gap{{Reason: strings.TrimPrefix(b.url, "http://") + " did not answer in time: nothing is known of 1 packages"}}
	if diff := cmp.Diff(want, e.Gaps); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	b.api.Fail(nil)
	if e := scan(t, b.scanner(t), brings("npm left-pad 1.3.0")); !e.Complete {
		t.Errorf("the next: %v", e.Gaps)
	}
}

func TestStaleAnswersWhileNobodyAnswers(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := brings("npm left-pad 1.3.0", "npm nobody-knows-this 1.0.0")
	first := b.scan(t, m)
	b.api.Fail(func(w http.ResponseWriter, r *http.Request) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	b.clock.pass(6 * 24 * time.Hour)
	e := b.scan(t, m)
	if diff := cmp.Diff(first.Facts[:1], e.Facts); diff != "" {
		t.Errorf("facts after six days (-first +now):\n%s", diff)
	}
	if !first.DataTime.IsZero() || !e.DataTime.Equal(first.Facts[0].Time) {
		t.Errorf("the age is not told: %v", e.DataTime)
	}
	// That nothing was known is no answer after six days.
	want := []checks.Gap{{Reason: strings.TrimPrefix(b.url, "http://") + " answered HTTP 503 Service Unavailable: nothing is known of 1 packages"}}
	if diff := cmp.Diff(want, e.Gaps); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	b.clock.pass(2 * 24 * time.Hour)
	if e := b.scan(t, m); len(e.Facts) != 0 || e.Complete {
		t.Errorf("after eight days: %+v", e)
	}
}

func TestOfflineSaysSo(t *testing.T) {
	t.Parallel()
	b := newBench(t, offline)
	e := b.scan(t, brings("npm left-pad 1.3.0"))
	want := checks.Evidence{
		Scanner: "registry", Facts: []checks.Fact{},
		Gaps: []checks.Gap{{Reason: "registries are not asked here (offline): nothing is known of 1 packages"}},
	}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, calls := b.api.Asked(); calls != 0 {
		t.Errorf("%d calls", calls)
	}
}

// TestStableVersionServesWithoutTheOther asks by v3 where v3alpha is gone.
func TestStableVersionServesWithoutTheOther(t *testing.T) {
	t.Parallel()
	m := brings("npm left-pad 1.3.0", "npm @sigstore/bundle 2.2.0", "Go github.com/gorilla/mux 1.8.1", "npm nobody-knows-this 1.0.0")
	want := newBench(t).scan(t, m).Facts
	for _, code := range []int{http.StatusNotFound, http.StatusGone, http.StatusMethodNotAllowed, http.StatusNotImplemented} {
		b := newBench(t)
		b.api.Fail(func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasPrefix(r.URL.Path, "/v3alpha/") {
				w.WriteHeader(code)
				return true
			}
			return false
		})
		e := b.scan(t, m)
		for i := range e.Facts {
			e.Facts[i].Source = want[i].Source // the port
		}
		if diff := cmp.Diff(want, e.Facts); diff != "" || !e.Complete {
			t.Errorf("HTTP %d: complete %v (-want +got):\n%s", code, e.Complete, diff)
		}
	}
}

// TestOddNameHidesNoOther: a change may carry any name.
func TestOddNameHidesNoOther(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.api.Fail(func(w http.ResponseWriter, r *http.Request) bool {
		data, _ := io.ReadAll(r.Body)
		if strings.Contains(string(data), "odd") {
			w.WriteHeader(http.StatusBadRequest)
			return true
		}
		r.Body = io.NopCloser(strings.NewReader(string(data)))
		return false
	})
	var packages []string
	for i := range 40 {
		packages = append(packages, fmt.Sprintf("npm package-%d 1.0.0", i))
	}
	e := b.scan(t, brings(append(packages, "npm odd 1.0.0", "npm left-pad 1.3.0")...))
	want := []checks.Gap{{Reason: strings.TrimPrefix(b.url, "http://") + " answered HTTP 400 Bad Request: nothing is known of 1 packages"}}
	if diff := cmp.Diff(want, e.Gaps); diff != "" || len(e.Facts) != 41 {
		t.Errorf("%d facts (-want +got):\n%s", len(e.Facts), diff)
	}
	b.api.Fail(nil)
	if e := b.scan(t, brings("npm request 2.88.2")); !e.Complete {
		t.Errorf("the odd name silenced the source: %v", e.Gaps)
	}
}

func TestG13RequestsCarryNoCredentials(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("a redirect was followed: %v", r.Header)
	}))
	t.Cleanup(elsewhere.Close)
	b.api.Fail(func(w http.ResponseWriter, r *http.Request) bool {
		for name := range r.Header {
			switch name {
			case "Accept", "Accept-Encoding", "Content-Type", "Content-Length", "User-Agent":
			default:
				t.Errorf("a request has %s: %s", name, r.Header.Get(name))
			}
		}
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "1"})
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		return true
	})
	for range 2 {
		b.scan(t, brings("npm left-pad 1.3.0"))
		b.clock.pass(time.Hour)
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for url, good := range map[string]bool{
		registry.DefaultURL: true, "https://mirror.internal.example/depsdev": true, "http://127.0.0.1:8080": true, "http://localhost:1": true,
		"http://api.deps.dev": false, "api.deps.dev": false, "ftp://x.example": false, "https://": false, "https://user:secret@x.example": false,
		"https://x.example/?token=1": false,
	} {
		if _, err := registry.New(registry.Options{URL: url}); (err == nil) != good {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestCallsAreCounted(t *testing.T) {
	t.Parallel()
	counts := make(chan string, 10)
	b := newBench(t, func(o *registry.Options) { o.Called = func(outcome string) { counts <- outcome } })
	m := brings("npm left-pad 1.3.0")
	m.AskNewest = true
	b.scan(t, m)
	if _, err := b.Scan(context.Background(), brings("npm left-pad 1.3.0")); err != nil {
		t.Fatal(err)
	}
	close(counts)
	var got []string
	for outcome := range counts {
		got = append(got, outcome)
	}
	if want := []string{"ok", "ok"}; !cmp.Equal(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
}
