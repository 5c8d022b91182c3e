package sigstoretest

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"net/url"
	"slices"
	"testing"
	"time"

	ct "github.com/google/certificate-transparency-go"
	"github.com/google/certificate-transparency-go/tls"
	ctx509 "github.com/google/certificate-transparency-go/x509"
)

// Certificate is what a signing certificate says. Everything may be changed.
type Certificate struct {
	URIs, Emails []string // subject alternative names
	// Extensions are Fulcio's extensions by their last number: 1 to 6 are written as plain
	// text, 8 to 22 as DER strings.
	Extensions map[int]string
	NotBefore  time.Time          // zero: a minute before the signing time
	Life       time.Duration      // 0: ten minutes
	Usage      []x509.ExtKeyUsage // nil: code signing
	WithoutSCT bool               // leave out the certificate transparency timestamp
	Intruder   bool               // issued by an authority of the same name that is not ours
	Also       []pkix.Extension   // further extensions
}

// Workflow is a run of GitHub Actions that signs.
type Workflow struct {
	Repository   string // "acme/app"
	RepositoryID string
	OwnerID      string
	Ref, Commit  string
	Path         string // ".github/workflows/release.yml"
	// Signer is the reusable workflow that signs, "acme/ci/.github/workflows/build.yml@ref";
	// "" means the workflow itself.
	Signer  string
	Trigger string
	Runner  string
	Issuer  string // "" means GitHub's
}

// Certificate returns what Fulcio writes for w, old extensions and new.
func (w Workflow) Certificate() Certificate {
	const host = "https://github.com/"
	config := host + w.Repository + "/" + w.Path + "@" + w.Ref
	signer, issuer := config, w.Issuer
	if w.Signer != "" {
		signer = host + w.Signer
	}
	if issuer == "" {
		issuer = "https://token.actions.githubusercontent.com"
	}
	return Certificate{URIs: []string{signer}, Extensions: map[int]string{
		1: issuer, 2: w.Trigger, 3: w.Commit, 4: "release", 5: w.Repository, 6: w.Ref,
		8: issuer, 9: signer, 10: w.Commit, 11: w.Runner, 12: host + w.Repository, 13: w.Commit, 14: w.Ref,
		15: w.RepositoryID, 17: w.OwnerID, 18: config, 19: w.Commit, 20: w.Trigger,
		21: host + w.Repository + "/actions/runs/7/attempts/1", 22: "public",
	}}
}

// leaf issues a certificate for use at the time when.
func (i *Instance) leaf(t testing.TB, c Certificate, when time.Time) *authority {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: serial(t), NotBefore: c.NotBefore, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: c.Usage, EmailAddresses: c.Emails,
	}
	if template.NotBefore.IsZero() {
		template.NotBefore = when.Add(-time.Minute)
	}
	life := c.Life
	if life == 0 {
		life = 10 * time.Minute
	}
	template.NotAfter = template.NotBefore.Add(life)
	if template.ExtKeyUsage == nil {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
	}
	for _, u := range c.URIs {
		parsed, err := url.Parse(u)
		check(t, "parsing an identity", err)
		template.URIs = append(template.URIs, parsed)
	}
	template.ExtraExtensions = append(extensions(t, c.Extensions), c.Also...)
	parent := i.intermediate
	if c.Intruder {
		parent = &authority{certificate: i.intermediate.certificate, key: newKey(t)}
		parent.certificate = issue(t, &x509.Certificate{
			SerialNumber: serial(t), Subject: i.intermediate.certificate.Subject, NotBefore: i.now.Add(-year), NotAfter: i.now.Add(year),
			KeyUsage: x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true, SubjectKeyId: i.intermediate.certificate.SubjectKeyId,
		}, nil).certificate
	}
	a := &authority{key: newKey(t)}
	a.certificate = sign(t, template, parent, a.key)
	if !c.WithoutSCT && !i.private {
		template.ExtraExtensions = append(template.ExtraExtensions, i.seen(t, a.certificate, parent.certificate, when))
		a.certificate = sign(t, template, parent, a.key)
	}
	return a
}

// sign signs template for key. The parent's certificate need not fit its key.
func sign(t testing.TB, template *x509.Certificate, parent *authority, key *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	by := *parent.certificate
	by.PublicKey = parent.key.Public()
	der, err := x509.CreateCertificate(rand.Reader, template, &by, key.Public(), parent.key)
	check(t, "issuing a signing certificate", err)
	c, err := x509.ParseCertificate(der)
	check(t, "parsing a signing certificate", err)
	return c
}

// extensions encodes Fulcio's extensions in ascending order.
func extensions(t testing.TB, values map[int]string) []pkix.Extension {
	t.Helper()
	var list []pkix.Extension
	for n, value := range values {
		raw := []byte(value)
		if n > 7 {
			var err error
			raw, err = asn1.MarshalWithParams(value, "utf8")
			check(t, "encoding an extension", err)
		}
		list = append(list, pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, n}, Value: raw})
	}
	slices.SortFunc(list, func(a, b pkix.Extension) int { return a.Id[8] - b.Id[8] })
	return list
}

// seen makes the extension by which the certificate transparency log says that it has seen
// a certificate (RFC 6962, section 3.3).
func (i *Instance) seen(t testing.TB, leaf, issuer *x509.Certificate, when time.Time) pkix.Extension {
	t.Helper()
	stamp := uint64(when.UnixMilli())
	sct := ct.SignedCertificateTimestamp{SCTVersion: ct.V1, Timestamp: stamp}
	copy(sct.LogID.KeyID[:], keyID(t, i.transparency))
	input, err := ct.SerializeSCTSignatureInput(sct, ct.LogEntry{Leaf: ct.MerkleTreeLeaf{
		Version: ct.V1, LeafType: ct.TimestampedEntryLeafType,
		TimestampedEntry: &ct.TimestampedEntry{Timestamp: stamp, EntryType: ct.PrecertLogEntryType, PrecertEntry: &ct.PreCert{
			IssuerKeyHash: sha256.Sum256(issuer.RawSubjectPublicKeyInfo), TBSCertificate: leaf.RawTBSCertificate,
		}},
	}})
	check(t, "encoding what certificate transparency signs", err)
	signed, err := tls.CreateSignature(*i.transparency, tls.SHA256, input)
	check(t, "signing for certificate transparency", err)
	sct.Signature = ct.DigitallySigned(signed)
	raw, err := tls.Marshal(sct)
	check(t, "encoding a certificate transparency timestamp", err)
	list, err := tls.Marshal(ctx509.SignedCertificateTimestampList{SCTList: []ctx509.SerializedSCT{{Val: raw}}})
	check(t, "encoding a list of certificate transparency timestamps", err)
	value, err := asn1.Marshal(list)
	check(t, "encoding the certificate transparency extension", err)
	return pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}, Value: value}
}
