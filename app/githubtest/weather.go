package githubtest

import (
	"net/http"
	"time"
)

// Weather is how GitHub is on a bad day, for every call to the API at once. The zero value is a good day.
type Weather struct {
	// DateOff is added to the Date of answers.
	DateOff time.Duration
	// Drip is how many bytes of an answer are sent at once, with a pause of a millisecond behind them;
	// 0 means all.
	Drip int
	// Lag is how old the answer to a reading may be: what was read once is answered alike for so long,
	// whatever happens meanwhile.
	Lag time.Duration
}

// SetWeather changes it from now on.
func (g *GitHub) SetWeather(w Weather) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.weather, g.read = w, map[reading]readBefore{}
}

// reading is one that is answered alike.
type reading struct {
	uri   string
	token *token
}

// readBefore is what was answered to a reading.
type readBefore struct {
	at     time.Time
	status int
	raw    []byte
	next   string
}

// lag replaces the answer to a reading by what was answered before, if that is young enough.
func (q *request) lag(a *reply) {
	g := q.g
	if g.weather.Lag <= 0 || q.Method != http.MethodGet || a.status != http.StatusOK && a.status != http.StatusNotFound {
		return
	}
	key := reading{q.URL.RequestURI(), q.token} // what is there depends on who asks
	before, ok := g.read[key]
	if ok && g.now().Sub(before.at) < g.weather.Lag {
		a.status, a.raw, q.next = before.status, before.raw, before.next
		return
	}
	g.read[key] = readBefore{g.now(), a.status, a.raw, q.next}
}

// drip writes a body as the weather has it.
func (g *GitHub) drip(w http.ResponseWriter, body []byte) {
	g.mu.Lock()
	n := g.weather.Drip
	g.mu.Unlock()
	f, ok := w.(http.Flusher)
	for ok && n > 0 && len(body) > n {
		if _, err := w.Write(body[:n]); err != nil {
			return // a client that went away lost only its own answer
		}
		f.Flush()
		time.Sleep(time.Millisecond)
		body = body[n:]
	}
	_, _ = w.Write(body) // as above
}
