package checks

import (
	"crypto"
	"time"

	"github.com/landwaiter/landwaiter/checks/sums"
)

// Material is all that scanners and judgments may look at, fetched and bounded beforehand.
type Material struct {
	Subject Subject

	// Base and Head are the two sides of a change. A Subject that is not a change has an
	// empty Base, and Compared is false: then every package counts as introduced.
	Base, Head Tree
	Compared   bool

	// PolicyChange is set when the change edits the repository's own policy file.
	PolicyChange *PolicyChange

	// AskRegistry says that the policy has rules about what registries tell of the packages
	// that the change brings in. Without it the scanner of registries asks nothing.
	AskRegistry bool
	// AskNewest says that one of those rules needs Fact.Newest, which costs one question more
	// for each package. Without AskRegistry it means nothing.
	AskNewest bool

	// Release is set for releases and for artifacts verified from the command line.
	Release *Release
}

// Tree is one side of a change: the manifests read from it, and what could not be read.
type Tree struct {
	Inventory Inventory
	// Gaps are manifests that the tree names or may name but that could not be read at all,
	// such as a truncated listing. Manifests that were read in part carry their own Gap.
	Gaps []Gap
	// Imports are what the repository's own Go source imports; nil when nobody looked.
	Imports *Imports
}

// Imports are the Go packages that the Go source of a repository imports, its vendor folder
// included, whatever the build tags.
type Imports struct {
	Packages []string // import paths, sorted, each once
	// Gap says why not all source was read. Then a path that is missing says nothing.
	Gap string
}

// Observation is a problem that is seen in a file or a name itself and that no advisory tells
// of: an unpinned action in a workflow, a name that looks like a popular one.
type Observation struct {
	Rule     string   // one of the Rule constants: "workflow-unpinned-action", "lookalike-name"
	Severity Severity // how bad it is wherever it stands
	Line     int      // one-based; 0 when unknown
	// Subject is what it is about, stable over moves of lines and files: "actions/checkout@v4",
	// "job build: github.event.issue.title". Together with Rule it tells two observations of one
	// file apart, and a new one from one that the base has too. Hostile.
	Subject string
	Message string // what is wrong, one sentence of plain text; may quote hostile text
	Remedy  string // what to do, one sentence or lines of YAML; may quote hostile text
	// Package is what it is about, nil when that is the file.
	Package *Package
}

// Observed is an Observation with its place.
type Observed struct {
	Side Side
	Path string // the manifest
	Observation
}

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

// File is one file of a tree, as the reader of inventories gets it.
type File struct {
	Path   string // slash-separated, relative to the root of the repository
	Digest string // git blob object name, hexadecimal; "" when it has none
	Data   []byte
	// Problem says in words why Data is not the whole file ("is a symbolic link",
	// "is larger than 32 MiB"). Empty means that Data is complete.
	Problem string
	// Link is the commit of the submodule that stands at Path; "" for a file. A submodule has
	// no Data: only the tree tells its commit.
	Link string
}

// Gap is a place where something could not be seen. A Gap makes Evidence incomplete.
type Gap struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// Inventory is the packages found in a set of manifests.
type Inventory struct {
	Manifests []Manifest // sorted by Path
}

// Manifest is one file that names packages.
type Manifest struct {
	Path     string
	Digest   string // git blob object name, hexadecimal
	Format   string // "package-lock.json", "go.mod", ...: the row of docs/formats.md
	Packages []Package
	// Observations are the problems of the file itself. Their Package is nil.
	Observations []Observation
	// Gap says why the manifest was not read completely. Empty means complete.
	Gap string
}

// Scope says what a package is needed for.
type Scope string

// The scopes. The empty Scope is unknown and is judged like runtime.
const (
	ScopeRuntime     Scope = "runtime"
	ScopeDevelopment Scope = "development"
	ScopeOptional    Scope = "optional"
)

// Relation says whether a package is named by the project itself.
type Relation string

// The relations. The empty Relation is unknown.
const (
	Direct     Relation = "direct"
	Transitive Relation = "transitive"
)

// Package is one version of one package at one place. The cache of inventories keeps it as
// JSON, without the fields that most packages do not have.
type Package struct {
	PURL      string // "pkg:npm/lodash@4.17.20"
	Ecosystem string // the OSV name: "npm", "Go", "PyPI", "crates.io", "GitHub Actions", ...
	Name      string // as the ecosystem's advisories name it
	Version   string // exact; "" when the manifest gives none (a range, a branch)
	// Constraint is what the manifest says where Version is empty (">=2.0").
	Constraint string   `json:",omitempty"`
	Line       int      `json:",omitempty"` // one-based; 0 when unknown
	Scope      Scope    `json:",omitempty"`
	Relation   Relation `json:",omitempty"`
	Via        []string `json:",omitempty"` // names from the direct dependency down to this package, both included; nil when unknown
	Licence    string   `json:",omitempty"` // SPDX expression from the manifest; "" when it carries none
	Manager    string   `json:",omitempty"` // the tool that edits the manifest: "npm", "pnpm", "yarn", "go", "cargo", "poetry", ...
	Commit     string   `json:",omitempty"` // git commit, for packages that are pinned to one; digest of a container image
	// Deprecated is what the manifest itself records of the version's deprecation: the
	// maintainer's words, or "deprecated" when there are none; "" when it records none. Hostile.
	Deprecated string `json:",omitempty"`
	// Requirers are who needs the package, at most 8; nil when the manifest does not tell.
	Requirers []Requirer `json:",omitempty"`
}

// Requirer is a package, or the project itself, that needs another one.
type Requirer struct {
	Name       string // "" is the project
	Version    string
	Constraint string // versions that it accepts, as the ecosystem writes it: "^1.2.0"; "" when not told
}

// Release is a release with its assets and the evidence found for them.
type Release struct {
	ID         int64
	Tag        string
	Name       string
	Draft      bool
	Prerelease bool
	Immutable  bool
	// Commit is the full object name the tag points at after peeling; for a draft without
	// a tag it is the target commit. Empty when it could not be found.
	Commit string
	// TagRef is "refs/tags/" + Tag.
	TagRef        string
	DefaultBranch string
	RepositoryID  int64
	OwnerID       int64
	Private       bool
	Assets        []Asset
	Bundles       []Bundle
	// Gaps are sources of evidence that could not be asked or read ("attestation API: HTTP 403").
	Gaps []Gap
	// Roots are the trust roots that Policy and the repository's visibility allow, never
	// what a bundle asks for: RootPublicGood, RootGitHub, RootKey or RootCustom.
	Roots []string
	// Runs are the workflow runs that the attestations name, by the address in the certificate.
	// nil means that nobody asked; RunsUnknown says why, "" for local artifacts.
	Runs        map[string]BuildRun
	RunsUnknown string
	// Explain asks for AssetReport.Steps.
	Explain bool
	// Keys are public keys of any kind that Policy accepts under RootKey, beside the operator's
	// own: each is a text that pubkey.Read reads.
	Keys []string
}

// The trust roots. They are never merged: each has its own constructor and requirements.
const (
	RootPublicGood = "public-good" // Sigstore's public instance: certificate with SCT, log entry, observer time
	RootGitHub     = "github"      // GitHub's private instance: signed timestamp, no log
	RootKey        = "key"         // a public key from Policy or the command line
	RootCustom     = "custom"      // a trusted_root.json from the operator
)

// Asset is one file of a release as we downloaded it. Bytes are hashed in a stream and not kept.
//
// What a release publishes at another place is an Asset too, known by its digest alone, with
// Kind AssetImage or AssetPackage.
type Asset struct {
	ID   int64
	Name string
	Kind string // "" for a file of the release
	Size int64  // bytes, as GitHub announces
	Read int64  // bytes that we read
	// SHA256 is hexadecimal, of the bytes we read; "" when Problem is set, and for an artifact
	// that somebody else hashed with SHA-512.
	SHA256 string
	SHA512 string // hexadecimal; "" when not computed
	// SHA384 and BLAKE2b (of 512 bits) are hexadecimal, computed only where a list of
	// checksums or a signature beside the asset needs them; else "".
	SHA384, BLAKE2b string
	// States are the states of hash functions after the last byte, for OpenPGP signatures;
	// see package sums. nil when not kept.
	States map[crypto.Hash][]byte
	// Data is the bytes of an asset that is evidence for others and was held, such as a list
	// of checksums, or whose signature cannot be checked by digest. nil for all others.
	Data []byte
	// GitHubDigest is GitHub's own "sha256:..." or "". A hint, never proof.
	GitHubDigest string
	// Problem says why the asset could not be hashed whole. Its Code is one of the reason codes.
	Problem *Reason
}

// SetSums fills in what was computed of the bytes.
func (a *Asset) SetSums(s sums.Sums) {
	a.SHA256, a.SHA384, a.SHA512, a.BLAKE2b, a.States = s.SHA256, s.SHA384, s.SHA512, s.BLAKE2b, s.States
}

// Bundle is one piece of evidence as found, unparsed.
type Bundle struct {
	// Name is where a person finds it: "cli.sigstore.json", "attestation 2 of 3".
	Name   string
	Origin string // OriginSidecar, OriginAttestationAPI or OriginFile
	// For is the asset that a sidecar stands beside. Empty: whichever digests it names.
	For string
	// Data is a Sigstore bundle, JSON Lines of bundles, an answer of the attestation API, or
	// a DSSE envelope. Empty for a detached signature.
	Data []byte
	// Signature and Certificate are a detached pair (.sig with .pem or .crt), as found.
	// Signature alone may also be one of OpenPGP, minisign, signify or SSH.
	Signature, Certificate []byte
	// Problem says why it could not be fetched. Its Code is one of the reason codes.
	Problem *Reason
}

// The kinds of what a release publishes elsewhere.
const (
	AssetImage   = "image"   // Name is "ghcr.io/owner/name@sha256:..."
	AssetPackage = "package" // Name is "pkg:npm/name@1.2.0"
)

// The origins of evidence.
const (
	OriginRegistry       = "registry" // kept by a container or package registry
	OriginSidecar        = "sidecar"
	OriginAttestationAPI = "attestation-api"
	OriginFile           = "file"
)

// PolicyChange tells what a change does to the policy file. It never alters the judgment.
type PolicyChange struct {
	Path string
	// Error is set when the head's file is not a valid policy.
	Error *PolicyError
	// Preview is the head's policy, nil when the file is removed or invalid.
	Preview *Policy
}

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
