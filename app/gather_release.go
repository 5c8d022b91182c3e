package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/output"
	"github.com/landwaiter/landwaiter/store"
)

// The permissions of the release side, each asked for only where it is used: what an
// installation does not grant takes away one feature, not all (GITHUB.md section 3).
var (
	toJudgeReleases    = permissions{"contents": "read", "checks": "write"}
	toReadDrafts       = permissions{"contents": "write"} // a draft is invisible without it
	toReadAttestations = permissions{"attestations": "read"}
)

// errReleaseGone says that GitHub has no release with a number.
var errReleaseGone = errors.New("the release is gone")

// trunk is what a release is judged by: the repository as it is now, and the policy at the
// head of its default branch.
type trunk struct {
	*github.Repository
	head string // commit of the default branch
	inForce
}

// trunk reads the repository of c and the policy in force for its releases.
func (a *App) trunk(ctx context.Context, c *installation) (trunk, error) {
	t := trunk{}
	var err error
	if t.Repository, err = c.facts(ctx); err != nil {
		return t, err
	}
	if t.head, err = c.targetCommit(ctx, t.GetDefaultBranch(), ""); err != nil {
		return t, err
	}
	t.inForce, err = a.policy(ctx, c, "refs/heads/"+t.GetDefaultBranch(), t.head)
	return t, err
}

// facts reads the repository by its number, and goes on under the name it has now.
func (c *installation) facts(ctx context.Context) (*github.Repository, error) {
	facts, _, err := c.Repositories.GetByID(ctx, c.Repo.ID)
	if err != nil {
		return nil, fmt.Errorf("reading repository %s: %w", c.Repo, err)
	}
	now, err := newRepo(c.Repo.InstallationID, payloadRepository{ID: facts.GetID(), FullName: facts.GetFullName()})
	if err != nil || now.ID != c.Repo.ID {
		return nil, fmt.Errorf("reading repository %s: GitHub answers with number %d, %q", c.Repo, facts.GetID(), facts.GetFullName())
	}
	c.Repo = now
	return facts, nil
}

// gatherRelease reads a release as it is now, its assets and all evidence for them.
//
// It asks to wait while the assets have not settled, and for nothing at all when Policy does
// not look at releases or the release is gone.
func (a *App) gatherRelease(ctx context.Context, c *installation, s subjectArgs) (gathered, error) {
	t, err := a.trunk(ctx, c)
	if err != nil {
		return gathered{}, err
	}
	if t.Policy.Releases.Gate == checks.GateOff {
		return a.notJudged(ctx, s, output.CheckRun{
			Name: output.CheckRelease, Status: "completed", Conclusion: "skipped", Title: "Releases are not checked",
			Summary: "The policy has `releases.gate: off`.",
		})
	}
	reader, seen, err := c.see(ctx, s.ReleaseID, t.GetDefaultBranch())
	var lacking *errPermission
	switch {
	case errors.Is(err, errReleaseGone):
		return a.releaseGone(ctx, s)
	case errors.As(err, &lacking): // deleted or a draft: there is no telling
		d := a.detail(s, t.Policy.Mode)
		d.Permission = lacking.Missing.String()
		return a.notJudged(ctx, s, output.ForState(output.StatePermission, d))
	case err != nil:
		return gathered{}, err
	}
	known, err := a.gateKnown(ctx, s.key())
	if err != nil || seen.Draft && a.justPublished(known) {
		return gathered{}, cmp.Or(err, errOldReading)
	}
	g := gathered{Policy: t.Policy, PolicyProblem: t.Problem, PolicyKept: t.Kept, Commit: seen.shown}
	returned := known.State == gateReverted && !seen.Draft
	if g.Wait, err = a.awaitAssets(ctx, s, t.Policy, seen, returned); err != nil || g.Wait != nil {
		return g, err
	}
	if err := a.showVerifying(ctx, c, s, t.Policy, seen); err != nil {
		return g, err
	}
	var steady bool
	if g.Material, steady, err = a.releaseMaterial(ctx, reader, t, seen); err != nil {
		return g, err
	}
	if g.Material.Release.Duties, err = a.readDuties(ctx, c, t, seen); err != nil {
		return g, err
	}
	if err := a.recallSigners(ctx, g.Material); err != nil {
		return g, err
	}
	if err := a.readApprovals(ctx, c, t, seen, g.Material); err != nil {
		return g, err
	}
	g.Then = func(ctx context.Context, evidence []checks.Evidence) error {
		if err := a.countKeys(ctx, c, g.Policy, g.Material, evidence); err != nil {
			return err
		}
		again, err := a.readRuns(ctx, c, g.Material.Release, evidence)
		if err != nil {
			return err
		}
		return a.lookAgain(ctx, s, again)
	}
	g.Wait, err = a.awaitStorage(ctx, s, t.Policy, seen, steady)
	return g, err
}

// awaitAssets returns what to wait for before the release can be judged, or nil. returned says that it
// was taken back and is public again: if its assets are those that it was taken back for, this may be an
// old reading, from before it was mended, so they have to settle once more.
//
// Jobs with one key never run at once, so nobody else writes what is remembered meanwhile.
func (a *App) awaitAssets(ctx context.Context, s subjectArgs, p *checks.Policy, seen releaseSeen, returned bool) (*waiting, error) {
	was, _, err := recall[settling](ctx, a, settlingName(s))
	if err != nil {
		return nil, err
	}
	if returned && was.Judged != "" {
		was = settling{}
	}
	is, got := was.look(p.Releases, seen.assets, a.now())
	if err := a.remember(ctx, settlingName(s), is); err != nil {
		return nil, err
	}
	if got.ready {
		return nil, nil
	}
	d := a.detail(s, p.Mode)
	d.Have, d.Want, d.Missing = got.have, got.want, got.missing
	return &waiting{Until: got.until, Shown: output.ForState(output.StateWaiting, d), Mark: markWaiting}, nil
}

// settlingName is the setting that holds the settling of a release.
func settlingName(s subjectArgs) string { return "settle:" + s.key() }

// maxUnsteady is how often a release is put off because the place where GitHub keeps assets
// does not answer: with doubling pauses about eight minutes. Then the verdict is Unknown.
const maxUnsteady = 4

// awaitStorage returns what to wait for when something could not be read for a reason that
// may pass, or nil.
func (a *App) awaitStorage(ctx context.Context, s subjectArgs, p *checks.Policy, seen releaseSeen, steady bool) (*waiting, error) {
	is, _, err := recall[settling](ctx, a, settlingName(s))
	if err != nil {
		return nil, err
	}
	if steady || is.Unsteady >= maxUnsteady {
		is.Unsteady = 0
		return nil, a.remember(ctx, settlingName(s), is)
	}
	is.Unsteady++
	until := a.now().Add(15 * time.Second << is.Unsteady)
	d := a.detail(s, p.Mode)
	d.Want, d.Message = len(seen.assets), "The place where GitHub keeps the files does not answer. The next attempt is at "+until.Format("15:04:05")+" UTC."
	return &waiting{Until: until, Shown: output.ForState(output.StateWorking, d), Mark: markWaiting}, a.remember(ctx, settlingName(s), is)
}

// longReading is from how many bytes on a release is said to be verified while it is: below,
// the verdict follows within seconds. A guess.
const longReading = 64 << 20

// showVerifying shows that the assets are being read, when that takes a while.
func (a *App) showVerifying(ctx context.Context, c *installation, s subjectArgs, p *checks.Policy, seen releaseSeen) error {
	var size int64
	for _, x := range seen.assets {
		size += x.Size
	}
	if size < longReading {
		return nil
	}
	generation, err := a.store.Newest(ctx, s.key())
	if err != nil {
		return fmt.Errorf("looking for %s: %w", s.key(), err)
	}
	d := a.detail(s, p.Mode)
	d.Want, s.Commit = len(seen.assets), seen.shown
	shown := showing{run: output.ForState(output.StateWorking, d), mark: markWaiting, generation: generation, since: a.now()}
	return a.show(ctx, c, s, shown)
}

// releaseMaterial downloads what seen consists of and collects the evidence for it. steady is
// false when something could not be read for a reason that may pass.
func (a *App) releaseMaterial(ctx context.Context, c *installation, t trunk, seen releaseSeen) (m *checks.Material, steady bool, err error) {
	listed, err := a.judgedAssets(ctx, c, seen)
	if err != nil {
		return nil, false, err
	}
	read, err := a.readAssets(ctx, c, listed)
	if err != nil {
		return nil, false, err
	}
	outside, theirs := a.elsewhere(ctx, t.Policy, seen)
	kept, err := a.installation(c.Repo, toReadAttestations).readAttestations(ctx, append(read, outside...))
	if err != nil {
		return nil, false, err
	}
	if err := a.digest512(ctx, c, listed, read, kept.bundles); err != nil {
		return nil, false, err
	}
	steady = !kept.unsteady.Load() && !slices.ContainsFunc(read, func(x readAsset) bool { return x.unsteady })
	return t.material(seen, append(read, outside...), slices.Concat(sidecars(read), kept.bundles, theirs), kept.gaps), steady, nil
}

// judgedAssets are the assets that are judged: all but the file with summaries, after its bytes
// were found to be those that we uploaded. Otherwise it is a file like any other.
func (a *App) judgedAssets(ctx context.Context, c *installation, seen releaseSeen) ([]releaseAsset, error) {
	if seen.own == nil || seen.own.State != "uploaded" { // what never arrived cannot be downloaded
		return seen.assets, nil
	}
	known, err := a.attached(ctx, subjectArgs{Repo: c.Repo, Kind: checks.KindRelease, ReleaseID: seen.ID}.key())
	if err != nil {
		return nil, err
	}
	ours, err := a.isOurs(ctx, c, *seen.own, known)
	if err != nil || ours {
		return seen.assets, err
	}
	listed := append(slices.Clone(seen.assets), *seen.own)
	sortAssets(listed)
	return listed, nil
}

// material puts together what was read of a release.
func (t trunk) material(seen releaseSeen, read []readAsset, bundles []checks.Bundle, gaps []checks.Gap) *checks.Material {
	r := &checks.Release{
		ID: seen.ID, Tag: seen.TagName, Name: seen.Name, Draft: seen.Draft, Prerelease: seen.Prerelease, Immutable: seen.Immutable,
		Commit: seen.commit, TagRef: "refs/tags/" + seen.TagName, DefaultBranch: t.GetDefaultBranch(),
		RepositoryID: t.GetID(), OwnerID: t.GetOwner().GetID(), Private: t.GetPrivate(),
		Bundles: bundles, Gaps: append(seen.gaps, gaps...), Keys: t.Policy.Releases.Trust.AllKeys(),
		Roots: roots(t.Policy.Releases.Trust, t.GetPrivate(), seen.Immutable),
	}
	for _, x := range read {
		r.Assets = append(r.Assets, x.Asset)
	}
	return &checks.Material{Release: r, Subject: checks.Subject{
		Kind: checks.KindRelease, Repository: t.GetFullName(), Ref: r.TagRef, Commit: seen.shown,
		RepositoryID: t.GetID(), ReleaseID: seen.ID, Draft: seen.Draft, AssetSet: seen.set(),
	}}
}

// releaseGone ends what was begun for a release that does not exist any more: its issue is
// closed, and a check that is still open concluded. A verdict already shown stays.
func (a *App) releaseGone(ctx context.Context, s subjectArgs) (gathered, error) {
	if err := a.store.Withdraw(ctx, s.place()); err != nil {
		return gathered{}, err
	}
	if err := a.endIssue(ctx, s, 0, "not_planned", "The release was deleted, so nothing is left to cure."); err != nil {
		return gathered{}, err
	}
	return a.notJudged(ctx, s, output.ForState(output.StateDeleted, a.detail(s, "")))
}

// notJudged asks for nothing but shown as the end of a check that is open.
func (a *App) notJudged(ctx context.Context, s subjectArgs, shown output.CheckRun) (gathered, error) {
	_, prior, err := a.shown(ctx, s)
	if err != nil {
		return gathered{}, err
	}
	if prior.Run == "" || prior.Done && !s.Rerun {
		return gathered{Wait: &waiting{}}, nil
	}
	return gathered{Commit: prior.Head, Wait: &waiting{Shown: shown, Mark: markDraft}}, nil
}

// roots returns the trust roots for a release: those of Policy, or those that GitHub signs
// under. It signs for private repositories under its own root, for public ones under
// Sigstore's, and attests immutable releases of either under its own (GITHUB.md section 7).
func roots(trust checks.TrustRules, private, immutable bool) []string {
	if len(trust.Roots) > 0 {
		return slices.Clone(trust.Roots)
	}
	roots := []string{checks.RootPublicGood}
	if private || immutable {
		roots = append(roots, checks.RootGitHub)
	}
	if len(trust.AllKeys()) > 0 {
		roots = append(roots, checks.RootKey)
	}
	return roots
}

// unchanged reports whether the release is still what r judged. If not, it asks for another
// judgment, and nothing of r may be shown (THREATS G24).
func (a *App) unchanged(ctx context.Context, s subjectArgs, r store.StoredReport) (bool, error) {
	seen, err := a.installation(s.Repo, toJudgeReleases).seeNow(ctx, s.ReleaseID)
	var lacking *errPermission
	if err != nil && !errors.Is(err, errReleaseGone) && !errors.As(err, &lacking) {
		return false, err
	}
	if err == nil && seen.is(r.Report.Subject) {
		return true, nil
	}
	return false, a.judgeAgain(ctx, s, "the release changed")
}

// path returns the start of the routes of the repository.
func (c *installation) path() string { return "repos/" + c.Repo.String() }

// ask calls a route of the API and reads its answer into v: for bodies and answers that
// go-github v62 does not know. body may be nil.
func (c *installation) ask(ctx context.Context, method, path string, body, v any) (*github.Response, error) {
	q, err := c.NewRequest(method, path, body)
	if err != nil {
		return nil, err
	}
	return c.Do(ctx, q, v)
}
