package githubtest

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v4"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v62/github"

	"github.com/landwaiter/landwaiter/app/githubtest/contract"
)

func TestAppToken(t *testing.T) {
	t.Parallel()
	g := NewTest(t, Options{Description: contract.Description{}})
	other, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	good := jwt.MapClaims{"iss": g.AppID(), "iat": now.Add(-time.Minute).Unix(), "exp": now.Add(9 * time.Minute).Unix()}
	change := func(key string, value any) jwt.MapClaims {
		return jwt.MapClaims(with(object(good), object{key: value}))
	}
	tests := map[string]struct {
		claims jwt.MapClaims
		method jwt.SigningMethod
		key    any
		status int
	}{
		"good":               {good, jwt.SigningMethodRS256, g.opts.Key, 200},
		"issuer as text":     {change("iss", "4242"), jwt.SigningMethodRS256, g.opts.Key, 200},
		"another App":        {change("iss", 7), jwt.SigningMethodRS256, g.opts.Key, 401},
		"over ten minutes":   {change("exp", now.Add(11*time.Minute).Unix()), jwt.SigningMethodRS256, g.opts.Key, 401},
		"over":               {change("exp", now.Add(-time.Second).Unix()), jwt.SigningMethodRS256, g.opts.Key, 401},
		"without end":        {change("exp", nil), jwt.SigningMethodRS256, g.opts.Key, 401},
		"issued in future":   {change("iat", now.Add(time.Minute).Unix()), jwt.SigningMethodRS256, g.opts.Key, 401},
		"another key":        {good, jwt.SigningMethodRS256, other, 401},
		"another algorithm":  {good, jwt.SigningMethodRS384, g.opts.Key, 401},
		"symmetric with PEM": {good, jwt.SigningMethodHS256, g.AppKey(), 401},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			value, err := jwt.NewWithClaims(tt.method, tt.claims).SignedString(tt.key)
			if err != nil {
				t.Fatal(err)
			}
			if a := send(t, "GET", g.APIURL()+"/app", nil, "Authorization", "Bearer "+value); a.status != tt.status {
				t.Errorf("status %d, want %d: %s", a.status, tt.status, a.body)
			}
		})
	}
}

func TestTokenIsNarrow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.Repo("acme", "other", RepoOptions{Private: true}).Commit("main", "x", Files{"a": "a"})
	w.Repo("evil", "theirs", RepoOptions{Private: true})
	app := appClient(t, w.GitHub)
	mint := func(o *github.InstallationTokenOptions) (*github.InstallationToken, error) {
		token, _, err := app.Apps.CreateInstallationToken(w.ctx(), w.inst.ID, o)
		return token, err
	}
	token, err := mint(&github.InstallationTokenOptions{
		RepositoryIDs: []int64{w.repo.ID()}, Permissions: &github.InstallationPermissions{Contents: github.String("read")},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"contents": "read", "metadata": "read"}
	if diff := cmp.Diff(want, w.Tokens()[0].Permissions); diff != "" {
		t.Errorf("permissions (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"acme/shop"}, w.Tokens()[0].Repositories); diff != "" {
		t.Errorf("repositories (-want +got):\n%s", diff)
	}
	tests := map[string]struct {
		method, path string
		body         any
		status       int
		message      string
	}{
		"what it is for":      {"GET", "/repos/acme/shop/contents/go.mod", nil, 200, ""},
		"another permission":  {"GET", "/repos/acme/shop/pulls", nil, 403, "Resource not accessible by integration"},
		"writing":             {"POST", "/repos/acme/shop/check-runs", object{"name": "n", "head_sha": w.first}, 403, "Resource not accessible by integration"},
		"another repository":  {"GET", "/repos/acme/other/contents/a", nil, 404, "Not Found"},
		"someone else's":      {"GET", "/repos/evil/theirs", nil, 404, "Not Found"},
		"the App's own route": {"GET", "/app", nil, 401, "A JSON web token could not be decoded"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			a := send(t, tt.method, w.APIURL()+tt.path, tt.body, "Authorization", "token "+token.GetToken())
			if a.status != tt.status || !strings.Contains(string(a.body), tt.message) {
				t.Errorf("got %d %s, want %d %s", a.status, a.body, tt.status, tt.message)
			}
		})
	}
	for name, o := range map[string]*github.InstallationTokenOptions{
		"more than granted":       {Permissions: &github.InstallationPermissions{Secrets: github.String("write")}},
		"repository of others":    {Repositories: []string{"theirs"}},
		"repository id of others": {RepositoryIDs: []int64{w.Repo("evil", "theirs").ID()}},
	} {
		_, err := mint(o)
		var refused *github.ErrorResponse
		if !errors.As(err, &refused) || refused.Response.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s: %v, want 422", name, err)
		}
	}
}

func TestTokensEnd(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		end    func(w *world)
		status int
	}{
		"an hour passed":         {func(w *world) { w.ExpireTokens() }, 401},
		"suspended":              {func(w *world) { w.inst.Suspend() }, 403},
		"uninstalled":            {func(w *world) { w.inst.Uninstall() }, 401},
		"permission withdrawn":   {func(w *world) { w.inst.Grant("contents", "") }, 403},
		"repository taken away":  {func(w *world) { w.inst.Remove("shop") }, 404},
		"suspended, and back on": {func(w *world) { w.inst.Suspend(); w.inst.Unsuspend() }, 200},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{TokenLength: 520})
			token, err := w.auth.Token(w.ctx())
			if err != nil {
				t.Fatal(err)
			}
			if len(token) != 520 {
				t.Errorf("token of %d characters, want 520", len(token))
			}
			w.get("/repos/acme/shop/contents/go.mod")
			tt.end(w)
			a := send(t, "GET", w.APIURL()+"/repos/acme/shop/contents/go.mod", nil, "Authorization", "Bearer "+token)
			w.want(a, tt.status)
		})
	}
}

func TestWithoutCredential(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	for name, header := range map[string]string{"none": "", "nonsense": "Bearer nonsense", "basic": "Basic Zm9vOmJhcg=="} {
		if a := send(t, "GET", w.APIURL()+"/repos/acme/shop", nil, "Authorization", header); a.status != 401 {
			t.Errorf("%s: %d, want 401", name, a.status)
		}
	}
	if a := send(t, "GET", w.APIURL()+"/meta", nil); a.status != 200 {
		t.Errorf("GET /meta: %d", a.status)
	}
}

func TestInstallations(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	some := w.GitHub.Repo("other", "one")
	w.GitHub.Repo("other", "two")
	selected := w.Install("other", InstallOptions{Repositories: []string{"one"}})
	app := appClient(t, w.GitHub)
	list, _, err := app.Apps.ListInstallations(w.ctx(), nil)
	if err != nil || len(list) != 2 {
		t.Fatalf("%d installations, %v; want 2", len(list), err)
	}
	found, _, err := app.Apps.FindRepositoryInstallation(w.ctx(), "other", "one")
	if err != nil || found.GetID() != selected.ID || found.GetRepositorySelection() != "selected" {
		t.Errorf("found %d %s, %v; want %d selected", found.GetID(), found.GetRepositorySelection(), err, selected.ID)
	}
	if _, resp, err := app.Apps.FindRepositoryInstallation(w.ctx(), "other", "two"); err == nil || resp.StatusCode != 404 {
		t.Errorf("an uninstalled repository has an installation: %v", err)
	}
	c, _ := installationClient(t, w.GitHub, selected.ID)
	repos, _, err := c.Apps.ListRepos(w.ctx(), nil)
	if err != nil || repos.GetTotalCount() != 1 || repos.Repositories[0].GetID() != some.ID() {
		t.Errorf("repositories %+v, %v; want other/one", repos, err)
	}
}
