package app

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/checks"
)

// forged publishes a release whose bundle is about other bytes, and lets it be judged.
func (s *stage) forged() *githubtest.Release {
	s.t.Helper()
	rel := s.release([]byte("other bytes\n"))
	s.settle()
	s.advance(time.Minute)
	return rel
}

// retry lets jobs that were put back run again.
func (s *stage) retry() {
	s.t.Helper()
	for range 4 {
		s.advance(time.Minute)
	}
}

const updateReleaseRoute = "PATCH /repos/{owner}/{repo}/releases/{release_id}"

func TestGateFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		fault githubtest.Fault
		calls int
	}{
		{"none", githubtest.Fault{Route: "none"}, 1},
		{"update lost before acting", githubtest.Fault{Route: updateReleaseRoute, Kind: githubtest.Nothing}, 2},
		{"update carried out, answer lost", githubtest.Fault{Route: updateReleaseRoute, Kind: githubtest.Nothing, When: githubtest.AfterActing}, 1},
		{"update carried out, answer 502", githubtest.Fault{Route: updateReleaseRoute, Kind: githubtest.HTML, When: githubtest.AfterActing}, 1},
		{"update answered 500", githubtest.Fault{Route: updateReleaseRoute, Status: 500}, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, play{})
			s.Fail(test.fault)
			rel := s.forged()
			s.retry()
			want := githubtest.ReleaseView{
				ID: rel.ID, Tag: "v1.0.0", Target: "main", Name: "One", Body: "First of all.\n\n- no news", Draft: true,
				Published: rel.View().Published, Assets: rel.View().Assets,
			}
			if d := cmp.Diff(want, rel.View()); d != "" {
				t.Errorf("release (-want +got):\n%s", d)
			}
			if n := len(s.CallsTo(updateReleaseRoute)); n != test.calls {
				t.Errorf("%d updates of the release, want %d", n, test.calls)
			}
			if state, err := s.app.gateState(t.Context(), s.key(rel)); err != nil || state != gateReverted {
				t.Errorf("gate %q, %v, want %q", state, err, gateReverted)
			}
			issues := s.repo.Issues()
			if len(issues) != 1 || !strings.Contains(issues[0].Body, "is a draft again") {
				t.Errorf("issues %+v, want one that says that the release is a draft again", issues)
			}
		})
	}
}

func TestGateWants(t *testing.T) {
	t.Parallel()
	baseline := func() (checks.Report, *checks.Policy) {
		p := checks.DefaultPolicy()
		p.Mode, p.Releases.Gate = checks.ModeEnforce, checks.GateReactive
		return checks.Report{
			Subject: checks.Subject{Kind: checks.KindRelease}, Verdict: checks.Fail, Assets: []checks.AssetReport{{Name: "a"}},
		}, p
	}
	tests := []struct {
		name   string
		change func(r *checks.Report, p *checks.Policy)
		want   bool
	}{
		{"baseline", func(*checks.Report, *checks.Policy) {}, true},
		{"passed", func(r *checks.Report, _ *checks.Policy) { r.Verdict = checks.Pass }, false},
		{"unknown, incomplete is a failure", func(r *checks.Report, _ *checks.Policy) { r.Verdict = checks.Unknown }, true},
		{"unknown, incomplete is neutral", func(r *checks.Report, p *checks.Policy) {
			r.Verdict, p.PullRequest.OnIncomplete = checks.Unknown, "neutral"
		}, false},
		{"unknown without assets", func(r *checks.Report, _ *checks.Policy) { r.Verdict, r.Assets = checks.Unknown, nil }, false},
		{"observing", func(_ *checks.Report, p *checks.Policy) { p.Mode = checks.ModeObserve }, false},
		{"reporting", func(_ *checks.Report, p *checks.Policy) { p.Releases.Gate = checks.GateReport }, false},
		{"a draft already", func(r *checks.Report, _ *checks.Policy) { r.Subject.Draft = true }, false},
		{"a pull request", func(r *checks.Report, _ *checks.Policy) { r.Subject.Kind = checks.KindPullRequest }, false},
	}
	for _, test := range tests {
		r, p := baseline()
		test.change(&r, p)
		if got := wantsGate(r, p); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestGateOfAnImmutableRelease(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		fault      githubtest.Fault
		prerelease bool
		state      string
		says       string
	}{
		{"demoted", githubtest.Fault{Route: "none"}, true, gateDemoted, "marked as a prerelease"},
		{"answer lost", githubtest.Fault{Route: updateReleaseRoute, Kind: githubtest.Nothing, When: githubtest.AfterActing}, true, gateDemoted, "marked as a prerelease"},
		{"refused", githubtest.Fault{Route: updateReleaseRoute, Status: 422, Times: -1}, false, gateRefused, "does not let Landwaiter"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, play{})
			s.Fail(test.fault)
			rel := s.repo.Release(githubtest.ReleaseOptions{
				Tag: "v1.0.0", Immutable: true, Assets: map[string][]byte{"app.tar.gz": tarball},
			})
			s.settle()
			s.advance(time.Minute)
			s.retry()
			if v := rel.View(); v.Draft || !v.Immutable || v.Prerelease != test.prerelease || v.Tag != "v1.0.0" {
				t.Errorf("release %+v, want it published, prerelease %v", v, test.prerelease)
			}
			if state, err := s.app.gateState(t.Context(), s.key(rel)); err != nil || state != test.state {
				t.Errorf("gate %q, %v, want %q", state, err, test.state)
			}
			if issues := s.repo.Issues(); len(issues) != 1 || !strings.Contains(issues[0].Body, test.says) {
				t.Errorf("issues %+v, want one with %q", issues, test.says)
			}
		})
	}
}

func TestGateWithoutPermission(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{})
	s.inst.Grant("contents", "read")
	rel := s.forged()
	if rel.Draft() {
		t.Error("the release became a draft without the permission to do so")
	}
	if run := s.check(); run.Conclusion != "failure" {
		t.Errorf("check = %s, want failure", run.Conclusion)
	}
	if issues := s.repo.Issues(); len(issues) != 1 || !strings.Contains(issues[0].Body, "Contents: write") {
		t.Errorf("issues %+v, want one that names the missing permission", issues)
	}
}

func TestGateDoesNotAct(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		policy     string
		conclusion string
		issues     int
	}{
		{"report", reportPolicy, "failure", 1},
		{"observe", strings.Replace(reactivePolicy, "enforce", "observe", 1), "neutral", 1},
		{"no policy file", "none", "neutral", 0},
		{"no issues", strings.Replace(reactivePolicy, "enabled: true", "enabled: false", 1), "failure", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, play{policy: test.policy})
			rel := s.forged()
			if run := s.check(); run.Conclusion != test.conclusion {
				t.Errorf("check = %s, want %s", run.Conclusion, test.conclusion)
			}
			if rel.Draft() != (test.name == "no issues") || len(s.repo.Issues()) != test.issues {
				t.Errorf("draft %v, %d issues, want %d", rel.Draft(), len(s.repo.Issues()), test.issues)
			}
		})
	}
}

func TestGateAgainAfterPublishingAgain(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{})
	rel := s.forged()
	rel.Publish()
	s.settle()
	if rel.Draft() {
		t.Error("what GitHub shows of a release that was just published again was believed at once")
	}
	s.advance(time.Minute)
	if !rel.Draft() || len(s.repo.Issues()) != 1 {
		t.Errorf("published again as it was: draft %v, %d issues, want a draft again and the one issue", rel.Draft(), len(s.repo.Issues()))
	}
}
