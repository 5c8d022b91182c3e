// Package vsa verifies SLSA verification summaries: that a verifier whose key is known said of
// these bytes, under this name, that they passed, and to which level.
//
// It owns the rules by which a summary is believed (THREATS V71): one signature by a known
// key, a strict statement, and each expected value compared with what is said. It reads no
// file and never guesses an expected value: an empty one is an error. Start reading at Verify.
//
// https://slsa.dev/spec/v1.0/verification_summary, "How to verify"
package vsa

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/landwaiter/landwaiter/checks"
)

const (
	// maxFile is the most that is read of summaries, in bytes; THREATS V60.
	maxFile = 8 << 20
	// maxEnvelopes is the most summaries in a file: a release has at most 1,000 assets
	// (docs.github.com, "About releases", limits).
	maxEnvelopes = 2000
	// maxAhead is how far a time of verification may lie ahead of our clock.
	maxAhead = 5 * time.Minute
)

// Expected is what a summary must say. None of it may be empty.
type Expected struct {
	SHA256      string // of the artifact, hexadecimal
	VerifierID  string // verifier.id, compared whole
	ResourceURI string // resourceUri, compared whole
	MinLevel    int    // lowest acceptable level of the build track, 0 to 3; 0 takes one that was not evaluated
}

func (e Expected) check() error {
	digest, err := hex.DecodeString(e.SHA256)
	switch {
	case err != nil || len(digest) != 32:
		return errors.New("the expected digest is no SHA-256")
	case !isURI(e.VerifierID):
		return fmt.Errorf("the expected verifier id %q is not a URI", e.VerifierID)
	case !isURI(e.ResourceURI):
		return fmt.Errorf("the expected resource %q is not a URI", e.ResourceURI)
	case e.MinLevel < 0 || e.MinLevel > 3:
		return fmt.Errorf("the expected level %d is not between 0 and 3", e.MinLevel)
	}
	return nil
}

func isURI(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme != ""
}

// Summary is what a verified summary says. All of it is the verifier's word.
type Summary struct {
	Name        string // of the subject; hostile
	VerifierID  string
	ResourceURI string
	Time        time.Time // of verification, UTC
	PolicyURI   string
	PolicyHash  string // "sha256:..." as far as the summary states one
	Levels      []string
	Level       int // of the build track; 0 when it was not evaluated
	KeyID       string
}

// Outcome is how the verification of a file of summaries ended.
type Outcome struct {
	// Problem says why no summary in the file is what is expected; nil when one is.
	Problem *checks.Reason
	Summary Summary // what the summary says that is shown; complete only without a Problem
	Steps   []checks.Step
}

// Verify looks in file, which holds DSSE envelopes one after the other, for a summary that a
// key of keys signed and that says what is expected. The Outcome is of that one, or of the one
// that came nearest. An error means that the call makes no sense: no keys, or an expected
// value that is empty.
func Verify(file []byte, keys []Key, want Expected, now time.Time) (Outcome, error) {
	if err := want.check(); err != nil {
		return Outcome{}, err
	}
	if len(keys) == 0 {
		return Outcome{}, errors.New("no public key is given")
	}
	want.SHA256 = strings.ToLower(want.SHA256)
	texts, problem := split(file)
	if problem != nil {
		return Outcome{Problem: problem}, nil
	}
	var best *trial
	for _, text := range texts {
		t := &trial{keys: keys, want: want, now: now}
		t.run(text)
		if best == nil || t.near() > best.near() {
			best = t
		}
		if t.problem == nil {
			break
		}
	}
	return Outcome{Problem: best.problem, Summary: best.said, Steps: best.steps()}, nil
}

func because(code, format string, args ...any) *checks.Reason {
	return &checks.Reason{Rule: "verification-summary", Code: code, Message: fmt.Sprintf(format, args...)}
}
