package app

import (
	"context"
	"fmt"

	"github.com/google/go-github/v62/github"

	"github.com/landwaiter/landwaiter/checks/output"
)

// findRun looks for our run with that external id; a nil run means that there is none.
func (c *installation) findRun(ctx context.Context, s subjectArgs, run string) (*github.CheckRun, error) {
	all, err := each(ctx, func(page int) ([]*github.CheckRun, *github.Response, error) {
		found, answer, err := c.Checks.ListCheckRunsForRef(ctx, c.Repo.Owner, c.Repo.Name, s.Commit, &github.ListCheckRunsOptions{
			CheckName: github.String(s.check()), Filter: github.String("all"),
			ListOptions: github.ListOptions{Page: page, PerPage: 100},
		})
		if err != nil {
			return nil, answer, err
		}
		return found.CheckRuns, answer, nil
	})
	if err != nil {
		return nil, fmt.Errorf("looking for check run %s: %w", run, err)
	}
	for _, r := range all {
		if r.GetExternalID() == run && r.GetApp().GetID() == c.app.cfg.AppID {
			return r, nil
		}
	}
	return nil, nil
}

func (c *installation) createRun(ctx context.Context, s subjectArgs, w showing, run string, batch []output.Annotation) (int64, error) {
	made, _, err := c.Checks.CreateCheckRun(ctx, c.Repo.Owner, c.Repo.Name, github.CreateCheckRunOptions{
		Name: s.check(), HeadSHA: s.Commit, ExternalID: &run, DetailsURL: optional(c.app.detailsURL(s)),
		Status: &w.run.Status, Conclusion: optional(w.run.Conclusion), Output: checkOutput(w.run, batch), Actions: actions(w),
	})
	if err != nil {
		return 0, fmt.Errorf("creating check run %s on %s: %w", run, s.Commit, err)
	}
	return made.GetID(), nil
}

func (c *installation) updateRun(ctx context.Context, s subjectArgs, w showing, id int64, batch []output.Annotation) error {
	_, _, err := c.Checks.UpdateCheckRun(ctx, c.Repo.Owner, c.Repo.Name, id, github.UpdateCheckRunOptions{
		Name: s.check(), DetailsURL: optional(c.app.detailsURL(s)),
		Status: &w.run.Status, Conclusion: optional(w.run.Conclusion), Output: checkOutput(w.run, batch), Actions: actions(w),
	})
	if err != nil {
		return fmt.Errorf("updating check run %d on %s: %w", id, s.Commit, err)
	}
	return nil
}

// optional is nil for "", which leaves a field out of a request.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// actions are the buttons of a run: only what works is offered.
func actions(w showing) []*github.CheckRunAction {
	if !w.done() {
		return nil
	}
	return []*github.CheckRunAction{{Label: "Re-check", Description: "Run this check again", Identifier: actionRecheck}}
}

// checkOutput is the text of a run in GitHub's form. A state without a title sends none.
func checkOutput(run output.CheckRun, batch []output.Annotation) *github.CheckRunOutput {
	if run.Title == "" {
		return nil
	}
	out := &github.CheckRunOutput{Title: &run.Title, Summary: &run.Summary, Text: optional(run.Text)}
	for _, n := range batch {
		out.Annotations = append(out.Annotations, &github.CheckRunAnnotation{
			Path: github.String(n.Path), StartLine: github.Int(max(n.StartLine, 1)), EndLine: github.Int(max(n.EndLine, n.StartLine, 1)),
			AnnotationLevel: github.String(n.Level), Title: optional(n.Title), Message: github.String(n.Message),
			RawDetails: optional(n.RawDetails),
		})
	}
	return out
}
