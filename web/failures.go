package web

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
)

// problem is the JSON body of every answer that is not a success.
type problem struct {
	Status  int    `json:"status"`
	Error   string `json:"error"`
	Request string `json:"request"` // the id under which the log has the rest
}

// explain gives each status the sentence that a person reads.
func explain(status int) string {
	switch status {
	case http.StatusNotFound:
		return "there is nothing at this path; / lists what there is"
	case http.StatusMethodNotAllowed:
		return "this path does not take this method; the header Allow names those that it takes"
	case http.StatusRequestEntityTooLarge:
		return "the body is larger than 25 MiB, which is more than GitHub ever sends"
	case http.StatusInternalServerError:
		return "something went wrong here; the log has the reason under this request id"
	default:
		return http.StatusText(status)
	}
}

// fail answers a request whose handler returned err. The text of err stays in the log.
func (s *Server) fail(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	status := http.StatusInternalServerError
	var he *echo.HTTPError
	if errors.As(err, &he) {
		status = he.Code
	}
	if c.Request().Method == http.MethodHead {
		err = c.NoContent(status)
	} else {
		err = c.JSON(status, problem{status, explain(status), c.Response().Header().Get(echo.HeaderXRequestID)})
	}
	if err != nil {
		s.cfg.Log.Debug("answer not sent", "error", err) // the peer is gone; there is nobody to tell
	}
}

// panicked logs a panic with its stack; the request is answered 500.
func (s *Server) panicked(c echo.Context, err error, stack []byte) error {
	s.cfg.Log.Error("panic in a handler", "request", c.Response().Header().Get(echo.HeaderXRequestID),
		"path", c.Request().URL.Path, "error", err, "stack", string(stack))
	return echo.ErrInternalServerError
}

// requestLog writes one record per request. Path only: a query may hold a token.
func (s *Server) requestLog() echo.MiddlewareFunc {
	return middleware.RequestLoggerWithConfig(middleware.RequestLoggerConfig{
		HandleError: true,
		LogMethod:   true, LogURIPath: true, LogStatus: true, LogLatency: true,
		LogRemoteIP: true, LogRequestID: true, LogError: true, LogResponseSize: true,
		LogValuesFunc: func(c echo.Context, v middleware.RequestLoggerValues) error {
			record := []any{"request", v.RequestID, "method", v.Method, "path", v.URIPath, "status", v.Status,
				"seconds", v.Latency.Seconds(), "bytes", v.ResponseSize, "peer", v.RemoteIP}
			if v.Error != nil {
				record = append(record, "error", v.Error)
			}
			s.cfg.Log.Log(c.Request().Context(), requestLevel(v), "request", record...)
			return nil
		},
	})
}

// requestLevel keeps probes and scrapes, which come every few seconds, out of ordinary logs.
func requestLevel(v middleware.RequestLoggerValues) slog.Level {
	switch {
	case v.Status >= http.StatusInternalServerError && v.URIPath != "/readyz":
		return slog.LevelError
	case v.URIPath == "/livez" || v.URIPath == "/readyz" || v.URIPath == "/metrics":
		return slog.LevelDebug
	default:
		return slog.LevelInfo
	}
}
