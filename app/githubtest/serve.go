package githubtest

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"time"
)

// maxBody is what the stand-in reads of a request, in bytes. GitHub takes assets up to 2 GiB.
const maxBody = 256 << 20

// ServeHTTP answers one API request or download page.
func (g *GitHub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "reading the request: "+err.Error(), http.StatusBadRequest)
		return
	}
	path, isAPI := apiPath(r.URL.EscapedPath())
	if !isAPI && g.serveDownload(w, r) {
		return
	}
	q := &request{Request: r, g: g, body: body, began: g.opts.Now().UTC()}
	q.route, q.params = g.match(r.Method, g.byID(path))
	if q.route == nil {
		g.violation(r.Method + " " + r.URL.Path + ": the stand-in has no such route")
		g.answer(w, q, refuse(http.StatusNotFound, "Not Found"), nil)
		return
	}
	if c := g.contract(); c != nil {
		if err := c.Request(r.Context(), q.route.method, q.route.template, r, q.params, body); err != nil {
			g.violation(q.route.name() + ": " + err.Error())
		}
	}
	pause(r, g.opts.Latency, nil)
	fault := g.fault(q.route.name())
	if fault != nil && fault.When == BeforeActing && g.spoil(w, q, fault, nil) {
		return
	}
	reply := g.act(q)
	g.judge(q, reply)
	if fault != nil && (fault.When == AfterActing || fault.Kind == CutBody) && g.spoil(w, q, fault, &reply) {
		return
	}
	g.answer(w, q, reply, fault)
}

// apiPath takes the prefix of Enterprise Server off a path and says whether it had one.
func apiPath(path string) (string, bool) {
	for _, prefix := range []string{"/api/v3", "/api/uploads"} {
		if rest, ok := strings.CutPrefix(path, prefix); ok && strings.HasPrefix(rest, "/") {
			return rest, true
		}
	}
	return path, false
}

// pause waits on the real clock, or until enough is closed, or until the client is gone.
func pause(r *http.Request, d time.Duration, enough <-chan struct{}) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-enough:
	case <-r.Context().Done():
	}
}

// contract is what traffic is held to; nil when nothing is checked.
func (g *GitHub) contract() Contract {
	if g.opts.Contract == Off {
		return nil
	}
	return g.opts.Description
}

func (g *GitHub) judge(q *request, a reply) {
	c := g.contract()
	if c == nil {
		return
	}
	if err := c.Response(q.Context(), q.route.method, q.route.template, q.Request, q.params, a.status, a.header, a.bytes()); err != nil {
		g.violation(q.route.name() + ": " + err.Error())
	}
}

func (g *GitHub) checkWebhook(d Delivery) {
	c := g.contract()
	if c == nil {
		return
	}
	if err := c.Webhook(d.Event, d.Action, d.Payload); err != nil {
		g.violation(err.Error())
	}
}

// act runs a request against the state. The answer is encoded while the state is locked,
// because it refers to parts of it.
func (g *GitHub) act(q *request) reply {
	g.mu.Lock()
	defer g.mu.Unlock()
	a := q.run()
	a.raw = a.bytes()
	return a
}

// run decides who asks, how often, for what, and then hands over to the route.
func (q *request) run() reply {
	if a, ok := q.authenticate(); !ok {
		return a
	}
	if a, ok := q.throttled(); ok {
		return a
	}
	if a, ok := q.locate(); !ok {
		return a
	}
	if a, ok := q.permitted(); !ok {
		return a
	}
	a := q.route.handle(q)
	a.raw = a.bytes()
	q.lag(&a)
	q.notModified(&a)
	return a
}

// answer writes a reply with GitHub's headers and logs the call.
func (g *GitHub) answer(w http.ResponseWriter, q *request, a reply, fault *Fault) {
	h := w.Header()
	g.setHeaders(h, q, a)
	// Logged first, so that a client that has its answer finds the call in the log.
	g.record(q, a.status, fault)
	w.WriteHeader(a.status)
	g.drip(w, a.bytes())
}

// record logs a call; status 0 is no answer.
func (g *GitHub) record(q *request, status int, fault *Fault) {
	c := Call{Method: q.Method, Path: q.URL.RequestURI(), Status: status, Fault: fault != nil}
	if q.route != nil {
		c.Route = q.route.template
	}
	if len(q.body) > 0 {
		sum := sha256.Sum256(q.body)
		c.BodySHA256 = hex.EncodeToString(sum[:])
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	c.Time, c.Began, c.Limited, c.Until = g.now(), q.began, q.limited, q.until
	if q.token != nil {
		c.InstallationID = q.token.inst.ID
	}
	if q.repo != nil {
		c.RepositoryID = q.repo.id
		c.Foreign = q.token != nil && !q.token.inst.has(q.repo)
	}
	g.calls = append(g.calls, c)
}
