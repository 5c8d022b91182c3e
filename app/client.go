package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v62/github"

	"github.com/landwaiter/landwaiter/app/tracing"
)

// gateway is the only way out to GitHub: one host, one App, all its installations.
type gateway struct {
	base      *url.URL // ends in "/"
	uploads   *url.URL // where files are uploaded to; ends in "/"
	next      http.RoundTripper
	userAgent string
	cache     *cache
	metrics   *metrics
	tracer    *tracing.Tracer
	now       func() time.Time
	skew      *skew
	tokens    *tokens
	apps      *github.Client

	mu    sync.Mutex
	lanes map[int64]*lane // by installation; 0 is the App itself
}

// newGateway checks the key and the API's address; it calls nobody.
func newGateway(cfg Config, m *metrics) (*gateway, error) {
	base, err := apiRoot(cfg.APIURL)
	if err != nil {
		return nil, err
	}
	g := &gateway{
		base: base, uploads: uploadRoot(base), next: cfg.Transport, cache: &cache{db: cfg.Store}, metrics: m, tracer: cfg.Tracer, now: cfg.Now,
		skew: &skew{log: cfg.Log, metrics: m}, userAgent: strings.TrimSuffix("landwaiter/"+cfg.Version, "/"), lanes: map[int64]*lane{},
	}
	if g.next == nil {
		g.next = usualTransport()
	}
	signer, err := ghinstallation.NewAppsTransport(&transport{gateway: g}, cfg.AppID, cfg.PrivateKey)
	if err != nil {
		// %v: the error could quote the key.
		return nil, errors.New("app: Config.PrivateKey is not an RSA private key in PEM")
	}
	signer.BaseURL = strings.TrimSuffix(base.String(), "/")
	g.apps = g.client(signer)
	g.tokens = &tokens{apps: g.apps, now: cfg.Now, kept: map[string]*token{}}
	return g, nil
}

// usualTransport is http.DefaultTransport with as many connections kept as one installation
// has calls under way; the default keeps two and would open the others anew each time.
func usualTransport() http.RoundTripper {
	t, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultTransport
	}
	t = t.Clone()
	t.MaxIdleConnsPerHost = 2 * laneWidth
	return t
}

// apiRoot reads Config.APIURL. Plain HTTP is for loopback only, where tests and the demo run.
func apiRoot(address string) (*url.URL, error) {
	if address == "" {
		address = "https://api.github.com/"
	}
	base, err := url.Parse(strings.TrimSuffix(address, "/") + "/")
	if err != nil {
		return nil, errors.New("app: Config.APIURL is not a URL") // the text could hold a password
	}
	local := base.Hostname() == "127.0.0.1" || base.Hostname() == "::1" || base.Hostname() == "localhost"
	if base.Host == "" || base.User != nil || base.RawQuery != "" || (base.Scheme != "https" && (base.Scheme != "http" || !local)) {
		return nil, fmt.Errorf("app: Config.APIURL is %q: it must look like https://github.example.com/api/v3", base.Redacted())
	}
	return base, nil
}

// uploadRoot is where release assets are uploaded to, by the API's address: a host of its own on
// github.com and with data residency, another path on Enterprise Server (docs.github.com, "REST
// API endpoints for release assets"). The upload_url of an answer is not used (THREATS G18).
func uploadRoot(base *url.URL) *url.URL {
	u := *base
	switch {
	case u.Host == "api.github.com", strings.HasPrefix(u.Host, "api.") && strings.HasSuffix(u.Host, ".ghe.com"):
		u.Host = "uploads." + strings.TrimPrefix(u.Host, "api.")
	case strings.HasSuffix(u.Path, "/api/v3/"):
		u.Path = strings.TrimSuffix(u.Path, "v3/") + "uploads/"
	}
	return &u
}

// client returns a go-github client over rt that follows no redirect: transport does where
// it is safe.
func (g *gateway) client(rt http.RoundTripper) *github.Client {
	c := github.NewClient(&http.Client{
		Transport:     rt,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	})
	base, uploads := *g.base, *g.uploads
	c.BaseURL, c.UploadURL = &base, &uploads
	c.UserAgent = g.userAgent
	return c
}

// installation is GitHub as one job sees it: one repository, the permissions it needs.
type installation struct {
	*github.Client
	// Repo is the repository, with the names that the job was given.
	Repo repo
	app  *App
}

// installation returns the client of a job on r. No call is made until it is used.
func (a *App) installation(r repo, need permissions) *installation {
	rt := &transport{gateway: a.github, repo: r, need: need}
	return &installation{Client: a.github.client(rt), Repo: r, app: a}
}

// maxPages bounds a list; with 100 a page it is far above what any list of ours holds.
const maxPages = 100

// each returns all items of a paged list. fetch gets the page to ask for, from 1 on, and
// must ask for 100 a page. It is the only paging code.
func each[T any](ctx context.Context, fetch func(page int) ([]T, *github.Response, error)) ([]T, error) {
	var all []T
	for page, n := 1, 0; ; n++ {
		if n == maxPages {
			return nil, fmt.Errorf("the list has more than %d pages", maxPages)
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		items, answer, err := fetch(page)
		if err != nil {
			return nil, err
		}
		all = append(all, items...)
		if answer == nil || answer.NextPage == 0 {
			return all, nil
		}
		page = answer.NextPage
	}
}

// status returns the HTTP status in err, or 0 when there is none or GitHub accepted.
func status(err error) int {
	var answer *github.ErrorResponse
	if errors.As(err, &answer) && answer.Response != nil {
		return answer.Response.StatusCode
	}
	return 0
}

// notFound reports whether GitHub answered 404.
func notFound(err error) bool { return status(err) == http.StatusNotFound }
