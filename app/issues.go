package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/output"
	"github.com/landwaiter/landwaiter/store"
)

// surfaceIssue is the issue that follows a failed release until it is cured. Its
// Publication.RemoteID is the issue's number.
const surfaceIssue = "issue"

// toWriteIssues is what issues need: contents for the policy and CODEOWNERS.
var toWriteIssues = permissions{"issues": "write", "contents": "read"}

// issueState is what is known of an issue: Publication.State in JSON.
type issueState struct {
	Closed string `json:"closed,omitempty"` // why we closed it
	// Skipped says why there is no issue although there should be one.
	Skipped string `json:"skipped,omitempty"`
	// Listed are the keys of the releases in a rollup issue.
	Listed []string `json:"listed,omitempty"`
	// Revision is what release approvers are asked to approve, and Shown the time, by GitHub's
	// clock, from which the issue says so.
	Revision string    `json:"revision,omitempty"`
	Shown    time.Time `json:"shown,omitzero"`
}

// stateOf reads the state of an issue. One that cannot be read tells nothing; then GitHub's
// word counts.
func stateOf(known store.Publication) issueState {
	var st issueState
	_ = json.Unmarshal([]byte(known.State), &st)
	return st
}

// wantsIssue reports whether a release has an issue to open, renew or close. Unknown does
// neither: it says nothing about a cure, nor of a fault.
func wantsIssue(r checks.Report, p *checks.Policy) bool {
	if r.Subject.Kind != checks.KindRelease {
		return false
	}
	return r.Verdict == checks.Pass || r.Verdict == checks.Fail && p.Issues.Enabled
}

// publishIssue wants the issue on a release to be as r says: one issue per release, opened
// when it fails, rewritten in place when something changed, closed when it passes. The step
// issues carries it out, because it must see all issues of the repository.
//
// A draft that was never published fails in its check alone: nobody can have downloaded it,
// and it may still be in the making. Under the gate draft it has an issue, because a release
// that does not come is noticed by nobody.
func (a *App) publishIssue(ctx context.Context, _ *installation, s subjectArgs, r store.StoredReport) error {
	if r.Report.Verdict == checks.Pass {
		why := fmt.Sprintf("The release passed at commit `%s`%s.", r.Report.Subject.Commit, output.ApprovedBy(r.Report))
		return a.endIssue(ctx, s, r.Generation, "completed", why)
	}
	gate, err := a.gateState(ctx, r.Key)
	if err != nil {
		return err
	}
	p, err := a.wishOf(ctx, s)
	if err != nil {
		return err
	}
	p.Generation = r.Generation
	asks := r.Report.Approvals != nil && !r.Report.Approvals.Met()
	w := wish{
		Severity: releaseSeverity(r.Report), Asks: asks,
		Quiet: gate == "" && r.Report.Subject.Draft && r.Report.Policy.Gate != checks.GateDraft && !asks,
	}
	w.Tag, w.Why = output.ReleaseFault(r.Report)
	return a.makeWish(ctx, s, p, w)
}

// unavailable says why a repository has no issues for us, "" when err is something else.
func unavailable(err error) string {
	var lacking *errPermission
	switch {
	case errors.As(err, &lacking):
		return lacking.Error()
	case status(err) == http.StatusGone:
		return "issues are disabled in the repository"
	case status(err) == http.StatusForbidden:
		return "GitHub does not let Landwaiter write issues here"
	}
	return ""
}

// issueKnown returns what is stored of the issue on key; RemoteID is 0 when there is none.
func (a *App) issueKnown(ctx context.Context, key string) (store.Publication, error) {
	p, err := a.store.Publication(ctx, surfaceIssue, key)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return p, fmt.Errorf("reading the issue on %s: %w", key, err)
	}
	p.Surface, p.Key = surfaceIssue, key
	return p, nil
}

func (a *App) saveIssue(ctx context.Context, p store.Publication, st issueState) error {
	p.State = string(encode(st))
	if err := a.store.SavePublication(ctx, p); err != nil {
		return fmt.Errorf("keeping the issue on %s: %w", p.Key, err)
	}
	return nil
}

// openIssue opens the issue that a failed release wishes for, or renews the one there is. A
// release that passed since says so by itself.
func (a *App) openIssue(ctx context.Context, c *installation, w wished, known store.Publication, issue *github.Issue) error {
	r, err := a.store.ReportByKey(ctx, w.Key)
	if err != nil {
		return fmt.Errorf("reading the report on %s: %w", w.Key, err)
	}
	if r.Report.Verdict != checks.Fail {
		return nil
	}
	gate, err := a.gateState(ctx, w.Key)
	if err != nil {
		return err
	}
	s := subjectArgs{Repo: c.Repo, Kind: checks.KindRelease, ReleaseID: w.Release}
	due, err := a.issueOn(ctx, c, s, r, gate, issue)
	if err != nil {
		return err
	}
	prior := stateOf(known)
	known.Generation = r.Generation
	if issue == nil {
		issue, err = c.createIssue(ctx, due)
	} else {
		issue, err = c.renewIssue(ctx, issue, due)
	}
	if err != nil {
		return err
	}
	known.RemoteID = int64(issue.GetNumber())
	return a.saveIssue(ctx, known, issueState{}.showing(r.Report, prior, issue.GetUpdatedAt().Time))
}

// showing adds what an issue written at a time shows approvers of r. prior is what was known
// before: what it showed already, it shows since then.
func (st issueState) showing(r checks.Report, prior issueState, written time.Time) issueState {
	if r.Approvals == nil {
		return st
	}
	st.Revision, st.Shown = r.Approvals.Revision, written.UTC()
	if prior.Revision == st.Revision {
		st.Shown = prior.Shown
	}
	return st
}

// draftIssue is an issue as it should be.
type draftIssue struct {
	title, body string
	state       string // digest of what it says, which its marker carries
	labels      []string
	assignees   []string
}

// issueOn writes the issue on r. prior is the one there is, or nil.
func (a *App) issueOn(ctx context.Context, c *installation, s subjectArgs, r store.StoredReport, gate string, prior *github.Issue) (draftIssue, error) {
	t, err := a.trunk(ctx, c)
	if err != nil {
		return draftIssue{}, err
	}
	owners, why, err := a.releaseOwners(ctx, c, t)
	if err != nil {
		return draftIssue{}, err
	}
	severity := releaseSeverity(r.Report)
	o := output.IssueOptions{
		DetailsURL: a.detailsURL(s), Key: r.Key, Owners: owners, OwnerWhy: why,
		Reverted: gate == gateReverting || gate == gateReverted, Held: gateSentence(gate), Workflow: ownWorkflow(t),
	}
	if within, ok := t.Policy.SLA[severity]; ok {
		seen := r.Report.Time
		if prior != nil {
			seen = prior.GetCreatedAt().Time
		}
		o.Due, o.DueWhy = seen.Add(within), fmt.Sprintf("%s, %d days", severity, within/(24*time.Hour))
	}
	title, body := output.Issue(r.Report, o)
	sum := sha256.Sum256([]byte(title + "\n" + body))
	// What follows is in the body and no reason to rewrite it.
	o.State, o.LedgerIndex, o.Checkpoint = hex.EncodeToString(sum[:8]), r.LedgerIndex, r.Checkpoint
	title, body = output.Issue(r.Report, o)
	due := draftIssue{title: title, body: body, state: o.State, labels: []string{issueLabel, issueLabel + ":" + severity.String()}}
	due.assignees, err = c.assignable(ctx, owners)
	return due, err
}

// releaseSeverity says how bad a failed release is: critical when bytes or signers are not
// what they should be, which may be an attack, and high when proof is missing.
func releaseSeverity(r checks.Report) checks.Severity {
	for _, x := range r.Assets {
		if x.State == checks.AssetInvalid || x.State == checks.AssetWrongSigner {
			return checks.SeverityCritical
		}
	}
	return checks.SeverityHigh
}

// findIssue returns the issue of known, or the oldest one that carries its mark: after a lost
// answer the number is not known. nil means that there is none.
func (c *installation) findIssue(ctx context.Context, known store.Publication) (*github.Issue, error) {
	if known.RemoteID > 0 {
		issue, _, err := c.Issues.Get(ctx, c.Repo.Owner, c.Repo.Name, int(known.RemoteID))
		if err == nil {
			return issue, nil
		}
		if code := status(err); code != http.StatusNotFound && code != http.StatusGone {
			return nil, fmt.Errorf("reading issue %d of %s: %w", known.RemoteID, c.Repo, err)
		}
	}
	ours, err := c.ourIssues(ctx)
	if err != nil {
		return nil, err
	}
	for _, issue := range ours {
		if mark, _ := output.ParseMarker(issue.GetBody()); mark.Key == known.Key {
			return issue, nil
		}
	}
	return nil, nil
}

// ourIssues returns the issues that carry our mark, open and closed, the oldest first.
func (c *installation) ourIssues(ctx context.Context) ([]*github.Issue, error) {
	listed, err := each(ctx, func(page int) ([]*github.Issue, *github.Response, error) {
		return c.Issues.ListByRepo(ctx, c.Repo.Owner, c.Repo.Name, &github.IssueListByRepoOptions{
			State: "all", Labels: []string{issueLabel}, Sort: "created", Direction: "asc",
			ListOptions: github.ListOptions{Page: page, PerPage: 100},
		})
	})
	if err != nil {
		return nil, fmt.Errorf("listing our issues in %s: %w", c.Repo, err)
	}
	return slices.DeleteFunc(listed, func(issue *github.Issue) bool {
		_, marked := output.ParseMarker(issue.GetBody())
		// Anyone may copy the mark into an issue of their own; an App's author is a bot.
		return !marked || issue.GetUser().GetType() != "Bot" || issue.IsPullRequest()
	}), nil
}

// createIssue opens an issue. When GitHub refuses an assignee it is opened without any: the
// body names the owners.
func (c *installation) createIssue(ctx context.Context, due draftIssue) (*github.Issue, error) {
	if err := c.ensureLabels(ctx, due.labels); err != nil {
		return nil, err
	}
	request := &github.IssueRequest{Title: &due.title, Body: &due.body, Labels: &due.labels}
	if len(due.assignees) > 0 {
		request.Assignees = &due.assignees
	}
	issue, _, err := c.Issues.Create(ctx, c.Repo.Owner, c.Repo.Name, request)
	if status(err) == http.StatusUnprocessableEntity && request.Assignees != nil {
		request.Assignees = nil
		issue, _, err = c.Issues.Create(ctx, c.Repo.Owner, c.Repo.Name, request)
	}
	if err != nil {
		return nil, fmt.Errorf("opening an issue in %s: %w", c.Repo, err)
	}
	return issue, nil
}

// closedByUs reports whether a closed issue was closed because its release passed.
func closedByUs(known store.Publication, issue *github.Issue) bool {
	return stateOf(known).Closed != "" || issue.GetClosedBy().GetType() == "Bot"
}

// renewIssue rewrites an issue when what it says changed, and opens it again when it is closed.
// It returns the issue as it is then.
func (c *installation) renewIssue(ctx context.Context, issue *github.Issue, due draftIssue) (*github.Issue, error) {
	closed := issue.GetState() == "closed"
	mark, _ := output.ParseMarker(issue.GetBody())
	if mark.State == due.state && !closed {
		return issue, nil
	}
	if err := c.ensureLabels(ctx, due.labels); err != nil {
		return nil, err
	}
	request := &github.IssueRequest{Title: &due.title, Body: &due.body, Labels: withLabels(issue, due.labels)}
	if closed {
		request.State = github.String("open")
	}
	now, _, err := c.Issues.Edit(ctx, c.Repo.Owner, c.Repo.Name, issue.GetNumber(), request)
	if err != nil {
		return nil, fmt.Errorf("renewing issue %d of %s: %w", issue.GetNumber(), c.Repo, err)
	}
	return now, nil
}

// withLabels returns the labels of issue with ours replaced by due: people's labels stay.
func withLabels(issue *github.Issue, due []string) *[]string {
	all := slices.Clone(due)
	for _, l := range issue.Labels {
		if name := l.GetName(); name != issueLabel && !strings.HasPrefix(name, issueLabel+":") {
			all = append(all, name)
		}
	}
	return &all
}

// closeIssue says why in a comment and closes the issue of known, if it is open. The comment
// carries a mark, by which a second attempt finds it.
func (a *App) closeIssue(ctx context.Context, c *installation, known store.Publication, reason, why string) error {
	issue, err := c.findIssue(ctx, known)
	if unavailable(err) != "" {
		return nil // nothing can be closed where nothing can be written
	}
	if err != nil || issue == nil || issue.GetState() == "closed" {
		return err
	}
	sum := sha256.Sum256([]byte(why))
	mark := fmt.Sprintf("<!-- landwaiter:closed v=1 key=%s state=%s -->", known.Key, hex.EncodeToString(sum[:8]))
	if err := c.commentOnce(ctx, issue, why+"\n\n"+mark, mark); err != nil {
		return err
	}
	request := &github.IssueRequest{State: github.String("closed"), StateReason: &reason}
	if _, _, err := c.Issues.Edit(ctx, c.Repo.Owner, c.Repo.Name, issue.GetNumber(), request); err != nil {
		return fmt.Errorf("closing issue %d of %s: %w", issue.GetNumber(), c.Repo, err)
	}
	known.RemoteID = int64(issue.GetNumber())
	return a.saveIssue(ctx, known, issueState{Closed: reason})
}

// commentOnce posts body unless a comment of the day carries mark already.
func (c *installation) commentOnce(ctx context.Context, issue *github.Issue, body, mark string) error {
	since := time.Time{}
	comments, err := each(ctx, func(page int) ([]*github.IssueComment, *github.Response, error) {
		return c.Issues.ListComments(ctx, c.Repo.Owner, c.Repo.Name, issue.GetNumber(), &github.IssueListCommentsOptions{
			Since: &since, ListOptions: github.ListOptions{Page: page, PerPage: 100},
		})
	})
	if err != nil {
		return fmt.Errorf("reading the comments of issue %d of %s: %w", issue.GetNumber(), c.Repo, err)
	}
	for _, said := range comments {
		if said.GetUser().GetType() == "Bot" && strings.HasSuffix(strings.TrimSpace(said.GetBody()), mark) {
			return nil
		}
	}
	if _, _, err := c.Issues.CreateComment(ctx, c.Repo.Owner, c.Repo.Name, issue.GetNumber(), &github.IssueComment{Body: &body}); err != nil {
		return fmt.Errorf("commenting on issue %d of %s: %w", issue.GetNumber(), c.Repo, err)
	}
	return nil
}
