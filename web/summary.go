package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store"
)

// Summaries reads the verification summaries that are given out. The zero Summaries gives out
// none. It reads what was signed; nothing here can sign.
type Summaries struct {
	// ByKey returns the summaries in force of a Subject's key, or store.ErrNotFound.
	ByKey func(ctx context.Context, key string) (store.StoredSummary, error)
	// ByDigest returns the line about the asset with that SHA-256, hexadecimal, in a release of
	// the repository, or store.ErrNotFound.
	ByDigest func(ctx context.Context, repositoryID int64, digest string) ([]byte, store.StoredSummary, error)
}

// assetForm is how an asset is named in an address.
var assetForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^sha256:[0-9a-f]{64}$`) })

// summaryOfRelease gives out the summaries of a release, a line for each asset, to who may see
// the page of the release. What is not there and what is not for the asker look alike (THREATS
// G12): a proof that does not fit is never looked up.
func (s *Server) summaryOfRelease(c echo.Context) error {
	key := fmt.Sprintf("release:%s:%s", c.QueryParam("repo"), c.Param("release"))
	if s.cfg.Summaries.ByKey == nil || !s.cfg.Links.valid(key, c.QueryParam("proof")) && !s.bearer(c) {
		return echo.ErrNotFound
	}
	return s.summary(c, func(ctx context.Context) ([]byte, error) {
		found, err := s.cfg.Summaries.ByKey(ctx, key)
		return found.File, err
	})
}

// summaryOfAsset gives out the summary of one asset, known by its digest. The proof is of this
// asset in this repository, so that who has it learns of no other.
func (s *Server) summaryOfAsset(c echo.Context) error {
	digest := c.Param("digest")
	repository, err := strconv.ParseInt(c.QueryParam("repo"), 10, 64)
	if err != nil || s.cfg.Summaries.ByDigest == nil || !assetForm().MatchString(digest) ||
		!s.cfg.Links.valid(assetKey(repository, digest), c.QueryParam("proof")) && !s.bearer(c) {
		return echo.ErrNotFound
	}
	return s.summary(c, func(ctx context.Context) ([]byte, error) {
		line, _, err := s.cfg.Summaries.ByDigest(ctx, repository, strings.TrimPrefix(digest, "sha256:"))
		return line, err
	})
}

// assetKey is what the proof of an asset's summary is of.
func assetKey(repository int64, digest string) string {
	return fmt.Sprintf("summary:%d:%s", repository, digest)
}

// summary answers with what read returns.
func (s *Server) summary(c echo.Context, read func(context.Context) ([]byte, error)) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), readyTimeout)
	defer cancel()
	text, err := read(ctx)
	if errors.Is(err, store.ErrNotFound) {
		return echo.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("reading summaries: %w", err)
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "private, no-store")
	return c.Blob(http.StatusOK, "application/jsonl", text)
}

// summaryLink is a link to the summary of one asset, or of all.
type summaryLink struct {
	Name string // hostile
	URL  string
}

// summaryLinks are the links on the page of a release. There are none while nothing is given out.
func (s *Server) summaryLinks(ctx context.Context, r store.StoredReport) []summaryLink {
	subject := r.Report.Subject
	if s.cfg.Summaries.ByKey == nil || subject.Kind != checks.KindRelease || r.Report.Verdict != checks.Pass {
		return nil
	}
	if _, err := s.cfg.Summaries.ByKey(ctx, r.Key); err != nil {
		return nil // the page shows the report; without summaries it shows no links
	}
	link := func(path, key string) string {
		q := url.Values{"repo": {strconv.FormatInt(subject.RepositoryID, 10)}, "proof": {s.cfg.Links.Sign(key)}}
		return path + "?" + q.Encode()
	}
	links := []summaryLink{{"all assets", link(fmt.Sprintf("/releases/%d/summary", subject.ReleaseID), r.Key)}}
	for _, a := range r.Report.Assets {
		if digest := "sha256:" + strings.ToLower(a.SHA256); len(a.Required) > 0 && !a.EvidenceFile && assetForm().MatchString(digest) {
			links = append(links, summaryLink{a.Name, link("/summaries/"+digest, assetKey(subject.RepositoryID, digest))})
		}
	}
	return links
}
