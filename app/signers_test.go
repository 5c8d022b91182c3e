package app

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/checks"
)

const driftBlocks = "  memory: {signers: block, assets: warn}\n"

// version publishes a release with one asset whose name carries its version, built by a
// workflow of the repository, which is called acme/shop unless told.
func (s *stage) version(tag, workflow string, called ...string) *githubtest.Release {
	s.t.Helper()
	repository := append(called, "acme/shop")[0]
	name := "app_" + strings.TrimPrefix(tag, "v") + "_linux_amd64.tar.gz"
	content := []byte("the bytes of " + tag + " by " + workflow + "\n")
	rel := s.repo.Release(githubtest.ReleaseOptions{Tag: tag, Assets: map[string][]byte{
		name: content, name + ".sigstore.json": s.signedBy(repository, workflow, tag, name, content),
	}})
	s.settle()
	s.advance(time.Minute)
	return rel
}

// signedBy is provenance by another workflow of the repository.
func (s *stage) signedBy(repository, workflow, tag, name string, content []byte) []byte {
	return bytes.ReplaceAll(s.provenance(repository, tag, name, content), []byte("/release.yml@"), []byte("/"+workflow+"@"))
}

// commit commits a policy to the default branch. Releases after it are of that commit.
func (s *stage) commit(policy string) {
	s.t.Helper()
	s.head = s.repo.Commit("main", "policy", githubtest.Files{".github/landwaiter.yml": policy})
	s.settle()
}

// verdicts fails the test unless the releases have these verdicts.
func (s *stage) verdict(rel *githubtest.Release, want checks.Verdict) checks.Report {
	s.t.Helper()
	r := s.report(rel)
	if r.Verdict != want {
		s.t.Fatalf("release %s: got %s, want %s: %v", r.Subject.Ref, r.Verdict, want, r.Reasons)
	}
	return r
}

// TestSignerDrift is the story of a release that another workflow built: it is blocked beside
// what was known, accepted by an exception, and remembered.
func TestSignerDrift(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{policy: reactivePolicy + driftBlocks})
	first := s.verdict(s.version("v1.0.0", "release.yml"), checks.Pass)
	if m := first.Memory; len(m.Known) != 0 || m.Teaches == nil || len(m.Teaches.Signers) != 1 {
		t.Fatalf("the first release: got %+v, want it to teach", m)
	}
	second := s.verdict(s.version("v1.1.0", "release.yml"), checks.Pass)
	if m := second.Memory; len(m.Drift) != 0 || len(m.Known) != 1 || m.Known[0].Release != "v1.0.0" || len(second.Notices) != 0 {
		t.Fatalf("the second release: got %+v, %v, want nothing to tell", m, second.Notices)
	}

	rel := s.version("v2.0.0", "other.yml")
	third := s.verdict(rel, checks.Fail)
	if third.Reasons[0].Code != checks.CodeSignerDrift || third.Assets[0].State != checks.AssetVerified || !rel.Draft() {
		t.Errorf("got %v, asset %s, draft %v, want %s although the signature holds, and a draft", third.Reasons, third.Assets[0].State, rel.Draft(), checks.CodeSignerDrift)
	}
	d := third.Memory.Drift[0]
	if diff := cmp.Diff([]string{"signer", "builder", "caller"}, d.Differs); diff != "" || d.Then.Release != "v1.0.0" || third.Memory.Teaches != nil {
		t.Errorf("drift %+v (-want +got):\n%s", d, diff)
	}
	run := s.check()
	for _, part := range []string{".github/workflows/release.yml", ".github/workflows/other.yml", "v1.0.0", "signer-drift", d.Subject} {
		if !strings.Contains(run.Output.Summary, part) {
			t.Errorf("the check lacks %q:\n%s", part, run.Output.Summary)
		}
	}
	if run.Output.Title != "Blocked: signed in another way than before" {
		t.Errorf("title %q", run.Output.Title)
	}
	if issues := s.repo.Issues(); len(issues) != 1 || !strings.Contains(issues[0].Body, ".github/workflows/other.yml") {
		t.Errorf("issues %+v, want one that shows the new signer", issues)
	}

	exception := fmt.Sprintf("exceptions:\n  - {id: E-1, rule: signer-drift, subject: %q, until: 2026-12-01, reason: \"moved to other.yml\"}\n", d.Subject)
	s.commit(reactivePolicy + driftBlocks + exception)
	accepted := s.verdict(s.version("v2.0.1", "other.yml"), checks.Pass)
	if got := accepted.Memory.Drift[0]; got.Level != checks.LevelAccepted || got.Exception != "E-1" || len(accepted.Memory.Teaches.Signers) != 1 {
		t.Errorf("got %+v, teaches %+v, want it accepted and taught", got, accepted.Memory.Teaches)
	}
	s.commit(reactivePolicy + driftBlocks)
	if m := s.verdict(s.version("v2.1.0", "other.yml"), checks.Pass).Memory; len(m.Drift) != 0 || len(m.Known) != 2 {
		t.Errorf("without the exception: got %+v, want both workflows known", m)
	}
	s.verdict(s.version("v2.2.0", "third.yml"), checks.Fail)
}

// TestSignerDriftTeachers changes the first of two releases by different workflows: only a
// published one that passes teaches.
func TestSignerDriftTeachers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		first func(s *stage)
		want  checks.Verdict // of the second
	}{
		{"passes", func(s *stage) { s.version("v1.0.0", "other.yml") }, checks.Fail},
		{"is a prerelease that passes", func(s *stage) { s.publish(githubtest.ReleaseOptions{Prerelease: true}, "acme/shop") }, checks.Fail},
		{"is signed by another repository", func(s *stage) { s.publish(githubtest.ReleaseOptions{}, "mallory/shop") }, checks.Pass},
		{"is a draft", func(s *stage) { s.publish(githubtest.ReleaseOptions{Draft: true}, "acme/shop") }, checks.Pass},
		{"cannot be read", func(s *stage) {
			s.Fail(githubtest.Fault{Route: "BLOB assets", Status: 404, Times: -1})
			s.version("v1.0.0", "other.yml")
			s.Heal()
		}, checks.Pass},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, play{policy: reportPolicy + driftBlocks})
			c.first(s)
			s.verdict(s.version("v1.1.0", "release.yml"), c.want)
		})
	}
}

// publish publishes v1.0.0 by other.yml, as o says, with provenance of a repository.
func (s *stage) publish(o githubtest.ReleaseOptions, repository string) {
	content := bytes.ReplaceAll(s.provenance(repository, "v1.0.0", "app.tar.gz", tarball), []byte("/release.yml@"), []byte("/other.yml@"))
	o.Tag, o.Assets = "v1.0.0", map[string][]byte{"app.tar.gz": tarball, "app.tar.gz.sigstore.json": content}
	s.repo.Release(o)
	s.settle()
	s.advance(time.Minute)
}

// TestSignerDriftWarns: with warn the release passes with a remark each time, and nothing is
// learned from it.
func TestSignerDriftWarns(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{policy: reportPolicy})
	s.verdict(s.version("v1.0.0", "release.yml"), checks.Pass)
	for _, tag := range []string{"v1.1.0", "v1.2.0"} {
		r := s.verdict(s.version(tag, "other.yml"), checks.Pass)
		if len(r.Notices) != 1 || r.Notices[0].Code != checks.CodeSignerDrift || len(r.Memory.Known) != 1 || len(r.Memory.Teaches.Signers) != 0 {
			t.Errorf("%s: notices %v, memory %+v", tag, r.Notices, r.Memory)
		}
		if run := s.check(); run.Conclusion != "success" || !strings.Contains(run.Output.Summary, ".github/workflows/other.yml") {
			t.Errorf("%s: check %s:\n%s", tag, run.Conclusion, run.Output.Summary)
		}
	}
}

// TestSignerMemoryMoves: the memory is of the repository's number, whatever it is called.
func TestSignerMemoryMoves(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{policy: reportPolicy + driftBlocks})
	s.verdict(s.version("v1.0.0", "release.yml"), checks.Pass)
	s.repo.Rename("market")
	s.settle()
	if r := s.verdict(s.version("v1.1.0", "release.yml", "acme/market"), checks.Pass); len(r.Memory.Known) != 1 || r.Subject.Repository != "acme/market" {
		t.Errorf("renamed: %+v of %s", r.Memory, r.Subject.Repository)
	}
	s.verdict(s.version("v1.2.0", "other.yml", "acme/market"), checks.Fail)
}

// TestSignerMemoryJudgedAgain: a release that is checked again compares with the same and
// teaches the same.
func TestSignerMemoryJudgedAgain(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{policy: reportPolicy + driftBlocks})
	rel := s.version("v1.0.0", "release.yml")
	before := s.verdict(rel, checks.Pass).Memory
	s.repo.RerequestRun(s.check().ID, "ann")
	s.settle()
	after := s.verdict(rel, checks.Pass).Memory
	if after.Version != 1 || after.Seen.IsZero() || len(after.Known) != 1 || after.Previous != "" {
		t.Errorf("judged again: %+v", after)
	}
	if diff := cmp.Diff(before.Teaches, after.Teaches); diff != "" {
		t.Errorf("teaches (-first +second):\n%s", diff)
	}
	m, err := s.store.SignerMemory(t.Context(), s.repo.ID(), 0, "")
	if err != nil || m.Version != 1 || m.Releases != 1 {
		t.Errorf("memory %+v, %v, want it as the first judgment left it", m, err)
	}
}

// TestAssetNames: an asset that is new or vanished is told, versions in names apart.
func TestAssetNames(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{policy: reportPolicy})
	s.verdict(s.version("v1.0.0", "release.yml"), checks.Pass)
	name, content := "installer_1.1.0.msi", []byte("new\n")
	rel := s.repo.Release(githubtest.ReleaseOptions{Tag: "v1.1.0", Assets: map[string][]byte{
		name: content, name + ".sigstore.json": s.signedBy("acme/shop", "release.yml", "v1.1.0", name, content),
	}})
	s.settle()
	s.advance(time.Minute)
	r := s.verdict(rel, checks.Pass)
	if len(r.Notices) != 1 || r.Notices[0].Code != checks.CodeAssetNames {
		t.Fatalf("notices %v", r.Notices)
	}
	for _, part := range []string{"installer_*.msi", "app_*_linux_amd64.tar.gz", "v1.0.0"} {
		if !strings.Contains(r.Notices[0].Message, part) {
			t.Errorf("%q lacks %s", r.Notices[0].Message, part)
		}
	}
	if last := s.verdict(s.version("v1.2.0", "release.yml"), checks.Pass); len(last.Notices) != 1 || !strings.Contains(last.Notices[0].Message, "v1.1.0") {
		t.Errorf("notices %v, want the comparison with the release before", last.Notices)
	}
}

// TestSignerMemoryOfADraft: the gate publishes a draft that passes, and what teaches is the
// published release.
func TestSignerMemoryOfADraft(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{policy: draftPolicy + driftBlocks})
	rel := s.draft(tarball)
	s.settle()
	for range 3 {
		s.advance(time.Minute)
	}
	r := s.verdict(rel, checks.Pass)
	m, err := s.store.SignerMemory(t.Context(), s.repo.ID(), 0, "")
	if err != nil || rel.Draft() || r.Subject.Draft || m.Releases != 1 || len(m.Known) != 1 {
		t.Errorf("draft %v, judged as draft %v, memory %+v, %v", rel.Draft(), r.Subject.Draft, m, err)
	}
}

// keyed is a scanner that finds one signature by one key over every asset.
type keyed struct{ signatures }

const sharedKey = "pgp:0123456789ABCDEF0123456789ABCDEF01234567"

func (keyed) Scan(_ context.Context, m *checks.Material) (checks.Evidence, error) {
	e := checks.Evidence{Complete: true}
	if m.Release == nil {
		return e, nil
	}
	for _, x := range m.Release.Assets {
		e.Attestations = append(e.Attestations, checks.Attestation{
			Kind: checks.AttestationSignature, Form: "OpenPGP", For: x.Name, Root: checks.RootKey, Origin: checks.OriginSidecar,
			Signer: checks.Signer{Identity: sharedKey},
		})
	}
	return e, nil
}

// TestSharedKey: a key that signs for two repositories of one installation is told in the
// second, without the name of the first.
func TestSharedKey(t *testing.T) {
	t.Parallel()
	policy := reportPolicy + "  trust:\n    shared_keys: block\n    signers: [{identity: '" + sharedKey + "'}]\n"
	s := newStage(t, play{policy: policy, change: func(c *Config) { c.Scanners = []checks.Scanner{keyed{}} }})
	other := s.Repo("acme", "secret", githubtest.RepoOptions{OwnerID: ownerID, Private: true})
	other.Commit("main", "first", githubtest.Files{".github/landwaiter.yml": policy})
	options := githubtest.ReleaseOptions{Tag: "v1.0.0", Assets: map[string][]byte{"app.tar.gz": tarball}}
	alone := other.Release(options)
	s.settle()
	s.advance(time.Minute)
	before, err := s.store.ReportByKey(t.Context(), fmt.Sprintf("release:%d:%d", other.ID(), alone.ID))
	if err != nil || before.Report.Verdict != checks.Pass {
		t.Fatalf("baseline, one repository: got %v, %v", before.Report.Verdict, err)
	}
	rel := s.repo.Release(options)
	s.settle()
	s.advance(time.Minute)
	r := s.verdict(rel, checks.Fail)
	if codes(r)["app.tar.gz"] != checks.CodeKeyShared {
		t.Errorf("got %v", codes(r))
	}
	run := s.check()
	if text := run.Output.Title + run.Output.Summary + run.Output.Text; strings.Contains(text, "secret") || !strings.Contains(text, "1 other repository") {
		t.Errorf("the check should count the other repository and not name it:\n%s", text)
	}
}
