package duties

// Facts are what GitHub says of a release's commits, and who did what. All texts in them may be
// hostile. Each Problem says why something is not known; it is "" when it is.
type Facts struct {
	Head  string // full name of the release's commit
	Since Start
	// Problem says why the commits are not known: then Commits and Pulls say nothing.
	Problem string
	// Commits are those of the release that none before had, and Pulls the merged pull
	// requests that brought them in, by number. nil Pulls with rules that need them means that
	// there are none.
	Commits  []Commit
	Pulls    []Pull
	Branch   Branch
	Releaser Person
}

// Start is where the commits of a release begin: after it.
type Start struct {
	Ref    string // the tag of the release before, "" when it is none
	Commit string // full name; "" means from the first commit on
}

// Branch says on which protected branch the release's commit is.
type Branch struct {
	Name    string   // "" when it is on none of Looked
	Looked  []string // the protected branches, as far as they were looked at
	Problem string
}

// Person is an account on GitHub. The zero Person is nobody that can be named, such as the
// author of a pull request whose account was deleted.
type Person struct {
	ID    int64 // what counts
	Login string
	Bot   bool
}

// Commit is one commit.
type Commit struct {
	SHA   string
	Title string // the first line of its message, shortened
	// Verified says that GitHub verified its signature, and Why else what GitHub says of it,
	// such as "unsigned".
	Verified bool
	Why      string
	// Signer is the account whose signature GitHub verified; zero for none and for GitHub's own.
	Signer Person
	Root   bool // it has no parents
	// Pull is the number of the pull request that brought it in, 0 for none.
	Pull    int
	Problem string // why Pull is not known
}

// Pull is a merged pull request.
type Pull struct {
	Number int
	Author Person
	Head   string // what was merged
	Base   string // the branch that it was merged into
	// Reviews hold, of each person, the newest review that decides something.
	Reviews        []Review
	ReviewsProblem string
	Check          Check
}

// Review is a review of a pull request.
type Review struct {
	By       Person
	Approved bool // else changes were asked for, or it was dismissed
	Merged   bool // it is of the head that was merged, not of an earlier one
	// Role is what the person may do in the repository now: "admin", "write", "read" or "none".
	Role        string
	RoleProblem string
}

// Check is the check landwaiter/pr of our App on the head of a pull request.
type Check struct {
	// Conclusion is that of the newest run, its status while it runs, "" when there is none.
	Conclusion string
	// Passed says that our own record of a run concluded as neutral is a Pass.
	Passed  bool
	Problem string
}

// Builders are the people who started the workflow runs that built the assets.
type Builders struct {
	People  []Person
	Problem string // why they are not known, or not all
}
