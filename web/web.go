// Package web is the HTTP server of Landwaiter: the door for webhooks, the endpoints that
// operators watch, and the pages that people read.
//
// It owns the listeners, their limits and their timeouts, and it is the only package that
// knows echo. It never reads a webhook: POST /hooks is an http.Handler given to it. Every
// page works without JavaScript and under a content security policy that allows no inline
// style or script (THREATS G17).
//
// Start reading at New, then routes, then Serve in serve.go.
package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/landwaiter/landwaiter/store"
)

// hooksLimit is what the server reads of a webhook at most. It lies above GitHub's 25 MB
// (docs.github.com, "Webhook events and payloads", payload cap), so that the receiver of
// webhooks itself says what is too large; this one only stops a reader that does not.
const hooksLimit = "27MiB"

// Config is what New needs. Hooks is required.
type Config struct {
	// Hooks receives POST /hooks.
	Hooks http.Handler
	// Metrics is what /metrics shows; nil means prometheus.DefaultGatherer.
	Metrics prometheus.Gatherer
	// Ready says what keeps the service from working, one joined error per part, and nil when
	// nothing does. Its text is shown on /readyz: it must hold no secret. nil means always ready.
	Ready func(context.Context) error
	// Report returns the newest report of the Subject with that key, or store.ErrNotFound; nil
	// leaves the explaining pages out.
	Report func(ctx context.Context, key string) (store.StoredReport, error)
	// Links proves who may see an explaining page. The zero Links opens none.
	Links Links
	// Ledger says what of the ledger is served. The zero Ledger serves nothing.
	Ledger Ledger
	// Summaries reads verification summaries. The zero Summaries gives out none.
	Summaries Summaries
	// Version is shown as JSON on /version.
	Version any
	// Log receives one record per request, without query, header or body. nil means slog.Default().
	Log *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Server answers HTTP. Make one with New.
type Server struct {
	cfg     Config
	started time.Time
	pages   pages
}

// New returns a server that is not listening yet. It fails when cfg lacks Hooks.
func New(cfg Config) (*Server, error) {
	if cfg.Hooks == nil {
		return nil, errors.New("web: Config.Hooks is required")
	}
	if cfg.Metrics == nil {
		cfg.Metrics = prometheus.DefaultGatherer
	}
	if cfg.Ready == nil {
		cfg.Ready = func(context.Context) error { return nil }
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	p, err := readPages()
	if err != nil {
		return nil, err
	}
	return &Server{cfg: cfg, started: cfg.Now(), pages: p}, nil
}

// Handler returns every route. metrics says whether /metrics is among them.
func (s *Server) Handler(metrics bool) http.Handler {
	e := s.engine()
	s.routes(e)
	if metrics {
		s.metricsRoute(e)
	}
	return e
}

// MetricsHandler returns /metrics, the profiles and the health endpoints alone, for a listener of
// their own that is not for the public.
func (s *Server) MetricsHandler() http.Handler {
	e := s.engine()
	s.healthRoutes(e)
	s.metricsRoute(e)
	s.profilesRoute(e)
	return e
}

// routes is the table of routes. A new page is one line here, one file and one template.
func (s *Server) routes(e *echo.Echo) {
	e.POST("/hooks", echo.WrapHandler(s.cfg.Hooks), middleware.BodyLimit(hooksLimit))
	s.healthRoutes(e)
	read(e, "/version", s.version)
	read(e, "/", s.home)
	read(e, "/assets/style.css", s.style)
	read(e, "/repos/:owner/:name/pr/:pull", s.explainPull)
	read(e, "/repos/:owner/:name/merge/:sha", s.explainGroup)
	read(e, "/releases/:release", s.explainRelease)
	read(e, "/releases/:release/summary", s.summaryOfRelease)
	read(e, "/summaries/:digest", s.summaryOfAsset)
	read(e, "/ledger/checkpoint", s.ledgerCheckpoint)
	read(e, "/ledger/rotations", s.ledgerRotations)
	read(e, "/ledger/tile/*", s.ledgerTile)
}

func (s *Server) healthRoutes(e *echo.Echo) {
	read(e, "/livez", s.live)
	read(e, "/readyz", s.ready)
}

// read adds a route for GET and HEAD.
func read(e *echo.Echo, path string, h echo.HandlerFunc) {
	e.Match([]string{http.MethodGet, http.MethodHead}, path, h)
}

// engine returns an echo with everything that holds for each route.
func (s *Server) engine() *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	// The address of the peer, never a header: anyone can write X-Forwarded-For (THREATS G34).
	e.IPExtractor = echo.ExtractIPDirect()
	e.HTTPErrorHandler = s.fail
	e.Pre(ownRequestID, middleware.RequestID())
	e.Use(
		s.requestLog(),
		middleware.SecureWithConfig(middleware.SecureConfig{
			ContentTypeNosniff:    "nosniff",
			XFrameOptions:         "DENY",
			ReferrerPolicy:        "no-referrer",
			HSTSMaxAge:            31536000, // seconds; sent over TLS only
			ContentSecurityPolicy: "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		}),
		middleware.RecoverWithConfig(middleware.RecoverConfig{
			DisablePrintStack: true,
			LogErrorFunc:      s.panicked,
		}),
	)
	return e
}

// ownRequestID drops a request id sent from outside, so that the ids in our logs are ours.
func ownRequestID(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Request().Header.Del(echo.HeaderXRequestID)
		return next(c)
	}
}
