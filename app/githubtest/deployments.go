package githubtest

import (
	"slices"
	"time"
)

// RunOptions describe a workflow run of GitHub Actions.
type RunOptions struct {
	// ID is the numeric id; 0 means the next free one. Real provenance names its run.
	ID int64
	// SHA is the commit it ran for; "" means the tip of Branch.
	SHA string
	// Branch is the head branch; "" means the default branch.
	Branch string
	// Path is the workflow file; "" means .github/workflows/release.yml.
	Path string
	// Event started it; "" means "push".
	Event string
	// Status is "completed" when empty; Conclusion is "success" when empty and completed.
	Status, Conclusion string
	// Actor is who started it; "" means mona. Again is who started it again; "" means Actor.
	Actor, Again string
}

// WorkflowRun is a run of a workflow.
type WorkflowRun struct {
	r *Repo
	// ID is the numeric id.
	ID         int64
	number     int
	sha        string
	branch     string
	path       string
	event      string
	status     string
	conclusion string
	actor      *account
	again      *account
	attempt    int
	created    time.Time
}

// WorkflowRun adds a run of a workflow.
func (r *Repo) WorkflowRun(o RunOptions) *WorkflowRun {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	if o.ID == 0 {
		o.ID = r.g.id()
	}
	if o.Branch == "" {
		o.Branch = r.defaultBranch
	}
	if o.SHA == "" {
		o.SHA = r.mustCommit(r.refs["refs/heads/"+o.Branch]).SHA
	}
	if o.Path == "" {
		o.Path = ".github/workflows/release.yml"
	}
	if o.Event == "" {
		o.Event = "push"
	}
	if o.Actor == "" {
		o.Actor = "mona"
	}
	if o.Again == "" {
		o.Again = o.Actor
	}
	if o.Status == "" {
		o.Status = "completed"
	}
	if o.Conclusion == "" && o.Status == "completed" {
		o.Conclusion = "success"
	}
	w := &WorkflowRun{
		r: r, ID: o.ID, number: len(r.workflows) + 1, sha: o.SHA, branch: o.Branch, path: o.Path,
		event: o.Event, status: o.Status, conclusion: o.Conclusion, attempt: 1, created: r.g.now(),
		actor: r.g.account(o.Actor, "User"), again: r.g.account(o.Again, "User"),
	}
	r.workflows = append(r.workflows, w)
	return w
}

// End completes a run that was added with another status.
func (w *WorkflowRun) End(conclusion string) {
	w.r.g.mu.Lock()
	defer w.r.g.mu.Unlock()
	w.status, w.conclusion = "completed", conclusion
}

// Again starts the run anew, as the next attempt, which ends what waited in the one before.
func (w *WorkflowRun) Again(status string) {
	w.r.g.mu.Lock()
	defer w.r.g.mu.Unlock()
	w.attempt, w.status, w.conclusion = w.attempt+1, status, ""
}

// Deployment is a job of a workflow run that waits for the App's rule.
type Deployment struct {
	r *Repo
	// ID is the numeric id; Environment the name of the environment.
	ID          int64
	Environment string

	run     *WorkflowRun
	attempt int
	sha     string
	created time.Time
	reports []DeploymentReport
	early   int
	others  bool // another rule has no verdict yet
}

// DeploymentReport is what the App said about a deployment, in order. State is
// "approved", "rejected", or "" for a comment alone.
type DeploymentReport struct {
	State   string
	Comment string
	Time    time.Time
}

// Deploy makes a job of the run wait in an environment that is protected by the App's
// rule, which sends deployment_protection_rule.
func (w *WorkflowRun) Deploy(environment string) *Deployment {
	w.r.g.mu.Lock()
	defer w.r.g.mu.Unlock()
	d := &Deployment{r: w.r, ID: w.r.g.id(), Environment: environment, run: w, attempt: w.attempt, sha: w.sha, created: w.r.g.now()}
	w.r.deployments = append(w.r.deployments, d)
	w.r.g.emit(d.event())
	return d
}

// RefuseEarly makes the next n approvals or rejections answer 422, as GitHub does while
// the job is not waiting yet.
func (d *Deployment) RefuseEarly(n int) {
	d.r.g.mu.Lock()
	defer d.r.g.mu.Unlock()
	d.early = n
}

// Of makes the deployment one of another commit than its run is of.
func (d *Deployment) Of(sha string) {
	d.r.g.mu.Lock()
	defer d.r.g.mu.Unlock()
	d.sha = sha
}

// Wait makes the job wait for another rule too, also when the App's has its verdict.
func (d *Deployment) Wait() {
	d.r.g.mu.Lock()
	defer d.r.g.mu.Unlock()
	d.others = true
}

// Reports returns what the App said so far.
func (d *Deployment) Reports() []DeploymentReport {
	d.r.g.mu.Lock()
	defer d.r.g.mu.Unlock()
	return slices.Clone(d.reports)
}
