// Package storetest gives tests a real database: a SQLite file, or a PostgreSQL database in a
// private cluster that the test process starts itself.
//
// It opens no store, so that the tests of package store may use it too. A package whose tests
// call Postgres has this TestMain, which stops the cluster at the end:
//
//	func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }
package storetest

import (
	"crypto/rand"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver named "pgx"
)

// DSNVariable names the environment variable with the URL of a PostgreSQL server to use in
// place of a private cluster. Its user must be allowed to create databases.
const DSNVariable = "LANDWAITER_TEST_POSTGRES"

// SQLite returns the path of a database file in a new folder that goes with the test.
func SQLite(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "landwaiter.db")
}

// Postgres returns the URL of a new, empty database. The test is skipped, and says what it
// needs, when there is no PostgreSQL on the machine.
func Postgres(t testing.TB) string {
	t.Helper()
	base := os.Getenv(DSNVariable)
	if base == "" {
		base = private.url(t)
	}
	server, err := url.Parse(base)
	if err != nil {
		t.Fatalf("%s is not a URL: %v", DSNVariable, err)
	}
	db, err := sql.Open("pgx", base)
	if err != nil {
		t.Fatalf("opening PostgreSQL: %v", err)
	}
	name := "landwaiter_" + strings.ToLower(rand.Text()[:12])
	run(t, db, "CREATE DATABASE "+name)
	t.Cleanup(func() {
		run(t, db, "DROP DATABASE "+name+" WITH (FORCE)")
		if err := db.Close(); err != nil {
			t.Errorf("closing PostgreSQL: %v", err)
		}
	})
	server.Path = "/" + name
	return server.String()
}

func run(t testing.TB, db *sql.DB, query string) {
	t.Helper()
	if _, err := db.Exec(query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// Number is the number in a variable of the environment, or initial when it is not set.
func Number(t testing.TB, variable string, initial uint64) uint64 {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return initial
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s is %q; it should be a number", variable, text)
	}
	return n
}

// Main runs the tests and then stops the private cluster, if one was started. It returns the
// exit code.
func Main(m *testing.M) int {
	defer private.stop()
	return m.Run()
}
