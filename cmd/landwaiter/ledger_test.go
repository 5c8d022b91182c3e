package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store"
	"github.com/landwaiter/landwaiter/store/ledger"
	"github.com/landwaiter/landwaiter/web"
)

// TestG32PublicLedgerShowsNoReport asks for everything that the ledger of a private repository
// has, without the token: no name comes out, and the hashes are not those of reports that
// somebody guessed.
func TestG32PublicLedgerShowsNoReport(t *testing.T) {
	t.Parallel()
	conf := config{dataDir: t.TempDir(), publicURL: "https://landwaiter.example", ledgerAccess: web.LedgerTiles, ledgerToken: strings.Repeat("t", 32)}
	conf.databaseURL = "sqlite:" + filepath.Join(conf.dataDir, "landwaiter.db")
	log := slog.New(slog.DiscardHandler)
	db, err := openStore(t.Context(), conf, log)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for i := range 3 {
		if _, err := db.Record(t.Context(), privateRecord(int64(i+1))); err != nil {
			t.Fatal(err)
		}
	}
	w, err := web.New(web.Config{Hooks: http.NotFoundHandler(), Ledger: (&service{conf: conf, store: db}).published(), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	get := func(path, authorization string) *httptest.ResponseRecorder {
		r, answer := httptest.NewRequest(http.MethodGet, "/ledger/"+path, nil), httptest.NewRecorder()
		r.Header.Set("Authorization", authorization)
		w.Handler(false).ServeHTTP(answer, r)
		return answer
	}
	for path, status := range map[string]int{"checkpoint": 200, "rotations": 200, "tile/0/000.p/3": 200, "tile/entries/000.p/3": 404, "tile/entries/000.p/1": 404} {
		answer := get(path, "")
		if answer.Code != status || strings.Contains(answer.Body.String(), "private-shop") {
			t.Errorf("%s = %d %q, want %d without names", path, answer.Code, answer.Body, status)
		}
	}
	entries := get("tile/entries/000.p/3", "Bearer "+conf.ledgerToken)
	if !strings.Contains(entries.Body.String(), "private-shop") {
		t.Fatalf("with the token: %d %q, want the entries", entries.Code, entries.Body)
	}
	leaves, err := ledger.ReadBundle(entries.Body.Bytes(), 3)
	if err != nil {
		t.Fatal(err)
	}
	salt := regexp.MustCompile(`"salt":"[0-9a-f]{32}",`)
	for i, leaf := range leaves {
		h := ledger.LeafHash(leaf)
		guess := ledger.LeafHash(salt.ReplaceAll(leaf, nil))
		hashes := get("tile/0/000.p/3", "").Body.Bytes()
		if !bytes.Contains(hashes, h[:]) || bytes.Contains(hashes, guess[:]) || !salt.Match(leaf) {
			t.Errorf("entry %d: its hash is that of what somebody can guess", i)
		}
	}
}

// recordCommand is the story command `record DIR N`: it records N reports as the service with
// the data folder DIR would, the first on the commit 0...01.
func recordCommand(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(os.MkdirAll(dir, 0o700))
	ctx := context.Background()
	conf := config{dataDir: dir, publicURL: "https://landwaiter.example", databaseURL: "sqlite:" + filepath.Join(dir, "landwaiter.db")}
	db, err := openStore(ctx, conf, slog.New(slog.DiscardHandler))
	ts.Check(err)
	defer db.Close()
	head, _, err := db.LedgerHead(ctx)
	ts.Check(err)
	for i := head.Size + 1; i <= head.Size+int64(n); i++ {
		_, err := db.Record(ctx, privateRecord(i))
		ts.Check(err)
	}
}

// privateRecord is a report on the i-th pull request of a private repository.
func privateRecord(i int64) store.Record {
	return store.Record{
		Key: fmt.Sprintf("pr:42:%d:x", i), Generation: 1, Parser: "1",
		Report: checks.Report{
			Subject: checks.Subject{Kind: checks.KindPullRequest, Repository: "acme/private-shop", RepositoryID: 42,
				Ref: fmt.Sprintf("refs/pull/%d/head", i), Commit: fmt.Sprintf("%040x", i), Number: int(i)},
			Verdict: checks.Pass, Policy: checks.PolicyRef{Digest: "sha256:0f"},
			Time: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC),
		},
	}
}

// behindCommand is the story command `behind DIR SQL...`: it changes the database of DIR without
// the store.
func behindCommand(ts *testscript.TestScript, _ bool, args []string) {
	db, err := sql.Open("sqlite", filepath.Join(ts.MkAbs(args[0]), "landwaiter.db"))
	ts.Check(err)
	defer db.Close()
	for _, statement := range args[1:] {
		_, err := db.Exec(statement)
		ts.Check(err)
	}
}

// copyCommand is the story command `copy DIR TARGET`: it copies a data folder.
func copyCommand(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.CopyFS(ts.MkAbs(args[1]), os.DirFS(ts.MkAbs(args[0]))))
	ts.Check(os.Chmod(filepath.Join(ts.MkAbs(args[1]), "ledger.key"), 0o600)) // os.CopyFS opens it
}

// publishCommand is the story command `publish DIR ACCESS TOKEN`: it serves the ledger of a data
// folder and sets LEDGER to its address.
func publishCommand(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	conf := config{dataDir: dir, publicURL: "https://landwaiter.example", databaseURL: "sqlite:" + filepath.Join(dir, "landwaiter.db"),
		ledgerAccess: web.LedgerAccess(args[1]), ledgerToken: args[2]}
	log := slog.New(slog.DiscardHandler)
	db, err := openStore(context.Background(), conf, log)
	ts.Check(err)
	s := &service{conf: conf, store: db}
	w, err := web.New(web.Config{Hooks: http.NotFoundHandler(), Ledger: s.published(), Log: log})
	ts.Check(err)
	server := httptest.NewServer(w.Handler(false))
	ts.Defer(func() { server.Close(); ts.Check(db.Close()) })
	ts.Setenv("LEDGER", server.URL+"/ledger")
}
