package checks

import (
	"slices"
	"time"

	"github.com/landwaiter/landwaiter/checks/pubkey"
	"github.com/landwaiter/landwaiter/checks/strict"
)

// RetiredKey is a key with an announced end.
type RetiredKey struct {
	Key   string    // identity: "pgp:FINGERPRINT", "minisign:NUMBER", "ssh:SHA256:...", "key:sha256:..."
	Until time.Time // the last day on which it may sign, UTC
}

// CertificateRules say what a signing certificate has to keep to beside what its trust root
// demands. The zero value demands nothing.
type CertificateRules struct {
	// MaxLife is how long a certificate may be valid; 0 is any time.
	MaxLife time.Duration
	// Require are facts that it has to state: names of certificateFacts.
	Require []string
	Level   RuleLevel // of both
}

// certificateFacts are the facts that a certificate may state, as the policy names them.
var certificateFacts = map[string]func(Build) string{
	"repository":     func(b Build) string { return b.Repository },
	"repository-id":  func(b Build) string { return b.RepositoryID },
	"owner-id":       func(b Build) string { return b.OwnerID },
	"ref":            func(b Build) string { return b.Ref },
	"commit":         func(b Build) string { return b.Commit },
	"builder":        func(b Build) string { return b.BuilderID },
	"builder-digest": func(b Build) string { return b.BuilderDigest },
	"config":         func(b Build) string { return b.Config },
	"runner":         func(b Build) string { return b.Runner },
	"trigger":        func(b Build) string { return b.Trigger },
	"run":            func(b Build) string { return b.Run },
}

func (d policyReader) memoryKeys(r *MemoryRules) strict.Keys {
	return strict.Keys{
		"signers": func(n strict.Node) { r.Signers = d.askLevel(n) },
		"assets":  func(n strict.Node) { r.Assets = d.level(n) },
	}
}

// askLevel reads a level that may also be to ask release approvers.
func (d policyReader) askLevel(n strict.Node) RuleLevel {
	if s := d.Choice(n, []string{"off", "warn", "block", "ask"}); s != "off" {
		return RuleLevel(s)
	}
	return RuleOff
}

func (d policyReader) retiredKey(n strict.Node, t *TrustRules) {
	k := RetiredKey{}
	d.Section(n, "releases.trust.retired_keys.", strict.Keys{
		"key": func(n strict.Node) {
			if k.Key = d.Text(n); d.Err() == nil && !pubkey.IsIdentity(k.Key) {
				d.Fail(n, "`%s` is not the whole identity of a key, such as pgp: and a fingerprint of 40 digits in upper case", strict.Shown(k.Key))
			}
		},
		"until": func(n strict.Node) { k.Until = d.date(n) },
	})
	switch twin := func(x RetiredKey) bool { return x.Key == k.Key }; {
	case k.Key == "" || k.Until.IsZero():
		d.Fail(n, "a retired key needs `key` and `until`, the last day on which it may sign")
	case slices.ContainsFunc(t.RetiredKeys, twin):
		d.Fail(n, "the key `%s` is there twice", strict.Shown(k.Key))
	}
	t.RetiredKeys = append(t.RetiredKeys, k)
}

func (d policyReader) certificates(n strict.Node, r *CertificateRules) {
	*r = CertificateRules{Level: RuleBlock}
	d.Section(n, "releases.trust.certificates.", strict.Keys{
		"max_life": func(n strict.Node) { r.MaxLife = d.Duration(n, 3650*day) },
		"require": func(n strict.Node) {
			d.List(n, func(n strict.Node) { r.Require = append(r.Require, d.Choice(n, factNames())) })
		},
		"level": func(n strict.Node) { r.Level = d.level(n) },
	})
	if r.MaxLife == 0 && len(r.Require) == 0 {
		d.Fail(n, "needs `max_life`, `require` or both, such as {max_life: 30m, require: [run]}")
	}
}

// factNames are the names of certificateFacts, sorted.
func factNames() []string {
	names := make([]string, 0, len(certificateFacts))
	for name := range certificateFacts {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// date reads a day, in UTC.
func (d policyReader) date(n strict.Node) time.Time {
	t, err := time.Parse(time.DateOnly, d.Text(n))
	if err != nil {
		d.Fail(n, "needs a date such as 2026-12-24")
	}
	return t
}
