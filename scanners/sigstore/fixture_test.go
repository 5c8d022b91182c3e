package sigstore

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/sigstore/sigstoretest"
)

// fixture is one release with one asset and one attestation that verifies. A test changes
// one thing and asserts the reason.
type fixture struct {
	t        *testing.T
	instance *sigstoretest.Instance
	config   Config
	release  *checks.Release
	recipe   sigstoretest.Recipe
	asset    *checks.Asset
}

// artifact is the bytes of the asset.
const artifact = "the bytes of the asset"

func acme() sigstoretest.Workflow {
	return sigstoretest.Workflow{
		Repository: "acme/app", RepositoryID: "11", OwnerID: "22", Ref: "refs/tags/v1.0.0", Commit: "1111111111111111111111111111111111111111",
		Path: ".github/workflows/release.yml", Trigger: "push", Runner: "github-hosted",
	}
}

func sha(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// newFixture makes the baseline: an instance like the public one, also stamping times, and
// provenance for one asset.
func newFixture(t *testing.T) *fixture {
	t.Helper()
	return fixtureOf(t, sigstoretest.Options{Now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Stamps: true})
}

func fixtureOf(t *testing.T, o sigstoretest.Options) *fixture {
	t.Helper()
	i := sigstoretest.New(t, o)
	f := &fixture{
		t: t, instance: i,
		config: Config{TrustedRoot: i.TrustedRoot(t), Now: func() time.Time { return i.Now().Add(time.Hour) }},
		release: &checks.Release{
			RepositoryID: 11, Roots: []string{checks.RootCustom},
			Assets: []checks.Asset{{Name: "app.tar.gz", Size: int64(len(artifact)), Read: int64(len(artifact)), SHA256: sha(artifact)}},
		},
		recipe: sigstoretest.Recipe{
			Certificate: acme().Certificate(),
			Statement:   sigstoretest.Provenance(t, acme(), sigstoretest.Subject{Name: "app.tar.gz", Digest: map[string]string{"sha256": sha(artifact)}}),
		},
	}
	f.asset = &f.release.Assets[0]
	return f
}

// bundle signs the recipe.
func (f *fixture) bundle() *protobundle.Bundle {
	f.t.Helper()
	return f.instance.Sign(f.t, f.recipe)
}

// data signs the recipe and encodes the bundle.
func (f *fixture) data() []byte {
	f.t.Helper()
	return sigstoretest.JSON(f.t, f.bundle())
}

// scanner makes the Scanner of the fixture.
func (f *fixture) scanner() *Scanner {
	f.t.Helper()
	s, err := New(f.config)
	if err != nil {
		f.t.Fatal(err)
	}
	return s
}

// scan verifies bundles beside the asset.
func (f *fixture) scan(bundles ...[]byte) checks.Evidence {
	f.t.Helper()
	for _, data := range bundles {
		f.release.Bundles = append(f.release.Bundles, checks.Bundle{
			Name: "app.tar.gz.sigstore.json", Origin: checks.OriginSidecar, For: "app.tar.gz", Data: data,
		})
	}
	return f.scanWith(f.scanner())
}

func (f *fixture) scanWith(s *Scanner) checks.Evidence {
	f.t.Helper()
	e, err := s.Scan(f.t.Context(), &checks.Material{
		Subject: checks.Subject{Kind: checks.KindRelease, Repository: "acme/app"}, Release: f.release,
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return e
}

// only returns the one Attestation that the fixture expects.
func (f *fixture) only(e checks.Evidence) checks.Attestation {
	f.t.Helper()
	if len(e.Attestations) != 1 {
		f.t.Fatalf("got %d attestations, want 1: %+v", len(e.Attestations), e.Attestations)
	}
	return e.Attestations[0]
}

// code is the reason code of an Attestation, "" when it holds.
func code(a checks.Attestation) string {
	if a.Problem == nil {
		return ""
	}
	return a.Problem.Code
}

// wantCode asserts the one reason of what bundles give.
func (f *fixture) wantCode(want string, bundles ...[]byte) {
	f.t.Helper()
	a := f.only(f.scan(bundles...))
	if got := code(a); got != want {
		f.t.Errorf("got %q, want %q: %+v", got, want, a.Problem)
	}
}

func TestBaselineVerifies(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]sigstoretest.Options{
		"log alone": {}, "log and timestamps": {Stamps: true}, "timestamps alone": {Private: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := fixtureOf(t, o)
			data := f.data()
			e := f.scan(data)
			built := checks.Build{
				Repository: "https://github.com/acme/app", RepositoryID: "11", OwnerID: "22", Ref: "refs/tags/v1.0.0", Commit: acme().Commit,
				BuilderID: "https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1.0.0", BuilderDigest: acme().Commit,
				Config: "https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1.0.0",
				Runner: "github-hosted", Trigger: "push", Run: "https://github.com/acme/app/actions/runs/7/attempts/1",
			}
			claim := built
			claim.BuilderDigest = ""
			want := checks.Evidence{Scanner: "sigstore", Complete: true, DataTime: f.instance.Now().Add(-5 * 365 * 24 * time.Hour), Attestations: []checks.Attestation{{
				Bundle: "app.tar.gz.sigstore.json", Origin: checks.OriginSidecar, SHA256: sha(string(data)), Kind: checks.AttestationProvenance, For: "app.tar.gz",
				PredicateType: "https://slsa.dev/provenance/v1", Root: checks.RootCustom, Time: f.instance.Now(),
				Subjects:    []checks.AttestedSubject{{Name: "app.tar.gz", Digest: map[string]string{"sha256": sha(artifact)}}},
				Signer:      checks.Signer{Issuer: "https://token.actions.githubusercontent.com", Identity: built.BuilderID},
				Certificate: built, Claim: claim,
				NotBefore: f.instance.Now().Add(-time.Minute), NotAfter: f.instance.Now().Add(9 * time.Minute),
			}}}
			if diff := cmp.Diff(want, e); diff != "" {
				t.Errorf("evidence (-want +got):\n%s", diff)
			}
		})
	}
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }

// raw decodes hexadecimal text.
func raw(text string) []byte {
	b, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return b
}
