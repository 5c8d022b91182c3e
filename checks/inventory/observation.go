package inventory

// The rules whose problems a file shows by itself.
const (
	RuleImage       = "image-unpinned" // a container image without a digest
	RuleUnpinned    = "workflow-unpinned-action"
	RuleCheckout    = "workflow-untrusted-checkout" // pull_request_target or workflow_run that checks out the head
	RuleInjection   = "workflow-script-injection"
	RuleScriptInput = "workflow-script-input" // an input in a script: as bad as what callers give
	RuleWriteAll    = "workflow-write-all"
)

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
