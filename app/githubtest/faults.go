package githubtest

import (
	"net/http"
	"strings"
	"time"
)

// When says whether a fault comes before or after the request did its work.
type When int

// The moments of a fault.
const (
	// BeforeActing leaves the state as it was.
	BeforeActing When = iota
	// AfterActing changes the state, but the client does not learn of it.
	AfterActing
)

// FaultKind says what the client sees.
type FaultKind int

// The kinds of faults.
const (
	// Status answers Fault.Status with Fault.Body, or an error in JSON when it is empty.
	Status FaultKind = iota
	// HTML answers Fault.Status (502 when 0) with a web page, as GitHub's front does.
	HTML
	// CutBody announces the real answer in full and closes the connection half way.
	CutBody
	// Nothing closes the connection without an answer. Go's HTTP client sends a read again
	// by itself when that happens on a connection it used before: to make it fail, set
	// Times below 0.
	Nothing
	// Delay waits Fault.Delay, or until Heal, and then answers properly.
	Delay
)

// Fault disturbs calls.
type Fault struct {
	// Route is method and template, such as "POST /repos/{owner}/{repo}/check-runs";
	// "BLOB assets" and "BLOB attestations" are downloads; "" is every API call.
	Route string
	When  When
	Kind  FaultKind
	// Status is the code for Status and HTML; 0 means 500 and 502.
	Status int
	// Header and Body are sent with Status.
	Header http.Header
	Body   string
	// Delay is for Delay, on the real clock.
	Delay time.Duration
	// Skip lets this many calls pass first.
	Skip int
	// Times is how many calls are disturbed; 0 means one, below 0 every one.
	Times int

	healed <-chan struct{} // set when it is picked
}

// Fail disturbs calls from now on. Several faults on one route come one after the other.
func (g *GitHub) Fail(f Fault) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if f.Times == 0 {
		f.Times = 1
	}
	g.faults = append(g.faults, &f)
}

// Heal takes back every fault and throttle; what waits for a Delay is answered.
func (g *GitHub) Heal() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults, g.throttles = nil, nil
	close(g.healed)
	g.healed = make(chan struct{})
}

// fault picks the fault for a call, or nil, and counts it.
func (g *GitHub) fault(route string) *Fault {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, f := range g.faults {
		any := f.Route == "" && !strings.HasPrefix(route, "BLOB ")
		if f.Times == 0 || f.Route != route && !any {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		if f.Times > 0 {
			f.Times--
		}
		c := *f
		c.healed = g.healed
		return &c
	}
	return nil
}
