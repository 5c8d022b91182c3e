package sigstore

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/semver"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/sigstore/sigstoretest"
)

// TestV52LibraryFloor reads the versions that this module builds with. Older ones have known
// holes: they took a log entry of another bundle, or another's timestamp.
func TestV52LibraryFloor(t *testing.T) {
	t.Parallel()
	floor := map[string]string{
		"github.com/sigstore/sigstore-go":            "v1.2.1",
		"github.com/theupdateframework/go-tuf/v2":    "v2.4.1",
		"github.com/sigstore/timestamp-authority/v2": "v2.0.6",
	}
	versions := map[string]string{}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			versions[m.Path] = m.Version
		}
	}
	// Test binaries name no dependencies before Go 1.25; go.mod names the same versions.
	for _, line := range strings.Split(string(load(t, "../../go.mod")), "\n") {
		if f := strings.Fields(line); len(f) >= 2 && versions[f[0]] == "" {
			versions[f[0]] = f[1]
		}
	}
	for path, want := range floor {
		if got := versions[path]; !semver.IsValid(got) || semver.Compare(got, want) < 0 {
			t.Errorf("%s is %q, want at least %s", path, got, want)
		}
	}
}

// TestTrustSnapshots compares the embedded files with trust/README.md.
func TestTrustSnapshots(t *testing.T) {
	t.Parallel()
	readme := string(load(t, "trust/README.md"))
	files := 0
	err := fs.WalkDir(snapshots, "trust", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path == "trust/README.md" {
			return err
		}
		data, err := snapshots.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		row := strings.TrimPrefix(path, "trust/")
		if !strings.Contains(readme, fmt.Sprintf("| %s |", row)) || !strings.Contains(readme, fmt.Sprintf("%x |\n", sha256.Sum256(data))) {
			t.Errorf("trust/README.md does not name %s with its digest", row)
		}
		return nil
	})
	if err != nil || files != 5 {
		t.Errorf("read %d snapshots, want 5: %v", files, err)
	}
}

func TestTrustStatus(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	f.config.Now = func() time.Time { return now }
	f.config.MaxRootAge = 200 * 24 * time.Hour
	rows := f.scanner().TrustStatus()
	if len(rows) != 3 || rows[0].Root != checks.RootPublicGood || rows[1].Root != checks.RootGitHub || rows[2].Root != checks.RootCustom {
		t.Fatalf("got %+v", rows)
	}
	public, github, own := rows[0], rows[1], rows[2]
	if want := time.Date(2025, 9, 23, 0, 0, 0, 0, time.UTC); !public.Newest.Equal(want) || !public.Since.Equal(want) || !public.Stale || public.Source != "embedded" {
		t.Errorf("public-good: got %+v, want stale since %s", public, want)
	}
	if want := time.Date(2026, 6, 12, 0, 0, 0, 0, time.UTC); !github.Newest.Equal(want) || github.Stale {
		t.Errorf("github: got %+v, want fresh since %s", github, want)
	}
	if own.Stale || own.Source != "configured" || len(own.SHA256) != 64 {
		t.Errorf("custom: got %+v", own)
	}
	f.config.Refreshed = now.Add(-time.Hour)
	if row := f.scanner().TrustStatus()[0]; row.Stale || !row.Since.Equal(f.config.Refreshed) {
		t.Errorf("after a refresh: got %+v", row)
	}
}

func TestV54StaleRoot(t *testing.T) {
	t.Parallel()
	data := load(t, "testdata/corpus/cli/data/custom-issuer.sigstore.json")
	for name, c := range map[string]struct {
		refreshed time.Time
		want      string
	}{
		"29 days": {time.Date(2026, 10, 3, 0, 0, 0, 0, time.UTC), ""},
		"31 days": {time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), checks.CodeRootStale},
		"never":   {time.Time{}, checks.CodeRootStale},
	} {
		f := newFixture(t)
		f.config = Config{Refreshed: c.refreshed, MaxRootAge: 30 * 24 * time.Hour, Now: func() time.Time { return time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC) }}
		f.release.Assets, f.release.Roots = attested(data), []string{checks.RootPublicGood}
		f.release.Bundles = []checks.Bundle{{Data: data}}
		e := f.scanWith(f.scanner())
		if a := f.only(e); code(a) != c.want || c.want != "" && !a.Problem.Unknown() {
			t.Errorf("%s: got %+v, want %q", name, a.Problem, c.want)
		}
		if !c.refreshed.IsZero() && !e.DataTime.Equal(c.refreshed) {
			t.Errorf("%s: data time %s, want %s", name, e.DataTime, c.refreshed)
		}
	}
}

// asGitHub makes the fixture's instance, which is private, stand in for GitHub's own.
func asGitHub(f *fixture) *Scanner {
	f.t.Helper()
	root := f.config.TrustedRoot
	f.config.TrustedRoot = nil
	s := f.scanner()
	t, err := parseRoot(checks.RootGitHub, "embedded", root)
	if err != nil {
		f.t.Fatal(err)
	}
	s.roots[t.name] = t
	if s.profiles[t.name], err = githubInstance(t); err != nil {
		f.t.Fatal(err)
	}
	if s.release, err = githubRelease(t); err != nil {
		f.t.Fatal(err)
	}
	return s
}

func TestReleaseAttestation(t *testing.T) {
	t.Parallel()
	const predicate = "https://in-toto.io/attestation/release/v0.2"
	claim := map[string]any{"repository": "acme/app", "repositoryId": "11", "ownerId": "22", "tag": "v1.0.0"}
	subjects := []sigstoretest.Subject{
		{URI: "pkg:github/acme/app@v1.0.0", Digest: map[string]string{"sha1": acme().Commit}}, subject("sha256", sha(artifact)),
	}
	baseline := func(f *fixture) {
		f.release.Roots = []string{checks.RootPublicGood}
		f.recipe.Certificate = sigstoretest.Certificate{URIs: []string{releaseSigner}}
		f.recipe.Statement = sigstoretest.Statement(f.t, predicate, claim, subjects...)
	}
	for name, c := range map[string]struct {
		change     func(f *fixture)
		kind, want string
	}{
		"made by GitHub":               {func(*fixture) {}, checks.AttestationRelease, ""},
		"made by GitHub v0.1":          {rewrite("release/v0.2", "release/v0.1"), checks.AttestationRelease, ""},
		"GitHub's root counts for all": {func(f *fixture) { f.release.Roots = []string{checks.RootGitHub} }, checks.AttestationRelease, ""},
		"made by a workflow": {func(f *fixture) {
			f.recipe.Certificate, f.release.Roots = acme().Certificate(), []string{checks.RootGitHub}
		}, checks.AttestationOther, checks.CodeSignerMismatch},
		"made by another host": {func(f *fixture) {
			f.recipe.Certificate.URIs[0] = releaseSigner + ".evil.example"
		}, checks.AttestationOther, checks.CodeSignerMismatch},
		"made with a key": {func(f *fixture) {
			_, k := keyed(f.t)
			f.recipe.Key, f.config.Keys, f.release.Roots = k, [][]byte{sigstoretest.PublicKey(f.t, k)}, []string{checks.RootKey}
		}, checks.AttestationOther, ""},
		"of other bytes":         {otherDigest, checks.AttestationOther, checks.CodeDigestMismatch},
		"without a timestamp":    {func(f *fixture) { f.recipe.WithoutStamp = true }, checks.AttestationOther, checks.CodeTimeUnproven},
		"by a foreign authority": {func(f *fixture) { f.recipe.Certificate.Intruder = true }, checks.AttestationOther, checks.CodeCertificateInvalid},
		"provenance by GitHub's release signer, root does not count": {func(f *fixture) {
			f.recipe.Statement = sigstoretest.Provenance(f.t, acme(), subjects[1])
		}, checks.AttestationProvenance, checks.CodeWrongRoot},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			baseline(f)
			asPrivate(f)
			c.change(f)
			s := asGitHub(f)
			f.release.Bundles = []checks.Bundle{{Name: "attestation 1 of 1", Origin: checks.OriginAttestationAPI, Data: f.data()}}
			a := f.only(f.scanWith(s))
			if code(a) != c.want || a.Kind != c.kind {
				t.Fatalf("got %q and %q, want %q and %q: %+v", a.Kind, code(a), c.kind, c.want, a.Problem)
			}
			if a.Kind != checks.AttestationRelease {
				return
			}
			want := checks.Build{Repository: "https://github.com/acme/app", RepositoryID: "11", OwnerID: "22", Ref: "refs/tags/v1.0.0", Commit: acme().Commit}
			if a.Claim != want || a.Root != checks.RootGitHub || a.Signer != (checks.Signer{Identity: releaseSigner}) {
				t.Errorf("got %+v, want the claim %+v", a, want)
			}
		})
	}
}

// TestReleaseAttestationReal is GitHub's attestation of a real release.
func TestReleaseAttestationReal(t *testing.T) {
	t.Parallel()
	dir := "testdata/corpus/github-release/"
	checksums := load(t, dir+"gh_2.96.0_checksums.txt")
	f := newFixture(t)
	f.config.Now = time.Now
	f.release.Roots = []string{checks.RootPublicGood}
	f.release.Assets = []checks.Asset{{Name: "gh_2.96.0_checksums.txt", Size: int64(len(checksums)), Read: int64(len(checksums)), SHA256: sha(string(checksums))}}
	f.release.Bundles = []checks.Bundle{{Data: load(t, dir+"gh_2.96.0_checksums.txt.bundles.jsonl")}}
	a := f.only(f.scanWith(f.scanner()))
	if a.Problem != nil || a.Kind != checks.AttestationRelease || len(a.Subjects) != 23 || a.Claim.Ref != "refs/tags/v2.96.0" {
		t.Errorf("got %+v", a)
	}
	f.release.Assets[0].SHA256 = sha(string(checksums) + "\n")
	f.wantCode(checks.CodeDigestMismatch)
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	none := sigstoretest.New(t, sigstoretest.Options{Private: true}).TrustedRoot(t)
	for name, c := range map[string]struct {
		config Config
		want   string
	}{
		"trusted root that is not JSON":    {Config{TrustedRoot: []byte("x")}, "trusted root"},
		"trusted root that is empty":       {Config{TrustedRoot: []byte{}}, "trusted root"},
		"trusted root of another kind":     {Config{TrustedRoot: []byte(`{"mediaType":"x"}`)}, "trusted root"},
		"trusted root that proves no time": {Config{TrustedRoot: without(t, none, "timestampAuthorities")}, "timestamp authority"},
		"key that is not PEM":              {Config{Keys: [][]byte{[]byte("x")}}, "public key 1"},
		"too many keys":                    {Config{Keys: make([][]byte, 65)}, "at most 64"},
	} {
		if _, err := New(c.config); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error about %q", name, err, c.want)
		}
	}
}

func TestScanWithoutRelease(t *testing.T) {
	t.Parallel()
	s := newFixture(t).scanner()
	e, err := s.Scan(t.Context(), &checks.Material{})
	if err != nil || !e.Complete || len(e.Attestations) != 0 {
		t.Errorf("got %+v, %v", e, err)
	}
	e, err = s.Scan(t.Context(), &checks.Material{Release: &checks.Release{}})
	if err != nil || !e.Complete || len(e.Attestations) != 0 {
		t.Errorf("empty release: got %+v, %v", e, err)
	}
}

func TestScanGaps(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(f *fixture){
		"root that is not configured": func(f *fixture) { f.config.TrustedRoot = nil },
		"root of an unknown name":     func(f *fixture) { f.release.Roots = append(f.release.Roots, "merged") },
		"key of the policy is broken": func(f *fixture) {
			f.release.Roots, f.release.Keys = append(f.release.Roots, checks.RootKey), []string{"x"}
		},
	} {
		f := newFixture(t)
		change(f)
		if e := f.scan(f.data()); e.Complete || len(e.Gaps) != 1 {
			t.Errorf("%s: got complete %v with gaps %v", name, e.Complete, e.Gaps)
		}
	}
}

func TestScanCancelled(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.release.Bundles = []checks.Bundle{{Data: f.data()}}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e, err := f.scanner().Scan(ctx, &checks.Material{Release: f.release})
	if !errors.Is(err, context.Canceled) || e.Complete {
		t.Errorf("got %+v, %v", e, err)
	}
}

// TestV18ForeignAttestations puts one attestation of ours among 10,000 of others on the same
// digest: ours is found, and the work is bounded.
func TestV18ForeignAttestations(t *testing.T) {
	t.Parallel()
	f := fixtureOf(t, sigstoretest.Options{Now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)})
	ours := f.data()
	evil := acme()
	evil.Repository, evil.RepositoryID = "evil/app", "66"
	f.recipe.Certificate = evil.Certificate()
	foreign := string(f.data())
	for i := range 10_000 {
		data := []byte("{" + blanks(i) + foreign[1:])
		if i == 7_000 {
			f.release.Bundles = append(f.release.Bundles, checks.Bundle{Name: "ours", Origin: checks.OriginAttestationAPI, Data: ours})
		}
		f.release.Bundles = append(f.release.Bundles, checks.Bundle{Name: fmt.Sprint("foreign ", i), Origin: checks.OriginAttestationAPI, Data: data})
	}
	s, verified := f.scanner(), make(chan struct{}, 20_000)
	s.examined = 50
	s.after = func(step string) error {
		if step == "verifying the signature" {
			verified <- struct{}{}
		}
		return nil
	}
	e := f.scanWith(s)
	if a := e.Attestations[0]; a.Bundle != "ours" || a.Problem != nil || a.Certificate.RepositoryID != "11" {
		t.Errorf("first: got %+v", a)
	}
	last := e.Attestations[len(e.Attestations)-1]
	if len(e.Attestations) != 51 || len(verified) != 50 || code(last) != checks.CodeTooLarge || last.For != "app.tar.gz" || !last.Problem.Unknown() {
		t.Errorf("got %d attestations of which %d were verified, the last %+v", len(e.Attestations), len(verified), last)
	}
	if !e.Complete {
		t.Error("attestations of others made the evidence incomplete")
	}
}

// blanks writes n in blanks, so that equal bundles are different bytes.
func blanks(n int) string {
	return strings.NewReplacer("0", " ", "1", "\t").Replace(fmt.Sprintf("%b", n))
}

func TestTooManyPieces(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var b strings.Builder
	for i := range maxPieces + 1 {
		fmt.Fprintf(&b, "{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\",\"n\":%d}\n", i)
	}
	f.release.Bundles = []checks.Bundle{{Name: "many", Data: []byte(b.String())}, {Name: "ours", For: "app.tar.gz", Data: f.data()}}
	e := f.scanWith(f.scanner())
	codes := map[string]string{}
	for _, a := range e.Attestations[len(e.Attestations)-2:] {
		codes[a.Bundle] = code(a)
	}
	if len(e.Attestations) != maxExamined+2 || codes["many"] != checks.CodeTooLarge || codes["ours"] != checks.CodeTooLarge {
		t.Errorf("got %d attestations, the last %v", len(e.Attestations), codes)
	}
}

// without removes a key from a JSON object.
func without(t *testing.T, data []byte, key string) []byte {
	t.Helper()
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		t.Fatal(err)
	}
	delete(fields, key)
	data, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestRootDemands holds what each root asks for, under instances that could prove more.
func TestRootDemands(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		build  func(*trustRoot) (*profile, error)
		change func(f *fixture)
		want   string
	}{
		"public root, everything":                {publicGood, func(*fixture) {}, ""},
		"public root, no log entry":              {publicGood, func(f *fixture) { f.recipe.WithoutLog = true }, checks.CodeLogInvalid},
		"public root, no certificate log":        {publicGood, func(f *fixture) { f.recipe.Certificate.WithoutSCT = true }, checks.CodeCertificateInvalid},
		"public root, the log's time alone":      {publicGood, func(f *fixture) { f.recipe.WithoutStamp = true }, ""},
		"public root, the authority's time only": {publicGood, func(f *fixture) { f.recipe.WithoutPromise = true }, ""},
		"public root, no time":                   {publicGood, func(f *fixture) { f.recipe.WithoutPromise, f.recipe.WithoutStamp = true, true }, checks.CodeTimeUnproven},
		"GitHub's root, timestamp alone":         {githubInstance, func(f *fixture) { f.recipe.WithoutLog, f.recipe.Certificate.WithoutSCT = true, true }, ""},
		"GitHub's root, the log's time alone":    {githubInstance, func(f *fixture) { f.recipe.WithoutStamp = true }, checks.CodeTimeUnproven},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			c.change(f)
			s := f.scanner()
			p, err := c.build(s.roots[checks.RootCustom])
			if err != nil {
				t.Fatal(err)
			}
			s.profiles[checks.RootCustom] = p
			f.release.Bundles = []checks.Bundle{{Data: f.data()}}
			if a := f.only(f.scanWith(s)); code(a) != c.want {
				t.Errorf("got %q, want %q: %+v", code(a), c.want, a.Problem)
			}
		})
	}
}
