package githubtest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Limits of check runs, docs.github.com/rest/checks/runs#create-a-check-run.
const (
	maxOutput      = 65535 // characters of summary and of text
	maxAnnotations = 50    // per request
	maxActions     = 3
	maxMessage     = 64 << 10 // bytes of an annotation's message
	maxTitle       = 255      // characters of an annotation's title
)

func checkRoutes() []*route {
	return []*route{
		on("POST /repos/{owner}/{repo}/check-runs", "checks:write", createRun),
		on("GET /repos/{owner}/{repo}/check-runs/{check_run_id}", "checks:read", getRun),
		on("PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}", "checks:write", updateRun),
		on("GET /repos/{owner}/{repo}/check-runs/{check_run_id}/annotations", "checks:read", listAnnotations),
		on("GET /repos/{owner}/{repo}/commits/{ref}/check-runs", "checks:read", listRefRuns),
		on("GET /repos/{owner}/{repo}/commits/{ref}/check-suites", "checks:read", listRefSuites),
		on("GET /repos/{owner}/{repo}/check-suites/{check_suite_id}", "checks:read", getSuite),
		on("GET /repos/{owner}/{repo}/check-suites/{check_suite_id}/check-runs", "checks:read", listSuiteRuns),
		on("POST /repos/{owner}/{repo}/check-suites", "checks:write", createSuite),
	}
}

// runRequest is the body of a create or update; absent fields are nil.
type runRequest struct {
	Name        *string      `json:"name"`
	HeadSHA     *string      `json:"head_sha"`
	DetailsURL  *string      `json:"details_url"`
	ExternalID  *string      `json:"external_id"`
	Status      *string      `json:"status"`
	StartedAt   *time.Time   `json:"started_at"`
	Conclusion  *string      `json:"conclusion"`
	CompletedAt *time.Time   `json:"completed_at"`
	Output      *outputParts `json:"output"`
	Actions     []CheckAction
}

type outputParts struct {
	Title       *string         `json:"title"`
	Summary     *string         `json:"summary"`
	Text        *string         `json:"text"`
	Annotations []Annotation    `json:"annotations"`
	Images      json.RawMessage `json:"images"`
}

// problems lists what GitHub refuses beyond its schema.
func (w *runRequest) problems() []problem {
	var list []problem
	add := func(field, format string, args ...any) {
		list = append(list, problem{resource: "CheckRun", field: field, code: "invalid", message: fmt.Sprintf(format, args...)})
	}
	if w.Status != nil && *w.Status == "completed" && w.Conclusion == nil {
		add("conclusion", "a completed check run needs a conclusion")
	}
	if w.Conclusion != nil && *w.Conclusion == "stale" {
		add("conclusion", "only GitHub sets stale")
	}
	if len(w.Actions) > maxActions {
		add("actions", "at most %d actions", maxActions)
	}
	for _, a := range w.Actions {
		if len([]rune(a.Label)) > 20 || len([]rune(a.Description)) > 40 || len([]rune(a.Identifier)) > 20 {
			add("actions", "label, description and identifier are at most 20, 40 and 20 characters: %q", a.Label)
		}
	}
	if w.Output != nil {
		w.Output.problems(add)
	}
	return list
}

func (o *outputParts) problems(add func(field, format string, args ...any)) {
	for name, text := range map[string]*string{"summary": o.Summary, "text": o.Text} {
		if text != nil && len(*text) > maxOutput {
			add(name, "is too long (maximum is %d characters)", maxOutput)
		}
	}
	if o.Summary == nil {
		add("summary", "missing")
	}
	if len(o.Annotations) > maxAnnotations {
		add("annotations", "exceeds a maximum quantity of %d", maxAnnotations)
	}
	for _, a := range o.Annotations {
		switch {
		case a.StartLine < 1 || a.EndLine < a.StartLine:
			add("annotations", "lines %d to %d are no range", a.StartLine, a.EndLine)
		case a.StartLine != a.EndLine && (a.StartColumn != 0 || a.EndColumn != 0):
			add("annotations", "columns are only for annotations on one line")
		case len(a.Message) > maxMessage:
			add("annotations", "a message is at most 64 KB")
		case len([]rune(a.Title)) > maxTitle:
			add("annotations", "a title is at most %d characters", maxTitle)
		}
	}
}

// apply writes what was sent into a check run.
func (w *runRequest) apply(c *run, now time.Time) {
	set(&c.name, w.Name)
	set(&c.detailsURL, w.DetailsURL)
	set(&c.externalID, w.ExternalID)
	set(&c.status, w.Status)
	set(&c.started, w.StartedAt)
	if w.Status != nil && *w.Status != "completed" {
		c.conclusion, c.completed = "", time.Time{}
	}
	if w.Conclusion != nil {
		c.status, c.conclusion, c.completed = "completed", *w.Conclusion, now
	}
	set(&c.completed, w.CompletedAt)
	if w.Actions != nil {
		c.actions = w.Actions
	}
	if w.Output != nil {
		c.hasOutput = true
		set(&c.output.Title, w.Output.Title)
		set(&c.output.Summary, w.Output.Summary)
		set(&c.output.Text, w.Output.Text)
		c.annotations = append(c.annotations, w.Output.Annotations...)
	}
}

func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

func createRun(q *request) reply {
	var w runRequest
	if a, fine := q.decode(&w); !fine {
		return a
	}
	if w.Name == nil || w.HeadSHA == nil {
		return refuse(http.StatusUnprocessableEntity, `Invalid request. "name" and "head_sha" are required.`)
	}
	commit, err := q.repo.objects.Commit(*w.HeadSHA)
	if err != nil {
		return refuse(http.StatusUnprocessableEntity, "No commit found for SHA: "+*w.HeadSHA)
	}
	if list := w.problems(); len(list) > 0 {
		return invalid(list...)
	}
	s, _ := q.repo.suite(commit.SHA, "")
	c := &run{id: q.g.id(), suite: s, status: "queued", started: q.g.now()}
	w.apply(c, q.g.now())
	q.repo.checkRuns = append(q.repo.checkRuns, c)
	q.announce(c, true)
	return created(q.repo.checkRun(c))
}

// announce sends what GitHub sends the App about its own check runs.
func (q *request) announce(c *run, fresh bool) {
	c.suite.updated = q.g.now()
	if fresh {
		q.g.emit(q.repo.runEvent("created", c, q.actor(), nil))
	}
	if c.status == "completed" {
		q.g.emit(q.repo.runEvent("completed", c, q.actor(), nil))
	}
}

func (q *request) checkRun() *run {
	at := slices.IndexFunc(q.repo.checkRuns, func(c *run) bool { return c.id == q.number("check_run_id") })
	if at < 0 {
		return nil
	}
	return q.repo.checkRuns[at]
}

func getRun(q *request) reply {
	c := q.checkRun()
	if c == nil {
		return notFound()
	}
	return ok(q.repo.checkRun(c))
}

func updateRun(q *request) reply {
	c := q.checkRun()
	if c == nil {
		return notFound()
	}
	if c.foreign {
		return refuse(http.StatusForbidden, "Invalid app_id `"+fmt.Sprint(q.g.opts.AppID)+"` - check run can only be modified by the GitHub App that created it.")
	}
	var w runRequest
	if a, fine := q.decode(&w); !fine {
		return a
	}
	if list := w.problems(); len(list) > 0 {
		return invalid(list...)
	}
	w.apply(c, q.g.now())
	q.announce(c, false)
	return ok(q.repo.checkRun(c))
}

func listAnnotations(q *request) reply {
	c := q.checkRun()
	if c == nil {
		return notFound()
	}
	return listed(q, c.annotations, func(a Annotation) object { return q.repo.annotation(c, a) })
}

func listRefRuns(q *request) reply {
	c, err := q.repo.resolve(q.params["ref"])
	if err != nil {
		return refuse(http.StatusUnprocessableEntity, "No commit found for SHA: "+q.params["ref"])
	}
	return q.listRuns(func(x *run) bool { return x.suite.sha == c.SHA })
}

func listSuiteRuns(q *request) reply {
	return q.listRuns(func(x *run) bool { return x.suite.id == q.number("check_suite_id") })
}

// listRuns lists the runs that match, newest first; unless all are asked for, only the
// newest of each name and App.
func (q *request) listRuns(match func(*run) bool) reply {
	query := q.URL.Query()
	latest := cmp.Or(query.Get("filter"), "latest") == "latest"
	seen := map[string]bool{}
	var list []*run
	for _, c := range slices.Backward(q.repo.checkRuns) {
		app := fmt.Sprint(q.g.app(c.foreign)["id"])
		wanted := match(c) && (query.Get("check_name") == "" || query.Get("check_name") == c.name) &&
			(query.Get("status") == "" || query.Get("status") == c.status) &&
			(query.Get("app_id") == "" || query.Get("app_id") == app)
		key := strings.Join([]string{app, c.name}, "/")
		if !wanted || latest && seen[key] {
			continue
		}
		seen[key] = true
		list = append(list, c)
	}
	return counted(q, "check_runs", list, q.repo.checkRun)
}

func listRefSuites(q *request) reply {
	c, err := q.repo.resolve(q.params["ref"])
	if err != nil {
		return refuse(http.StatusUnprocessableEntity, "No commit found for SHA: "+q.params["ref"])
	}
	suites := slices.DeleteFunc(slices.Clone(q.repo.suites), func(s *suite) bool { return s.sha != c.SHA })
	return counted(q, "check_suites", suites, q.repo.suiteObject)
}

func getSuite(q *request) reply {
	for _, s := range q.repo.suites {
		if s.id == q.number("check_suite_id") {
			return ok(q.repo.suiteObject(s))
		}
	}
	return notFound()
}

func createSuite(q *request) reply {
	var w struct {
		HeadSHA string `json:"head_sha"`
	}
	if a, fine := q.decode(&w); !fine {
		return a
	}
	c, err := q.repo.objects.Commit(w.HeadSHA)
	if err != nil {
		return refuse(http.StatusUnprocessableEntity, "No commit found for SHA: "+w.HeadSHA)
	}
	s, fresh := q.repo.suite(c.SHA, "")
	if !fresh {
		return ok(q.repo.suiteObject(s))
	}
	return created(q.repo.suiteObject(s))
}
