package app

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

const (
	// skewLimit is how far our clock may be from GitHub's before we say so: GitHub takes tokens of an App
	// that are signed up to a minute ahead (docs.github.com, "Generating a JSON Web Token").
	skewLimit = time.Minute
	skewEvery = time.Hour // between two lines of the log
)

// skew watches how far our clock is from GitHub's. Nothing is corrected: leases, due dates and the ages
// of data rest on our clock as well.
type skew struct {
	log     *slog.Logger
	metrics *metrics

	mu   sync.Mutex
	said time.Time
}

// note looks at the Date of an answer to a request that was sent at sent and came back at now. The
// header has whole seconds.
func (s *skew) note(ctx context.Context, h http.Header, sent, now time.Time) {
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return
	}
	ahead := time.Duration(0) // within what the way there and back took
	switch {
	case sent.After(date.Add(time.Second)):
		ahead = sent.Sub(date)
	case now.Before(date):
		ahead = now.Sub(date)
	}
	s.metrics.skewed(ahead)
	if ahead.Abs() <= skewLimit {
		return
	}
	s.mu.Lock()
	silent := now.Sub(s.said).Abs() < skewEvery
	if !silent {
		s.said = now
	}
	s.mu.Unlock()
	if !silent {
		s.log.WarnContext(ctx, "this machine's clock is not GitHub's: set it (NTP), or GitHub refuses the App's tokens and due dates are wrong",
			"ahead_seconds", int(ahead.Seconds()), "github", date.UTC().Format(time.RFC3339))
	}
}
