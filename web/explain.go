package web

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/output"
	"github.com/landwaiter/landwaiter/store"
)

// Links makes and checks the proof that a link to a Subject's page carries. A page shows
// what a private repository holds, so it opens only for those who have the link from the
// check run, which GitHub shows to those who may read the repository. Nobody can make one
// up; who has one can pass it on, as with anything they can read.
type Links struct {
	key   []byte // at least 16 random bytes, the same in every process of an installation
	epoch func(repositoryID int64) (string, error)
}

// NewLinks returns links that are proven with key, which must be secret and random. epoch tells
// since when the links of a repository hold: when it says something else than before, none from
// before opens any more. nil, and "", are an epoch like any other.
func NewLinks(key []byte, epoch func(repositoryID int64) (string, error)) Links {
	return Links{key, epoch}
}

// Sign returns the proof for the Subject with that key, "" when it cannot be told since when
// links hold: then the link opens for nobody.
func (l Links) Sign(subject string) string {
	text := "explain\n" + subject
	if l.epoch != nil {
		part := strings.SplitN(subject, ":", 3) // kind, repository, the rest
		id, err := strconv.ParseInt(part[min(1, len(part)-1)], 10, 64)
		if err != nil {
			return ""
		}
		since, err := l.epoch(id)
		if err != nil {
			return ""
		}
		if since != "" {
			text += "\n" + since
		}
	}
	mac := hmac.New(sha256.New, l.key)
	mac.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

// valid reports whether proof is that of subject. Without a key nothing is.
func (l Links) valid(subject, proof string) bool {
	want := l.Sign(subject)
	return len(l.key) >= 16 && want != "" && hmac.Equal([]byte(want), []byte(proof))
}

// explanation is what explain.html shows.
type explanation struct {
	Title   string
	Subject string // "pull request 7 of owner/name"
	R       checks.Report
	Stored  store.StoredReport
	JSON    string // address of the same as JSON
	// Summaries are links to verification summaries.
	Summaries []summaryLink
}

// explainPull shows the newest report on a pull request's head.
func (s *Server) explainPull(c echo.Context) error {
	number, sha, ok := strings.Cut(c.Param("pull"), "@")
	if !ok {
		return echo.ErrNotFound
	}
	return s.explain(c, fmt.Sprintf("pr:%s:%s:%s", c.QueryParam("repo"), number, sha))
}

// explainGroup shows the newest report on a merge group.
func (s *Server) explainGroup(c echo.Context) error {
	return s.explain(c, fmt.Sprintf("mg:%s:%s", c.QueryParam("repo"), c.Param("sha")))
}

// explainRelease shows the newest report on a release.
func (s *Server) explainRelease(c echo.Context) error {
	return s.explain(c, fmt.Sprintf("release:%s:%s", c.QueryParam("repo"), c.Param("release")))
}

// explain shows the newest report under key. A wrong proof, a report that is not there, and
// a repository that does not exist all look alike (THREATS G12).
func (s *Server) explain(c echo.Context, key string) error {
	if s.cfg.Report == nil || !s.cfg.Links.valid(key, c.QueryParam("proof")) {
		return echo.ErrNotFound
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), readyTimeout)
	defer cancel()
	stored, err := s.cfg.Report(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return echo.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("reading the report %s: %w", key, err)
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "private, no-store")
	if c.QueryParam("format") == "json" {
		return c.Blob(http.StatusOK, "application/json; charset=utf-8", stored.JSON)
	}
	query := c.Request().URL.Query()
	query.Set("format", "json")
	shown := output.ForCheck(stored.Report, output.Options{})
	var page bytes.Buffer
	err = s.pages.explain.Execute(&page, explanation{
		Title: shown.Title, Subject: describe(stored.Report.Subject), R: stored.Report, Stored: stored,
		JSON: c.Request().URL.Path + "?" + query.Encode(), Summaries: s.summaryLinks(ctx, stored),
	})
	if err != nil {
		return fmt.Errorf("writing page explain.html: %w", err)
	}
	return c.HTMLBlob(http.StatusOK, page.Bytes())
}

// describe names a Subject in words.
func describe(s checks.Subject) string {
	switch s.Kind {
	case checks.KindPullRequest:
		return fmt.Sprintf("pull request %d of %s", s.Number, s.Repository)
	case checks.KindMergeGroup:
		return "merge group of " + s.Repository
	case checks.KindRelease:
		return "release " + strings.TrimPrefix(s.Ref, "refs/tags/") + " of " + s.Repository
	default:
		return s.Repository
	}
}
