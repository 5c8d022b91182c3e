// Package output turns Reports into text: check runs and issues on GitHub, and what the
// command line prints.
//
// It is pure and decides nothing: every verdict, level and reason is in the Report already.
// It owns the escaping of hostile text (Escape), the limits of GitHub (Truncate), and the
// exact titles that people and required checks rely on.
//
// Start reading at ForCheck in check.go; the states without a Report are in state.go, issues in
// issue.go, and the forms of the command line in table.go, json.go and sarif.go.
package output

// The names of the checks on GitHub. They are interfaces: required checks refer to them.
const (
	CheckPullRequest = "landwaiter/pr"
	CheckRelease     = "landwaiter/release"
)

// CheckRun is what GitHub shows for one check.
type CheckRun struct {
	Name        string
	Status      string // "queued", "in_progress" or "completed"
	Conclusion  string // set when Status is "completed"
	Title       string // plain text, at most 60 characters
	Summary     string // Markdown, at most MaxBody bytes
	Text        string // Markdown, at most MaxBody bytes
	Annotations []Annotation
}

// Annotation is one remark on a line of a manifest. All are returned; GitHub takes 50 a request.
type Annotation struct {
	Path               string
	StartLine, EndLine int    // one-based
	Level              string // "failure", "warning" or "notice"
	Title              string // plain text, at most 255 bytes
	Message            string // plain text, at most 64 KB
	RawDetails         string // plain text; "" when there is none
}

// Options say what a text needs to know beside the Report. The zero Options is usable.
type Options struct {
	DetailsURL string // the page that explains the report; "" leaves the link out
	Unheld     string // why the gate did not do what the report calls for; a sentence or two, "" leaves it out
	// LedgerIndex and Checkpoint are shown when Checkpoint is not empty.
	LedgerIndex int64
	Checkpoint  string
}

// State is a state of a check run without a Report.
type State string

// The states. Detail says which of its fields each needs.
const (
	StateQueued     State = "queued"
	StateWorking    State = "working"    // comparing dependencies, or verifying Want assets
	StateWaiting    State = "waiting"    // for assets: Have of Want
	StateDraft      State = "draft"      // a draft pull request that policy skips
	StateSuperseded State = "superseded" // by Commit
	StateTimedOut   State = "timed-out"  // Retry: another attempt is scheduled
	StatePermission State = "permission" // Permission is missing
	StateFailed     State = "failed"     // our fault; Reference leads to the log
	StateDeleted    State = "deleted"    // the release or pull request is gone
)

// Detail is what the text of a State needs. Name is always needed.
type Detail struct {
	Name       string // CheckPullRequest or CheckRelease
	Observe    bool   // the policy observes: failure, timed_out and action_required become neutral
	Have, Want int
	Missing    []string // patterns of assets that are awaited
	Commit     string
	Retry      bool
	Permission string // "Attestations: read"
	Reference  string // "A1B2C3"
	Message    string // what happened, for people; hostile
	DetailsURL string
}
