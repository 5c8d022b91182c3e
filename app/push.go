package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store"
)

// pushed reports whether a push is to the default branch or to a tag, or may have changed a
// policy file: of the others, pull requests tell.
func (p payload) pushed() bool {
	return strings.HasPrefix(p.Ref, "refs/tags/") || p.toDefaultBranch() || changesPolicy(p)
}

func (p payload) toDefaultBranch() bool { return p.Ref == "refs/heads/"+p.Repository.DefaultBranch }

// onPush judges the head of the default branch, where the policy asks for that, and releases
// whose tag moved, and looks for pull requests that the policy of their base branch no longer
// judges as it did.
func (a *App) onPush(d store.Delivery) ([]store.Job, error) {
	p, r, err := readPayloadOf(d)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(p.Ref, "refs/tags/") {
		return []store.Job{a.tagJob(tagArgs{Repo: r, Ref: p.Ref, After: p.After})}, nil
	}
	var jobs []store.Job
	if changesPolicy(p) {
		jobs = append(jobs, a.backfillJob(r, d.Event))
	}
	if p.Deleted || !p.toDefaultBranch() {
		return jobs, nil
	}
	head, err := commit(p.After)
	if err != nil {
		return nil, err
	}
	return append(jobs, a.judgeJob(subjectArgs{Repo: r, Kind: checks.KindCommit, Ref: p.Ref, Commit: head}, d.Event)), nil
}

// tagArgs are the Args of a job that looks for the releases of a tag.
type tagArgs struct {
	Repo repo   `json:"repo"`
	Ref  string `json:"ref"`
	// After is what the tag points at now, a commit or a tag object, as the delivery says.
	After string `json:"after"`
}

func (a *App) tagJob(t tagArgs) store.Job {
	sum := sha256.Sum256([]byte(t.Ref)) // a name may be longer than a key
	return store.Job{
		Step: stepTag, Key: fmt.Sprintf("tag:%d:%s", t.Repo.ID, hex.EncodeToString(sum[:8])), Cause: "push", Priority: priorityRelease,
		InstallationID: t.Repo.InstallationID, Due: a.now(), Args: encode(t),
	}
}

// maxTagged bounds the reports on releases among which those of a tag are looked for.
const maxTagged = 500

// tagMoved is the step that has the releases of a tag judged again which was made, moved or
// deleted after they were: that sends no release event, and withdraws the verdict (THREATS
// G24). The releases that were never judged have events of their own.
func (a *App) tagMoved(ctx context.Context, j store.Job) error {
	t, err := decode[tagArgs](j)
	if err != nil {
		return &permanent{err}
	}
	found, err := a.store.Reports(ctx, store.ReportFilter{RepositoryID: t.Repo.ID, Kind: checks.KindRelease, Limit: maxTagged})
	if err != nil {
		return fmt.Errorf("looking for releases of %s: %w", t.Ref, err)
	}
	var then []store.Job
	seen := map[string]bool{}
	for _, r := range found { // the newest of each release comes first
		if seen[r.Key] {
			continue
		}
		seen[r.Key] = true
		if r.Subject.Ref == t.Ref && r.Subject.Commit != t.After {
			then = append(then, a.judgeJob(subjectArgs{Repo: t.Repo, Kind: checks.KindRelease, ReleaseID: r.Subject.ReleaseID}, "the tag moved"))
		}
	}
	return a.store.Finish(ctx, j, then...)
}
