package checks_test

import (
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/checks"
)

// TestSteps: every comparison of the evidence shown is told, up to the one that fails.
func TestSteps(t *testing.T) {
	t.Parallel()
	c := ran(t)
	if got := c.judge().Assets[0].Steps; got != nil {
		t.Errorf("nobody asked: %+v", got)
	}
	c.release().Explain = true
	got := c.judge().Assets[0].Steps
	if len(got) != 15 {
		t.Fatalf("%d steps: %+v", len(got), got)
	}
	for _, s := range got {
		if s.State != checks.StepHolds || s.Expected == "" || s.Found == "" {
			t.Errorf("got %+v", s)
		}
	}
	c.attestation().Certificate.Commit = strings.Repeat("d", 40)
	for i, s := range c.judge().Assets[0].Steps {
		want := checks.StepHolds
		if s.Name == "commit" {
			want = checks.StepFails
			if s.Expected != commit || s.Found != strings.Repeat("d", 40) {
				t.Errorf("got %+v", s)
			}
		} else if i > 7 {
			want = checks.StepNotReached
		}
		if s.State != want {
			t.Errorf("%s: got %q, want %q", s.Name, s.State, want)
		}
	}
	c.evidence.Attestations = nil
	if got := c.judge().Assets[0].Steps; got != nil {
		t.Errorf("without evidence: %+v", got)
	}
}

// TestStepsOfALentSignature: the steps are those of the list that lends it.
func TestStepsOfALentSignature(t *testing.T) {
	t.Parallel()
	c := listedRelease(t, checks.RequireSignature)
	c.release().Explain = true
	got := c.judge().Assets[0].Steps
	if len(got) == 0 || got[0].State != checks.StepHolds || got[0].Expected != "sha256:"+sumList {
		t.Errorf("got %+v", got)
	}
}
