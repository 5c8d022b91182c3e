package checks

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

// PolicyChange tells what a change does to the policy file. It never alters the judgment.
type PolicyChange struct {
	Path string
	// Error is set when the head's file is not a valid policy.
	Error *PolicyError
	// Preview is the head's policy, nil when the file is removed or invalid.
	Preview *Policy
}
