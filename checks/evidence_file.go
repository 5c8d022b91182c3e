package checks

import "strings"

// The kinds of evidence files, by what they hold.
const (
	EvidenceBundle      = "bundle"      // Sigstore bundles or in-toto envelopes, one or several
	EvidenceSignature   = "signature"   // a detached signature, with or without a certificate beside it
	EvidenceCertificate = "certificate" // the certificate of a detached signature
	EvidenceOpenPGP     = "openpgp"     // an OpenPGP detached signature
	EvidenceMinisign    = "minisign"    // a minisign or signify signature
	EvidenceChecksum    = "checksum"    // the checksum of one file, which proves nothing by itself
)

// evidenceSuffixes are the names of evidence. A longer suffix stands before its own ending.
// SBOMs and lists of checksums are missing on purpose: people use them on their own, so they
// need evidence like any other asset.
var evidenceSuffixes = []struct{ suffix, kind string }{
	{".sigstore.json", EvidenceBundle},
	{".sigstore", EvidenceBundle},
	{".intoto.jsonl", EvidenceBundle},
	{".build.slsa", EvidenceBundle},
	{".bundle", EvidenceBundle},
	{".minisig", EvidenceMinisign},
	{".sig", EvidenceSignature},
	{".asc", EvidenceOpenPGP},
	{".pem", EvidenceCertificate},
	{".crt", EvidenceCertificate},
	{".cert", EvidenceCertificate},
	{".cer", EvidenceCertificate},
	{".sha256", EvidenceChecksum},
	{".sha512", EvidenceChecksum},
}

// EvidenceFile reports whether a release asset called name has the name of evidence for
// another asset, for which one, and of which kind. "a.tar.gz.sigstore.json" is a bundle for
// "a.tar.gz". An asset is treated as evidence only when the other one is there too, or when
// the bundle in it names one; see docs/policy.md.
func EvidenceFile(name string) (subject, kind string, ok bool) {
	lower := strings.ToLower(name)
	for _, row := range evidenceSuffixes {
		if strings.HasSuffix(lower, row.suffix) && len(name) > len(row.suffix) {
			return name[:len(name)-len(row.suffix)], row.kind, true
		}
	}
	return "", "", false
}
