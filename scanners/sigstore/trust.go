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
	name      string // checks.RootPublicGood, checks.RootGitHub or checks.RootCustom
	source    string // "embedded", "refreshed" or "configured"
	sha256    string
	refreshed time.Time // when a refreshed one was; else zero
	newest    time.Time
	material  *root.TrustedRoot
	// issuers are the raw subjects of all certificates of its authorities. They only choose
	// which root is asked about a certificate; belonging is proven by signature.
	issuers map[string]bool
}

// Snapshot is a trusted_root.json that was refreshed from its source.
type Snapshot struct {
	JSON      []byte
	Refreshed time.Time // when the source last confirmed it
}

// Anchor returns the TUF root from which a refresh of the embedded root called name starts.
func Anchor(name string) ([]byte, error) {
	data, err := snapshots.ReadFile("trust/" + name + "/tuf-root.json")
	if err != nil {
		return nil, fmt.Errorf("reading the embedded TUF root of %s: %w", name, err)
	}
	return data, nil
}

// CheckRoot reports whether data is a trusted_root.json that can be used as the root called
// name.
func CheckRoot(name string, data []byte) error {
	t, err := parseRoot(name, "refreshed", data)
	if err == nil && len(t.issuers) == 0 {
		err = fmt.Errorf("the trusted root %s names no certificate authority", name)
	}
	return err
}

// known returns the root called name: as refreshed, or the embedded one where that is newer,
// as after an upgrade, or nothing was refreshed.
func (c Config) known(name string) (*trustRoot, error) {
	t, err := embeddedRoot(name)
	if err != nil {
		return nil, err
	}
	snapshot, ok := c.Snapshots[name]
	if !ok {
		return t, nil
	}
	r, err := parseRoot(name, "refreshed", snapshot.JSON)
	if err != nil {
		return nil, err
	}
	if r.newest.Before(t.newest) {
		return t, nil
	}
	r.refreshed = snapshot.Refreshed.UTC()
	return r, nil
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
	Source string    // "embedded", "refreshed" or "configured"
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
	at := t.refreshed
	if t.source == "embedded" {
		at = s.refreshed
	}
	if at.After(t.newest) {
		return at
	}
	return t.newest
}

// stale reports whether t is too old to be believed. An operator's own root never is: its
// age is the operator's business.
func (s *Scanner) stale(t *trustRoot) bool {
	return s.maxRootAge > 0 && t.source != "configured" && s.now().Sub(s.since(t)) > s.maxRootAge
}
