package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/landwaiter/landwaiter/store/crash"
)

const (
	// callTimeout bounds one call with its body. GitHub itself ends requests after 10 seconds
	// (docs.github.com, "Troubleshooting the REST API", timeouts); the rest is the way there.
	callTimeout = 30 * time.Second
	// maxAnswer bounds the body of one answer, in bytes: the largest blob we ask for and some
	// room. A tree listing has 7 MB at most (GITHUB.md section 2).
	maxAnswer = maxFile + 1<<20
	// apiVersion is what we are written against (docs.github.com, "API Versions").
	apiVersion = "2022-11-28"
)

// errForeign says that a request was about to leave for another host. It is never sent.
var errForeign = errors.New("the request is for another host than the API's")

// errAnswer says that what came back is not an answer of the API: another type, cut, empty
// or too large. It may pass, so the job is tried again.
type errAnswer struct {
	Route  string
	Reason string
}

func (e *errAnswer) Error() string { return e.Route + ": " + e.Reason }

// transport carries every call to GitHub. It pins the host, adds the token, obeys limits,
// asks conditionally, bounds the answer, and counts.
//
// A call whose Accept is application/octet-stream, a download, passes through with its body
// unread and its redirect unfollowed: the caller bounds it and goes on without credentials.
type transport struct {
	*gateway
	repo repo
	need permissions // nil: the caller signs by itself, as the App
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := t.pin(req.URL); err != nil {
		return nil, err
	}
	if err := t.lane(t.repo.InstallationID).enter(req.Context(), t.now()); err != nil {
		return nil, err
	}
	defer t.lane(t.repo.InstallationID).leave()
	if isDownload(req) {
		return t.authorised(req, nil)
	}
	ctx, cancel := context.WithTimeout(req.Context(), callTimeout)
	defer cancel()
	req = req.Clone(ctx)
	known := t.cache.answer(ctx, t.repo, req)
	resp, err := t.authorised(req, known)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusNotModified && known != nil {
		return known.response(req), nil
	}
	if known := t.cache.keeps(req, resp); known != nil {
		t.cache.save(ctx, t.repo, req, known)
	}
	return resp, nil
}

// pin refuses every URL outside the API's root, but for uploads of release assets.
func (g *gateway) pin(u *url.URL) error {
	if u.Scheme == g.uploads.Scheme && u.Host == g.uploads.Host && u.User == nil && isUpload(u, g.uploads) {
		return nil
	}
	if u.Scheme != g.base.Scheme || u.Host != g.base.Host || u.User != nil {
		return fmt.Errorf("%w: %s", errForeign, u.Host)
	}
	return nil
}

// isUpload reports whether u is the address of a new asset below root.
func isUpload(u, root *url.URL) bool {
	rest, ok := strings.CutPrefix(u.Path, root.Path+"repos/")
	parts := strings.Split(rest, "/")
	return ok && len(parts) == 5 && parts[2] == "releases" && parts[4] == "assets"
}

// authorised sends req with a token. A reading that GitHub refuses because the token is not
// valid is sent once more with a fresh one; a writing is left to the job, which looks first.
func (t *transport) authorised(req *http.Request, known *answer) (*http.Response, error) {
	for again := false; ; again = true {
		var value string
		if t.need != nil {
			var err error
			if value, err = t.tokens.of(req.Context(), t.repo, t.need); err != nil {
				return nil, err
			}
			req.Header.Set("Authorization", "Bearer "+value)
		}
		resp, err := t.once(req, known, 0)
		if err != nil || resp.StatusCode != http.StatusUnauthorized || t.need == nil {
			return resp, err
		}
		t.tokens.drop(t.repo, t.need, value)
		if again || req.Method != http.MethodGet {
			return resp, nil
		}
	}
}

// once sends req as it is and reads the answer whole. hops counts redirects followed: a
// repository that was renamed answers with its address by id, on the same host.
func (t *transport) once(req *http.Request, known *answer, hops int) (*http.Response, error) {
	route := routeOf(req.Method, strings.TrimPrefix(strings.TrimPrefix(req.URL.Path, t.base.Path), t.uploads.Path))
	_, span := t.tracer.Call(req.Context(), "GitHub "+route, attribute.String("http.request.method", req.Method), attribute.String("url.template", route))
	resp, err := t.exchange(req, known, route)
	if resp != nil {
		span.Set(attribute.Int("http.response.status_code", resp.StatusCode), attribute.String("landwaiter.cache", cacheLabel(known, resp)))
	}
	span.End(err)
	if err != nil {
		return nil, err
	}
	if isDownload(req) && resp.StatusCode < 400 {
		return resp, nil
	}
	if next := t.moved(req, resp); next != nil && hops < 2 {
		return t.once(next, nil, hops+1)
	}
	return resp, acceptable(route, req, resp)
}

// exchange sends req and reads the answer, but for that to a download. It returns a response
// beside an error when GitHub answered with a limit.
func (t *transport) exchange(req *http.Request, known *answer, route string) (*http.Response, error) {
	req.Header.Set("X-Github-Api-Version", apiVersion)
	req.Header.Set("User-Agent", t.userAgent)
	if known != nil {
		req.Header.Set("If-None-Match", known.ETag)
	}
	crash.BeforeCall(route)
	if err := mayWrite(req); err != nil {
		return nil, fmt.Errorf("%s: %w", route, err)
	}
	sent := t.now()
	resp, err := t.next.RoundTrip(req)
	crash.AfterCall(route)
	if err != nil {
		t.metrics.called(route, "none", "")
		return nil, fmt.Errorf("%s: %w", route, err)
	}
	t.metrics.called(route, fmt.Sprint(resp.StatusCode), cacheLabel(known, resp))
	t.skew.note(req.Context(), resp.Header, sent, t.now())
	t.lane(t.repo.InstallationID).note(resp.Header, t.metrics, t.repo.InstallationID, t.now())
	if isDownload(req) && resp.StatusCode < 400 {
		return resp, nil
	}
	if err := readAnswer(route, resp); err != nil {
		return nil, err
	}
	if until, limited := limitedUntil(resp, t.now()); limited {
		t.metrics.throttled()
		t.lane(t.repo.InstallationID).park(until)
		return resp, fmt.Errorf("%s: %w", route, &RateLimited{Until: until})
	}
	if t.need != nil && resp.StatusCode == http.StatusForbidden && says(resp, "installation has been suspended") {
		return nil, fmt.Errorf("%s: %w", route, errGone)
	}
	return resp, nil
}

// moved returns the request that a redirect asks for, or nil. Only what GitHub answers for a
// repository that was renamed is followed: to the address by the same id, on the API's host.
func (t *transport) moved(req *http.Request, resp *http.Response) *http.Request {
	switch resp.StatusCode {
	case http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	case http.StatusMovedPermanently, http.StatusFound:
		if req.Method != http.MethodGet {
			return nil
		}
	default:
		return nil
	}
	to, err := resp.Location()
	if err != nil || t.pin(to) != nil || !strings.HasPrefix(to.Path, fmt.Sprintf("%srepositories/%d/", t.base.Path, t.repo.ID)) {
		return nil
	}
	next := req.Clone(req.Context())
	next.URL, next.Host = to, ""
	next.Header.Del("If-None-Match")
	if req.GetBody != nil {
		if next.Body, err = req.GetBody(); err != nil {
			return nil
		}
	}
	return next
}

// readAnswer replaces the body of resp by bytes that are all there.
func readAnswer(route string, resp *http.Response) error {
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return fmt.Errorf("%s: the answer was cut: %w", route, err)
	case len(body) > maxAnswer:
		return &errAnswer{route, fmt.Sprintf("the answer is larger than %d MiB", maxAnswer>>20)}
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	resp.ContentLength = int64(len(body))
	return nil
}

// acceptable refuses a success that is not what was asked for: HTML from something in
// between, or nothing at all, which go-github would take for an empty object.
func acceptable(route string, req *http.Request, resp *http.Response) error {
	if resp.StatusCode < 200 || resp.StatusCode > 299 || resp.StatusCode == http.StatusNoContent {
		return nil
	}
	if strings.HasSuffix(req.Header.Get("Accept"), "raw") {
		return nil
	}
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil || (kind != "application/json" && !strings.HasSuffix(kind, "+json")) {
		return &errAnswer{route, fmt.Sprintf("answered %q where JSON was asked for", kind)}
	}
	if resp.ContentLength == 0 {
		return &errAnswer{route, "the answer is empty"}
	}
	return nil
}

// isDownload reports whether req asks for the bytes of a release asset.
func isDownload(req *http.Request) bool {
	return req.Header.Get("Accept") == "application/octet-stream"
}

// cacheLabel is the metric label cache: "hit", "miss" or "" when nothing was kept.
func cacheLabel(known *answer, resp *http.Response) string {
	switch {
	case known == nil:
		return ""
	case resp.StatusCode == http.StatusNotModified:
		return "hit"
	}
	return "miss"
}
