package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks"
)

// corpus returns the folder of recorded data, or skips.
func corpus(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("LANDWAITER_CORPUS")
	if dir == "" {
		t.Skip("needs LANDWAITER_CORPUS, the folder of recorded lock files, advisories and bundles")
	}
	return dir
}

// lockPair is what pairs.json tells of one commit.
type lockPair struct {
	ID        string
	Reference struct {
		Note         string
		IntroducedBy [][]string `json:"introduced_by_head"` // advisory, ecosystem, package
		FixedBy      [][]string `json:"fixed_by_head"`
	}
}

// explained are the pairs whose outcome differs from the reference, with the reason.
// docs/differences.md tells them to people.
var explained = map[string]string{
	"composer-composer.lock-344df032 backwards": "2.1.x-dev is a branch, not a version: it is unresolved and not matched",
}

// TestCorpusPairs scans each recorded commit as `landwaiter scan --base` does, forwards and
// backwards, and compares what it introduces with what osv-scanner 2.5.1 reported.
func TestCorpusPairs(t *testing.T) {
	t.Parallel()
	dir := corpus(t)
	data, err := os.ReadFile(filepath.Join(dir, "lockfiles", "pairs.json"))
	if err != nil {
		t.Fatal(err)
	}
	var list struct{ Pairs []lockPair }
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Pairs) < 100 {
		t.Fatalf("%d pairs, want at least 100", len(list.Pairs))
	}
	advisories, cache := mergedAdvisories(t, dir), t.TempDir()
	for _, p := range list.Pairs {
		t.Run(p.ID, func(t *testing.T) {
			folder := filepath.Join(dir, "lockfiles", "pairs", p.ID)
			for _, side := range []struct {
				name, base, head string
				want             [][]string
			}{
				{"forwards", "base", "head", p.Reference.IntroducedBy},
				{"backwards", "head", "base", p.Reference.FixedBy},
			} {
				report, code := scanReport(t, cache, advisories, filepath.Join(folder, side.base), filepath.Join(folder, side.head))
				if p.Reference.Note != "" || explained[p.ID+" "+side.name] != "" {
					continue // nothing to compare with, or a known difference; it must only not fail inside
				}
				got := introduced(report, side.want)
				if diff := cmp.Diff(wanted(side.want), got); diff != "" {
					t.Errorf("%s: introduced (-reference +ours), exit code %d:\n%s\nreasons %v", side.name, code, diff, report.Reasons)
				}
			}
		})
	}
}

// scanReport runs one scan with the JSON output.
func scanReport(t *testing.T, cache, advisories, base, head string) (checks.Report, int) {
	t.Helper()
	var out, errs bytes.Buffer
	c := &console{ctx: context.Background(), out: &out, err: &errs, env: os.LookupEnv, cache: cache}
	code := run(c, []string{"scan", "--advisories", advisories, "--base", base, "--output", "json", head})
	if code != exitPass && code != exitFail && code != exitUnknown {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	var r checks.Report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	return r, code
}

// introduced lists "advisory package" of the introduced findings, each under the name that
// the reference uses when it knows one of the aliases.
func introduced(r checks.Report, reference [][]string) []string {
	list := []string{}
	for _, f := range r.Findings {
		if !f.Introduced {
			continue
		}
		id := f.Advisory
		for _, row := range reference {
			if row[2] == f.Package.Name && slices.Contains(f.Aliases, row[0]) {
				id = row[0]
			}
		}
		list = append(list, id+" "+f.Package.Name)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func wanted(rows [][]string) []string {
	list := []string{}
	for _, row := range rows {
		list = append(list, row[0]+" "+row[2])
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// mergedAdvisories joins the two folders of advisories that the reference used into one.
func mergedAdvisories(t *testing.T, dir string) string {
	t.Helper()
	target := t.TempDir()
	archives, err := filepath.Glob(filepath.Join(dir, "osv", "*", "all.zip"))
	if err != nil || len(archives) == 0 {
		t.Fatalf("no advisories in %s: %v", dir, err)
	}
	more, err := filepath.Glob(filepath.Join(dir, "osv-converted", "*", "all.zip"))
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string][]string{}
	for _, a := range append(archives, more...) {
		eco := filepath.Base(filepath.Dir(a))
		parts[eco] = append(parts[eco], a)
	}
	for eco, files := range parts {
		if err := joinZips(filepath.Join(target, eco), files); err != nil {
			t.Fatal(err)
		}
	}
	return target
}

func joinZips(folder string, files []string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	out, err := os.Create(filepath.Join(folder, "all.zip"))
	if err != nil {
		return err
	}
	defer out.Close()
	w := zip.NewWriter(out)
	for _, name := range files {
		if err := copyZip(w, name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return w.Close()
}

func copyZip(w *zip.Writer, name string) error {
	r, err := zip.OpenReader(name)
	if err != nil {
		return err
	}
	defer r.Close()
	for _, f := range r.File {
		if !strings.HasSuffix(f.Name, ".json") {
			continue
		}
		from, err := f.Open()
		if err != nil {
			return err
		}
		to, err := w.Create(f.Name)
		if err == nil {
			_, err = io.Copy(to, from)
		}
		from.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// recordedBundle is what bundle-verdicts.json tells of one bundle: what sigstore-go 1.3.0
// made of it, without a look at artifact and identity.
type recordedBundle struct {
	File         string
	Content      string // "dsse" or "messageSignature"
	SAN          string
	Subjects     []string
	VerifiesWith string `json:"verifies_with"` // "public good", "github", "public good + key", ""
}

// refused are the recorded bundles whose signature holds and which are refused all the same,
// with the code. docs/verification.md says why.
var refused = map[string]string{
	"slsa-verifier/bcr/MODULE-wrong-signer.bazel.intoto.jsonl":                           checks.CodeContradicts,
	"slsa-verifier/bundle/valid.intoto.sigstore":                                         checks.CodeStatementInvalid,
	"slsa-verifier/bundle/attestation.intoto.sigstore":                                   checks.CodeRunnerNotAllowed,
	"slsa-verifier/gha_delegator/v1.9.0/binary-linux-amd64-push-v13.0.30.build.slsa":     checks.CodeContradicts,
	"slsa-verifier/gha_delegator/v1.9.0/binary-linux-amd64-push-v14.2.build.slsa":        checks.CodeContradicts,
	"slsa-verifier/gha_delegator/v1.9.0/binary-linux-amd64-push-v14.build.slsa":          checks.CodeContradicts,
	"slsa-verifier/gha_delegator/v1.9.0/binary-linux-amd64-workflow_dispatch.build.slsa": checks.CodeContradicts,
}

// TestCorpusBundles verifies each recorded bundle by the digest it names, as its own signer,
// under the root that the recording names, and then once more for a digest it does not name.
func TestCorpusBundles(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(corpus(t), "sigstore")
	data, err := os.ReadFile(filepath.Join(dir, "bundle-verdicts.json"))
	if err != nil {
		t.Fatal(err)
	}
	var list struct{ Bundles []recordedBundle }
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	judged := 0
	for _, b := range list.Bundles {
		digest := firstDigest(b.Subjects)
		if digest == "" || b.SAN == "" || b.entryOfMany() {
			continue // a key, or one of several in a file: the scanner's own tests cover them
		}
		judged++
		t.Run(b.File+" "+digest[:15], func(t *testing.T) {
			t.Parallel()
			root := map[string]string{"github": "github"}[b.VerifiesWith]
			if root == "" {
				root = "public-good"
			}
			want := exitPass
			if b.VerifiesWith != "public good" && b.VerifiesWith != "github" {
				want = exitFail
			}
			code := refused[b.File]
			if code != "" {
				want = exitFail
			}
			bundle := filepath.Join(dir, filepath.FromSlash(b.File))
			got, text := verifyBundle(b.SAN, root, bundle, digest)
			if got != want {
				t.Errorf("exit code %d, want %d (recorded: verifies with %q):\n%s", got, want, b.VerifiesWith, text)
			}
			if !strings.Contains(text, code) {
				t.Errorf("want the reason %s:\n%s", code, text)
			}
			algorithm, hex, _ := strings.Cut(digest, ":")
			foreign := algorithm + ":" + strings.Repeat("0", len(hex))
			if got, text := verifyBundle(b.SAN, root, bundle, foreign); got == exitPass {
				t.Errorf("a digest that it does not name: exit code %d\n%s", got, text)
			}
		})
	}
	if judged < 30 {
		t.Errorf("judged %d bundles, want at least 30", judged)
	}
}

func verifyBundle(identity, root, bundle, digest string) (int, string) {
	var out, errs bytes.Buffer
	c := &console{ctx: context.Background(), out: &out, err: &errs, env: os.LookupEnv}
	args := []string{"verify", "--trusted-root", root, "--certificate-identity", identity,
		"--certificate-oidc-issuer", "*", "--bundle", bundle, "--digest", digest}
	if identity == releaseSigner {
		args = []string{"verify", "--trusted-root", root, "--repo", "cli/cli",
			"--predicate-type", "https://in-toto.io/attestation/release/v0.2", "--bundle", bundle, "--digest", digest}
	}
	code := run(c, args)
	return code, out.String() + errs.String()
}

// releaseSigner signs GitHub's attestations of immutable releases.
const releaseSigner = "https://dotcom.releases.github.com"

// firstDigest returns the first SHA-256 among subjects, which are "name sha256:...", or else
// the first SHA-512.
func firstDigest(subjects []string) string {
	for _, form := range []struct {
		algorithm string
		digits    int
	}{{"sha256:", 64}, {"sha512:", 128}} {
		for _, s := range subjects {
			if _, hex, ok := strings.Cut(s, form.algorithm); ok && len(hex) == form.digits {
				return form.algorithm + hex
			}
		}
	}
	return ""
}

// entryOfMany reports whether the bundle shares its file with others, which may be about the
// same bytes and make up for it: an answer of npm's registry.
func (b recordedBundle) entryOfMany() bool { return strings.Contains(b.File, "/npm/gha/") }
