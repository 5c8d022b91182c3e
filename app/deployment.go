package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store"
)

// toGateDeployments is what the deployment rule needs: the runs that wait, the manifests of
// their commit, and the answer.
var toGateDeployments = permissions{"deployments": "write", "actions": "read", "contents": "read"}

// payloadDeployment is what a deployment_protection_rule event says of the deployment.
type payloadDeployment struct {
	ID  int64  `json:"id"`
	SHA string `json:"sha"`
}

// onDeployment judges a job that waits for our rule, and says that it was received.
func (a *App) onDeployment(d store.Delivery) ([]store.Job, error) {
	p, r, err := readPayloadOf(d)
	if err != nil {
		return nil, err
	}
	run, err := runOfCallback(a.github.base, r, p.CallbackURL)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", d.Event, d.GUID, err)
	}
	s := subjectArgs{Repo: r, Kind: checks.KindDeployment, RunID: run, Environment: p.Environment}
	if err := environmentName(p.Environment); err != nil {
		return nil, fmt.Errorf("%s %s: %w", d.Event, d.GUID, err)
	}
	if p.Deployment != nil {
		s.DeploymentID = p.Deployment.ID
		if s.Commit, err = commit(p.Deployment.SHA); err != nil {
			return nil, fmt.Errorf("%s %s: %w", d.Event, d.GUID, err)
		}
	}
	receipt := a.publishJob(surfaceDeployment, publishArgs{Subject: s, Mark: markReceived}, d.Event+"."+p.Action)
	return []store.Job{a.judgeJob(s, d.Event+"."+p.Action), receipt}, nil
}

// maxEnvironmentBytes bounds the name of an environment: 255 characters.
const maxEnvironmentBytes = 4 * 255

func environmentName(name string) error {
	if name == "" || len(name) > maxEnvironmentBytes {
		return fmt.Errorf("the name of the environment has %d bytes", len(name))
	}
	return nil
}

// runOfCallback returns the run that a callback address names. The address must be exactly the
// one that the run of r has at our API: no other is ever called, because it could be anybody's
// (THREATS G13, G18).
func runOfCallback(base *url.URL, r repo, callback string) (int64, error) {
	bad := fmt.Errorf("the callback address is not that of a run of %s at %s", r, base.Redacted())
	rest, ok := strings.CutPrefix(callback, base.String()+"repos/")
	if !ok {
		return 0, bad
	}
	name, rest, ok := strings.Cut(rest, "/actions/runs/")
	digits, tail, _ := strings.Cut(rest, "/")
	run, err := strconv.ParseInt(digits, 10, 64)
	if !ok || !strings.EqualFold(name, r.String()) || tail != "deployment_protection_rule" || err != nil || run <= 0 || strconv.FormatInt(run, 10) != digits {
		return 0, bad
	}
	return run, nil
}

// environmentKey stands for the name of an environment in keys: names are people's and may
// hold anything.
func environmentKey(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:8])
}

// deployRun is a workflow run as GitHub's API has it, for the gate.
type deployRun struct {
	ID         int64  `json:"id"`
	HeadSHA    string `json:"head_sha"`
	Attempt    int    `json:"run_attempt"`
	Status     string `json:"status"`
	Repository struct {
		ID int64 `json:"id"`
	} `json:"repository"`
}

// deployRun reads the run of s. It returns errRunOver when nothing can wait in it any more.
func (c *installation) deployRun(ctx context.Context, s subjectArgs) (deployRun, error) {
	var run deployRun
	_, err := c.ask(ctx, http.MethodGet, fmt.Sprintf("%s/actions/runs/%d", c.path(), s.RunID), nil, &run)
	switch {
	case notFound(err):
		return run, errRunOver
	case err != nil:
		return run, fmt.Errorf("reading workflow run %d of %s: %w", s.RunID, c.Repo, err)
	case run.ID != s.RunID || run.Repository.ID != c.Repo.ID:
		return run, &permanent{fmt.Errorf("reading workflow run %d of %s: GitHub answers with run %d of repository %d", s.RunID, c.Repo, run.ID, run.Repository.ID)}
	case run.Status == "completed":
		return run, errRunOver
	}
	_, err = commit(run.HeadSHA)
	return run, err
}

// errRunOver says that a workflow run has ended or is gone.
var errRunOver = errors.New("the workflow run is over")

// waits reports whether a run waits in an environment, for whatever rule.
func (c *installation) waits(ctx context.Context, run int64, environment string) (bool, error) {
	names, err := c.waitingFor(ctx, run)
	for _, name := range names {
		if name == environment {
			return true, err
		}
	}
	return false, err
}

// waitingFor returns the environments that a run waits in.
func (c *installation) waitingFor(ctx context.Context, run int64) ([]string, error) {
	var pending []struct {
		Environment struct {
			Name string `json:"name"`
		} `json:"environment"`
	}
	_, err := c.ask(ctx, http.MethodGet, fmt.Sprintf("%s/actions/runs/%d/pending_deployments", c.path(), run), nil, &pending)
	if notFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading what run %d of %s waits for: %w", run, c.Repo, err)
	}
	var names []string
	for _, p := range pending {
		names = append(names, p.Environment.Name)
	}
	return names, nil
}

// maxWaitingRuns is how many waiting runs of a repository one sweep looks at: the newest.
const maxWaitingRuns = 50

// missedDeployments returns the jobs for deployments that wait and were not answered: their
// delivery was lost, or ours ended in between.
func (a *App) missedDeployments(ctx context.Context, r repo, p *checks.Policy, cause string) ([]store.Job, error) {
	if len(p.Environments) == 0 {
		return nil, nil
	}
	c := a.installation(r, toGateDeployments)
	var waiting struct {
		Runs []deployRun `json:"workflow_runs"`
	}
	_, err := c.ask(ctx, http.MethodGet, fmt.Sprintf("%s/actions/runs?status=waiting&per_page=%d", c.path(), maxWaitingRuns), nil, &waiting)
	var lacking *errPermission
	switch {
	case errors.As(err, &lacking):
		a.log.WarnContext(ctx, "waiting deployments are not looked for", "repo", r.String(), "reason", lacking.Error())
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("listing the waiting runs of %s: %w", r, err)
	}
	var jobs []store.Job
	for _, run := range waiting.Runs {
		names, err := c.waitingFor(ctx, run.ID)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if _, ruled := p.Environments[name]; !ruled {
				continue
			}
			s := subjectArgs{Repo: r, Kind: checks.KindDeployment, RunID: run.ID, Environment: name}
			known, err := a.answerKnown(ctx, s.key())
			if err != nil {
				return nil, err
			}
			if known.Attempt == run.Attempt && known.ended() {
				continue // it waits for somebody else
			}
			if _, err := a.store.Newest(ctx, s.key()); errors.Is(err, store.ErrNotFound) {
				a.metrics.healed.WithLabelValues(string(s.Kind)).Inc()
			}
			jobs = append(jobs, a.judgeJob(s, cause))
		}
	}
	return jobs, nil
}
