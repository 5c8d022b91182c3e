package sigstore

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
)

// chain is a root, an intermediate and a leaf, each valid for ten hours longer than what it signs.
type chain struct {
	root, step, leaf          *x509.Certificate
	rootKey, stepKey, leafKey *ecdsa.PrivateKey
}

var chainStart = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

// newChain makes a chain; change may alter the templates before they are signed.
func newChain(t *testing.T, change func(root, step, leaf *x509.Certificate)) *chain {
	t.Helper()
	c := &chain{rootKey: chainKey(t), stepKey: chainKey(t), leafKey: chainKey(t)}
	template := func(name string, serial int64, life time.Duration) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, NotBefore: chainStart, NotAfter: chainStart.Add(life),
			BasicConstraintsValid: true, IsCA: true, MaxPathLen: -1, KeyUsage: x509.KeyUsageCertSign,
		}
	}
	c.root, c.step, c.leaf = template("root", 1, 30*time.Hour), template("step", 2, 20*time.Hour), template("leaf", 3, 10*time.Hour)
	c.leaf.IsCA, c.leaf.KeyUsage, c.leaf.ExtKeyUsage = false, x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
	if change != nil {
		change(c.root, c.step, c.leaf)
	}
	c.root = sign(t, c.root, c.root, c.rootKey, c.rootKey)
	c.step = sign(t, c.step, c.root, c.stepKey, c.rootKey)
	c.leaf = sign(t, c.leaf, c.step, c.leafKey, c.stepKey)
	return c
}

func chainKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sign(t *testing.T, what, by *x509.Certificate, key, signer *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, what, by, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func (c *chain) authority() *root.FulcioCertificateAuthority {
	return &root.FulcioCertificateAuthority{
		Root: c.root, Intermediates: []*x509.Certificate{c.step}, ValidityPeriodStart: chainStart, ValidityPeriodEnd: chainStart.Add(40 * time.Hour),
	}
}

// TestV49SteppedAuthority changes one thing about a chain that holds: the authority that looks at
// its root once says what the library says, at every time.
func TestV49SteppedAuthority(t *testing.T) {
	t.Parallel()
	constraint, err := asn1.Marshal(struct {
		Permitted []struct {
			Base string `asn1:"tag:2"`
		} `asn1:"optional,tag:0"`
	}{})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		change func(root, step, leaf *x509.Certificate)
		after  func(c *chain, ca *root.FulcioCertificateAuthority)
		quick  bool // it is looked at once
		holds  bool // an hour after the start
	}{
		{"baseline", nil, nil, true, true},
		{"V50 leaf is not for code", func(_, _, leaf *x509.Certificate) { leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }, nil, true, false},
		{"V50 intermediate is not for code", func(_, step, _ *x509.Certificate) { step.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }, nil, true, false},
		{"intermediate is for code", func(_, step, _ *x509.Certificate) { step.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning} }, nil, true, true},
		{"root names a use", func(root, _, _ *x509.Certificate) { root.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }, nil, false, false},
		{"root allows no intermediate", func(root, _, _ *x509.Certificate) { root.MaxPathLen, root.MaxPathLenZero = 0, true }, nil, false, false},
		{"root allows one", func(root, _, _ *x509.Certificate) { root.MaxPathLen = 1 }, nil, true, true},
		{"intermediate allows none below", func(_, step, _ *x509.Certificate) { step.MaxPathLen, step.MaxPathLenZero = 0, true }, nil, true, true},
		{"root names domains", func(root, _, _ *x509.Certificate) { root.PermittedDNSDomains = []string{"a.example"} }, nil, false, true},
		{"root has a critical extension", func(root, _, _ *x509.Certificate) {
			root.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: constraint}}
		}, nil, false, false},
		{"leaf has a critical extension", func(_, _, leaf *x509.Certificate) {
			leaf.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: constraint}}
		}, nil, true, false},
		{"intermediate is no authority", func(_, step, _ *x509.Certificate) { step.IsCA, step.KeyUsage = false, x509.KeyUsageDigitalSignature }, nil, false, false},
		{"V50 another root of the same name", nil, func(c *chain, ca *root.FulcioCertificateAuthority) { ca.Root = newChain(t, nil).root }, true, false},
		{"V50 another intermediate of the same name", nil, func(c *chain, ca *root.FulcioCertificateAuthority) { ca.Intermediates[0] = newChain(t, nil).step }, true, false},
		{"V50 a leaf of somebody else", nil, func(c *chain, _ *root.FulcioCertificateAuthority) { c.leaf = newChain(t, nil).leaf }, true, false},
		{"no intermediate", nil, func(c *chain, ca *root.FulcioCertificateAuthority) { ca.Intermediates = nil }, false, false},
		{"two intermediates", nil, func(c *chain, ca *root.FulcioCertificateAuthority) {
			ca.Intermediates = append(ca.Intermediates, newChain(t, nil).step)
		}, false, true},
		{"the authority ended", nil, func(_ *chain, ca *root.FulcioCertificateAuthority) {
			ca.ValidityPeriodEnd = chainStart.Add(time.Minute)
		}, true, false},
		{"the authority began later", nil, func(_ *chain, ca *root.FulcioCertificateAuthority) {
			ca.ValidityPeriodStart = chainStart.Add(2 * time.Hour)
		}, true, false},
		{"without a period", nil, func(_ *chain, ca *root.FulcioCertificateAuthority) {
			ca.ValidityPeriodStart, ca.ValidityPeriodEnd = time.Time{}, time.Time{}
		}, true, true},
		{"the root ended first", func(root, _, _ *x509.Certificate) { root.NotAfter = chainStart.Add(30 * time.Minute) }, nil, true, false},
		{"the intermediate ended first", func(_, step, _ *x509.Certificate) { step.NotAfter = chainStart.Add(30 * time.Minute) }, nil, true, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := newChain(t, test.change)
			ca := c.authority()
			if test.after != nil {
				test.after(c, ca)
			}
			s, quick := newStepped(ca)
			if quick != test.quick {
				t.Errorf("looked at once: %v, want %v", quick, test.quick)
			}
			var ours root.CertificateAuthority = ca
			if quick {
				ours = s
			}
			for _, after := range []time.Duration{
				-time.Second, 0, time.Minute, time.Hour, 10 * time.Hour, 10*time.Hour + time.Second, 20 * time.Hour, 25 * time.Hour, 35 * time.Hour, 50 * time.Hour,
			} {
				at := chainStart.Add(after)
				want, refused := ca.Verify(c.leaf, at)
				got, err := ours.Verify(c.leaf, at)
				if (err == nil) != (refused == nil) || !slices.EqualFunc(got, want, slices.Equal) {
					t.Errorf("after %s: %d chains, %v, the library: %d chains, %v", after, len(got), err, len(want), refused)
				}
				if after == time.Hour && (err == nil) != test.holds {
					t.Errorf("after an hour: %v, want it to hold: %v", err, test.holds)
				}
			}
		})
	}
}

// TestPublicGoodIsStepped: the authority of Sigstore's public instance is looked at once. GitHub's
// has one intermediate certificate more, and is the library's business.
func TestPublicGoodIsStepped(t *testing.T) {
	t.Parallel()
	r, err := embeddedRoot("public-good")
	if err != nil {
		t.Fatal(err)
	}
	all := quickened(r.material).FulcioCertificateAuthorities()
	if s, ok := all[len(all)-1].(*stepped); !ok || !s.signed() || len(all) != len(r.material.FulcioCertificateAuthorities()) {
		t.Errorf("of %d authorities the newest is verified anew each time", len(all))
	}
}
