package sigstore

import (
	"time"

	"github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/sigstore/intoto"
)

// skew is how far a signing time may lie ahead of our clock (THREATS.md V45).
const skew = 5 * time.Minute

// facts fills what is proven, and refuses what the library lets pass.
func (s *Scanner) facts(c *candidate, p *profile, r *verify.VerificationResult) *checks.Reason {
	c.out.Root = p.root
	c.out.Signer = checks.Signer{Identity: p.signer}
	if summary := r.Signature.Certificate; summary != nil {
		c.out.Signer = checks.Signer{Issuer: summary.Issuer, Identity: summary.SubjectAlternativeName}
		c.out.Certificate = certified(summary)
		if c.leaf != nil {
			c.out.NotBefore, c.out.NotAfter = c.leaf.NotBefore.UTC(), c.leaf.NotAfter.UTC()
		}
	}
	if c.statement != nil {
		c.out.Claim = c.statement.Claim()
	}
	if p == s.release {
		c.out.Kind = checks.AttestationRelease
	}
	for _, t := range r.VerifiedTimestamps {
		if c.out.Time.IsZero() || t.Timestamp.Before(c.out.Time) {
			c.out.Time = t.Timestamp.UTC()
		}
	}
	return s.refuse(c, p, r)
}

// refuse finds what the library accepts and we do not.
func (s *Scanner) refuse(c *candidate, p *profile, r *verify.VerificationResult) *checks.Reason {
	limit := s.now().Add(skew)
	for _, t := range r.VerifiedTimestamps {
		if t.Timestamp.After(limit) {
			return timeInvalid("it lies in the future, at " + t.Timestamp.UTC().Format(time.RFC3339))
		}
	}
	if !sameStatement(c.statement, r) {
		return statementInvalid("two parsers read it differently")
	}
	if c.leaf != nil {
		if !soleSubject(c.leaf) {
			return severalSubjects()
		}
		if what := contradiction(c.leaf); what != "" {
			return extensionsDisagree(what)
		}
	}
	if s.requireProof && p.needs.log {
		for _, e := range c.entity.GetVerificationMaterial().GetTlogEntries() {
			if e.GetInclusionProof() == nil {
				return promiseOnly()
			}
		}
	}
	if p.trust != nil && s.stale(p.trust) {
		return rootStale()
	}
	return nil
}

// sameStatement reports whether the library read the statement as we did.
func sameStatement(ours *intoto.Statement, r *verify.VerificationResult) bool {
	theirs := r.Statement
	if ours == nil || theirs == nil {
		return ours == nil && theirs == nil
	}
	if ours.PredicateType != theirs.GetPredicateType() || len(ours.Subjects) != len(theirs.GetSubject()) {
		return false
	}
	for i, s := range theirs.GetSubject() {
		o := ours.Subjects[i]
		if o.Name != s.GetName() || o.URI != s.GetUri() || len(o.Digest) != len(s.GetDigest()) {
			return false
		}
	}
	return true
}
