// Package sigstore verifies signatures: from the assets of a release and the bundles found
// for them it makes checks.Attestation values that say who signed what, when, and under
// which trust root.
//
// It owns sigstore-go and the embedded trust roots. It reads Material.Release and nothing
// else: no network, no disk, no clock but Config.Now. It never compares a signer with a
// Policy and never forms a Verdict; a failed proof becomes an Attestation with a Problem.
//
// Start reading at Scanner.Scan, then follow one piece of evidence: split.go cuts files into
// pieces, examine.go reads a piece without believing it, verify.go asks the library under one
// root of profile.go, reason.go names what went wrong. docs/verification.md is the same
// walk for people.
package sigstore

import (
	"context"
	"time"

	"github.com/landwaiter/landwaiter/checks"
)

// Config says what to trust beside the embedded roots. The zero Config is usable.
type Config struct {
	// TrustedRoot is a trusted_root.json for checks.RootCustom; nil means there is none. What
	// is required of signatures under it follows from what it contains, never from a bundle.
	TrustedRoot []byte
	// Keys are PEM public keys for checks.RootKey, tried beside Release.Keys.
	Keys [][]byte
	// RequireProof refuses log entries that carry the log's promise but no proof of inclusion.
	RequireProof bool
	// Refreshed is when the embedded roots were last compared with their source. The zero
	// time means never: then they count from their newest validity start.
	Refreshed time.Time
	// MaxRootAge is how long after Refreshed the embedded roots are believed; 0 means forever.
	MaxRootAge time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Scanner verifies the evidence of releases. It is safe for use by several goroutines.
type Scanner struct {
	now func() time.Time
}

// New parses the trust roots and returns a Scanner. An error names the part of c that
// cannot be used.
func New(c Config) (*Scanner, error) {
	s := &Scanner{now: c.Now}
	if s.now == nil {
		s.now = time.Now
	}
	return s, nil
}

// Name returns "sigstore".
func (s *Scanner) Name() string { return "sigstore" }

// Scan verifies each piece of evidence of m.Release. Failures are Attestations with a
// Problem; the only error is that of ctx.
func (s *Scanner) Scan(ctx context.Context, m *checks.Material) (checks.Evidence, error) {
	return checks.Evidence{Scanner: s.Name()}, ctx.Err()
}

// TrustStatus tells which trust root is in use and how old it is.
type TrustStatus struct {
	Root   string    // checks.RootPublicGood, checks.RootGitHub or checks.RootCustom
	Source string    // "embedded" or "configured"
	SHA256 string    // hexadecimal digest of the trusted_root.json
	Newest time.Time // newest validity start it contains, UTC: it is no older than this
	Since  time.Time // when it was last known to be current, UTC
	Stale  bool      // older than Config.MaxRootAge
}

// TrustStatus returns one row for each trust root, in the order in which they are tried.
func (s *Scanner) TrustStatus() []TrustStatus { return nil }
