package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/landwaiter/landwaiter/store"
)

// onRepository looks at what a repository is now, whatever happened to it: renamed, transferred,
// archived, made private or public, deleted, or any of these undone.
func (a *App) onRepository(d store.Delivery) ([]store.Job, error) {
	p, r, err := readPayloadOf(d)
	if err != nil {
		return nil, err
	}
	return []store.Job{a.repositoryJob(r, d.Event+"."+p.Action)}, nil
}

// manyCommits is from how many commits on the list in a push is not trusted to be whole: GitHub
// lists 2,048 at most (docs.github.com, "Webhook events and payloads", push), and listed 20 before.
const manyCommits = 20

// changesPolicy reports whether a push to a branch may have changed its policy file. What the
// payload cannot say counts as a change; looking costs a few calls.
func changesPolicy(p payload) bool {
	if !strings.HasPrefix(p.Ref, "refs/heads/") || p.Deleted {
		return false
	}
	if p.Forced || len(p.Commits) >= manyCommits {
		return true
	}
	for _, c := range p.Commits {
		for _, paths := range [][]string{c.Added, c.Modified, c.Removed} {
			for _, path := range paths {
				if path == policyPath {
					return true
				}
			}
		}
	}
	return false
}

// repositoryJob returns the job that looks at a repository.
func (a *App) repositoryJob(r repo, cause string) store.Job {
	return store.Job{
		Step: stepRepository, Key: fmt.Sprintf("repository:%d", r.ID), Cause: cause,
		Priority: priorityGate, InstallationID: r.InstallationID, Due: a.now(), Args: encode(repositoryArgs{Repo: r}),
	}
}

// repositoryArgs are the Args of a job that looks at a repository.
type repositoryArgs struct {
	Repo repo `json:"repo"`
	// Doubt says that a refusal led here, and no news: nothing is looked for that was missed.
	Doubt bool `json:"doubt,omitempty"`
}

// repoOf returns the repository that a job is about, when its Args name one.
func repoOf(j store.Job) (repo, bool) {
	args, err := decode[struct {
		repo
		Repo    repo `json:"repo"`
		Subject struct {
			Repo repo `json:"repo"`
		} `json:"subject"`
	}](j)
	for _, r := range []repo{args.Repo, args.Subject.Repo, args.repo} {
		if err == nil && r.ID != 0 {
			return r, true
		}
	}
	return repo{}, false
}

// lookAtRepository is the step that ends the work for a repository that we do not reach any more
// or that is archived, where nothing can be written, and else looks for what was missed in it.
func (a *App) lookAtRepository(ctx context.Context, j store.Job) error {
	args, err := decode[repositoryArgs](j)
	if err != nil {
		return &permanent{err}
	}
	r := args.Repo
	found, _, err := a.installation(r, permissions{"metadata": "read"}).Repositories.GetByID(ctx, r.ID)
	switch {
	case errors.Is(err, errGone), notFound(err):
		return a.stopRepository(ctx, j, r, "out of reach")
	case err != nil:
		return fmt.Errorf("reading repository %d: %w", r.ID, err)
	case found.GetArchived(), found.GetDisabled():
		return a.stopRepository(ctx, j, r, "archived")
	}
	if err := a.noticeVisibility(ctx, r.ID, found.GetPrivate(), j.Cause == "repository.privatized"); err != nil {
		return err
	}
	if args.Doubt {
		return a.store.Finish(ctx, j)
	}
	named, err := newRepo(r.InstallationID, payloadRepository{ID: found.GetID(), FullName: found.GetFullName()})
	if err != nil {
		return fmt.Errorf("reading repository %d: %w", r.ID, err)
	}
	return a.store.Finish(ctx, j, a.backfillJob(named, j.Cause))
}

// noticeVisibility ends the links to pages about a repository that was made private since the
// last look: they were given out while everybody could read it (THREATS G32). told says that
// GitHub just made it so, whatever is known of before.
func (a *App) noticeVisibility(ctx context.Context, id int64, private, told bool) error {
	name := fmt.Sprintf("private:%d", id)
	was, known, err := recall[bool](ctx, a, name)
	if err != nil || known && was == private {
		return err
	}
	if private && (known || told) {
		if err := a.store.SetSetting(ctx, store.LinksSetting(id), a.now().Format(time.RFC3339Nano)); err != nil {
			return fmt.Errorf("ending the links to repository %d: %w", id, err)
		}
	}
	return a.remember(ctx, name, private)
}

// stopRepository forgets the jobs of a repository and says so.
func (a *App) stopRepository(ctx context.Context, j store.Job, r repo, why string) error {
	n, err := a.store.DropJobsWith(ctx, r.InstallationID, jobsOf(r)...)
	if err != nil {
		return err
	}
	if n > 0 {
		a.log.WarnContext(ctx, "repository is "+why+", work for it stopped", "repo", r.String(), "repository", r.ID, "installation", r.InstallationID, "dropped", n)
	}
	return a.store.Finish(ctx, j)
}

// jobsOf returns what the keys of all jobs on a repository hold: a word and the number.
func jobsOf(r repo) []string {
	parts := []string{fmt.Sprintf("suite:%d:", r.ID), fmt.Sprintf("tag:%d:", r.ID), fmt.Sprintf("backfill:%d", r.ID), rollupKey(r)}
	for _, g := range gathers() {
		key := subjectArgs{Repo: r, Kind: g.kind}.key()
		word, _, _ := strings.Cut(key, ":")
		parts = append(parts, fmt.Sprintf("%s:%d:", word, r.ID))
	}
	return parts
}
