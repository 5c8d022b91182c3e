package checks

import (
	"fmt"
	"slices"
	"time"

	"github.com/landwaiter/landwaiter/checks/approval"
	"github.com/landwaiter/landwaiter/checks/duties"
)

// Policy is the rules and exceptions in force for a repository, after presets are applied.
// ParsePolicy makes one from a file and DefaultPolicy the built-in one; both fill every field.
type Policy struct {
	Version int
	Extends []string // presets applied, pinned: "landwaiter:recommended@1"
	Mode    Mode

	PullRequest  PullRequestRules
	Dependencies DependencyRules
	Workflows    WorkflowRules
	Releases     ReleaseRules
	Environments map[string]EnvironmentRule `json:",omitempty"` // by name
	Approvers    ApproverRules              `json:",omitzero"`  // of releases
	Owners       []OwnerRule
	SLA          map[Severity]time.Duration // time to cure from first sight; absent means none
	Issues       IssueRules
	Exceptions   []Exception
	// MaxException is the longest time ahead that an exception may end. One that ends later
	// has no effect until then.
	MaxException time.Duration

	// Digest is "sha256:" and the hexadecimal SHA-256 of the canonical effective policy.
	// It leaves out Digest, Source and lines, so formatting and comments do not change it.
	Digest string `json:"-"`
	// Lines are the one-based lines of the policy file that set rules, by their Rule constants.
	Lines map[string]int `json:"-"`
	// Source says where it came from: ".github/landwaiter.yml@<commit>" or the preset's name.
	Source string `json:"-"`
}

// Mode says whether a policy may fail a check. The zero Mode enforces.
type Mode string

// The modes.
const (
	ModeEnforce Mode = "enforce"
	ModeObserve Mode = "observe"
)

// PullRequestRules are the key pull_request.
type PullRequestRules struct {
	Drafts       string // "check" or "skip"
	OnIncomplete string // "failure" or "neutral": how Unknown is shown in enforce mode
	// CodeScanning uploads findings to GitHub's code scanning, where the App may.
	CodeScanning bool `json:",omitempty"`
}

// ReleaseRules are the key releases.
type ReleaseRules struct {
	Gate         Gate
	Publish      string `json:",omitempty"` // PublishAuto or PublishManual with GateDraft, else ""
	Summary      string `json:",omitempty"` // SummaryOff or SummaryAttach; "" means SummaryOffer
	TagRuleset   bool   `json:",omitempty"` // judge commits of the default branch, for rules about tags
	SettleWindow time.Duration
	MaxWait      time.Duration
	Assets       []AssetRule
	Trust        TrustRules
	// Images are container images that belong to the release, "ghcr.io/owner/name": its notes
	// have to name each by digest, and they are judged like assets.
	Images []string `json:",omitempty"`
	// Package is the package whose version of the same name belongs to the release,
	// "pkg:npm/name"; "" means none.
	Package string `json:",omitempty"`
	// Duties are what is asked of the commits since the release before, and of people.
	Duties duties.Rules `json:",omitzero"`
	Memory MemoryRules
}

// MemoryRules are the key releases.memory: what becomes of what the releases before did not have.
type MemoryRules struct {
	Signers RuleLevel // another signer, or one in another way
	Assets  RuleLevel // names of assets that are new or missing
}

// ApproverRules are the key approvers.releases: who may let a release through that waits. The
// zero rules name nobody.
type ApproverRules = approval.Rules

// EnvironmentRule says what a deployment to one environment needs. The zero rule lets nothing
// pass.
type EnvironmentRule struct {
	Require []string // of RequireReleasePassed
	// NoOpen is the severity from which an open finding in the commit's manifests keeps it
	// back; SeverityUnknown: none does, and the manifests are not read.
	NoOpen Severity
	// OnIncomplete is OnIncompleteFailure or OnIncompleteWait: what becomes of a deployment whose
	// verdict is Unknown.
	OnIncomplete string
	// MaxWait is how long something that may still come is awaited.
	MaxWait time.Duration
	Line    int `json:"-"`
}

// What EnvironmentRule.Require may name.
const RequireReleasePassed = "release_passed" // the release at the run's commit passed

// What EnvironmentRule.OnIncomplete may be. Neither approves: only a Pass does.
const (
	OnIncompleteFailure = "failure" // rejected at once
	OnIncompleteWait    = "wait"    // looked at again until MaxWait, then rejected
)

// Gate says what happens to a release that fails.
type Gate string

// The gates.
const (
	GateOff      Gate = "off"      // releases are not looked at
	GateReport   Gate = "report"   // check run and issue only
	GateDraft    Gate = "draft"    // a draft goes out when it passes; what else was published and fails goes back
	GateReactive Gate = "reactive" // a published release that fails goes back to draft
)

// AssetRule says what the assets that match need. The first rule that matches an asset decides.
type AssetRule struct {
	Match   string   // glob on the asset's name, anchored; "*" matches any characters
	Require []string // of the Require constants; empty: nothing
	// PredicateType is the predicate type that an attestation must have, "" for any that
	// Require allows.
	PredicateType string
	Line          int `json:"-"`
}

// What an asset can be asked for.
const (
	RequireSignature          = "signature"           // any acceptable signature or attestation over its digest
	RequireProvenance         = "provenance"          // SLSA provenance by an accepted signer
	RequireReleaseAttestation = "release-attestation" // GitHub's attestation of an immutable release
	RequireChecksum           = "checksum"            // a list of checksums in the release that names it
	RequireSBOM               = "sbom"                // an SPDX or CycloneDX statement about it by an accepted signer
)

// TrustRules are the key releases.trust.
type TrustRules struct {
	// Signers are the accepted signers. Empty means: a workflow of the repository itself,
	// run by GitHub Actions.
	Signers []SignerRule
	// Roots are the accepted trust roots; empty: RootPublicGood, and RootGitHub for a private repository.
	Roots []string
	// Runners are the accepted runner classes; empty: "github-hosted".
	Runners []string
	// MinSLSA is the lowest acceptable SLSA build level, 0 to 3.
	MinSLSA int
	// SourceRefs are globs on the ref built from. Empty: the release's tag or the default branch.
	SourceRefs []string
	// Keys are PEM public keys accepted for plain signatures and SBOMs.
	Keys []string
	// PGPKeys, MinisignKeys (signify's too) and SSHKeys are public keys of other tools,
	// accepted for plain signatures: texts that pubkey.Read reads.
	PGPKeys, MinisignKeys, SSHKeys []string `json:",omitempty"`

	// MaxKeyAge is how old a key may be when it signs; a zero Time is any age.
	MaxKeyAge AgeRule `json:",omitzero"`
	// RetiredKeys are keys whose end was announced: what they sign later does not count.
	RetiredKeys []RetiredKey `json:",omitempty"`
	// SharedKeys is about keys that sign for other repositories of the same installation too.
	SharedKeys RuleLevel `json:",omitempty"`
	// Certificates is what signing certificates have to keep to.
	Certificates CertificateRules `json:",omitzero"`
}

// AllKeys returns the public keys of every kind.
func (t TrustRules) AllKeys() []string {
	return slices.Concat(t.Keys, t.PGPKeys, t.MinisignKeys, t.SSHKeys)
}

// SignerRule is one accepted signer. Values are globs, anchored and escaped: "*" matches
// any characters but never the end of what is compared.
type SignerRule struct {
	Issuer   string // OIDC issuer
	Workflow string // "owner/name/.github/workflows/release.yml"
	Ref      string // ref of the workflow: "refs/tags/v*"; "" accepts branches, tags and full commits
	Identity string // whole subject alternative name, instead of Workflow and Ref
	Line     int    `json:"-"`
}

// OwnerRule says who owns problems under paths.
type OwnerRule struct {
	Paths []string
	Team  string // "org/team"
	User  string // login
	Line  int    `json:"-"`
}

// IssueRules are the key issues.
type IssueRules struct {
	Enabled bool
	MaxOpen int
}

// Exception accepts one risk for a while.
type Exception struct {
	ID         string
	Rule       string // "" for any rule
	Advisory   string // advisory id or alias; "" for any
	Package    string // purl without version, or with one
	Subject    string // what an observation is about, exactly: "actions/checkout@v4"; "" for any
	Path       string // the file, exactly: ".github/workflows/ci.yml"; "" for any
	Until      time.Time
	Reason     string
	ApprovedBy string
	Line       int `json:"-"`
}

// PolicyError says what is wrong in a policy file and where.
type PolicyError struct {
	Source  string
	Line    int // one-based; 0 when unknown
	Message string
}

// Error returns "source:line: message".
func (e *PolicyError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.Source, e.Message)
	}
	return fmt.Sprintf("%s:%d: %s", e.Source, e.Line, e.Message)
}
