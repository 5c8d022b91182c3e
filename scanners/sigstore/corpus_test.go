package sigstore

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/checks"
)

// verdict is one row of bundle-verdicts.json: with which root sigstore-go accepts a bundle
// when neither artifact nor identity is compared.
type verdict struct {
	File          string   `json:"file"`
	PredicateType string   `json:"predicateType"`
	SAN           string   `json:"san"`
	Subjects      []string `json:"subjects"`
	With          *string  `json:"verifies_with"`
}

// stricter are bundles that sigstore-go accepts and we refuse, with the reason.
var stricter = map[string]string{
	// Its statement has an empty predicateType, so it says nothing that could be judged.
	"slsa-verifier/bundle/valid.intoto.sigstore": checks.CodeStatementInvalid,
}

// refused are the codes of the bundles that nobody accepts.
var refused = map[string]string{
	"sigstore-go/data/bundles/dsse-2sigs.sigstore.json":                                              checks.CodeStatementInvalid,
	"sigstore-go/data/bundles/othername.sigstore.json":                                               checks.CodeCertificateInvalid,
	"sigstore-go/data/bundles/public-key-validity.sigstore.json":                                     checks.CodeSignerMismatch,
	"cli/data/github_provenance_demo-0.0.12-py3-none-any-bundle-missing-cert.jsonl":                  checks.CodeNotReadable,
	"cli/data/github_provenance_demo-0.0.12-py3-none-any-bundle-missing-verification-material.jsonl": checks.CodeNotReadable,
	"cli/data/sigstoreBundle-invalid-signature.json":                                                 checks.CodeStatementInvalid,
	"slsa-verifier/bundle/invalid-dsse-sig.intoto.sigstore":                                          checks.CodeLogInvalid,
	"slsa-verifier/bundle/invalid-set.intoto.sigstore":                                               checks.CodeLogInvalid,
	"slsa-verifier/npm/gha/gundam-visor-cli-v1-tag-invalidsigprov.tgz.json":                          checks.CodeLogInvalid,
	"slsa-verifier/npm/gha/gundam-visor-cli-v1-tag-invalidsigpub.tgz.json":                           checks.CodeLogInvalid,
	"slsa-verifier/npm/gha/supreme-googles-cli-v02-tag-invalidsigprov.tgz.json":                      checks.CodeLogInvalid,
	"slsa-verifier/npm/gha/supreme-googles-cli-v02-tag-invalidsigpub.tgz.json":                       checks.CodeLogInvalid,
}

// TestCorpusBundles verifies the bundles kept in testdata.
func TestCorpusBundles(t *testing.T) {
	t.Parallel()
	compareVerdicts(t, "testdata/corpus")
}

// TestCorpusBundlesAll verifies all bundles of the corpus.
func TestCorpusBundlesAll(t *testing.T) {
	t.Parallel()
	compareVerdicts(t, filepath.Join(corpus(t), "sigstore"))
}

// corpus is the folder of the big corpus.
func corpus(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("LANDWAITER_CORPUS")
	if dir == "" {
		t.Skip("needs LANDWAITER_CORPUS, the folder of the shared corpus")
	}
	return dir
}

func compareVerdicts(t *testing.T, dir string) {
	var table struct {
		Bundles []verdict `json:"bundles"`
	}
	read(t, filepath.Join(dir, "bundle-verdicts.json"), &table)
	rows, files := map[string][]verdict{}, []string{}
	for _, v := range table.Bundles {
		if rows[v.File] == nil {
			files = append(files, v.File)
		}
		rows[v.File] = append(rows[v.File], v)
	}
	s, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			data := load(t, filepath.Join(dir, filepath.FromSlash(file)))
			e, err := s.Scan(t.Context(), &checks.Material{Release: &checks.Release{
				Roots:   []string{checks.RootPublicGood, checks.RootGitHub},
				Assets:  attested(data),
				Bundles: []checks.Bundle{{Name: file, Origin: checks.OriginFile, Data: data}},
			}})
			if err != nil {
				t.Fatal(err)
			}
			want := rows[file]
			if file == "cli/data/sigstore-js-2.1.0_with_2_bundles.jsonl" {
				want = want[:1] // it holds the same bundle twice, which counts once
			}
			if len(e.Attestations) != len(want) {
				t.Fatalf("got %d attestations, want %d", len(e.Attestations), len(want))
			}
			for i, v := range want {
				compareVerdict(t, v, e.Attestations[i])
			}
		})
	}
}

func compareVerdict(t *testing.T, v verdict, a checks.Attestation) {
	t.Helper()
	want := stricter[v.File]
	if v.With == nil {
		want = refused[v.File]
		if want == "" {
			t.Fatalf("no reason code is written down for %s, got %+v", v.File, a.Problem)
		}
	}
	if code(a) != want {
		t.Fatalf("got %q, want %q: %+v", code(a), want, a.Problem)
	}
	if want != "" {
		return
	}
	root := map[string]string{"public good": checks.RootPublicGood, "public good + key": checks.RootPublicGood, "github": checks.RootGitHub}[*v.With]
	if a.Root != root || a.PredicateType != v.PredicateType {
		t.Errorf("got root %q and predicate %q, want %q and %q", a.Root, a.PredicateType, root, v.PredicateType)
	}
	if keyed := strings.HasPrefix(a.Signer.Identity, "key:sha256:"); a.Signer.Identity != v.SAN && !(v.SAN == "" && keyed) {
		t.Errorf("got signer %q, want %q", a.Signer.Identity, v.SAN)
	}
	if a.Time.IsZero() {
		t.Error("no signing time")
	}
}

// attested makes an asset of the last thing that each bundle in data says it is about, so
// that artifacts need not be kept.
func attested(data []byte) []checks.Asset {
	var assets []checks.Asset
	for _, p := range split(&checks.Bundle{Data: data}) {
		s := &Scanner{}
		c := s.examine(p, newShelf(nil))
		digest := map[string]string{}
		if n := len(c.out.Subjects); n > 0 {
			digest = c.out.Subjects[n-1].Digest
		} else if m := c.proto.GetMessageSignature(); m != nil {
			digest["sha256"] = hexOf(m.GetMessageDigest().GetDigest())
		}
		a := checks.Asset{Name: "asset", SHA256: digest["sha256"], SHA512: digest["sha512"]}
		if a.SHA256 == "" {
			a.SHA256 = sha("bytes of which only the SHA-512 digest is known")
		}
		assets = append(assets, a)
	}
	return assets
}

func load(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func read(t testing.TB, path string, into any) {
	t.Helper()
	if err := json.Unmarshal(load(t, path), into); err != nil {
		t.Fatal(err)
	}
}
