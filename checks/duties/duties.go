// Package duties judges who wrote, approved, built and released what came into a release since
// the one before: by pull requests, with which checks and approvals, and by how many hands.
//
// It takes Facts, which somebody read from GitHub, and Rules, which the policy sets, and says
// what is wrong or could not be told. It is pure. People are numbers of GitHub accounts, as the
// API names actors; what a commit says of its author counts for nothing (THREATS G09). What is
// not known is Unknown and never in order. Start reading at Judge.
package duties

// Level says what becomes of what a rule finds.
type Level string

// The levels. The zero Level is off.
const (
	Off   Level = ""
	Warn  Level = "warn"
	Block Level = "block"
)

// strictness orders levels.
func (l Level) strictness() int {
	switch l {
	case Block:
		return 2
	case Warn:
		return 1
	}
	return 0
}

// Rules are what the policy asks, its key releases.duties. The zero Rules ask nothing.
type Rules struct {
	// Branch asks that the release's commit is on a protected branch.
	Branch Level `json:",omitempty"`
	// Pulls asks that every commit came by a pull request merged into a branch that counts.
	Pulls Level `json:",omitempty"`
	// Checked asks that each of them passed landwaiter/pr at the head that was merged.
	Checked Level `json:",omitempty"`
	// Commits asks that GitHub verified the signature of every commit.
	Commits   Level     `json:",omitempty"`
	Approvals Approvals `json:",omitzero"`
	Separate  Separate  `json:",omitzero"`
	// Since are full names of commits up to which nothing is asked, one for each line of releases.
	Since []string `json:",omitempty"`
}

// Approvals ask that each pull request was approved by others than its author.
type Approvals struct {
	Level Level
	// Count is how many people; 0 counts as 1.
	Count int
	// Except are logins of bots whose pull requests need none: "dependabot[bot]".
	Except []string
}

// Separate asks that Roles are held by different people, for each pull request.
type Separate struct {
	Level Level
	// Roles are at least two of the Role constants; empty: RoleApprover and RoleReleaser.
	Roles []string
	// Bots are logins of bots that may build or release by themselves: then nobody holds that
	// role. Of any other bot nobody knows who stands behind it.
	Bots []string
}

// The roles.
const (
	RoleAuthor   = "author"   // who opened the pull request, and whose signed commits are in it
	RoleApprover = "approver" // whose approval counts
	RoleBuilder  = "builder"  // who started the workflow run that built an asset
	RoleReleaser = "releaser" // who made the release
)

// Asked reports whether any rule is on.
func (r Rules) Asked() bool { return r.Branch != Off || r.AsksCommits() }

// AsksCommits reports whether a rule needs the commits since the release before.
func (r Rules) AsksCommits() bool { return r.Commits != Off || r.AsksPulls() }

// AsksPulls reports whether a rule needs the pull requests that brought them in.
func (r Rules) AsksPulls() bool { return r.Pulls != Off || r.Checked != Off || r.AsksReviews() }

// AsksReviews reports whether a rule needs to know who approved them.
func (r Rules) AsksReviews() bool { return r.Approvals.Level != Off || r.Separate.Level != Off }

// roles are the roles that have to be held by different people.
func (s Separate) roles() []string {
	if len(s.Roles) == 0 {
		return []string{RoleApprover, RoleReleaser}
	}
	return s.Roles
}

// The rules, as reasons name them.
const (
	RuleBranch    = "release-branch"
	RulePulls     = "release-pull-requests"
	RuleChecked   = "release-checked"
	RuleCommits   = "release-commits"
	RuleApprovals = "release-approvals"
	RuleSeparate  = "release-separation"
)

// The reason codes. CodeUnread is Unknown. docs/reasons.md explains each.
const (
	CodeBranch     = "branch-not-protected"
	CodeDirect     = "commit-without-pull-request"
	CodeCheck      = "check-not-passed"
	CodeUnverified = "commit-unverified"
	CodeUnapproved = "not-approved"
	CodeSeparate   = "duties-not-separate"
	CodeUnread     = "history-unread"
)

// IsRule reports whether rule is one of this package.
func IsRule(rule string) bool {
	switch rule {
	case RuleBranch, RulePulls, RuleChecked, RuleCommits, RuleApprovals, RuleSeparate:
		return true
	}
	return false
}
