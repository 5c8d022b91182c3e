package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/landwaiter/landwaiter/checks"
)

// release is a release as GitHub has it. go-github v62 does not know immutable ones.
type release struct {
	ID              int64  `json:"id"`
	TagName         string `json:"tag_name"`
	TargetCommitish string `json:"target_commitish"` // a branch or a commit
	Name            string `json:"name"`
	Body            string `json:"body"`
	Draft           bool   `json:"draft"`
	Prerelease      bool   `json:"prerelease"`
	Immutable       bool   `json:"immutable"`
	// Author made the release, nil when the account was deleted; Published is nil for a draft.
	Author    *actor     `json:"author"`
	Published *time.Time `json:"published_at"`
}

// releaseSeen is a release with what its Verdict is bound to.
type releaseSeen struct {
	release
	assets []releaseAsset
	own    *releaseAsset // the file with summaries that we attached; not among assets
	tagged string        // what the tag points at after peeling; "" when there is none
	commit string        // tagged, or the target of a draft without a tag
	shown  string        // where a check can stand: commit, or the target when that is unknown
	gaps   []checks.Gap
}

// set names the assets, what the tag points at, and the images that the notes name; see
// assetSet. The target of a draft is not among it: it may be a branch, and moves with every
// push.
func (r releaseSeen) set() string {
	return assetSet(r.assets, strings.Join(append([]string{r.tagged}, imagesIn(r.Body)...), " "))
}

// is reports whether the release is what was judged as s: under the same tag, which the
// evidence is about too, and with the same set.
func (r releaseSeen) is(s checks.Subject) bool {
	return "refs/tags/"+r.TagName == s.Ref && r.set() == s.AssetSet
}

// see reads a release with its assets and its commit, and returns the client that can: one
// that may write when it is a draft. It returns errReleaseGone, and an errPermission when
// there is no telling, because the release may be a draft that the App is not let see.
func (c *installation) see(ctx context.Context, id int64, defaultBranch string) (*installation, releaseSeen, error) {
	found, err := c.release(ctx, id)
	if notFound(err) {
		c = c.app.installation(c.Repo, toReadDrafts)
		found, err = c.release(ctx, id)
	}
	switch {
	case notFound(err):
		return c, releaseSeen{}, fmt.Errorf("release %d of %s: %w", id, c.Repo, errReleaseGone)
	case err != nil:
		return c, releaseSeen{}, err
	}
	seen := releaseSeen{release: found}
	assets, err := c.listAssets(ctx, id)
	if err != nil {
		return c, seen, err
	}
	attached, err := c.app.attached(ctx, subjectArgs{Repo: c.Repo, Kind: checks.KindRelease, ReleaseID: id}.key())
	if err != nil {
		return c, seen, err
	}
	seen.assets, seen.own = attached.setApart(assets)
	return c, seen, c.locate(ctx, &seen, defaultBranch)
}

// release returns a release by its number, which addresses drafts too.
func (c *installation) release(ctx context.Context, id int64) (release, error) {
	var found release
	if _, err := c.ask(ctx, http.MethodGet, fmt.Sprintf("%s/releases/%d", c.path(), id), nil, &found); err != nil {
		return release{}, fmt.Errorf("reading release %d of %s: %w", id, c.Repo, err)
	}
	if found.ID != id {
		return release{}, fmt.Errorf("reading release %d of %s: GitHub answers with release %d", id, c.Repo, found.ID)
	}
	return found, nil
}

// locate finds the commit of a release.
func (c *installation) locate(ctx context.Context, seen *releaseSeen, defaultBranch string) error {
	var err error
	seen.tagged, err = c.tagCommit(ctx, seen.TagName)
	seen.commit, seen.shown = seen.tagged, seen.tagged
	if err != nil || seen.tagged != "" {
		return err
	}
	if seen.shown, err = c.targetCommit(ctx, seen.TargetCommitish, defaultBranch); err != nil {
		return err
	}
	if seen.Draft { // its tag comes with publication
		seen.commit = seen.shown
		return nil
	}
	seen.gaps = append(seen.gaps, checks.Gap{
		Path: "refs/tags/" + seen.TagName, Reason: "the tag does not exist, so the commit of the release is unknown",
	})
	return nil
}

// refForm reports whether name can be that of a tag or branch, as far as it matters for the
// path of a request: a draft may carry any text as its tag (git-check-ref-format(1), rule 3).
func refForm(name string) bool {
	return name != "" && !strings.Contains(name, "..") && !strings.HasPrefix(name, "/") && !strings.Contains(name, "/.") &&
		!strings.HasPrefix(name, ".")
}

// maxPeels bounds annotated tags that point at tags. git's own commands make at most one.
const maxPeels = 5

// tagCommit returns the commit that tag points at, or "" when there is no such tag or it
// points at something else.
func (c *installation) tagCommit(ctx context.Context, tag string) (string, error) {
	if !refForm(tag) {
		return "", nil
	}
	ref, _, err := c.Git.GetRef(ctx, c.Repo.Owner, c.Repo.Name, "tags/"+tag)
	if notFound(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading tag %s of %s: %w", tag, c.Repo, err)
	}
	at := ref.GetObject()
	for range maxPeels {
		switch at.GetType() {
		case "commit":
			return commit(at.GetSHA())
		case "tag":
		default:
			return "", nil
		}
		object, _, err := c.Git.GetTag(ctx, c.Repo.Owner, c.Repo.Name, at.GetSHA())
		if err != nil {
			return "", fmt.Errorf("reading tag object %s of %s: %w", at.GetSHA(), c.Repo, err)
		}
		at = object.GetObject()
	}
	return "", nil
}

// errNoTarget says that a release's target leads to no commit.
var errNoTarget = errors.New("neither a commit nor a branch")

// targetCommit returns the commit that a tag made from target would point at: target itself,
// or the head of the branch target, or of otherwise where that does not exist.
func (c *installation) targetCommit(ctx context.Context, target, otherwise string) (string, error) {
	if commitForm().MatchString(target) {
		return target, nil
	}
	for _, branch := range []string{target, otherwise} {
		if !refForm(branch) {
			continue
		}
		ref, _, err := c.Git.GetRef(ctx, c.Repo.Owner, c.Repo.Name, "heads/"+branch)
		if notFound(err) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("reading branch %s of %s: %w", branch, c.Repo, err)
		}
		return commit(ref.GetObject().GetSHA())
	}
	return "", fmt.Errorf("reading target %q of %s: %w", target, c.Repo, errNoTarget)
}
