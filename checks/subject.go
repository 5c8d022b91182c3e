package checks

// Kind says what sort of thing a Subject is.
type Kind string

// The kinds of Subject.
const (
	KindPullRequest Kind = "pull_request"
	KindMergeGroup  Kind = "merge_group"
	KindRelease     Kind = "release"
	KindCommit      Kind = "commit"     // a commit of the default branch, before it is tagged
	KindDeployment  Kind = "deployment" // a job of a workflow run that waits to go out to an environment
	KindTree        Kind = "tree"       // a directory or work tree, judged by `landwaiter scan`
	KindArtifact    Kind = "artifact"   // local files, judged by `landwaiter verify`
)

// Subject names the thing judged so that a stranger finds it again.
type Subject struct {
	Kind       Kind   `json:"kind"`
	Repository string `json:"repository"` // "owner/name" when it was judged; "" for a local tree
	Ref        string `json:"ref"`        // "refs/pull/7/head", "refs/tags/v1.2.0"; "" when there is none
	Commit     string `json:"commit"`     // full hexadecimal object name; "" when there is none

	// RepositoryID is GitHub's number of the repository, which survives renames. 0 off GitHub.
	RepositoryID int64 `json:"repository_id,omitempty"`
	// Number is the pull request's number.
	Number int `json:"number,omitempty"`
	// Base is the commit compared with: the merge base, or the base of a merge group.
	Base string `json:"base,omitempty"`
	// ReleaseID is GitHub's number of the release; a draft has no other address.
	ReleaseID int64 `json:"release_id,omitempty"`
	// Draft says that the release was a draft when it was judged: nobody could download it.
	Draft bool `json:"draft,omitempty"`
	// AssetSet is "sha256:" and the digest of what the release consisted of: its assets as
	// GitHub lists them, and the commit of its tag. The verdict holds for this set alone.
	AssetSet string `json:"asset_set,omitempty"`
	// RunID and RunAttempt name the workflow run of a deployment, Environment where it goes.
	RunID       int64  `json:"run_id,omitempty"`
	RunAttempt  int    `json:"run_attempt,omitempty"`
	Environment string `json:"environment,omitempty"`
}
