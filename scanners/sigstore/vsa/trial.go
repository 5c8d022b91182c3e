package vsa

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/summary"
	"github.com/landwaiter/landwaiter/scanners/sigstore/intoto"
)

// trial compares one summary with what is expected, step by step.
type trial struct {
	keys []Key
	want Expected
	now  time.Time

	e         envelope
	statement *intoto.Statement
	result    string
	said      Summary
	about     bool // it names the artifact, whoever signed it
	passed    int
	problem   *checks.Reason
}

// comparison is one step: its name, what it compares, and how people read both sides.
type comparison struct {
	name     string
	do       func(*trial) *checks.Reason
	expected func(*trial) string
	found    func(*trial) string
}

// comparisons are the steps in their order. The first that fails ends the trial.
var comparisons = [...]comparison{
	{"signature", (*trial).signature, (*trial).keyIDs, func(t *trial) string { return t.e.keyID }},
	{"statement", (*trial).read, func(*trial) string { return "in-toto statement of version 0.1 or 1" }, func(*trial) string { return "read" }},
	{"type", (*trial).kind, func(*trial) string { return summary.PredicateType }, (*trial).predicateType},
	{"subject", (*trial).subject, func(t *trial) string { return "sha256:" + t.want.SHA256 }, (*trial).subjects},
	{"fields", (*trial).fields, func(*trial) string { return "verifier, time, resource, policy, result and levels are stated" }, func(*trial) string { return "stated" }},
	{"verifier", (*trial).verifier, func(t *trial) string { return t.want.VerifierID }, func(t *trial) string { return t.said.VerifierID }},
	{"resource", (*trial).resource, func(t *trial) string { return t.want.ResourceURI }, func(t *trial) string { return t.said.ResourceURI }},
	{"time", (*trial).time, func(t *trial) string { return "not after " + t.now.UTC().Format(time.RFC3339) }, func(t *trial) string { return t.said.Time.Format(time.RFC3339) }},
	{"verdict", (*trial).verdict, func(*trial) string { return "PASSED" }, func(t *trial) string { return t.result }},
	{"level", (*trial).level, func(t *trial) string { return "at least build level " + strconv.Itoa(t.want.MinLevel) }, func(t *trial) string { return strings.Join(t.said.Levels, ", ") }},
}

// run compares until something differs.
func (t *trial) run(text []byte) {
	if t.e, t.problem = open(text); t.problem != nil {
		return
	}
	if st, err := intoto.Parse(t.e.payload); err == nil {
		t.about = t.names(st)
	}
	for i, c := range comparisons {
		if t.problem = c.do(t); t.problem != nil {
			t.passed = i
			return
		}
	}
	t.passed = len(comparisons)
}

// near orders trials: a summary about the artifact before those of other assets, and then by
// how far it came.
func (t *trial) near() int {
	if t.about {
		return len(comparisons) + 1 + t.passed
	}
	return t.passed
}

// steps tells how far the trial came.
func (t *trial) steps() []checks.Step {
	list := make([]checks.Step, 0, len(comparisons))
	for i, c := range comparisons {
		s := checks.Step{Name: c.name, State: checks.StepNotReached, Expected: c.expected(t)}
		switch {
		case t.e.payload == nil: // not even an envelope
		case i < t.passed:
			s.State, s.Found = checks.StepHolds, cut(c.found(t))
		case i == t.passed:
			s.State, s.Found = checks.StepFails, cut(c.found(t))
			if (c.name == "fields" || c.name == "statement") && t.problem != nil {
				s.Found = t.problem.Message
			}
		}
		s.Found = cmp.Or(s.Found, "nothing that it states")
		list = append(list, s)
	}
	return list
}

func (t *trial) keyIDs() string {
	var ids []string
	for _, k := range t.keys {
		ids = append(ids, k.ID)
	}
	return "by key " + strings.Join(ids, " or ")
}

// signature tries each key. The id in the envelope is a hint that nobody signed.
func (t *trial) signature() *checks.Reason {
	message := summary.PAE(summary.PayloadType, t.e.payload)
	for _, k := range t.keys {
		if k.holds(message, t.e.signature) {
			t.said.KeyID = k.ID
			return nil
		}
	}
	known := slices.ContainsFunc(t.keys, func(k Key) bool { return k.ID == t.e.keyID })
	if t.e.keyID != "" && !known {
		return because(checks.CodeSignerMismatch, "signed with key %q, which is none of those given; if the verifier has replaced its key, ask it for the new one", cut(t.e.keyID))
	}
	return because(checks.CodeSignatureInvalid, "the signature does not hold: the summary was changed, or another key signed it; do not rely on it")
}

func (t *trial) read() *checks.Reason {
	st, err := intoto.Parse(t.e.payload)
	switch {
	case errors.Is(err, intoto.ErrTooLarge):
		return because(checks.CodeTooLarge, "the statement is too large: %v", err)
	case err != nil:
		return because(checks.CodeStatementInvalid, "the statement is not one that two readers understand alike: %v", err)
	}
	t.statement = st
	return nil
}

func (t *trial) predicateType() string {
	if t.statement == nil {
		return ""
	}
	return t.statement.PredicateType
}

func (t *trial) kind() *checks.Reason {
	if t.statement.PredicateType != summary.PredicateType {
		return because(checks.CodePredicateType, "the statement is of type %q, not %s", cut(t.statement.PredicateType), summary.PredicateType)
	}
	return nil
}

// names reports whether a statement is about the expected bytes.
func (t *trial) names(st *intoto.Statement) bool {
	return slices.ContainsFunc(st.Subjects, func(s checks.AttestedSubject) bool { return s.Digest["sha256"] == t.want.SHA256 })
}

func (t *trial) subjects() string {
	if t.statement == nil {
		return ""
	}
	var list []string
	for _, s := range t.statement.Subjects[:min(3, len(t.statement.Subjects))] {
		list = append(list, "sha256:"+s.Digest["sha256"])
	}
	return strings.Join(list, ", ")
}

func (t *trial) subject() *checks.Reason {
	for _, s := range t.statement.Subjects {
		if s.Digest["sha256"] == t.want.SHA256 {
			t.said.Name = s.Name
			return nil
		}
	}
	return because(checks.CodeDigestMismatch, "the summary is about other bytes (%s); take the one of this file", t.subjects())
}

// fields reads the predicate. Each field that the specification requires must say something.
func (t *trial) fields() *checks.Reason {
	var verifier, policy json.RawMessage
	var at string
	var digest map[string]string
	s := &t.said
	err := exact(t.statement.Predicate, map[string]any{
		"verifier": &verifier, "timeVerified": &at, "resourceUri": &s.ResourceURI, "policy": &policy,
		"verificationResult": &t.result, "verifiedLevels": &s.Levels,
	})
	if err == nil && len(verifier) > 0 {
		err = exact(verifier, map[string]any{"id": &s.VerifierID})
	}
	if err == nil && len(policy) > 0 {
		err = exact(policy, map[string]any{"uri": &s.PolicyURI, "digest": &digest})
	}
	if err != nil {
		return because(checks.CodeSummaryIncomplete, "a field of the summary is of the wrong type")
	}
	if hash := digest["sha256"]; hash != "" {
		s.PolicyHash = "sha256:" + hash
	}
	var parsed error
	s.Time, parsed = time.Parse(time.RFC3339, at)
	s.Time = s.Time.UTC()
	for _, f := range []struct {
		name  string
		empty bool
	}{
		{"verifier.id", s.VerifierID == ""}, {"timeVerified", parsed != nil}, {"resourceUri", s.ResourceURI == ""},
		{"policy.uri", s.PolicyURI == ""}, {"verificationResult", t.result == ""},
		{"verifiedLevels", len(s.Levels) == 0 || slices.Contains(s.Levels, "")},
	} {
		if f.empty {
			return because(checks.CodeSummaryIncomplete, "the summary does not state %s", f.name)
		}
	}
	return nil
}

func (t *trial) verifier() *checks.Reason {
	if t.said.VerifierID != t.want.VerifierID {
		return because(checks.CodeVerifierMismatch, "the summary is by the verifier %q, expected %s", cut(t.said.VerifierID), t.want.VerifierID)
	}
	return nil
}

func (t *trial) resource() *checks.Reason {
	if t.said.ResourceURI != t.want.ResourceURI {
		return because(checks.CodeResourceMismatch, "the summary is about %q, expected %s; the same bytes under another name may be held to another policy", cut(t.said.ResourceURI), t.want.ResourceURI)
	}
	return nil
}

func (t *trial) time() *checks.Reason {
	if t.said.Time.After(t.now.Add(maxAhead)) {
		return because(checks.CodeTimeInvalid, "the summary says that it was verified at %s, which is in the future", t.said.Time.Format(time.RFC3339))
	}
	return nil
}

func (t *trial) verdict() *checks.Reason {
	if t.result != "PASSED" {
		return because(checks.CodeSummaryFailed, "the verifier says %q, not PASSED; do not use the file", cut(t.result))
	}
	return nil
}

// level reads the levels. A track may stand once only: of two levels of one track, a reader
// could take either.
func (t *trial) level() *checks.Reason {
	tracks := map[string]bool{}
	for _, l := range t.said.Levels {
		track, n, ok := strings.Cut(l, "_LEVEL_")
		if !ok || !strings.HasPrefix(track, "SLSA_") {
			continue // a verifier may state properties of its own
		}
		if tracks[track] {
			return because(checks.CodeLevelsConflict, "the summary states two levels of the track %s", cut(track))
		}
		tracks[track] = true
		if track == "SLSA_BUILD" && len(n) == 1 && n >= "0" && n <= "3" {
			t.said.Level = int(n[0] - '0')
		}
	}
	if t.said.Level < t.want.MinLevel {
		return because(checks.CodeLevelNotReached, "the summary states %s, expected at least SLSA_BUILD_LEVEL_%d", cut(strings.Join(t.said.Levels, ", ")), t.want.MinLevel)
	}
	return nil
}
