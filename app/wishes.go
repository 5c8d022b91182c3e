package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/output"
	"github.com/landwaiter/landwaiter/store"
)

// wish is what a release wants of the issues of its repository: Publication.State in JSON on
// the surface wishSurface, by the key of the release; "" when it wants nothing any more.
//
// Only the release's own jobs make wishes, and only the step issues, one at a time for each
// repository, carries them out: were they two, one could open an issue that the other has just
// found nothing to close, and both could take the last place under issues.max_open.
type wish struct {
	Release  int64           `json:"release"`
	Tag      string          `json:"tag,omitempty"`
	Why      string          `json:"why,omitempty"`
	Severity checks.Severity `json:"severity,omitempty"`
	// Quiet says that there need be no issue unless there is one already.
	Quiet bool `json:"quiet,omitempty"`
	// Asks says that release approvers answer in the issue: then there is room for it.
	Asks bool `json:"asks,omitempty"`
	// End is GitHub's reason to close the issue, EndWhy the comment that goes with it. "" wants
	// the issue to be open.
	End    string `json:"end,omitempty"`
	EndWhy string `json:"end_why,omitempty"`
}

// wished is a wish as it is stored.
type wished struct {
	wish
	store.Publication
}

// wishSurface holds the wishes of one repository.
func wishSurface(r repo) string { return fmt.Sprintf("wish:%d", r.ID) }

// maxWishes bounds the wishes read at once: every release of a repository that ever failed.
const maxWishes = 10_000

// wishOf returns the publication that holds the wish of a release; its State is "" when there
// is none.
func (a *App) wishOf(ctx context.Context, s subjectArgs) (store.Publication, error) {
	p, err := a.store.Publication(ctx, wishSurface(s.Repo), s.key())
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return p, fmt.Errorf("reading what %s wants of the issues: %w", s.key(), err)
	}
	p.Surface, p.Key = wishSurface(s.Repo), s.key()
	return p, nil
}

// makeWish keeps w and asks for the job that carries it out. The job is asked for each time:
// an attempt before may have ended between the two.
func (a *App) makeWish(ctx context.Context, s subjectArgs, p store.Publication, w wish) error {
	w.Release = s.ReleaseID
	p.State = string(encode(w))
	if err := a.store.SavePublication(ctx, p); err != nil {
		return fmt.Errorf("keeping what %s wants of the issues: %w", s.key(), err)
	}
	job := store.Job{
		Step: stepIssues, Key: rollupKey(s.Repo), Cause: s.key(), Priority: priorityIssue,
		InstallationID: s.Repo.InstallationID, Due: a.now(), Args: encode(s.Repo),
	}
	if err := a.store.Enqueue(ctx, job); err != nil {
		return fmt.Errorf("asking for the issues of %s: %w", s.Repo, err)
	}
	return nil
}

// endIssue wants the issue on a release closed, and the release off the rollup. generation 0 is
// that of the wish before.
func (a *App) endIssue(ctx context.Context, s subjectArgs, generation int64, reason, why string) error {
	known, err := a.issueKnown(ctx, s.key())
	if err != nil {
		return err
	}
	p, err := a.wishOf(ctx, s)
	if err != nil {
		return err
	}
	if p.State == "" && (known.RemoteID == 0 || stateOf(known).Closed != "") {
		return nil // there never was one, or it is closed
	}
	p.Generation = max(p.Generation, generation)
	return a.makeWish(ctx, s, p, wish{End: reason, EndWhy: why})
}

// wishes returns the wishes of a repository, those of the oldest release first.
func (a *App) wishes(ctx context.Context, r repo) ([]wished, error) {
	const ahead = 24 * time.Hour // no clock of another process is that far ahead
	rows, err := a.store.Publications(ctx, wishSurface(r), a.now().Add(ahead), maxWishes)
	if err != nil {
		return nil, fmt.Errorf("reading what the releases of %s want of the issues: %w", r, err)
	}
	if len(rows) == maxWishes {
		a.log.WarnContext(ctx, "not all failed releases are looked at for issues", "repo", r.String(), "limit", maxWishes)
	}
	var all []wished
	for _, p := range rows {
		if p.State == "" {
			continue
		}
		w := wished{Publication: p}
		if err := json.Unmarshal([]byte(p.State), &w.wish); err != nil {
			return nil, fmt.Errorf("reading what %s wants of the issues: %w", p.Key, err)
		}
		all = append(all, w)
	}
	slices.SortFunc(all, func(x, y wished) int { return cmp.Compare(x.Release, y.Release) })
	return all, nil
}

// issues is the step that carries out the wishes of one repository.
func (a *App) issues(ctx context.Context, j store.Job) error {
	r, err := decode[repo](j)
	if err != nil {
		return &permanent{err}
	}
	all, err := a.wishes(ctx, r)
	if err != nil {
		return err
	}
	err = a.grant(ctx, a.installation(r, toWriteIssues), all, j.Generation)
	if why := unavailable(err); why != "" {
		a.log.WarnContext(ctx, "no issues on failed releases", "repo", r.String(), "reason", why)
		err = a.skip(ctx, all, why)
	}
	if err != nil {
		return err
	}
	return a.store.Finish(ctx, j)
}

// skip keeps why the wishes were not carried out.
func (a *App) skip(ctx context.Context, all []wished, why string) error {
	for _, w := range all {
		known, err := a.issueKnown(ctx, w.Key)
		if err != nil {
			return err
		}
		if known.RemoteID != 0 {
			continue
		}
		if err := a.saveIssue(ctx, known, issueState{Skipped: why}); err != nil {
			return err
		}
	}
	return nil
}

// refusals keeps what GitHub refused for one release, so that the others are not held up by it.
type refusals []error

// keep returns err unless it is a refusal.
func (r *refusals) keep(err error) error {
	if refusal(err) {
		*r = append(*r, err)
		return nil
	}
	return err
}

// grant carries out wishes: first what ends, which makes room, then what opens as far as there
// is room, and then the rollup of the rest. generation is that of the job. What was refused
// for single releases is returned when all else is done.
func (a *App) grant(ctx context.Context, c *installation, all []wished, generation int64) error {
	var refused refusals
	var failed []wished
	for _, w := range all {
		if w.End == "" {
			failed = append(failed, w)
		} else if err := refused.keep(a.grantEnd(ctx, c, w)); err != nil {
			return err
		}
	}
	known, err := a.issueKnown(ctx, rollupKey(c.Repo))
	if err != nil {
		return err
	}
	if len(failed) == 0 && (known.State == "" || stateOf(known).Closed != "") {
		return errors.Join(refused...) // no issue to open, no rollup to close
	}
	t, err := a.trunk(ctx, c)
	if err != nil {
		return err
	}
	ours, err := c.ourIssues(ctx)
	if err != nil {
		return err
	}
	left, err := a.grantIssues(ctx, c, t, failed, ours, &refused)
	if err != nil {
		return err
	}
	known.Generation = generation
	return errors.Join(append(refused, a.showRollup(ctx, c, t, known, ours, left))...)
}

// grantEnd closes the issue of a release and forgets the wish, unless there is a newer one.
func (a *App) grantEnd(ctx context.Context, c *installation, w wished) error {
	known, err := a.issueKnown(ctx, w.Key)
	if err != nil {
		return err
	}
	if err := a.closeIssue(ctx, c, known, w.End, w.EndWhy); err != nil {
		return err
	}
	w.State = ""
	if err := a.store.SavePublication(ctx, w.Publication); err != nil && !errors.Is(err, store.ErrStale) {
		return fmt.Errorf("keeping that %s wants nothing of the issues: %w", w.Key, err)
	}
	return nil
}

// grantIssues renews the issues of failed releases, opens new ones while no more than
// issues.max_open are open, and returns the releases for which there was no room.
func (a *App) grantIssues(ctx context.Context, c *installation, t trunk, failed []wished, ours []*github.Issue, refused *refusals) (left []wished, err error) {
	room := 0
	if t.Policy.Issues.Enabled {
		room = t.Policy.Issues.MaxOpen - openBeside(ours, rollupKey(c.Repo))
	}
	for _, w := range failed {
		known, err := a.issueKnown(ctx, w.Key)
		if err != nil {
			return nil, err
		}
		own, err := c.issueOf(ctx, known, ours)
		if err != nil {
			return nil, err
		}
		switch {
		case own != nil && own.GetState() != "closed":
			if known.Generation >= w.Generation && known.RemoteID == int64(own.GetNumber()) {
				continue // it says so already
			}
		case own != nil && !closedByUs(known, own), own == nil && w.Quiet:
			continue // a person closed it, knowing better; or nobody needs one
		case room <= 0 && !w.Asks:
			left = append(left, w)
			continue
		default:
			room--
		}
		if err := refused.keep(a.openIssue(ctx, c, w, known, own)); err != nil {
			return nil, err
		}
	}
	return left, nil
}

// openBeside counts the open issues among ours whose key is another than key.
func openBeside(ours []*github.Issue, key string) int {
	n := 0
	for _, issue := range ours {
		if mark, _ := output.ParseMarker(issue.GetBody()); issue.GetState() != "closed" && mark.Key != key {
			n++
		}
	}
	return n
}

// issueOf returns the issue of known, among ours when it is open: an answer about one issue
// says who closed it, a list need not. nil means that there is none.
func (c *installation) issueOf(ctx context.Context, known store.Publication, ours []*github.Issue) (*github.Issue, error) {
	for _, issue := range ours {
		same := int64(issue.GetNumber()) == known.RemoteID
		if known.RemoteID == 0 {
			mark, _ := output.ParseMarker(issue.GetBody())
			same = mark.Key == known.Key
		}
		if !same {
			continue
		}
		if issue.GetState() != "closed" {
			return issue, nil
		}
		known.RemoteID = int64(issue.GetNumber())
		break
	}
	if known.RemoteID == 0 {
		return nil, nil
	}
	return c.findIssue(ctx, known)
}
