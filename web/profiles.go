package web

import (
	"net/http"
	"net/http/pprof"

	"github.com/labstack/echo/v4"
)

// profilesRoute adds the profiles of the process below /debug/pprof/. They show what the program
// does, not what it holds, but cost time to take: they are on the listener for metrics alone,
// which is not for the public. The command line and symbols are left out.
func (s *Server) profilesRoute(e *echo.Echo) {
	e.GET("/debug/pprof/profile", echo.WrapHandler(http.HandlerFunc(pprof.Profile)))
	e.GET("/debug/pprof/trace", echo.WrapHandler(http.HandlerFunc(pprof.Trace)))
	e.GET("/debug/pprof/*", echo.WrapHandler(http.HandlerFunc(pprof.Index)))
}
