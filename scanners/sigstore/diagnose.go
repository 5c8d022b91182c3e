package sigstore

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"time"

	"github.com/sigstore/sigstore-go/pkg/tlog"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/signature"

	"github.com/landwaiter/landwaiter/checks"
)

// diagnose says why the library refused a candidate under p. The library's error is a text,
// so it is not read: the library's own stages are run again in its order, and the first
// that fails gives the reason. It costs a second verification, on failures only, and can
// only choose the words of a refusal, never undo one.
func (p *profile) diagnose(c *candidate) *checks.Reason {
	var times []verify.TimestampVerificationResult
	if p.needs.log {
		seen, err := p.verifier.VerifyTransparencyLogInclusion(c.entity)
		if err != nil {
			return p.diagnoseLog(c)
		}
		times = seen
	}
	times, err := p.verifier.VerifyObserverTimestamps(c.entity, times)
	if err != nil {
		return timeUnproven(p.missingTime(c))
	}
	if c.leaf == nil {
		return p.diagnoseKey(c, times)
	}
	var chains [][]*x509.Certificate
	for _, t := range times {
		if chains, err = verify.VerifyLeafCertificate(t.Timestamp, c.leaf, p.material); err != nil {
			return p.diagnoseChain(c, t.Timestamp)
		}
	}
	if p.needs.sct && verify.VerifySignedCertificateTimestamp(chains, 1, p.material) != nil {
		return certificateInvalid("no certificate transparency log that is trusted has seen it")
	}
	if c.subject == "" {
		return certificateInvalid("it carries no identity")
	}
	return signatureInvalid()
}

// missingTime says what about the time is missing.
func (p *profile) missingTime(c *candidate) string {
	stamps, err := c.entity.Timestamps()
	switch {
	case err != nil || len(stamps) == 0:
		return "neither a transparency log nor a timestamp authority signed a time"
	case len(p.material.TimestampingAuthorities()) == 0:
		return "the trust root names no timestamp authority"
	}
	return "its timestamp is not of this signature, or not of a timestamp authority that is trusted"
}

// diagnoseKey says why a signature that needs a key was refused.
func (p *profile) diagnoseKey(c *candidate, times []verify.TimestampVerificationResult) *checks.Reason {
	content, err := c.entity.VerificationContent()
	if err != nil {
		return notReadable("It does not say with which key it was signed.")
	}
	for _, t := range times {
		if !content.ValidAtTime(t.Timestamp, p.material) {
			return timeInvalid("the key was not valid then")
		}
	}
	return otherKey()
}

// diagnoseChain says why the certificate, which the root did issue, was refused at the
// proven time t.
func (p *profile) diagnoseChain(c *candidate, t time.Time) *checks.Reason {
	if t.Before(c.leaf.NotBefore) || t.After(c.leaf.NotAfter) {
		return timeInvalid("it was signed outside the life of its certificate")
	}
	return certificateInvalid("the authority that issued it was not valid at the signing time")
}

// diagnoseLog says why no log entry was accepted.
func (p *profile) diagnoseLog(c *candidate) *checks.Reason {
	entries, err := c.entity.TlogEntries()
	if err != nil {
		return logInvalid("it cannot be read")
	}
	if len(entries) == 0 {
		return logInvalid("there is none")
	}
	known := 0
	for i, e := range entries {
		for _, other := range entries[:i] {
			if e.LogKeyID() == other.LogKeyID() && e.LogIndex() == other.LogIndex() {
				return logInvalid("the same entry stands there twice")
			}
		}
		log, ok := p.material.RekorLogs()[hex.EncodeToString([]byte(e.LogKeyID()))]
		if !ok {
			continue
		}
		known++
		v, err := signature.LoadVerifier(log.PublicKey, log.SignatureHashFunc)
		if err != nil {
			return logInvalid("the key of the log cannot be used")
		}
		if problem := p.diagnoseEntry(c, e, v); problem != nil {
			return problem
		}
	}
	if known == 0 {
		return logInvalid("it is of a log that the trust root does not know")
	}
	return logInvalid("it is about another signature")
}

// diagnoseEntry finds what is wrong inside one entry of a known log, nil when it is about
// something else.
func (p *profile) diagnoseEntry(c *candidate, e *tlog.Entry, v signature.Verifier) *checks.Reason {
	proven := e.HasInclusionProof() && !e.IsRekorV2() && tlog.VerifyInclusion(e, v) == nil
	if e.HasInclusionPromise() && tlog.VerifySET(e, p.material.RekorLogs()) != nil {
		if proven {
			return timeUnproven("the log did not sign the time that its entry carries")
		}
		return logInvalid("the promise is not the log's")
	}
	if e.HasInclusionProof() && !e.IsRekorV2() && !proven {
		return logInvalid("the proof of inclusion does not lead to a checkpoint of the log")
	}
	if !e.IsRekorV2() && !bytes.Equal(e.Signature(), c.signature()) {
		return logInvalid("it is about another signature")
	}
	content, err := c.entity.VerificationContent()
	if err != nil || e.IntegratedTime().IsZero() {
		return nil
	}
	if !content.ValidAtTime(e.IntegratedTime(), p.material) {
		return timeInvalid("the log saw it outside the life of its certificate or key")
	}
	return nil
}
