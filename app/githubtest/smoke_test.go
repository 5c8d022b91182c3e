package githubtest

import (
	"context"
	"net/http"
	"testing"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v62/github"
)

// client returns a go-github client for an installation of the App.
func client(t *testing.T, g *GitHub, installation int64) *github.Client {
	t.Helper()
	tr, err := ghinstallation.New(http.DefaultTransport, g.AppID(), installation, g.AppKey())
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

func TestSmoke(t *testing.T) {
	g := NewTest(t, Options{})
	i := g.Install("acme")
	repo := g.Repo("acme", "shop", RepoOptions{Private: true})
	repo.Commit("main", "first", Files{"go.mod": "module x\n", "a/b.txt": "b"})
	p := repo.OpenPull(PullOptions{Head: "f", Files: Files{"go.mod": "module y\n"}, Fork: "eve"})
	c := client(t, g, i.ID)
	ctx := context.Background()
	r, _, err := c.Repositories.Get(ctx, "acme", "shop")
	if err != nil {
		t.Fatal(err)
	}
	if r.GetID() != repo.ID() {
		t.Errorf("id %d, want %d", r.GetID(), repo.ID())
	}
	pr, _, err := c.PullRequests.Get(ctx, "acme", "shop", p.Number)
	if err != nil {
		t.Fatal(err)
	}
	run, _, err := c.Checks.CreateCheckRun(ctx, "acme", "shop", github.CreateCheckRunOptions{Name: "landwaiter/pr", HeadSHA: pr.Head.GetSHA()})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(run.GetID(), g.Calls())
}
