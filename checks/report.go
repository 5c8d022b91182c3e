package checks

import (
	"time"

	"github.com/landwaiter/landwaiter/checks/approval"
	"github.com/landwaiter/landwaiter/checks/duties"
	"github.com/landwaiter/landwaiter/checks/risk"
	"github.com/landwaiter/landwaiter/checks/signers"
)

// Report is what is stored, shown and entered into the ledger. Its JSON form is a
// contract: docs/report.md, with the JSON Schema docs/report.schema.json. Lists are never null.
type Report struct {
	Subject  Subject           `json:"subject"`
	Verdict  Verdict           `json:"verdict"`
	Reasons  []Reason          `json:"reasons"`
	Findings []Finding         `json:"findings"`
	Assets   []AssetReport     `json:"assets"`
	Evidence []EvidenceSummary `json:"evidence"`
	Policy   PolicyRef         `json:"policy"`
	Time     time.Time         `json:"time"` // UTC, whole seconds

	// Coverage counts what was to be looked at and what could not be.
	Coverage Coverage `json:"coverage,omitzero"`
	// Changes are the packages that differ between the two sides, sorted by path and name.
	Changes []Change `json:"changes,omitempty"`
	// Cured are the known vulnerabilities that the base had and the change takes away.
	Cured []Cured `json:"cured,omitempty"`
	// Notices are remarks that do not decide the verdict, such as an edited policy file.
	Notices []Reason `json:"notices,omitempty"`
	// Duties say what came into a release and through whose hands; nil when the policy does not ask.
	Duties *duties.Summary `json:"duties,omitempty"`
	// Memory is what a release was compared with of the releases before it, what it deviates in
	// and what it teaches; nil when there was nothing to compare with.
	Memory *signers.Recall `json:"memory,omitempty"`
	// Approvals are what a release needs that waits for release approvers, and who gave it; nil
	// when nobody is asked.
	Approvals *approval.Summary `json:"approvals,omitempty"`
}

// Coverage counts what a judgment of dependencies had to look at: what the change touches,
// or the whole tree when there is nothing to compare with.
type Coverage struct {
	Manifests int `json:"manifests"` // manifests that the change adds, edits or removes
	Unread    int `json:"unread"`    // of them, those not read completely
	Packages  int `json:"packages"`  // package versions that the change brings in
	Unchecked int `json:"unchecked"` // of them, those that could not be compared with advisories
}

// Finding is one problem: rule, package, severity, place and cure.
type Finding struct {
	// Fingerprint is stable over rescans, moves of lines and new data about the same
	// problem: hexadecimal SHA-256 of rule, ecosystem, package, version and advisory; without
	// an advisory, of the subject in its place, and of the path when there is no package.
	Fingerprint string         `json:"fingerprint"`
	Rule        string         `json:"rule"`
	Severity    Severity       `json:"severity"`
	Advisory    string         `json:"advisory"` // "" for rules that go by no advisory
	Aliases     []string       `json:"aliases"`
	Package     FindingPackage `json:"package"`
	Location    Location       `json:"location"`
	// Introduced says that the change brought it in. Only introduced findings decide.
	Introduced bool `json:"introduced"`
	// FixedVersion is the smallest version that cures it, "" when there is none yet.
	FixedVersion string `json:"fixed_version"`
	// FixedChange says how far FixedVersion is by the rules of the ecosystem: "compatible" (the
	// same major version, or the same 0.y) or "breaking"; "" when that cannot be told.
	FixedChange string `json:"fixed_change,omitempty"`
	// Remediation is the exact command that cures it, or what to do when no command does.
	Remediation    string   `json:"remediation"`
	DependencyPath []string `json:"dependency_path"`

	// Command says that Remediation is lines for a shell, safe to paste: all of its variable
	// parts come from a narrow set of characters. Otherwise it is a sentence.
	Command bool   `json:"command,omitempty"`
	Summary string `json:"summary,omitempty"` // hostile text: escape before showing
	URL     string `json:"url,omitempty"`
	Scope   Scope  `json:"scope,omitempty"`
	Malware bool   `json:"malware,omitempty"`
	// Level says what the policy makes of it: LevelBlock, LevelWarn, or LevelAccepted.
	Level string `json:"level,omitempty"`
	// Subject is what a problem without an advisory is about: the action, the job, the image,
	// the licence. Hostile. "" when the package says it all.
	Subject string `json:"subject,omitempty"`
	// Risk is the risk score, 0 to 100, and RiskParts are the points that add up to it. The
	// formula is in docs/risk.md.
	Risk      int        `json:"risk,omitempty"`
	RiskParts []RiskPart `json:"risk_parts,omitempty"`
	// Score is the advisory's CVSS base score, 0 when there is none; EPSS the probability of
	// exploitation, 0 when not known; Exploited says that it is known to be exploited.
	Score     float64 `json:"score,omitempty"`
	EPSS      float64 `json:"epss,omitempty"`
	Exploited bool    `json:"exploited,omitempty"`
	// Reach says whether the repository's own Go source imports what the advisory is about:
	// ReachImported, ReachNotImported, or "" when that is not known.
	Reach string `json:"reach,omitempty"`
	// Licence is the licence that a finding of RuleLicence is about. Hostile.
	Licence string `json:"licence,omitempty"`
	// Published is when the registry published the version, UTC; nil when that decides nothing.
	Published *time.Time `json:"published,omitempty"`
	// Exception is the id of the exception that accepts it, with Until its end (YYYY-MM-DD).
	Exception string `json:"exception,omitempty"`
	Until     string `json:"until,omitempty"`
}

// The levels of a Finding.
const (
	LevelBlock    = "block"
	LevelWarn     = "warn"
	LevelAccepted = "accepted"
)

// RiskPart is one summand of a risk score.
type RiskPart = risk.Part

// What Finding.Reach says. Neither says anything of what other modules import.
const (
	ReachImported    = "imported"
	ReachNotImported = "not imported"
)

// FindingPackage is the package of a Finding; all of it is empty when the problem is a file's.
type FindingPackage struct {
	PURL      string `json:"purl"`
	Ecosystem string `json:"ecosystem"`
	Name      string `json:"name"`
	Version   string `json:"version"`
}

// Location is a place in a manifest.
type Location struct {
	Path string `json:"path"`
	Line int    `json:"line"` // one-based; 0 when unknown
}

// Cured is one known vulnerability that the change takes away.
type Cured struct {
	Advisory string         `json:"advisory"`
	Aliases  []string       `json:"aliases"`
	Severity Severity       `json:"severity"`
	Package  FindingPackage `json:"package"` // as the base had it
	// To is the version that the change puts in its place, "" when it removes the package.
	To        string `json:"to,omitempty"`
	Malware   bool   `json:"malware,omitempty"`
	Exploited bool   `json:"exploited,omitempty"`
}

// Change is one package that differs between base and head.
type Change struct {
	Type      string `json:"type"` // "new", "upgrade", "downgrade", "removed" or "changed"
	Path      string `json:"path"`
	Line      int    `json:"line,omitempty"`
	Ecosystem string `json:"ecosystem"`
	Name      string `json:"name"`
	From      string `json:"from,omitempty"`
	To        string `json:"to,omitempty"`
	Relation  string `json:"relation,omitempty"`
}

// AssetState says what is known of one asset.
type AssetState string

// The states of an asset. The zero value is none of them and counts as unknown.
const (
	AssetVerified    AssetState = "verified"
	AssetUnsigned    AssetState = "unsigned"
	AssetWrongSigner AssetState = "wrong-signer"
	AssetInvalid     AssetState = "invalid"
	AssetUnknown     AssetState = "unknown"
)

// AssetReport is the outcome for one asset of a release.
type AssetReport struct {
	Name     string        `json:"name"`
	SHA256   string        `json:"sha256"`
	State    AssetState    `json:"state"`
	Reason   string        `json:"reason"` // reason code and sentence; "" when verified
	Signer   Signer        `json:"signer"`
	Source   Source        `json:"source"`
	Builder  Builder       `json:"builder"`
	Evidence []EvidenceRef `json:"evidence"`

	Code string `json:"code,omitempty"` // the reason code alone
	// ExpectedSigner is what Policy asked for, shown beside Signer when they differ.
	ExpectedSigner *Signer `json:"expected_signer,omitempty"`
	// EvidenceFile says that the asset is itself evidence for others and needs none.
	EvidenceFile bool `json:"evidence_file,omitempty"`
	// Required is what the policy asks of the asset; empty when no rule asks for anything.
	Required []string `json:"required,omitempty"`
	// Run is the URL of the build's workflow run, as the certificate names it.
	Run string `json:"run,omitempty"`
	// Chain is how the proof leads from the asset to who signed, when there is more to show
	// than Signer: through a list of checksums, or by a tool that knows no certificates.
	Chain []ChainLink `json:"chain,omitempty"`
	// Steps are the comparisons behind State, when Release.Explain asks for them. They are not kept.
	Steps []Step `json:"-"`
}

// ChainLink is one step of an AssetReport's Chain.
type ChainLink struct {
	// Kind is "checksum", a kind of Attestation, or what wrote the signature: "OpenPGP",
	// "minisign", "signify", "SSH".
	Kind   string `json:"kind"`
	Name   string `json:"name"`             // the list, or the file or attestation that signs
	Signer string `json:"signer,omitempty"` // the identity; "" for a list
	// Comment is the trusted comment of minisign, signed like the file. Hostile.
	Comment string `json:"comment,omitempty"`
}

// Source is where an asset was built from.
type Source struct {
	Repository string `json:"repository"`
	Ref        string `json:"ref"`
	Commit     string `json:"commit"`
}

// Builder is what built an asset.
type Builder struct {
	ID     string `json:"id"`
	Runner string `json:"runner"`
	// Level is the SLSA build level from our own table of builders ("SLSA 3"), or
	// "release attestation", or "signature"; "" when nothing is proven.
	Level string `json:"level"`
}

// EvidenceRef is one piece of evidence that an AssetReport rests on.
type EvidenceRef struct {
	Kind   string `json:"kind"`
	Origin string `json:"origin"`
	// Name is where a person finds it: a file of the release, "attestation 2 of 3". Hostile.
	Name string `json:"name,omitempty"`
	// SHA256 is hexadecimal, of the piece as it was found; see Attestation.SHA256.
	SHA256 string `json:"sha256,omitempty"`
	// Require is the requirement that it meets, one of the Require constants.
	Require string `json:"require,omitempty"`
}

// EvidenceSummary is what a Report keeps of Evidence.
type EvidenceSummary struct {
	Scanner  string     `json:"scanner"`
	Complete bool       `json:"complete"`
	DataTime *time.Time `json:"data_time"` // null when the scanner uses no dated data
	Gaps     []Gap      `json:"gaps"`
}

// PolicyRef says under which policy a Report was made.
type PolicyRef struct {
	Digest string `json:"digest"` // "sha256:..." of the canonical effective policy
	Source string `json:"source"` // ".github/landwaiter.yml@<commit>", "landwaiter:recommended@1", a file name
	Mode   string `json:"mode,omitempty"`
	// OnIncomplete is "failure" or "neutral": how an Unknown verdict is shown.
	OnIncomplete string `json:"on_incomplete,omitempty"`
	// Gate, Publish and Summary say what the policy does with a release: the keys of the same
	// name. All are empty for other subjects; Summary also for the usual SummaryOffer.
	Gate    Gate   `json:"gate,omitempty"`
	Publish string `json:"publish,omitempty"`
	Summary string `json:"summary,omitempty"`
}
