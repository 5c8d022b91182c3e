package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/go-github/v62/github"

	"github.com/landwaiter/landwaiter/checks"
)

// policyPath is where a repository keeps its policy (GITHUB.md section 8).
const policyPath = ".github/landwaiter.yml"

// ownersPaths are the places of CODEOWNERS; the first that exists counts
// (docs.github.com, "About code owners").
var ownersPaths = []string{".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"}

// errNoFile says that a commit has no file at a path.
var errNoFile = errors.New("no such file")

// inForce is the policy that a judgment obeys.
type inForce struct {
	Policy *checks.Policy
	// Problem and Kept are as in gathered.
	Problem *checks.PolicyError
	Kept    bool
}

// lastPolicy is the last valid policy file of a branch, kept as a setting.
type lastPolicy struct {
	Commit string `json:"commit"`
	Text   string `json:"text"`
}

// policy returns the policy in force at a commit of the branch ref: its file, or the default
// where there is none. A file that is not valid leaves the branch's last valid one in force.
func (a *App) policy(ctx context.Context, c *installation, ref, commit string) (inForce, error) {
	name := fmt.Sprintf("policy:%d:%s", c.Repo.ID, ref)
	text, err := c.file(ctx, policyPath, commit)
	if errors.Is(err, errNoFile) {
		return inForce{Policy: checks.DefaultPolicy()}, nil
	}
	var p *checks.Policy
	if err == nil {
		p, err = checks.ParsePolicy(text, policyPath+"@"+commit)
	}
	var broken *checks.PolicyError
	switch {
	case errors.As(err, &broken):
		return a.lastGood(ctx, name, broken)
	case err != nil:
		return inForce{}, err
	}
	return inForce{Policy: p}, a.remember(ctx, name, lastPolicy{commit, string(text)})
}

// lastGood returns what is in force while a branch's policy is broken.
func (a *App) lastGood(ctx context.Context, name string, broken *checks.PolicyError) (inForce, error) {
	last, ok, err := recall[lastPolicy](ctx, a, name)
	if err != nil {
		return inForce{}, err
	}
	if ok {
		// It was valid once, but perhaps for an earlier version of ours.
		if p, err := checks.ParsePolicy([]byte(last.Text), policyPath+"@"+last.Commit); err == nil {
			return inForce{Policy: p, Problem: broken, Kept: true}, nil
		}
	}
	return inForce{Policy: checks.DefaultPolicy(), Problem: broken}, nil
}

// codeowners returns the CODEOWNERS of a commit, which must be of the base or the default
// branch; none is an empty one. A file that cannot be parsed is treated as absent by GitHub
// line by line, and so by checks.ParseCodeowners.
func (a *App) codeowners(ctx context.Context, c *installation, commit string) (*checks.Codeowners, error) {
	for _, place := range ownersPaths {
		text, err := c.file(ctx, place, commit)
		var unreadable *checks.PolicyError
		if errors.Is(err, errNoFile) || errors.As(err, &unreadable) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return checks.ParseCodeowners(text)
	}
	return checks.ParseCodeowners(nil)
}

// file returns the file at name in a commit. It returns errNoFile when there is none and a
// PolicyError when what is there is no file that can be read. A commit never changes, so the
// file is kept. Its absence is not: a 404 may also mean that a commit is not everywhere yet,
// and taking that for "no policy" for good would loosen the rules.
func (c *installation) file(ctx context.Context, name, commit string) ([]byte, error) {
	cache, key := c.app.github.cache, name+"@"+commit
	if kept, ok := cache.get(ctx, c.Repo, "file", key); ok {
		return kept, nil
	}
	found, dir, _, err := c.Repositories.GetContents(ctx, c.Repo.Owner, c.Repo.Name, name,
		&github.RepositoryContentGetOptions{Ref: commit})
	switch {
	case notFound(err):
		return nil, fmt.Errorf("%s: %w", name, errNoFile)
	case err != nil:
		return nil, fmt.Errorf("reading %s at %s: %w", name, commit, err)
	case found == nil || dir != nil || found.GetType() != "file":
		return nil, &checks.PolicyError{Source: name + "@" + commit, Message: "is not a regular file"}
	}
	data, err := c.content(ctx, found)
	if err != nil {
		return nil, fmt.Errorf("reading %s at %s: %w", name, commit, err)
	}
	cache.keep(ctx, c.Repo, "file", key, data)
	return data, nil
}

// content returns the bytes of a file that GitHub described. Above 1 MB they do not come
// with the description (docs.github.com, "Get repository content") and are read as a blob.
func (c *installation) content(ctx context.Context, found *github.RepositoryContent) ([]byte, error) {
	if found.GetSize() > 3<<20 {
		return nil, &checks.PolicyError{Source: found.GetPath(), Message: "is larger than 3 MB"}
	}
	text, err := found.GetContent()
	if err == nil && blobName(found.GetSHA(), []byte(text)) == found.GetSHA() {
		return []byte(text), nil
	}
	return c.blob(ctx, found.GetSHA())
}

// asPolicyError moves err into broken when it says that a policy is not valid, and returns
// it otherwise.
func asPolicyError(err error, broken **checks.PolicyError) error {
	if err == nil || errors.As(err, broken) {
		return nil
	}
	return err
}
