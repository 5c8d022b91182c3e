package web

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/approval"
	"github.com/landwaiter/landwaiter/checks/signers"
	"github.com/landwaiter/landwaiter/store"
)

// TestExplainDrift: the page of a release shows then and now side by side, and what the
// repository's releases taught.
func TestExplainDrift(t *testing.T) {
	t.Parallel()
	links := NewLinks([]byte("0123456789abcdef0123456789abcdef"), nil)
	then := signers.Known{Profile: signers.Profile{Signer: ".github/workflows/release.yml", Runner: "github-hosted"}, Release: "v1.0.0", Since: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)}
	now := signers.Profile{Signer: script, Runner: "github-hosted"}
	report := checks.Report{
		Subject: checks.Subject{Kind: checks.KindRelease, Repository: "acme/shop", Ref: "refs/tags/v2.0.0"}, Verdict: checks.Fail,
		Approvals: &approval.Summary{Revision: "sha256:aa", Needed: 2, Counted: 1, Asked: []string{"@acme/release"}, Problem: "nobody knows", Votes: []approval.Vote{
			{ID: 2, Login: "bo", Reason: script, Time: then.Since}, {ID: 3, Login: "cy", Reason: "fine", Time: then.Since, Void: "its comment was edited"},
		}},
		Memory: &signers.Recall{
			Memory: signers.Memory{Version: 1, Releases: 1, Known: []signers.Known{then}},
			Drift:  []signers.Drift{{Subject: now.ID(), Assets: []string{"app.tar.gz"}, Then: then, Now: now, Differs: []string{"signer"}, Level: checks.LevelBlock}},
		},
	}
	s, err := New(Config{
		Hooks: http.NotFoundHandler(), Links: links, Log: slog.New(slog.DiscardHandler),
		Report: func(context.Context, string) (store.StoredReport, error) {
			return store.StoredReport{Report: report}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w := open(s.Handler(true), "/releases/5?repo=17&proof="+links.Sign("release:17:5"))
	body := w.Body.String()
	for _, part := range []string{
		"<th scope=\"col\">Then, v1.0.0</th>", "<td>Signer</td><td>.github/workflows/release.yml</td><td><strong>&lt;script&gt;",
		"1 of 2 by @acme/release", "No approval counts now: nobody knows.", "<td>bo</td><td>2026-10-01 00:00 UTC</td><td>&lt;script&gt;", "<td>no: its comment was edited</td>",
		"<td>Runner</td><td>github-hosted</td><td>github-hosted</td>", now.ID(), "<td>v1.0.0, 2026-10-01</td>",
	} {
		if !strings.Contains(body, part) {
			t.Errorf("the page (%d) lacks %s:\n%s", w.Code, part, body)
		}
	}
	if strings.Contains(body, script) {
		t.Error("foreign text is not escaped")
	}
}
