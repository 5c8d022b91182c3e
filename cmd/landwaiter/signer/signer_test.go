package signer_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite" // behindTheBack changes rows without the store

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/pubkey"
	"github.com/landwaiter/landwaiter/checks/summary"
	"github.com/landwaiter/landwaiter/cmd/landwaiter/signer"
	"github.com/landwaiter/landwaiter/store"
)

const (
	subject  = "release:7:9"
	workflow = "https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1.2.0"
)

var verifier = summary.Verifier{ID: "https://landwaiter.example.com"}

func TestMain(m *testing.M) {
	if isPlugin() {
		os.Exit(plugin())
	}
	os.Exit(m.Run())
}

// fixture is a store with a signer on it.
type fixture struct {
	*store.DB
	*signer.Signer
	url     string
	keyFile string
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	folder := t.TempDir()
	f := &fixture{url: filepath.Join(folder, "landwaiter.db"), keyFile: filepath.Join(folder, "summary.key")}
	db, err := store.Open(t.Context(), store.Config{URL: f.url, Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	f.DB = db
	t.Cleanup(func() { must(t, db.Close()) })
	f.Signer, err = signer.Open(t.Context(), signer.Config{Store: db, KeyFile: f.keyFile, Verifier: verifier})
	must(t, err)
	return f
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// report is one that is summarised.
func report() checks.Report {
	asset := func(name, digit string) checks.AssetReport {
		return checks.AssetReport{
			Name: name, SHA256: strings.Repeat(digit, 64), State: checks.AssetVerified,
			Signer:   checks.Signer{Issuer: "https://token.actions.githubusercontent.com", Identity: workflow},
			Source:   checks.Source{Repository: "https://github.com/acme/app", Ref: "refs/tags/v1.2.0"},
			Builder:  checks.Builder{ID: workflow, Runner: "github-hosted", Level: "SLSA 2"},
			Evidence: []checks.EvidenceRef{{Kind: "provenance", Origin: "attestation-api", Name: "attestation 1 of 1", SHA256: strings.Repeat("b", 64), Require: "provenance"}},
			Required: []string{"provenance"},
		}
	}
	return checks.Report{
		Subject: checks.Subject{Kind: checks.KindRelease, Repository: "acme/app", RepositoryID: 7, ReleaseID: 9, Ref: "refs/tags/v1.2.0"},
		Verdict: checks.Pass, Time: time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC), Reasons: []checks.Reason{},
		Policy: checks.PolicyRef{Digest: "sha256:" + strings.Repeat("0f", 32), Source: checks.PresetRecommended},
		Assets: []checks.AssetReport{asset("app.tar.gz", "a"), asset("app.zip", "c")},
	}
}

func (f *fixture) record(t testing.TB, generation int64, r checks.Report) {
	t.Helper()
	_, err := f.Record(t.Context(), store.Record{Key: subject, Generation: generation, Report: r, Parser: "1"})
	must(t, err)
}

func (f *fixture) behindTheBack(t *testing.T, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", f.url)
	must(t, err)
	defer db.Close()
	_, err = db.Exec(statement)
	must(t, err)
}

func (f *fixture) size(t testing.TB) int64 {
	t.Helper()
	head, _, err := f.LedgerHead(t.Context())
	must(t, err)
	return head.Size
}

// publicKeys reads what PublicKeys prints, by id.
func publicKeys(t testing.TB, text []byte) map[string]ed25519.PublicKey {
	t.Helper()
	found := map[string]ed25519.PublicKey{}
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			return found
		}
		k, err := x509.ParsePKIXPublicKey(block.Bytes)
		must(t, err)
		id, err := pubkey.KeyID(k)
		must(t, err)
		found[id], text = k.(ed25519.PublicKey), rest
	}
}

// signedBy returns which of keys signed each line of a file of summaries.
func signedBy(t testing.TB, file []byte, keys map[string]ed25519.PublicKey) []string {
	t.Helper()
	var by []string
	for line := range bytes.Lines(file) {
		var e summary.Envelope
		must(t, json.Unmarshal(line, &e))
		payload, err := base64.StdEncoding.DecodeString(e.Payload)
		must(t, err)
		sig, err := base64.StdEncoding.DecodeString(e.Signatures[0].Sig)
		must(t, err)
		k := keys[e.Signatures[0].KeyID]
		if k == nil || !ed25519.Verify(k, summary.PAE(e.PayloadType, payload), sig) {
			by = append(by, "nobody")
			continue
		}
		by = append(by, e.Signatures[0].KeyID)
	}
	return by
}

// TestIssue: one signed line for each asset, an entry for the issue, and the same bytes again.
func TestIssue(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.record(t, 1, report())
	got, err := f.Issue(t.Context(), subject, 1)
	must(t, err)
	text, err := signer.PublicKeys(t.Context(), f.keyFile, "", f.keyFile+"s", verifier.ID)
	must(t, err)
	if diff := cmp.Diff([]string{f.KeyID(), f.KeyID()}, signedBy(t, got.File, publicKeys(t, text))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got.ReportIndex != 0 || got.LedgerIndex != 1 || f.size(t) != 2 {
		t.Errorf("entry %d about %d in a ledger of %d", got.LedgerIndex, got.ReportIndex, f.size(t))
	}
	again, err := f.Issue(t.Context(), subject, 1)
	must(t, err)
	if diff := cmp.Diff(got, again); diff != "" || f.size(t) != 2 {
		t.Errorf("issued twice (-first +second):\n%s", diff)
	}
	must(t, f.VerifyLedger(t.Context(), nil))
	// A process that ended between signing and storing, and one that does so beside it, make
	// the same bytes: nothing in them is of the moment.
	other := newFixture(t)
	key, err := os.ReadFile(f.keyFile)
	must(t, err)
	must(t, os.WriteFile(other.keyFile, key, 0o600))
	other.Signer, err = signer.Open(t.Context(), signer.Config{Store: other.DB, KeyFile: other.keyFile, Verifier: verifier})
	must(t, err)
	other.record(t, 1, report())
	elsewhere, err := other.Issue(t.Context(), subject, 1)
	must(t, err)
	if !bytes.Equal(elsewhere.File, got.File) {
		t.Errorf("other bytes:\n%s\n%s", got.File, elsewhere.File)
	}
}

// TestIssueAtOnce: callers that come together get one issue.
func TestIssueAtOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.record(t, 1, report())
	var group sync.WaitGroup
	files := make([]string, 8)
	for i := range files {
		group.Go(func() {
			s, err := f.Issue(t.Context(), subject, 1)
			if err != nil {
				t.Error(err)
			}
			files[i] = string(s.File)
		})
	}
	group.Wait()
	for _, file := range files {
		if file != files[0] || file == "" {
			t.Errorf("%q differs", file)
		}
	}
	if f.size(t) != 2 {
		t.Errorf("the ledger has %d entries", f.size(t))
	}
}

// TestV70V73Signer changes one thing of what is summarised; the reason is told, nothing is
// signed, and the ledger stays as it is.
func TestV70V73Signer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, code string
		prepare    func(t *testing.T, f *fixture)
		generation int64
	}{
		{"V70 no report", summary.RefusedNotEntry, func(*testing.T, *fixture) {}, 1},
		{"V70 fails", summary.RefusedNotPass, func(t *testing.T, f *fixture) {
			r := report()
			r.Verdict = checks.Fail
			f.record(t, 1, r)
		}, 1},
		{"V70 unknown", summary.RefusedNotPass, func(t *testing.T, f *fixture) {
			r := report()
			r.Verdict = checks.Unknown
			f.record(t, 1, r)
		}, 1},
		{"V70 row changed to pass", summary.RefusedNotPass, func(t *testing.T, f *fixture) {
			r := report()
			r.Verdict = checks.Fail
			f.record(t, 1, r)
			f.behindTheBack(t, `UPDATE report SET verdict = 'pass'`)
		}, 1},
		{"V70 entry of another report", summary.RefusedNotEntry, func(t *testing.T, f *fixture) {
			r := report()
			r.Verdict = checks.Fail
			f.record(t, 1, r)
			_, err := f.Record(t.Context(), store.Record{Key: "release:7:8", Generation: 1, Report: report(), Parser: "1"})
			must(t, err)
			f.behindTheBack(t, `UPDATE ledger_entry SET leaf = (SELECT leaf FROM ledger_entry WHERE n = 1) WHERE n = 0`)
		}, 1},
		{"V70 row points at another entry", summary.RefusedNotEntry, func(t *testing.T, f *fixture) {
			r := report()
			r.Verdict = checks.Fail
			f.record(t, 1, r)
			_, err := f.Record(t.Context(), store.Record{Key: "release:7:8", Generation: 1, Report: report(), Parser: "1"})
			must(t, err)
			f.behindTheBack(t, `DELETE FROM report WHERE ledger_index = 1`)
			f.behindTheBack(t, `UPDATE report SET ledger_index = 1, verdict = 'pass'`)
		}, 1},
		{"V70 the ledger's hashes changed", "", func(t *testing.T, f *fixture) {
			f.record(t, 1, report())
			f.behindTheBack(t, `UPDATE ledger_hash SET hash = zeroblob(32)`)
		}, 1},
		{"V70 superseded by a failed rescan", summary.RefusedOverruled, func(t *testing.T, f *fixture) {
			f.record(t, 1, report())
			r := report()
			r.Verdict = checks.Fail
			f.record(t, 2, r)
		}, 1},
		{"V70 superseded by an unknown rescan", summary.RefusedOverruled, func(t *testing.T, f *fixture) {
			f.record(t, 1, report())
			r := report()
			r.Verdict = checks.Unknown
			f.record(t, 2, r)
		}, 1},
		{"V70 superseded by a newer pass", summary.RefusedOverruled, func(t *testing.T, f *fixture) {
			f.record(t, 1, report())
			f.record(t, 2, report())
		}, 1},
		{"V70 a generation that is not there yet", summary.RefusedOverruled, func(t *testing.T, f *fixture) { f.record(t, 1, report()) }, 2},
		{"V73 level above the evidence", summary.RefusedLevel, func(t *testing.T, f *fixture) {
			r := report()
			r.Assets[1].Builder.Level = "SLSA 3"
			f.record(t, 1, r)
		}, 1},
		{"V73 inputs not all named", summary.RefusedInputs, func(t *testing.T, f *fixture) {
			r := report()
			r.Assets[1].Evidence[0].SHA256 = ""
			f.record(t, 1, r)
		}, 1},
		{"V73 one asset not verified", summary.RefusedUnproven, func(t *testing.T, f *fixture) {
			r := report()
			r.Assets[1].State = checks.AssetUnknown
			f.record(t, 1, r)
		}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			c.prepare(t, f)
			before := f.size(t)
			got, err := f.Issue(t.Context(), subject, c.generation)
			var refusal *summary.Refusal
			var tampered *store.TamperedError // the ledger as a whole does not go on, which no code tells
			if c.code == "" && errors.As(err, &tampered) && got.File == nil {
				return
			}
			if !errors.As(err, &refusal) || refusal.Code != c.code || got.File != nil {
				t.Errorf("got %q and %v, want %s", got.File, err, c.code)
			}
			if after := f.size(t); after != before {
				t.Errorf("the ledger grew from %d to %d", before, after)
			}
		})
	}
}

// TestKeyFile: made once with mode 0600, refused when others may read it, and never shown.
func TestKeyFile(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	stat, err := os.Stat(f.keyFile)
	must(t, err)
	if stat.Mode().Perm() != 0o600 {
		t.Errorf("mode %04o", stat.Mode().Perm())
	}
	text, err := os.ReadFile(f.keyFile)
	must(t, err)
	block, _ := pem.Decode(text)
	secret := base64.StdEncoding.EncodeToString(block.Bytes)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x"} {
		if shown := fmt.Sprintf(verb, f.Signer); strings.Contains(shown, secret[20:40]) || strings.Contains(shown, fmt.Sprint(block.Bytes[16:24])[1:20]) {
			t.Errorf("%s shows the key", verb)
		}
	}
	same, err := signer.Open(t.Context(), signer.Config{Store: f.DB, KeyFile: f.keyFile, Verifier: verifier})
	must(t, err)
	if same.KeyID() != f.KeyID() {
		t.Error("another key at the second start")
	}
	for name, prepare := range map[string]func(path string) error{
		"readable by others": func(p string) error { return os.WriteFile(p, text, 0o644) },
		"another PEM": func(p string) error {
			return os.WriteFile(p, []byte("-----BEGIN X-----\nAA==\n-----END X-----\n"), 0o600)
		},
		"damaged": func(p string) error {
			return os.WriteFile(p, bytes.Replace(text, []byte("MC4"), []byte("MC5"), 1), 0o600)
		},
		"a folder": func(p string) error { return os.Mkdir(p, 0o700) },
	} {
		path := filepath.Join(t.TempDir(), "summary.key")
		must(t, prepare(path))
		if _, err := signer.Open(t.Context(), signer.Config{Store: f.DB, KeyFile: path, Verifier: verifier}); err == nil || strings.Contains(err.Error(), secret[20:40]) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestS07Rotate: after a rotation new summaries are by the new key, old ones verify by the id of
// their key, and the old private key is gone. An interruption at each step is made good.
func TestS07Rotate(t *testing.T) {
	t.Parallel()
	for _, interrupted := range []string{"never", "after the next key", "after the old public key"} {
		t.Run(interrupted, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			retired := f.keyFile + "s"
			f.record(t, 1, report())
			before, err := f.Issue(t.Context(), subject, 1)
			must(t, err)
			old, err := os.ReadFile(f.keyFile)
			must(t, err)
			if interrupted != "never" {
				copied := filepath.Join(t.TempDir(), "summary.key")
				must(t, os.WriteFile(copied, old, 0o600))
				_, _, err := signer.Rotate(copied, copied+"s")
				must(t, err)
				next, err := os.ReadFile(copied)
				must(t, err)
				must(t, os.WriteFile(f.keyFile+".next", next, 0o600))
				if interrupted == "after the old public key" {
					list, err := os.ReadFile(copied + "s")
					must(t, err)
					must(t, os.WriteFile(retired, list, 0o600))
				}
			}
			from, to, err := signer.Rotate(f.keyFile, retired)
			must(t, err)
			if from != f.KeyID() || from == to {
				t.Errorf("from %s to %s, it was %s", from, to, f.KeyID())
			}
			s, err := signer.Open(t.Context(), signer.Config{Store: f.DB, KeyFile: f.keyFile, Verifier: verifier})
			must(t, err)
			f.record(t, 2, report())
			after, err := s.Issue(t.Context(), subject, 2)
			must(t, err)
			text, err := signer.PublicKeys(t.Context(), f.keyFile, "", retired, verifier.ID)
			must(t, err)
			keys := publicKeys(t, text)
			if diff := cmp.Diff([][]string{{from, from}, {to, to}}, [][]string{signedBy(t, before.File, keys), signedBy(t, after.File, keys)}); diff != "" || len(keys) != 2 {
				t.Errorf("%d keys (-want +got):\n%s", len(keys), diff)
			}
			if now, err := os.ReadFile(f.keyFile); err != nil || bytes.Equal(now, old) {
				t.Errorf("the old key is still there: %v", err)
			}
			if _, err := os.Stat(f.keyFile + ".next"); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the next key lies about: %v", err)
			}
		})
	}
}
