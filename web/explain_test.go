package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/duties"
	"github.com/landwaiter/landwaiter/store"
)

const pullKey = "pr:17:7:0123456789abcdef0123456789abcdef01234567"

const script = "<script>alert(1)</script>"

// explainServer serves one report with hostile text in it.
func explainServer(t *testing.T) (http.Handler, Links) {
	t.Helper()
	links := NewLinks([]byte("0123456789abcdef0123456789abcdef"), nil)
	s, err := New(Config{
		Hooks: http.NotFoundHandler(), Links: links, Log: slog.New(slog.DiscardHandler),
		Report: func(_ context.Context, key string) (store.StoredReport, error) {
			if key != pullKey {
				return store.StoredReport{}, store.ErrNotFound
			}
			return store.StoredReport{
				JSON: []byte(`{"verdict":"fail"}`),
				Report: checks.Report{
					Subject: checks.Subject{Kind: checks.KindPullRequest, Repository: "acme/private-shop", Number: 7},
					Verdict: checks.Fail,
					Findings: []checks.Finding{{
						Package: checks.FindingPackage{Name: "<script>alert(1)</script>"}, Introduced: true, Level: checks.LevelBlock,
						URL: "javascript:alert(2)", Advisory: "GHSA-1", Severity: checks.SeverityHigh, Score: 8.1, EPSS: 0.344, Exploited: true, Reach: checks.ReachNotImported,
						Risk: 45, RiskParts: []checks.RiskPart{{Name: "severity", Points: 40, Why: "CVSS 8.0"}, {Name: "depth", Points: 5, Why: "direct dependency"}},
					}, {
						Rule: checks.RuleInjection, Subject: script, Summary: script, Licence: script, Remediation: script, Aliases: []string{script},
						Location: checks.Location{Path: script}, DependencyPath: []string{script}, Introduced: true, Level: checks.LevelWarn,
					}},
					Cured: []checks.Cured{{Advisory: script, Package: checks.FindingPackage{Name: script, Version: script}, To: script}},
					Duties: &duties.Summary{
						Since: script, Branch: script, Releaser: script, Builders: []string{script}, Commits: 3, Direct: 1,
						Pulls: []duties.PullSummary{{Number: 7, Author: script, Approvers: []string{script}, Check: script, Codes: []string{"not-approved"}}},
					},
					Time: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC),
				},
			}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s.Handler(true), links
}

func open(h http.Handler, url string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, url, nil))
	return w
}

// said is an answer without the request's own id.
func said(w *httptest.ResponseRecorder) string {
	text, _, _ := strings.Cut(w.Body.String(), `,"request"`)
	return text
}

// TestG12ExplainNeedsProof opens the page for who holds the link and for nobody else.
func TestG12ExplainNeedsProof(t *testing.T) {
	t.Parallel()
	h, links := explainServer(t)
	page := "/repos/acme/private-shop/pr/7@0123456789abcdef0123456789abcdef01234567?repo=17&proof="
	good := open(h, page+links.Sign(pullKey))
	if good.Code != http.StatusOK || !strings.Contains(good.Body.String(), "acme/private-shop") {
		t.Fatalf("with the proof: %d %s", good.Code, good.Body)
	}
	if json := open(h, page+links.Sign(pullKey)+"&format=json"); json.Body.String() != `{"verdict":"fail"}` {
		t.Errorf("as JSON: %d %s", json.Code, json.Body)
	}
	missing := open(h, "/repos/acme/nothing/pr/9@ffff?repo=3&proof="+links.Sign("pr:3:9:ffff"))
	for name, url := range map[string]string{
		"no proof":               page,
		"a proof of another":     page + links.Sign("pr:17:8:0123456789abcdef0123456789abcdef01234567"),
		"another repository":     strings.Replace(page, "repo=17", "repo=18", 1) + links.Sign(pullKey),
		"a proof of another key": page + NewLinks([]byte("ffffffffffffffffffffffffffffffff"), nil).Sign(pullKey),
	} {
		got := open(h, url)
		if got.Code != http.StatusNotFound || said(got) != said(missing) {
			t.Errorf("%s: %d %s, want the same 404 as for what is not there: %s", name, got.Code, got.Body, missing.Body)
		}
	}
	if zero := (Links{}); zero.valid(pullKey, zero.Sign(pullKey)) {
		t.Error("links without a key accept a proof")
	}
}

// TestG17ExplainEscapes keeps hostile text text.
func TestG17ExplainEscapes(t *testing.T) {
	t.Parallel()
	h, links := explainServer(t)
	body := open(h, "/repos/acme/private-shop/pr/7@0123456789abcdef0123456789abcdef01234567?repo=17&proof="+links.Sign(pullKey)).Body.String()
	for _, bad := range []string{"<script", "javascript:"} {
		if strings.Contains(body, bad) {
			t.Errorf("the page contains %q:\n%s", bad, body)
		}
	}
	// The package's name, seven texts of the second finding, four of what is cured, seven of duties.
	if n := strings.Count(body, "&lt;script&gt;"); n != 19 {
		t.Errorf("%d of 19 hostile texts are shown", n)
	}
}

// TestExplainShowsTheRisk: a reader sees what the score consists of, and rules without advisories.
func TestExplainShowsTheRisk(t *testing.T) {
	t.Parallel()
	h, links := explainServer(t)
	body := open(h, "/repos/acme/private-shop/pr/7@0123456789abcdef0123456789abcdef01234567?repo=17&proof="+links.Sign(pullKey)).Body.String()
	for _, want := range []string{"45<br>", "&#43;40 severity: CVSS 8.0", "&#43;5 depth: direct dependency", "known exploited", "EPSS 0.344", "not imported", "<code>workflow-script-injection</code>", "Cured by this change", "What came into it", "<code>not-approved</code>"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q:\n%s", want, body)
		}
	}
}

// TestG32LinkFromBeforePrivate: a link that was given out while everybody could read the
// repository opens nothing once it is private; one made since does.
func TestG32LinkFromBeforePrivate(t *testing.T) {
	t.Parallel()
	since, failing := "", error(nil)
	links := NewLinks([]byte("0123456789abcdef0123456789abcdef"), func(id int64) (string, error) {
		if id != 11 {
			return "", nil
		}
		return since, failing
	})
	const subject, other = "release:11:5", "release:12:5"
	before, elsewhere := links.Sign(subject), links.Sign(other)
	if !links.valid(subject, before) {
		t.Fatal("baseline: the link does not open")
	}
	since = "2026-11-23T09:00:00Z"
	after := links.Sign(subject)
	if links.valid(subject, before) || !links.valid(subject, after) || !links.valid(other, elsewhere) {
		t.Errorf("from before opens %v, made since %v, of another repository %v", links.valid(subject, before), links.valid(subject, after), links.valid(other, elsewhere))
	}
	failing = errors.New("no database")
	if links.Sign(subject) != "" || links.valid(subject, after) || links.valid(subject, "") {
		t.Error("a link opens although nobody can tell since when links hold")
	}
	if links.Sign("nonsense") != "" || links.valid("nonsense", "") {
		t.Error("a subject without a repository has a proof")
	}
}
