package storetest

import (
	"database/sql"
	"net/url"
	"syscall"
	"testing"
)

// Server is a PostgreSQL server of one test alone, which the test may stop hard and start again.
type Server struct {
	c *cluster
}

// OwnServer starts a server with an empty cluster, which ends with the test. The test is skipped,
// and says what it needs, when there is no PostgreSQL on the machine.
func OwnServer(t testing.TB) *Server {
	t.Helper()
	s := &Server{c: &cluster{}}
	t.Cleanup(s.c.stop)
	s.c.url(t)
	return s
}

// URL is that of the server's database.
func (s *Server) URL() string {
	return (&url.URL{Scheme: "postgres", User: url.User("postgres"), Path: "/postgres", RawQuery: "host=" + url.QueryEscape(s.c.folder)}).String()
}

// Crash ends the server at once (PostgreSQL's immediate shutdown): nothing is folded in, clients
// lose their connections, and the next start has to recover.
func (s *Server) Crash(t testing.TB) {
	t.Helper()
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if err := s.c.server.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatalf("stopping PostgreSQL: %v", err)
	}
	_ = s.c.server.Wait() // it ends with an error, as it was told to
}

// Restart starts the server after Crash and waits until it answers.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if err := s.c.serve(); err != nil {
		t.Fatalf("starting PostgreSQL again: %v", err)
	}
}

// Cut ends every connection of the application with that name, whatever it is doing, and returns
// how many there were.
func (s *Server) Cut(t testing.TB, application string) int {
	t.Helper()
	db, err := sql.Open("pgx", s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var n int
	err = db.QueryRow(`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1 AND pid <> pg_backend_pid()`, application).Scan(&n)
	if err != nil {
		t.Fatalf("cutting connections: %v", err)
	}
	return n
}
