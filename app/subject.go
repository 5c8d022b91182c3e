package app

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store"
)

// repo names a repository and the installation through which it is reached. The numeric id
// is its identity; the names are those of the newest answer and may be out of date.
type repo struct {
	InstallationID int64  `json:"installation_id"`
	ID             int64  `json:"id"`
	Owner          string `json:"owner"`
	Name           string `json:"name"`
}

// String returns "owner/name".
func (r repo) String() string { return r.Owner + "/" + r.Name }

// subjectArgs are the Args of judge and publish jobs: the identity of a Subject and what is
// wanted of it, never what was seen of it.
type subjectArgs struct {
	Repo      repo        `json:"repo"`
	Kind      checks.Kind `json:"kind"`
	Number    int         `json:"number,omitempty"`     // pull request
	Ref       string      `json:"ref,omitempty"`        // "refs/pull/7/head", "refs/tags/v1"
	Commit    string      `json:"commit,omitempty"`     // head that the check stands on
	Base      string      `json:"base,omitempty"`       // a hint for pull requests, the range's start for merge groups
	BaseRef   string      `json:"base_ref,omitempty"`   // branch of Base, a hint like it
	ReleaseID int64       `json:"release_id,omitempty"` // release
	// RunID and Environment name a deployment, whose Commit is what it was asked for; its own
	// number tells the attempts at a run apart.
	RunID        int64  `json:"run_id,omitempty"`
	Environment  string `json:"environment,omitempty"`
	DeploymentID int64  `json:"deployment_id,omitempty"`
	// Rerun opens a new check run, named by Cause, instead of continuing the one there is.
	Rerun bool `json:"rerun,omitempty"`
	// Cause is the GUID of the delivery that asked for the rerun.
	Cause string `json:"cause,omitempty"`
}

// key returns the key of the Subject's jobs and publications.
func (s subjectArgs) key() string {
	switch s.Kind {
	case checks.KindPullRequest:
		return fmt.Sprintf("pr:%d:%d:%s", s.Repo.ID, s.Number, s.Commit)
	case checks.KindMergeGroup:
		return fmt.Sprintf("mg:%d:%s", s.Repo.ID, s.Commit)
	case checks.KindRelease:
		return fmt.Sprintf("release:%d:%d", s.Repo.ID, s.ReleaseID)
	case checks.KindCommit:
		return fmt.Sprintf("commit:%d:%s", s.Repo.ID, s.Commit)
	case checks.KindDeployment:
		return fmt.Sprintf("deployment:%d:%d:%s", s.Repo.ID, s.RunID, environmentKey(s.Environment))
	}
	return "none:" + string(s.Kind)
}

// check returns the name of the check that shows the Subject's Report. Names are an
// interface that rulesets refer to (GITHUB.md section 1).
func (s subjectArgs) check() string {
	if s.Kind == checks.KindRelease || s.Kind == checks.KindCommit {
		return "landwaiter/release"
	}
	return "landwaiter/pr"
}

// priority returns the priority of the Subject's jobs.
func (s subjectArgs) priority() int {
	switch s.Kind {
	case checks.KindMergeGroup:
		return priorityGroup
	case checks.KindRelease, checks.KindCommit:
		return priorityRelease
	case checks.KindDeployment:
		return priorityGate
	}
	return priorityPull
}

// runID returns the external id of a check run of the Subject: its key, and a suffix that
// tells reruns apart. prior is the cause of this run beyond the first, "" for the first.
func (s subjectArgs) runID(prior string) string {
	sum := sha256.Sum256([]byte(s.key() + "\n" + prior))
	return s.key() + ":" + hex.EncodeToString(sum[:6])
}

// subjectOfRun reads the Subject out of the external id of one of our check runs, on head.
func subjectOfRun(r repo, externalID, head string) (subjectArgs, error) {
	bad := fmt.Errorf("check run with the external id %q is not one of ours", externalID)
	part := strings.Split(externalID, ":")
	s := subjectArgs{Repo: r, Commit: head}
	switch {
	case len(part) == 5 && part[0] == "pr":
		n, err := strconv.Atoi(part[2])
		if err != nil || n <= 0 || part[3] != head {
			return subjectArgs{}, bad
		}
		s.Kind, s.Number, s.Ref = checks.KindPullRequest, n, fmt.Sprintf("refs/pull/%d/head", n)
	case len(part) == 4 && part[0] == "mg":
		if part[2] != head {
			return subjectArgs{}, bad
		}
		s.Kind = checks.KindMergeGroup
	case len(part) == 4 && part[0] == "commit":
		if part[2] != head {
			return subjectArgs{}, bad
		}
		s.Kind = checks.KindCommit
	case len(part) == 4 && part[0] == "release":
		id, err := strconv.ParseInt(part[2], 10, 64)
		if err != nil || id <= 0 {
			return subjectArgs{}, bad
		}
		s.Kind, s.ReleaseID = checks.KindRelease, id
	default:
		return subjectArgs{}, bad
	}
	if part[1] != strconv.FormatInt(r.ID, 10) {
		return subjectArgs{}, bad
	}
	return s, nil
}

// judgeJob returns the job that judges s.
func (a *App) judgeJob(s subjectArgs, cause string) store.Job {
	return store.Job{
		Step: stepJudge, Key: s.key(), Cause: cause, Priority: s.priority(),
		InstallationID: s.Repo.InstallationID, Due: a.now(), Args: encode(s),
	}
}

// encode writes args as JSON without escapes for HTML, which would make hostile text six
// times as long. Args are plain structs of ours, for which it cannot fail.
func encode(args any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(args); err != nil {
		panic(fmt.Sprintf("writing job arguments: %v", err))
	}
	return bytes.TrimSpace(b.Bytes())
}

// decode reads what encode wrote.
func decode[T any](j store.Job) (T, error) {
	var args T
	if err := json.Unmarshal(j.Args, &args); err != nil {
		return args, fmt.Errorf("reading the arguments of job %s %s: %w", j.Step, j.Key, err)
	}
	return args, nil
}
