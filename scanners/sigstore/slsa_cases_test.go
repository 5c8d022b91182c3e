package sigstore

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/checks"
)

// slsaCase is one case of slsa-verifier's own tests.
type slsaCase struct {
	ID         string   `json:"id"`
	Kind       string   `json:"kind"`
	Provenance string   `json:"provenance"`
	Expect     string   `json:"expect"`
	SHA256     []string `json:"artifact_sha256"`
	SourceURI  string   `json:"source_uri"`
	SourceTag  string   `json:"source_tag"`
	Branch     string   `json:"source_branch"`
	Lookup     bool     `json:"needs_rekor_lookup"`
}

// TestSLSAVerifierCases runs the cases as far as cryptography and facts go: what should pass
// is proven for the artifact, and where the case expects another source, tag or branch, the
// proven facts show it.
func TestSLSAVerifierCases(t *testing.T) {
	t.Parallel()
	dir := corpus(t)
	var table struct {
		Cases []slsaCase `json:"cases"`
	}
	read(t, filepath.Join(dir, "sigstore", "slsa-verifier", "cases.json"), &table)
	s, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range table.Cases {
		t.Run(c.ID, func(t *testing.T) {
			t.Parallel()
			runCase(t, s, c, load(t, filepath.Join(dir, filepath.FromSlash(c.Provenance))))
		})
	}
}

func runCase(t *testing.T, s *Scanner, c slsaCase, data []byte) {
	var assets []checks.Asset
	for _, digest := range c.SHA256 {
		assets = append(assets, checks.Asset{Name: "artifact", SHA256: digest})
	}
	if c.Kind == "npm" {
		// The packages are named by SHA-512 only, and are not in the corpus.
		assets = attested(data)
	}
	e, err := s.Scan(t.Context(), &checks.Material{Release: &checks.Release{
		Roots: []string{checks.RootPublicGood}, Assets: assets,
		Bundles: []checks.Bundle{{Name: c.ID, Origin: checks.OriginFile, Data: data}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Attestations) == 0 {
		t.Fatal("nothing was found in the file")
	}
	codes := make([]string, len(e.Attestations))
	var proven []checks.Attestation
	for i, a := range e.Attestations {
		if codes[i] = code(a); codes[i] == "" {
			proven = append(proven, a)
		}
	}
	switch {
	case c.Kind == "gcb":
		// Answers of Google Cloud Build are signed by its own keys and are no evidence here.
		if slices.Contains(codes, "") {
			t.Errorf("an answer of Google Cloud Build was proven: %q", codes)
		}
	case c.Lookup:
		want := []string{checks.CodeLogProofMissing, checks.CodeDigestMismatch}
		if !slices.Contains(want, codes[0]) {
			t.Errorf("got %q, want one of %q", codes, want)
		}
	case c.Expect == "fail: ErrorInvalidSignature":
		if len(proven) == len(codes) {
			t.Error("a changed signature was proven")
		}
	case len(proven) != len(codes):
		t.Errorf("%s: got %q", c.Expect, codes)
	default:
		compareCase(t, c, proven[len(proven)-1])
	}
}

// compareCase compares facts with what the case asks for.
func compareCase(t *testing.T, c slsaCase, a checks.Attestation) {
	t.Helper()
	got := a.Certificate
	differs := a.Claim.Repository != "" && (a.Claim.Repository != got.Repository || a.Claim.Ref != got.Ref || a.Claim.Commit != got.Commit)
	// One workflow of the corpus attests in the name of another repository.
	if lies := strings.Contains(c.Provenance, "wrong-signer"); differs != lies {
		t.Errorf("the statement claims %+v, the certificate says %+v", a.Claim, got)
	}
	source := strings.TrimPrefix(got.Repository, "https://") == strings.TrimPrefix(strings.TrimPrefix(c.SourceURI, "git+"), "https://")
	tag := c.SourceTag == "" || got.Ref == "refs/tags/"+c.SourceTag
	switch c.Expect {
	case "pass":
		if !source || !tag {
			t.Errorf("got %s at %s, want %s tag %q", got.Repository, got.Ref, c.SourceURI, c.SourceTag)
		}
	case "fail: ErrorMismatchSource":
		if source {
			t.Errorf("the facts show the source %s that should differ", got.Repository)
		}
	case "fail: ErrorMismatchTag":
		if tag {
			t.Errorf("the facts show the tag %s that should differ", got.Ref)
		}
	}
}
