// Package inventory holds what manifests say: which packages, at which versions, on which
// lines, and what is wrong with the files themselves. Package checks uses the same words under
// the same names; the readers of manifests need no more than this, so that the processes that
// read for the service link and start nothing of the judgments.
//
// It imports nothing of ours, and keeps its own imports few.
package inventory

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

// Imports are the Go packages that the Go source of a repository imports, its vendor folder
// included, whatever the build tags.
type Imports struct {
	Packages []string // import paths, sorted, each once
	// Gap says why not all source was read. Then a path that is missing says nothing.
	Gap string
}
