package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/landwaiter/landwaiter/app/history"
	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/duties"
	"github.com/landwaiter/landwaiter/store"
)

// toReadHistory are the permissions behind releases.duties.
var toReadHistory = permissions{"contents": "read", "pull_requests": "read", "checks": "read"}

// actor is an account, as GitHub's API has it (schema simple-user).
type actor struct {
	ID    int64  `json:"id"`
	Login string `json:"login"`
	Type  string `json:"type"`
}

// person turns an actor, or nil for a deleted account, into a Person.
func (x *actor) person() duties.Person {
	if x == nil {
		return duties.Person{}
	}
	return duties.Person{ID: x.ID, Login: x.Login, Bot: x.Type != "User"}
}

// readDuties reads what the rules of releases.duties need to know of a release, nil when no
// rule is on. An error means that GitHub cannot be asked now; what it does not show is a Problem
// of the Facts.
func (a *App) readDuties(ctx context.Context, c *installation, t trunk, seen releaseSeen) (*duties.Facts, error) {
	rules := t.Policy.Releases.Duties
	if !rules.Asked() {
		return nil, nil
	}
	reader := a.installation(c.Repo, toReadHistory)
	r := history.Reader{
		Get: reader.lookUp, TagCommit: reader.tagCommit, Judged: reader.judged, Passed: reader.passed,
		RunOf: func(externalID, head string) (int, bool) {
			s, err := subjectOfRun(c.Repo, externalID, head)
			return s.Number, err == nil && s.Kind == checks.KindPullRequest
		},
		AppID: a.cfg.AppID, RepositoryID: c.Repo.ID, DefaultBranch: t.GetDefaultBranch(), Rules: rules, Now: a.now(),
	}
	rel := history.Release{ID: seen.ID, Tag: seen.TagName, Commit: seen.commit, Releaser: seen.Author.person()}
	if !seen.Draft && seen.Published != nil {
		rel.Published = *seen.Published
	}
	facts, err := r.Read(ctx, rel)
	if err != nil {
		return nil, fmt.Errorf("reading what came into release %d of %s: %w", seen.ID, c.Repo, err)
	}
	return facts, nil
}

// lookUp reads one page of what package history asks for.
func (c *installation) lookUp(ctx context.Context, path string, v any) (more bool, err error) {
	answer, err := c.ask(ctx, http.MethodGet, c.path()+"/"+path, nil, v)
	route, _, _ := strings.Cut(path, "?")
	var lacking *errPermission
	switch {
	case errors.As(err, &lacking):
		return false, &history.Refused{Why: "Landwaiter needs " + lacking.Missing.words()}
	case err == nil:
		return answer.NextPage != 0, nil
	}
	switch status(err) {
	case http.StatusForbidden:
		return false, &history.Refused{Why: route + ": GitHub does not let Landwaiter see it (HTTP 403)"}
	case http.StatusNotFound, http.StatusGone, http.StatusUnprocessableEntity:
		return false, fmt.Errorf("%s: %w", route, history.ErrMissing)
	}
	return false, err
}

// judged returns what is on record of a release of the repository.
func (c *installation) judged(ctx context.Context, release int64) (history.Past, error) {
	s := subjectArgs{Repo: c.Repo, Kind: checks.KindRelease, ReleaseID: release}
	kept, err := c.app.store.ReportByKey(ctx, s.key())
	if errors.Is(err, store.ErrNotFound) {
		return history.Past{}, nil
	}
	if err != nil {
		return history.Past{}, fmt.Errorf("looking for the record of release %d: %w", release, err)
	}
	return history.Past{Commit: kept.Report.Subject.Commit, Open: leftOpen(kept.Report)}, nil
}

// leftOpen reports whether something about what came into a release stayed open: a rule of
// duties was broken or not known, or the judgment was not whole, so that nobody can tell.
func leftOpen(r checks.Report) bool {
	return slices.ContainsFunc(r.Reasons, func(x checks.Reason) bool {
		return duties.IsRule(x.Rule) || x.Rule == checks.RuleComplete || x.Rule == checks.RulePolicyFile
	})
}

// passed reports whether the newest record on a pull request at head is a Pass.
func (c *installation) passed(ctx context.Context, pull int, head string) (bool, error) {
	s := subjectArgs{Repo: c.Repo, Kind: checks.KindPullRequest, Number: pull, Commit: head}
	kept, err := c.app.store.ReportByKey(ctx, s.key())
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for the record of pull request %d: %w", pull, err)
	}
	return kept.Report.Verdict == checks.Pass && kept.Report.Subject.Commit == head, nil
}
