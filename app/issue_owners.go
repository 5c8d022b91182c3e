package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-github/v62/github"

	"github.com/landwaiter/landwaiter/checks"
)

const (
	// maxAssignees is GitHub's limit (GITHUB.md section 2).
	maxAssignees = 10
	// maxAdmins bounds the administrators asked when nobody else is named, so that an issue
	// does not ring for a whole organisation. Our choice.
	maxAdmins = 3
)

// issueLabel is the label of every issue of ours, and the beginning of those that say how
// bad it is (GITHUB.md section 6).
const issueLabel = "landwaiter"

// labelColour is the colour of a label that we create, in GitHub's form; people may change it.
func labelColour(name string) string {
	switch strings.TrimPrefix(name, issueLabel+":") {
	case "critical":
		return "b60205"
	case "high":
		return "d93f0b"
	case "medium":
		return "fbca04"
	case "low":
		return "c2e0c6"
	}
	return "5319e7"
}

// ensureLabels creates the labels that are missing.
func (c *installation) ensureLabels(ctx context.Context, names []string) error {
	for _, name := range names {
		if err := c.ensureLabel(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func (c *installation) ensureLabel(ctx context.Context, name string) error {
	_, _, err := c.Issues.GetLabel(ctx, c.Repo.Owner, c.Repo.Name, name)
	if err == nil {
		return nil
	}
	if !notFound(err) {
		return fmt.Errorf("looking for label %s in %s: %w", name, c.Repo, err)
	}
	_, _, err = c.Issues.CreateLabel(ctx, c.Repo.Owner, c.Repo.Name, &github.Label{
		Name: &name, Color: github.String(labelColour(name)), Description: github.String("Found by Landwaiter"),
	})
	if err != nil && status(err) != http.StatusUnprocessableEntity { // 422: somebody made it meanwhile
		return fmt.Errorf("creating label %s in %s: %w", name, c.Repo, err)
	}
	return nil
}

// releasePaths are the files whose owners answer for releases: the workflows of the
// repository that Policy accepts as signers, and those that make and judge releases by convention.
func releasePaths(t trunk) []string {
	var paths []string
	if own := ownWorkflow(t); own != "" {
		paths = append(paths, own)
	}
	return append(paths, ".github/workflows/release.yml", policyPath)
}

// ownWorkflow returns the path of the repository's workflow that Policy names as a signer, or "".
func ownWorkflow(t trunk) string {
	for _, rule := range t.Policy.Releases.Trust.Signers {
		path, own := strings.CutPrefix(rule.Workflow, t.GetFullName()+"/")
		if own && !strings.Contains(path, "*") {
			return path
		}
	}
	return ""
}

// releaseOwners returns who answers for the releases of a repository and why: the policy's
// owners, those of CODEOWNERS on the default branch, or its administrators.
func (a *App) releaseOwners(ctx context.Context, c *installation, t trunk) ([]checks.Owner, string, error) {
	file, err := a.codeowners(ctx, c, t.head)
	if err != nil && !errors.Is(err, checks.ErrTooLarge) { // GitHub ignores one that is too large, too
		return nil, "", err
	}
	for _, path := range releasePaths(t) {
		if owners, why := checks.Responsible(t.Policy, file, path); len(owners) > 0 {
			return owners, why, nil
		}
	}
	admins, _, err := c.Repositories.ListCollaborators(ctx, c.Repo.Owner, c.Repo.Name, &github.ListCollaboratorsOptions{
		Affiliation: "all", Permission: "admin", ListOptions: github.ListOptions{PerPage: maxAdmins},
	})
	if err != nil {
		return nil, "", fmt.Errorf("listing the administrators of %s: %w", c.Repo, err)
	}
	var owners []checks.Owner
	for _, admin := range admins {
		if admin.GetType() != "Bot" {
			owners = append(owners, checks.Owner{User: admin.GetLogin()})
		}
	}
	return owners, "as administrator of the repository", nil
}

// assignable returns the users among owners whom GitHub lets be assigned. Teams cannot be.
func (c *installation) assignable(ctx context.Context, owners []checks.Owner) ([]string, error) {
	var users []string
	for _, o := range owners {
		if o.User == "" || !nameForm().MatchString(o.User) || len(users) == maxAssignees {
			continue
		}
		yes, _, err := c.Issues.IsAssignee(ctx, c.Repo.Owner, c.Repo.Name, o.User)
		if err != nil {
			return nil, fmt.Errorf("asking whether %s can be assigned in %s: %w", o.User, c.Repo, err)
		}
		if yes {
			users = append(users, o.User)
		}
	}
	return users, nil
}
