package sigstore

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/sigstore/intoto"
)

// candidate is a piece after it was read, and before anything in it is believed.
type candidate struct {
	piece
	// out is what will be reported. Its Problem ends the work on the candidate.
	out checks.Attestation

	proto     *protobundle.Bundle
	entity    *bundle.Bundle
	leaf      *x509.Certificate // nil when signed with a key
	subject   string            // the identity that leaf carries, not yet proven
	hint      string            // the key that a key-signed bundle names
	statement *intoto.Statement // nil for a signature over the bytes of a file
	assets    []int             // the assets it speaks of
	digests   []verify.ArtifactDigest
	pair      *detached // a signature file, assembled once its asset is known
	plain     plain     // a signature file of another tool; nil for all other forms
}

// signature returns the raw signature.
func (c *candidate) signature() []byte {
	content, err := c.entity.SignatureContent()
	if err != nil {
		return nil
	}
	return content.Signature()
}

// examine reads p: what it is, of which assets it speaks, and who it says signed. It does no
// cryptography, so that thousands of foreign attestations cost little.
func (s *Scanner) examine(p piece, assets *shelf) *candidate {
	c := &candidate{piece: p, out: checks.Attestation{
		Bundle: p.bundle.Name, Origin: p.bundle.Origin, SHA256: p.sha256(), For: p.bundle.For, Kind: checks.AttestationOther, Problem: p.problem,
	}}
	for _, step := range []struct {
		name string
		do   func(*shelf) *checks.Reason
	}{
		{"reading the bundle", c.read},
		{"reading the statement", c.readStatement},
		{"reading the certificate", c.readCertificate},
		{"comparing digests", c.compare},
	} {
		s.guard(c, step.name, func() *checks.Reason { return step.do(assets) })
	}
	return c
}

// read parses the outer JSON. The bytes are parsed once, into the library's own form: what
// is examined here is what is verified later.
func (c *candidate) read(*shelf) *checks.Reason {
	switch c.form {
	case formEnvelope:
		return c.readEnvelope()
	case formCosign, formDetached:
		return c.readDetached()
	case formPlain:
		return c.readPlain()
	}
	c.proto = new(protobundle.Bundle)
	if err := protojson.Unmarshal(c.data, c.proto); err != nil {
		return notReadable("It is not a Sigstore bundle: " + cut(err.Error()) + ".")
	}
	return nil
}

// readStatement reads the statement, or notes that there is a plain signature instead.
func (c *candidate) readStatement(*shelf) *checks.Reason {
	if c.pair != nil || c.plain != nil {
		c.out.Kind = checks.AttestationSignature
		return nil
	}
	if c.proto.GetMessageSignature() != nil {
		c.out.Kind = checks.AttestationSignature
		return nil
	}
	e := c.proto.GetDsseEnvelope()
	if e == nil {
		return notReadable("The bundle holds neither a statement nor a signature.")
	}
	if e.GetPayloadType() != intoto.PayloadType {
		return statementInvalid("its type is " + strconv.Quote(cut(e.GetPayloadType())) + ", not " + intoto.PayloadType)
	}
	if len(e.GetSignatures()) != 1 {
		return statementInvalid("it carries " + strconv.Itoa(len(e.GetSignatures())) + " signatures, not one")
	}
	st, err := intoto.Parse(e.GetPayload())
	if err != nil {
		return badStatement(err)
	}
	c.statement = st
	c.out.Kind, c.out.PredicateType, c.out.Subjects = intoto.Kind(st.PredicateType), st.PredicateType, st.Subjects
	return nil
}

// readCertificate parses the signing certificate, if there is one.
func (c *candidate) readCertificate(*shelf) *checks.Reason {
	if c.plain != nil {
		return nil
	}
	material := c.proto.GetVerificationMaterial()
	if c.pair != nil {
		material = c.pair.material()
	}
	raw := material.GetCertificate().GetRawBytes()
	if chain := material.GetX509CertificateChain().GetCertificates(); len(chain) > 0 {
		raw = chain[0].GetRawBytes()
	}
	if len(raw) == 0 {
		if c.pair == nil && material.GetPublicKey() == nil {
			return notReadable("The bundle names neither a certificate nor a key.")
		}
		c.hint = material.GetPublicKey().GetHint()
		return nil
	}
	leaf, err := x509.ParseCertificate(raw)
	if err != nil {
		return certificateInvalid("it is not a certificate")
	}
	// Go does not know the kind of name that Fulcio gives to some machine identities and
	// would refuse the certificate for it; the library sets it aside in the same way.
	leaf.UnhandledCriticalExtensions = slices.DeleteFunc(leaf.UnhandledCriticalExtensions,
		func(oid asn1.ObjectIdentifier) bool { return oid.Equal(oidSubjectName) })
	c.leaf = leaf
	if summary, err := certificate.SummarizeCertificate(leaf); err == nil {
		c.subject = summary.SubjectAlternativeName
	}
	return nil
}

// compare finds the assets that the piece speaks of.
func (c *candidate) compare(shelf *shelf) *checks.Reason {
	if c.pair != nil || c.plain != nil {
		return c.compareDetached(shelf)
	}
	subjects := c.out.Subjects
	if c.statement == nil {
		digest := c.proto.GetMessageSignature().GetMessageDigest()
		algorithm, ok := map[protocommon.HashAlgorithm]string{
			protocommon.HashAlgorithm_SHA2_256: "sha256", protocommon.HashAlgorithm_SHA2_384: "sha384", protocommon.HashAlgorithm_SHA2_512: "sha512",
		}[digest.GetAlgorithm()]
		value := hex.EncodeToString(digest.GetDigest())
		if !ok || !intoto.DigestShape(algorithm, value) {
			return digestInvalid("The signature carries no usable digest of what it signs.")
		}
		subjects = []checks.AttestedSubject{{Digest: map[string]string{algorithm: value}}}
	}
	assets, problem := shelf.match(c.bundle, subjects)
	if problem != nil {
		return problem
	}
	c.assets, c.digests = assets, shelf.digests(assets, subjects)
	if c.statement == nil {
		c.signs(shelf, assets)
	}
	return nil
}

// signs fills what is reported for a plain signature: the file that it signs. Of several
// files with equal bytes it is reported for the one it stands beside, else for the first.
func (c *candidate) signs(shelf *shelf, assets []int) {
	i := assets[0]
	if want, ok := shelf.beside(c.bundle); ok {
		i = want
	}
	a := shelf.assets[i]
	c.assets, c.digests = []int{i}, c.digests[:min(1, len(c.digests))]
	c.out.For = a.Name
	c.out.Subjects = []checks.AttestedSubject{{Name: a.Name, Digest: map[string]string{"sha256": a.SHA256}}}
}

// near reports whether the certificate says that the judged repository was built from. It is
// not proof; it only decides what is verified first when there is more than can be.
func (c *candidate) near(m *checks.Material) bool {
	if c.leaf == nil {
		return true
	}
	summary, err := certificate.SummarizeCertificate(c.leaf)
	if err != nil {
		return false
	}
	facts := certified(&summary)
	switch {
	case facts.RepositoryID != "" && m.Release.RepositoryID != 0:
		return facts.RepositoryID == strconv.FormatInt(m.Release.RepositoryID, 10)
	case facts.Repository != "" && m.Subject.Repository != "":
		return strings.EqualFold(facts.Repository, "https://github.com/"+m.Subject.Repository)
	}
	return c.subject == releaseSigner
}
