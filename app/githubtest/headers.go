package githubtest

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
)

// setHeaders writes what every answer of GitHub carries.
func (g *GitHub) setHeaders(h http.Header, q *request, a reply) {
	for name, values := range a.header {
		h[http.CanonicalHeaderKey(name)] = values
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	h.Set("Date", g.now().Format(http.TimeFormat))
	h.Set("X-GitHub-Request-Id", strings.ToUpper(newGUID()[:18]))
	h.Set("X-GitHub-Media-Type", "github.v3; format=json")
	h.Set("X-GitHub-Api-Version-Selected", "2022-11-28")
	h.Set("Vary", "Accept, Authorization")
	h.Set("X-RateLimit-Limit", strconv.Itoa(g.rate.Limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(g.rate.Remaining))
	h.Set("X-RateLimit-Used", strconv.Itoa(g.rate.Limit-g.rate.Remaining))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(g.rate.Reset.Unix(), 10))
	h.Set("X-RateLimit-Resource", "core")
	if q.next != "" {
		h.Set("Link", q.next)
	}
}

// notModified adds an ETag to what was read and turns it into 304 when the client has it
// already, which is not counted against the rate.
func (q *request) notModified(a *reply) {
	if q.Method != http.MethodGet || a.status != http.StatusOK {
		return
	}
	sum := sha256.Sum256(a.bytes())
	tag := `W/"` + hex.EncodeToString(sum[:]) + `"`
	a.header.Set("ETag", tag)
	a.header.Set("Cache-Control", "private, max-age=60, s-maxage=60")
	for known := range strings.SplitSeq(q.Header.Get("If-None-Match"), ",") {
		if strings.TrimPrefix(strings.TrimSpace(known), "W/") == strings.TrimPrefix(tag, "W/") {
			a.status, a.body, a.raw = http.StatusNotModified, nil, nil
			if !q.free && q.g.rate.Remaining < q.g.rate.Limit {
				q.g.rate.Remaining++
			}
			return
		}
	}
}

// throttled refuses a request that comes too often, and counts it otherwise.
func (q *request) throttled() (reply, bool) {
	g := q.g
	if q.free = q.route.template == "/rate_limit" || q.isApp; q.free {
		return reply{}, false
	}
	if a, refused := q.secondary(); refused {
		return a, true
	}
	if !g.now().Before(g.rate.Reset) {
		g.rate.Remaining, g.rate.Reset = g.rate.Limit, g.now().Add(rateWindow)
	}
	if g.rate.Remaining <= 0 {
		a := refuse(http.StatusForbidden, "API rate limit exceeded for installation. If you reach out to GitHub Support for help, please include the request ID.")
		a.body.(object)["documentation_url"] = docs + "/using-the-rest-api/rate-limits-for-the-rest-api"
		return a, true
	}
	g.rate.Remaining--
	return reply{}, false
}

func (q *request) secondary() (reply, bool) {
	write := q.Method != http.MethodGet && q.Method != http.MethodHead
	for i := range q.g.throttles {
		t := &q.g.throttles[i]
		if t.Times <= 0 || t.Writes && !write {
			continue
		}
		t.Times--
		a := refuse(t.Status, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.")
		a.body.(object)["documentation_url"] = docs + "/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"
		if t.RetryAfter > 0 {
			a.header.Set("Retry-After", strconv.Itoa(int(t.RetryAfter.Seconds())))
		}
		return a, true
	}
	return reply{}, false
}
