package history

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/landwaiter/landwaiter/checks/duties"
)

// What is read of GitHub's answers; each names its schema in the API's description.

// account is simple-user.
type account struct {
	ID    int64  `json:"id"`
	Login string `json:"login"`
	Type  string `json:"type"`
}

// person turns an account, or nil for one that was deleted, into a Person.
func (a *account) person() duties.Person {
	if a == nil {
		return duties.Person{}
	}
	return duties.Person{ID: a.ID, Login: a.Login, Bot: a.Type != "User"}
}

// commit is commit.
type commit struct {
	SHA     string `json:"sha"`
	Parents []struct {
		SHA string `json:"sha"`
	} `json:"parents"`
	Committer *account `json:"committer"`
	Commit    struct {
		Message      string `json:"message"`
		Verification struct {
			Verified bool   `json:"verified"`
			Reason   string `json:"reason"`
		} `json:"verification"`
	} `json:"commit"`
}

// isName reports whether s is the full name of a commit: whatever else an answer may hold has no
// place in the path of a request.
func isName(s string) bool {
	return (len(s) == 40 || len(s) == 64) && strings.Trim(s, "0123456789abcdef") == ""
}

// webFlow is the account as which GitHub itself signs the commits that it makes
// (docs.github.com, "About commit signature verification").
const webFlow = "web-flow"

// maxTitle is the most characters kept of the first line of a message.
const maxTitle = 60

// fact is what the judgment is told of c.
func (c commit) fact() duties.Commit {
	title, _, _ := strings.Cut(c.Commit.Message, "\n")
	if utf8.RuneCountInString(title) > maxTitle {
		title = string([]rune(title)[:maxTitle-1]) + "…"
	}
	f := duties.Commit{
		SHA: c.SHA, Title: strings.TrimSpace(title), Root: len(c.Parents) == 0,
		Verified: c.Commit.Verification.Verified, Why: c.Commit.Verification.Reason,
	}
	// GitHub verifies that the key is of the account behind the committer, so here, and only
	// here, a commit proves a person.
	if f.Verified && c.Committer != nil && c.Committer.Login != webFlow {
		f.Signer = c.Committer.person()
	}
	return f
}

// comparison is commit-comparison.
type comparison struct {
	Status  string   `json:"status"` // of the head, seen from the base
	Total   int      `json:"total_commits"`
	Commits []commit `json:"commits"`
}

// pull is pull-request-simple.
type pull struct {
	Number   int        `json:"number"`
	User     *account   `json:"user"`
	MergedAt *time.Time `json:"merged_at"`
	Head     struct {
		SHA string `json:"sha"`
	} `json:"head"`
	Base struct {
		Ref  string `json:"ref"`
		Repo struct {
			ID int64 `json:"id"`
		} `json:"repo"`
	} `json:"base"`
}

// review is pull-request-review.
type review struct {
	User     *account `json:"user"`
	State    string   `json:"state"`
	CommitID string   `json:"commit_id"`
}

// checkRuns is a page of check-run.
type checkRuns struct {
	Runs []struct {
		ID         int64  `json:"id"`
		Name       string `json:"name"`
		HeadSHA    string `json:"head_sha"`
		ExternalID string `json:"external_id"`
		Status     string `json:"status"`
		Conclusion string `json:"conclusion"`
		App        struct {
			ID int64 `json:"id"`
		} `json:"app"`
	} `json:"check_runs"`
}

// branch is short-branch.
type branch struct {
	Name      string `json:"name"`
	Protected bool   `json:"protected"`
	Commit    struct {
		SHA string `json:"sha"`
	} `json:"commit"`
}

// release is release.
type release struct {
	ID        int64     `json:"id"`
	Tag       string    `json:"tag_name"`
	Draft     bool      `json:"draft"`
	Published time.Time `json:"published_at"`
}

// permission is repository-collaborator-permission.
type permission struct {
	Permission string   `json:"permission"`
	User       *account `json:"user"`
}
