package checks

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Step is one comparison of the evidence that an AssetReport rests on with what is expected.
type Step struct {
	Name     string
	State    string // StepHolds, StepFails or StepNotReached
	Expected string
	Found    string // hostile
}

// The states of a Step.
const (
	StepHolds      = "holds"
	StepFails      = "fails"
	StepNotReached = "not reached"
)

// stepNames are the names of steps, in their order.
var stepNames = [len(steps)]string{
	"bytes", "signature", "signer", "source", "source ref", "signer ref", "runner", "commit", "statement", "name", "kind", "level", "build run",
	"key", "certificate",
}

// releaseStepNames are those of GitHub's attestation of a release, in the order of runRelease.
var releaseStepNames = []string{"bytes", "signature", "source", "tag", "commit", "name"}

// explained returns the comparisons behind every requirement of a, for people who ask why. Of
// several requirements each step names its own.
func (s *stand) explained(proofs []proof, a Asset, rule AssetRule) []Step {
	if !s.j.m.Release.Explain {
		return nil
	}
	var list []Step
	for _, p := range proofs {
		steps := s.stepsOf(p, a, rule)
		for i := range steps {
			if len(proofs) > 1 {
				steps[i].Name = p.require + ": " + steps[i].Name
			}
		}
		list = append(list, steps...)
	}
	return list
}

// unusableStep tells of an asset whose bytes end the work on it.
func (s *stand) unusableStep(problem *Reason) []Step {
	if !s.j.m.Release.Explain {
		return nil
	}
	return []Step{{"bytes", StepFails, "read whole, and as announced and listed", problem.Message}}
}

// stepsOf returns the steps of what was found for one requirement.
func (s *stand) stepsOf(p proof, a Asset, rule AssetRule) []Step {
	t := trial{j: s.j, asset: a, a: p.a, signer: p.signer, require: p.require, rule: rule}
	switch {
	case p.require == RequireChecksum && p.problem == nil:
		return []Step{{"checksum", StepHolds, digestText(a), orWord(p.a.Bundle, "a list, or of a registry: needs no list")}}
	case !p.tried:
		return []Step{{"evidence", StepFails, requirementWord(p.require) + " for " + digestText(a), p.problem.Message}}
	case p.require == RequireReleaseAttestation:
		return t.releaseSteps()
	case p.list != "":
		list := s.byName[p.list]
		t.asset, t.rule = list, AssetRule{}
		return append([]Step{{"list", StepHolds, digestText(a), list.Name + " names it"}}, t.steps()...)
	}
	return t.steps()
}

// steps runs the trial again and tells each comparison.
func (t *trial) steps() []Step {
	passed, _ := t.run()
	list := make([]Step, 0, len(steps))
	for i, name := range stepNames {
		expected, found := t.compared(name)
		list = append(list, Step{Name: name, State: stepState(i, passed), Expected: expected, Found: found})
	}
	return list
}

// releaseSteps is steps for GitHub's attestation of a release.
func (t *trial) releaseSteps() []Step {
	passed, problem := t.runRelease()
	if t.a.Kind != AttestationRelease {
		return []Step{{"kind", StepFails, "GitHub's attestation of the release", problem.Message}}
	}
	list := make([]Step, 0, len(releaseStepNames))
	for i, name := range releaseStepNames {
		expected, found := t.compared(name)
		list = append(list, Step{Name: name, State: stepState(i, passed), Expected: expected, Found: found})
	}
	return list
}

func stepState(i, passed int) string {
	switch {
	case i == passed:
		return StepFails
	case i > passed:
		return StepNotReached
	}
	return StepHolds
}

// compared returns what a step expects and what it found, in words.
func (t *trial) compared(step string) (expected, found string) {
	anything := "anything"
	repository, release := t.j.m.Subject.Repository, t.j.m.Release
	switch step {
	case "bytes":
		return digestText(t.asset), t.subjectTexts(func(s AttestedSubject) string { return subjectDigest(s) })
	case "signature":
		return "holds under " + orWord(strings.Join(release.Roots, ", "), "an accepted root"), t.proven()
	case "signer":
		return signerWords(t.signer.expected()), signerWords(t.a.Signer)
	case "source":
		if repository == "" || t.person && t.lenient() {
			return anything, orNothing(t.facts.Repository)
		}
		return numbered(githubHost+repository, release.RepositoryID), orNothing(strings.TrimSpace(t.facts.Repository + " " + t.facts.RepositoryID))
	case "source ref":
		return orWord(strings.Join(t.j.sourceRefs(), " or "), anything), orNothing(strings.TrimSpace(t.facts.Ref + " " + t.facts.Trigger))
	case "signer ref":
		w, _ := workflowOf(t.a.Signer.Identity)
		return orWord(t.signer.Ref, "a branch, a tag or a full commit"), orNothing(w.ref)
	case "runner":
		return orWord(strings.Join(t.j.p.Releases.Trust.Runners, " or "), runnerHosted), orNothing(t.facts.Runner)
	case "tag":
		return orWord(release.TagRef, anything), orNothing(t.facts.Ref)
	case "commit":
		return orWord(release.Commit, anything), orNothing(t.facts.Commit)
	case "statement":
		return "says what the certificate says", orNothing(t.a.Claim.BuilderID)
	case "name":
		return t.asset.Name, t.subjectTexts(func(s AttestedSubject) string { return s.Name })
	case "kind":
		return orWord(t.rule.PredicateType, t.require), strings.TrimSpace(t.a.Kind + " " + t.a.PredicateType)
	case "level":
		return "at least " + strconv.Itoa(t.j.p.Releases.Trust.MinSLSA), strconv.Itoa(slsaLevel(t.a))
	case "key":
		return t.keyWords()
	case "certificate":
		return t.certificateWords()
	default:
		return "ended as success", t.runWords()
	}
}

// proven says under which root and when a signature was made.
func (t *trial) proven() string {
	if t.a.Problem != nil {
		return t.a.Problem.Code
	}
	if t.a.Time.IsZero() {
		return t.a.Root + ", at no proven time"
	}
	return t.a.Root + ", at " + t.a.Time.UTC().Format(time.RFC3339)
}

// runWords says what is known of the run that built.
func (t *trial) runWords() string {
	r, ok := t.j.m.Release.Runs[t.a.Certificate.Run]
	switch {
	case !ok:
		return "nobody asked"
	case r.Problem != nil:
		return r.Problem.Code
	}
	return orNothing(strings.TrimSpace(r.Status + " " + r.Conclusion))
}

// subjectTexts joins something of the first subjects.
func (t *trial) subjectTexts(of func(AttestedSubject) string) string {
	var texts []string
	for _, s := range t.a.Subjects[:min(3, len(t.a.Subjects))] {
		texts = append(texts, of(s))
	}
	if more := len(t.a.Subjects) - len(texts); more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", more))
	}
	return orNothing(strings.Join(texts, ", "))
}

func subjectDigest(s AttestedSubject) string {
	for _, algorithm := range []string{"sha256", "sha512"} {
		if d := s.Digest[algorithm]; d != "" {
			return algorithm + ":" + d
		}
	}
	return strings.Join(keysOf(s.Digest), ", ")
}

func digestText(a Asset) string {
	if a.SHA256 != "" {
		return "sha256:" + a.SHA256
	}
	return "sha512:" + a.SHA512
}

func signerWords(s Signer) string {
	if s.Issuer == "" {
		return orNothing(s.Identity)
	}
	return s.Identity + " (" + s.Issuer + ")"
}

func numbered(text string, id int64) string {
	if id == 0 {
		return text
	}
	return text + " " + strconv.FormatInt(id, 10)
}

func orWord(s, word string) string {
	if s == "" {
		return word
	}
	return s
}
