// Package sigstoretest is a Sigstore instance for tests: a certificate authority, a
// certificate transparency log, a transparency log and a timestamp authority, whose bundles
// and trusted_root.json are real in every part, with keys made for one test.
//
// It owns keys and shapes of evidence. A test takes a bundle that verifies, changes one
// thing, and asserts the reason; an unchanged bundle that does not verify is a broken
// fixture. Nothing but tests may import it. Start reading at New and Instance.Sign.
package sigstoretest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"math/big"
	"testing"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
)

// Options say what sort of instance to make.
type Options struct {
	// Now is the time around which everything is valid, and the default signing time. The
	// zero time means the present.
	Now time.Time
	// Private makes an instance like GitHub's own: timestamps, no logs. Otherwise it is like
	// the public one: certificate transparency, a transparency log that signs times.
	Private bool
	// Stamps adds a timestamp authority to an instance that is not private.
	Stamps bool
}

// Instance is one Sigstore instance.
type Instance struct {
	now     time.Time
	private bool
	stamps  bool

	root, intermediate, stamper *authority
	log, transparency           *ecdsa.PrivateKey
}

// authority is a certificate with its key.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// year is long enough for what a test does around Now.
const year = 365 * 24 * time.Hour

// New makes an instance. Its names are those of Sigstore's public instance, so that only
// signatures tell the two apart.
func New(t testing.TB, o Options) *Instance {
	t.Helper()
	i := &Instance{now: o.Now, private: o.Private, stamps: o.Private || o.Stamps, log: newKey(t), transparency: newKey(t)}
	if i.now.IsZero() {
		i.now = time.Now()
	}
	i.now = i.now.UTC().Truncate(time.Second)
	ca := func(name string, usage ...x509.ExtKeyUsage) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: serial(t), Subject: pkix.Name{CommonName: name, Organization: []string{"sigstore.dev"}},
			NotBefore: i.now.Add(-5 * year), NotAfter: i.now.Add(5 * year),
			KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, ExtKeyUsage: usage, BasicConstraintsValid: true, IsCA: true,
		}
	}
	i.root = issue(t, ca("sigstore"), nil)
	i.intermediate = issue(t, ca("sigstore-intermediate", x509.ExtKeyUsageCodeSigning), i.root)
	usage, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	check(t, "encoding the usage of the timestamp authority", err)
	i.stamper = issue(t, &x509.Certificate{
		SerialNumber: serial(t), Subject: pkix.Name{CommonName: "timestamps"},
		NotBefore: i.now.Add(-5 * year), NotAfter: i.now.Add(5 * year), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: usage}},
	}, i.root)
	return i
}

// Now returns the default signing time.
func (i *Instance) Now() time.Time { return i.now }

// TrustedRoot returns the instance's trusted_root.json.
func (i *Instance) TrustedRoot(t testing.TB) []byte {
	t.Helper()
	start, end := i.now.Add(-5*year), i.now.Add(5*year)
	logs, transparency := map[string]*root.TransparencyLog{}, map[string]*root.TransparencyLog{}
	if !i.private {
		logs[hex.EncodeToString(keyID(t, i.log))] = known(t, "https://rekor.localhost", i.log, start, end)
		transparency[hex.EncodeToString(keyID(t, i.transparency))] = known(t, "https://ct.localhost", i.transparency, start, end)
	}
	var stampers []root.TimestampingAuthority
	if i.stamps {
		stampers = append(stampers, &root.SigstoreTimestampingAuthority{
			URI: "https://timestamps.localhost", Root: i.root.certificate, Leaf: i.stamper.certificate,
			ValidityPeriodStart: start, ValidityPeriodEnd: end,
		})
	}
	r, err := root.NewTrustedRoot(root.TrustedRootMediaType01, []root.CertificateAuthority{&root.FulcioCertificateAuthority{
		URI: "https://fulcio.localhost", Root: i.root.certificate, Intermediates: []*x509.Certificate{i.intermediate.certificate},
		ValidityPeriodStart: start, ValidityPeriodEnd: end,
	}}, transparency, stampers, logs)
	check(t, "building the trusted root", err)
	data, err := r.MarshalJSON()
	check(t, "encoding the trusted root", err)
	return data
}

// known is how a log stands in the trusted root.
func known(t testing.TB, url string, key *ecdsa.PrivateKey, start, end time.Time) *root.TransparencyLog {
	return &root.TransparencyLog{
		BaseURL: url, ID: keyID(t, key), ValidityPeriodStart: start, ValidityPeriodEnd: end,
		HashFunc: crypto.SHA256, SignatureHashFunc: crypto.SHA256, PublicKey: key.Public(),
	}
}

// issue signs template for a new key; without a parent it signs itself.
func issue(t testing.TB, template *x509.Certificate, parent *authority) *authority {
	t.Helper()
	a := &authority{key: newKey(t)}
	by := &authority{certificate: template, key: a.key}
	if parent != nil {
		by = parent
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by.certificate, a.key.Public(), by.key)
	check(t, "issuing a certificate", err)
	a.certificate, err = x509.ParseCertificate(der)
	check(t, "parsing a certificate just issued", err)
	return a
}

// newKey makes a key.
func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, "making a key", err)
	return k
}

// keyID is how logs name their keys: the SHA-256 of the DER form.
func keyID(t testing.TB, k *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(k.Public())
	check(t, "encoding a key", err)
	sum := sha256.Sum256(der)
	return sum[:]
}

func serial(t testing.TB) *big.Int {
	t.Helper()
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	check(t, "drawing a serial number", err)
	return n
}

// check ends the test when a step of the fixture failed.
func check(t testing.TB, step string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", step, err)
	}
}
