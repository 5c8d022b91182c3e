package sigstore

import (
	"fmt"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/landwaiter/landwaiter/checks"
)

// releaseSigner is the identity with which GitHub signs attestations of immutable releases.
// Its certificates carry no issuer and no build extensions.
const releaseSigner = "https://dotcom.releases.github.com"

// profile is one trust root together with everything that a signature under it must prove.
// There is one constructor per trust root and nothing else chooses options (THREATS.md,
// section 2, rule 3): what is required never follows from the bundle.
type profile struct {
	root     string // the name that Attestation.Root shows
	trust    *trustRoot
	material root.TrustedMaterial
	verifier *verify.Verifier
	// quick does the same for what brings no certificates but its own; see stepped.
	quick   *verify.Verifier
	accepts verify.PolicyOption
	needs   proofs
	// signer is the identity "key:sha256:..." of a profile for one key.
	signer string
}

// proofs says what a profile asks for beside a certificate chain and the signature.
type proofs struct {
	sct    bool // a signed certificate timestamp of a known log in the certificate
	log    bool // an entry of a known transparency log
	signed bool // an RFC 3161 timestamp of a known authority, and no other time
	none   bool // no time at all: a long-lived key
}

// options are the library's options for the proofs asked for.
func (p proofs) options() []verify.VerifierOption {
	if p.none {
		return []verify.VerifierOption{verify.WithNoObserverTimestamps()}
	}
	var o []verify.VerifierOption
	if p.sct {
		o = append(o, verify.WithSignedCertificateTimestamps(1))
	}
	if p.log {
		o = append(o, verify.WithTransparencyLog(1))
	}
	if p.signed {
		return append(o, verify.WithSignedTimestamps(1))
	}
	return append(o, verify.WithObserverTimestamps(1))
}

func newProfile(name string, t *trustRoot, m root.TrustedMaterial, n proofs, accepts verify.PolicyOption) (*profile, error) {
	v, err := verify.NewVerifier(m, n.options()...)
	if err != nil {
		return nil, fmt.Errorf("setting up verification under the root %s: %w", name, err)
	}
	quick, err := verify.NewVerifier(quickened(m), n.options()...)
	if err != nil {
		return nil, fmt.Errorf("setting up verification under the root %s: %w", name, err)
	}
	return &profile{root: name, trust: t, material: m, verifier: v, quick: quick, accepts: accepts, needs: n}, nil
}

// publicGood is Sigstore's public instance: certificate with SCT, log entry, observed time.
func publicGood(t *trustRoot) (*profile, error) {
	accepts, err := anyone()
	if err != nil {
		return nil, err
	}
	return newProfile(checks.RootPublicGood, t, t.material, proofs{sct: true, log: true}, accepts)
}

// githubInstance is GitHub's own instance: a signed timestamp, no log.
func githubInstance(t *trustRoot) (*profile, error) {
	accepts, err := anyone()
	if err != nil {
		return nil, err
	}
	return newProfile(checks.RootGitHub, t, t.material, proofs{signed: true}, accepts)
}

// githubRelease is GitHub's own instance speaking of an immutable release. It is the only
// profile that yields AttestationRelease, and it accepts GitHub's release signer only:
// anybody can sign a statement with that predicate type.
func githubRelease(t *trustRoot) (*profile, error) {
	accepts, err := identity(releaseSigner, "")
	if err != nil {
		return nil, err
	}
	return newProfile(checks.RootGitHub, t, t.material, proofs{signed: true}, accepts)
}

// custom is the operator's own root. It asks for everything that the root makes possible.
func custom(t *trustRoot) (*profile, error) {
	accepts, err := anyone()
	if err != nil {
		return nil, err
	}
	n, err := derived(t)
	if err != nil {
		return nil, err
	}
	return newProfile(checks.RootCustom, t, t.material, n, accepts)
}

// derived returns the proofs that the operator's root makes possible: with a log the log is
// required, with timestamp authorities only a signed timestamp is.
func derived(t *trustRoot) (proofs, error) {
	n := proofs{
		sct:    len(t.material.CTLogs()) > 0,
		log:    len(t.material.RekorLogs()) > 0,
		signed: len(t.material.RekorLogs()) == 0,
	}
	if n.signed && len(t.material.TimestampingAuthorities()) == 0 {
		return n, fmt.Errorf("the trusted root names neither a transparency log nor a timestamp authority, so no signing time can be proven: add one")
	}
	return n, nil
}

// anyone accepts every identity that a certificate of the root can carry. Whether the
// signer is acceptable is the policy's question and is asked later, by checks, about the
// values that verification returns. The library compares identities only with what it is
// given, and its way to skip the comparison also skips the demand that there be a
// certificate with a subject at all, so it is given expressions that match everything.
func anyone() (verify.PolicyOption, error) { return identity("", ".*") }

// identity accepts the subject san exactly, or those that match pattern. The issuer is free.
func identity(san, pattern string) (verify.PolicyOption, error) {
	subject, err := verify.NewSANMatcher(san, pattern)
	if err != nil {
		return nil, fmt.Errorf("compiling the subject expression: %w", err)
	}
	issuer, err := verify.NewIssuerMatcher("", ".*")
	if err != nil {
		return nil, fmt.Errorf("compiling the issuer expression: %w", err)
	}
	id, err := verify.NewCertificateIdentity(subject, issuer, certificate.Extensions{})
	if err != nil {
		return nil, fmt.Errorf("building the accepted identity: %w", err)
	}
	return verify.WithCertificateIdentity(id), nil
}
