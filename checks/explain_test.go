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
	got = c.judge().Assets[0].Steps
	if len(got) != 1 || got[0].State != checks.StepFails || got[0].Expected != "provenance for sha256:"+sumApp || !strings.Contains(got[0].Found, "attest it") {
		t.Errorf("without evidence: %+v", got)
	}
}

// TestStepsOfALentSignature: the steps are those of the list that lends it.
func TestStepsOfALentSignature(t *testing.T) {
	t.Parallel()
	c := listedRelease(t, checks.RequireSignature)
	c.release().Explain = true
	got := c.judge().Assets[0].Steps
	if len(got) != 16 || got[0].State != checks.StepHolds || got[0].Expected != "sha256:"+sumApp || got[0].Found != "SHA256SUMS names it" ||
		got[1].State != checks.StepHolds || got[1].Expected != "sha256:"+sumList {
		t.Errorf("got %+v", got)
	}
	c.attestation().Certificate.Commit = strings.Repeat("d", 40)
	got = c.judge().Assets[0].Steps
	if len(got) != 16 || got[1].State != checks.StepHolds || got[8].Name != "commit" || got[8].State != checks.StepFails {
		t.Errorf("a list that lends nothing: %+v", got)
	}
}

// TestStepsOfEveryRequirement: each requirement is told, by every kind of evidence, and none is
// left without words.
func TestStepsOfEveryRequirement(t *testing.T) {
	t.Parallel()
	names := func(steps []checks.Step) string {
		var list []string
		for _, s := range steps {
			if s.Expected == "" || s.Found == "" {
				t.Errorf("%s: expected %q, found %q", s.Name, s.Expected, s.Found)
			}
			list = append(list, s.Name+" "+s.State)
		}
		return strings.Join(list, ", ")
	}
	c := listedRelease(t, checks.RequireChecksum, checks.RequireSignature, checks.RequireReleaseAttestation, checks.RequireSBOM)
	c.release().Explain = true
	got := names(app(t, c.judge()).Steps)
	for _, want := range []string{
		"checksum: checksum holds", "signature: list holds, signature: bytes holds", "release-attestation: evidence fails", "sbom: evidence fails",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in %s", want, got)
		}
	}
	c = genuine(t)
	c.release().Explain = true
	c.policy.Releases.Assets = []checks.AssetRule{{Match: "*", Require: []string{checks.RequireReleaseAttestation}}}
	if got := names(c.judge().Assets[0].Steps); got != "kind fails" {
		t.Errorf("provenance in place of a release attestation: %s", got)
	}
	c.attestation().Kind = checks.AttestationRelease
	if got := names(c.judge().Assets[0].Steps); got != "bytes holds, signature holds, source holds, tag holds, commit holds, name holds" {
		t.Errorf("release attestation: %s", got)
	}
	c.attestation().Claim.Ref = "refs/tags/v9"
	if got := names(c.judge().Assets[0].Steps); got != "bytes holds, signature holds, source holds, tag fails, commit not reached, name not reached" {
		t.Errorf("release attestation of another tag: %s", got)
	}
	c.release().Assets[0].SHA256 = ""
	if got := names(c.judge().Assets[0].Steps); got != "bytes fails" {
		t.Errorf("no digest: %s", got)
	}
}
