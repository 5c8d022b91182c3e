package app

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/checks"
)

var tarball = []byte("what people download\n")

// release publishes v1.0.0 with app.tar.gz and, as a sidecar, a bundle over content.
func (s *stage) release(content []byte) *githubtest.Release {
	return s.repo.Release(githubtest.ReleaseOptions{
		Tag: "v1.0.0", Name: "One", Body: "First of all.\n\n- no news", Assets: map[string][]byte{
			"app.tar.gz":               tarball,
			"app.tar.gz.sigstore.json": s.provenance("acme/shop", "v1.0.0", "app.tar.gz", content),
		},
	})
}

func TestReleaseVerified(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{})
	rel := s.release(tarball)
	s.settle()
	if run := s.check(); run.Status != "in_progress" || run.Output.Title != "Waiting for assets (2 of 2)" {
		t.Errorf("before the assets settled: %s %q, want in_progress and a title that says so", run.Status, run.Output.Title)
	}
	s.advance(time.Minute)
	if run := s.check(); run.Conclusion != "success" || !strings.Contains(run.Output.Title, "v1.0.0") {
		t.Errorf("check = %s %q, want success naming the release", run.Conclusion, run.Output.Title)
	}
	if got := len(s.repo.CheckRuns(s.head)); got != 1 {
		t.Errorf("%d check runs, want the waiting one to become the verdict", got)
	}
	if rel.Draft() || len(s.repo.Issues()) != 0 {
		t.Errorf("draft %v, %d issues: want a verified release left alone", rel.Draft(), len(s.repo.Issues()))
	}
	r := s.report(rel)
	if r.Verdict != checks.Pass || r.Subject.Commit != s.head || r.Subject.AssetSet == "" || r.Assets[0].State != checks.AssetVerified {
		t.Errorf("report on %+v: %s, %+v", r.Subject, r.Verdict, r.Assets)
	}
}

func TestReleaseWithOneByteChanged(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{})
	rel := s.release([]byte("what people downl0ad\n"))
	before := rel.View()
	s.settle()
	s.advance(time.Minute)
	if run := s.check(); run.Conclusion != "failure" {
		t.Errorf("check = %s %q, want failure", run.Conclusion, run.Output.Title)
	}
	if d := cmp.Diff(map[string]string{"app.tar.gz": checks.CodeDigestMismatch}, codes(s.report(rel))); d != "" {
		t.Errorf("reasons (-want +got):\n%s", d)
	}
	want := before
	want.Draft = true
	if d := cmp.Diff(want, rel.View()); d != "" {
		t.Errorf("release, which must be a draft with all else kept (-want +got):\n%s", d)
	}
	issues := s.repo.Issues()
	if len(issues) != 1 {
		t.Fatalf("%d issues, want 1", len(issues))
	}
	issue := issues[0]
	if d := cmp.Diff([]string{"ann"}, issue.Assignees); d != "" {
		t.Errorf("assignees (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"landwaiter", "landwaiter:critical"}, issue.Labels); d != "" {
		t.Errorf("labels (-want +got):\n%s", d)
	}
	for _, part := range []string{"app.tar.gz", "CODEOWNERS", "25 Nov 2026"} {
		if !strings.Contains(issue.Body, part) {
			t.Errorf("issue lacks %q:\n%s", part, issue.Body)
		}
	}
}

func TestReleaseReasons(t *testing.T) {
	t.Parallel()
	const app = "app.tar.gz"
	tests := []struct {
		name    string
		change  func(s *stage, rel *githubtest.Release)
		verdict checks.Verdict
		code    string
	}{
		{"baseline", func(*stage, *githubtest.Release) {}, checks.Pass, ""},
		{"unsigned", func(_ *stage, rel *githubtest.Release) { rel.RemoveAsset(app + ".sigstore.json") }, checks.Fail, checks.CodeUnsigned},
		{"signed by somebody else", func(s *stage, rel *githubtest.Release) {
			rel.ReplaceAsset(app+".sigstore.json", s.provenance("mallory/shop", "v1.0.0", app, tarball))
		}, checks.Fail, checks.CodeNoneAcceptable},
		{"V04 empty", func(_ *stage, rel *githubtest.Release) { rel.ReplaceAsset(app, nil) }, checks.Fail, checks.CodeSizeMismatch},
		{"V05 shorter than announced", func(_ *stage, rel *githubtest.Release) {
			rel.ReplaceAsset(app, tarball[:10], githubtest.AssetOptions{Size: len(tarball)})
		}, checks.Fail, checks.CodeSizeMismatch},
		{"V05 longer than announced", func(_ *stage, rel *githubtest.Release) {
			rel.ReplaceAsset(app, tarball, githubtest.AssetOptions{Size: 10})
		}, checks.Fail, checks.CodeSizeMismatch},
		{"V01 other bytes than GitHub lists", func(_ *stage, rel *githubtest.Release) {
			rel.ReplaceAsset(app, tarball, githubtest.AssetOptions{Digest: githubtest.SHA256([]byte("others"))})
		}, checks.Fail, checks.CodeDigestMismatch},
		{"no digest from GitHub, as before 2025", func(_ *stage, rel *githubtest.Release) {
			rel.ReplaceAsset(app, tarball, githubtest.AssetOptions{Digest: "none"})
		}, checks.Pass, ""},
		{"missing", func(s *stage, _ *githubtest.Release) {
			s.Fail(githubtest.Fault{Route: "BLOB assets", Status: 404, Times: -1})
		}, checks.Unknown, checks.CodeNotReadable},
		{"storage out of order", func(s *stage, _ *githubtest.Release) {
			s.Fail(githubtest.Fault{Route: "BLOB assets", Status: 503, Times: -1})
		}, checks.Unknown, checks.CodeNotReadable},
		{"storage stumbles once", func(s *stage, _ *githubtest.Release) {
			s.Fail(githubtest.Fault{Route: "BLOB assets", Kind: githubtest.CutBody, Times: 1})
		}, checks.Pass, ""},
		{"every download is cut", func(s *stage, _ *githubtest.Release) {
			s.Fail(githubtest.Fault{Route: "BLOB assets", Kind: githubtest.CutBody, Times: -1})
		}, checks.Unknown, checks.CodeNotReadable},
		{"API out of order once", func(s *stage, _ *githubtest.Release) {
			s.Fail(githubtest.Fault{Route: "GET /repos/{owner}/{repo}/releases/assets/{asset_id}", Status: 500, Times: 1})
		}, checks.Pass, ""},
		{"bundle cut off", func(s *stage, rel *githubtest.Release) {
			b := s.provenance("acme/shop", "v1.0.0", app, tarball)
			rel.ReplaceAsset(app+".sigstore.json", b[:len(b)/2])
		}, checks.Fail, checks.CodeStatementInvalid},
		{"V60 bundle of 9 MiB", func(_ *stage, rel *githubtest.Release) {
			rel.ReplaceAsset(app+".sigstore.json", []byte(strings.Repeat(" ", 9<<20)))
		}, checks.Unknown, checks.CodeTooLarge},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, play{})
			rel := s.release(tarball)
			test.change(s, rel)
			for range 12 { // the longest that storage which does not answer is waited for
				s.advance(time.Minute)
			}
			r := s.report(rel)
			if r.Verdict != test.verdict || codes(r)[app] != test.code {
				t.Errorf("verdict %s, code %q, want %s, %q: %+v", r.Verdict, codes(r)[app], test.verdict, test.code, r.Assets)
			}
			if run := s.check(); run.Status != "completed" || (run.Conclusion == "success") != (test.verdict == checks.Pass) {
				t.Errorf("check = %s %s for verdict %s", run.Status, run.Conclusion, test.verdict)
			}
			if rel.Draft() != (test.verdict != checks.Pass) {
				t.Errorf("draft %v for verdict %s", rel.Draft(), test.verdict)
			}
		})
	}
}
