package checks

// Reason is one reason of a Verdict, or why one thing is not as it should be.
type Reason struct {
	Rule    string `json:"rule"`    // the rule that gave it: "no-high", "release-provenance"
	Code    string `json:"code"`    // one of the codes below; stable, documented in docs/reasons.md
	Message string `json:"message"` // for people: what, where, and what to do
}

// Reason codes of the verifier. Each is explained in docs/reasons.md, with what to do.
const (
	CodeDigestMismatch     = "digest-mismatch"
	CodeDigestInvalid      = "digest-invalid"
	CodeDigestWeak         = "digest-weak"
	CodeDigestConflict     = "digest-conflict"
	CodeSizeMismatch       = "size-mismatch"
	CodeNameMismatch       = "name-mismatch"
	CodeAssetUnproven      = "asset-unproven"
	CodeStatementInvalid   = "statement-invalid"
	CodeNotProvenance      = "not-provenance"
	CodePredicateType      = "predicate-type"
	CodeNoneAcceptable     = "none-acceptable"
	CodeSignerMismatch     = "signer-mismatch"
	CodeIssuerMismatch     = "issuer-mismatch"
	CodeSourceMismatch     = "source-mismatch"
	CodeRefNotAllowed      = "ref-not-allowed"
	CodeSignerRef          = "signer-ref"
	CodeRunnerNotAllowed   = "runner-not-allowed"
	CodeCommitMismatch     = "commit-mismatch"
	CodeRepoIDMismatch     = "repo-id-mismatch"
	CodeContradicts        = "statement-contradicts"
	CodeLevelNotReached    = "level-not-reached"
	CodeRunNotSuccessful   = "run-not-successful"
	CodeTriggerNotAllowed  = "trigger-not-allowed"
	CodeSignatureInvalid   = "signature-invalid"
	CodeLogInvalid         = "log-invalid"
	CodeLogProofMissing    = "log-proof-missing"
	CodeTimeUnproven       = "time-unproven"
	CodeTimeInvalid        = "time-invalid"
	CodeCertificateInvalid = "certificate-invalid"
	CodeWrongRoot          = "wrong-root"
	CodeRootStale          = "root-stale" // Unknown
	CodeTooLarge           = "too-large"  // Unknown
	CodeNotReadable        = "not-readable"
	CodeUnsigned           = "unsigned"
	CodeKeyInvalid         = "key-invalid"
	CodeChecksumMissing    = "checksum-missing"
	CodeKeyTooOld          = "key-too-old"
	CodeKeyRetired         = "key-retired"
	CodeKeyShared          = "key-shared"
	CodeCertificatePolicy  = "certificate-policy"
)

// Reason codes of the verifier of summaries, beside those above.
const (
	CodeVerifierMismatch  = "verifier-mismatch"
	CodeResourceMismatch  = "resource-mismatch"
	CodeSummaryFailed     = "summary-failed"
	CodeSummaryIncomplete = "summary-incomplete"
	CodeLevelsConflict    = "levels-conflict"
)

// Reason codes of the other judgments.
const (
	CodeVulnerability   = "vulnerability"
	CodeMalware         = "malware"
	CodeIncomplete      = "incomplete"       // Unknown
	CodeScannerFailed   = "scanner-failed"   // Unknown
	CodeDataStale       = "data-stale"       // Unknown
	CodePolicyInvalid   = "policy-invalid"   // the file in force, or the one proposed
	CodePolicyChanged   = "policy-changed"   // a notice: the change edits the policy file
	CodeUncovered       = "uncovered"        // a notice: assets that no rule matches
	CodeUncompared      = "uncompared"       // a notice: facts that nothing was given to compare with
	CodeRunUnfinished   = "run-unfinished"   // a notice: a workflow run that built an asset has not ended
	CodeClaimed         = "claimed-version"  // a notice: a version that only a comment tells was believed
	CodeUnheld          = "no-advisory-data" // a notice: packages of an ecosystem of which no advisories are kept
	CodeUnresolved      = "unresolved"       // Unknown: a package without an exact version
	CodeAssetsMissing   = "assets-missing"   // a release without what Policy expects
	CodeNothingToVerify = "nothing-to-judge" // Unknown; as a notice: a release without assets
	CodeExploited       = "known-exploited"
	CodeDataMissing     = "data-missing" // Unknown: a rule needs what nobody told; as a notice: a rule that warns
	// What is asked of the commits since the release before: package duties.
	CodeBranch        = "branch-not-protected"
	CodeDirect        = "commit-without-pull-request"
	CodeCheck         = "check-not-passed"
	CodeUnverified    = "commit-unverified"
	CodeUnapproved    = "not-approved"
	CodeSeparate      = "duties-not-separate"
	CodeUnread        = "history-unread" // Unknown; as a notice: a rule that warns
	CodeLeftOut       = "left-out"       // a notice: findings that the policy leaves out
	CodeExceptionIdle = "exception-idle" // a notice: an exception that fits and has no effect
	// What environments ask for.
	CodeNotOnBranch    = "not-on-default-branch"
	CodeReleaseFailed  = "release-failed"
	CodeOpenFindings   = "open-findings"
	CodeReleaseMissing = "release-missing"     // Unknown: no release at the commit has a verdict
	CodeNoEnvironment  = "no-environment-rule" // Unknown: the policy says nothing of the environment
	CodeSignerDrift    = "signer-drift"
	CodeApproval       = "approval-needed" // a release waits for release approvers
	CodeAssetNames     = "asset-names"
)

// unknownCodes are the codes that say "could not be judged" rather than "wrong".
var unknownCodes = map[string]bool{
	CodeRootStale: true, CodeTooLarge: true, CodeNotReadable: true, CodeIncomplete: true,
	CodeScannerFailed: true, CodeDataStale: true, CodeUnresolved: true, CodeNothingToVerify: true,
	CodeDataMissing: true, CodeUnread: true, CodeReleaseMissing: true, CodeNoEnvironment: true,
}

// Unknown reports whether r means that no judgment was possible, as opposed to a wrong thing found.
func (r Reason) Unknown() bool { return unknownCodes[r.Code] }
