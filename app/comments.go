package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/landwaiter/landwaiter/app/commands"
	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/approval"
	"github.com/landwaiter/landwaiter/checks/output"
	"github.com/landwaiter/landwaiter/store"
)

// toHearCommands is what hearing a command needs: contents for the policy.
var toHearCommands = permissions{"issues": "write", "contents": "read"}

// payloadComment is what an issue_comment event says of the comment; it is read again.
type payloadComment struct {
	ID   int64  `json:"id"`
	Body string `json:"body"`
	User actor  `json:"user"`
}

// payloadIssue is what an issue_comment event says of the issue.
type payloadIssue struct {
	Number int             `json:"number"`
	Pull   json.RawMessage `json:"pull_request"` // set when it is a pull request
}

// commanded reports whether a comment is a command of a person, or was one before it was edited.
func (p payload) commanded() bool {
	return p.Comment != nil && p.Comment.User.Type == "User" &&
		(commands.Addressed(p.Comment.Body) || commands.Addressed(p.Changes.Body.From))
}

// onComment looks at a comment that is a command, was one, or is gone: which of them, GitHub is
// asked.
func (a *App) onComment(d store.Delivery) ([]store.Job, error) {
	p, r, err := readPayloadOf(d)
	if err != nil {
		return nil, err
	}
	if p.Comment == nil || p.Comment.ID <= 0 || p.Issue == nil || p.Issue.Number <= 0 {
		return nil, fmt.Errorf("%s %s has no comment on an issue", d.Event, d.GUID)
	}
	if len(p.Issue.Pull) > 0 {
		return nil, nil
	}
	return []store.Job{a.commandJob(commandArgs{Repo: r, Issue: p.Issue.Number, Comment: p.Comment.ID}, d.Event+"."+p.Action)}, nil
}

// commandJob returns the job that looks at one comment.
func (a *App) commandJob(args commandArgs, cause string) store.Job {
	return store.Job{
		Step: stepCommand, Key: fmt.Sprintf("comment:%d:%d", args.Repo.ID, args.Comment), Cause: cause, Priority: priorityIssue,
		InstallationID: args.Repo.InstallationID, Due: a.now(), Args: encode(args),
	}
}

// commandArgs are the Args of a job that looks at one comment.
type commandArgs struct {
	Repo    repo  `json:"repo"`
	Issue   int   `json:"issue"`
	Comment int64 `json:"comment"`
}

// comment is a comment on an issue as GitHub has it (schema issue-comment).
type comment struct {
	ID       int64     `json:"id"`
	Body     string    `json:"body"`
	User     *actor    `json:"user"` // nil when the account is gone
	IssueURL string    `json:"issue_url"`
	Created  time.Time `json:"created_at"`
	Updated  time.Time `json:"updated_at"`
	// Via is the App that wrote it in the name of its user, nil when a person did.
	Via *struct {
		ID int64 `json:"id"`
	} `json:"performed_via_github_app"`
}

// comment reads a comment by its number.
func (c *installation) comment(ctx context.Context, id int64) (comment, error) {
	var said comment
	if _, err := c.ask(ctx, http.MethodGet, fmt.Sprintf("%s/issues/comments/%d", c.path(), id), nil, &said); err != nil {
		return comment{}, fmt.Errorf("reading comment %d of %s: %w", id, c.Repo, err)
	}
	if said.ID != id {
		return comment{}, fmt.Errorf("reading comment %d of %s: GitHub answers with comment %d", id, c.Repo, said.ID)
	}
	return said, nil
}

// byPerson reports whether a person wrote the comment, and no App in their name.
func (c comment) byPerson() bool {
	return c.User != nil && c.User.ID > 0 && c.User.Type == "User" && c.Via == nil
}

// edited reports whether the comment says something else than at first, or may.
func (c comment) edited() bool { return !c.Updated.Equal(c.Created) }

// on reports whether the comment is on the issue with a number.
func (c comment) on(issue int) bool {
	return strings.HasSuffix(c.IssueURL, fmt.Sprintf("/issues/%d", issue))
}

// command is the step that carries out what a comment asks for. What is not on the issue of a
// release that waits costs no call, however many comments there are.
func (a *App) command(ctx context.Context, j store.Job) error {
	args, err := decode[commandArgs](j)
	if err != nil {
		return &permanent{err}
	}
	kept, err := a.store.ApprovalOf(ctx, args.Repo.ID, args.Comment)
	if err == nil { // heard before: whether it stands, the judgment asks
		return a.store.Finish(ctx, j, a.judgeJob(releaseOf(kept), j.Cause))
	}
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	w, asks, err := a.askedIn(ctx, args.Repo, args.Issue)
	if err != nil || !asks {
		return errors.Join(err, a.finishUnless(ctx, j, err))
	}
	c := a.installation(args.Repo, toHearCommands)
	said, err := c.comment(ctx, args.Comment)
	var lacking *errPermission
	if errors.As(err, &lacking) || refusal(err) && j.Attempts >= maxRefused {
		a.log.WarnContext(ctx, "command not heard", "repo", c.Repo.String(), "comment", args.Comment, "reason", text(err))
		return a.store.Finish(ctx, j) // deleted, or nobody can be answered
	}
	if err != nil || !said.byPerson() || !said.on(args.Issue) || !commands.Addressed(said.Body) {
		return errors.Join(err, a.finishUnless(ctx, j, err))
	}
	h, err := a.hear(ctx, c, w, said)
	if err != nil {
		return err
	}
	return a.answer(ctx, c, j, args, h)
}

// finishUnless ends j when err is nil.
func (a *App) finishUnless(ctx context.Context, j store.Job, err error) error {
	if err != nil {
		return nil
	}
	return a.store.Finish(ctx, j)
}

// releaseOf returns the release that an approval is about.
func releaseOf(x store.Approval) subjectArgs {
	owner, name, _ := strings.Cut(x.Repository, "/")
	r := repo{InstallationID: x.InstallationID, ID: x.RepositoryID, Owner: owner, Name: name}
	return subjectArgs{Repo: r, Kind: checks.KindRelease, ReleaseID: x.ReleaseID}
}

// askedIn returns the release whose issue has a number and asks release approvers.
func (a *App) askedIn(ctx context.Context, r repo, issue int) (w wished, ok bool, err error) {
	all, err := a.wishes(ctx, r)
	if err != nil {
		return wished{}, false, err
	}
	for _, w := range all {
		if w.End != "" || !w.Asks {
			continue
		}
		known, err := a.issueKnown(ctx, w.Key)
		if err != nil {
			return wished{}, false, err
		}
		if known.RemoteID == int64(issue) {
			return w, true, nil
		}
	}
	return wished{}, false, nil
}

// heard is what a command comes to.
type heard struct {
	vote   *store.Approval // what it approves; nil when it approves nothing
	why    string          // why it approves nothing
	silent bool            // whose command it is may command nothing, and gets no answer in words
}

// hear decides what a command comes to. Nothing is written to the issue for people who may not
// approve: otherwise any stranger could have us write.
func (a *App) hear(ctx context.Context, c *installation, w wished, said comment) (heard, error) {
	t, err := a.trunk(ctx, c)
	if err != nil {
		return heard{}, err
	}
	may, err := a.approvers(ctx, c.Repo, t.Policy.Approvers)
	if err != nil {
		return heard{}, err
	}
	if !may.ids[said.User.ID] {
		return heard{silent: true}, nil
	}
	r, err := a.store.ReportByKey(ctx, w.Key)
	if err != nil {
		return heard{}, fmt.Errorf("reading the report on %s: %w", w.Key, err)
	}
	known, err := a.issueKnown(ctx, w.Key)
	if err != nil {
		return heard{}, err
	}
	asked, problem := commands.Parse(said.Body)
	if why := refusedCommand(r.Report, stateOf(known), said, asked, problem); why != "" {
		return heard{why: why}, nil
	}
	return heard{vote: &store.Approval{
		InstallationID: c.Repo.InstallationID, RepositoryID: c.Repo.ID, Repository: c.Repo.String(), ReleaseID: w.Release,
		Vote: approval.Vote{
			ID: said.User.ID, Login: said.User.Login, Comment: said.ID, Reason: asked.Reason,
			Time: said.Created.UTC().Truncate(time.Second), Revision: r.Report.Approvals.Revision,
		},
	}}, nil
}

// refusedCommand says why a command of an approver approves nothing, "" when it does. What the
// approver has seen is what the issue showed before the comment: a release that changed
// between the two was not approved.
func refusedCommand(r checks.Report, shown issueState, said comment, asked commands.Approve, problem string) string {
	s := r.Approvals
	tag := strings.TrimPrefix(r.Subject.Ref, "refs/tags/")
	switch {
	case said.edited():
		return "an edited comment is no command; write a new one"
	case problem != "":
		return problem + "; write `" + checks.ApproveCommand(output.Plain(tag, 200)) + "`"
	case s == nil || s.Met():
		return "the release waits for no approval"
	case asked.Tag != tag:
		return "this issue is about another release than the command"
	case s.Revision == "" || shown.Revision != s.Revision || !said.Created.After(shown.Shown):
		return "the release changed shortly before the comment; look at what this issue shows now, and write a new comment"
	case slices.Contains(s.Excluded, said.User.ID):
		return "who made or built a release cannot approve it, so somebody else has to"
	}
	return ""
}

// answer keeps an approval and shows that the command was heard: by a reaction, and in words
// where it approves nothing. Doing it again changes nothing.
func (a *App) answer(ctx context.Context, c *installation, j store.Job, args commandArgs, h heard) error {
	reaction := "-1"
	var then []store.Job
	if h.vote != nil {
		if err := a.store.SaveApproval(ctx, *h.vote); err != nil {
			return err
		}
		reaction, then = "+1", []store.Job{a.judgeJob(releaseOf(*h.vote), j.Cause)}
	}
	a.log.InfoContext(ctx, "command heard", "repo", c.Repo.String(), "comment", args.Comment, "approves", h.vote != nil, "reason", h.why)
	_, _, err := c.Reactions.CreateIssueCommentReaction(ctx, c.Repo.Owner, c.Repo.Name, args.Comment, reaction)
	if err != nil && !refusal(err) { // a comment that is gone, or locked, needs no reaction
		return fmt.Errorf("answering comment %d of %s: %w", args.Comment, c.Repo, err)
	}
	if h.why != "" {
		mark := fmt.Sprintf("<!-- landwaiter:answer v=1 comment=%d -->", args.Comment)
		body := "Nothing was approved: " + output.Prose(h.why) + ".\n\n" + mark
		err := c.commentOnce(ctx, &github.Issue{Number: &args.Issue}, body, mark)
		if err != nil && !refusal(err) {
			return err
		}
	}
	return a.store.Finish(ctx, j, then...)
}
