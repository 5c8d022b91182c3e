package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/google/go-github/v62/github"

	"github.com/landwaiter/landwaiter/app/commands"
	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/approval"
	"github.com/landwaiter/landwaiter/checks/signers"
	"github.com/landwaiter/landwaiter/store"
)

// toReadTeams is what looking up the members of a team needs.
var toReadTeams = permissions{"members": "read"}

// revision names exactly what approvers approve: the tag, the commit, the assets, and the
// images that the notes name.
func (r releaseSeen) revision() string {
	return assetSet(r.assets, strings.Join(append([]string{r.commit, r.TagName}, imagesIn(r.Body)...), "\n"))
}

// approvers are those whom the policy lets approve releases.
type approvers struct {
	ids     map[int64]bool // numbers of accounts
	problem string         // who could not be looked up; "" when all could
}

// approvers looks up the people behind rules as they are now: members of the teams, and users
// with any access to the repository.
func (a *App) approvers(ctx context.Context, r repo, rules checks.ApproverRules) (approvers, error) {
	who := approvers{ids: map[int64]bool{}}
	var problems []string
	for _, name := range rules.Teams {
		problem, err := a.team(ctx, r, name, who.ids)
		if err != nil {
			return who, err
		}
		problems = append(problems, problem)
	}
	c := a.installation(r, permissions{"metadata": "read"})
	for _, login := range rules.Users {
		level, _, err := c.Repositories.GetPermissionLevel(ctx, r.Owner, r.Name, login)
		switch may := level.GetPermission(); {
		case notFound(err), err == nil && (may == "" || may == "none"):
			problems = append(problems, "@"+login+" has no access to the repository")
		case err != nil:
			return who, fmt.Errorf("reading what %s may do: %w", login, err)
		case level.GetUser().GetType() == "User":
			who.ids[level.GetUser().GetID()] = true
		}
	}
	who.problem = strings.Join(slices.DeleteFunc(problems, func(s string) bool { return s == "" }), "; ")
	return who, nil
}

// team adds the numbers of the members of a team, "org/team", to ids. problem says why nobody
// of it could be looked up. Members of child teams are among them.
func (a *App) team(ctx context.Context, r repo, name string, ids map[int64]bool) (problem string, err error) {
	org, slug, _ := strings.Cut(name, "/")
	if !strings.EqualFold(org, r.Owner) {
		return "@" + name + " is a team of another organisation", nil
	}
	c := a.installation(r, toReadTeams)
	members, err := each(ctx, func(page int) ([]*github.User, *github.Response, error) {
		return c.Teams.ListTeamMembersBySlug(ctx, org, slug, &github.TeamListTeamMembersOptions{ListOptions: github.ListOptions{Page: page, PerPage: 100}})
	})
	var lacking *errPermission
	switch {
	case errors.As(err, &lacking):
		return "to look up @" + name + ", Landwaiter needs " + lacking.Missing.words(), nil
	case status(err) == http.StatusForbidden:
		return "GitHub does not let Landwaiter look up @" + name + ": grant " + toReadTeams.words(), nil
	case notFound(err):
		return "there is no team @" + name + " that Landwaiter may see", nil
	case err != nil:
		return "", fmt.Errorf("listing the members of @%s: %w", name, err)
	}
	for _, m := range members {
		if m.GetType() == "User" {
			ids[m.GetID()] = true
		}
	}
	return "", nil
}

// readApprovals adds to m who approved the release, where the policy asks for that. Each vote
// for what is there now is asked about again: whether its comment stands as it was, and whether
// whoever gave it may still approve (THREATS G35, A06).
func (a *App) readApprovals(ctx context.Context, c *installation, t trunk, seen releaseSeen, m *checks.Material) error {
	if !t.Policy.AsksApprovers() {
		return nil
	}
	who, err := a.approvers(ctx, c.Repo, t.Policy.Approvers)
	if err != nil {
		return err
	}
	f := &approval.Facts{Revision: seen.revision(), Releaser: seen.Author.person()}
	if len(who.ids) < max(t.Policy.Approvers.Count, 1) {
		f.Problem = "too few people may approve: " + who.problem
		if who.problem == "" {
			f.Problem = "the teams and users that may approve are too few people"
		}
	}
	if f.Votes, err = a.store.Approvals(ctx, c.Repo.ID, seen.ID); err != nil {
		return err
	}
	settled, err := a.settledVotes(ctx, c.Repo, seen)
	if err != nil {
		return err
	}
	for i := range f.Votes {
		v := &f.Votes[i]
		if !approval.IsOf(v.Revision, f.Revision) {
			continue // void anyway
		}
		if !who.ids[v.ID] && !settled[v.Comment] {
			v.Void = "who gave it may not approve any more"
			continue
		}
		if v.Void, err = a.standing(ctx, c.Repo, seen.TagName, *v); err != nil {
			return err
		}
	}
	m.Release.Approvals = f
	if len(f.Votes) > 0 {
		forgetOwn(m.Release.Memory, seen.ID)
	}
	return nil
}

// settledVotes returns the comments whose approval let a release out that is public. Who leaves
// a team afterwards does not take it back; who withdraws the comment does.
func (a *App) settledVotes(ctx context.Context, r repo, seen releaseSeen) (map[int64]bool, error) {
	if seen.Draft {
		return nil, nil
	}
	kept, err := a.store.ReportByKey(ctx, subjectArgs{Repo: r, Kind: checks.KindRelease, ReleaseID: seen.ID}.key())
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking for the record of release %d: %w", seen.ID, err)
	}
	settled := map[int64]bool{}
	if s := kept.Report.Approvals; s.Met() {
		for _, v := range s.Votes {
			settled[v.Comment] = v.Void == ""
		}
	}
	return settled, nil
}

// standing says why the comment of a vote on the release with a tag does not bear it out any
// more, "" when it does. What it says counts, and no time: an edit that was taken back is none.
func (a *App) standing(ctx context.Context, r repo, tag string, v approval.Vote) (string, error) {
	said, err := a.installation(r, permissions{"issues": "read"}).comment(ctx, v.Comment)
	var lacking *errPermission
	switch {
	case errors.As(err, &lacking):
		return "to read its comment, Landwaiter needs " + lacking.Missing.words(), nil
	case notFound(err), status(err) == http.StatusGone:
		return "its comment was deleted", nil
	case err != nil:
		return "", err
	case !said.byPerson() || said.User.ID != v.ID:
		return "its comment is not by a person any more", nil
	}
	if now, problem := commands.Parse(said.Body); problem != "" || now.Tag != tag || now.Reason != v.Reason {
		return "its comment was edited", nil
	}
	return "", nil
}

// forgetOwn takes out of m what only the release with a number taught, as long as others taught
// too: what approvers let through does not vouch for itself when they take it back.
func forgetOwn(m *signers.Memory, release int64) {
	others := slices.DeleteFunc(slices.Clone(m.Known), func(k signers.Known) bool { return k.ReleaseID == release })
	if len(others) > 0 {
		m.Known = others
	}
}

// payloadMember is the account that an event about a membership is about.
type payloadMember struct {
	ID int64 `json:"id"`
}

// onMemberRemoved looks at what somebody approved who left a team or the organisation.
func (a *App) onMemberRemoved(d store.Delivery) ([]store.Job, error) {
	p, err := readPayload(d)
	if err != nil {
		return nil, err
	}
	id := p.Member.ID
	if d.Event == "organization" {
		id = p.Membership.User.ID
	}
	if p.Installation.ID <= 0 {
		return nil, fmt.Errorf("%s %s names no installation", d.Event, d.GUID)
	}
	if id <= 0 {
		return nil, nil // the account is gone: judgments find that out
	}
	return []store.Job{{
		Step: stepMember, Key: fmt.Sprintf("member:%d:%d", p.Installation.ID, id), Cause: d.Event + "." + p.Action, Priority: priorityGate,
		InstallationID: p.Installation.ID, Due: a.now(), Args: encode(memberArgs{Installation: p.Installation.ID, Account: id}),
	}}, nil
}

// memberArgs are the Args of a job about somebody who left.
type memberArgs struct {
	Installation int64 `json:"installation"`
	Account      int64 `json:"account"`
}

// memberRemoved is the step that judges again the releases for which an approval of somebody
// counts who left, but for public ones that have all their approvals.
func (a *App) memberRemoved(ctx context.Context, j store.Job) error {
	args, err := decode[memberArgs](j)
	if err != nil {
		return &permanent{err}
	}
	given, err := a.store.ApprovalsBy(ctx, args.Installation, args.Account)
	if err != nil {
		return err
	}
	var then []store.Job
	asked := map[string]bool{}
	for _, x := range given {
		s := releaseOf(x)
		if asked[s.key()] {
			continue
		}
		asked[s.key()] = true
		r, err := a.store.ReportByKey(ctx, s.key())
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return fmt.Errorf("reading the report on %s: %w", s.key(), err)
		}
		if r.Report.Approvals != nil && (r.Report.Subject.Draft || !r.Report.Approvals.Met()) {
			then = append(then, a.judgeJob(s, j.Cause))
		}
	}
	return a.store.Finish(ctx, j, then...)
}
