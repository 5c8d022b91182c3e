package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"

	"github.com/labstack/echo/v4"
)

//go:embed home.html explain.html assets/style.css
var embedded embed.FS

// pages are the embedded templates and assets, parsed once.
type pages struct {
	home    *template.Template
	explain *template.Template
	style   []byte
}

func readPages() (pages, error) {
	home, err := template.ParseFS(embedded, "home.html")
	if err != nil {
		return pages{}, fmt.Errorf("parsing the embedded page home.html: %w", err)
	}
	explain, err := template.ParseFS(embedded, "explain.html")
	if err != nil {
		return pages{}, fmt.Errorf("parsing the embedded page explain.html: %w", err)
	}
	style, err := embedded.ReadFile("assets/style.css")
	if err != nil {
		return pages{}, fmt.Errorf("reading the embedded style sheet: %w", err)
	}
	return pages{home, explain, style}, nil
}

// link is one row of the page's list.
type link struct{ Path, Method, About string }

// home says what this address is, to a person who found it.
func (s *Server) home(c echo.Context) error {
	var page bytes.Buffer
	err := s.pages.home.Execute(&page, []link{
		{"/hooks", "POST", "takes GitHub's webhooks and nothing else"},
		{"/livez", "GET", "whether the process answers"},
		{"/readyz", "GET", "whether it can work, and what is in the way when it cannot"},
		{"/version", "GET", "which version is running"},
	})
	if err != nil {
		return fmt.Errorf("writing page home.html: %w", err)
	}
	return c.HTMLBlob(http.StatusOK, page.Bytes())
}

func (s *Server) style(c echo.Context) error {
	c.Response().Header().Set(echo.HeaderCacheControl, "public, max-age=3600")
	return c.Blob(http.StatusOK, "text/css; charset=utf-8", s.pages.style)
}
