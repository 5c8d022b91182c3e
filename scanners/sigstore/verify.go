package sigstore

import (
	"crypto/x509"
	"slices"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/tlog"
	"github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/pubkey"
	"github.com/landwaiter/landwaiter/scanners/sigstore/intoto"
)

// trusted is what one Scan may rely on, as Release.Roots says.
type trusted struct {
	names []string // the roots allowed, in their order
	roots []*profile
	keys  []*trustedKey
	plain []pubkey.Key // of OpenPGP, minisign and SSH
}

func digestOf(sha256 []byte) verify.ArtifactDigest {
	return verify.ArtifactDigest{Algorithm: "sha256", Digest: sha256}
}

// guard runs one step on c unless an earlier one found a Problem. A panic becomes a Problem
// of this candidate alone.
func (s *Scanner) guard(c *candidate, step string, do func() *checks.Reason) {
	if c.out.Problem != nil {
		return
	}
	defer func() {
		if r := recover(); r != nil {
			c.out.Problem = fault(step, r)
		}
	}()
	c.out.Problem = do()
	if s.after == nil || c.out.Problem != nil {
		return
	}
	if err := s.after(step); err != nil {
		c.out.Problem = fault(step, err)
	}
}

// prove does the cryptography of c, which names at least one usable asset, and completes
// what is reported.
func (s *Scanner) prove(c *candidate, shelf *shelf, t trusted) {
	if c.plain != nil {
		s.guard(c, "verifying the signature", func() *checks.Reason { return s.provePlain(c, shelf, t) })
		return
	}
	var by *profile
	var result *verify.VerificationResult
	s.guard(c, "verifying the signature", func() *checks.Reason {
		var problem *checks.Reason
		by, result, problem = s.verify(c, t)
		return problem
	})
	s.guard(c, "reading the proven facts", func() *checks.Reason { return s.facts(c, by, result) })
}

// verify asks each profile that can speak about c until one accepts it.
func (s *Scanner) verify(c *candidate, t trusted) (*profile, *verify.VerificationResult, *checks.Reason) {
	switch {
	case c.form == formEnvelope:
		if by, result, problem := s.verifyKeys(c, t.keys); problem == nil {
			return by, result, nil
		}
		return nil, nil, envelopeAlone()
	case c.pair != nil:
		return s.verifyDetached(c, t)
	case c.leaf == nil:
		return s.verifyKeys(c, s.keysFor(c, t))
	}
	return s.verifyCertificate(c, t)
}

// verifyCertificate asks the roots whose names the certificate carries. Names only choose
// whom to ask and what to say; the library decides.
func (s *Scanner) verifyCertificate(c *candidate, t trusted) (*profile, *verify.VerificationResult, *checks.Reason) {
	asked := t.roots
	if c.statement != nil && intoto.IsRelease(c.statement.PredicateType) {
		if c.subject != releaseSigner {
			return nil, nil, notReleaseSigner()
		}
		asked = []*profile{s.release}
	}
	if problem := c.load(c.proto); problem != nil {
		return nil, nil, problem
	}
	var refusal *checks.Reason
	for _, p := range asked {
		if !p.trust.names(c.leaf) {
			continue
		}
		result, err := p.ask(c)
		if err == nil {
			return p, result, nil
		}
		if refusal == nil && p.trust.issued(c.leaf) {
			refusal = p.diagnose(c)
		}
	}
	if refusal == nil {
		refusal = s.stranger(c, asked, t.names)
	}
	return nil, nil, refusal
}

// stranger says why a certificate that no root asked has issued is refused.
func (s *Scanner) stranger(c *candidate, asked []*profile, names []string) *checks.Reason {
	if !slices.Contains(c.leaf.ExtKeyUsage, x509.ExtKeyUsageCodeSigning) {
		return certificateInvalid("it is not meant for signing code")
	}
	if other := s.issuer(c, asked); other != "" {
		return wrongRoot(other, names)
	}
	return certificateInvalid("no authority that is trusted here issued it")
}

// issuer names the known root that really issued the certificate of c and is not among
// those asked; "" when none did.
func (s *Scanner) issuer(c *candidate, asked []*profile) string {
	for _, name := range []string{checks.RootPublicGood, checks.RootGitHub, checks.RootCustom} {
		r := s.roots[name]
		if r == nil || slices.ContainsFunc(asked, func(p *profile) bool { return p.trust == r }) {
			continue
		}
		if r.issued(c.leaf) {
			return name
		}
	}
	return ""
}

// keysFor returns the keys that may have signed c. The npm registry's keys answer to their
// own names only, and only where the public root counts.
func (s *Scanner) keysFor(c *candidate, t trusted) []*trustedKey {
	found := t.keys
	if slices.Contains(t.names, checks.RootPublicGood) {
		for _, k := range s.npm {
			if k.hint == c.hint {
				found = append(slices.Clone(found), k)
			}
		}
	}
	return found
}

// verifyKeys tries each key.
func (s *Scanner) verifyKeys(c *candidate, tried []*trustedKey) (*profile, *verify.VerificationResult, *checks.Reason) {
	if len(tried) == 0 {
		return nil, nil, noKey()
	}
	if problem := c.load(c.proto); problem != nil {
		return nil, nil, problem
	}
	var refusal *checks.Reason
	for _, k := range tried {
		p := k.envelope
		if c.statement == nil {
			p = k.message
		}
		result, err := p.ask(c)
		if err == nil {
			return p, result, nil
		}
		switch {
		case k.pure && c.statement == nil && refusal == nil:
			refusal = notReadable("A plain Ed25519 signature of a file cannot be checked by the file's digest. Sign with ECDSA, RSA, or prehashed Ed25519.")
		case refusal == nil || refusal.Code == checks.CodeSignatureInvalid:
			refusal = p.diagnose(c)
		}
	}
	return nil, nil, refusal
}

// verifyDetached tries the keys first, as a key needs no log entry, then the certificate.
func (s *Scanner) verifyDetached(c *candidate, t trusted) (*profile, *verify.VerificationResult, *checks.Reason) {
	digest, leaf := c.digests[0].Digest, c.leaf
	if leaf == nil || len(t.keys) > 0 {
		c.proto, c.leaf = c.pair.bundle(digest, true), nil
		by, result, problem := s.verifyKeys(c, t.keys)
		if problem == nil || leaf == nil {
			return by, result, problem
		}
	}
	c.leaf = leaf
	if c.pair.entry == nil {
		return nil, nil, signatureAlone()
	}
	c.proto = c.pair.bundle(digest, false)
	return s.verifyCertificate(c, t)
}

// load makes of the parsed JSON what the library verifies.
func (c *candidate) load(p *protobundle.Bundle) *checks.Reason {
	entity, err := bundle.NewBundle(p)
	if err == nil {
		c.entity = entity
		return nil
	}
	proofs, promises := 0, 0
	entries := p.GetVerificationMaterial().GetTlogEntries()
	for _, e := range entries {
		if _, err := tlog.ParseTransparencyLogEntry(e); err != nil {
			return logInvalid("it cannot be read")
		}
		if e.GetInclusionProof() != nil {
			proofs++
		}
		if len(e.GetInclusionPromise().GetSignedEntryTimestamp()) > 0 {
			promises++
		}
	}
	switch {
	case len(entries) > 0 && proofs == 0:
		return proofMissing()
	case len(entries) > 0 && promises == 0:
		return timeUnproven("a bundle of version 0.1 needs the log's promise, and there is none")
	}
	return notReadable("The bundle breaks the rules of its version: " + cut(err.Error()) + ".")
}

// ask lets the library verify c under p: log, time, certificate, signature, and that the
// statement or signature is about the bytes we hashed.
func (p *profile) ask(c *candidate) (*verify.VerificationResult, error) {
	artifact := verify.WithArtifactDigests(c.digests)
	if c.statement == nil {
		artifact = verify.WithArtifactDigest(c.digests[0].Algorithm, c.digests[0].Digest)
	}
	by := p.verifier
	if c.leaf != nil && bringsNone(c.entity) {
		by = p.quick
	}
	return by.Verify(c.entity, verify.NewPolicy(artifact, p.accepts))
}
