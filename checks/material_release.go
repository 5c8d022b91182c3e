package checks

import (
	"crypto"

	"github.com/landwaiter/landwaiter/checks/approval"
	"github.com/landwaiter/landwaiter/checks/duties"
	"github.com/landwaiter/landwaiter/checks/signers"
	"github.com/landwaiter/landwaiter/checks/sums"
)

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
	// Duties are what GitHub says of its commits and of people; nil when nobody asked.
	Duties *duties.Facts
	// Explain asks for AssetReport.Steps.
	Explain bool
	// Memory is what the releases before taught, as it was when this was gathered. nil means
	// that there is none to compare with, as for local artifacts: then nothing is taught either.
	Memory *signers.Memory
	// Approvals are what is known of the people who approved it; nil when nobody asked.
	Approvals *approval.Facts
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
