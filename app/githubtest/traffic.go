package githubtest

import (
	"net/http"
	"slices"
	"time"
)

// traffic is what went over the wire and how it is disturbed.
type traffic struct {
	calls      []Call
	faults     []*Fault
	healed     chan struct{} // closed by Heal, which makes a new one
	violations []string
	blobCalls  []BlobCall
	rate       Rate // of new installations
	throttles  []Throttle
	weather    Weather
	read       map[reading]readBefore // what was read, for Weather.Lag
}

func newTraffic(now time.Time) traffic {
	return traffic{healed: make(chan struct{}), rate: Rate{Limit: 5000, Remaining: 5000, Reset: now.Add(time.Hour)}}
}

// Call is one request to the API.
type Call struct {
	Method string
	// Route is the template, such as "/repos/{owner}/{repo}/pulls/{pull_number}"; "" when unknown.
	Route string
	// Path is what was asked for, with the query.
	Path   string
	Status int
	// Began and Time are when the request had come in and when it was answered.
	Began, Time time.Time
	// InstallationID is that of the token, 0 for the App itself and for nobody.
	InstallationID int64
	// RepositoryID is that of the path, 0 when it names none that the token may know of. Foreign
	// says that the installation does not cover it.
	RepositoryID int64
	Foreign      bool
	// Limited says that the answer refused for a primary or secondary limit, until Until; a zero
	// Until is a limit whose end was not told.
	Limited bool
	Until   time.Time
	// BodySHA256 is the digest of the request's body in hexadecimal, "" without a body.
	BodySHA256 string
	// Fault says that the answer was disturbed by Fail.
	Fault bool
}

// BlobCall is one request to the blob store.
type BlobCall struct {
	Path string
	// Authorization is the header that should not have come; "" is right.
	Authorization string
	Time          time.Time
}

// Calls returns every API request so far, in the order they were answered.
func (g *GitHub) Calls() []Call {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.calls)
}

// RoundTrips is the number of API requests so far.
func (g *GitHub) RoundTrips() int { return len(g.Calls()) }

// CallsTo returns the calls to one route, written "GET /repos/{owner}/{repo}".
func (g *GitHub) CallsTo(route string) []Call {
	return slices.DeleteFunc(g.Calls(), func(c Call) bool { return c.Method+" "+c.Route != route })
}

// ForgetCalls empties the log of calls.
func (g *GitHub) ForgetCalls() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls, g.blobCalls = nil, nil
}

// BlobCalls returns every request to the blob store so far.
func (g *GitHub) BlobCalls() []BlobCall {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.blobCalls)
}

// Violations lists every breach of the contract so far: a route GitHub or the stand-in does
// not have, a request, answer or webhook that its schema refuses, a credential sent to
// the blob store.
func (g *GitHub) Violations() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.violations)
}

// ForgetViolations empties that list, for tests that break the contract on purpose.
func (g *GitHub) ForgetViolations() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.violations = nil
}

func (g *GitHub) violation(text string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.violations = append(g.violations, text)
}

// Rate is the primary limit, which every installation has for itself. Every call counts
// but those answered 304.
type Rate struct {
	Limit, Remaining int
	Reset            time.Time
}

// SetRate sets the primary limit of every installation, and of those to come; with
// nothing remaining, calls answer 403 until Reset, when the limit is full again for an hour.
func (g *GitHub) SetRate(r Rate) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.rate = r
	for _, i := range g.installations {
		i.rate = r
	}
}

// SetRate sets the primary limit of this installation alone.
func (i *Installation) SetRate(r Rate) {
	i.g.mu.Lock()
	defer i.g.mu.Unlock()
	i.rate = r
}

// Throttle is the secondary limit: the next Times calls are refused.
type Throttle struct {
	// Status is 403 or 429; 0 means 403.
	Status int
	// RetryAfter is sent in whole seconds; 0 sends none.
	RetryAfter time.Duration
	// Times is how often; 0 means once.
	Times int
	// Writes throttles only methods other than GET and HEAD.
	Writes bool
	// InstallationID throttles only this installation; 0 throttles all.
	InstallationID int64
}

// Throttle makes GitHub refuse calls for going too fast.
func (g *GitHub) Throttle(t Throttle) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t.Status == 0 {
		t.Status = http.StatusForbidden
	}
	if t.Times == 0 {
		t.Times = 1
	}
	g.throttles = append(g.throttles, t)
}
