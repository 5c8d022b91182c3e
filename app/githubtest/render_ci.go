package githubtest

import (
	"fmt"
	"maps"
	"slices"
)

// app renders the schema integration for the App, or for GitHub Actions.
func (g *GitHub) app(foreign bool) object {
	if foreign {
		return object{
			"id": 15368, "slug": "github-actions", "node_id": nodeID("Integration", 15368), "client_id": "Iv1.actions",
			"owner": g.simpleUser(g.account("github", "Organization")), "name": "GitHub Actions", "description": nil,
			"external_url": g.root() + "/features/actions", "html_url": g.root() + "/apps/github-actions",
			"created_at": stamp(g.appCreated), "updated_at": stamp(g.appCreated),
			"permissions": object{"checks": "write"}, "events": []string{"push"},
		}
	}
	return object{
		"id": g.opts.AppID, "slug": g.opts.AppSlug, "node_id": nodeID("Integration", g.opts.AppID), "client_id": "Iv1.standin",
		"owner": g.simpleUser(g.account("landwaiter-operators", "Organization")), "name": g.opts.AppSlug, "description": nil,
		"external_url": "https://landwaiter.example.com", "html_url": g.root() + "/apps/" + g.opts.AppSlug,
		"created_at": stamp(g.appCreated), "updated_at": stamp(g.appCreated),
		"permissions": AllPermissions(), "events": g.events(),
	}
}

// events lists the events the App subscribes to.
func (g *GitHub) events() []string {
	if g.opts.Events != nil {
		return g.opts.Events
	}
	return []string{
		"check_run", "check_suite", "deployment_protection_rule", "issue_comment", "issues", "merge_group",
		"pull_request", "push", "release", "repository",
	}
}

// checkRun renders the schema check-run.
func (r *Repo) checkRun(c *run) object {
	url := fmt.Sprintf("%s/check-runs/%d", r.url(), c.id)
	output := object{
		"title": nil, "summary": nil, "text": nil,
		"annotations_count": len(c.annotations), "annotations_url": url + "/annotations",
	}
	if c.hasOutput {
		output["title"], output["summary"], output["text"] = orNil(c.output.Title), orNil(c.output.Summary), orNil(c.output.Text)
	}
	html := fmt.Sprintf("%s/runs/%d", r.html(), c.id)
	details := c.detailsURL
	if details == "" {
		details = html
	}
	return object{
		"id": c.id, "head_sha": c.suite.sha, "node_id": nodeID("CheckRun", c.id), "external_id": c.externalID,
		"url": url, "html_url": html, "details_url": details, "status": c.status, "conclusion": orNil(c.conclusion),
		"started_at": stampOrNil(c.started), "completed_at": stampOrNil(c.completed), "output": output, "name": c.name,
		"check_suite": object{"id": c.suite.id}, "app": r.g.app(c.foreign), "pull_requests": r.pullsOf(c.suite.sha),
	}
}

// annotation renders the schema check-annotation.
func (r *Repo) annotation(c *run, a Annotation) object {
	column := func(n int) any {
		if n == 0 {
			return nil
		}
		return n
	}
	return object{
		"path": a.Path, "start_line": a.StartLine, "end_line": a.EndLine, "start_column": column(a.StartColumn),
		"end_column": column(a.EndColumn), "annotation_level": a.Level, "title": orNil(a.Title), "message": a.Message,
		"raw_details": orNil(a.RawDetails), "blob_href": r.html() + "/blob/" + c.suite.sha + "/" + a.Path,
	}
}

// suiteObject renders the schema check-suite.
func (r *Repo) suiteObject(s *suite) object {
	status, conclusion := r.suiteState(s)
	url := fmt.Sprintf("%s/check-suites/%d", r.url(), s.id)
	runs := 0
	for _, c := range r.checkRuns {
		if c.suite == s {
			runs++
		}
	}
	return object{
		"id": s.id, "node_id": nodeID("CheckSuite", s.id), "head_branch": orNil(s.branch), "head_sha": s.sha,
		"status": status, "conclusion": orNil(conclusion), "url": url, "before": nil, "after": s.sha,
		"pull_requests": r.pullsOf(s.sha), "app": r.g.app(s.foreign), "repository": r.minimal(),
		"created_at": stamp(s.created), "updated_at": stamp(s.updated), "head_commit": r.simpleCommit(s.sha),
		"latest_check_runs_count": runs, "check_runs_url": url + "/check-runs", "rerequestable": true, "runs_rerequestable": true,
	}
}

// object renders the schema workflow-run.
func (w *WorkflowRun) object() object {
	url := fmt.Sprintf("%s/actions/runs/%d", w.r.url(), w.ID)
	suite := w.ID + 1_000_000_000_000
	return object{
		"id": w.ID, "name": "Release", "node_id": nodeID("WorkflowRun", w.ID), "check_suite_id": suite,
		"check_suite_node_id": nodeID("CheckSuite", suite), "head_branch": w.branch, "head_sha": w.sha, "path": w.path,
		"run_number": w.number, "run_attempt": w.attempt, "event": w.event, "status": w.status, "conclusion": orNil(w.conclusion),
		"workflow_id": 1, "url": url, "html_url": fmt.Sprintf("%s/actions/runs/%d", w.r.html(), w.ID), "pull_requests": []object{},
		"created_at": stamp(w.created), "updated_at": stamp(w.created), "run_started_at": stamp(w.created),
		"actor": w.r.g.simpleUser(w.actor), "triggering_actor": w.r.g.simpleUser(w.again), "jobs_url": url + "/jobs", "logs_url": url + "/logs",
		"check_suite_url": fmt.Sprintf("%s/check-suites/%d", w.r.url(), suite), "artifacts_url": url + "/artifacts",
		"cancel_url": url + "/cancel", "rerun_url": url + "/rerun", "workflow_url": w.r.url() + "/actions/workflows/1",
		"head_commit": w.r.simpleCommit(w.sha), "repository": w.r.minimal(), "head_repository": w.r.minimal(),
		"display_title": "Release", "referenced_workflows": []object{},
	}
}

// object renders the schema deployment.
func (d *Deployment) object() object {
	url := fmt.Sprintf("%s/deployments/%d", d.r.url(), d.ID)
	return object{
		"url": url, "id": d.ID, "node_id": nodeID("Deployment", d.ID), "sha": d.sha, "ref": d.run.branch,
		"task": "deploy", "payload": object{}, "original_environment": d.Environment, "environment": d.Environment,
		"description": nil, "creator": d.r.g.simpleUser(d.r.g.account("mona", "User")),
		"created_at": stamp(d.created), "updated_at": stamp(d.created), "statuses_url": url + "/statuses",
		"repository_url": d.r.url(), "transient_environment": false, "production_environment": true,
	}
}

// orderedPulls lists the pull requests by number.
func (r *Repo) orderedPulls() []*Pull {
	list := make([]*Pull, 0, len(r.pulls))
	for _, n := range slices.Sorted(maps.Keys(r.pulls)) {
		list = append(list, r.pulls[n])
	}
	return list
}
