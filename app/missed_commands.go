package app

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/landwaiter/landwaiter/app/commands"
	"github.com/landwaiter/landwaiter/store"
)

// maxMissedComments is how many comments of one issue one sweep looks at: those of a page.
const maxMissedComments = 100

// listedComment is a comment as the list of an issue has it.
type listedComment struct {
	comment
	Reactions struct {
		Total int `json:"total_count"`
	} `json:"reactions"`
}

// missedCommands returns the jobs for commands in issues that ask approvers which nobody
// answered: what was heard has a reaction. No call is made where nothing is asked.
func (a *App) missedCommands(ctx context.Context, r repo, cause string) ([]store.Job, error) {
	all, err := a.wishes(ctx, r)
	if err != nil {
		return nil, err
	}
	var jobs []store.Job
	for _, w := range all {
		if w.End != "" || !w.Asks {
			continue
		}
		known, err := a.issueKnown(ctx, w.Key)
		if err != nil {
			return nil, err
		}
		if known.RemoteID == 0 {
			continue
		}
		listed, err := a.installation(r, permissions{"issues": "read"}).commentsSince(ctx, int(known.RemoteID), stateOf(known).Shown)
		if unavailable(err) != "" {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		for _, said := range listed {
			if said.Reactions.Total == 0 && said.byPerson() && !said.edited() && commands.Addressed(said.Body) {
				a.metrics.healed.WithLabelValues("command").Inc()
				jobs = append(jobs, a.commandJob(commandArgs{Repo: r, Issue: int(known.RemoteID), Comment: said.ID}, cause))
			}
		}
	}
	return jobs, nil
}

// commentsSince returns the first comments on an issue that were written or changed since then.
func (c *installation) commentsSince(ctx context.Context, issue int, then time.Time) ([]listedComment, error) {
	var listed []listedComment
	query := url.Values{"per_page": {fmt.Sprint(maxMissedComments)}, "since": {then.UTC().Format(time.RFC3339)}}
	_, err := c.ask(ctx, http.MethodGet, fmt.Sprintf("%s/issues/%d/comments?%s", c.path(), issue, query.Encode()), nil, &listed)
	if notFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing the comments of issue %d of %s: %w", issue, c.Repo, err)
	}
	return listed, nil
}
