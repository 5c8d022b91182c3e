package app

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/signers"
)

func TestLook(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	rules := checks.ReleaseRules{
		SettleWindow: time.Minute, MaxWait: 30 * time.Minute,
		Assets: []checks.AssetRule{
			{Match: "app.tar.gz", Require: []string{checks.RequireSignature}}, {Match: "*", Require: []string{checks.RequireSignature}},
		},
	}
	whole := []releaseAsset{{ID: 1, Name: "app.tar.gz", State: "uploaded"}, {ID: 2, Name: "b", State: "uploaded"}}
	unfinished := []releaseAsset{{ID: 1, Name: "app.tar.gz", State: "starter"}, {ID: 2, Name: "b", State: "uploaded"}}
	other := []releaseAsset{{ID: 2, Name: "b", State: "uploaded"}}
	seen := func(assets []releaseAsset, since, began time.Duration) settling {
		return settling{Set: assetSet(assets, ""), Since: now.Add(-since), Began: now.Add(-began)}
	}
	judged := seen(whole, time.Hour, 0)
	judged.Began, judged.Judged = time.Time{}, judged.Set
	tests := []struct {
		name   string
		assets []releaseAsset
		was    settling
		ready  bool
		until  time.Duration // from now
		have   int
		want   int
	}{
		{"first look", whole, settling{}, false, time.Minute, 2, 2},
		{"unchanged for half the window", whole, seen(whole, 30*time.Second, 30*time.Second), false, 30 * time.Second, 2, 2},
		{"unchanged for the window", whole, seen(whole, time.Minute, time.Minute), true, 0, 2, 2},
		{"changed since", whole, seen(other, 5*time.Minute, 5*time.Minute), false, time.Minute, 2, 2},
		{"an upload is not finished", unfinished, seen(unfinished, 5*time.Minute, 5*time.Minute), false, time.Minute, 1, 2},
		{"an expected asset is missing", other, seen(other, 5*time.Minute, 5*time.Minute), false, time.Minute, 1, 2},
		{"missing after the longest wait", other, seen(other, 30*time.Minute, 30*time.Minute), true, 0, 1, 2},
		{"the longest wait ends before the window", whole, seen(other, 0, 30*time.Minute-10*time.Second), false, 10 * time.Second, 2, 2},
		{"judged before", whole, judged, true, 0, 2, 2},
		{"judged before, changed since", other, judged, false, time.Minute, 1, 2},
	}
	for _, test := range tests {
		_, got := test.was.look(rules, test.assets, now)
		if got.ready != test.ready || got.have != test.have || got.want != test.want || !test.ready && !got.until.Equal(now.Add(test.until)) {
			t.Errorf("%s: %+v, want ready %v, until %s, %d of %d", test.name, got, test.ready, now.Add(test.until), test.have, test.want)
		}
	}
}

func TestReleaseWaitsForAssets(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{policy: reactivePolicy + "  assets:\n    - {match: app.tar.gz, require: [provenance]}\n    - {match: late.txt, require: [signature]}\n"})
	rel := s.release(tarball)
	s.settle()
	for range 3 {
		s.advance(time.Minute)
	}
	if run := s.check(); run.Status != "in_progress" || run.Output.Title != "Waiting for assets (2 of 3)" {
		t.Fatalf("check = %s %q, want it waiting for the third asset", run.Status, run.Output.Title)
	}
	late := []byte("late\n")
	rel.AddAsset("late.txt", nil, githubtest.AssetOptions{State: "starter", Size: len(late)})
	s.advance(time.Minute)
	if run := s.check(); run.Output.Title != "Waiting for assets (2 of 3)" {
		t.Errorf("check = %q, want it waiting for the upload to end", run.Output.Title)
	}
	rel.FinishAsset("late.txt", late)
	s.repo.Attest(githubtest.SHA256(late), s.provenance("acme/shop", "v1.0.0", "late.txt", late), "user")
	s.advance(time.Minute)
	s.advance(time.Minute)
	if r := s.report(rel); r.Verdict != checks.Pass || len(r.Assets) != 3 {
		t.Errorf("verdict %s on %d assets, want pass on 3: %+v", r.Verdict, len(r.Assets), r.Assets)
	}
}

func TestReleaseIsJudgedAsItIsAfterTheLongestWait(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{policy: reportPolicy + "  assets:\n    - {match: app.tar.gz, require: [provenance]}\n    - {match: never.txt, require: [signature]}\n"})
	rel := s.release(tarball)
	rel.AddAsset("unfinished.txt", nil, githubtest.AssetOptions{State: "starter", Size: 5})
	s.settle()
	for range 31 {
		s.advance(time.Minute)
	}
	r := s.report(rel)
	if r.Verdict != checks.Fail || len(r.Reasons) == 0 || r.Reasons[0].Code != checks.CodeAssetsMissing {
		t.Errorf("verdict %s for %+v, want fail for %s", r.Verdict, r.Reasons, checks.CodeAssetsMissing)
	}
}

func TestReleaseWithoutAssets(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{})
	rel := s.repo.Release(githubtest.ReleaseOptions{Tag: "v1.0.0"})
	s.settle()
	s.advance(time.Minute)
	if run := s.check(); run.Conclusion != "success" || rel.Draft() || len(s.repo.Issues()) != 0 {
		t.Errorf("check = %s, draft %v, %d issues: want a release without assets left alone", run.Conclusion, rel.Draft(), len(s.repo.Issues()))
	}
}

func TestReleaseRedelivered(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{})
	rel := s.forged()
	view, before := rel.View(), s.report(rel)
	for _, d := range s.Deliveries() {
		if _, err := s.Redeliver(t.Context(), d.GUID); err != nil {
			t.Fatal(err)
		}
	}
	s.settle()
	if d := cmp.Diff(view, rel.View()); d != "" {
		t.Errorf("release (-want +got):\n%s", d)
	}
	if d := cmp.Diff(before, s.report(rel)); d != "" {
		t.Errorf("report (-want +got):\n%s", d)
	}
	if len(s.repo.Issues()) != 1 || len(s.repo.CheckRuns(s.head)) != 1 {
		t.Errorf("%d issues and %d check runs, want 1 and 1", len(s.repo.Issues()), len(s.repo.CheckRuns(s.head)))
	}
}

func TestReleaseRunAgain(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{})
	rel := s.release(tarball)
	s.settle()
	s.advance(time.Minute)
	s.repo.RerequestRun(s.check().ID, "ann")
	s.settle()
	runs := s.repo.CheckRuns(s.head)
	if len(runs) != 2 || runs[0].Conclusion != "success" || runs[1].Conclusion != "success" {
		t.Errorf("check runs %+v, want a second one with the same verdict, at once", runs)
	}
	if r := s.report(rel); r.Verdict != checks.Pass {
		t.Errorf("verdict %s, want pass", r.Verdict)
	}
}

func TestG24AssetSwappedAfterAPass(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		tell func(s *stage, rel *githubtest.Release)
	}{
		{"and the text edited", func(_ *stage, rel *githubtest.Release) { rel.Edit("nothing to see") }},
		{"without any event", func(s *stage, _ *githubtest.Release) {
			r := repo{InstallationID: s.inst.ID, ID: s.repo.ID(), Owner: "acme", Name: "shop"}
			if err := s.store.Enqueue(s.t.Context(), s.app.backfillJob(r, "sweep")); err != nil {
				s.t.Fatal(err)
			}
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, play{})
			rel := s.release(tarball)
			s.settle()
			s.advance(time.Minute)
			if run := s.check(); run.Conclusion != "success" {
				t.Fatalf("baseline: check = %s", run.Conclusion)
			}
			rel.ReplaceAsset("app.tar.gz", []byte("swapped\n"))
			test.tell(s, rel)
			s.settle()
			if run := s.check(); run.Conclusion == "success" {
				t.Errorf("check = %s %q while the new assets settle, want the pass withdrawn", run.Conclusion, run.Output.Title)
			}
			s.advance(time.Minute)
			if run := s.check(); run.Conclusion != "failure" || !rel.Draft() {
				t.Errorf("check = %s, draft %v, want failure and a draft", run.Conclusion, rel.Draft())
			}
		})
	}
}

// meddler is a scanner that changes the release while it is judged.
type meddler struct {
	signatures
	once func()
}

func (m *meddler) Scan(ctx context.Context, material *checks.Material) (checks.Evidence, error) {
	e, err := m.signatures.Scan(ctx, material)
	if m.once != nil {
		m.once()
		m.once = nil
	}
	return e, err
}

func TestG24ChangedBetweenHashingAndPublishing(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(s *stage, rel *githubtest.Release)
		code   string
	}{
		{"asset swapped", func(_ *stage, rel *githubtest.Release) { rel.ReplaceAsset("app.tar.gz", []byte("swapped\n")) }, checks.CodeDigestMismatch},
		{"tag moved", func(s *stage, _ *githubtest.Release) {
			s.repo.Tag("v1.0.0", s.repo.Commit("main", "second", githubtest.Files{"README.md": "two\n"}))
		}, checks.CodeCommitMismatch},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := &meddler{}
			s := newStage(t, play{change: func(c *Config) { c.Scanners = []checks.Scanner{m} }})
			rel := s.release(tarball)
			m.once = func() { test.change(s, rel) }
			s.settle()
			s.advance(time.Minute)
			for _, run := range s.repo.CheckRuns(s.head) {
				if run.Conclusion == "success" {
					t.Errorf("a check shows %q for assets that are not there any more", run.Output.Title)
				}
			}
			s.advance(time.Minute)
			r := s.report(rel)
			if r.Verdict != checks.Fail || codes(r)["app.tar.gz"] != test.code {
				t.Errorf("verdict %s %v, want fail, %s", r.Verdict, codes(r), test.code)
			}
		})
	}
}

func TestReleaseDraft(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{})
	rel := s.repo.Release(githubtest.ReleaseOptions{Tag: "v2.0.0", Draft: true, Assets: map[string][]byte{"app.tar.gz": tarball}})
	s.settle()
	s.advance(time.Minute)
	if run := s.check(); run.Conclusion != "failure" {
		t.Errorf("check on the draft's target = %s, want failure", run.Conclusion)
	}
	if n := len(s.repo.Issues()); n != 0 {
		t.Errorf("%d issues about a draft that nobody could download, want none", n)
	}
	s.repo.Attest(githubtest.SHA256(tarball), s.provenance("acme/shop", "v2.0.0", "app.tar.gz", tarball), "user")
	rel.Publish()
	s.settle()
	if r := s.report(rel); r.Verdict != checks.Pass || r.Subject.Draft {
		t.Errorf("after publication: verdict %s, draft %v, want pass", r.Verdict, r.Subject.Draft)
	}
}

func TestReleaseDraftThatWeMayNotSee(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{})
	s.inst.Grant("contents", "read")
	s.repo.Release(githubtest.ReleaseOptions{Tag: "v2.0.0", Draft: true, Assets: map[string][]byte{"app.tar.gz": tarball}})
	s.settle()
	if run, shown := s.repo.CheckRun(s.head, "landwaiter/release"); shown {
		t.Errorf("check %s %q about a release that cannot be seen", run.Conclusion, run.Output.Title)
	}
	if buried, err := s.store.Buried(t.Context(), 10); err != nil || len(buried) != 0 {
		t.Errorf("buried jobs %+v, %v, want none: nobody asked about the draft", buried, err)
	}
}

func TestReleaseWithdrawnFromOurSightWhileAwaited(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{})
	rel := s.release(tarball)
	s.settle()
	s.inst.Grant("contents", "read")
	s.SetAutoDeliver(false)
	rel.Delete()
	s.advance(time.Minute)
	if run := s.check(); run.Status != "completed" || run.Conclusion != "action_required" || !strings.Contains(run.Output.Title, "contents: write") {
		t.Errorf("check = %s %s %q, want it concluded with the missing permission", run.Status, run.Conclusion, run.Output.Title)
	}
}

func TestG27RepositoryRenamedMeanwhile(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{})
	rel := s.release([]byte("other bytes\n"))
	s.settle()
	s.repo.Rename("store")
	s.advance(time.Minute)
	if run := s.check(); run.Conclusion != "failure" || !rel.Draft() || len(s.repo.Issues()) != 1 {
		t.Errorf("check %s, draft %v, %d issues: want everything to happen under the new name", run.Conclusion, rel.Draft(), len(s.repo.Issues()))
	}
	if r := s.report(rel); r.Subject.Repository != "acme/store" {
		t.Errorf("repository %q, want the new name", r.Subject.Repository)
	}
}

func TestLongReadingIsShown(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{policy: reportPolicy})
	rel := s.release(tarball)
	rel.AddAsset("big.bin", bytes.Repeat([]byte("x"), longReading))
	s.settle()
	before := len(s.CallsTo("PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}"))
	s.advance(time.Minute)
	if n := len(s.CallsTo("PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}")) - before; n != 2 {
		t.Errorf("%d updates of the check, want one while reading and the verdict", n)
	}
	if run := s.check(); run.Status != "completed" {
		t.Errorf("check = %s, want it completed", run.Status)
	}
}

func TestReleaseTags(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		tag     func(s *stage)
		verdict checks.Verdict
	}{
		{"annotated", func(s *stage) { s.repo.AnnotatedTag("v1.0.0", s.head, "one") }, checks.Pass},
		{"a tag of a tag", func(s *stage) { s.repo.AnnotatedTag("v1.0.0", s.repo.AnnotatedTag("inner", s.head, "in"), "out") }, checks.Pass},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, play{})
			test.tag(s)
			rel := s.release(tarball)
			s.settle()
			s.advance(time.Minute)
			if r := s.report(rel); r.Verdict != test.verdict || r.Subject.Commit != s.head {
				t.Errorf("verdict %s at %s, want %s at the commit %s", r.Verdict, r.Subject.Commit, test.verdict, s.head)
			}
		})
	}
}

func TestReleaseWhoseTagIsGone(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{})
	rel := s.release(tarball)
	s.Fail(githubtest.Fault{Route: "GET /repos/{owner}/{repo}/git/ref/{ref}", Status: 404, Skip: 1, Times: 1})
	s.settle()
	if run := s.check(); run.Status != "in_progress" {
		t.Errorf("check = %s, want it to stand on the target", run.Status)
	}
	s.advance(time.Minute) // the tag is back, so the set is another
	s.advance(time.Minute)
	if r := s.report(rel); r.Verdict != checks.Pass {
		t.Errorf("verdict %s, want pass once the tag is back", r.Verdict)
	}
}

func TestReleaseDeletedWhileItIsAwaited(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{})
	rel := s.release(tarball)
	s.settle()
	rel.Delete()
	s.settle()
	if run := s.check(); run.Status != "completed" || run.Conclusion != "cancelled" {
		t.Errorf("check = %s %s, want it concluded", run.Status, run.Conclusion)
	}
}

func TestReleasesNotChecked(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{policy: strings.Replace(reactivePolicy, "reactive", "\"off\"", 1)})
	s.release(tarball)
	s.settle()
	s.advance(time.Hour)
	if runs := s.repo.CheckRuns(s.head); len(runs) != 0 {
		t.Errorf("check runs %+v, want none", runs)
	}
	if calls := s.CallsTo("GET /repos/{owner}/{repo}/releases/{release_id}"); len(calls) != 0 {
		t.Errorf("%d calls about a release that is not checked", len(calls))
	}
}

func TestG13NoCredentialLeavesWithADownload(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{})
	s.repo.Attest(githubtest.SHA256(tarball), s.provenance("acme/shop", "v1.0.0", "app.tar.gz", tarball), "user")
	s.release(tarball)
	s.settle()
	s.advance(time.Minute)
	calls := s.BlobCalls()
	if len(calls) < 3 {
		t.Fatalf("%d downloads, want both assets and the bundle", len(calls))
	}
	for _, call := range calls {
		if call.Authorization != "" {
			t.Errorf("GET %s carried a credential", call.Path)
		}
	}
}

// looker is a scanner that keeps the Material it was given.
type looker struct {
	signatures
	seen *checks.Release
}

func (l *looker) Scan(ctx context.Context, m *checks.Material) (checks.Evidence, error) {
	l.seen = m.Release
	return l.signatures.Scan(ctx, m)
}

func TestReleaseMaterial(t *testing.T) {
	t.Parallel()
	l := &looker{}
	s := newStage(t, play{policy: reportPolicy, change: func(c *Config) { c.Scanners = []checks.Scanner{l} }})
	rel := s.repo.Release(githubtest.ReleaseOptions{Tag: "v1.0.0", Immutable: true, Assets: map[string][]byte{
		"a": []byte("a"), "a.sig": []byte("sig"), "a.pem": []byte("pem"), "b": []byte("b"), "b.sig": []byte("key sig"),
		"c.pem": []byte("a certificate on its own"), "a.asc": []byte("pgp"), "a.sha256": []byte("sum"), "all.intoto.jsonl": []byte("{}"),
	}})
	s.settle()
	s.advance(time.Minute)
	want := &checks.Release{
		ID: rel.ID, Tag: "v1.0.0", Name: "v1.0.0", Immutable: true, Commit: s.head, TagRef: "refs/tags/v1.0.0", DefaultBranch: "main",
		RepositoryID: s.repo.ID(), OwnerID: ownerID, Roots: []string{checks.RootPublicGood, checks.RootGitHub}, Runs: map[string]checks.BuildRun{},
		Memory: &signers.Memory{Known: []signers.Known{}},
		Bundles: []checks.Bundle{
			{Name: "a.asc", Origin: checks.OriginSidecar, For: "a", Signature: []byte("pgp")},
			{Name: "a.sig", Origin: checks.OriginSidecar, For: "a", Signature: []byte("sig"), Certificate: []byte("pem")},
			{Name: "all.intoto.jsonl", Origin: checks.OriginSidecar, Data: []byte("{}")},
			{Name: "b.sig", Origin: checks.OriginSidecar, For: "b", Signature: []byte("key sig")},
		},
	}
	got := *l.seen
	if len(got.Assets) != 9 || got.Assets[0].SHA256 != strings.TrimPrefix(githubtest.SHA256([]byte("a")), "sha256:") {
		t.Errorf("assets %+v, want all nine with their digests", got.Assets)
	}
	got.Assets = nil
	if d := cmp.Diff(want, &got); d != "" {
		t.Errorf("material (-want +got):\n%s", d)
	}
}

func TestSHA512OnlyWhereEvidenceNamesIt(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		prepare func(s *stage) map[string][]byte
		want    bool
		reads   int // of the asset
	}{
		{"nothing names it", func(s *stage) map[string][]byte {
			return map[string][]byte{"app.tar.gz.sigstore.json": s.provenance("acme/shop", "v1.0.0", "app.tar.gz", tarball)}
		}, false, 1},
		{"a sidecar names it", func(s *stage) map[string][]byte {
			return map[string][]byte{"app.tar.gz.sigstore.json": s.with512(tarball)}
		}, true, 1},
		{"an attestation that GitHub keeps names it", func(s *stage) map[string][]byte {
			s.repo.Attest(githubtest.SHA256(tarball), s.with512(tarball), "user")
			return map[string][]byte{}
		}, true, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l := &looker{}
			s := newStage(t, play{change: func(c *Config) { c.Scanners = []checks.Scanner{l} }})
			assets := test.prepare(s)
			assets["app.tar.gz"] = tarball
			s.repo.Release(githubtest.ReleaseOptions{Tag: "v1.0.0", Assets: assets})
			s.settle()
			s.advance(time.Minute)
			if got := l.seen.Assets[0].SHA512 != ""; got != test.want {
				t.Errorf("SHA-512 computed: %v, want %v", got, test.want)
			}
			reads := len(s.CallsTo("GET /repos/{owner}/{repo}/releases/assets/{asset_id}")) - len(assets) + 1
			if reads != test.reads {
				t.Errorf("the asset was read %d times, want %d", reads, test.reads)
			}
		})
	}
}

// with512 is a bundle whose statement also names a SHA-512 digest.
func (s *stage) with512(content []byte) []byte {
	s.t.Helper()
	return s.scripted("acme/shop", "v1.0.0", "app.tar.gz", content, map[string]string{"sha512": strings.Repeat("0", 128)})
}

func TestBudget(t *testing.T) {
	t.Parallel()
	b := &budget{left: 10}
	if got := []bool{b.take(6), b.take(5), b.take(4), b.take(1)}; !cmp.Equal(got, []bool{true, false, true, false}) {
		t.Errorf("taking 6, 5, 4 and 1 of 10: %v", got)
	}
}

func TestLongReleaseIsReadInBoundedMemory(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{change: func(c *Config) { c.MaxAsset = 1 << 20 }})
	rel := s.release(tarball)
	rel.AddAsset("big.bin", bytes.Repeat([]byte("x"), 1<<20+1))
	s.settle()
	s.advance(time.Minute)
	if r := s.report(rel); codes(r)["big.bin"] != checks.CodeTooLarge || r.Verdict != checks.Unknown {
		t.Errorf("verdict %s %v, want unknown, %s", r.Verdict, codes(r), checks.CodeTooLarge)
	}
}
