package app

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// laneWidth is how many calls one installation has under way at once. GitHub allows 100 in
	// all (docs.github.com, "Rate limits for the REST API", secondary limits).
	laneWidth = 16
	// secondaryPause is how long to wait after a secondary limit without a Retry-After: "wait
	// at least one minute" (same page).
	secondaryPause = time.Minute
	// longestPark bounds what a header can make us wait. Primary limits reset hourly.
	longestPark = 65 * time.Minute
)

// RateLimited says that GitHub wants no call of an installation before Until. The job waits
// without that counting as an attempt.
type RateLimited struct {
	Until time.Time
}

func (e *RateLimited) Error() string {
	return "GitHub limits this installation until " + e.Until.UTC().Format(time.RFC3339)
}

// lane is what is known of the limits of one installation.
type lane struct {
	slots chan struct{}

	mu        sync.Mutex
	until     time.Time // no call before; zero when free
	limit     int       // calls an hour; 0 when not known yet
	remaining int
	reset     time.Time
}

// lane returns the lane of an installation, 0 for the App itself.
func (g *gateway) lane(installation int64) *lane {
	g.mu.Lock()
	defer g.mu.Unlock()
	l, ok := g.lanes[installation]
	if !ok {
		l = &lane{slots: make(chan struct{}, laneWidth)}
		g.lanes[installation] = l
	}
	return l
}

// enter waits for a slot, or returns RateLimited without a call.
func (l *lane) enter(ctx context.Context, now time.Time) error {
	l.mu.Lock()
	until := l.until
	l.mu.Unlock()
	if now.Before(until) {
		return &RateLimited{Until: until}
	}
	select {
	case l.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *lane) leave() { <-l.slots }

// park stops the lane until then.
func (l *lane) park(until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until.After(l.until) {
		l.until = until
	}
}

// note keeps what an answer says of the primary limit. Who has used it up need not be refused
// first: the lane stops until the reset.
func (l *lane) note(h http.Header, m *metrics, installation int64, now time.Time) {
	limit, err1 := strconv.Atoi(h.Get("X-RateLimit-Limit"))
	remaining, err2 := strconv.Atoi(h.Get("X-RateLimit-Remaining"))
	reset, err3 := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64)
	if resource := h.Get("X-RateLimit-Resource"); err1 != nil || err2 != nil || err3 != nil || limit <= 0 || resource != "" && resource != "core" {
		return
	}
	m.remaining(installation, remaining)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.limit, l.remaining, l.reset = limit, remaining, time.Unix(reset, 0)
	if until := l.reset; remaining == 0 && until.After(now) && until.After(l.until) && !until.After(now.Add(longestPark)) {
		l.until = until
	}
}

// The floors below which less urgent work waits for the reset, in percent of the limit
// (GITHUB.md section 4).
const (
	floorBackfill = 20
	floorIssues   = 10
	floorRest     = 5
)

// allows reports whether a job of that priority may use what is left of the limit, and if
// not, until when it waits.
func (l *lane) allows(priority int, now time.Time) (until time.Time, ok bool) {
	floor := floorRest
	switch {
	case priority > priorityIssue: // backfill, and what it asks for
		floor = floorBackfill
	case priority >= priorityIssue:
		floor = floorIssues
	case priority <= priorityPull:
		return time.Time{}, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.limit == 0 || !now.Before(l.reset) || l.remaining*100 >= l.limit*floor {
		return time.Time{}, true
	}
	return l.reset, false
}

// limitedUntil reports whether resp refuses for a primary or secondary limit, and until when.
// The body of resp has been read whole and stays readable.
func limitedUntil(resp *http.Response, now time.Time) (time.Time, bool) {
	if resp.StatusCode != http.StatusForbidden && resp.StatusCode != http.StatusTooManyRequests {
		return time.Time{}, false
	}
	until := now.Add(secondaryPause)
	switch after, err := strconv.Atoi(resp.Header.Get("Retry-After")); {
	case err == nil && after >= 0:
		until = now.Add(time.Duration(after) * time.Second)
	case resp.Header.Get("X-RateLimit-Remaining") == "0":
		if reset, err := strconv.ParseInt(resp.Header.Get("X-RateLimit-Reset"), 10, 64); err == nil {
			until = time.Unix(reset, 0)
		}
	case resp.StatusCode == http.StatusTooManyRequests || speaksOfLimit(resp):
	default:
		return time.Time{}, false
	}
	// A reset in the past or far away comes from a clock that is wrong: theirs or ours.
	if until.Before(now.Add(time.Second)) {
		until = now.Add(time.Second)
	}
	if latest := now.Add(longestPark); until.After(latest) {
		until = latest
	}
	return until, true
}

// speaksOfLimit reports whether a refusal names a secondary limit, which may come without
// any header.
func speaksOfLimit(resp *http.Response) bool {
	return says(resp, "secondary rate limit", "rate-limits")
}

// says reports whether the body of resp, which stays readable, holds one of words, in any case.
func says(resp *http.Response, words ...string) bool {
	body, err := io.ReadAll(resp.Body)
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if err != nil {
		return false
	}
	text := strings.ToLower(string(body))
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}

// routeOf turns a request into a label: names, numbers and digests become placeholders.
func routeOf(method, path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	for i, part := range parts {
		switch {
		case len(parts) > 2 && (parts[0] == "repos" && (i == 1 || i == 2) || parts[0] == "orgs" && i == 1):
			parts[i] = "{}"
		case i > 0 && (parts[i-1] == "contents" || parts[i-1] == "compare" || parts[i-1] == "ref" || parts[i-1] == "tags" ||
			parts[i-1] == "collaborators" || parts[i-1] == "assignees" || parts[i-1] == "labels" ||
			parts[i-1] == "attestations" || parts[i-1] == "trees" || parts[i-1] == "blobs" ||
			parts[i-1] == "commits" || parts[i-1] == "orgs" || parts[i-1] == "users" || parts[i-1] == "teams"):
			return fmt.Sprintf("%s /%s", method, strings.Join(append(parts[:i:i], tail(parts, i)...), "/"))
		case strings.Trim(part, "0123456789") == "":
			parts[i] = "{}"
		}
	}
	return method + " /" + strings.Join(parts, "/")
}

// tail is what a label keeps after a name at i: for commits, people and teams, the last word.
func tail(parts []string, i int) []string {
	last := parts[len(parts)-1]
	if len(parts) == i+2 && (last == "check-runs" || last == "pulls" || last == "permission" || last == "members") {
		return []string{"{}", last}
	}
	return []string{"{}"}
}
