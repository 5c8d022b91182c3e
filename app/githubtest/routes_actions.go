package githubtest

import (
	"net/http"
	"slices"
)

// Limits of reports on a deployment,
// docs.github.com/actions/managing-workflow-runs-and-deployments/managing-deployments/creating-custom-deployment-protection-rules.
const (
	maxReports       = 10
	maxReportComment = 1024 // characters
)

func actionsRoutes() []*route {
	return []*route{
		on("GET /repos/{owner}/{repo}/actions/runs", "actions:read", listWorkflowRuns),
		on("GET /repos/{owner}/{repo}/actions/runs/{run_id}", "actions:read", getWorkflowRun),
		on("POST /repos/{owner}/{repo}/actions/runs/{run_id}/deployment_protection_rule", "deployments:write", reviewDeployment),
		on("GET /repos/{owner}/{repo}/actions/runs/{run_id}/pending_deployments", "actions:read", listPending),
		on("GET /repos/{owner}/{repo}/deployments", "deployments:read", listDeployments),
		on("GET /repos/{owner}/{repo}/deployments/{deployment_id}", "deployments:read", getDeployment),
	}
}

func listWorkflowRuns(q *request) reply {
	query := q.URL.Query()
	list := slices.DeleteFunc(slices.Clone(q.repo.workflows), func(w *WorkflowRun) bool {
		return query.Get("head_sha") != "" && query.Get("head_sha") != w.sha ||
			query.Get("branch") != "" && query.Get("branch") != w.branch ||
			query.Get("event") != "" && query.Get("event") != w.event ||
			query.Get("status") != "" && query.Get("status") != w.status && query.Get("status") != w.conclusion
	})
	slices.Reverse(list)
	return counted(q, "workflow_runs", list, (*WorkflowRun).object)
}

func (q *request) workflow() *WorkflowRun {
	at := slices.IndexFunc(q.repo.workflows, func(w *WorkflowRun) bool { return w.ID == q.number("run_id") })
	if at < 0 {
		return nil
	}
	return q.repo.workflows[at]
}

func getWorkflowRun(q *request) reply {
	w := q.workflow()
	if w == nil {
		return notFound()
	}
	return ok(w.object())
}

// reviewDeployment takes a report on the waiting job of a run. A verdict ends the waiting;
// a comment without one does not.
func reviewDeployment(q *request) reply {
	run := q.workflow()
	if run == nil {
		return notFound()
	}
	var w struct {
		Environment string `json:"environment_name"`
		State       string `json:"state"`
		Comment     string `json:"comment"`
	}
	if a, fine := q.decode(&w); !fine {
		return a
	}
	at := slices.IndexFunc(q.repo.deployments, func(d *Deployment) bool { return d.pending(run) && d.Environment == w.Environment })
	if at < 0 {
		return refuse(http.StatusUnprocessableEntity, "No pending deployment in this environment.")
	}
	d := q.repo.deployments[at]
	decided := d.decided()
	switch {
	case len([]rune(w.Comment)) > maxReportComment:
		return custom("DeploymentProtectionRule", "comment", "comment is too long (maximum is 1024 characters)")
	case len(d.reports) >= maxReports:
		return refuse(http.StatusUnprocessableEntity, "A deployment takes at most 10 reports.")
	case w.State != "" && decided:
		return refuse(http.StatusUnprocessableEntity, "This deployment was reviewed already.")
	case w.State != "" && d.early > 0:
		d.early--
		return refuse(http.StatusUnprocessableEntity, "The deployment is not waiting for review.")
	}
	d.reports = append(d.reports, DeploymentReport{State: w.State, Comment: w.Comment, Time: q.g.now()})
	return noContent()
}

// pending says whether d belongs to the newest attempt at run.
func (d *Deployment) pending(run *WorkflowRun) bool { return d.run == run && d.attempt == run.attempt }

func (d *Deployment) decided() bool {
	return slices.ContainsFunc(d.reports, func(r DeploymentReport) bool { return r.State != "" })
}

// listPending lists the environments whose rules have no verdict yet.
func listPending(q *request) reply {
	run := q.workflow()
	if run == nil {
		return notFound()
	}
	waiting := slices.DeleteFunc(slices.Clone(q.repo.deployments), func(d *Deployment) bool { return !d.pending(run) || d.decided() && !d.others })
	return ok(each(waiting, func(d *Deployment) object {
		u := q.repo.url() + "/environments/" + d.Environment
		return object{
			"environment": object{
				"id": d.ID, "node_id": nodeID("Environment", d.ID), "name": d.Environment, "url": u,
				"html_url": q.repo.html() + "/deployments/activity_log?environments_filter=" + d.Environment,
			},
			"wait_timer": 0, "wait_timer_started_at": nil, "current_user_can_approve": false, "reviewers": []object{},
		}
	}))
}

func listDeployments(q *request) reply {
	query := q.URL.Query()
	list := slices.DeleteFunc(slices.Clone(q.repo.deployments), func(d *Deployment) bool {
		return query.Get("environment") != "" && query.Get("environment") != d.Environment ||
			query.Get("sha") != "" && query.Get("sha") != d.sha
	})
	slices.Reverse(list)
	return listed(q, list, (*Deployment).object)
}

func getDeployment(q *request) reply {
	for _, d := range q.repo.deployments {
		if d.ID == q.number("deployment_id") {
			return ok(d.object())
		}
	}
	return notFound()
}
