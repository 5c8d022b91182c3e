package app

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/app/githubtest/contract"
	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store"
)

// reactivePolicy is a policy under which everything that the release side can do is done.
const reactivePolicy = `version: 1
extends: [landwaiter:recommended@1]
mode: enforce
issues: {enabled: true}
releases:
  gate: reactive
  settle: {window: 60s, max_wait: 30m}
`

// reportPolicy looks at releases the same way and touches none.
var reportPolicy = strings.Replace(reactivePolicy, "reactive", "report", 1)

// ownerID is the number of the organisation acme.
const ownerID = 7700

// stage is the product beside a stand-in, with one repository acme/shop. Nothing runs by
// itself: settle delivers webhooks and works on jobs until none is due.
type stage struct {
	*githubtest.GitHub
	t     *testing.T
	app   *App
	store *store.DB
	hooks string // address of the product's Hooks
	inst  *githubtest.Installation
	repo  *githubtest.Repo
	head  string // commit of main

	mu    sync.Mutex
	clock time.Time
}

// play describes a stage. The zero play has a policy under which everything happens.
type play struct {
	policy     string // "" means reactivePolicy, "none" no file
	codeowners string // "" means "* @ann"
	options    githubtest.Options
	change     func(*Config)
}

// newStage opens a stage that lasts as long as the test.
func newStage(t *testing.T, p play) *stage {
	t.Helper()
	s := &stage{t: t, clock: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	p.options.Now = s.now
	p.options.AutoDeliver = true
	if p.options.Events == nil {
		p.options.Events = []string{"release", "check_run", "check_suite", "deployment_protection_rule"}
	}
	p.options.Description = contract.Description{}
	s.GitHub = githubtest.NewTest(t, p.options)
	db, err := store.Open(t.Context(), store.Config{
		URL: filepath.Join(t.TempDir(), "landwaiter.db"), Now: s.now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s.store = db
	cfg := Config{
		AppID: s.AppID(), PrivateKey: s.AppKey(), WebhookSecrets: []string{s.WebhookSecret()}, APIURL: s.APIURL(),
		Store: db, Scanners: []checks.Scanner{signatures{}}, Wanted: func(string) bool { return false },
		ReadInventory: func(context.Context, []checks.File) checks.Inventory { return checks.Inventory{} },
		Now:           s.now, Log: slog.New(slog.NewTextHandler(testLog{t}, nil)),
	}
	if p.change != nil {
		p.change(&cfg)
	}
	if s.app, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	hooks := httptest.NewServer(s.app.Hooks())
	t.Cleanup(hooks.Close)
	s.hooks = hooks.URL
	s.furnish(p)
	s.SetWebhookURL(s.hooks)
	return s
}

// furnish makes the repository.
func (s *stage) furnish(p play) {
	s.repo = s.Repo("acme", "shop", githubtest.RepoOptions{OwnerID: ownerID}).Collaborator("ann", "push").Collaborator("root", "admin")
	files := githubtest.Files{".github/CODEOWNERS": "* @ann\n", ".github/landwaiter.yml": reactivePolicy}
	if p.codeowners != "" {
		files[".github/CODEOWNERS"] = p.codeowners
	}
	switch p.policy {
	case "":
	case "none":
		delete(files, ".github/landwaiter.yml")
	default:
		files[".github/landwaiter.yml"] = p.policy
	}
	s.inst = s.Install("acme")
	s.head = s.repo.Commit("main", "first", files)
}

func (s *stage) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clock
}

// advance moves the clock and works on what became due.
func (s *stage) advance(d time.Duration) {
	s.t.Helper()
	s.mu.Lock()
	s.clock = s.clock.Add(d)
	s.mu.Unlock()
	s.settle()
}

// settle delivers what the stand-in has to say and works on jobs until nothing is due.
func (s *stage) settle() {
	s.t.Helper()
	for {
		if err := s.Settle(s.t.Context()); err != nil {
			s.t.Fatal(err)
		}
		jobs, err := s.store.Claim(s.t.Context(), "stage", 1, time.Minute)
		if err != nil {
			s.t.Fatal(err)
		}
		if len(jobs) == 0 {
			return
		}
		s.app.work(s.t.Context(), jobs[0])
	}
}

// testLog writes to the log of a test.
type testLog struct{ t *testing.T }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// check returns the newest run of landwaiter/release on main's commit.
func (s *stage) check() githubtest.CheckRun {
	s.t.Helper()
	run, ok := s.repo.CheckRun(s.head, "landwaiter/release")
	if !ok {
		s.t.Fatal("there is no check landwaiter/release on the release's commit")
	}
	return run
}

// report returns the newest report on a release.
func (s *stage) report(rel *githubtest.Release) checks.Report {
	s.t.Helper()
	r, err := s.store.ReportByKey(s.t.Context(), s.key(rel))
	if err != nil {
		s.t.Fatal(err)
	}
	return r.Report
}

func (s *stage) key(rel *githubtest.Release) string {
	return fmt.Sprintf("release:%d:%d", s.repo.ID(), rel.ID)
}

// codes returns the reason code of each asset, by name.
func codes(r checks.Report) map[string]string {
	m := map[string]string{}
	for _, x := range r.Assets {
		if !x.EvidenceFile {
			m[x.Name] = x.Code
		}
	}
	return m
}

// scripted is what a scripted bundle says: who signed what, built from where.
type scripted struct {
	Envelope struct {
		Payload string `json:"payload"`
	} `json:"dsseEnvelope"`
	Signer checks.Signer `json:"signer"`
	Build  checks.Build  `json:"build"`
}

const actionsIssuer = "https://token.actions.githubusercontent.com"

// provenance returns a scripted bundle over content, built by the release workflow of
// owner/name at tag. Only the scanner of these tests believes it.
func (s *stage) provenance(repository, tag, name string, content []byte) []byte {
	return s.scripted(repository, tag, name, content, nil)
}

// scripted is provenance whose statement names more digests.
func (s *stage) scripted(repository, tag, name string, content []byte, more map[string]string) []byte {
	sum := sha256.Sum256(content)
	digests := map[string]string{"sha256": hex.EncodeToString(sum[:])}
	maps.Copy(digests, more)
	statement := map[string]any{
		"_type": "https://in-toto.io/Statement/v1", "predicateType": "https://slsa.dev/provenance/v1",
		"subject": []any{map[string]any{"name": name, "digest": digests}},
	}
	payload, err := json.Marshal(statement)
	if err != nil {
		s.t.Fatal(err)
	}
	url := "https://github.com/" + repository
	builder := url + "/.github/workflows/release.yml@refs/tags/" + tag
	b := scripted{
		Signer: checks.Signer{Issuer: actionsIssuer, Identity: builder},
		Build: checks.Build{
			Repository: url, RepositoryID: strconv.FormatInt(s.repo.ID(), 10), OwnerID: strconv.FormatInt(ownerID, 10),
			Ref: "refs/tags/" + tag, Commit: s.head, BuilderID: builder, BuilderDigest: s.head, Config: builder, Runner: "github-hosted", Trigger: "push",
		},
	}
	b.Envelope.Payload = base64.StdEncoding.EncodeToString(payload)
	data, err := json.Marshal(b)
	if err != nil {
		s.t.Fatal(err)
	}
	return data
}

// signatures is a scanner that believes scripted bundles.
type signatures struct{}

func (signatures) Name() string { return "sigstore" }

func (signatures) Scan(_ context.Context, m *checks.Material) (checks.Evidence, error) {
	e := checks.Evidence{Complete: true}
	if m.Release == nil {
		return e, nil
	}
	e.Gaps = m.Release.Gaps
	for _, b := range m.Release.Bundles {
		e.Attestations = append(e.Attestations, believe(b))
	}
	return e, nil
}

// believe turns a scripted bundle into what verification would make of a real one.
func believe(b checks.Bundle) checks.Attestation {
	at := checks.Attestation{Bundle: b.Name, Origin: b.Origin, For: b.For, Kind: checks.AttestationOther, Problem: b.Problem}
	if b.Problem != nil {
		return at
	}
	var s scripted
	var statement struct {
		PredicateType string `json:"predicateType"`
		Subject       []struct {
			Name   string            `json:"name"`
			Digest map[string]string `json:"digest"`
		} `json:"subject"`
	}
	err := json.Unmarshal(b.Data, &s)
	payload, err2 := base64.StdEncoding.DecodeString(s.Envelope.Payload)
	err3 := json.Unmarshal(payload, &statement)
	if err != nil || err2 != nil || err3 != nil {
		at.Problem = &checks.Reason{Rule: "signature", Code: checks.CodeStatementInvalid, Message: "not a scripted bundle"}
		return at
	}
	at.Kind, at.PredicateType, at.Root = checks.AttestationProvenance, statement.PredicateType, checks.RootPublicGood
	at.Signer, at.Certificate, at.Time = s.Signer, s.Build, time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	for _, x := range statement.Subject {
		at.Subjects = append(at.Subjects, checks.AttestedSubject{Name: x.Name, Digest: x.Digest})
	}
	return at
}
