package app

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store"
)

// draftPolicy publishes drafts that hold a verified app.tar.gz.
var draftPolicy = strings.Replace(reactivePolicy, "gate: reactive", "gate: draft\n  assets: [{match: app.tar.gz, require: [provenance]}, {match: '*', require: [signature]}]", 1)

// draft makes a draft of v1.0.0 as a build leaves it, with a bundle over content.
func (s *stage) draft(content []byte) *githubtest.Release {
	return s.repo.Release(githubtest.ReleaseOptions{
		Tag: "v1.0.0", Name: "One", Body: "First of all.\n\n- no news", Draft: true, Assets: map[string][]byte{
			"app.tar.gz":               tarball,
			"app.tar.gz.sigstore.json": s.provenance("acme/shop", "v1.0.0", "app.tar.gz", content),
		},
	})
}

// wantPublic fails the test unless the release is published with its tag at the commit that
// was judged, and nothing else of it changed.
func (s *stage) wantPublic(rel *githubtest.Release, before githubtest.ReleaseView) {
	s.t.Helper()
	want := before
	want.Draft, want.Target, want.Published = false, s.head, rel.View().Published
	if d := cmp.Diff(want, rel.View()); d != "" {
		s.t.Errorf("release, which must be public with all else kept (-want +got):\n%s", d)
	}
	if got := s.repo.Head("refs/tags/v1.0.0"); got != s.head {
		s.t.Errorf("tag at %q, want it at the commit that was judged, %s", got, s.head)
	}
}

func TestDraftGate(t *testing.T) {
	t.Parallel()
	manual := strings.Replace(draftPolicy, "gate: draft", "gate: draft\n  publish: manual", 1)
	tests := []struct {
		name       string
		policy     string
		content    []byte // what the bundle is about
		change     func(s *stage, rel *githubtest.Release)
		public     bool
		conclusion string
		says       string // in the summary of the check
		issues     int
	}{
		{"baseline", draftPolicy, tarball, nil, true, "success", "is verified", 0},
		{"the tag exists already", draftPolicy, tarball, func(s *stage, _ *githubtest.Release) { s.repo.Tag("v1.0.0", s.head) }, true, "success", "is verified", 0},
		{"forged", draftPolicy, []byte("other bytes"), nil, false, "failure", "It stays a draft", 1},
		{"an expected asset is missing", draftPolicy, tarball, func(_ *stage, rel *githubtest.Release) { rel.RemoveAsset("app.tar.gz") }, false, "failure", "no asset matches app.tar.gz", 1},
		{"unknown", draftPolicy, tarball, func(s *stage, _ *githubtest.Release) {
			s.Fail(githubtest.Fault{Route: "BLOB assets", Status: 404, Times: -1})
		}, false, "failure", "It stays a draft", 0},
		{"a person publishes", manual, tarball, nil, false, "success", "waits for a person who may publish it", 0},
		{"observing", strings.Replace(draftPolicy, "enforce", "observe", 1), tarball, nil, false, "success", "The policy observes", 0},
		{"reporting", reportPolicy, tarball, nil, false, "success", "is verified", 0},
		{"reactive", reactivePolicy, tarball, nil, false, "success", "is verified", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, play{policy: test.policy})
			rel := s.draft(test.content)
			if test.change != nil {
				test.change(s, rel)
			}
			before := rel.View()
			for range 40 {
				s.advance(time.Minute)
			}
			if test.public {
				s.wantPublic(rel, before)
				if r := s.report(rel); r.Subject.Draft || r.Verdict != checks.Pass {
					t.Errorf("newest report: draft %v, %s, want one on the public release", r.Subject.Draft, r.Verdict)
				}
			} else if d := cmp.Diff(before, rel.View(), cmpopts.IgnoreFields(githubtest.ReleaseView{}, "Assets")); d != "" {
				t.Errorf("release, which must stay as it is (-want +got):\n%s", d)
			}
			if run := s.check(); run.Conclusion != test.conclusion || !strings.Contains(run.Output.Summary, test.says) {
				t.Errorf("check = %s, want %s, saying %q:\n%s", run.Conclusion, test.conclusion, test.says, run.Output.Summary)
			}
			if n := len(s.repo.Issues()); n != test.issues {
				t.Errorf("%d issues, want %d", n, test.issues)
			}
		})
	}
}

// TestDraftGateFaults loses the request and its answer: the draft goes out once.
func TestDraftGateFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		fault githubtest.Fault
		calls int
	}{
		{"none", githubtest.Fault{Route: "none"}, 1},
		{"lost before acting", githubtest.Fault{Route: updateReleaseRoute, Kind: githubtest.Nothing}, 2},
		{"carried out, answer lost", githubtest.Fault{Route: updateReleaseRoute, Kind: githubtest.Nothing, When: githubtest.AfterActing}, 1},
		{"carried out, answer 502", githubtest.Fault{Route: updateReleaseRoute, Kind: githubtest.HTML, When: githubtest.AfterActing}, 1},
		{"answered 500", githubtest.Fault{Route: updateReleaseRoute, Status: 500}, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, play{policy: draftPolicy})
			s.Fail(test.fault)
			rel := s.draft(tarball)
			before := rel.View()
			s.settle()
			s.retry()
			s.wantPublic(rel, before)
			if n := len(s.CallsTo(updateReleaseRoute)); n != test.calls {
				t.Errorf("%d updates of the release, want %d", n, test.calls)
			}
			if state, err := s.app.gateState(t.Context(), s.key(rel)); err != nil || state != gatePublished {
				t.Errorf("gate %q, %v, want %q", state, err, gatePublished)
			}
			if buried, err := s.store.Buried(t.Context(), 10); err != nil || len(buried) != 0 {
				t.Errorf("buried jobs %+v, %v, want none", buried, err)
			}
		})
	}
}

func TestDraftGateRefused(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{policy: draftPolicy})
	s.Fail(githubtest.Fault{Route: updateReleaseRoute, Status: 422, Times: -1})
	rel := s.draft(tarball)
	s.settle()
	s.retry()
	if !rel.Draft() {
		t.Error("the draft is public")
	}
	if run := s.check(); run.Conclusion != "success" || !strings.Contains(run.Output.Summary, "GitHub does not let Landwaiter publish it") {
		t.Errorf("check = %s, want it to say that the draft could not be published:\n%s", run.Conclusion, run.Output.Summary)
	}
	s.Heal()
	s.repo.RerequestRun(s.check().ID, "ann")
	s.settle()
	if rel.Draft() {
		t.Error("the draft is not public after the cause is gone and somebody pressed Re-run")
	}
}

// intruder changes something right before a request to a route leaves for GitHub.
type intruder struct {
	next   http.RoundTripper
	method string
	part   string // of the path
	once   func()
}

func (i *intruder) RoundTrip(q *http.Request) (*http.Response, error) {
	if i.once != nil && q.Method == i.method && strings.Contains(q.URL.Path, i.part) {
		act := i.once
		i.once = nil
		act()
	}
	return i.next.RoundTrip(q)
}

// TestG24DraftChanged changes a draft at two moments: after it was hashed, and when GitHub is
// about to publish it. The first is not published; the second cannot be seen in time, and is
// taken back.
func TestG24DraftChanged(t *testing.T) {
	t.Parallel()
	swap := func(_ *stage, rel *githubtest.Release) { rel.ReplaceAsset("app.tar.gz", []byte("swapped\n")) }
	tests := []struct {
		name   string
		method string
		part   string
		change func(s *stage, rel *githubtest.Release)
		draft  bool
		calls  int // updates of the release
	}{
		{"baseline", http.MethodPatch, "/releases/", func(*stage, *githubtest.Release) {}, false, 1},
		{"asset swapped after hashing", http.MethodGet, "/attestations/", swap, true, 0},
		{"asset swapped in the last moment", http.MethodPatch, "/releases/", swap, true, 2},
		{"tag renamed after hashing", http.MethodGet, "/attestations/", func(_ *stage, rel *githubtest.Release) { rel.Retag("v9.0.0") }, true, 0},
		{"tag renamed in the last moment", http.MethodPatch, "/releases/", func(_ *stage, rel *githubtest.Release) { rel.Retag("v9.0.0") }, false, 1},
		{"branch moved after hashing", http.MethodGet, "/attestations/", func(s *stage, _ *githubtest.Release) {
			s.repo.Commit("main", "second", githubtest.Files{"README.md": "two\n"})
		}, false, 1},
		{"tag made elsewhere after hashing", http.MethodGet, "/attestations/", func(s *stage, _ *githubtest.Release) {
			s.repo.Tag("v1.0.0", s.repo.Commit("main", "second", githubtest.Files{"README.md": "two\n"}))
		}, true, 0},
		{"tag made elsewhere in the last moment", http.MethodPatch, "/releases/", func(s *stage, _ *githubtest.Release) {
			s.repo.Tag("v1.0.0", s.repo.Commit("main", "second", githubtest.Files{"README.md": "two\n"}))
		}, true, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			i := &intruder{next: http.DefaultTransport, method: test.method, part: test.part}
			s := newStage(t, play{policy: draftPolicy, change: func(c *Config) { c.Transport = i }})
			rel := s.draft(tarball)
			i.once = func() { test.change(s, rel) }
			s.settle()
			for range 4 {
				s.advance(time.Minute)
			}
			if i.once != nil {
				t.Fatal("the change did not come about")
			}
			if rel.Draft() != test.draft {
				t.Errorf("draft %v, want %v", rel.Draft(), test.draft)
			}
			if n := len(s.CallsTo(updateReleaseRoute)); n != test.calls {
				t.Errorf("%d updates of the release, want %d", n, test.calls)
			}
			want := checks.Pass
			if test.draft {
				want = checks.Fail
			}
			if r := s.report(rel); r.Verdict != want {
				t.Errorf("verdict %s, want %s: %+v", r.Verdict, want, r.Reasons)
			}
		})
	}
}

// TestDraftGateShowsBefore: a ruleset for tags may require the check, so it passes before the
// tag is made.
func TestDraftGateShowsBefore(t *testing.T) {
	t.Parallel()
	i := &intruder{next: http.DefaultTransport, method: http.MethodPatch, part: "/releases/"}
	s := newStage(t, play{policy: draftPolicy, change: func(c *Config) { c.Transport = i }})
	before := ""
	i.once = func() { before = s.check().Conclusion }
	rel := s.draft(tarball)
	s.settle()
	s.advance(time.Minute)
	if before != "success" || rel.Draft() {
		t.Errorf("check = %q when the draft was published, draft %v, want success and a public release", before, rel.Draft())
	}
}

// TestDraftGateRespectsPeople: what a person took back, a person publishes again.
func TestDraftGateRespectsPeople(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{policy: draftPolicy})
	rel := s.draft(tarball)
	s.settle()
	s.advance(time.Minute)
	if rel.Draft() {
		t.Fatal("baseline: the draft is not public")
	}
	rel.Unpublish()
	rel.Edit("taken back, because it does not start")
	s.settle()
	s.advance(time.Minute)
	if !rel.Draft() {
		t.Error("a release that a person took back is public again")
	}
	if run := s.check(); !strings.Contains(run.Output.Summary, "waits for a person to publish it by hand") {
		t.Errorf("the check does not say what waits on whom:\n%s", run.Output.Summary)
	}
	rel.Publish()
	s.settle()
	s.advance(time.Minute)
	if state, err := s.app.gateState(t.Context(), s.key(rel)); err != nil || state != gatePublished || rel.Draft() {
		t.Errorf("published by hand: gate %q, %v, draft %v", state, err, rel.Draft())
	}
}

// TestDraftGateTakesBack: what was published without a verdict and fails goes back, and out
// again when it is cured, without any event.
func TestDraftGateTakesBack(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{policy: draftPolicy})
	rel := s.forged()
	if !rel.Draft() {
		t.Fatal("a failed release stays public under the gate draft")
	}
	rel.ReplaceAsset("app.tar.gz.sigstore.json", s.provenance("acme/shop", "v1.0.0", "app.tar.gz", tarball))
	s.sweep()
	s.advance(time.Minute)
	if rel.Draft() {
		t.Errorf("still a draft after the cure: %+v", s.report(rel))
	}
	if issues := s.repo.Issues(); len(issues) != 1 || issues[0].State != "closed" {
		t.Errorf("issues %+v, want the one issue closed", issues)
	}
}

// TestDraftGateManual: a person publishes what passed, and it is verified again then.
func TestDraftGateManual(t *testing.T) {
	t.Parallel()
	for _, swapped := range []bool{false, true} {
		s := newStage(t, play{policy: strings.Replace(draftPolicy, "gate: draft", "gate: draft\n  publish: manual", 1)})
		rel := s.draft(tarball)
		s.settle()
		s.advance(time.Minute)
		if r := s.report(rel); r.Verdict != checks.Pass || !rel.Draft() {
			t.Fatalf("baseline: %s, draft %v, want a pass that waits", r.Verdict, rel.Draft())
		}
		if swapped {
			rel.ReplaceAsset("app.tar.gz", []byte("swapped\n"))
		}
		rel.Publish()
		s.settle()
		s.advance(time.Minute)
		want := checks.Pass
		if swapped {
			want = checks.Fail
		}
		if r := s.report(rel); r.Verdict != want || rel.Draft() != swapped {
			t.Errorf("swapped %v: %s, draft %v after a person published it, want %s", swapped, r.Verdict, rel.Draft(), want)
		}
	}
}

// sweep looks at the repository for what no delivery told of.
func (s *stage) sweep() {
	s.t.Helper()
	r := repo{InstallationID: s.inst.ID, ID: s.repo.ID(), Owner: "acme", Name: "shop"}
	if err := s.store.Enqueue(s.t.Context(), s.app.backfillJob(r, "sweep")); err != nil {
		s.t.Fatal(err)
	}
	s.settle()
}

func TestDraftGateSweep(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		policy string
		age    time.Duration
		public bool
	}{
		{"baseline: a draft nobody told of", draftPolicy, time.Hour, true},
		{"a draft that somebody forgot long ago", draftPolicy, missedWindow + time.Hour, false},
		{"another gate", reactivePolicy, time.Hour, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, play{policy: test.policy})
			s.SetAutoDeliver(false)
			rel := s.draft(tarball)
			s.mu.Lock()
			s.clock = s.clock.Add(test.age)
			s.mu.Unlock()
			s.sweep()
			s.advance(time.Minute)
			if rel.Draft() == test.public {
				t.Errorf("draft %v, want %v", rel.Draft(), !test.public)
			}
		})
	}
}

// TestG24TagMovedUntold: a tag that moves sends no release event. The sweep sees it.
func TestG24TagMovedUntold(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{})
	rel := s.release(tarball)
	s.settle()
	s.advance(time.Minute)
	if r := s.report(rel); r.Verdict != checks.Pass {
		t.Fatalf("baseline: %s", r.Verdict)
	}
	s.sweep()
	if all, err := s.store.Reports(t.Context(), store.ReportFilter{}); err != nil || len(all) != 1 {
		t.Errorf("%d reports, %v, after a sweep that had nothing to find, want 1", len(all), err)
	}
	s.repo.Tag("v1.0.0", s.repo.Commit("main", "second", githubtest.Files{"README.md": "two\n"}))
	s.sweep()
	s.advance(time.Minute)
	if r := s.report(rel); r.Verdict != checks.Fail || codes(r)["app.tar.gz"] != checks.CodeCommitMismatch || !rel.Draft() {
		t.Errorf("verdict %s %v, draft %v, want the pass withdrawn for %s", r.Verdict, codes(r), rel.Draft(), checks.CodeCommitMismatch)
	}
}
