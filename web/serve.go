package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// Limits of a connection. GitHub gives a webhook 10 seconds (GITHUB.md section 2), so 30
// seconds for the largest body is generous, and nothing here answers for longer than a minute.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 30 * time.Second
	writeTimeout      = 60 * time.Second
	idleTimeout       = 120 * time.Second
	drainTimeout      = 20 * time.Second
	maxHeaderBytes    = 64 << 10
)

// Serve answers on listen until ctx ends, then lets requests under way finish for at most 20
// seconds. metrics, when not nil, is a second listener that carries /metrics instead of the
// first. Serve closes both. It returns nil after an orderly end, and the first error otherwise.
func (s *Server) Serve(ctx context.Context, listen, metrics net.Listener) error {
	group, ctx := errgroup.WithContext(ctx)
	s.start(ctx, group, listen, s.Handler(metrics == nil))
	if metrics != nil {
		s.start(ctx, group, metrics, s.MetricsHandler())
	}
	return group.Wait()
}

// start serves h on l in group and shuts it down when ctx ends.
func (s *Server) start(ctx context.Context, group *errgroup.Group, l net.Listener, h http.Handler) {
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelDebug), // peers that break off, mostly
	}
	group.Go(func() error {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serving %s: %w", l.Addr(), err)
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		// Requests under way are finished, not cancelled: a Delivery that was read is answered.
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
		defer cancel()
		if err := server.Shutdown(drain); err != nil {
			return errors.Join(fmt.Errorf("closing %s: requests still open after %s: %w", l.Addr(), drainTimeout, err), server.Close())
		}
		return nil
	})
}
