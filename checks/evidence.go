package checks

import "time"

// Fact is what registries say of one package version.
type Fact struct {
	Ecosystem, Name, Version string // as in Package

	Licence    string // SPDX expression as the registry gives it, unchecked; "" when it gives none
	Published  time.Time
	Deprecated string // why, in the maintainer's words; "deprecated" when they gave none; "" when it is not. Hostile
	Yanked     bool   // the registry took the version back, or serves it no longer
	// Newest is when the newest version of the package was published; zero when not known or
	// when Material.AskNewest is not set.
	Newest time.Time
	// Provenance says whether the registry holds attestations of the version: Yes, No, or ""
	// when it does not tell. Of ecosystems without provenance it stays "".
	Provenance Answer
	// Withheld says that nobody was asked because the operator calls the name private. Then
	// nothing else is told.
	Withheld bool
	// Source is who said so: "api.deps.dev".
	Source string
	Time   time.Time // when it said so, UTC
}

// Answer is yes, no, or the zero Answer: not known.
type Answer string

// The answers.
const (
	Yes Answer = "yes"
	No  Answer = "no"
)

// Evidence is what one scanner saw, how complete it was, and how old its data is.
//
// A zero Evidence is incomplete. Scanners set Complete last.
type Evidence struct {
	Scanner  string
	Complete bool
	DataTime time.Time // when the scanner's data was last known to be current, UTC; zero when it uses none
	Gaps     []Gap

	// Matches are known advisories that apply to packages of either side.
	Matches []Match
	// Facts are what registries say of packages that the change brings in, and of the versions
	// that those replace. Nobody was asked about a package without a Fact: its ecosystem has no
	// source, no registry can hold its name, or there is a Gap. A Fact with nothing but Source and
	// Time says that the source knows no such version.
	Facts []Fact
	// Observations are problems that no advisory tells of.
	Observations []Observed
	// Attestations are statements and signatures found for the assets of a Release.
	Attestations []Attestation
	// Lists are the lists of checksums among the assets of a Release.
	Lists []ChecksumList

	// ExploitedTime and EPSSTime are when the catalogue of exploited vulnerabilities and the
	// EPSS scores were last known to be current, UTC. Zero means that there is no such data:
	// then Advisory.Exploited and Advisory.EPSS say nothing, which leaves Evidence complete. A
	// rule that needs them makes that Unknown.
	ExploitedTime, EPSSTime time.Time
	// Claims are packages of the head that are pinned to a commit and were matched by the
	// version that a comment claims for it. They leave Evidence complete.
	Claims []Claim
	// Unheld are ecosystems met in the Material of which the operator keeps no advisories, and
	// which nobody has to keep: "GIT". Their packages count as those of Unadvised ecosystems.
	Unheld []string
}

// Claim is a package that has advisories and whose version only somebody's word tells.
type Claim struct {
	Path    string  // the manifest
	Package Package // its Version is empty
	Version string  // what is claimed. Hostile
}

// Side says which side of a change a Match is on.
type Side string

// The sides.
const (
	Base Side = "base"
	Head Side = "head"
)

// Match is one advisory that applies to one package at one place.
type Match struct {
	Side     Side
	Path     string // the manifest
	Package  Package
	Advisory Advisory
}

// Advisory is what a judgment needs to know of an advisory, after merging its aliases.
type Advisory struct {
	ID       string   // preferred identifier: the ecosystem's own or GHSA before CVE
	Aliases  []string // sorted, without ID
	Summary  string   // plain text of the source; hostile
	Severity Severity
	Vector   string   // CVSS vector that Severity came from; "" when none
	Score    float64  // CVSS base score of Vector, 0 to 10; 0 when there is no vector
	Malware  bool     // the package version itself is malicious (MAL- record)
	Fixed    []string // versions that fix it on any branch, ascending by the ecosystem's order
	// Cure is the smallest version above the package's own that no known advisory of
	// the package affects; "" when there is none.
	Cure string
	URL  string

	// Exploited says that it is in CISA's catalogue of known exploited vulnerabilities (KEV).
	Exploited bool
	// EPSS is FIRST's probability of exploitation within 30 days, 0 to 1; 0 when not known.
	EPSS float64
	// Imports are the Go packages that hold the problem, as the advisory names them; nil when
	// it names none and for other ecosystems.
	Imports []string
}

// Attestation is one signed statement, or one plain signature, after verification under
// one trust root. Verification says who signed what; whether that is acceptable is for
// the check to say.
type Attestation struct {
	Bundle string // Bundle.Name
	Origin string // Bundle.Origin
	// SHA256 is hexadecimal, of the piece as it was found: the JSON text of the bundle or
	// envelope, the signature file, or the list of checksums.
	SHA256 string
	Kind   string // AttestationProvenance, ...
	// For is the asset a plain signature was verified for, or that the sidecar stands beside.
	For           string
	PredicateType string
	Subjects      []AttestedSubject
	Root          string // the trust root it was verified under
	Signer        Signer
	// Certificate holds the facts of the signing certificate. Claim holds what the
	// statement says of itself. The certificate outranks the statement.
	Certificate, Claim Build
	Time               time.Time // verified signing time, UTC
	// NotBefore and NotAfter are the life of the signing certificate, UTC; zero for a key.
	NotBefore, NotAfter time.Time
	// KeyMade is when the key that signed was made, UTC, as the key itself says; zero when it
	// does not, which is so for all but OpenPGP.
	KeyMade time.Time
	// Form says how a signature is written that no certificate and no statement goes with:
	// "OpenPGP", "minisign", "signify" or "SSH"; "" for all others.
	Form string
	// Comment is the trusted comment of a minisign signature, which is signed too; else "".
	// Hostile.
	Comment string
	// Problem is the first thing wrong in the signature, nil when it holds. Its Code is one
	// of the reason codes; Unknown codes mean that it could not be judged.
	Problem *Reason
}

// ChecksumList is one list of checksums as read. By itself it proves nothing: anybody who can
// replace an asset can replace the list. A signature over the list proves what it names.
type ChecksumList struct {
	Asset   string // name of the asset that is the list
	SHA256  string // of the list itself
	Entries []Checksum
	// Refused counts lines that name a file in a way that is not accepted, such as by a path
	// with folders.
	Refused int
	// Problem says why it could not be read whole; then Entries is empty.
	Problem *Reason
}

// Checksum is one line of a ChecksumList.
type Checksum struct {
	Name      string // of the file, without folders
	Algorithm string // "sha256", "sha384", "sha512", or a weak one: "md5", "sha1", "sha224"
	Digest    string // lower-case hexadecimal, of the length of Algorithm
	Line      int    // one-based
}

// The kinds of Attestation.
const (
	AttestationProvenance = "provenance"          // SLSA provenance v0.2 or v1
	AttestationRelease    = "release-attestation" // GitHub's attestation of an immutable release
	AttestationSignature  = "signature"           // a message signature over the bytes
	AttestationSBOM       = "sbom"                // SPDX or CycloneDX predicate
	AttestationSummary    = "vsa"                 // SLSA verification summary
	AttestationLink       = "link"                // in-toto link: a step of a supply chain
	AttestationTest       = "test-result"         // in-toto test result
	AttestationSCAI       = "scai"                // in-toto SCAI: attributes of an artifact
	AttestationScan       = "vulnerability-scan"  // in-toto or cosign vulnerability predicate
	AttestationPublish    = "publish"             // what a registry says of a version it published
	AttestationChecksum   = "checksum"            // a line of a list of checksums; nobody signed it
	AttestationOther      = "other"
)

// AttestedSubject is one subject of an in-toto statement.
type AttestedSubject struct {
	Name   string
	URI    string
	Digest map[string]string // algorithm to lower-case hexadecimal
}

// Signer is who signed: a workflow or person by certificate, or a key.
type Signer struct {
	Issuer string `json:"issuer"` // OIDC issuer; "" for a key
	// Identity is the subject alternative name, or of a key: "key:sha256:...", "pgp:FINGERPRINT",
	// "minisign:NUMBER", "ssh:SHA256:...".
	Identity string `json:"identity"`
}

// Build says what was built from where, by whom.
type Build struct {
	Repository   string // "https://github.com/owner/name"
	RepositoryID string
	OwnerID      string
	Ref          string // "refs/tags/v1"
	Commit       string // full object name
	BuilderID    string // the workflow that built: "https://github.com/o/r/.github/workflows/w.yml@refs/heads/main"
	// BuilderDigest is the commit of that workflow, full object name; "" when not stated.
	BuilderDigest string
	Config        string // the caller's own workflow: build config URI
	Runner        string // "github-hosted" or "self-hosted"
	Trigger       string // "push", "release", ...
	Run           string // URL of the workflow run
}
