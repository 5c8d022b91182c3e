package checks

import (
	"regexp"
	"strings"
)

// The kinds of evidence files, by what they hold.
const (
	EvidenceBundle      = "bundle"      // Sigstore bundles or in-toto envelopes, one or several
	EvidenceSignature   = "signature"   // a detached signature of any kind, with or without a certificate beside it
	EvidenceCertificate = "certificate" // the certificate of a detached signature
	EvidenceOpenPGP     = "openpgp"     // an OpenPGP detached signature
	EvidenceMinisign    = "minisign"    // a minisign or signify signature
	EvidenceChecksum    = "checksum"    // the checksum of one file, which proves something when it is signed itself
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
	{".sha256sum", EvidenceChecksum},
	{".sha512sum", EvidenceChecksum},
}

// listNames are the names of lists of checksums, in lower case: SHA256SUMS, SHASUMS256.txt,
// checksums.txt, app_1.0_checksums.txt, app_1.0_SHA256SUMS, checksums_sha256.txt,
// app.tar.gz.sha256, app.sha512sum.
var listNames = regexp.MustCompile(`(^|[-_.])(` +
	`(check|sha|md5)[-_]?sums?([-_.]?(sha)?(1|224|256|384|512))?|` +
	`sha[-_]?(1|224|256|384|512)([-_.]?(check)?sums?)?` +
	`)(\.(txt|text))?$`)

// ChecksumFile reports whether a release asset called name has the name of a list of
// checksums. of is the one asset that it stands beside by its name, "app.tar.gz" for
// "app.tar.gz.sha256", and "" when it may name any.
func ChecksumFile(name string) (of string, ok bool) {
	lower := strings.ToLower(name)
	for _, suffix := range []string{".sha256", ".sha512", ".sha256sum", ".sha512sum"} {
		if strings.HasSuffix(lower, suffix) && len(name) > len(suffix) {
			of = name[:len(name)-len(suffix)]
		}
	}
	return of, listNames.MatchString(lower)
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
