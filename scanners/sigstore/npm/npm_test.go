package npm_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/sigstore"
	"github.com/landwaiter/landwaiter/scanners/sigstore/npm"
)

// sum512 is the digest of sigstore-js 2.1.0, as its recorded attestations name it.
const sum512 = "90f223f992e4c88dd068cd2a5fc57f9d2b30798343dd6e38f29c240e04ba090ef831f84490847c4e82b9232c78e8a258463b1e55c0f7469f730265008fa6633f"

// recorded answers like an npm registry with the recorded attestations of sigstore 2.1.0.
func recorded(t *testing.T, change func(path string, w http.ResponseWriter) bool) npm.Client {
	t.Helper()
	lines, err := os.ReadFile("../testdata/corpus/cli/data/sigstore-js-2.1.0_with_2_bundles.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var entries []map[string]json.RawMessage
	for _, line := range bytes.Split(bytes.TrimSpace(lines), []byte("\n")) {
		entries = append(entries, map[string]json.RawMessage{"bundle": line})
	}
	attestations, err := json.Marshal(map[string]any{"attestations": entries})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := hex.DecodeString(sum512)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.EscapedPath(); {
		case change != nil && change(path, w):
		case path == "/sigstore/2.1.0":
			fmt.Fprintf(w, `{"name":"sigstore","version":"2.1.0","dist":{"integrity":"sha512-%s"}}`, base64.StdEncoding.EncodeToString(raw))
		case path == "/-/npm/v1/attestations/sigstore@2.1.0":
			_, _ = w.Write(attestations)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return npm.Client{URL: server.URL}
}

// TestVersion reads recorded attestations and has the scanner verify them.
func TestVersion(t *testing.T) {
	t.Parallel()
	sum, bundles, err := recorded(t, nil).Version(t.Context(), http.DefaultTransport, "sigstore", "2.1.0")
	if err != nil || sum != sum512 || len(bundles) != 1 {
		t.Fatalf("got %s, %d bundles, %v", sum, len(bundles), err)
	}
	s, err := sigstore.New(sigstore.Config{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	e, err := s.Scan(t.Context(), &checks.Material{Release: &checks.Release{
		Roots: []string{checks.RootPublicGood}, Bundles: bundles,
		Assets: []checks.Asset{{Name: "pkg:npm/sigstore@2.1.0", Kind: checks.AssetPackage, SHA512: sum}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	proven := 0
	for _, a := range e.Attestations {
		if a.Problem != nil {
			t.Errorf("%s: %+v", a.Kind, a.Problem)
		}
		if a.Kind == checks.AttestationProvenance && a.Problem == nil {
			proven++
		}
		if a.Certificate.Repository != "https://github.com/sigstore/sigstore-js" {
			t.Errorf("built from %s", a.Certificate.Repository)
		}
	}
	if proven == 0 || proven != len(e.Attestations) {
		t.Errorf("%d of %d attestations are provenance that holds", proven, len(e.Attestations))
	}
}

// TestVersionRefused: an answer that is not about the version is an error.
func TestVersionRefused(t *testing.T) {
	t.Parallel()
	answer := func(at, body string, code int) func(string, http.ResponseWriter) bool {
		return func(path string, w http.ResponseWriter) bool {
			if path != at {
				return false
			}
			w.WriteHeader(code)
			_, _ = w.Write([]byte(body))
			return true
		}
	}
	const version, list = "/sigstore/2.1.0", "/-/npm/v1/attestations/sigstore@2.1.0"
	for _, c := range []struct {
		name, pkg, version string
		change             func(string, http.ResponseWriter) bool
		want               string
	}{
		{"no such version", "sigstore", "9.9.9", nil, "HTTP 404"},
		{"another version", "sigstore", "2.1.0", answer(version, `{"name":"sigstore","version":"2.1.1"}`, 200), "2.1.1"},
		{"another package", "sigstore", "2.1.0", answer(version, `{"name":"evil","version":"2.1.0"}`, 200), "evil"},
		{"weak digest alone", "sigstore", "2.1.0", answer(version, `{"name":"sigstore","version":"2.1.0","dist":{"integrity":"sha1-AAAA"}}`, 200), "no SHA-512"},
		{"page of an error", "sigstore", "2.1.0", answer(version, `<html>`, 200), "not that of a registry"},
		{"redirect", "sigstore", "2.1.0", answer(version, "", 302), "HTTP 302"},
		{"attestations not served", "sigstore", "2.1.0", answer(list, "", 500), "HTTP 500"},
		{"too large", "sigstore", "2.1.0", answer(list, strings.Repeat(" ", 8<<20+1), 200), "8 MiB"},
		{"name with a path", "../evil", "2.1.0", nil, "no name and version"},
		{"version with a path", "sigstore", "..", nil, "no name and version"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if sum, _, err := recorded(t, c.change).Version(t.Context(), http.DefaultTransport, c.pkg, c.version); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %q, %v, want an error about %q", sum, err, c.want)
			}
		})
	}
	none := recorded(t, answer(list, "", 404))
	if sum, bundles, err := none.Version(t.Context(), http.DefaultTransport, "sigstore", "2.1.0"); err != nil || sum != sum512 || len(bundles) != 0 {
		t.Errorf("without attestations: got %s, %d, %v", sum, len(bundles), err)
	}
	if _, _, err := (npm.Client{}).Version(t.Context(), http.DefaultTransport, "sigstore", "2.1.0"); !errors.Is(err, npm.ErrRegistry) {
		t.Errorf("without a registry: got %v", err)
	}
}
