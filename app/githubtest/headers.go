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
	h.Set("Date", g.now().Add(g.weather.DateOff).Format(http.TimeFormat))
	h.Set("X-GitHub-Request-Id", strings.ToUpper(newGUID()[:18]))
	h.Set("X-GitHub-Media-Type", "github.v3; format=json")
	h.Set("X-GitHub-Api-Version-Selected", "2022-11-28")
	h.Set("Vary", "Accept, Authorization")
	rate := q.rate()
	h.Set("X-RateLimit-Limit", strconv.Itoa(rate.Limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(rate.Remaining))
	h.Set("X-RateLimit-Used", strconv.Itoa(rate.Limit-rate.Remaining))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(rate.Reset.Unix(), 10))
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
			if rate := q.rate(); !q.free && rate.Remaining < rate.Limit {
				rate.Remaining++
			}
			return
		}
	}
}

// rate is the primary limit of whoever asks; the App itself and strangers share one that
// is never used up.
func (q *request) rate() *Rate {
	if q.token != nil {
		return &q.token.inst.rate
	}
	return &q.g.rate
}

// throttled refuses a request that comes too often, and counts it otherwise.
func (q *request) throttled() (reply, bool) {
	g := q.g
	if q.free = q.route.template == "/rate_limit" || q.token == nil; q.free {
		return reply{}, false
	}
	if a, refused := q.secondary(); refused {
		return a, true
	}
	rate := q.rate()
	if !g.now().Before(rate.Reset) {
		rate.Remaining, rate.Reset = rate.Limit, g.now().Add(rateWindow)
	}
	if rate.Remaining <= 0 {
		q.limited, q.until = true, rate.Reset
		a := refuse(http.StatusForbidden, "API rate limit exceeded for installation. If you reach out to GitHub Support for help, please include the request ID.")
		a.body.(object)["documentation_url"] = docs + "/using-the-rest-api/rate-limits-for-the-rest-api"
		return a, true
	}
	rate.Remaining--
	return reply{}, false
}

func (q *request) secondary() (reply, bool) {
	write := q.Method != http.MethodGet && q.Method != http.MethodHead
	for i := range q.g.throttles {
		t := &q.g.throttles[i]
		if t.Times <= 0 || t.Writes && !write || t.InstallationID != 0 && t.InstallationID != q.token.inst.ID {
			continue
		}
		t.Times--
		q.limited = true
		a := refuse(t.Status, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.")
		a.body.(object)["documentation_url"] = docs + "/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"
		if t.RetryAfter > 0 {
			q.until = q.g.now().Add(t.RetryAfter)
			a.header.Set("Retry-After", strconv.Itoa(int(t.RetryAfter.Seconds())))
		}
		return a, true
	}
	return reply{}, false
}
