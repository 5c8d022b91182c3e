package githubtest

import (
	"slices"
	"time"
)

// ciState is what runs on commits: check suites and runs, workflow runs, deployments.
type ciState struct {
	suites      []*suite
	checkRuns   []*run
	workflows   []*WorkflowRun
	deployments []*Deployment
}

// suite groups the check runs of one App on one commit.
type suite struct {
	id      int64
	sha     string
	branch  string
	foreign bool // made by another App
	created time.Time
	updated time.Time
}

// run is a check run as stored.
type run struct {
	id          int64
	suite       *suite
	foreign     bool
	name        string
	externalID  string
	detailsURL  string
	status      string
	conclusion  string
	started     time.Time
	completed   time.Time
	output      Output
	hasOutput   bool
	annotations []Annotation
	actions     []CheckAction
}

// CheckRun is a check run as a person sees it, a copy.
type CheckRun struct {
	ID          int64
	Name        string
	HeadSHA     string
	Status      string
	Conclusion  string
	ExternalID  string
	DetailsURL  string
	Started     time.Time
	Completed   time.Time
	Output      Output
	Annotations []Annotation
	Actions     []CheckAction
}

// Output is the page of a check run.
type Output struct {
	Title   string `json:"title"`
	Summary string `json:"summary"`
	Text    string `json:"text"`
}

// Annotation is a remark on lines of a file. Lines and columns count from one; columns
// are zero when not given.
type Annotation struct {
	Path        string `json:"path"`
	StartLine   int    `json:"start_line"`
	EndLine     int    `json:"end_line"`
	StartColumn int    `json:"start_column"`
	EndColumn   int    `json:"end_column"`
	Level       string `json:"annotation_level"`
	Title       string `json:"title"`
	Message     string `json:"message"`
	RawDetails  string `json:"raw_details"`
}

// CheckAction is a button on a check run.
type CheckAction struct {
	Label       string `json:"label"`
	Description string `json:"description"`
	Identifier  string `json:"identifier"`
}

// CheckRuns returns the check runs of a commit, or of all commits when sha is empty,
// oldest first.
func (r *Repo) CheckRuns(sha string) []CheckRun {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	var list []CheckRun
	for _, c := range r.checkRuns {
		if sha == "" || c.suite.sha == sha {
			list = append(list, c.copy())
		}
	}
	return list
}

// CheckRun returns the newest check run of a name on a commit, and false when there is none.
func (r *Repo) CheckRun(sha, name string) (CheckRun, bool) {
	runs := r.CheckRuns(sha)
	for _, c := range slices.Backward(runs) {
		if c.Name == name {
			return c, true
		}
	}
	return CheckRun{}, false
}

func (c *run) copy() CheckRun {
	return CheckRun{
		ID: c.id, Name: c.name, HeadSHA: c.suite.sha, Status: c.status, Conclusion: c.conclusion,
		ExternalID: c.externalID, DetailsURL: c.detailsURL, Started: c.started, Completed: c.completed,
		Output: c.output, Annotations: slices.Clone(c.annotations), Actions: slices.Clone(c.actions),
	}
}

// ForeignCheckRun adds a completed check run made by another App, GitHub Actions.
func (r *Repo) ForeignCheckRun(sha, name, conclusion string) {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	s := &suite{id: r.g.id(), sha: r.mustCommit(sha).SHA, foreign: true, created: r.g.now(), updated: r.g.now()}
	r.suites = append(r.suites, s)
	r.checkRuns = append(r.checkRuns, &run{
		id: r.g.id(), suite: s, foreign: true, name: name, status: "completed", conclusion: conclusion,
		started: r.g.now(), completed: r.g.now(),
	})
}

// RerequestRun presses "Re-run" on a check run of the App, as login.
func (r *Repo) RerequestRun(id int64, login string) {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	c := r.mustRun(id)
	r.g.emit(r.runEvent("rerequested", c, r.g.account(login, "User"), nil))
}

// RequestAction presses a button of a check run of the App, as login.
func (r *Repo) RequestAction(id int64, identifier, login string) {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	c := r.mustRun(id)
	r.g.emit(r.runEvent("requested_action", c, r.g.account(login, "User"), object{
		"requested_action": object{"identifier": identifier},
	}))
}

// RerequestSuite presses "Re-run all checks" on a commit, as login.
func (r *Repo) RerequestSuite(sha, login string) {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	s, _ := r.suite(sha, "")
	r.g.emit(r.suiteEvent("rerequested", s, r.g.account(login, "User")))
}

func (r *Repo) mustRun(id int64) *run {
	for _, c := range r.checkRuns {
		if c.id == id {
			return c
		}
	}
	panic("githubtest: no such check run in " + r.fullName())
}

// suite finds or makes the App's check suite for a commit, and says whether it is new.
func (r *Repo) suite(sha, branch string) (*suite, bool) {
	for _, s := range r.suites {
		if s.sha == sha && !s.foreign {
			return s, false
		}
	}
	s := &suite{id: r.g.id(), sha: sha, branch: branch, created: r.g.now(), updated: r.g.now()}
	r.suites = append(r.suites, s)
	return s, true
}

// suiteState sums up the runs of a suite.
func (r *Repo) suiteState(s *suite) (status, conclusion string) {
	status = "queued"
	for _, c := range r.checkRuns {
		if c.suite != s {
			continue
		}
		if c.status != "completed" {
			return "in_progress", ""
		}
		status = "completed"
		if conclusion == "" || conclusion == "success" {
			conclusion = c.conclusion
		}
	}
	return status, conclusion
}
