package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store"
)

var (
	summarised = strings.Repeat("a1", 32)
	releaseKey = "release:17:9"
)

// summaryServer gives out the summaries of one release of repository 17.
func summaryServer(t *testing.T) (http.Handler, Links) {
	t.Helper()
	links := NewLinks([]byte("0123456789abcdef0123456789abcdef"), nil)
	found := store.StoredSummary{Summary: store.Summary{File: []byte("{\"one\":1}\n{\"two\":2}\n")}}
	return newServer(t, Config{
		Links: links, Ledger: Ledger{Token: ledgerToken},
		Report: func(_ context.Context, key string) (store.StoredReport, error) {
			r := store.StoredReport{Report: checks.Report{
				Subject: checks.Subject{Kind: checks.KindRelease, Repository: "acme/private-shop", RepositoryID: 17, ReleaseID: 9}, Verdict: checks.Pass,
				Assets: []checks.AssetReport{
					{Name: script, SHA256: summarised, State: checks.AssetVerified, Required: []string{"provenance"}},
					{Name: "notes", SHA256: summarised},
				},
			}}
			r.Key = key
			return r, nil
		},
		Summaries: Summaries{
			ByKey: func(_ context.Context, key string) (store.StoredSummary, error) {
				if key != releaseKey {
					return store.StoredSummary{}, fmt.Errorf("summaries: %w", store.ErrNotFound)
				}
				return found, nil
			},
			ByDigest: func(_ context.Context, repository int64, digest string) ([]byte, store.StoredSummary, error) {
				if repository != 17 || digest != summarised {
					return nil, store.StoredSummary{}, fmt.Errorf("summary: %w", store.ErrNotFound)
				}
				return []byte("{\"one\":1}\n"), found, nil
			},
		},
	}).Handler(false), links
}

// TestG12Summaries: who has the link or the token reads them; for all others they look like
// what does not exist.
func TestG12Summaries(t *testing.T) {
	t.Parallel()
	h, links := summaryServer(t)
	asset := "/summaries/sha256:" + summarised
	ofAsset := links.Sign(assetKey(17, "sha256:"+summarised))
	for name, c := range map[string]struct{ url, sent, want string }{
		"release by link":  {"/releases/9/summary?repo=17&proof=" + links.Sign(releaseKey), "", "{\"one\":1}\n{\"two\":2}\n"},
		"release by token": {"/releases/9/summary?repo=17", "Bearer " + ledgerToken, "{\"one\":1}\n{\"two\":2}\n"},
		"asset by link":    {asset + "?repo=17&proof=" + ofAsset, "", "{\"one\":1}\n"},
		"asset by token":   {asset + "?repo=17", "Bearer " + ledgerToken, "{\"one\":1}\n"},
	} {
		got := askLedger(h, c.url, c.sent)
		if got.Code != http.StatusOK || got.Body.String() != c.want || got.Header().Get("Cache-Control") != "private, no-store" {
			t.Errorf("%s: %d %q, %v", name, got.Code, got.Body, got.Header())
		}
	}
	missing := askLedger(h, "/releases/8/summary?repo=17&proof="+links.Sign("release:17:8"), "")
	if missing.Code != http.StatusNotFound {
		t.Fatalf("what is not there: %d", missing.Code)
	}
	other := strings.Repeat("b2", 32)
	for name, c := range map[string]struct{ url, sent string }{
		"no proof":                      {"/releases/9/summary?repo=17", ""},
		"empty proof":                   {"/releases/9/summary?repo=17&proof=", ""},
		"proof of another release":      {"/releases/9/summary?repo=17&proof=" + links.Sign("release:17:8"), ""},
		"proof of an asset":             {"/releases/9/summary?repo=17&proof=" + ofAsset, ""},
		"wrong token":                   {"/releases/9/summary?repo=17", "Bearer " + strings.Repeat("x", 32)},
		"empty token":                   {"/releases/9/summary?repo=17", "Bearer "},
		"token, another repository":     {asset + "?repo=18", "Bearer " + ledgerToken},
		"token, no such release":        {"/releases/7/summary?repo=17", "Bearer " + ledgerToken},
		"asset without proof":           {asset + "?repo=17", ""},
		"asset, proof of the release":   {asset + "?repo=17&proof=" + links.Sign(releaseKey), ""},
		"asset, proof of another":       {asset + "?repo=17&proof=" + links.Sign(assetKey(17, "sha256:"+other)), ""},
		"asset of another repository":   {asset + "?repo=18&proof=" + ofAsset, ""},
		"asset, no repository":          {asset + "?proof=" + ofAsset, ""},
		"asset that does not exist":     {"/summaries/sha256:" + other + "?repo=17&proof=" + links.Sign(assetKey(17, "sha256:"+other)), ""},
		"digest of another form":        {"/summaries/" + summarised + "?repo=17", "Bearer " + ledgerToken},
		"digest in capitals":            {"/summaries/sha256:" + strings.ToUpper(summarised) + "?repo=17", "Bearer " + ledgerToken},
		"a path in place of the digest": {"/summaries/..%2fetc?repo=17", "Bearer " + ledgerToken},
	} {
		got := askLedger(h, c.url, c.sent)
		if got.Code != http.StatusNotFound || said(got) != said(missing) {
			t.Errorf("%s: %d %s, want what is not there: %s", name, got.Code, got.Body, missing.Body)
		}
	}
	off := newServer(t, Config{Links: links, Ledger: Ledger{Token: ledgerToken}}).Handler(false)
	for _, url := range []string{"/releases/9/summary?repo=17", asset + "?repo=17"} {
		if got := askLedger(off, url, "Bearer "+ledgerToken); got.Code != http.StatusNotFound {
			t.Errorf("switched off, %s: %d", url, got.Code)
		}
	}
}

// TestG17SummaryLinks: the page of a release links to its summaries, each link opens, and a
// hostile name stays text.
func TestG17SummaryLinks(t *testing.T) {
	t.Parallel()
	h, links := summaryServer(t)
	page := open(h, "/releases/9?repo=17&proof="+links.Sign(releaseKey))
	body := page.Body.String()
	if page.Code != http.StatusOK || strings.Contains(body, script) {
		t.Fatalf("%d %s", page.Code, body)
	}
	n := 0
	for _, part := range strings.Split(body, `href="`)[1:] {
		address, _, _ := strings.Cut(part, `"`)
		address = strings.ReplaceAll(address, "&amp;", "&")
		if !strings.Contains(address, "summar") {
			continue
		}
		n++
		if got := open(h, address); got.Code != http.StatusOK {
			t.Errorf("%s: %d", address, got.Code)
		}
	}
	if n != 2 {
		t.Errorf("%d links, want one for all and one for the asset that the policy asks something of", n)
	}
}
