package githubtest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v62/github"

	"github.com/landwaiter/landwaiter/app/githubtest/contract"
)

// world is one private repository with the App installed, and ways to talk to it.
type world struct {
	*GitHub
	t      *testing.T
	inst   *Installation
	repo   *Repo
	first  string // the first commit on main
	client *github.Client
	auth   *ghinstallation.Transport
}

func newWorld(t *testing.T, o Options) *world {
	t.Helper()
	o.Description = contract.Description{}
	g := NewTest(t, o)
	w := &world{GitHub: g, t: t, inst: g.Install("acme"), repo: g.Repo("acme", "shop", RepoOptions{Private: true})}
	w.first = w.repo.Commit("main", "first", Files{"go.mod": "module shop\n", "docs/readme.md": "hello\n"})
	w.client, w.auth = installationClient(t, g, w.inst.ID)
	return w
}

// installationClient returns a go-github client of an installation, as the product makes it.
func installationClient(t *testing.T, g *GitHub, id int64) (*github.Client, *ghinstallation.Transport) {
	t.Helper()
	tr, err := ghinstallation.New(http.DefaultTransport, g.AppID(), id, g.AppKey())
	if err != nil {
		t.Fatal(err)
	}
	tr.BaseURL = g.APIURL()
	c, err := github.NewClient(&http.Client{Transport: tr}).WithEnterpriseURLs(g.URL(), g.URL())
	if err != nil {
		t.Fatal(err)
	}
	return c, tr
}

// appClient returns a go-github client of the App itself.
func appClient(t *testing.T, g *GitHub) *github.Client {
	t.Helper()
	tr, err := ghinstallation.NewAppsTransport(http.DefaultTransport, g.AppID(), g.AppKey())
	if err != nil {
		t.Fatal(err)
	}
	tr.BaseURL = g.APIURL()
	c, err := github.NewClient(&http.Client{Transport: tr}).WithEnterpriseURLs(g.URL(), g.URL())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// answer is what came back over plain HTTP.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// field digs into the JSON of an answer by keys and indexes.
func (a answer) field(t *testing.T, path ...any) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatalf("answer %d is no JSON: %v: %.200s", a.status, err, a.body)
	}
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, ok := v.(map[string]any)
			if !ok {
				t.Fatalf("no object at %v in %.300s", step, a.body)
			}
			v = m[step]
		case int:
			l, ok := v.([]any)
			if !ok || len(l) <= step {
				t.Fatalf("no element %d in %.300s", step, a.body)
			}
			v = l[step]
		}
	}
	return v
}

// call sends one request with the installation's token and does not follow redirects.
// pairs are header names and values.
func (w *world) call(method, path string, body any, pairs ...string) answer {
	w.t.Helper()
	token, err := w.auth.Token(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	return send(w.t, method, w.APIURL()+path, body, append([]string{"Authorization", "Bearer " + token}, pairs...)...)
}

func send(t *testing.T, method, url string, body any, pairs ...string) answer {
	t.Helper()
	var r io.Reader = http.NoBody
	switch body := body.(type) {
	case nil:
	case string:
		r = bytes.NewReader([]byte(body))
	default:
		r = bytes.NewReader(mustJSON(body))
	}
	req, err := http.NewRequest(method, url, r)
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(pairs); i += 2 {
		req.Header.Set(pairs[i], pairs[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{status: resp.StatusCode, header: resp.Header, body: b}
}

// want fails the test when a status is another than expected.
func (w *world) want(a answer, status int) answer {
	w.t.Helper()
	if a.status != status {
		w.t.Errorf("status %d, want %d: %.300s", a.status, status, a.body)
	}
	return a
}

// get is call with GET, wanting 200.
func (w *world) get(path string) answer {
	w.t.Helper()
	return w.want(w.call("GET", path, nil), http.StatusOK)
}

// ctx is a context that ends with the test.
func (w *world) ctx() context.Context { return w.t.Context() }

func encoded(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
