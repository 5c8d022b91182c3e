package sigstore

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
)

// stepped is an authority whose intermediate certificate was found to be signed by its root
// once. The library compares that signature anew for every leaf, and on P-384 this is a third
// of what a bundle costs. All else that it asks is asked each time: that every certificate of
// the chain is valid at the time, names, uses, and the signature of the leaf.
type stepped struct {
	*root.FulcioCertificateAuthority
	pool   *x509.CertPool // the intermediate certificate alone
	signed func() bool    // whether its root signed it; computed once, when first asked
}

// plainExtensions are those of a root certificate that ask nothing of certificates two steps
// below it: key identifiers, key usage and basic constraints (RFC 5280, section 4.2.1).
var plainExtensions = []asn1.ObjectIdentifier{{2, 5, 29, 14}, {2, 5, 29, 15}, {2, 5, 29, 19}, {2, 5, 29, 35}}

// newStepped returns ca as a stepped authority. ok is false when its chain has another shape
// than one intermediate below a root that asks nothing else of what is below; then only the
// library judges.
func newStepped(ca *root.FulcioCertificateAuthority) (s *stepped, ok bool) {
	if len(ca.Intermediates) != 1 {
		return nil, false
	}
	top, step := ca.Root, ca.Intermediates[0]
	for _, e := range top.Extensions {
		if !slices.ContainsFunc(plainExtensions, e.Id.Equal) {
			return nil, false
		}
	}
	deep := !top.BasicConstraintsValid || !top.IsCA || top.MaxPathLen == 0
	if deep || len(top.UnhandledCriticalExtensions) > 0 || !step.BasicConstraintsValid || !step.IsCA ||
		!bytes.Equal(step.RawIssuer, top.RawSubject) || bytes.Equal(step.RawSubject, top.RawSubject) {
		return nil, false
	}
	s = &stepped{FulcioCertificateAuthority: ca, pool: x509.NewCertPool()}
	s.pool.AddCert(step)
	s.signed = sync.OnceValue(func() bool { return step.CheckSignatureFrom(top) == nil })
	return s, true
}

// Verify returns the chains from cert to the root that hold at a time, as the library's
// authority does.
func (s *stepped) Verify(cert *x509.Certificate, at time.Time) ([][]*x509.Certificate, error) {
	for _, period := range [][2]time.Time{{s.ValidityPeriodStart, s.ValidityPeriodEnd}, {s.Root.NotBefore, s.Root.NotAfter}} {
		if !period[0].IsZero() && at.Before(period[0]) || !period[1].IsZero() && at.After(period[1]) {
			return nil, fmt.Errorf("the authority was not valid at %s", at.UTC().Format(time.RFC3339))
		}
	}
	if !s.signed() {
		return s.FulcioCertificateAuthority.Verify(cert, at)
	}
	chains, err := cert.Verify(x509.VerifyOptions{
		CurrentTime: at, Roots: s.pool, Intermediates: x509.NewCertPool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
	})
	if err != nil {
		return nil, err
	}
	for i := range chains {
		chains[i] = append(chains[i], s.Root)
	}
	return chains, nil
}

// quickMaterial is a trust root whose authorities are stepped where they can be.
type quickMaterial struct {
	root.TrustedMaterial
	authorities []root.CertificateAuthority
}

// FulcioCertificateAuthorities returns the authorities of the root, in its order.
func (q quickMaterial) FulcioCertificateAuthorities() []root.CertificateAuthority {
	return q.authorities
}

// quickened returns m with stepped authorities.
func quickened(m root.TrustedMaterial) root.TrustedMaterial {
	q := quickMaterial{TrustedMaterial: m}
	for _, ca := range m.FulcioCertificateAuthorities() {
		if f, ok := ca.(*root.FulcioCertificateAuthority); ok {
			if s, ok := newStepped(f); ok {
				ca = s
			}
		}
		q.authorities = append(q.authorities, ca)
	}
	return q
}

// bringsNone reports whether an entity brings no intermediate certificates of its own, which
// the library would add to those of the root.
func bringsNone(entity verify.SignedEntity) bool {
	content, err := entity.VerificationContent()
	return err == nil && len(content.Intermediates()) == 0
}
