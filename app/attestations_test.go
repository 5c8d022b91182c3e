package app

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/snappy"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/checks"
)

// bare publishes v1.0.0 with app.tar.gz and nothing beside it.
func (s *stage) bare() *githubtest.Release {
	return s.repo.Release(githubtest.ReleaseOptions{Tag: "v1.0.0", Assets: map[string][]byte{"app.tar.gz": tarball}})
}

func TestAttestations(t *testing.T) {
	t.Parallel()
	digest := githubtest.SHA256(tarball)
	answer := func(status int, body string) githubtest.Fault {
		return githubtest.Fault{Route: "BLOB attestations", Status: status, Body: body, Times: -1}
	}
	bomb := string([]byte{0xff, 0xff, 0xff, 0xff, 0x0f}) + strings.Repeat("\x00", 100) // declares 4 GiB - 1
	tests := []struct {
		name    string
		inline  bool
		prepare func(s *stage)
		verdict checks.Verdict
		code    string
	}{
		{"none", false, func(s *stage) { s.repo.ForgetAttestations(digest) }, checks.Fail, checks.CodeUnsigned},
		{"by address, in snappy", false, func(*stage) {}, checks.Pass, ""},
		{"inline, as older servers do", true, func(*stage) {}, checks.Pass, ""},
		{"by address, plain JSON", false, func(s *stage) {
			s.Fail(answer(http.StatusOK, string(s.provenance("acme/shop", "v1.0.0", "app.tar.gz", tarball))))
		}, checks.Pass, ""},
		{"among those of others", false, func(s *stage) {
			for range 3 {
				s.repo.Attest(digest, s.provenance("mallory/shop", "v1.0.0", "app.tar.gz", tarball), "user")
			}
		}, checks.Pass, ""},
		{"V17 only those of others", false, func(s *stage) {
			s.repo.ForgetAttestations(digest)
			s.repo.Attest(digest, s.provenance("mallory/shop", "v1.0.0", "app.tar.gz", tarball), "user")
		}, checks.Fail, checks.CodeNoneAcceptable},
		{"storage stumbles once", false, func(s *stage) {
			s.Fail(githubtest.Fault{Route: "BLOB attestations", Kind: githubtest.CutBody})
		}, checks.Pass, ""},
		{"V61 snappy that declares 4 GB", false, func(s *stage) { s.Fail(answer(http.StatusOK, bomb)) }, checks.Unknown, checks.CodeTooLarge},
		{"V61 snappy of more than 8 MiB", false, func(s *stage) {
			s.Fail(answer(http.StatusOK, string(snappy.Encode(nil, make([]byte, maxEvidence+1)))))
		}, checks.Unknown, checks.CodeTooLarge},
		{"V60 more than 8 MiB", false, func(s *stage) { s.Fail(answer(http.StatusOK, strings.Repeat("a", maxEvidence+1))) }, checks.Unknown, checks.CodeTooLarge},
		{"V62 web page", false, func(s *stage) { s.Fail(answer(http.StatusOK, "<!DOCTYPE html><html></html>")) }, checks.Unknown, checks.CodeNotReadable},
		{"V62 empty", false, func(s *stage) { s.Fail(answer(http.StatusOK, "")) }, checks.Unknown, checks.CodeNotReadable},
		{"V62 address refused", false, func(s *stage) { s.Fail(answer(http.StatusForbidden, "")) }, checks.Unknown, checks.CodeNotReadable},
		{"V62 storage out of order", false, func(s *stage) { s.Fail(answer(http.StatusInternalServerError, "")) }, checks.Unknown, checks.CodeNotReadable},
		{"without the permission", false, func(s *stage) { s.inst.Grant("attestations", "") }, checks.Unknown, checks.CodeNotReadable},
		{"API out of order once", false, func(s *stage) {
			s.Fail(githubtest.Fault{Route: "GET /repos/{owner}/{repo}/attestations/{subject_digest}", Status: 502})
		}, checks.Pass, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, play{options: githubtest.Options{InlineBundles: test.inline}})
			s.repo.Attest(digest, s.provenance("acme/shop", "v1.0.0", "app.tar.gz", tarball), "user")
			test.prepare(s)
			rel := s.bare()
			for range 12 { // the longest that storage which does not answer is waited for
				s.advance(time.Minute)
			}
			r := s.report(rel)
			if r.Verdict != test.verdict || codes(r)["app.tar.gz"] != test.code {
				t.Errorf("verdict %s, code %q, want %s, %q: %+v", r.Verdict, codes(r)["app.tar.gz"], test.verdict, test.code, r.Assets)
			}
		})
	}
}

func TestAttestationsMissingPermissionDoesNotMatterBesideASidecar(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{})
	s.inst.Grant("attestations", "")
	rel := s.release(tarball)
	s.settle()
	s.advance(time.Minute)
	if r := s.report(rel); r.Verdict != checks.Pass {
		t.Errorf("verdict %s, want pass by the sidecar alone: %+v", r.Verdict, r.Assets)
	}
}

func TestV18ManyForeignAttestations(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{options: githubtest.Options{InlineBundles: true, Contract: githubtest.Off}})
	digest := githubtest.SHA256(tarball)
	const foreign = 10_000
	for i := range foreign {
		b := s.provenance("mallory/shop", fmt.Sprintf("v%d", i), "app.tar.gz", tarball)
		s.repo.Attest(digest, b, "user")
	}
	s.repo.Attest(digest, s.provenance("acme/shop", "v1.0.0", "app.tar.gz", tarball), "user")
	rel := s.bare()
	s.settle()
	s.advance(time.Minute)
	if r := s.report(rel); r.Verdict != checks.Pass {
		t.Errorf("verdict %s, want pass: %+v", r.Verdict, r.Assets)
	}
	if calls := len(s.CallsTo("GET /repos/{owner}/{repo}/attestations/{subject_digest}")); calls > maxAttestationPages {
		t.Errorf("%d calls, want at most %d", calls, maxAttestationPages)
	}
}

func TestV18TooManyForeignAttestationsAreUnknown(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{options: githubtest.Options{InlineBundles: true, Contract: githubtest.Off}})
	digest := githubtest.SHA256(tarball)
	s.repo.Attest(digest, s.provenance("acme/shop", "v1.0.0", "app.tar.gz", tarball), "user")
	for i := range maxAttestationPages * 100 {
		s.repo.Attest(digest, s.provenance("mallory/shop", fmt.Sprintf("v%d", i), "app.tar.gz", tarball), "user")
	}
	rel := s.bare()
	s.settle()
	s.advance(time.Minute)
	if r := s.report(rel); r.Verdict != checks.Unknown || codes(r)["app.tar.gz"] != checks.CodeTooLarge {
		t.Errorf("verdict %s %v, want unknown, because ours is beyond what is looked at", r.Verdict, codes(r))
	}
}

func TestAttestationOfSeveralAssetsIsFetchedOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{})
	assets := map[string][]byte{}
	for _, name := range []string{"a", "b", "c"} {
		assets[name] = []byte(name)
		// One bundle under each digest, as GitHub lists a statement with several subjects.
		s.repo.Attest(githubtest.SHA256(assets[name]), []byte(`{"dsseEnvelope":{"payload":""}}`), "user")
	}
	c := s.app.installation(repo{InstallationID: s.inst.ID, ID: s.repo.ID(), Owner: "acme", Name: "shop"}, toReadAttestations)
	var read []readAsset
	for _, name := range []string{"a", "b", "c"} {
		sum := strings.TrimPrefix(githubtest.SHA256(assets[name]), "sha256:")
		read = append(read, readAsset{Asset: checks.Asset{Name: name, SHA256: sum}})
	}
	got, err := c.readAttestations(t.Context(), read)
	if err != nil || len(got.gaps) != 0 || len(got.bundles) != 1 {
		t.Errorf("found %+v, error %v: want one bundle for all", got, err)
	}
}

func TestV62BundleNullWithoutAddress(t *testing.T) {
	t.Parallel()
	s := &attestations{places: map[string]func() ([]byte, *checks.Reason){}, seen: map[[32]byte]bool{}}
	got, fresh, err := s.bundle(t.Context(), attestation{Bundle: []byte("null")}, "attestation 1 of 1", "app.tar.gz")
	want := checks.Bundle{
		Name: "attestation 1 of 1", Origin: checks.OriginAttestationAPI, For: "app.tar.gz",
		Problem: &checks.Reason{Rule: "release-evidence", Code: checks.CodeNotReadable, Message: "GitHub gives neither the bundle nor its address"},
	}
	if d := cmp.Diff(want, got); d != "" || !fresh || err != nil {
		t.Errorf("bundle: fresh %v, error %v (-want +got):\n%s", fresh, err, d)
	}
}
