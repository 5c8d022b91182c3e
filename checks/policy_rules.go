package checks

import (
	"slices"
	"time"
)

// RuleLevel says what the policy makes of what a rule finds: RuleOff, RuleWarn or RuleBlock. The
// zero RuleLevel is off.
type RuleLevel string

// The levels of a rule.
const (
	RuleOff   RuleLevel = ""
	RuleWarn  RuleLevel = LevelWarn
	RuleBlock RuleLevel = LevelBlock
	RuleAsk   RuleLevel = "ask" // blocks until release approvers approve; of MemoryRules.Signers alone
)

// DependencyRules are the key dependencies. Malware has no switch: it always blocks.
type DependencyRules struct {
	// BlockSeverity is the floor from which an introduced vulnerability blocks.
	BlockSeverity Severity
	// BlockScopes are the scopes in which it blocks; in others it warns. Empty means all.
	BlockScopes []Scope
	// BlockLine is the one-based line of the policy file that sets them, 0 for a preset.
	BlockLine int `json:"-"`
	// MinRisk is the risk score, 1 to 100, from which a vulnerability in BlockScopes blocks
	// below BlockSeverity too. 0 means that the score never blocks.
	MinRisk int
	// BlockExploited says that what is known to be exploited blocks in every scope, whatever
	// its severity.
	BlockExploited bool
	// MinEPSS is the probability of exploitation, above 0 to 1, from which a vulnerability in
	// BlockScopes blocks whatever its severity. 0 means that it never does.
	MinEPSS float64
	// NotImported says what becomes of a Go advisory whose packages the repository does not
	// import; the zero value is judged like NotImportedBlock.
	NotImported NotImported
	// MaxDataAge is how old the advisories may be; older ones make the verdict Unknown. 0
	// means any age.
	MaxDataAge time.Duration
	// OwnNames are the names that the owner of the policy publishes under, such as
	// {"npm", "@acme/*"}: reports of malware under them are about others who took the name.
	OwnNames []OwnName

	Licences   LicenceRules
	MinAge     AgeRule // versions younger than Time
	Abandoned  AgeRule // packages without a new version for Time
	Deprecated RuleLevel
	Yanked     RuleLevel
	// RequireProvenance are the ecosystems, by their OSV names, whose packages need provenance.
	RequireProvenance []string
	ProvenanceLoss    RuleLevel
	Lookalikes        RuleLevel
	LookalikeNames    []string // names that are no look-alikes
	Images            RuleLevel

	// Asked are rules whose key stands in the file itself although a preset sets it too,
	// sorted: of RuleDeprecated, RuleYanked and RuleExploited. Presets must work without a
	// network, so only these make missing data count.
	Asked []string `json:",omitempty"`
}

// RuleExploited names always_block: [known_exploited] in reasons and in DependencyRules.Asked.
const RuleExploited = "no-known-exploited"

// NotImported says what becomes of advisories whose Go packages the repository does not import.
type NotImported string

// The values of not_imported.
const (
	NotImportedBlock  NotImported = "block"  // judged like any other
	NotImportedWarn   NotImported = "warn"   // at most a warning
	NotImportedIgnore NotImported = "ignore" // left out, with a notice
)

// OwnName is a name that the owner of the policy publishes under.
type OwnName struct {
	Ecosystem string // the OSV name: "npm"
	Pattern   string // the name, or its start and one "*" at the end
}

// LicenceRules are the key dependencies.licences. Without Allow and Deny licences are not judged.
type LicenceRules struct {
	Allow, Deny []string // SPDX identifiers; Deny wins
	// Unknown is for packages without a known licence, Invalid for text that is no SPDX expression.
	Unknown, Invalid RuleLevel
	Exempt           []string // package URLs, with or without a version
}

// asked reports whether licences are judged at all.
func (r LicenceRules) asked() bool { return len(r.Allow)+len(r.Deny) > 0 }

// AgeRule is a span of time and what happens when it is not kept. A zero Level is off.
type AgeRule struct {
	Time  time.Duration
	Level RuleLevel
}

// WorkflowRules are the key workflows: what GitHub workflow files may not do.
type WorkflowRules struct {
	UnpinnedActions   RuleLevel
	UntrustedCheckout RuleLevel
	ScriptInjection   RuleLevel
	WriteAll          RuleLevel
	// TrustedOwners are owners of actions that need not be pinned, such as "actions".
	TrustedOwners []string
}

// AsksRegistry reports whether p has rules about what only registries tell. Without such a
// rule nothing needs to be asked; no preset has one.
func (p *Policy) AsksRegistry() bool {
	d := p.Dependencies
	return d.Licences.asked() || d.MinAge.Level != RuleOff || d.Abandoned.Level != RuleOff ||
		len(d.RequireProvenance) > 0 || d.ProvenanceLoss != RuleOff ||
		d.Deprecated != RuleOff && d.asked(RuleDeprecated) || d.Yanked != RuleOff && d.asked(RuleYanked)
}

// AsksNewest reports whether one of those rules needs to know when the newest version of each
// package was published.
func (p *Policy) AsksNewest() bool { return p.Dependencies.Abandoned.Level != RuleOff }

// asked reports whether the file itself has the key of rule.
func (r DependencyRules) asked(rule string) bool { return slices.Contains(r.Asked, rule) }
