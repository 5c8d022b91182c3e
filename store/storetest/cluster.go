package storetest

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// errAbsent says that PostgreSQL is not installed.
var errAbsent = errors.New("needs PostgreSQL: apt-get install postgresql, or set " + DSNVariable)

// private is the one cluster of the test process. Tests of a process share it because starting
// one takes seconds; each has a database of its own in it. It is the only state of the package
// and is guarded by its own mutex.
var private cluster

// cluster is a PostgreSQL server in a temporary folder, reached by a socket there, without
// durability: it does not outlive the process.
type cluster struct {
	mu      sync.Mutex
	started bool
	err     error // of the start
	folder  string
	server  *exec.Cmd
	output  bytes.Buffer // of the server; read after it has ended
}

// url starts the cluster if need be and returns its URL.
func (c *cluster) url(t testing.TB) string {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.started {
		c.started = true
		c.err = c.start()
	}
	if errors.Is(c.err, errAbsent) {
		t.Skip(c.err)
	}
	if c.err != nil {
		t.Fatalf("starting PostgreSQL: %v", c.err)
	}
	return (&url.URL{Scheme: "postgres", User: url.User("postgres"), Path: "/postgres", RawQuery: "host=" + url.QueryEscape(c.folder)}).String()
}

func (c *cluster) start() error {
	initdb, err := find("initdb")
	if err != nil {
		return err
	}
	// Not t.TempDir: the path of a socket is limited to 107 bytes.
	if c.folder, err = os.MkdirTemp("", "landwaiter-pg-"); err != nil {
		return err
	}
	if err := giveAway(c.folder); err != nil {
		return err
	}
	data := filepath.Join(c.folder, "data")
	build := exec.Command(initdb, "--pgdata", data, "--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync")
	if err := asOther(build); err != nil {
		return err
	}
	build.Dir = c.folder
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return c.serve()
}

// serve starts the server on the cluster that there is, and waits until it answers.
func (c *cluster) serve() error {
	postgres, err := find("postgres")
	if err != nil {
		return err
	}
	c.server = exec.Command(postgres, "-D", filepath.Join(c.folder, "data"), "-k", c.folder, "-c", "listen_addresses=", "-c", "fsync=off",
		"-c", "full_page_writes=off", "-c", "max_connections=400", "-c", "unix_socket_permissions=0777")
	if err := asOther(c.server); err != nil {
		return err
	}
	c.server.Dir = c.folder
	c.server.Stdout, c.server.Stderr = &c.output, &c.output
	if err := c.server.Start(); err != nil {
		return fmt.Errorf("starting the server: %w", err)
	}
	return c.await()
}

// await waits until the server answers, for at most 30 seconds.
func (c *cluster) await() error {
	db, err := sql.Open("pgx", "host="+c.folder+" user=postgres dbname=postgres")
	if err != nil {
		return err
	}
	defer db.Close()
	for range 600 {
		if err = db.Ping(); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("the server does not answer: %w", err)
}

// stop ends the server and removes its folder.
func (c *cluster) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.server != nil && c.server.Process != nil {
		// Interrupt is PostgreSQL's fast shutdown: it does not wait for clients.
		if err := c.server.Process.Signal(os.Interrupt); err == nil {
			_ = c.server.Wait() // its exit code says nothing the tests have not seen
		}
	}
	if c.folder != "" {
		if err := os.RemoveAll(c.folder); err != nil {
			fmt.Fprintln(os.Stderr, "removing the PostgreSQL cluster:", err)
		}
	}
}

// find returns the path of a PostgreSQL program: from PATH, or the newest that Debian has.
func find(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	paths, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil || len(paths) == 0 {
		return "", errAbsent
	}
	return slices.Max(paths), nil
}
