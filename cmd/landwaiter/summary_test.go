package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store"
)

// summariseCommand does what the service does for a release that passes: its own configuration,
// its own signer, its own ledger.
func summariseCommand(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o700))
	generation, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	conf := config{publicURL: "https://landwaiter.example.com", apiURL: "https://api.github.com/", dataDir: dir, summaryKey: "file"}
	conf.databaseURL = "sqlite:" + filepath.Join(dir, "landwaiter.db")
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	db, err := openStore(context.Background(), conf, log)
	ts.Check(err)
	defer db.Close()
	r := checks.Report{
		Subject: checks.Subject{Kind: checks.KindRelease, Repository: "acme/app", RepositoryID: 7, ReleaseID: 9, Ref: "refs/tags/v1.2.0"},
		Verdict: checks.Pass, Time: time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC), Reasons: []checks.Reason{},
		Policy: checks.PolicyRef{Digest: "sha256:" + strings.Repeat("0f", 32), Source: checks.PresetRecommended},
	}
	workflow := "https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1.2.0"
	for _, name := range args[3:] {
		sum := sha256.Sum256([]byte(ts.ReadFile(name)))
		r.Assets = append(r.Assets, checks.AssetReport{
			Name: filepath.Base(name), SHA256: hex.EncodeToString(sum[:]), State: checks.AssetVerified, Required: []string{"provenance"},
			Signer:   checks.Signer{Issuer: "https://token.actions.githubusercontent.com", Identity: workflow},
			Source:   checks.Source{Repository: "https://github.com/acme/app", Ref: "refs/tags/v1.2.0"},
			Builder:  checks.Builder{ID: workflow, Runner: "github-hosted", Level: "SLSA 2"},
			Evidence: []checks.EvidenceRef{{Kind: "provenance", Origin: "attestation-api", Name: "attestation 1 of 1", SHA256: strings.Repeat("b", 64), Require: "provenance"}},
		})
	}
	_, err = db.Record(context.Background(), store.Record{Key: "release:7:9", Generation: generation, Report: r, Parser: "1"})
	ts.Check(err)
	issue, err := (&service{conf: conf, store: db, log: log}).summaries(context.Background())
	ts.Check(err)
	issued, err := issue(context.Background(), "release:7:9", generation)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), issued.File, 0o644))
}
