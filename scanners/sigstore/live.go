package sigstore

import (
	"context"
	"sync/atomic"

	"github.com/landwaiter/landwaiter/checks"
)

// Live is a Scanner that can be replaced while it is used, when trust roots were refreshed. A
// Scan that is under way ends with the roots it began with.
type Live struct {
	current atomic.Pointer[Scanner]
}

// NewLive returns a Live that uses a Scanner made from c.
func NewLive(c Config) (*Live, error) {
	l := &Live{}
	return l, l.Replace(c)
}

// Replace makes a Scanner from c and uses it from now on. On an error the old one stays.
func (l *Live) Replace(c Config) error {
	s, err := New(c)
	if err != nil {
		return err
	}
	l.current.Store(s)
	return nil
}

// Name returns "sigstore".
func (l *Live) Name() string { return l.current.Load().Name() }

// Scan is that of the Scanner in use.
func (l *Live) Scan(ctx context.Context, m *checks.Material) (checks.Evidence, error) {
	return l.current.Load().Scan(ctx, m)
}

// TrustStatus is that of the Scanner in use.
func (l *Live) TrustStatus() []TrustStatus { return l.current.Load().TrustStatus() }
