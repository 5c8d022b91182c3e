//go:build !faults

package crash

import "time"

// Before is called before the effect at p.
func Before(Point) {}

// After is called after the effect at p.
func After(Point) {}

// BeforeCall is called before a request is sent to GitHub.
func BeforeCall(string) {}

// AfterCall is called when its answer has begun to arrive, or did not.
func AfterCall(string) {}

// Hurry shortens waiting in tests; it returns d.
func Hurry(d time.Duration) time.Duration { return d }
