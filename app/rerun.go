package app

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/go-github/v62/github"

	"github.com/landwaiter/landwaiter/store"
)

// actionRecheck is the identifier of the button Re-check (GITHUB.md section 5).
const actionRecheck = "recheck"

// onCheckRun runs one of our checks again, in a new check run. Check runs of other Apps, and
// buttons that we did not offer, lead to nothing.
func (a *App) onCheckRun(d store.Delivery) ([]store.Job, error) {
	p, r, err := readPayloadOf(d)
	if err != nil {
		return nil, err
	}
	if p.CheckRun == nil {
		return nil, fmt.Errorf("%s %s has no check_run", d.Event, d.GUID)
	}
	if p.CheckRun.App.ID != a.cfg.AppID {
		return nil, nil
	}
	if p.Action == "requested_action" && p.RequestedAction.Identifier != actionRecheck {
		return nil, nil
	}
	head, err := commit(p.CheckRun.HeadSHA)
	if err != nil {
		return nil, err
	}
	s, err := subjectOfRun(r, p.CheckRun.ExternalID, head)
	if err != nil {
		return nil, err
	}
	s.Rerun, s.Cause = true, d.GUID
	cause := d.Event + "." + p.Action
	if p.Action == "requested_action" {
		// Nothing changes before it is known that the person may ask.
		return []store.Job{{
			Step: stepRecheck, Key: "recheck:" + d.GUID, Cause: cause, Priority: s.priority(), InstallationID: r.InstallationID,
			Due: a.now(), Args: encode(recheckArgs{Subject: s, Sender: p.Sender.Login}),
		}}, nil
	}
	return a.open(s, cause), nil
}

// onCheckSuite runs every check of ours on a commit again. GitHub sends the event to the App
// that owns the suite and leaves pull_requests empty for forks, so a job of its own asks
// which of our runs the suite holds.
func (a *App) onCheckSuite(d store.Delivery) ([]store.Job, error) {
	p, r, err := readPayloadOf(d)
	if err != nil {
		return nil, err
	}
	if p.CheckSuite == nil {
		return nil, fmt.Errorf("%s %s has no check_suite", d.Event, d.GUID)
	}
	if p.CheckSuite.App.ID != a.cfg.AppID {
		return nil, nil
	}
	head, err := commit(p.CheckSuite.HeadSHA)
	if err != nil {
		return nil, err
	}
	args := suiteArgs{Repo: r, Suite: p.CheckSuite.ID, Head: head, Cause: d.GUID}
	return []store.Job{{
		Step: stepSuite, Key: fmt.Sprintf("suite:%d:%d", r.ID, p.CheckSuite.ID), Cause: d.Event + "." + p.Action,
		Priority: priorityPull, InstallationID: r.InstallationID, Due: a.now(), Args: encode(args),
	}}, nil
}

// suiteArgs are the Args of a job that runs all our checks of a suite again.
type suiteArgs struct {
	Repo  repo   `json:"repo"`
	Suite int64  `json:"suite"`
	Head  string `json:"head"`
	Cause string `json:"cause"`
}

// rerunSuite is the step that finds the Subjects of a suite. Where the suite holds no run of
// ours, the pull requests with that head are judged.
func (a *App) rerunSuite(ctx context.Context, j store.Job) error {
	args, err := decode[suiteArgs](j)
	if err != nil {
		return &permanent{err}
	}
	c := a.installation(args.Repo, permissions{"contents": "read", "pull_requests": "read", "checks": "write"})
	runs, err := each(ctx, func(page int) ([]*github.CheckRun, *github.Response, error) {
		found, answer, err := c.Checks.ListCheckRunsCheckSuite(ctx, c.Repo.Owner, c.Repo.Name, args.Suite,
			&github.ListCheckRunsOptions{ListOptions: github.ListOptions{Page: page, PerPage: 100}})
		if err != nil {
			return nil, answer, err
		}
		return found.CheckRuns, answer, nil
	})
	if err != nil {
		return fmt.Errorf("listing the runs of suite %d: %w", args.Suite, err)
	}
	subjects := map[string]subjectArgs{}
	for _, run := range runs {
		s, err := subjectOfRun(args.Repo, run.GetExternalID(), args.Head)
		if err != nil || run.GetApp().GetID() != a.cfg.AppID {
			continue // another App's run
		}
		s.Rerun, s.Cause = true, args.Cause
		subjects[s.key()] = s
	}
	if len(subjects) == 0 {
		if err := c.pullsAt(ctx, args.Head, subjects); err != nil {
			return err
		}
	}
	var then []store.Job
	for _, key := range slices.Sorted(maps.Keys(subjects)) {
		then = append(then, a.open(subjects[key], j.Cause)...)
	}
	return a.store.Finish(ctx, j, then...)
}

// pullsAt adds the open pull requests whose head is a commit.
func (c *installation) pullsAt(ctx context.Context, head string, subjects map[string]subjectArgs) error {
	pulls, err := each(ctx, func(page int) ([]*github.PullRequest, *github.Response, error) {
		return c.PullRequests.ListPullRequestsWithCommit(ctx, c.Repo.Owner, c.Repo.Name, head, &github.ListOptions{Page: page, PerPage: 100})
	})
	if err != nil {
		return fmt.Errorf("listing the pull requests at %s: %w", head, err)
	}
	for _, pull := range pulls {
		if pull.GetState() == "open" && pull.GetHead().GetSHA() == head {
			s := pullSubject(c.Repo, pull.GetNumber(), head)
			subjects[s.key()] = s
		}
	}
	return nil
}

// recheckArgs are the Args of a job that verifies who pressed a button.
type recheckArgs struct {
	Subject subjectArgs `json:"subject"`
	Sender  string      `json:"sender"`
}

// recheck is the step that runs a check again for a person who may ask for that.
func (a *App) recheck(ctx context.Context, j store.Job) error {
	args, err := decode[recheckArgs](j)
	if err != nil {
		return &permanent{err}
	}
	s := args.Subject
	may, err := a.installation(s.Repo, permissions{"metadata": "read"}).mayRecheck(ctx, args.Sender)
	if err != nil {
		return err
	}
	if !may {
		a.log.WarnContext(ctx, "recheck refused", "repo", s.Repo.String(), "sha", s.Commit, "person", args.Sender)
		return a.store.Finish(ctx, j)
	}
	return a.store.Finish(ctx, j, a.open(s, j.Cause)...)
}

// mayRecheck reports whether a person who pressed a button has any access to the repository.
// Who sees the button is up to GitHub; who may use it is checked here (GITHUB.md section 4).
func (c *installation) mayRecheck(ctx context.Context, login string) (bool, error) {
	if !nameForm().MatchString(login) {
		return false, nil
	}
	level, _, err := c.Repositories.GetPermissionLevel(ctx, c.Repo.Owner, c.Repo.Name, login)
	if notFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading what %s may do: %w", login, err)
	}
	return level.GetPermission() != "" && level.GetPermission() != "none", nil
}
