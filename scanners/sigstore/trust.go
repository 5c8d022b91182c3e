package sigstore

import (
	"crypto/sha256"
	"crypto/x509"
	"embed"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/landwaiter/landwaiter/checks"
)

// snapshots are the embedded trust roots, the npm registry's keys, and the TUF roots from
// which a refresh starts. trust/README.md says where each comes from.
//
//go:embed trust
var snapshots embed.FS

// trustRoot is one parsed trusted_root.json. Nothing changes it after New.
type trustRoot struct {
	name     string // checks.RootPublicGood, checks.RootGitHub or checks.RootCustom
	source   string // "embedded" or "configured"
	sha256   string
	newest   time.Time
	material *root.TrustedRoot
	// issuers are the raw subjects of all certificates of its authorities. They only choose
	// which root is asked about a certificate; belonging is proven by signature.
	issuers map[string]bool
}

// embeddedRoot parses the snapshot of the root called name.
func embeddedRoot(name string) (*trustRoot, error) {
	path := "trust/" + name + "/trusted_root.json"
	data, err := snapshots.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading embedded %s: %w", path, err)
	}
	return parseRoot(name, "embedded", data)
}

func parseRoot(name, source string, data []byte) (*trustRoot, error) {
	material, err := root.NewTrustedRootFromJSON(data)
	if err != nil {
		return nil, fmt.Errorf("parsing the %s trusted root %s: %w", source, name, err)
	}
	sum := sha256.Sum256(data)
	t := &trustRoot{
		name: name, source: source, sha256: hex.EncodeToString(sum[:]),
		material: material, issuers: map[string]bool{},
	}
	for _, ca := range material.FulcioCertificateAuthorities() {
		f, ok := ca.(*root.FulcioCertificateAuthority)
		if !ok {
			return nil, fmt.Errorf("parsing the %s trusted root %s: an authority of unknown kind", source, name)
		}
		t.see(f.ValidityPeriodStart)
		for _, c := range append([]*x509.Certificate{f.Root}, f.Intermediates...) {
			t.issuers[string(c.RawSubject)] = true
		}
	}
	for _, tsa := range material.TimestampingAuthorities() {
		if s, ok := tsa.(*root.SigstoreTimestampingAuthority); ok {
			t.see(s.ValidityPeriodStart)
		}
	}
	for _, log := range material.RekorLogs() {
		t.see(log.ValidityPeriodStart)
	}
	for _, log := range material.CTLogs() {
		t.see(log.ValidityPeriodStart)
	}
	return t, nil
}

// see moves the newest validity start forward.
func (t *trustRoot) see(start time.Time) {
	if start.After(t.newest) {
		t.newest = start.UTC()
	}
}

// names reports whether the issuer named in leaf is one of the root's certificates.
func (t *trustRoot) names(leaf *x509.Certificate) bool {
	return t.issuers[string(leaf.RawIssuer)]
}

// issued reports whether leaf was really issued under the root, whatever its time.
func (t *trustRoot) issued(leaf *x509.Certificate) bool {
	for _, ca := range t.material.FulcioCertificateAuthorities() {
		if _, err := ca.Verify(leaf, leaf.NotBefore); err == nil {
			return true
		}
	}
	return false
}

// TrustStatus tells which trust root is in use and how old it is.
type TrustStatus struct {
	Root   string    // checks.RootPublicGood, checks.RootGitHub or checks.RootCustom
	Source string    // "embedded" or "configured"
	SHA256 string    // hexadecimal digest of the trusted_root.json
	Newest time.Time // newest validity start it contains, UTC: the file is no older than this
	Since  time.Time // when it was last known to be current, UTC
	Stale  bool      // Since is longer ago than Config.MaxRootAge
}

// TrustStatus returns one row for each trust root, the operator's own last.
func (s *Scanner) TrustStatus() []TrustStatus {
	var rows []TrustStatus
	for _, name := range []string{checks.RootPublicGood, checks.RootGitHub, checks.RootCustom} {
		t := s.roots[name]
		if t == nil {
			continue
		}
		rows = append(rows, TrustStatus{
			Root: t.name, Source: t.source, SHA256: t.sha256, Newest: t.newest,
			Since: s.since(t), Stale: s.stale(t),
		})
	}
	return rows
}

// since returns when t was last known to be current.
func (s *Scanner) since(t *trustRoot) time.Time {
	if t.source == "embedded" && s.refreshed.After(t.newest) {
		return s.refreshed
	}
	return t.newest
}

// stale reports whether t is too old to be believed. An operator's own root never is: its
// age is the operator's business.
func (s *Scanner) stale(t *trustRoot) bool {
	return s.maxRootAge > 0 && t.source == "embedded" && s.now().Sub(s.since(t)) > s.maxRootAge
}
