package app

import (
	"strings"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/app/githubtest"
)

// unheldWords are in the check on a release that the gate could not hold.
const unheldWords = "The release could not be held, because GitHub does not let Landwaiter take it back: grant \"Contents: write\""

func TestHeldNotSaidInTheCheck(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		setup func(s *stage)
		says  bool
	}{
		{"held", func(*stage) {}, false},
		{"permission lacking", func(s *stage) { s.inst.Grant("contents", "read") }, true},
		{"refused", func(s *stage) { s.Fail(githubtest.Fault{Route: updateReleaseRoute, Status: 403, Times: -1}) }, true},
		{"refused at the second attempt, after the check", func(s *stage) {
			s.Fail(githubtest.Fault{Route: updateReleaseRoute, Status: 500})
			s.Fail(githubtest.Fault{Route: updateReleaseRoute, Status: 422, Times: -1})
		}, true},
		{"held at the second attempt", func(s *stage) { s.Fail(githubtest.Fault{Route: updateReleaseRoute, Status: 500}) }, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, play{})
			test.setup(s)
			rel := s.forged()
			s.retry()
			run := s.check()
			if run.Conclusion != "failure" || strings.Contains(run.Output.Summary, unheldWords) != test.says || rel.Draft() == test.says {
				t.Errorf("check %s, draft %v, want the sentence %v in\n%s", run.Conclusion, rel.Draft(), test.says, run.Output.Summary)
			}
			s.ForgetCalls()
			for range 30 {
				s.advance(time.Minute)
			}
			if n := len(s.CallsTo("PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}")) + len(s.CallsTo("POST /repos/{owner}/{repo}/check-runs")); n != 0 {
				t.Errorf("%d more writes of the check although nothing changed", n)
			}
		})
	}
}

func TestHeldAfterThePermissionWasGranted(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{})
	s.inst.Grant("contents", "read")
	rel := s.forged()
	if !strings.Contains(s.check().Output.Summary, unheldWords) {
		t.Fatalf("baseline: the check does not say that the release is not held:\n%s", s.check().Output.Summary)
	}
	s.inst.Grant("contents", "write")
	s.repo.RerequestRun(s.check().ID, "ann")
	s.settle()
	if run := s.check(); !rel.Draft() || strings.Contains(run.Output.Summary, unheldWords) {
		t.Errorf("draft %v, want the release held and the check silent on that:\n%s", rel.Draft(), run.Output.Summary)
	}
}

func TestHeldIsNotMissedOnceTheReleasePasses(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{})
	s.inst.Grant("contents", "read")
	rel := s.forged()
	rel.ReplaceAsset("app.tar.gz.sigstore.json", s.provenance("acme/shop", "v1.0.0", "app.tar.gz", tarball))
	rel.Edit("cured")
	s.settle()
	s.advance(time.Minute)
	if run := s.check(); run.Conclusion != "success" || strings.Contains(run.Output.Summary, unheldWords) {
		t.Errorf("check %s, want success without the sentence on holding:\n%s", run.Conclusion, run.Output.Summary)
	}
}
