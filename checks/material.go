package checks

import "github.com/landwaiter/landwaiter/checks/inventory"

// What the readers of manifests say, under the names that judgments use. Package inventory
// documents each.
type (
	File        = inventory.File
	Inventory   = inventory.Inventory
	Manifest    = inventory.Manifest
	Package     = inventory.Package
	Requirer    = inventory.Requirer
	Scope       = inventory.Scope
	Relation    = inventory.Relation
	Imports     = inventory.Imports
	Observation = inventory.Observation
	Severity    = inventory.Severity
)

// The scopes. The empty Scope is unknown and is judged like runtime.
const (
	ScopeRuntime     = inventory.ScopeRuntime
	ScopeDevelopment = inventory.ScopeDevelopment
	ScopeOptional    = inventory.ScopeOptional
)

// The relations. The empty Relation is unknown.
const (
	Direct     = inventory.Direct
	Transitive = inventory.Transitive
)

// The severities, ascending.
const (
	SeverityUnknown  = inventory.SeverityUnknown
	SeverityLow      = inventory.SeverityLow
	SeverityMedium   = inventory.SeverityMedium
	SeverityHigh     = inventory.SeverityHigh
	SeverityCritical = inventory.SeverityCritical
)

// ParseSeverity returns the severity with that name, in lower case, and whether there is one.
func ParseSeverity(name string) (Severity, bool) { return inventory.ParseSeverity(name) }

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
	// Deployment is set for deployments.
	Deployment *Deployment
	// Commit is set for commits of the default branch.
	Commit *Commit
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

// Observed is an Observation with its place.
type Observed struct {
	Side Side
	Path string // the manifest
	Observation
}

// Gap is a place where something could not be seen. A Gap makes Evidence incomplete.
type Gap struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// PolicyChange tells what a change does to the policy file. It never alters the judgment.
type PolicyChange struct {
	Path string
	// Error is set when the head's file is not a valid policy.
	Error *PolicyError
	// Preview is the head's policy, nil when the file is removed or invalid.
	Preview *Policy
}
