package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const (
	readyTimeout   = 5 * time.Second  // a probe that waits longer has given up: Kubernetes' default is 1 s
	metricsTimeout = 10 * time.Second // Prometheus' default scrape_timeout
	maxScrapes     = 4                // scrapes at once; two Prometheus servers and a person
	maxReasonBytes = 300
)

// live says that the process answers. It asks nothing else: restarting cures no database.
func (s *Server) live(c echo.Context) error {
	up := s.cfg.Now().Sub(s.started)
	return c.JSON(http.StatusOK, map[string]any{"status": "ok", "uptime_seconds": int64(up.Seconds())})
}

// ready says whether work can be done, and what is in the way when it cannot.
func (s *Server) ready(c echo.Context) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), readyTimeout)
	defer cancel()
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	err := s.cfg.Ready(ctx)
	if err == nil {
		return c.JSON(http.StatusOK, map[string]any{"status": "ready", "not_ready": []string{}})
	}
	return c.JSON(http.StatusServiceUnavailable, map[string]any{"status": "not ready", "not_ready": reasons(err)})
}

// reasons lists the errors joined in err, each cut to maxReasonBytes.
func reasons(err error) []string {
	parts := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		parts = joined.Unwrap()
	}
	texts := make([]string, len(parts))
	for i, p := range parts {
		texts[i] = p.Error()
		if len(texts[i]) > maxReasonBytes {
			texts[i] = strings.ToValidUTF8(texts[i][:maxReasonBytes], "")
		}
	}
	return texts
}

// version shows what is running.
func (s *Server) version(c echo.Context) error {
	return c.JSON(http.StatusOK, s.cfg.Version)
}

// metricsRoute adds /metrics.
func (s *Server) metricsRoute(e *echo.Echo) {
	h := promhttp.HandlerFor(s.cfg.Metrics, promhttp.HandlerOpts{
		ErrorHandling:       promhttp.HTTPErrorOnError,
		MaxRequestsInFlight: maxScrapes,
		Timeout:             metricsTimeout,
	})
	e.GET("/metrics", echo.WrapHandler(h))
}
